"""A driver's charges as a table for spreadsheets, and as a statement in PDF: the same rows, the same totals."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Final

from cloud.domain.bill_lines import duration_text
from cloud.domain.money import decimal
from cloud.domain.periods import Period
from cloud.domain.sessions import SessionState
from cloud.services import carbon_words
from cloud.services.formats import NOTHING, Formats, zone
from cloud.services.history_views import SessionTotals
from cloud.services.papers import Layout, Sheet, drawn
from cloud.services.session_asks import SessionAsk
from cloud.services.session_views import SessionView
from cloud.services.spreadsheets import table
from cloud.services.texts import LOCALES, load
from cloud.services.texts import mark as _

PERIOD: Final[dict[Period, str]] = {
    Period.THIS_MONTH: _("This month"),
    Period.LAST_MONTH: _("Last month"),
    Period.THIS_YEAR: _("This year"),
    Period.LAST_YEAR: _("Last year"),
}

STATE: Final[dict[SessionState, str]] = {
    SessionState.PLUGGED: _("Plugged in"),
    SessionState.CHARGING: _("Charging"),
    SessionState.SUSPENDED_BY_CAR: _("Paused by the car"),
    SessionState.SUSPENDED_BY_CHARGER: _("Paused by the charger"),
    SessionState.IDLE: _("Idle"),
    SessionState.ENDED: _("Finished"),
}

_TITLE: Final = _("Charges")
_FOR: Final = _("For")
_TIME: Final = _("Time")
_WHENEVER: Final = _("All")
_SINCE: Final = _("from %(day)s")
_UNTIL: Final = _("until %(day)s")
_STATION: Final = _("Station")
_STATE: Final = _("State")
_RUNNING: Final = _("Running")
_MADE: Final = _("Made")
_COUNT: Final = _("Charges")
_ENERGY: Final = _("Energy")
_EXPORT: Final = _("Given back")
_HEAD: Final = (
    _("Began"),
    _("Station"),
    _("Duration"),
    _("Energy"),
    _("CO\u2082 saved"),
    _("Amount"),
)
_TOTAL: Final = _("Total")
_CLOCKS: Final = _("Times are those of each station.")

CATALOGUES: Final = LOCALES / "statements"
WORDS: Final = (
    *(_TITLE, _FOR, _TIME, _WHENEVER, _SINCE, _UNTIL, _STATION, _STATE, _RUNNING, _MADE, _COUNT),
    *(_ENERGY, _EXPORT, *_HEAD, _TOTAL, _CLOCKS),
)
"""What a catalogue must have beside `PERIOD` and `STATE`."""

_LAYOUT: Final = Layout(widths_mm=(37, 55, 27, 24, 24, 23), left=2)

_MINUTE_S: Final = 60

_COLUMNS: Final = (
    *("session_id", "station_id", "station", "bay_id", "started_at", "ended_at", "state"),
    *("duration_s", "energy_wh", "export_wh", "co2_saved_g", "amount", "currency"),
    "reservation_id",
)


@dataclass(frozen=True, slots=True)
class StatementRow:
    """A session, and by which clock it is told."""

    session: SessionView
    timezone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """All sessions a filter lets through, the newest first, and what they come to."""

    ask: SessionAsk
    rows: list[StatementRow]
    totals: SessionTotals
    reader: str
    """Whom it is for."""
    station_name: str
    """Of the one asked for, if there is one."""


def csv_of(statement: Statement) -> str:
    """Return the statement as a table; instants by the station's clock, with their offset."""
    return table(_COLUMNS, (_cells(one) for one in statement.rows))


def _cells(row: StatementRow) -> list[str | int | None]:
    one, place = row.session, zone(row.timezone)
    ended_at = "" if one.ended_at is None else one.ended_at.astimezone(place).isoformat()
    return [
        *(one.session_id, one.station_id, one.station_name, one.bay_id),
        *(one.started_at.astimezone(place).isoformat(), ended_at, one.state),
        *(one.duration_s, one.energy_wh, one.export_wh, one.co2_saved_g),
        *(decimal(one.cost_minor, one.currency), one.currency, one.reservation_id),
    ]


def pdf_of(statement: Statement, language: str) -> bytes:
    """Return the statement as PDF."""
    return drawn(sheet_of(statement, language), _LAYOUT)


def sheet_of(statement: Statement, language: str) -> Sheet:
    """Return the statement in a reader's words."""
    writer = _Writer(statement, Formats(language), load(language, CATALOGUES).gettext)
    return Sheet(
        title=writer.say(_TITLE),
        facts=writer.facts(),
        head=[writer.say(one) for one in _HEAD],
        rows=[writer.row(one) for one in statement.rows],
        totals=writer.totals(),
        notes=[writer.say(_CLOCKS), carbon_words.method(statement.totals.co2, language)],
        links=[],
        language=language,
        created_at=statement.totals.as_of,
    )


@dataclass(frozen=True, slots=True)
class _Writer:
    statement: Statement
    formats: Formats
    say: Callable[[str], str]

    def facts(self) -> list[tuple[str, str]]:
        one, totals = self.statement, self.statement.totals
        facts = [
            (_FOR, one.reader),
            (_TIME, self._time(one.ask)),
            (_STATION, one.station_name or self.say(_WHENEVER)),
            (_STATE, self._state(one.ask)),
            (_COUNT, str(totals.sessions)),
            (_ENERGY, self.formats.energy(totals.energy_wh)),
        ]
        if totals.export_wh:
            facts.append((_EXPORT, self.formats.energy(totals.export_wh)))
        said = [(self.say(label), value) for label, value in facts]
        saved = self.formats.mass(totals.co2.saved_g)
        made = f"{self.formats.moment(totals.as_of)} UTC"
        language = self.formats.language
        return [*said, (carbon_words.saved(language), saved), (self.say(_MADE), made)]

    def _time(self, ask: SessionAsk) -> str:
        if ask.period is not None:
            days = ask.days(self._today())
            return f"{self.say(PERIOD[ask.period])}: {self._days(days.first, days.last)}"
        return self._days(ask.first_day, ask.last_day)

    def _today(self) -> date:
        """Return the day it is where the newest charge was."""
        rows = self.statement.rows
        place = zone(rows[0].timezone if rows else "UTC")
        return self.statement.totals.as_of.astimezone(place).date()

    def _days(self, first: date | None, last: date | None) -> str:
        if first and last:
            return f"{self.formats.whole(first)} {NOTHING} {self.formats.whole(last)}"
        if first:
            return self.say(_SINCE) % {"day": self.formats.whole(first)}
        if last:
            return self.say(_UNTIL) % {"day": self.formats.whole(last)}
        return self.say(_WHENEVER)

    def _state(self, ask: SessionAsk) -> str:
        if ask.state is not None:
            return self.say(STATE[ask.state])
        if ask.is_live is None:
            return self.say(_WHENEVER)
        return self.say(_RUNNING if ask.is_live else STATE[SessionState.ENDED])

    def row(self, row: StatementRow) -> tuple[str, ...]:
        one = row.session
        return (
            self.formats.moment(one.started_at, row.timezone),
            one.station_name,
            duration_text(one.duration_s - one.duration_s % _MINUTE_S or one.duration_s),
            self.formats.energy(one.energy_wh),
            self.formats.mass(one.co2_saved_g or 0),
            self.formats.money(one.cost_minor, one.currency),
        )

    def totals(self) -> list[tuple[str, str]]:
        return [
            (self.say(_TOTAL), self.formats.money(one.amount_minor, one.currency))
            for one in self.statement.totals.amounts
        ]
