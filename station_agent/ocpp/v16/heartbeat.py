"""Heartbeat (OCPP 1.6, section 4.6): the reply sets the charger's clock."""

from station_agent.ocpp.fields import Payload
from station_agent.ocpp.instants import write
from station_agent.ocpp.outcome import Context, Outcome, Route


class Heartbeat(Payload, frozen=True, rename="camel"):
    """It says nothing but that it is there."""


def handle(_request: Heartbeat, context: Context) -> Outcome:
    """Tell the time."""
    return Outcome({"currentTime": write(context.now)})


ROUTE = Route(Heartbeat, handle)
