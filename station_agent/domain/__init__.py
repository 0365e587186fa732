"""What the agent decides: standard library and the wire language only, the time an argument."""
