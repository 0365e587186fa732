"""Plays a golden case: a message of one version, after those that came before it."""

from typing import Any

import msgspec

from station_agent.ocpp.handshake import VERSIONS
from station_agent.ocpp.outcome import Context
from station_agent.ports import SessionKept
from tests.station_agent.ocpp.fakes import ACCEPTED, NOW, REFUSED, FakeOutbox, a_view

VERDICTS = {"accepted": ACCEPTED, "refused": REFUSED}


def play(subprotocol: str, action: str, case: dict[str, Any]) -> dict[str, Any]:
    """Return reply and facts of the case's request, as plain JSON data."""
    version = VERSIONS[subprotocol]
    outbox = FakeOutbox()
    view = a_view(outbox)
    outcome = None
    messages = [*case.get("before", ()), [action, case["request"]]]
    for name, payload in messages:
        assert version.schemas.request(name).fits(payload), (name, payload)
        route = version.routes[name]
        request = route.decode(payload)
        is_asked = route.ask is not None and route.ask(request) is not None
        verdict = VERDICTS[case.get("verdict", "accepted")] if is_asked else None
        outcome = route.handle(request, Context(view, NOW, verdict, case.get("relayed")))
        for note in outcome.notes:
            if isinstance(note, SessionKept):
                outbox.sessions[note.session.session_id] = note.session
    assert outcome is not None
    return {
        "reply": msgspec.to_builtins(outcome.reply),
        "facts": msgspec.to_builtins(list(outcome.facts)),
    }
