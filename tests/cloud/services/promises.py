"""A rig that keeps promises: the real parts of bookings, bills and notices; only the till is stood in for."""

# ruff: noqa: ARG002 - who stands in takes what it is given

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from sqlalchemy import select

from cloud.adapters.sql import tables
from cloud.domain.reservations import Reservation, Status
from cloud.domain.terms import Terms, frozen
from cloud.services.advancing import Advancer
from cloud.services.billing import BillingService, QuoteService
from cloud.services.booking_ports import Told
from cloud.services.deadlines import DeadlineService
from cloud.services.fact_ports import Deadline, DeadlineKind
from cloud.services.finding import FindingService
from cloud.services.keeping import Keeper, KeepingService
from cloud.services.notices import Notices
from cloud.services.packing import Packer
from cloud.services.rescheduling import Rescuer
from cloud.services.shelf import TariffShelf
from tests.cloud.builders import BAY, CHARGER, NOON, STATION, a_reservation, after
from tests.cloud.services.rig import DRIVER, TOKEN, Rig, connected, said, seen

OTHER_BAY = f"{STATION}-2"
OTHER_DRIVER, OTHER_TOKEN = "u-bob", "04bbbb"
FREE_AT_BOTH = (
    connected(),
    said("free"),
    said("free", evse_id=2),
    seen(False),
    seen(False, bay_id=OTHER_BAY, sensor_ids=["gm-2"]),
)


@dataclass
class RememberingTill:
    """See Till: what was due for whom, in the order in which they were settled."""

    due: dict[str, int] = field(default_factory=dict)
    times: dict[str, int] = field(default_factory=dict)

    def close(self, work, reservation, due_minor, shares, now) -> int:
        assert sum(shares.values()) == due_minor
        self.due[reservation.id] = due_minor
        self.times[reservation.id] = self.times.get(reservation.id, 0) + 1
        return due_minor


@dataclass
class RememberingWaiting:
    """See Waiting."""

    freed_: list[Any] = field(default_factory=list)
    expired: list[str] = field(default_factory=list)

    def freed(self, work, station_id, window, now) -> None:
        self.freed_.append((station_id, window))

    def expire(self, work, offer_id, now) -> None:
        self.expired.append(offer_id)

    def look(self, work, entry_id, now) -> None:
        raise AssertionError("nobody waits here")


@dataclass
class _NothingInstead:
    """See Finding: only equal bays at the same station."""

    finding: FindingService

    def alternatives(self, work, wanted, now, most=5):
        return []

    def still_free(self, work, options, now, but=""):
        return list(options)

    def equal_bays(self, work, wanted, window, now):
        return self.finding.equal_bays(work, wanted, window, now)


