"""SignCertificate (OCPP 2.0.1, A02, A03): a charger wants its certificate signed."""

from contracts.events import CertificateRequested
from station_agent.ocpp.fields import Int32, Payload
from station_agent.ocpp.outcome import Answers, Context, Outcome, Route


class SignCertificate(Payload, frozen=True, rename="camel"):
    """A request in PEM; of 2.1 with a number."""

    csr: str
    certificate_type: str = ""
    request_id: Int32 | None = None


def handle(request: SignCertificate, context: Context) -> Outcome:
    """Pass it on: the certificate comes later, by CertificateSigned (A02.FR.04)."""
    fact = CertificateRequested(
        charger_id=context.charger.charger_id,
        csr=request.csr,
        purpose=request.certificate_type,
        request_id=request.request_id,
        observed_at=context.now,
    )
    return Outcome({"status": "Accepted"}, (fact,))


ROUTE = Route(SignCertificate, handle, answers=Answers.REMEMBERED)
