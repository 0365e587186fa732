"""Get15118EVCertificate (OCPP 2.0.1, M01, M02): a car wants its contract's certificate."""

from station_agent.ocpp.fields import Payload
from station_agent.ocpp.outcome import Context, Outcome, Route
from station_agent.ocpp.words.v201 import Iso15118EVCertificateStatusEnumType as Status


class Get15118EVCertificate(Payload, frozen=True, rename="camel"):
    """The car's own message, as the charger got it: passed on unread."""

    exi_request: str


def relays(request: Get15118EVCertificate) -> bool:
    """Only the car's provider can answer."""
    return bool(request.exi_request)


def handle(_request: Get15118EVCertificate, context: Context) -> Outcome:
    """Pass the provider's answer on; without one the car is told that it failed."""
    return Outcome(dict(context.relayed or {"status": Status.failed, "exiResponse": ""}))


ROUTE = Route(Get15118EVCertificate, handle, relays=relays)
