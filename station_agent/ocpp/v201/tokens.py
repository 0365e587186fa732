"""IdTokenType and IdTokenInfoType of OCPP 2.0.1 (part 2, sections 2.28 and 2.29)."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from contracts.ids import Token
from contracts.token_types import TypeWord, type_by_shape
from station_agent.ocpp.cards import as_shown
from station_agent.ocpp.fields import Payload, cut_token
from station_agent.ocpp.instants import write
from station_agent.ocpp.outcome import Ask
from station_agent.ocpp.words.v201 import AuthorizationStatusEnumType as Status
from station_agent.ocpp.words.v201 import IdTokenEnumType, MessageFormatEnumType
from station_agent.ports import DecidedBy, Verdict

_MAX_ID_TOKEN: Final = 36
_MAX_CONTENT: Final = 512
LANGUAGE: Final = "en"
"""Tariffs are told in."""
_MAX_TYPE: Final = 20
_TYPES: Final = frozenset(IdTokenEnumType)

STATUS: Final[Mapping[str, Status]] = {
    "unknown": Status.unknown,
    "blocked": Status.blocked,
    "expired": Status.expired,
    "reserved_for_another": Status.not_at_this_time,
    "concurrent": Status.concurrent_tx,
}


class IdToken(Payload, frozen=True, rename="camel"):
    """What a driver showed, and how."""

    id_token: str = ""
    type: str = ""

    @property
    def token(self) -> Token:
        """The token as facts carry it."""
        return cut_token(self.id_token)

    @property
    def word(self) -> TypeWord:
        """Its type as facts carry it."""
        return self.type[:_MAX_TYPE]

    @property
    def is_nobody(self) -> bool:
        """Whether a button started it and no one is to be checked (C02)."""
        return self.type == IdTokenEnumType.no_authorization

    def ask(self, evse_id: int, begins: str = "") -> Ask | None:
        """Return what to have decided; None where there is nobody to decide on.

        `begins` is the transaction it is shown for, where it is to begin by it.
        """
        if self.is_nobody:
            return None
        return Ask(self.token, evse_id, begins=bool(begins), transaction_id=begins)


NOBODY: Final = Verdict(is_accepted=True, decided_by=DecidedBy.PLAN)


def id_token_info(verdict: Verdict | None, tariff_text: str = "") -> dict[str, Any]:
    """Return what a charger is told of a token; without a verdict it is not accepted.

    Who may charge is shown what it costs, where the charger can show it (I01).
    """
    if verdict is None or not verdict.is_accepted:
        reason = verdict.reason if verdict else "unknown"
        return {"status": STATUS.get(reason, Status.invalid)}
    info: dict[str, Any] = {"status": Status.accepted}
    if verdict.valid_until is not None:
        info["cacheExpiryDateTime"] = write(verdict.valid_until)
    if verdict.parent_token and len(verdict.parent_token) <= _MAX_ID_TOKEN:
        info["groupIdToken"] = central(verdict.parent_token)
    if tariff_text:
        info["personalMessage"] = _message(tariff_text)
    return info


def _message(text: str) -> dict[str, Any]:
    kind = MessageFormatEnumType.ascii if text.isascii() else MessageFormatEnumType.utf8
    return {"format": kind, "language": LANGUAGE, "content": text[:_MAX_CONTENT]}


Shown = Callable[[Token, TypeWord], dict[str, str]]
"""Returns an IdTokenType as the charger's reader will say it: it compares the type, too."""


def shown(token: Token, word: TypeWord) -> dict[str, str]:
    """See Shown. A word 2.0.1 does not have leaves the type to the token's shape."""
    kind = word if word in _TYPES else type_by_shape(token)
    return {"idToken": as_shown(token, kind), "type": kind}


def central(token: Token) -> dict[str, str]:
    """Return the IdTokenType of a group, which nobody shows."""
    return {"idToken": token, "type": IdTokenEnumType.central}
