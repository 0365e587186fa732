"""How a charger's upload of a log goes, in the words all versions share (OCPP 2.0.1 N01)."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from contracts.events import Event, JobKind, JobProgressed
from station_agent.ocpp.fields import cut
from station_agent.ocpp.outcome import Context
from station_agent.ocpp.versions import AnswerContext

IDLE: Final = "Idle"
"""Nothing is uploaded: the answer to a trigger, no step of a job."""
UNDER_WAY: Final = frozenset({"Uploading"})
DONE: Final = frozenset({"Uploaded", "AcceptedCanceled"})
"""`AcceptedCanceled`: given up for a later request (N01.FR.20). All else is a failure."""
_AGREED: Final = frozenset({"Accepted", "AcceptedCanceled"})


def progressed(context: Context, request_id: int, status: str) -> Sequence[Event]:
    """Return the step a notification tells of."""
    if status == IDLE:
        return ()
    is_over = status not in UNDER_WAY
    step = JobProgressed(
        charger_id=context.charger.charger_id,
        job=JobKind.LOG,
        request_id=request_id,
        status=cut(status),
        is_over=is_over,
        has_failed=is_over and status not in DONE,
        observed_at=context.now,
    )
    return (step,)


def asked_for(answer: Mapping[str, Any], context: AnswerContext) -> Sequence[Event]:
    """Return the job a request began, or that it was turned down; read of GetLog's answer.

    What was canceled for it the charger tells itself (N01.FR.20).
    """
    status = str(answer["status"])
    return (begun(context, context.asked["requestId"], status, answer, context.asked["logType"]),)


def begun(
    context: AnswerContext, request_id: int, status: str, answer: Mapping[str, Any], log: str
) -> Event:
    """Return the first step of a job."""
    name = answer.get("filename") or answer.get("fileName")
    has_begun = status in _AGREED
    return JobProgressed(
        charger_id=context.charger_id,
        job=JobKind.LOG,
        request_id=request_id,
        status=status,
        is_over=not has_begun,
        has_failed=not has_begun,
        detail={"log": log} | ({"file_name": name} if name else {}),
        observed_at=context.now,
    )
