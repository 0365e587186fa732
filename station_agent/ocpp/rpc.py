"""OCPP-J framing as a pure object: frames in, frames out. No I/O, no clock, no schemas.

OCPP-J 1.6 section 4; OCPP 2.0.1 part 4, section 4; OCPP 2.1 part 4 for SEND.
"""

import hashlib
import re
from collections import OrderedDict
from typing import Any, Final

import msgspec
from msgspec import structs

from station_agent.ocpp.dialects import Dialect, Fault
from station_agent.ocpp.mending import mend_text

MAX_FRAME_BYTES: Final = 65_536
UNREADABLE_ID: Final = "-1"
"""Message id of an error about a message whose own cannot be read (part 4, section 4.2.3)."""

_CALL: Final = 2
_RESULT: Final = 3
_ERROR: Final = 4
_RESULT_ERROR: Final = 5
_SEND: Final = 6

_CALL_LENGTH: Final = 4
_ANSWER_MIN_LENGTH: Final = 3
_MAX_ECHOED_ID: Final = 255
_MAX_NUMBER: Final = 2**53
"""Beyond, readers of JSON disagree on which number it is."""
_MAX_DESCRIPTION: Final = 255
_MAX_DEPTH: Final = 128
# A text is taken whole, to the end of the frame if it never closes, so that the search stays linear.
_BRACKETS: Final = re.compile(rb'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)|[\[\]{}]', re.DOTALL)
_MAX_REMEMBERED: Final = 16

# What can still be told of a call whose JSON is broken.
_HEAD: Final = re.compile(r'\s*\[\s*2\s*,\s*"([^"\\]{1,255})"\s*(?:,\s*"([A-Za-z0-9]{1,64})")?')

_decode: Final = msgspec.json.Decoder().decode
_encode: Final = msgspec.json.Encoder().encode


class Call(msgspec.Struct, frozen=True):
    """The charger asks."""

    message_id: str
    action: str
    payload: dict[str, Any]
    digest: bytes
    """Of the whole frame: equal for a retransmission, different for a reused message id."""
    amiss: str = ""
    """What of the frame was broken and is read all the same (QUIRKS 22, 33)."""
    is_send: bool = False
    """2.1's SEND: never answered."""
    number: int | None = None
    """The message id where it came as a number; it is answered as one."""

    @property
    def echo(self) -> str | int:
        """The message id as it was written: the charger tells its answers apart by it."""
        return self.message_id if self.number is None else self.number


class Answered(msgspec.Struct, frozen=True):
    """The charger answers our call."""

    payload: dict[str, Any]


class AnsweredWithError(msgspec.Struct, frozen=True):
    """The charger answers our call with an error."""

    code: str
    description: str
    details: dict[str, Any]


class Refused(msgspec.Struct, frozen=True):
    """No call at all; `reply` is the error frame the standard asks for, None where it asks for silence."""

    fault: Fault
    reply: bytes | None
    action: str = ""
    """Where it could still be told."""
    call: Call | None = None
    """What it says all the same, for messages that are never refused while they can be read."""


class Ignored(msgspec.Struct, frozen=True):
    """Nothing to do; `reason` is counted."""

    reason: str


Received = Call | Answered | AnsweredWithError | Refused | Ignored


class CallInFlight(RuntimeError):
    """Only one call of ours may be unanswered at a time (part 4, section 4.1.1)."""


