"""GetDiagnostics (OCPP 1.6, section 5.9): an upload the charger agreed to."""

from collections.abc import Mapping, Sequence
from typing import Any

from contracts.events import Event
from station_agent.ocpp.uploads import begun
from station_agent.ocpp.versions import AnswerContext


def learn(answer: Mapping[str, Any], context: AnswerContext) -> Sequence[Event]:
    """Return the job, once a file is named: without one the charger may have nothing to send."""
    if not answer.get("fileName"):
        return ()
    return (begun(context, 0, "Accepted", answer, "DiagnosticsLog"),)
