"""GetInstalledCertificateIds (OCPP 2.0.1, M03): the certificates a charger holds."""

from collections.abc import Mapping, Sequence
from typing import Any

from contracts.events import Event
from station_agent.ocpp.certificates import certificates_reported
from station_agent.ocpp.versions import AnswerContext


def learn(answer: Mapping[str, Any], context: AnswerContext) -> Sequence[Event]:
    """Return those it told; asked for no kind by name, it told all."""
    chains = answer.get("certificateHashDataChain") or ()
    is_whole = not context.asked.get("certificateType")
    if not chains and not is_whole:
        return ()
    return [certificates_reported(context.charger_id, chains, context.now, is_whole=is_whole)]
