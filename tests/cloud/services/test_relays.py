"""What nobody here can answer is asked of who can; a station always hears something."""

import base64
import threading

import pytest

from cloud.services.relays import RelayService
from cloud.services.security_ports import AuthorityAway
from cloud.workers.relays import RelayDesk
from contracts.batch import RelayAsk, decode_ack
from tests.cloud.api.fakes import RememberingBroker
from tests.support.waiting import eventually

DATA = {
    "hashAlgorithm": "SHA256",
    "issuerNameHash": "aa",
    "issuerKeyHash": "bb",
    "serialNumber": "1f",
    "responderURL": "http://ocsp.example",
}
CAR = {"iso15118SchemaVersion": "urn:x", "action": "Install", "exiRequest": "gJgC"}


class Authority:
    """Knows what it is told to know."""

    def __init__(self, *, is_away=False, knows=True):
        self.is_away, self.knows = is_away, knows
        self.asked = []

    def _answer(self, answer, *asked):
        self.asked.append(asked)
        if self.is_away:
            raise AuthorityAway("no route")
        return answer if self.knows else None

    def ev_certificate(self, schema, action, exi_request):
        return self._answer("gJgD", schema, action, exi_request)

    def ocsp(self, asked):
        return self._answer(b"DER", asked)

    def contract_status(self, chain, hashes):
        return self._answer("Accepted", chain, hashes) or "CertChainError"


class Costs:
    """Answers no cost."""

    def answer(self, station_id, payload):
        raise AssertionError((station_id, payload))


def relayed(authority, action, payload):
    broker = RememberingBroker()
    ask = RelayAsk(ask_id="a-1", charger_id="CP-1", action=action, payload=payload)
    RelayService(authority, broker, Costs()).relay("dundee", ask)
    ((topic, body, is_retained),) = broker.published
    answer = decode_ack(body)

    assert (topic, answer.ask_id, is_retained) == ("baywatt/1/dundee/acks", "a-1", False)
    return answer.payload


def test_a_cars_message_is_passed_on_unread():
    authority = Authority()

    assert relayed(authority, "Get15118EVCertificate", CAR) == {
        "status": "Accepted",
        "exiResponse": "gJgD",
    }
    assert authority.asked == [("urn:x", "Install", "gJgC")]
    assert relayed(Authority(knows=False), "Get15118EVCertificate", CAR)["status"] == "Failed"


def test_a_certificates_status_is_der_in_base64():
    answer = relayed(Authority(), "GetCertificateStatus", {"ocspRequestData": DATA})

    assert base64.b64decode(answer["ocspResult"]) == b"DER"
    nobody = relayed(Authority(knows=False), "GetCertificateStatus", {"ocspRequestData": DATA})
    assert nobody == {"status": "Failed"}


@pytest.mark.parametrize(
    ("payload", "chain", "count"),
    [({"certificate": "PEM"}, "PEM", 0), ({"iso15118CertificateHashData": [DATA, DATA]}, "", 2)],
)
def test_a_contract_is_judged_by_its_certificate_or_by_its_hashes(payload, chain, count):
    authority = Authority()

    assert relayed(authority, "Authorize", payload) == {"certificateStatus": "Accepted"}
    assert authority.asked[0][0] == chain
    assert [one.responder_url for one in authority.asked[0][1]] == ["http://ocsp.example"] * count


@pytest.mark.parametrize(
    ("authority", "action", "payload"),
    [
        (Authority(is_away=True), "Get15118EVCertificate", CAR),
        (Authority(), "Get15118EVCertificate", {}),
        (Authority(), "GetCertificateStatus", {"ocspRequestData": 7}),
        (Authority(), "MakeCoffee", {}),
    ],
)
def test_what_cannot_be_answered_is_answered_with_nothing(authority, action, payload):
    assert relayed(authority, action, payload) == {}


def test_too_many_questions_at_once_are_dropped_and_the_rest_answered():
    may_answer = threading.Event()
    done = []

    class Slow:
        def relay(self, station_id, ask):
            may_answer.wait(30)
            done.append((station_id, ask.ask_id))

    desk = RelayDesk(Slow())
    asks = [RelayAsk(ask_id=str(one), charger_id="CP-1", action="Authorize") for one in range(300)]
    desk.take([("dundee", one) for one in asks])
    may_answer.set()
    eventually(lambda: len(done) == 200, 10, "the first two hundred")
    desk.take([("dundee", asks[-1])])

    eventually(lambda: ("dundee", "299") in done, 10, "there is room again")
