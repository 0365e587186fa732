"""A central system in memory: answers every call by its schema, keeps what it was told."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar

from simulator.chargers import schemas
from simulator.chargers.line import Line

NOW = "2026-01-05T08:00:00Z"


@dataclass
class FakeCsms:
    """One charger's other side; `send` writes a frame to the charger."""

    schema: str
    accepts: bool = True
    is_mute: bool = False
    """Takes calls and never answers."""
    refuses: set[str] = field(default_factory=set)
    """Actions answered with a CALLERROR."""
    calls: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)
    answers: list[list[Any]] = field(default_factory=list)
    send: Callable[[str], None] = print
    is_strict: ClassVar[bool] = True
    """Whether a call that does not fit its schema fails the test."""
    _transactions: int = 0
    _asked: int = 0

    def connect(self, line: Line) -> None:
        """Open the line to this central system."""
        self.send = line.received
        line.opened(self.receive)

    def receive(self, text: str) -> None:
        """Take a frame of the charger and answer a call."""
        frame = json.loads(text)
        if frame[0] != 2:
            self.answers.append(frame)
            return
        _, message_id, action, payload = frame
        fault = schemas.fault_in(self.schema, action, payload)
        assert not (fault and self.is_strict), f"{action}: {fault}"
        self.calls.append((message_id, action, payload))
        if self.is_mute:
            return
        if action in self.refuses:
            self.send(json.dumps([4, message_id, "InternalError", "", {}]))
            return
        answer = self._answer(action)
        fault = schemas.fault_in_answer(self.schema, action, answer)
        assert fault == "", f"answer to {action}: {fault}"
        self.send(json.dumps([3, message_id, answer]))

    def ask(self, action: str, payload: dict[str, Any]) -> list[Any]:
        """Call the charger; return its answering frame."""
        self._asked += 1
        message_id = f"ask-{self._asked}"
        self.send(json.dumps([2, message_id, action, payload]))
        return next(frame for frame in self.answers if frame[1] == message_id)

    def ask_later(self, action: str, payload: dict[str, Any]) -> None:
        """Call the charger over a socket; its answer comes in its own time."""
        self._asked += 1
        self.send(json.dumps([2, f"ask-{self._asked}", action, payload]))

    def told(self, action: str) -> list[dict[str, Any]]:
        """Return the payloads of one action, in order."""
        return [payload for _, name, payload in self.calls if name == action]

    def actions(self) -> list[str]:
        """Return what was called, in order."""
        return [action for _, action, _ in self.calls]

    def _answer(self, action: str) -> dict[str, Any]:
        status = "Accepted" if self.accepts else "Invalid"
        if action == "BootNotification":
            return {"status": "Accepted", "currentTime": NOW, "interval": 300}
        if action == "Heartbeat":
            return {"currentTime": NOW}
        if action == "Authorize":
            key = "idTagInfo" if self.schema == "v16" else "idTokenInfo"
            return {key: {"status": status}}
        if action == "StartTransaction":
            self._transactions += 1
            return {"transactionId": self._transactions, "idTagInfo": {"status": status}}
        if action == "TransactionEvent":
            return {"idTokenInfo": {"status": status}}
        return {}
