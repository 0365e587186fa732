"""What chargers under load say: boot, one endless transaction, samples; no physics, no state."""

import time
from abc import ABC, abstractmethod
from datetime import UTC, datetime
from typing import Any, Final

from simulator.chargers.spec import stamp

Said = tuple[str, dict[str, Any]]
"""An action and its payload."""

_VENDOR: Final = "Baywatt Labs"
_MODEL: Final = "Load"


class LeanTalk(ABC):
    """One charger's side of the conversation."""

    def __init__(self, version: str, charger_id: str, token: str) -> None:
        self.subprotocol = f"ocpp{version}"
        self._token = token
        self._transaction: Any = f"{charger_id}-{time.time_ns()}"[-36:]

    @abstractmethod
    def introduction(self, register_wh: int) -> list[Said]:
        """Return the calls that come first, the last of which begins a transaction."""

    def begun(self, answer: dict[str, Any]) -> None:
        """Take the answer to the last of them; 1.6 learns the transaction's number from it."""
        del answer

    @abstractmethod
    def sample(self, register_wh: int) -> Said:
        """Return the next sample."""


class _LeanV16(LeanTalk):
    def introduction(self, register_wh: int) -> list[Said]:
        start = {
            "connectorId": 1,
            "idTag": self._token,
            "meterStart": register_wh,
            "timestamp": _now(),
        }
        return [
            ("BootNotification", {"chargePointVendor": _VENDOR, "chargePointModel": _MODEL}),
            (
                "StatusNotification",
                {"connectorId": 1, "status": "Charging", "errorCode": "NoError"},
            ),
            ("StartTransaction", start),
        ]

    def begun(self, answer: dict[str, Any]) -> None:
        self._transaction = answer.get("transactionId")

    def sample(self, register_wh: int) -> Said:
        value = {"timestamp": _now(), "sampledValue": [{"value": str(register_wh)}]}
        payload = {"connectorId": 1, "transactionId": self._transaction, "meterValue": [value]}
        return "MeterValues", payload


class _LeanV2(LeanTalk):
    _seq_no = 0

    def introduction(self, register_wh: int) -> list[Said]:
        station = {"vendorName": _VENDOR, "model": _MODEL}
        status = {
            "timestamp": _now(),
            "connectorStatus": "Occupied",
            "evseId": 1,
            "connectorId": 1,
        }
        token = {"idToken": {"idToken": self._token, "type": "ISO14443"}}
        return [
            ("BootNotification", {"reason": "PowerUp", "chargingStation": station}),
            ("StatusNotification", status),
            ("TransactionEvent", self._event("Started", "Authorized", register_wh) | token),
        ]

    def sample(self, register_wh: int) -> Said:
        return "TransactionEvent", self._event("Updated", "MeterValuePeriodic", register_wh)

    def _event(self, step: str, trigger: str, register_wh: int) -> dict[str, Any]:
        at = _now()
        self._seq_no += 1
        return {
            "eventType": step,
            "timestamp": at,
            "triggerReason": trigger,
            "seqNo": self._seq_no - 1,
            "transactionInfo": {"transactionId": self._transaction, "chargingState": "Charging"},
            "evse": {"id": 1, "connectorId": 1},
            "meterValue": [{"timestamp": at, "sampledValue": [{"value": register_wh}]}],
        }


VERSIONS: Final[dict[str, type[LeanTalk]]] = {"1.6": _LeanV16, "2.0.1": _LeanV2, "2.1": _LeanV2}
DEFAULT_VERSION: Final = "1.6"


def lean_talk(version: str, charger_id: str, token: str) -> LeanTalk:
    """Return the talk of a charger of this version.

    Raises:
        ValueError: no such version.
    """
    kind = VERSIONS.get(version)
    if kind is None:
        raise ValueError(f"no OCPP version {version!r}; there are: {', '.join(VERSIONS)}")
    return kind(version, charger_id, token)


def _now() -> str:
    return stamp(datetime.now(UTC))
