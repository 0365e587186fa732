"""The pages: server-rendered from the same services as the API, live by server-sent events."""
