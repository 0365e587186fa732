"""Reports in parts (OCPP 2.0.1, B07, B08, N02, O03): asked for, begun, and whole or not."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from contracts.events import Event, JobKind, JobProgressed
from station_agent.ocpp.outcome import Context
from station_agent.ocpp.versions import AnswerContext, Learn


def part_told(
    context: Context, job: JobKind, request_id: int, *, is_last: bool, **detail: Any
) -> JobProgressed:
    """Return how far a report is, by our clock as all its steps are."""
    return JobProgressed(
        charger_id=context.charger.charger_id,
        job=job,
        request_id=request_id,
        status="Reported" if is_last else "Reporting",
        is_over=is_last,
        detail=detail,
        observed_at=context.now,
    )


def begun(job: JobKind, *named: str) -> Learn:
    """Return how to read the answer to a request for a report; `named` of it is kept."""

    def learn(answer: Mapping[str, Any], context: AnswerContext) -> Sequence[Event]:
        if answer["status"] != "Accepted":
            return ()
        step = JobProgressed(
            charger_id=context.charger_id,
            job=job,
            request_id=context.asked["requestId"],
            status=answer["status"],
            detail={name: context.asked[name] for name in named if name in context.asked},
            observed_at=context.now,
        )
        return (step,)

    return learn


def both(*learns: Callable[[Mapping[str, Any], AnswerContext], Sequence[Event]]) -> Learn:
    """Return all that several readings of an answer tell."""

    def learn(answer: Mapping[str, Any], context: AnswerContext) -> Sequence[Event]:
        return [fact for one in learns for fact in one(answer, context)]

    return learn
