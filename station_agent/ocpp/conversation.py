"""What was said on one connection that later messages are read by; forgotten with it."""

from collections.abc import Mapping
from typing import Any, Final

from contracts.events import ChargingNeeded
from contracts.plan import Registration
from station_agent.ocpp.ceilings import Ceilings

_KEPT: Final = 64
"""Requests with a number are remembered so far back; reports come within minutes."""
_REPORTED_BY: Final[Mapping[str, str]] = {
    "GetBaseReport": "NotifyReport",
    "GetReport": "NotifyReport",
}


class Conversation:
    """Our requests, by the numbers their reports carry; and how the charger's boot was answered."""

    def __init__(self) -> None:
        self._asked: dict[tuple[str, int], Mapping[str, Any]] = {}
        self._triggered: set[str] = set()
        self.registration: Registration | None = None
        """How its last BootNotification was answered; None: it sent none here."""
        self.session_profiles: dict[int, Mapping[str, Any]] = {}
        """By EVSE: the charging profile it was last sent for the session there."""
        self.ceilings = Ceilings()
        """What the charging profiles it took allow."""
        self.needs: dict[int, ChargingNeeded] = {}
        """By EVSE: what the car there last said it needs."""
        self.limits: dict[str, int | None] = {}
        """By action: how many items the charger takes at once; None: it does not say."""

    def note(self, action: str, payload: Mapping[str, Any]) -> None:
        """Remember a call of ours, before it is sent: the report may overtake the answer."""
        if action in {"TriggerMessage", "ExtendedTriggerMessage"}:
            self._triggered.add(_message_of(str(payload.get("requestedMessage"))))
        if action in _REPORTED_BY:
            self._triggered.add(_REPORTED_BY[action])
        if action == "SetChargingProfile":
            self._note_profile(payload)
        request_id = payload.get("requestId")
        if isinstance(request_id, int):
            self._asked.pop((action, request_id), None)
            self._asked[action, request_id] = payload
            if len(self._asked) > _KEPT:
                del self._asked[next(iter(self._asked))]

    def _note_profile(self, payload: Mapping[str, Any]) -> None:
        profile = payload.get("chargingProfile") or {}
        if profile.get("chargingProfilePurpose") == "TxProfile":
            self.session_profiles[payload["evseId"]] = profile

    def asked(self, action: str, request_id: int) -> Mapping[str, Any] | None:
        """Return what we asked under a number; None: not on this connection."""
        return self._asked.get((action, request_id))

    def was_asked_for(self, action: str) -> bool:
        """Whether a call of ours has the charger send this."""
        return action in self._triggered


def _message_of(trigger: str) -> str:
    """Return the action a trigger asks for (OCPP 2.0.1 MessageTriggerEnumType)."""
    return "SignCertificate" if trigger.startswith("Sign") else trigger
