"""What sessions cost by now: what the bill would say of them, with all that was agreed on."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

from cloud.domain.billing import Charged, Deal, so_far_minor
from cloud.domain.reservations import Reservation
from cloud.domain.sessions import Session, curve
from cloud.domain.stations import Station
from cloud.domain.tariffs import Tariff
from cloud.domain.terms import Terms
from cloud.services.billing import deal_of
from cloud.services.formats import zone
from cloud.services.ports import UnitOfWork
from cloud.services.shelf import TariffShelf


@dataclass(frozen=True, slots=True)
class RunningCosts:
    """Loads what the sessions at hand need in a few statements, however many they are."""

    shelf: TariffShelf

    def of(
        self,
        work: UnitOfWork,
        sessions: Collection[Session],
        known: "Known",
        now: datetime,
    ) -> dict[str, int]:
        """Return them by session, in minor units; without those that no tariff prices.

        Of several sessions of one reservation each costs what it adds to those before it.

        Args:
            work: the transaction; samples of sessions that have ended are written already.
            sessions: as they stand.
            known: their stations, and reservations that were loaded.
            now: until when open ones count.
        """
        asked = {one.id: one for one in sessions if one.tariff_id or one.reservation_id}
        if not asked:
            return {}
        scene = self._load(work, asked, known, now)
        costs: dict[str, int] = {}
        for session in asked.values():
            deal = scene.deals.get(_group(session, scene.promised))
            if deal is not None:
                costs[session.id] = scene.cost_minor(session, deal)
        return costs

    def _load(
        self,
        work: UnitOfWork,
        asked: dict[str, Session],
        known: "Known",
        now: datetime,
    ) -> "_Scene":
        named = {one.reservation_id for one in asked.values() if one.reservation_id}
        promised = {one: known.reservations[one] for one in named & known.reservations.keys()}
        promised |= work.reservations.by_ids(sorted(named - promised.keys()))
        charged = work.sessions.of_reservations(sorted(named))
        together: defaultdict[str, list[Session]] = defaultdict(list)
        for one in ({one.id: one for one in charged} | asked).values():
            together[_group(one, promised)].append(one)
        over = [one.id for group in together.values() for one in group if not one.is_open]
        samples = work.sessions.samples(sorted(over))
        curves = {
            one.id: Charged(one, curve(one, samples.get(one.id, ())))
            for group in together.values()
            for one in group
        }
        deals = self._deals(work, asked, Known(known.stations, promised), now)
        return _Scene(now, promised, deals, together, curves)

    def _deals(
        self, work: UnitOfWork, asked: Mapping[str, Session], known: "Known", now: datetime
    ) -> dict[str, Deal]:
        """Return what was agreed on, by reservation, and for walk-ins by session."""
        deals: dict[str, Deal] = {}
        alone = [one for one in asked.values() if one.reservation_id not in known.reservations]
        tariffs = self.shelf.by_ids(work, {one.tariff_id for one in alone if one.tariff_id})
        for one in alone:
            tariff = tariffs.get(one.tariff_id or "")
            if tariff is not None:
                deals[one.id] = _walk_in(one, tariff, known.stations[one.station_id])
        for reservation in known.reservations.values():
            station = known.stations[reservation.station_id]
            # facts are kept whatever has become of a tariff
            with suppress(LookupError):
                deals[reservation.id] = deal_of(work, self.shelf, reservation, station, now)
        return deals


@dataclass(frozen=True, slots=True)
class Known:
    """What is at hand already; which reservations are not is asked for."""

    stations: Mapping[str, Station]
    reservations: Mapping[str, Reservation] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Scene:
    """All that is needed to reckon."""

    now: datetime
    promised: Mapping[str, Reservation]
    deals: Mapping[str, Deal]
    together: Mapping[str, list[Session]]
    """By reservation, and of walk-ins by session."""
    charged: Mapping[str, Charged]

    def cost_minor(self, session: Session, deal: Deal) -> int:
        reservation = self.promised.get(session.reservation_id or "")
        before = [
            one
            for one in self.together[_group(session, self.promised)]
            if (one.started_at, one.id) < (session.started_at, session.id)
        ]
        charged = [self.charged[one.id] for one in (*before, session)]
        total_minor = so_far_minor(reservation, deal, charged, self.now)
        return total_minor - sum(one.cost_minor for one in before)


def _group(session: Session, promised: Mapping[str, Reservation]) -> str:
    """Return what a session is charged together by: its reservation, if it has one, else itself."""
    reservation_id = session.reservation_id
    return reservation_id if reservation_id and reservation_id in promised else session.id


def _walk_in(session: Session, tariff: Tariff, station: Station) -> Deal:
    return Deal(
        tariff_id=session.tariff_id or "",
        tariff=tariff,
        zone=zone(station.timezone),
        terms=Terms(),
    )
