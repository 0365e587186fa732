"""Reservations as each OCPP version spells them, and the sessions that meet them."""

from datetime import timedelta

import pytest

from contracts import commands
from contracts.events import ReservationDropped, SessionStarted
from station_agent.ocpp import v16, v201
from station_agent.ocpp.cards import as_shown
from station_agent.ocpp.instants import write
from station_agent.ocpp.outcome import Context
from station_agent.ocpp.versions import CommandContext
from station_agent.ports import SessionKept
from tests.station_agent.ocpp.fakes import ACCEPTED, NOW, FakeOutbox, a_view

UNTIL = NOW + timedelta(hours=1)
TOKEN = {"idToken": "04A1", "type": "ISO14443"}


class Promises:
    """One reservation: number 7, of the token 04A1, at EVSE 1."""

    def __init__(self):
        self.drops = []

    def dropped(self, charger_id, number):
        self.drops.append((charger_id, number))

    def met_by(self, charger_id, evse_id, token, number, at):
        assert (charger_id, at) == ("CP-1", NOW)
        if number:
            return "r-7" if number == 7 else str(number)
        return "r-7" if (evse_id, token) == (1, "04A1") else None


class Charger:
    """Its messages go straight to the handlers of a version."""

    def __init__(self, version):
        self._routes = version.ROUTES
        self.outbox = FakeOutbox()
        self.promises = Promises()
        self._view = a_view(self.outbox, promises=self.promises)

    def say(self, action, **payload):
        route = self._routes[action]
        outcome = route.handle(route.decode(payload), Context(self._view, NOW, ACCEPTED))
        self.outbox.facts += outcome.facts
        for note in outcome.notes:
            assert isinstance(note, SessionKept)
            self.outbox.sessions[note.session.session_id] = note.session

    @property
    def met(self):
        return [one.reservation_id for one in self.outbox.told(SessionStarted)]


def a_request(token="app00c0ffee0001", **more):  # noqa: S107 - no secret
    return commands.ReserveEvse(
        charger_id="CP-1",
        evse_id=1,
        reservation_number=7,
        token=token,
        until_at=UNTIL,
        **more,
    )


@pytest.mark.parametrize(
    ("token", "word", "is_in_capitals"),
    [
        ("04a2b3c4", "", True),
        ("04A2B3C4D5E680", "", True),
        ("04a2b3c4d5e68004a2b3", "", True),
        ("e004010012345abc", "", True),
        ("04a2b3c4d5e6", "", True),
        ("gb-bay-c12345678-x", "", True),
        ("gbbay12345", "eMAID", True),
        ("04a2b3c4", "KeyCode", False),
        ("04a2b3c", "", False),
        ("app00c0ffee0001", "", False),
        ("", "", False),
    ],
)
def test_what_readers_tell_in_capitals_is_told_them_in_capitals(token, word, is_in_capitals):
    assert as_shown(token, word) == (token.upper() if is_in_capitals else token)


def test_16_is_asked_to_reserve_in_its_words():
    request = a_request("04a2b3c4d5e680", parent_token="fleet-7")
    outbound = v16.VERSION.translate(request, CommandContext("CP-1", FakeOutbox()))

    assert outbound.action == "ReserveNow"
    assert outbound.payload == {
        "connectorId": 1,
        "expiryDate": write(UNTIL),
        "idTag": "04A2B3C4D5E680",
        "parentIdTag": "fleet-7",
        "reservationId": 7,
    }


def test_a_parent_too_long_for_16_is_left_out():
    request = a_request(parent_token="f" * 21)
    outbound = v16.VERSION.translate(request, CommandContext("CP-1", FakeOutbox()))

    assert "parentIdTag" not in outbound.payload


@pytest.mark.parametrize(
    ("token", "shown"),
    [
        ("04a2b3c4d5e680", {"idToken": "04A2B3C4D5E680", "type": "ISO14443"}),
        ("app00c0ffee0001", {"idToken": "app00c0ffee0001", "type": "Central"}),
    ],
)
def test_201_is_asked_to_reserve_for_a_token_as_its_reader_will_read_it(token, shown):
    request = a_request(token, parent_token="fleet-7")
    outbound = v201.VERSION.translate(request, CommandContext("CP-1", FakeOutbox()))

    assert outbound.action == "ReserveNow"
    assert outbound.payload == {
        "id": 7,
        "evseId": 1,
        "expiryDateTime": write(UNTIL),
        "idToken": shown,
        "groupIdToken": {"idToken": "fleet-7", "type": "Central"},
    }


@pytest.mark.parametrize(
    ("connector_id", "number", "met"), [(1, 7, "r-7"), (1, None, "r-7"), (2, None, None)]
)
def test_a_start_of_16_meets_its_reservation_by_number_or_token(connector_id, number, met):
    charger = Charger(v16)
    more = {} if number is None else {"reservationId": number}
    charger.say(
        "StartTransaction",
        connectorId=connector_id,
        idTag="04A1",
        meterStart=0,
        timestamp=write(NOW),
        **more,
    )

    assert charger.met == [met]
    assert [one.reservation_id for one in charger.outbox.sessions.values()] == [met]


def an_event(kind, seq_no, **more):
    return {
        "eventType": kind,
        "timestamp": write(NOW),
        "triggerReason": "Trigger",
        "seqNo": seq_no,
        "transactionInfo": {"transactionId": "tx-1"},
        **more,
    }


def test_a_session_of_201_meets_its_reservation_by_number():
    charger = Charger(v201)
    charger.say(
        "TransactionEvent", **an_event("Started", 0, evse={"id": 2}, reservationId=7, idToken=TOKEN)
    )

    assert charger.met == ["r-7"]


def test_a_session_of_201_that_is_plugged_in_first_is_told_again_with_its_reservation():
    """E02: the token comes with a later event."""
    charger = Charger(v201)
    charger.say("TransactionEvent", **an_event("Started", 0, evse={"id": 1}))
    charger.say("TransactionEvent", **an_event("Updated", 1, idToken=TOKEN))
    charger.say("TransactionEvent", **an_event("Updated", 2))
    charger.say("TransactionEvent", **an_event("Ended", 3, idToken=TOKEN))

    assert charger.met == [None, "r-7"]


@pytest.mark.parametrize("why", ["Removed", "Expired"])
def test_that_a_charger_keeps_a_reservation_no_more_is_told_and_known(why):
    charger = Charger(v201)
    charger.say("ReservationStatusUpdate", reservationId=7, reservationUpdateStatus=why)

    (fact,) = charger.outbox.told(ReservationDropped)
    assert (fact.charger_id, fact.reservation_number, fact.reason) == ("CP-1", 7, why)
    assert charger.promises.drops == [("CP-1", 7)]
