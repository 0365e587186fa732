"""SignCertificate (OCPP 1.6 security whitepaper, A02): a charge point wants its certificate signed."""

from contracts.events import CertificateRequested
from station_agent.ocpp.fields import Payload
from station_agent.ocpp.outcome import Answers, Context, Outcome, Route


class SignCertificate(Payload, frozen=True, rename="camel"):
    """A request in PEM: always for the connection to us."""

    csr: str


def handle(request: SignCertificate, context: Context) -> Outcome:
    """Pass it on: the certificate comes later, by CertificateSigned."""
    fact = CertificateRequested(
        charger_id=context.charger.charger_id, csr=request.csr, observed_at=context.now
    )
    return Outcome({"status": "Accepted"}, (fact,))


ROUTE = Route(SignCertificate, handle, answers=Answers.REMEMBERED)
