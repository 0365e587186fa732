"""What facts of charging needs do, and what a session's end does to its charging profiles."""

from dataclasses import replace
from datetime import timedelta
from typing import Final

from cloud.domain.schedules import Need, offer
from cloud.services.commands import SENT, new_command
from cloud.services.facts.board import Board, Stamp
from cloud.services.inventory_ports import Told
from contracts.commands import (
    ChargingProfile,
    LimitPeriod,
    LimitUnit,
    ProfileKind,
    ProfilePurpose,
    Request,
    SetChargingProfile,
)
from contracts.events import ChargingNeeded, InventoryKind, InventoryReported, SessionEnded

ISSUED_BY: Final = "baywatt"
"""Who asks chargers for what nobody asked us for."""
_ANSWER_WITHIN: Final = timedelta(seconds=30)
_PROFILE_ID: Final = 900_000_000
"""Profiles of our own making are numbered from here on, by their EVSE."""


def charging_needed(board: Board, fact: ChargingNeeded, stamp: Stamp) -> None:
    """A car waits for a profile: it is offered what its bay gives (OCPP 2.0.1 K15.FR.05, K17.FR.05)."""
    if board.charger(stamp, fact.charger_id) is None:
        return
    bay = board.bay_of(fact.charger_id, fact.evse_id)
    need = Need(fact.max_power_w, fact.departs_at)
    offered = offer(need, bay.max_power_w if bay else 0, board.now)
    profile = ChargingProfile(
        profile_id=_PROFILE_ID + fact.evse_id,
        purpose=ProfilePurpose.SESSION,
        profile_kind=ProfileKind.ABSOLUTE,
        starts_at=board.now,
        duration_s=offered.duration_s,
        unit=LimitUnit.WATT,
        periods=[LimitPeriod(start_s=0, limit=round(offered.power_w, 1))],
    )
    request = SetChargingProfile(charger_id=fact.charger_id, evse_id=fact.evse_id, profile=profile)
    ask(board, stamp.station_id, request)


def ask(board: Board, station_id: str, request: Request) -> None:
    """Have a charger asked something, once all this is committed."""
    now = board.now
    command = new_command(station_id, ISSUED_BY, request, now, now + _ANSWER_WITHIN)
    board.requests.append(
        replace(
            command, state=SENT, sent_at=now, answer_within_s=int(_ANSWER_WITHIN.total_seconds())
        )
    )


def profiles_end(board: Board, fact: SessionEnded, stamp: Stamp) -> None:
    """A session's own profiles, and its car's schedule, end with it (OCPP 2.0.1 K01, 1.6 3.13.1)."""
    at = stamp.seen(fact.observed_at)
    for kind, like in (
        (InventoryKind.CHARGING_PROFILE, {"evse_id": fact.evse_id, "purpose": "TxProfile"}),
        (InventoryKind.CAR_SCHEDULE, {"evse_id": fact.evse_id}),
    ):
        gone = InventoryReported(
            charger_id=fact.charger_id,
            inventory=kind,
            gone_like=[dict(like)],
            observed_at=fact.observed_at,
        )
        board.inventory.append(Told(gone, at))
