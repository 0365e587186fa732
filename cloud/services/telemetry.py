"""Meter samples in full to a time-series database, by way of an outbox: written at least once.

The same measurement, tags and time written twice is one point, so a replay does no harm.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

import structlog

from cloud.services.ports import OpenWork
from cloud.services.retrying import retried
from contracts.events import MeterSampled

log = structlog.get_logger(__name__)

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_CHUNKS: Final = 20
_WHOLE: Final = ("energy_wh", "interval_wh", "export_wh")
_FIELDS: Final = (
    "power_w",
    "export_power_w",
    "soc_pct",
    "current_a",
    "voltage_v",
    "temperature_c",
)


class Telemetry(Protocol):
    """Where telemetry is kept in full."""

    def write(self, lines: str) -> None:
        """Write line protocol (microseconds); returns once the server has said that it is kept.

        Raises:
            TelemetryAway: it has not; try again later.
            TelemetryRefused: it never will take all of them; what it could it has taken.
        """
        ...


class TelemetryAway(Exception):
    """The time-series database did not take it; later it may."""


class TelemetryRefused(Exception):
    """The time-series database will never take it: points it cannot read, or too old for it."""


def lines_of(station_id: str, samples: Iterable[MeterSampled]) -> str:
    """Return samples as line protocol: a point each, by station, charger and EVSE."""
    return "\n".join(line for one in samples if (line := _line(station_id, one)))


def _line(station_id: str, one: MeterSampled) -> str:
    values = [f"{name}={wh}i" for name in _WHOLE if (wh := getattr(one, name)) is not None]
    values += [f"{name}={value}" for name in _FIELDS if (value := getattr(one, name)) is not None]
    values += [f"{_name(word)}={float(value)}" for word, value in one.others.items()]
    if not values:
        return ""
    at = (one.observed_at - _EPOCH) // _MICROSECOND
    tags = f"station={station_id},charger={_tag(one.charger_id)},evse={one.evse_id}"
    if one.session_id:
        values.append(f'session="{_text(one.session_id)}"')
    return f"meter,{tags} {','.join(values)} {at}"


def _name(text: str) -> str:
    """Return OCPP's word for a measurand as a field's name; nothing in it has a meaning of its own."""
    return "".join(char if char.isalnum() or char in "._-" else "_" for char in text)


def _tag(text: str) -> str:
    return text.replace("=", "\\=")  # the only one of its special characters an identity may have


def _text(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return "".join(char for char in escaped if char.isprintable())


@dataclass(frozen=True, slots=True)
class TelemetryService:
    """Moves the outbox on."""

    open_work: OpenWork
    telemetry: Telemetry

    def forward(self) -> int:
        """Write what waits, the oldest first; returns how many chunks went out.

        Raises:
            TelemetryAway: the database did not take it; all is kept for the next time.
        """
        with self.open_work(is_read_only=True) as work:
            chunks = work.telemetry.next(_CHUNKS)
        if not chunks:
            return 0
        try:
            self.telemetry.write("\n".join(one.lines for one in chunks))
        except TelemetryRefused as error:
            # kept, it would hold up all that follows; SQL has the samples, too
            log.warning("telemetry.refused", error=str(error), chunks=len(chunks))
        self._forget([one.seq for one in chunks])
        return len(chunks)

    @retried
    def _forget(self, seqs: list[int]) -> None:
        with self.open_work() as work:
            work.telemetry.forget(seqs)
            work.commit()
