"""What a quirk may change; the truth in the journal stays as it is."""

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from simulator.chargers.line import Payload, Refusal
from simulator.chargers.manners import Said

Alter = Callable[[str, Payload], Payload]
Retell = Callable[[str, Payload], Sequence[Said]]
Rewrite = Callable[[str, str], str]
Answer = Callable[[Any, str, Payload], Payload | Refusal | None]


@dataclass(frozen=True, slots=True)
class Quirk:
    """One way to be wrong; `about` says it and names its number in QUIRKS."""

    name: str
    about: str
    alter: Alter | None = None
    """Changes each payload on its way out."""
    retell: Retell | None = None
    """Says other calls, more or none, in place of one."""
    rewrite: Rewrite | None = None
    """Changes the text of each call."""
    answer: Answer | None = None
    """Answers a call of the other side to this charger, or does not care: None."""
    heard: Callable[[Any, str, Payload], None] | None = None
    """Does something about the answer to a call of this charger."""
    manners: Mapping[str, Any] = field(default_factory=dict)
    """What differs in Manners."""
    habits: Mapping[str, Any] = field(default_factory=dict)
    """What differs in Habits."""
    offers: tuple[str, ...] | None = None
    """The subprotocols it names when it dials; None: those of its version."""


def field_set(action: str, **fields: Any) -> Alter:
    """Return an alteration that gives an action's payload these fields; None takes one away."""

    def alter(said: str, payload: Payload) -> Payload:
        if said != action:
            return payload
        changed = payload | fields
        return {key: value for key, value in changed.items() if value is not None}

    return alter


def samples_changed(change: Callable[[list[Payload]], list[Payload]]) -> Alter:
    """Return an alteration of the sampled values in every MeterValues."""

    def alter(action: str, payload: Payload) -> Payload:
        if action != "MeterValues":
            return payload
        changed = deepcopy(payload)
        for one in changed["meterValue"]:
            one["sampledValue"] = change(one["sampledValue"])
        return changed

    return alter


def instants_changed(change: Callable[[str], str | None]) -> Alter:
    """Return an alteration of every timestamp; None takes it away."""

    def changed(data: Any) -> Any:
        if isinstance(data, dict):
            return {
                key: one
                for key, value in data.items()
                if (one := change(value) if key == "timestamp" else changed(value)) is not None
            }
        return [changed(one) for one in data] if isinstance(data, list) else data

    def alter(_action: str, payload: Payload) -> Payload:
        told: Payload = changed(payload)
        return told

    return alter
