"""What a transaction must load: the names its facts mention."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from contracts.batch import UnknownEvent
from contracts.events import ComponentEventReported, Event, MeterSampled, SessionStarted
from contracts.ids import same_token


@dataclass(slots=True)
class Needed:
    """The names of what is to be loaded."""

    stations: set[str] = field(default_factory=set)
    """Of these everything."""
    chargers: set[str] = field(default_factory=set)
    bays: set[str] = field(default_factory=set)
    sessions: set[str] = field(default_factory=set)
    tokens: set[str] = field(default_factory=set)
    begun: set[str] = field(default_factory=set)
    """Tokens, in their compared form, with which sessions began: theirs may be a reservation."""
    monitors: set[tuple[str, str]] = field(default_factory=set)
    """Of chargers, by number: what they see is as severe as they were told it is."""
    metered: dict[str, str] = field(default_factory=dict)
    """Session to charger: of samples; the charger matters only where the session is new."""

    def note(self, fact: Any) -> None:
        """Note what a fact names, whatever its kind."""
        charger_id = getattr(fact, "charger_id", None)
        if charger_id is not None:
            self.chargers.add(charger_id)
        if type(fact) is ComponentEventReported and fact.severity is None and fact.monitor_id:
            self.monitors.add((fact.charger_id, str(fact.monitor_id)))
        bay_id = getattr(fact, "bay_id", None)
        if bay_id is not None:
            self.bays.add(bay_id)
        session_id = getattr(fact, "session_id", None)
        if session_id is not None:
            self.sessions.add(session_id)
        token = getattr(fact, "token", None)
        if token:
            self.tokens.add(same_token(token))
            if type(fact) is SessionStarted:
                self.begun.add(same_token(token))

    def gather(self, facts: Iterable[Event | UnknownEvent]) -> None:
        """Note what all these facts name."""
        for fact in facts:
            if type(fact) is not MeterSampled:
                self.note(fact)
            elif fact.session_id is not None:
                self.metered[fact.session_id] = fact.charger_id
