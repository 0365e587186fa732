"""What a tariff comes to, by example: the engine that bills, on a charge that is made up."""

from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from cloud.domain.bill_lines import Kind, Line, duration_text, quantity_text
from cloud.domain.billing import gross_of
from cloud.domain.charges import Charge, Point, Stretch
from cloud.domain.money import written
from cloud.domain.tariffs import Tariff, charge_lines, reservation_lines


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """A charge to be reckoned: even power, then parked."""

    starts_at: datetime
    energy_wh: int
    charging_s: int
    parked_s: int = 0
    waited_s: int = 0
    """The bay was reserved, and the driver came so much later than its start."""
    is_reserved: bool = False


def lines_of(tariff: Tariff, used: Used, zone: tzinfo) -> tuple[Line, ...]:
    """Return what it costs."""
    came_at, full_at = used.starts_at, used.starts_at + timedelta(seconds=used.charging_s)
    stretch = Stretch(
        starts_at=came_at,
        ends_at=full_at + timedelta(seconds=used.parked_s),
        charging_ended_at=full_at,
        points=(Point(full_at, used.energy_wh),),
    )
    lines = charge_lines(tariff, Charge((stretch,)), zone)
    if not used.is_reserved:
        return lines
    waited = Stretch(starts_at=came_at - timedelta(seconds=used.waited_s), ends_at=came_at)
    return (*reservation_lines(tariff, Charge((waited,)), zone), *lines)


def sentence(tariff: Tariff, used: Used, zone: tzinfo) -> str:
    """Return it in one line: `30 kWh, 45 min + 20 min parked = 14.10 GBP`."""
    said = f"{quantity_text(Kind.ENERGY, used.energy_wh)}, {duration_text(used.charging_s)}"
    if used.parked_s:
        said += f" + {duration_text(used.parked_s)} parked"
    if used.is_reserved:
        said += ", reserved"
    if used.waited_s:
        said += f" {duration_text(used.waited_s)} before"
    total_minor = gross_of(lines_of(tariff, used, zone))
    return f"{said} = {written(total_minor, tariff.currency)}"
