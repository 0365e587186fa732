"""Slots with their prices, as they are ranked and shown."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cloud.domain.ranking import Candidate, cost
from cloud.domain.tariffs import Discounts
from cloud.services.collaborators import Option, PriceAsk, Pricing
from cloud.services.ports import UnitOfWork
from cloud.services.surveys import Slot


@dataclass(frozen=True, slots=True)
class Priced:
    """A slot as it is ranked."""

    slot: Slot
    candidate: Candidate


@dataclass(frozen=True, slots=True)
class Pricer:
    """Says what slots would cost."""

    work: UnitOfWork
    pricing: Pricing
    discounts: Discounts = field(default_factory=dict)
    """Of who looks."""

    def priced(
        self, slots: Iterable[Slot], away_m: Mapping[str, float], wanted_at: datetime
    ) -> list[Priced]:
        """Return slots as they are ranked.

        Args:
            slots: of which energy is the same.
            away_m: how far each station is.
            wanted_at: from when on the driver waits.
        """
        known = [(_price_key(one), one) for one in slots]
        # what costs the same is asked once
        asks = {key: _ask(slot) for key, slot in known}
        found = self.pricing.prices(self.work, list(asks.values()), self.discounts)
        prices = dict(zip(asks, found, strict=True))
        return [
            Priced(slot, _candidate(slot, prices[key], away_m[slot.station.id], wanted_at))
            for key, slot in known
        ]


def option_of(one: Priced) -> Option:
    """Return it as drivers see it."""
    slot, candidate = one.slot, one.candidate
    return Option(
        station_id=slot.station.id,
        station_name=slot.station.name,
        bay_id=slot.bay.bay_id,
        bay_name=slot.bay.name,
        starts_at=slot.window.starts_at,
        ends_at=slot.window.ends_at,
        distance_m=round(candidate.distance_m),
        price_minor=candidate.price_minor,
        currency=candidate.currency,
        expected_wait_s=candidate.wait_s,
        max_power_w=candidate.max_power_w,
        cost=round(cost(candidate), 2),
    )


def _price_key(slot: Slot) -> tuple[object, ...]:
    """Return all that a price depends on, the energy aside: it is one for all."""
    station = slot.station
    tariff = station.tariff_id or (station.currency, station.price_per_kwh_minor)
    return tariff, station.timezone, slot.window, slot.plug.max_power_w


def _ask(slot: Slot) -> PriceAsk:
    return PriceAsk(
        station=slot.station,
        window=slot.window,
        energy_wh=slot.energy_wh,
        power_w=slot.plug.max_power_w,
    )


def _candidate(slot: Slot, price: tuple[int, str], away_m: float, wanted_at: datetime) -> Candidate:
    price_minor, currency = price
    wait = max(slot.window.starts_at - wanted_at, timedelta(0))
    return Candidate(
        station_id=slot.station.id,
        bay_id=slot.bay.bay_id,
        window=slot.window,
        distance_m=away_m,
        price_minor=price_minor,
        currency=currency,
        charging_s=slot.charging_s,
        wait_s=int(wait.total_seconds()),
        max_power_w=slot.plug.max_power_w,
    )
