"""GetInstalledCertificateIds (OCPP 1.6 security whitepaper, M03): the certificates a charge point holds."""

from collections.abc import Mapping, Sequence
from typing import Any

from contracts.events import Event
from station_agent.ocpp.certificates import certificates_reported
from station_agent.ocpp.versions import AnswerContext


def learn(answer: Mapping[str, Any], context: AnswerContext) -> Sequence[Event]:
    """Return those it told, all of the kind that was asked for."""
    kind = context.asked["certificateType"]
    chains = [
        {"certificateType": kind, "certificateHashData": one}
        for one in answer.get("certificateHashData") or ()
    ]
    return [certificates_reported(context.charger_id, chains, context.now)] if chains else ()
