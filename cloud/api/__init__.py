"""The public HTTP API: parses, calls one use case, shapes the answer."""
