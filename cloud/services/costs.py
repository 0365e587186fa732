"""What sessions cost, for the displays of their chargers (OCPP 2.0.1, block I)."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from cloud.domain.money import decimal
from cloud.domain.sessions import Session, Stop, ended, is_late, refolded, sampled, stopped
from cloud.services.commands import SENT, new_command
from cloud.services.fact_ports import Deadline, DeadlineKind, Sample
from cloud.services.facts.smart_charging import ISSUED_BY
from cloud.services.ports import Clock, DatabaseAway, OpenWork, UnitOfWork
from cloud.services.running_costs import Known, RunningCosts
from cloud.services.shelf import TariffShelf
from contracts.commands import TellCost
from contracts.events import InventoryKind

ASKED: Final = "SessionCost"
"""What a station calls its question, among those it relays."""
SHOWS_COSTS: Final = "TariffCostCtrlr/Enabled[Cost]"
"""The variable by which a charger says that it shows drivers what they pay (I02, I03)."""
_ANSWER_WITHIN: Final = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class CostService:
    """Reckons as the bill does, by the reservation's deal or a walk-in's tariff."""

    open_work: OpenWork
    clock: Clock
    shelf: TariffShelf
    tell_every: timedelta = timedelta(seconds=60)

    def answer(self, station_id: str, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Return what a session that ends so costs (I03.FR.02); nothing: nobody knows it.

        Raises:
            KeyError, ValueError: the question cannot be read.
        """
        ended_at = datetime.fromisoformat(asked["ended_at"])
        stop = Stop(meter_stop_wh=asked["meter_stop_wh"], reason="", at=ended_at)
        try:
            with self.open_work(is_read_only=True) as work:
                session = work.sessions.by_ids([asked["session_id"]]).get(asked["session_id"])
                if session is None or session.station_id != station_id:
                    return {}
                session = _with_interval(work, session, int(asked.get("interval_wh", 0)), ended_at)
                over = stopped(ended(session, stop))
                return {"total": self._total(work, over, self.clock.now())}
        except DatabaseAway:
            return {}

    def tell(self, work: UnitOfWork, session_id: str, now: datetime) -> None:
        """See Costing.tell."""
        session = work.sessions.by_ids([session_id]).get(session_id)
        if session is None or not session.is_open:
            return
        place = work.stations_admin.charger_place(session.charger_id)
        if place is None or not _shows_costs(work, session.charger_id):
            return
        if place.is_connected and session.transaction_id:
            request = TellCost(
                charger_id=session.charger_id,
                transaction_id=session.transaction_id,
                total=self._total(work, session, now),
            )
            until = now + _ANSWER_WITHIN
            command = new_command(session.station_id, ISSUED_BY, request, now, until)
            work.commands.add(replace(command, state=SENT, sent_at=now))
        due_at = now + self.tell_every
        work.deadlines.set([Deadline(DeadlineKind.COST, session_id, due_at)])

    def _total(self, work: UnitOfWork, session: Session, now: datetime) -> str:
        known = Known(work.stations.by_ids([session.station_id]))
        costs = RunningCosts(self.shelf).of(work, [session], known, now)
        cost_minor = costs.get(session.id, session.cost_minor)
        return decimal(max(0, cost_minor), session.currency)


def _with_interval(
    work: UnitOfWork, session: Session, interval_wh: int, ended_at: datetime
) -> Session:
    """Return the session with what its end tells besides; one with a register is the same."""
    if not interval_wh:
        return session
    last = Sample(session.id, ended_at, None, None, None, interval_wh=interval_wh)
    if not is_late(session, [last]):
        return sampled(session, [last])
    samples = work.sessions.samples([session.id]).get(session.id, [])
    return refolded(session, [*samples, last])


def _shows_costs(work: UnitOfWork, charger_id: str) -> bool:
    item = work.inventory.item(charger_id, InventoryKind.VARIABLE, SHOWS_COSTS)
    attributes = () if item is None else item.body.get("variableAttribute", ())
    return any(str(one.get("value")).lower() == "true" for one in attributes)