class Rpc:
    """The framework's state for one connection."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._in_flight: str | None = None
        self._remembered: OrderedDict[str, tuple[bytes, bytes]] = OrderedDict()

    def speak(self, dialect: Dialect) -> None:
        """Go on in another version's way; what is in flight and remembered stays so."""
        self._dialect = dialect

    def receive(self, frame: bytes | str) -> Received:
        """Say what a frame means. Never raises, whatever the bytes."""
        data = frame.encode("utf-8", "surrogatepass") if isinstance(frame, str) else frame
        if len(data) > MAX_FRAME_BYTES:
            return self._refuse(Fault.NOT_RPC, UNREADABLE_ID, "longer than 65,536 bytes")
        if _is_too_deep(data):
            return self._refuse_unread(data.decode("utf-8", "replace"), "nested too deeply")
        try:
            message = _decode(data)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return self._receive_broken(data)
        return self._receive_message(message, data)

    def call(self, message_id: str, action: str, payload: dict[str, Any]) -> bytes:
        """Return the frame of a call of ours.

        Raises:
            CallInFlight: an earlier one is neither answered nor given up.
        """
        if self._in_flight is not None:
            raise CallInFlight(self._in_flight)
        self._in_flight = message_id
        return _encode([_CALL, message_id, action, payload])

    def give_up(self) -> None:
        """Stop waiting for the answer to our call; one that comes late is ignored."""
        self._in_flight = None

    def result(self, call: Call, payload: dict[str, Any]) -> bytes:
        """Return the frame that answers a call."""
        return _encode([_RESULT, call.echo, payload])

    def error(self, call: Call, fault: Fault, description: str) -> bytes:
        """Return the frame that answers a call with an error."""
        return self._error(fault, call.echo, description)

    def remember(self, call: Call, reply: bytes) -> None:
        """Keep an answer for the case that the same frame comes again.

        Only the newest of an id: a charger that gives all its calls one id is still heard.
        """
        self._remembered[call.message_id] = (call.digest, reply)
        self._remembered.move_to_end(call.message_id)
        if len(self._remembered) > _MAX_REMEMBERED:
            self._remembered.popitem(last=False)

    def recall(self, call: Call) -> bytes | None:
        """Return the answer once given to this very frame; None if it is new."""
        digest, reply = self._remembered.get(call.message_id, (b"", b""))
        return reply if digest == call.digest else None

    def _receive_broken(self, data: bytes) -> Received:
        if not data.strip(b" \t\r\n\0"):
            return Ignored("empty")
        text = data.decode("utf-8", "replace")
        try:
            return self._receive_message(mend_text(text), data, "broken JSON")
        except ValueError:
            return self._refuse_unread(text, "not JSON")

    def _refuse_unread(self, text: str, description: str) -> Refused:
        """Refuse what was not read, by the id that can still be told."""
        head = _HEAD.match(text)
        if head is None:
            return self._refuse(Fault.NOT_RPC, UNREADABLE_ID, description)
        message_id, action = head[1], head[2] or ""
        return self._refuse(Fault.MALFORMED, message_id, description, action)

    def _receive_message(self, message: Any, data: bytes, amiss: str = "") -> Received:
        if not isinstance(message, list) or not message:
            return self._refuse(Fault.NOT_RPC, UNREADABLE_ID, "not an array of an OCPP message")
        kind = message[0]
        if kind == _CALL or (kind == _SEND and self._dialect.has_send):
            return self._receive_call(message, data, amiss)
        if kind in (_RESULT, _ERROR):
            return self._receive_answer(message)
        if kind == _RESULT_ERROR and self._dialect.has_send:
            return Ignored("result_error")
        if not self._dialect.answers_unknown_types:
            return Refused(Fault.UNKNOWN_MESSAGE_TYPE, None)
        message_id = message[1] if len(message) > 1 else None
        return self._refuse(
            Fault.UNKNOWN_MESSAGE_TYPE, _echo(message_id), "this message type is not known"
        )

    def _receive_call(self, message: list[Any], data: bytes, amiss: str) -> Received:
        if len(message) == _CALL_LENGTH and not amiss:
            kind, message_id, action, payload = message
            is_sound = type(message_id) is str and type(action) is str and type(payload) is dict
            if is_sound and len(message_id) <= self._dialect.max_message_id:
                return Call(message_id, action, payload, _digest(data), "", kind == _SEND)
        return self._receive_odd_call(message, data, amiss)

    def _receive_odd_call(self, message: list[Any], data: bytes, amiss: str) -> Received:
        message_id, action = (*message[1:3], None, None)[:2]
        named = action if isinstance(action, str) else ""
        wrong = self._wrong_with(message)
        call = _read_call(message, _digest(data), amiss or wrong)
        if call is not None and self._is_only_numbered(message, call):
            return structs.replace(call, amiss=amiss)
        if wrong:
            refused = self._refuse(Fault.NOT_RPC, _echo(message_id), wrong, named)
            return structs.replace(refused, call=call)
        if call is None:
            reason = "the payload is not an object"
            return self._refuse(Fault.MISSHAPEN, message_id, reason, named)
        return call

    def _is_only_numbered(self, message: list[Any], call: Call) -> bool:
        """Whether the call is as it should be but for its id, a number that can be echoed (QUIRKS 8)."""
        is_numbered = self._dialect.reads_number_ids and call.number is not None
        return is_numbered and len(message) == _CALL_LENGTH

    def _wrong_with(self, message: list[Any]) -> str:
        """Return why this is no call as the framework wants it; empty: it is one."""
        longest = self._dialect.max_message_id
        match message:
            case [_, str(message_id), str(), _] if len(message_id) <= longest:
                return ""
            case [_, str(), str(), _]:
                return f"the message id is longer than {longest}"
            case [_, str(), *_]:
                return "not [2, id, action, payload]"
            case _:
                return "the message id is not a string"

    def _receive_answer(self, message: list[Any]) -> Received:
        is_ours = self._in_flight is not None and message[1:2] == [self._in_flight]
        if len(message) < _ANSWER_MIN_LENGTH or not is_ours:
            return Ignored("answer_to_nothing")
        self._in_flight = None
        if message[0] == _RESULT:
            payload = {} if message[2] is None else message[2]
            if isinstance(payload, dict):
                return Answered(payload)
            return AnsweredWithError("FormatViolation", "the answer is not an object", {})
        code, description, details = (*message[2:5], "", {})[:3]
        return AnsweredWithError(
            str(code)[:64],
            str(description)[:_MAX_DESCRIPTION],
            details if isinstance(details, dict) else {},
        )

    def _refuse(self, fault: Fault, message_id: str, description: str, action: str = "") -> Refused:
        return Refused(fault, self._error(fault, message_id, description), action)

    def _error(self, fault: Fault, message_id: str | int, description: str) -> bytes:
        code = self._dialect.codes[fault]
        return _encode([_ERROR, message_id, code, description[:_MAX_DESCRIPTION], {}])


