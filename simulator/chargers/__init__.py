"""Simulated chargers: one file a version, over a base that knows electricity but no OCPP."""
