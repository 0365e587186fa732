"""Authorize (OCPP 1.6, section 4.1): a driver showed a tag."""

from station_agent.ocpp.fields import Payload, cut_token
from station_agent.ocpp.outcome import Answers, Ask, Context, Outcome, Route
from station_agent.ocpp.sessions import decided
from station_agent.ocpp.v16.tokens import id_tag_info


class Authorize(Payload, frozen=True, rename="camel"):
    """The tag."""

    id_tag: str


def ask(request: Authorize) -> Ask:
    """Return the token to decide on; 1.6 does not say at which connector."""
    return Ask(cut_token(request.id_tag))


def handle(request: Authorize, context: Context) -> Outcome:
    """Pass the verdict on."""
    facts = decided(cut_token(request.id_tag), context)
    return Outcome({"idTagInfo": id_tag_info(context.verdict)}, facts)


ROUTE = Route(Authorize, handle, ask=ask, answers=Answers.REMEMBERED, is_forgiving=True)
