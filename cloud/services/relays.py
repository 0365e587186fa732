"""Questions of chargers that somebody outside answers: cars' contracts, revocation (2.0.1 C07, M01-M06)."""

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import structlog

from cloud.services.costs import ASKED, CostService
from cloud.services.ports import Publish
from cloud.services.security_ports import AuthorityAway, CertificateHash, ContractAuthority
from contracts import topics
from contracts.batch import RelayAnswer, RelayAsk
from contracts.wire import encode

log = structlog.get_logger(__name__)

Answer = dict[str, Any]
_FAILED: Final = {"status": "Failed"}


@dataclass(frozen=True, slots=True)
class RelayService:
    """Asks whoever knows; takes as long as they take, so never within a transaction."""

    authority: ContractAuthority
    publish: Publish
    costs: CostService

    def relay(self, station_id: str, ask: RelayAsk) -> None:
        """Answer a station's question; one nobody can answer now is answered with nothing."""
        payload: Answer = {}
        try:
            payload = self._answer(station_id, ask)
        except AuthorityAway as error:
            log.warning("relays.authority_away", action=ask.action, error=str(error))
        except (KeyError, TypeError, ValueError) as error:
            log.warning("relays.unreadable", action=ask.action, error=str(error))
        answer = RelayAnswer(station=station_id, ask_id=ask.ask_id, payload=payload)
        self.publish(topics.acks(station_id), encode(answer), False)

    def _answer(self, station_id: str, ask: RelayAsk) -> Answer:
        if ask.action == ASKED:
            return self.costs.answer(station_id, ask.payload)
        return ANSWERS[ask.action](self.authority, ask.payload)


def _ev_certificate(authority: ContractAuthority, asked: Mapping[str, Any]) -> Answer:
    schema, action = asked["iso15118SchemaVersion"], asked["action"]
    response = authority.ev_certificate(schema, action, asked["exiRequest"])
    if response is None:
        return _FAILED | {"exiResponse": ""}
    return {"status": "Accepted", "exiResponse": response}


def _certificate_status(authority: ContractAuthority, asked: Mapping[str, Any]) -> Answer:
    found = authority.ocsp(_hash(asked["ocspRequestData"]))
    if found is None:
        return _FAILED
    return {"status": "Accepted", "ocspResult": base64.b64encode(found).decode()}


def _contract(authority: ContractAuthority, asked: Mapping[str, Any]) -> Answer:
    hashes = [_hash(one) for one in asked.get("iso15118CertificateHashData") or ()]
    return {"certificateStatus": authority.contract_status(asked.get("certificate") or "", hashes)}


def _hash(data: Mapping[str, Any]) -> CertificateHash:
    return CertificateHash(
        algorithm=data["hashAlgorithm"],
        issuer_name_hash=data["issuerNameHash"],
        issuer_key_hash=data["issuerKeyHash"],
        serial_number=data["serialNumber"],
        responder_url=data.get("responderURL", ""),
    )


ANSWERS: Final[dict[str, Callable[[ContractAuthority, Mapping[str, Any]], Answer]]] = {
    "Get15118EVCertificate": _ev_certificate,
    "GetCertificateStatus": _certificate_status,
    "Authorize": _contract,
}
