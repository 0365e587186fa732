"""IdTagInfo (OCPP 1.6, section 7.26) from a verdict."""

from collections.abc import Mapping
from typing import Any, Final

from station_agent.ocpp.instants import write
from station_agent.ocpp.words.v16 import AuthorizationStatus
from station_agent.ports import Verdict

_MAX_ID_TAG: Final = 20

STATUS: Final[Mapping[str, AuthorizationStatus]] = {
    "unknown": AuthorizationStatus.invalid,
    "blocked": AuthorizationStatus.blocked,
    "expired": AuthorizationStatus.expired,
    "reserved_for_another": AuthorizationStatus.blocked,
    "concurrent": AuthorizationStatus.concurrent_tx,
}


def id_tag_info(verdict: Verdict | None) -> dict[str, Any]:
    """Return what a charger is told of a tag; without a verdict it is not accepted."""
    if verdict is None or not verdict.is_accepted:
        reason = verdict.reason if verdict else "unknown"
        return {"status": STATUS.get(reason, AuthorizationStatus.invalid)}
    info: dict[str, Any] = {"status": AuthorizationStatus.accepted}
    if verdict.valid_until is not None:
        info["expiryDate"] = write(verdict.valid_until)
    if verdict.parent_token and len(verdict.parent_token) <= _MAX_ID_TAG:
        info["parentIdTag"] = verdict.parent_token
    return info
