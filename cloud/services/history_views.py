"""What charges come to, as it leaves the house."""

from dataclasses import dataclass
from datetime import datetime

from cloud.services.carbon_views import Co2View


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """Money of one currency, in its minor unit."""

    currency: str
    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionTotals:
    """What all charges come to that a filter lets through, however many pages they fill."""

    as_of: datetime
    sessions: int
    energy_wh: int
    export_wh: int
    """What cars gave back; it is not taken off `energy_wh`."""
    amounts: list[Amount]
    """By currency, in the order of their codes: amounts of several are not added up."""
    co2: Co2View
    """By today's factors; the sum of what each charge saved."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionStation:
    """A station to filter by."""

    station_id: str
    name: str
