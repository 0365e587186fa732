"""CertificateSigned (OCPP 2.1, A02): as in 2.0.1, with the number of the request it answers."""

from contracts import commands
from station_agent.ocpp.v201.commands import deliver_certificate
from station_agent.ocpp.versions import CommandContext, Outbound


def translate(request: commands.DeliverCertificate, context: CommandContext) -> Outbound:
    """See contracts.commands.DeliverCertificate."""
    outbound = deliver_certificate(request, context)
    if request.request_id is None:
        return outbound
    return Outbound(outbound.action, outbound.payload | {"requestId": request.request_id})
