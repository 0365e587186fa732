"""PullDynamicScheduleUpdate (OCPP 2.1, block K): a charger asks for the newest limit of a dynamic profile."""

from station_agent.ocpp.fields import Int32, Payload
from station_agent.ocpp.outcome import Context, Outcome, Route


class PullDynamicScheduleUpdate(Payload, frozen=True, rename="camel"):
    """The profile's number."""

    charging_profile_id: Int32


def handle(request: PullDynamicScheduleUpdate, context: Context) -> Outcome:
    """Say that there is none: dynamic limits are sent (UpdateDynamicSchedule), not fetched."""
    del request, context
    return Outcome({"status": "Rejected", "statusInfo": {"reasonCode": "NotFound"}})


ROUTE = Route(PullDynamicScheduleUpdate, handle)
