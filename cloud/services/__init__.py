"""Use cases: load, ask the domain, store, commit. They need things through ports.py.

What leaves the house (API answers, live events, the availability topic) are plain frozen dataclasses,
mostly in the `*_views.py` of its noun, so that FastAPI documents them and msgspec encodes them, once for
all viewers. Instants are aware UTC. Ages are for the reader to compute: from `as_of` and the instant.
"""
