"""OpenPeriodicEventStream (OCPP 2.1, block N): a charger will send a monitored value as a stream."""

from typing import Any

from station_agent.ocpp.fields import Payload
from station_agent.ocpp.outcome import Answers, Context, Outcome, Route
from station_agent.ocpp.v21.event_streams import opened


class OpenPeriodicEventStream(Payload, frozen=True, rename="camel"):
    """Its number, the monitor it is of, and how often."""

    constant_stream_data: dict[str, Any]


def handle(request: OpenPeriodicEventStream, context: Context) -> Outcome:
    """Accept it: streams come as SENDs nobody answers, and cost less than events."""
    charger_id = context.charger.charger_id
    fact = opened(charger_id, [request.constant_stream_data], context.now)
    return Outcome({"status": "Accepted"}, (fact,))


ROUTE = Route(OpenPeriodicEventStream, handle, answers=Answers.REMEMBERED)