def _read_call(message: list[Any], digest: bytes, amiss: str) -> Call | None:
    """Return the call a frame can only mean; what comes after its payload says nothing."""
    match message:
        case [kind, str(message_id), str(action), dict() | None as payload, *_]:
            number = None
            is_readable = len(message_id) <= _MAX_ECHOED_ID
        case [kind, int(number), str(action), dict() | None as payload, *_]:
            message_id = str(number)
            is_readable = not isinstance(number, bool) and abs(number) <= _MAX_NUMBER
        case _:
            return None
    if not is_readable:
        return None
    return Call(message_id, action, payload or {}, digest, amiss, kind == _SEND, number)


def _digest(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=16).digest()


def _echo(message_id: Any) -> str:
    if isinstance(message_id, str) and 0 < len(message_id) <= _MAX_ECHOED_ID:
        return message_id
    return UNREADABLE_ID


def _is_too_deep(data: bytes) -> bool:
    """Whether JSON nests deeper than any message does.

    What came in nested to the reader's limit could not be read again one level further in: by the
    cloud, in a batch.
    """
    if data.count(b"[") + data.count(b"{") <= _MAX_DEPTH:
        return False
    depth = deepest = 0
    for bracket in _BRACKETS.findall(data):
        depth += (bracket in b"[{") - (bracket in b"]}")
        deepest = max(deepest, depth)
    return deepest > _MAX_DEPTH