class Promises:
    """Everything about promises, on one rig; its station is heard and free."""

    def __init__(self, rig: Rig, **terms: Any) -> None:
        self.rig, self.clock, self.open_work = rig, rig.clock, rig.open_work
        self.terms = Terms(**terms)
        self.numbers = count(1)
        self.beats: dict[str, Any] = {}
        """What every heartbeat says."""
        self.beats_every_s = 60
        self.till, self.waiting, self.shelf = RememberingTill(), RememberingWaiting(), TariffShelf()
        self.telling = Notices("https://bays.example")
        self.quoting = QuoteService(self.shelf)
        self.finding = FindingService(rig.policy, self.quoting)
        self.quiet = Advancer(
            settling=BillingService(self.till, self.telling, self.shelf),
            waiting=self.waiting,
            telling=self.telling,
        )
        self.keeper = Keeper(
            policy=rig.policy,
            advancer=self.quiet,
            rescuer=Rescuer(
                finding=self.finding,
                quoting=self.quoting,
                telling=self.telling,
                advancer=self.quiet,
            ),
            telling=self.telling,
        )
        rig.settling = replace(rig.settling, promises=self.keeper)
        rig.ingest = rig.new_ingest()
        self.keeping = KeepingService(rig.settling)
        self.advancer = replace(self.quiet, keeping=self.keeping)
        rig.deadlines = DeadlineService(
            rig.open_work,
            rig.clock,
            rig.settling,
            rig.publisher,
            NOON - timedelta(hours=1),
            waiting=self.waiting,
            binding=Packer(self.advancer),
        )
        self.agent = rig.agent
        rig.insert(
            tables.users,
            {
                "id": OTHER_DRIVER,
                "email": "bob@bays.example",
                "name": "Bob",
                "role": "driver",
                "created_at": NOON,
            },
        )
        rig.insert(
            tables.charging_tokens,
            {"token": OTHER_TOKEN, "user_id": OTHER_DRIVER, "created_at": NOON, "label": "card"},
        )
        if terms:
            with rig.open_work() as work:
                work.terms.put(STATION, self.terms, NOON)
                work.commit()
        rig.agent.tell(*FREE_AT_BOTH)
        rig.agent.beat()

    # --- acts ------------------------------------------------------------------------------------

    def book(self, start_s: float = 1_800, **more: Any) -> Reservation:
        """Store a paid reservation of the driver's, for an hour from half past twelve."""
        number = next(self.numbers)
        known = {
            "id": f"r-{number}",
            "number": number,
            "user_id": DRIVER,
            "token": TOKEN,
            "start_s": start_s,
            "status": Status.BOOKED,
            "held_until": None,
            "booked_at": NOON,
            "tariff_id": "kwh:GBP:50",
            "terms": frozen(self.terms),
        }
        wanted = a_reservation(**(known | more))
        with self.open_work() as work:
            work.reservations.claim(wanted, Told("booked"), most_live=99)
            due_at = wanted.held_until or wanted.starts_at
            work.deadlines.set([Deadline(DeadlineKind.RESERVATION, wanted.id, due_at)])
            self.keeping.look(work, [wanted.bay_id], self.clock.now())
            work.commit()
        return self.get(wanted.id)

    def act(self, reservation_id: str, happening: Any, **more: Any) -> None:
        """Do what the API does."""
        now = self.clock.now()
        with self.open_work() as work:
            found = work.reservations.by_ids([reservation_id])[reservation_id]
            told = Told(happening, found.user_id)
            self.advancer.advance(work, replace(found, **more), happening, told, now)
            work.commit()

    def finding_nothing(self) -> None:
        """Have nothing at other times or places to offer."""
        rescuer = replace(self.keeper.rescuer, finding=_NothingInstead(self.finding))
        keeper = replace(self.keeper, rescuer=rescuer)
        self.rig.settling = replace(self.rig.settling, promises=keeper)
        self.rig.ingest = self.rig.new_ingest()
        self.rig.deadlines = replace(self.rig.deadlines, settling=self.rig.settling)

    def until(self, seconds: float, *, is_heard: bool = True) -> None:
        """Let the house run until so many seconds after noon, with the agent's heartbeats.

        The clock looks whenever something is due, and at least with every heartbeat.
        """
        end = after(seconds)
        while self.clock.now() < end:
            due_at = self.rig.deadlines.next_due_at() or end
            most = self.clock.now() + timedelta(seconds=self.beats_every_s if is_heard else 1_200)
            self.clock.at = max(self.clock.now(), min(end, most, due_at)) + self._rest(due_at)
            if is_heard:
                self.agent.beat(**self.beats)
            self.rig.tick()

    def _rest(self, due_at: datetime) -> timedelta:
        """Return how long the clock rests where something is due, and was not done."""
        return timedelta(seconds=1 if due_at <= self.clock.now() else 0)

    def tell(self, *facts: Any, **more: Any) -> Any:
        """Have the agent tell facts, and the clock look once."""
        applied = self.agent.tell(*facts, **more)
        self.rig.tick()
        return applied

    # --- what is there ---------------------------------------------------------------------------

    def get(self, reservation_id: str = "r-1") -> Reservation:
        with self.open_work(is_read_only=True) as work:
            return work.reservations.by_ids([reservation_id])[reservation_id]

    def log(self, reservation_id: str = "r-1") -> list[str]:
        with self.open_work(is_read_only=True) as work:
            return [one.what for one in work.reservations.log(reservation_id)]

    def told(self, user_id: str = DRIVER) -> list[str]:
        """Return the kinds of notices a user has in the app, oldest first."""
        messages = tables.messages
        query = select(messages.c.kind).where(
            messages.c.user_id == user_id, messages.c.channel == "app"
        )
        with self.rig.engine.connect() as connection:
            return list(connection.execute(query.order_by(messages.c.created_at)).scalars())

    def due_at(self, reservation_id: str = "r-1") -> datetime | None:
        rows = self.rig.rows(tables.deadlines)
        return next((one.due_at for one in rows if one.subject == reservation_id), None)

    def status(self, bay_id: str = BAY) -> str:
        return self.rig.bay(bay_id).status


def seen_at(bay_id: str, is_occupied: bool, at: datetime, **more: Any) -> Any:
    """Return the verdict of a bay's own sensor."""
    sensor = "gm-1" if bay_id == BAY else "gm-2"
    return seen(is_occupied, at, bay_id=bay_id, sensor_ids=[sensor], **more)


__all__ = ["BAY", "CHARGER", "OTHER_BAY", "Promises", "seen_at"]
