"""GetPeriodicEventStream (OCPP 2.1, block N): all streams a charger has open."""

from collections.abc import Mapping, Sequence
from typing import Any

from contracts.events import Event
from station_agent.ocpp.v21.event_streams import opened
from station_agent.ocpp.versions import AnswerContext


def learn(answer: Mapping[str, Any], context: AnswerContext) -> Sequence[Event]:
    """Return the streams; there are no others."""
    streams = answer.get("constantStreamData") or ()
    return [opened(context.charger_id, streams, context.now, is_whole=True)]
