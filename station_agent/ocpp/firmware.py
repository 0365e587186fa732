"""How far a charger is with new firmware, in the words all versions share (OCPP 2.0.1 L01, L03)."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from contracts.commands import UpdateFirmware
from contracts.events import Event, JobKind, JobProgressed
from station_agent.ocpp.fields import cut
from station_agent.ocpp.instants import write
from station_agent.ocpp.outcome import Context
from station_agent.ocpp.versions import AnswerContext

IDLE: Final = "Idle"
"""Nothing is under way: said when asked for, it is no step of a job."""
FAILED: Final = frozenset(
    {
        "DownloadFailed",
        "InstallVerificationFailed",
        "InstallationFailed",
        "InvalidChecksum",
        "InvalidSignature",
        "PublishFailed",
    }
)
OVER: Final = FAILED | {"Installed", "Published"}
_BEGUN: Final = frozenset({"Accepted", "AcceptedCanceled"})
_TOLD: Final = (
    "location",
    "checksum",
    "retrieveDateTime",
    "retrieveDate",
    "installDateTime",
)
"""What of an order is kept with its job."""


def described(request: UpdateFirmware) -> dict[str, Any]:
    """Return an order's FirmwareType (OCPP 2.0.1 section 2.26), which 1.6's whitepaper shares."""
    firmware = {"location": request.location, "retrieveDateTime": write(request.retrieve_at)}
    if request.install_at is not None:
        firmware["installDateTime"] = write(request.install_at)
    if request.signature:
        firmware["signingCertificate"] = request.signing_certificate
        firmware["signature"] = request.signature
    return firmware


def progressed(
    context: Context,
    job: JobKind,
    request_id: int | None,
    status: str,
    detail: Mapping[str, Any] | None = None,
) -> list[Event]:
    """Return the step a notification tells of."""
    if status == IDLE:
        return []
    step = JobProgressed(
        charger_id=context.charger.charger_id,
        job=job,
        request_id=request_id or 0,
        status=cut(status),
        is_over=status in OVER,
        has_failed=status in FAILED,
        detail=dict(detail or {}),
        observed_at=context.now,
    )
    return [step]


def ordered(answer: Mapping[str, Any], context: AnswerContext, job: JobKind) -> Sequence[Event]:
    """Return the job an order began, or how it failed to; without a word in the answer it began."""
    status = str(answer.get("status", "Accepted"))
    order = {**context.asked, **context.asked.get("firmware", {})}
    is_begun = status in _BEGUN
    step = JobProgressed(
        charger_id=context.charger_id,
        job=job,
        request_id=order.get("requestId", 0),
        status=status,
        is_over=not is_begun,
        has_failed=not is_begun,
        detail={name: order[name] for name in _TOLD if name in order}
        | ({"is_signed": True} if "signature" in order else {}),
        observed_at=context.now,
    )
    return [step]
