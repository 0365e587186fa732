"""OCPP-J central system of a station: 1.6, 2.0.1 and 2.1 on one port, told on as version-neutral facts."""
