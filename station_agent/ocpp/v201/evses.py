"""EVSEType of OCPP 2.0.1 (part 2, section 2.24)."""

from station_agent.ocpp.fields import Index, Payload


class Evse(Payload, frozen=True, rename="camel"):
    """An EVSE, and perhaps one of its connectors."""

    id: Index
    connector_id: Index | None = None
