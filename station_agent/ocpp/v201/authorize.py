"""Authorize (OCPP 2.0.1, C01; C07 with a contract's certificate): a driver, or a car, showed a token."""

from typing import Any, Final

from station_agent.ocpp.fields import Payload
from station_agent.ocpp.outcome import Answers, Ask, Context, Outcome, Reply, Route
from station_agent.ocpp.sessions import decided
from station_agent.ocpp.v201.tokens import NOBODY, IdToken, id_token_info
from station_agent.ocpp.words.v201 import (
    AuthorizationStatusEnumType,
    AuthorizeCertificateStatusEnumType,
)

UNKNOWN: Final = AuthorizeCertificateStatusEnumType.cert_chain_error
"""Said of a certificate nobody could judge: it is not taken for good."""


class Authorize(Payload, frozen=True, rename="camel"):
    """The token; with a contract's certificate (C07), or what to ask of its revocation."""

    id_token: IdToken
    certificate: str = ""
    iso15118_certificate_hash_data: tuple[dict[str, Any], ...] = ()

    @property
    def has_certificate(self) -> bool:
        """Whether a contract is to be judged, too."""
        return bool(self.certificate or self.iso15118_certificate_hash_data)


def ask(request: Authorize) -> Ask | None:
    """Return the token to decide on; the message does not say at which EVSE."""
    return request.id_token.ask(0)


def relays(request: Authorize) -> bool:
    """Only who knows the contract can judge its certificate (C07.FR.04, C07.FR.05)."""
    return request.has_certificate


def handle(request: Authorize, context: Context) -> Outcome:
    """Pass the verdict on; a contract that is no good charges nothing, whatever its token (C07)."""
    if request.id_token.is_nobody:
        return Outcome({"idTokenInfo": id_token_info(NOBODY)})
    facts = decided(request.id_token.token, context, request.id_token.word)
    reply: Reply = {"idTokenInfo": id_token_info(context.verdict, context.tariff_text)}
    if request.has_certificate:
        word = (context.relayed or {}).get("certificateStatus", UNKNOWN)
        reply["certificateStatus"] = word
        if word != AuthorizeCertificateStatusEnumType.accepted:
            reply["idTokenInfo"] = {"status": AuthorizationStatusEnumType.invalid}
    return Outcome(reply, facts)


ROUTE = Route(
    Authorize, handle, ask=ask, relays=relays, answers=Answers.REMEMBERED, is_forgiving=True
)
