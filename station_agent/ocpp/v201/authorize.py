"""Authorize (OCPP 2.0.1, C01): a driver showed a token."""

from station_agent.ocpp.fields import Payload
from station_agent.ocpp.outcome import Answers, Ask, Context, Outcome, Route
from station_agent.ocpp.sessions import decided
from station_agent.ocpp.v201.tokens import NOBODY, IdToken, id_token_info


class Authorize(Payload, frozen=True, rename="camel"):
    """The token; contract certificates (C07) are not checked here."""

    id_token: IdToken


def ask(request: Authorize) -> Ask | None:
    """Return the token to decide on; the message does not say at which EVSE."""
    return request.id_token.ask(0)


def handle(request: Authorize, context: Context) -> Outcome:
    """Pass the verdict on."""
    if request.id_token.is_nobody:
        return Outcome({"idTokenInfo": id_token_info(NOBODY)})
    facts = decided(request.id_token.token, context)
    return Outcome({"idTokenInfo": id_token_info(context.verdict)}, facts)


ROUTE = Route(Authorize, handle, ask=ask, answers=Answers.REMEMBERED)
