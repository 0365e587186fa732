"""NotifyPeriodicEventStream (OCPP 2.1, block N): values of a stream; a SEND, which is never answered."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from contracts.events import StreamSampled, StreamValue
from station_agent.ocpp.fields import Index, Payload, cut
from station_agent.ocpp.outcome import Context, Outcome, Route

_MAX_OFFSET_S: Final = 10 * 365 * 24 * 3_600


class Element(Payload, frozen=True, rename="camel"):
    """One value, and how many seconds after the base time it was taken."""

    t: int | float
    v: str


class NotifyPeriodicEventStream(Payload, frozen=True, rename="camel"):
    """As it comes."""

    id: Index
    pending: Index
    basetime: str
    data: Sequence[Element]


def handle(request: NotifyPeriodicEventStream, context: Context) -> Outcome:
    """Keep the values, each with its own time; one from beyond all time is left out and told."""
    told = context.kept(request.basetime)
    usable = [one for one in request.data if abs(one.t) < _MAX_OFFSET_S]
    fact = StreamSampled(
        charger_id=context.charger.charger_id,
        stream_id=request.id,
        values=[
            StreamValue(value=cut(one.v), at=told.at + timedelta(seconds=one.t)) for one in usable
        ],
        pending=request.pending,
        observed_at=told.at,
    )
    oddity = told.oddity or ("" if len(usable) == len(request.data) else "clock_unusable")
    oddities = [context.oddity(oddity, "NotifyPeriodicEventStream")] if oddity else []
    return Outcome({}, [fact, *oddities])


ROUTE = Route(NotifyPeriodicEventStream, handle)
