"""GetCertificateStatus (OCPP 2.0.1, M06): was a certificate revoked?"""

from typing import Any

from station_agent.ocpp.fields import Payload
from station_agent.ocpp.outcome import Context, Outcome, Route
from station_agent.ocpp.words.v201 import GetCertificateStatusEnumType as Status


class GetCertificateStatus(Payload, frozen=True, rename="camel"):
    """Which one: passed on unread."""

    ocsp_request_data: dict[str, Any]


def relays(request: GetCertificateStatus) -> bool:
    """Only a responder can answer."""
    return bool(request.ocsp_request_data)


def handle(_request: GetCertificateStatus, context: Context) -> Outcome:
    """Pass the responder's answer on (M06.FR.03); without one say so (M06.FR.04)."""
    return Outcome(dict(context.relayed or {"status": Status.failed}))


ROUTE = Route(GetCertificateStatus, handle, relays=relays)
