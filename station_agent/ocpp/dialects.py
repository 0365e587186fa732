"""What the RPC framework of each OCPP version calls its errors, and how it treats the unknown."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Fault(StrEnum):
    """What is wrong with a message, whatever its version calls it."""

    NOT_RPC = "not_rpc"
    """Not a frame, or one whose message id or action cannot be read."""
    MALFORMED = "malformed"
    """A call by its beginning, but not JSON."""
    MISSHAPEN = "misshapen"
    """Not the structure of the action: no object, or fields it does not have."""
    INCOMPLETE = "incomplete"
    """A required field is missing."""
    OCCURRENCE = "occurrence"
    """Too few or too many elements."""
    TYPE = "type"
    PROPERTY = "property"
    """The right type, but not a value the field may have."""
    UNKNOWN_ACTION = "unknown_action"
    UNSUPPORTED_ACTION = "unsupported_action"
    UNKNOWN_MESSAGE_TYPE = "unknown_message_type"
    SECURITY = "security"
    """Said before the charger was let in."""
    INTERNAL = "internal"


@dataclass(frozen=True, slots=True)
class Dialect:
    """One version's RPC framework."""

    codes: Mapping[Fault, str]
    max_message_id: int
    answers_unknown_types: bool
    """False: a frame of an unknown message type is ignored (OCPP-J 1.6, section 4.1.3)."""
    reads_number_ids: bool = False
    """A message id that is a JSON number names its call; else that is no call (part 4, section 4.2.1)."""
    has_send: bool = False
    """Knows SEND and CALLRESULTERROR (OCPP 2.1 part 4)."""


_CODES_16: Final = MappingProxyType(
    {
        # OCPP-J 1.6, table 7. "FormationViolation" and "OccurenceConstraintViolation" are spelled
        # so there, and its errata (section 5) say that this stays.
        Fault.NOT_RPC: "FormationViolation",
        Fault.MALFORMED: "FormationViolation",
        Fault.MISSHAPEN: "FormationViolation",
        Fault.INCOMPLETE: "ProtocolError",
        Fault.OCCURRENCE: "OccurenceConstraintViolation",
        Fault.TYPE: "TypeConstraintViolation",
        Fault.PROPERTY: "PropertyConstraintViolation",
        Fault.UNKNOWN_ACTION: "NotImplemented",
        Fault.UNSUPPORTED_ACTION: "NotSupported",
        Fault.UNKNOWN_MESSAGE_TYPE: "GenericError",
        Fault.SECURITY: "SecurityError",
        Fault.INTERNAL: "InternalError",
    }
)
_CODES_2: Final = MappingProxyType(
    {
        # OCPP 2.0.1 part 4 edition 3, table 8.
        Fault.NOT_RPC: "RpcFrameworkError",
        Fault.MALFORMED: "FormatViolation",
        Fault.MISSHAPEN: "ProtocolError",
        Fault.INCOMPLETE: "OccurrenceConstraintViolation",
        Fault.OCCURRENCE: "OccurrenceConstraintViolation",
        Fault.TYPE: "TypeConstraintViolation",
        Fault.PROPERTY: "PropertyConstraintViolation",
        Fault.UNKNOWN_ACTION: "NotImplemented",
        Fault.UNSUPPORTED_ACTION: "NotSupported",
        Fault.UNKNOWN_MESSAGE_TYPE: "MessageTypeNotSupported",
        Fault.SECURITY: "SecurityError",
        Fault.INTERNAL: "InternalError",
    }
)

# 1.6 bounds message ids at 36 without saying what follows; some chargers send {uuid} with braces.
OCPP_16: Final = Dialect(
    _CODES_16, max_message_id=255, answers_unknown_types=False, reads_number_ids=True
)
OCPP_201: Final = Dialect(_CODES_2, max_message_id=36, answers_unknown_types=True)
OCPP_21: Final = Dialect(_CODES_2, max_message_id=36, answers_unknown_types=True, has_send=True)
