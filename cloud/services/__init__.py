"""Use cases: load, ask the domain, store, commit. They need things through ports.py."""
