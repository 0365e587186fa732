"""GetCertificateChainStatus (OCPP 2.1, block M): a charger asks whether certificates are revoked."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from station_agent.ocpp.fields import Payload
from station_agent.ocpp.instants import write
from station_agent.ocpp.outcome import Context, Outcome, Route

_ASK_AGAIN_AFTER: Final = timedelta(hours=1)


class GetCertificateChainStatus(Payload, frozen=True, rename="camel"):
    """The certificates, each by its hashes."""

    certificate_status_requests: Sequence[dict[str, Any]]


def handle(request: GetCertificateChainStatus, context: Context) -> Outcome:
    """Answer each with `Failed`: no responder was asked. The charger may ask one itself."""
    found = [
        {
            "certificateHashData": one["certificateHashData"],
            "source": one["source"],
            "status": "Failed",
            "nextUpdate": write(context.now + _ASK_AGAIN_AFTER),
        }
        for one in request.certificate_status_requests
    ]
    return Outcome({"certificateStatus": found})


ROUTE = Route(GetCertificateChainStatus, handle)
