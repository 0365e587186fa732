"""The standing orders of each station, sent whole whenever what they are made of has changed."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final

from cloud.services.fact_ports import Grant, PlanSource
from cloud.services.ports import Clock, OpenWork, Publish
from cloud.services.retrying import retried
from contracts import topics
from contracts.plan import ChargerCredential, OfflinePolicy, Plan, TokenGrant
from contracts.wire import encode

_BATCH: Final = 500


@dataclass(frozen=True, slots=True)
class PlanService:
    """Builds and publishes plans; retained, the newest version wins."""

    open_work: OpenWork
    publish: Publish
    clock: Clock

    def publish_changed(self) -> int:
        """Publish the plans that have grown old; returns how many."""
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
        tokens = _tokens(grants.values())
        for source in sources:
            plan = self._plan(source, tokens)
            self.publish(topics.plan(source.station_id), encode(plan), True)
        self._mark(sources)
        return len(sources)

    @retried
    def _mark(self, sources: Iterable[PlanSource]) -> None:
        with self.open_work() as work:
            for source in sources:
                work.plans.mark_published(source.station_id, source.version)
            work.commit()

    def _plan(self, source: PlanSource, tokens: list[TokenGrant]) -> Plan:
        return Plan(
            station=source.station_id,
            version=source.version,
            issued_at=self.clock.now(),
            offline_policy=OfflinePolicy(source.offline_policy),
            tokens=tokens,
            chargers=[
                ChargerCredential(
                    charger_id=key.charger_id,
                    salt=key.salt,
                    key_hash=key.key_hash,
                    security_profile=key.security_profile,
                )
                for key in source.chargers
            ],
        )


def _tokens(grants: Iterable[Grant]) -> list[TokenGrant]:
    return [
        TokenGrant(
            token=one.token,
            is_valid=one.is_valid,
            parent_token=one.parent_token,
            valid_until=one.valid_until,
        )
        for one in grants
    ]
