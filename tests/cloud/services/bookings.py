"""The use cases of reservations on a rig; money, codes and news are stood in for, and remembered."""

# ruff: noqa: ARG002 - who stands in takes what it is given

from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import count
from typing import Any

from sqlalchemy import select

from cloud.adapters.sql import tables
from cloud.domain.access import Role, Viewer
from cloud.domain.terms import Terms
from cloud.domain.windows import granules
from cloud.services.advancing import Advancer
from cloud.services.booking_ports import NewReservation
from cloud.services.changing import Changer
from cloud.services.collaborators import Option, Quoted
from cloud.services.holding import Holder
from cloud.services.packing import Packer
from cloud.services.reservations import ReservationService
from tests.cloud.builders import BAY, NOON, STATION, after
from tests.cloud.services.rig import DRIVER, MAINTAINER, OWNER

ME = Viewer(DRIVER, Role.DRIVER)
OWNING = Viewer(OWNER, Role.OWNER)
STAFF = Viewer(MAINTAINER, Role.MAINTENANCE)
STRANGER = Viewer("u-stranger", Role.DRIVER)
OTHER_BAY = "greenmarket-2"
HOUR = 3_600
COMBO = "IEC_62196_T2_COMBO"


class HourlyQuoting:
    """See Quoting: so much an hour."""

    def __init__(self, per_hour_minor: int = 600) -> None:
        self.per_hour_minor = per_hour_minor

    def quote(self, work, wanted, now):
        hours = wanted.window.duration / timedelta(hours=1)
        total = round(self.per_hour_minor * hours)
        return Quoted(
            tariff_id=wanted.tariff_id or "t-1",
            currency=wanted.currency,
            total_minor=total,
            authorise_minor=total + 100,
            body={"lines": [{"what": "time", "amount_minor": total}]},
        )


@dataclass
class FreeSettling:
    """See Settling: nothing is ever due; each is settled once."""

    settled: list[str] = field(default_factory=list)

    def settle(self, work, reservation, now):
        if reservation.due_minor is not None:
            return reservation
        self.settled.append(reservation.id)
        return replace(reservation, due_minor=0)


@dataclass
class Heard:
    """See Waiting, Telling, Codes and Keeping: remembers what each was asked for."""

    freed_: list[Any] = field(default_factory=list)
    told: list[Any] = field(default_factory=list)
    codes: list[str] = field(default_factory=list)
    looked: list[str] = field(default_factory=list)

    def freed(self, work, station_id, window, now):
        self.freed_.append((station_id, window))

    def tell(self, work, notice, now):
        self.told.append(notice)

    def send(self, work, reservation, now):
        self.codes.append(reservation.id)

    def look(self, work, bay_ids, now):
        self.looked += bay_ids
        return []


class LaterHere:
    """See Finding: the same bay in the next hours, whatever is there."""

    def alternatives(self, work, wanted, now, most=5):
        return [
            Option(
                station_id=wanted.station_id,
                station_name="Green Market",
                bay_id=wanted.bay_id,
                bay_name="1",
                starts_at=wanted.starts_at + timedelta(hours=hours),
                ends_at=wanted.ends_at + timedelta(hours=hours),
                distance_m=0,
                price_minor=600,
                currency=wanted.currency,
                expected_wait_s=hours * HOUR,
                max_power_w=150_000,
                cost=float(hours),
            )
            for hours in range(1, most + 1)
        ]


class Bookings:
    """A rig with bookings."""

    def __init__(self, rig, **terms) -> None:
        self.rig = rig
        self.quoting = HourlyQuoting()
        self.settling = FreeSettling()
        self.heard = Heard()
        self.advancer = Advancer(
            settling=self.settling,
            waiting=self.heard,
            telling=self.heard,
            keeping=self.heard,
        )
        self.holder = Holder(quoting=self.quoting, codes=self.heard, advancer=self.advancer)
        self.changer = Changer(quoting=self.quoting, advancer=self.advancer)
        self.packer = Packer(self.advancer)
        self.service = ReservationService(
            open_work=rig.open_work,
            clock=rig.clock,
            publisher=rig.publisher,
            holder=self.holder,
            changer=self.changer,
            advancer=self.advancer,
            finding=LaterHere(),
        )
        self.numbers = count(1)
        if terms:
            self.set_terms(**terms)

    # --- what is done ----------------------------------------------------------------------------

    def set_terms(self, station_id=STATION, **terms):
        with self.rig.open_work() as work:
            work.terms.put(station_id, Terms(**terms), self.rig.clock.now())
            work.commit()

    def add_driver(self, user_id):
        """Add a driver without a card; returns who they are."""
        self.rig.insert(
            tables.users,
            {
                "id": user_id,
                "email": f"{user_id}@bays.example",
                "name": user_id,
                "role": "driver",
                "created_at": NOON,
            },
        )
        return Viewer(user_id, Role.DRIVER)

    def hold(self, start_s=HOUR, lasts_s=HOUR, viewer=ME, once=None, **more):
        """Hold the first bay for an hour from one o'clock."""
        starts_at = after(start_s)
        known = {
            "station_id": STATION,
            "bay_id": BAY,
            "starts_at": starts_at,
            "ends_at": starts_at + timedelta(seconds=lasts_s),
        }
        return self.service.hold(viewer, NewReservation(**(known | more)), once)

    def pay(self, reservation_id, authorised_minor=700):
        """Have a hold paid for; whether it was one still."""
        with self.rig.open_work() as work:
            now = self.rig.clock.now()
            changes = self.advancer.paid(work, reservation_id, authorised_minor, now)
            work.commit()
        return changes is not None

    def book(self, *args, **more):
        """Hold and pay."""
        held = self.hold(*args, **more)
        assert self.pay(held.reservation_id)
        return self.service.get(held.reservation_id, more.get("viewer", ME))

    def expire(self, reservation_id):
        """Do what the clock does with a hold that is due."""
        with self.rig.open_work() as work:
            found = work.reservations.by_ids([reservation_id])[reservation_id]
            self.advancer.expire(work, found, self.rig.clock.now())
            work.commit()

    def advance(self, reservation_id, happening, told):
        with self.rig.open_work() as work:
            found = work.reservations.by_ids([reservation_id])[reservation_id]
            self.advancer.advance(work, found, happening, told, self.rig.clock.now())
            work.commit()

    # --- what there is ---------------------------------------------------------------------------

    def reservation(self, reservation_id):
        with self.rig.open_work(is_read_only=True) as work:
            return work.reservations.by_ids([reservation_id])[reservation_id]

    def all(self):
        ids = [row.id for row in self.rig.rows(tables.reservations)]
        with self.rig.open_work(is_read_only=True) as work:
            return list(work.reservations.by_ids(ids).values())

    def log(self, reservation_id):
        return [entry.what for entry in self.service.log(reservation_id, STAFF).entries]

    def slots(self):
        """Return who has each granule: (bay, start)."""
        with self.rig.engine.connect() as connection:
            rows = connection.execute(select(tables.bay_slots)).all()
        return {(row.bay_id, row.starts_at): row.reservation_id for row in rows}

    def expected_slots(self):
        """Return who ought to have each granule, by the live reservations."""
        return {
            (one.bay_id, at): one.id
            for one in self.all()
            if one.is_live
            for at in granules(one.kept)
        }

    def plan_version(self, station_id=STATION):
        return self.rig.row(tables.stations, id=station_id).plan_version

    def deadline(self, reservation_id):
        return self.rig.row(tables.deadlines, kind="reservation", subject=reservation_id).due_at
