"""The filter of a driver's charges, as it stands in the address."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Annotated, Final, TypeVar
from urllib.parse import urlencode

from fastapi import Query
from pydantic import BaseModel, Field

from cloud.domain.errors import NotValid
from cloud.domain.periods import Period
from cloud.domain.sessions import SessionState
from cloud.services.session_asks import SessionAsk

Word = TypeVar("Word", bound=StrEnum)

RUNNING: Final = "running"
"""The state of all that have not ended."""


class FilterQuery(BaseModel):
    """The filter as the form sends it: text, of which empty fields are at rest."""

    model_config = {"populate_by_name": True}

    period: str = Field(default="", max_length=20)
    first_day: str = Field(default="", max_length=20, alias="from")
    last_day: str = Field(default="", max_length=20, alias="to")
    station_id: str = Field(default="", max_length=63)
    state: str = Field(default="", max_length=30)
    after: str = Field(default="", max_length=400)


@dataclass(frozen=True, slots=True)
class Filter:
    """What the address asks for; whatever is not understood is at rest, but days are to be right."""

    said: FilterQuery
    ask: SessionAsk
    is_wrong: str = ""
    """Which field cannot be meant: `from` or `to`; empty: all can."""

    @property
    def state(self) -> str:
        """The state as the form names it."""
        return RUNNING if self.ask.is_live else (self.ask.state or "")

    @property
    def is_active(self) -> bool:
        """Whether anything narrows the list."""
        return self.ask.is_active or bool(self.is_wrong)

    def address(self, **changes: str) -> str:
        """Return the page's address with some fields changed, the rest kept, on the first page."""
        query = urlencode({name: one for name, one in (self._fields() | changes).items() if one})
        return f"/sessions?{query}" if query else "/sessions"

    def api_query(self, **more: str) -> str:
        """Return the same filter as the API names it."""
        running = {"state": "", "live": "true"} if self.ask.is_live else {}
        fields = self._fields() | running | more
        return urlencode({name: one for name, one in fields.items() if one})

    def _fields(self) -> dict[str, str]:
        return {
            "period": self.ask.period or "",
            "from": self.said.first_day,
            "to": self.said.last_day,
            "station_id": self.ask.station_id or "",
            "state": self.state,
        }


def read_filter(said: Annotated[FilterQuery, Query()]) -> Filter:
    """Read the filter of an address. Days that are named win over a period left from before."""
    first_day, last_day = _day(said.first_day), _day(said.last_day)
    has_days = bool(said.first_day or said.last_day)
    ask = SessionAsk(
        period=None if has_days else _member(Period, said.period),
        first_day=first_day,
        last_day=last_day,
        station_id=said.station_id or None,
        state=_member(SessionState, said.state),
        is_live=True if said.state == RUNNING else None,
    )
    for name, text, day in (("from", said.first_day, first_day), ("to", said.last_day, last_day)):
        if text and day is None:
            return Filter(said, ask, name)
    try:
        ask.check()
    except NotValid as refusal:
        return Filter(said, ask, refusal.subject)
    return Filter(said, ask)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None


def _member(words: type[Word], text: str) -> Word | None:
    return words(text) if text in set(words) else None
