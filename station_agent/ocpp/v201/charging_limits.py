"""NotifyChargingLimit and ClearedChargingLimit (OCPP 2.0.1, K11-K14): limits others set."""

from collections.abc import Sequence
from typing import Any

from msgspec import field

from contracts.events import Event, InventoryEntry, InventoryKind, InventoryReported
from station_agent.ocpp.fields import Index, Payload
from station_agent.ocpp.outcome import Answers, Context, Outcome, Route


class ChargingLimit(Payload, frozen=True, rename="camel"):
    """By whom, and whether for the grid's sake."""

    charging_limit_source: str
    is_grid_critical: bool | None = None


class NotifyChargingLimit(Payload, frozen=True, rename="camel"):
    """A limit, and what it comes to."""

    charging_limit: ChargingLimit
    evse_id: Index = 0
    charging_schedule: Sequence[dict[str, Any]] = field(default_factory=tuple)


class ClearedChargingLimit(Payload, frozen=True, rename="camel"):
    """Whose limit is no more."""

    charging_limit_source: str
    evse_id: Index = 0


def handle(request: NotifyChargingLimit, context: Context) -> Outcome:
    """Keep the limit; one of the same source at the same place is replaced."""
    limit = request.charging_limit
    entry = InventoryEntry(
        key=_key(limit.charging_limit_source, request.evse_id),
        body={
            "evse_id": request.evse_id,
            "source": limit.charging_limit_source,
            "is_grid_critical": limit.is_grid_critical,
            "schedules": list(request.charging_schedule),
        },
    )
    return Outcome({}, (_told(context, entries=[entry]),))


def handle_cleared(request: ClearedChargingLimit, context: Context) -> Outcome:
    """Forget the limit."""
    gone = [_key(request.charging_limit_source, request.evse_id)]
    return Outcome({}, (_told(context, gone=gone),))


def _key(source: str, evse_id: int) -> str:
    return f"{source[:64]}@{evse_id}"


def _told(context: Context, **what: Any) -> Event:
    return InventoryReported(
        charger_id=context.charger.charger_id,
        inventory=InventoryKind.CHARGING_LIMIT,
        observed_at=context.now,
        **what,
    )


ROUTE = Route(NotifyChargingLimit, handle, answers=Answers.REMEMBERED)
CLEARED_ROUTE = Route(ClearedChargingLimit, handle_cleared, answers=Answers.REMEMBERED)
