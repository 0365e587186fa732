"""The standing orders of each station, sent whole whenever what they are made of has changed.

They carry the reservations of the next days, so that a station keeps these also while it is alone.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from cloud.domain.kept import protected_from
from cloud.domain.reservations import Reservation
from cloud.domain.tariff_words import in_words
from cloud.services.advancing import PLANNED_AHEAD
from cloud.services.fact_ports import Grant, PlanSource
from cloud.services.ports import Clock, OpenWork, Publish, UnitOfWork
from cloud.services.retrying import retried
from cloud.services.shelf import TariffShelf
from contracts import topics
from contracts.ids import same_token
from contracts.plan import (
    ChargerCredential,
    OfflinePolicy,
    Plan,
    PlannedReservation,
    Registration,
    TokenGrant,
)
from contracts.wire import encode

LOOK_AHEAD_EVERY: Final = timedelta(hours=6)
"""A plan reaches so much farther than need be, and is sent again as often."""

_BATCH: Final = 500


@dataclass(slots=True)
class PlanService:
    """Builds and publishes plans; retained, the newest version wins."""

    open_work: OpenWork
    publish: Publish
    clock: Clock
    shelf: TariffShelf
    _looked_ahead_at: datetime | None = None

    def publish_changed(self) -> int:
        """Publish the plans that have grown old, or whose days have gone by; returns how many."""
        now = self.clock.now()
        if self._looked_ahead_at is None or now - self._looked_ahead_at >= LOOK_AHEAD_EVERY:
            self._look_ahead()
            self._looked_ahead_at = now
        with self.open_work(is_read_only=True) as work:
            station_ids = work.plans.unpublished(_BATCH)
        return self._publish(station_ids) if station_ids else 0

    def publish_all(self) -> int:
        """Publish every plan: a broker that was restarted may have forgotten what it retained."""
        return self._publish(None)

    def _publish(self, station_ids: Collection[str] | None) -> int:
        with self.open_work(is_read_only=True) as work:
            sources = work.plans.sources(station_ids)
            grants = work.plans.grants()
            reserved = work.reservations.live_of_stations(station_ids, self._horizon())
            prices = self._prices(work, sources, reserved.values())
        tokens = _tokens(grants.values())
        for source in sources:
            promises = reserved.get(source.station_id, ())
            plan = self._plan(source, tokens, promises, _Known(prices, grants))
            self.publish(topics.plan(source.station_id), encode(plan), True)
        self._mark(sources)
        return len(sources)

    @retried
    def _mark(self, sources: Iterable[PlanSource]) -> None:
        with self.open_work() as work:
            for source in sources:
                work.plans.mark_published(source.station_id, source.version)
            work.commit()

    @retried
    def _look_ahead(self) -> None:
        """Have the plans of all stations with reservations sent again: there may be more by now."""
        with self.open_work() as work:
            for station_id in work.reservations.stations_reserved(self._horizon()):
                work.stations_admin.bump_plan(station_id)
            work.commit()

    def _horizon(self) -> datetime:
        return self.clock.now() + PLANNED_AHEAD + LOOK_AHEAD_EVERY

    def _prices(
        self,
        work: UnitOfWork,
        sources: Iterable[PlanSource],
        reserved: Iterable[Sequence[Reservation]],
    ) -> dict[str, str]:
        """Return tariffs in words, by their ids: the stations' own, and those agreed on before."""
        wanted = {one.tariff_id for one in sources}
        wanted |= {one.tariff_id for part in reserved for one in part if one.tariff_id}
        return {one: in_words(tariff) for one, tariff in self.shelf.by_ids(work, wanted).items()}

    def _plan(
        self,
        source: PlanSource,
        tokens: list[TokenGrant],
        reserved: Sequence[Reservation],
        known: "_Known",
    ) -> Plan:
        here = known.prices.get(source.tariff_id, "")
        return Plan(
            station=source.station_id,
            version=source.version,
            issued_at=self.clock.now(),
            offline_policy=OfflinePolicy(source.offline_policy),
            max_sessions_per_token=source.max_sessions_per_token,
            tokens=tokens,
            reservations=[_planned(one, here, known) for one in reserved],
            chargers=[
                ChargerCredential(
                    charger_id=key.charger_id,
                    salt=key.salt,
                    key_hash=key.key_hash,
                    security_profile=key.security_profile,
                    profile_generation=key.profile_generation,
                    certificate_serials=list(key.certificate_serials),
                    next_salt=key.next_salt,
                    next_key_hash=key.next_key_hash,
                    registration=Registration(key.registration),
                )
                for key in source.chargers
            ],
            tariff_text=here,
        )


@dataclass(frozen=True, slots=True)
class _Known:
    """What promises are told with: tariffs in words by their ids, and what tokens may."""

    prices: Mapping[str, str]
    grants: Mapping[str, Grant]


def _planned(reservation: Reservation, here: str, known: _Known) -> PlannedReservation:
    agreed = known.prices.get(reservation.tariff_id or "", "")
    grant = known.grants.get(same_token(reservation.token))
    return PlannedReservation(
        reservation_id=reservation.id,
        reservation_number=reservation.number,
        bay_id=reservation.bay_id,
        token=reservation.token,
        token_type=grant.token_type if grant else "",
        protect_from=protected_from(reservation),
        starts_at=reservation.starts_at,
        ends_at=reservation.ends_at,
        tariff_text=agreed if agreed != here else "",
    )


def _tokens(grants: Iterable[Grant]) -> list[TokenGrant]:
    return [
        TokenGrant(
            token=one.token,
            is_valid=one.is_valid,
            parent_token=one.parent_token,
            valid_until=one.valid_until,
            token_type=one.token_type,
            max_sessions=one.max_sessions,
        )
        for one in grants
    ]
