"""TransactionEvents of OCPP 2.0.1: repeated, reordered, half lost; each told once."""

from datetime import timedelta
from itertools import permutations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.events import (
    AuthorizationDecided,
    ChargingState,
    ChargingStateChanged,
    MeterSampled,
    OddityObserved,
    SessionEnded,
    SessionStarted,
)
from station_agent.ocpp import v201
from station_agent.ocpp.instants import write
from station_agent.ocpp.meter import INTERVAL
from station_agent.ocpp.outcome import Context, Unreadable
from station_agent.ports import SessionKept, SessionRecord
from tests.station_agent.ocpp.fakes import ACCEPTED, NOW, REFUSED, FakeOutbox, a_view

TOKEN = {"idToken": "04A1", "type": "ISO14443"}
ROUTE = v201.ROUTES["TransactionEvent"]


class Charger:
    """A 2.0.1 charger whose events go straight to the handler."""

    def __init__(self) -> None:
        self.outbox = FakeOutbox()
        self.view = a_view(self.outbox)

    def request(self, kind: str, seq_no: int | None, ago_s=0, **more):
        payload = {
            "eventType": kind,
            "timestamp": more.pop("timestamp", write(NOW - timedelta(seconds=ago_s))),
            "triggerReason": "Trigger",
            "transactionInfo": {"transactionId": more.pop("transaction_id", "tx-1")}
            | more.pop("info", {}),
            **more,
        }
        if seq_no is not None:
            payload["seqNo"] = seq_no
        return ROUTE.decode(payload)

    def say(self, kind: str, seq_no: int | None, *, verdict=ACCEPTED, ago_s=0, **more) -> dict:
        request = self.request(kind, seq_no, ago_s, **more)
        asked = ROUTE.ask(request)
        context = Context(self.view, NOW, verdict if asked else None)
        outcome = ROUTE.handle(request, context)
        self.outbox.facts += outcome.facts
        for note in outcome.notes:
            assert isinstance(note, SessionKept)
            self.outbox.sessions[note.session.session_id] = note.session
        return outcome.reply

    def told(self, kind: type) -> list:
        return self.outbox.told(kind)

    @property
    def oddities(self) -> list[str]:
        return [one.oddity for one in self.told(OddityObserved)]


def energy(value: float, context: str = "Sample.Periodic") -> list[dict]:
    sample = {"value": value, "context": context}
    return [{"timestamp": write(NOW), "sampledValue": [sample]}]


EVSE = {"id": 1, "connectorId": 2}
SERIES = [
    ("Started", {"evse": EVSE, "idToken": TOKEN, "meterValue": energy(100)}),
    ("Updated", {"meterValue": energy(200)}),
    ("Updated", {"meterValue": energy(300)}),
    ("Ended", {"meterValue": energy(400, "Transaction.End")}),
]


@pytest.fixture
def charger() -> Charger:
    return Charger()


def test_a_session_from_start_to_end(charger):
    for seq_no, (kind, more) in enumerate(SERIES):
        charger.say(kind, seq_no, **more)

    (started,) = charger.told(SessionStarted)
    (ended,) = charger.told(SessionEnded)
    assert (started.evse_id, started.connector_id, started.meter_start_wh) == (1, 2, 100)
    assert started.token == "04A1"
    assert [one.energy_wh for one in charger.told(MeterSampled)] == [100, 200, 300, 400]
    assert ended.session_id == started.session_id
    assert (ended.meter_stop_wh, ended.reason) == (400, "Local")
    assert charger.oddities == []


def test_t01_every_event_doubled_is_told_once(charger):
    for seq_no, (kind, more) in enumerate(SERIES):
        charger.say(kind, seq_no, **more)
        charger.say(kind, seq_no, **more)

    assert len(charger.told(SessionStarted)) == 1
    assert len(charger.told(MeterSampled)) == 4
    assert len(charger.told(SessionEnded)) == 1


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_t02_t03_in_any_order_all_readings_and_one_end_are_told(order):
    charger = Charger()
    for seq_no in order:
        kind, more = SERIES[seq_no]
        charger.say(kind, seq_no, **more)

    assert sorted(one.energy_wh for one in charger.told(MeterSampled)) == [100, 200, 300, 400]
    assert [one.meter_stop_wh for one in charger.told(SessionEnded)] == [400]
    started = charger.told(SessionStarted)[-1]
    assert (started.meter_start_wh, started.token, started.evse_id) == (100, "04A1", 1)
    assert (
        len({fact.session_id for fact in charger.outbox.facts if hasattr(fact, "session_id")}) == 1
    )
    assert charger.outbox.open_on("CP-1", 1) is None


@given(st.lists(st.integers(0, 12), max_size=40))
def test_t02_any_repetition_and_order_tells_each_number_once(seq_nos):
    charger = Charger()
    for seq_no in seq_nos:
        charger.say("Updated", seq_no, evse=EVSE, meterValue=energy(1000 + seq_no))

    told = [one.energy_wh - 1000 for one in charger.told(MeterSampled)]
    assert sorted(told) == sorted(set(seq_nos))


def test_what_is_remembered_of_numbers_is_small_however_many_are_missing(charger):
    charger.say("Updated", 0, evse=EVSE)
    for seq_no in (*range(2, 400, 2), 2**31 - 1):
        charger.say("Updated", seq_no, evse=EVSE)

    (session,) = charger.outbox.sessions.values()
    assert len(msgspec.json.encode(session)) < 1_500


def test_quirk_27_a_start_long_before_what_was_heard_first_is_told(charger):
    charger.say("Updated", 400, meterValue=energy(900))
    charger.say("Started", 0, evse=EVSE, idToken=TOKEN, meterValue=energy(100), ago_s=7200)
    charger.say("Updated", 1, meterValue=energy(110), ago_s=7100)
    charger.say("Updated", 1, meterValue=energy(110), ago_s=7100)

    started = charger.told(SessionStarted)[-1]
    assert (started.token, started.meter_start_wh) == ("04A1", 100)
    assert [one.energy_wh for one in charger.told(MeterSampled)] == [900, 100, 110]


def test_a_charger_that_numbers_anew_after_a_reboot_is_heard_to_the_end(charger):
    charger.say("Started", 0, evse=EVSE, meterValue=energy(100), ago_s=50)
    for seq_no in (1, 2, 3):
        charger.say("Updated", seq_no, ago_s=50 - seq_no)
    charger.say("Updated", 0, meterValue=energy(200), ago_s=20)
    charger.say("Updated", 0, meterValue=energy(200), ago_s=20)
    charger.say("Ended", 1, meterValue=energy(300, "Transaction.End"), ago_s=10)
    charger.say("Ended", 1, meterValue=energy(300, "Transaction.End"), ago_s=10)

    assert [one.energy_wh for one in charger.told(MeterSampled)] == [100, 200, 300]
    assert [one.meter_stop_wh for one in charger.told(SessionEnded)] == [300]
    assert charger.oddities == ["seq_no_reused", "seq_no_reused"]


def test_a_charger_without_a_clock_whose_number_is_always_zero_ends_its_session(charger):
    charger.say("Started", 0, evse=EVSE, timestamp="0")
    for _ in range(2):
        charger.say("Ended", 0, meterValue=energy(300, "Transaction.End"), timestamp="0")

    assert [one.meter_stop_wh for one in charger.told(SessionEnded)] == [300]
    assert charger.outbox.open_on("CP-1", 1) is None


def test_a_start_that_comes_after_an_event_of_its_own_number_is_told(charger):
    charger.say("Updated", 0, evse=EVSE)
    charger.say("Started", 0, evse=EVSE, idToken=TOKEN, meterValue=energy(100))
    charger.say("Started", 0, evse=EVSE, idToken=TOKEN, meterValue=energy(100))

    assert [one.token for one in charger.told(SessionStarted)] == [None, "04A1"]
    assert len(charger.told(MeterSampled)) == 1


def test_an_end_believed_lost_is_told_whatever_its_number(charger):
    charger.say("Started", 0, evse=EVSE, ago_s=50)
    charger.say("Started", 0, evse=EVSE, transaction_id="tx-2", ago_s=30)
    charger.say("Ended", 0, meterValue=energy(300, "Transaction.End"), ago_s=50)

    assert charger.told(SessionEnded)[-1].meter_stop_wh == 300


def test_where_it_is_forgotten_which_numbers_came_readings_are_kept_and_states_are_not(charger):
    for seq_no in range(0, 200, 2):
        charger.say("Updated", seq_no, evse=EVSE, info={"chargingState": "Charging"})
    charger.say(
        "Updated", 1, meterValue=energy(50), ago_s=30, info={"chargingState": "EVConnected"}
    )

    assert [one.energy_wh for one in charger.told(MeterSampled)] == [50]
    assert [one.state for one in charger.told(ChargingStateChanged)] == [ChargingState.CHARGING]
    assert charger.oddities == ["session_without_start", "seq_no_unknown"]


def older(last_seq_no: int, missing: set[int]) -> SessionRecord:
    """Return a session as an agent of before the gaps kept it."""
    return SessionRecord(
        session_id="session-0",
        charger_id="CP-1",
        evse_id=1,
        connector_id=2,
        transaction_id="tx-1",
        start_key="tx-1",
        token=None,
        meter_start_wh=None,
        started_at=NOW,
        last_seq_no=last_seq_no,
        missing_seq_nos=frozenset(missing),
    )


def test_what_an_older_agent_kept_of_numbers_is_read(charger):
    charger.outbox.sessions["session-0"] = older(9, {3, 4, 7})
    for seq_no in (3, 3, 5, 7, 9, 10):
        charger.say("Updated", seq_no, meterValue=energy(1000 + seq_no))

    told = [one.energy_wh - 1000 for one in charger.told(MeterSampled)]
    assert told == [3, 7, 10]


def test_what_an_older_agent_had_no_room_for_is_not_taken_for_repeated(charger):
    charger.outbox.sessions["session-0"] = older(400, set(range(144, 400)))
    charger.say("Updated", 20, meterValue=energy(1020))

    assert [one.energy_wh for one in charger.told(MeterSampled)] == [1020]
    assert charger.oddities == ["seq_no_unknown"]


def test_an_older_agent_finds_the_newest_of_what_is_missing(charger):
    charger.say("Updated", 400, evse=EVSE)
    charger.say("Updated", 403)

    (session,) = charger.outbox.sessions.values()
    assert {401, 402, 399} <= session.missing_seq_nos
    assert len(session.missing_seq_nos) <= 64


def test_an_event_without_a_number_is_always_told(charger):
    charger.say("Started", None, evse=EVSE)
    charger.say("Updated", None, meterValue=energy(1))
    charger.say("Updated", None, meterValue=energy(1))

    assert len(charger.told(MeterSampled)) == 2


def test_a_token_that_comes_later_completes_the_session(charger):
    charger.say("Started", 0, evse=EVSE)
    reply = charger.say("Updated", 1, idToken=TOKEN)

    assert reply == {"idTokenInfo": {"status": "Accepted"}}
    assert [one.token for one in charger.told(SessionStarted)] == [None, "04A1"]
    assert len(charger.told(AuthorizationDecided)) == 1


def test_an_evse_that_comes_later_completes_the_session(charger):
    charger.say("Started", 0, idToken=TOKEN)
    charger.say("Updated", 1, evse=EVSE)

    assert [one.evse_id for one in charger.told(SessionStarted)] == [0, 1]


def test_the_token_that_stops_is_not_the_token_that_started(charger):
    charger.say("Started", 0, evse=EVSE, idToken=TOKEN)
    charger.say("Ended", 1, idToken={"idToken": "MASTER", "type": "Central"})

    assert charger.told(SessionEnded)[0].token == "MASTER"
    assert [one.token for one in charger.told(SessionStarted)] == ["04A1"]


def test_a_refused_token_is_told_the_charger_and_the_cloud(charger):
    reply = charger.say("Started", 0, evse=EVSE, idToken=TOKEN, verdict=REFUSED)

    assert reply == {"idTokenInfo": {"status": "Unknown"}}
    assert not charger.told(SessionStarted)[0].is_authorized


def test_a_button_needs_no_verdict(charger):
    nobody = {"idToken": "", "type": "NoAuthorization"}
    reply = charger.say("Started", 0, evse=EVSE, idToken=nobody)

    assert reply == {"idTokenInfo": {"status": "Accepted"}}
    assert charger.told(SessionStarted)[0].token is None
    assert charger.told(AuthorizationDecided) == []


def test_charging_states_are_told_when_they_change(charger):
    charger.say("Started", 0, evse=EVSE, info={"chargingState": "EVConnected"})
    for seq_no, state in enumerate(["Charging", "Charging", "SuspendedEV", "Charging"], 1):
        charger.say("Updated", seq_no, info={"chargingState": state})

    assert [one.state for one in charger.told(ChargingStateChanged)] == [
        ChargingState.PLUGGED,
        ChargingState.CHARGING,
        ChargingState.SUSPENDED_BY_CAR,
        ChargingState.CHARGING,
    ]


def test_t04_what_the_charger_calls_offline_is_history(charger):
    more = {"offline": True, "ago_s": 7200}
    charger.say("Started", 0, evse=EVSE, meterValue=energy(1), **more)
    charger.say("Ended", 1, meterValue=energy(5), **more)

    facts = [fact for fact in charger.outbox.facts if hasattr(fact, "is_offline")]
    assert len(facts) == 4
    assert all(fact.is_offline for fact in facts)
    assert charger.oddities == []


def test_quirk_24_a_new_session_ends_the_one_still_open_on_its_evse(charger):
    charger.say("Started", 0, evse=EVSE, ago_s=50)
    charger.say("Started", 0, evse=EVSE, transaction_id="tx-2")

    assert charger.told(SessionEnded)[0].transaction_id == "tx-1"
    assert charger.oddities == ["session_superseded"]


def test_two_evses_charge_side_by_side(charger):
    charger.say("Started", 0, evse={"id": 1})
    charger.say("Started", 0, evse={"id": 2}, transaction_id="tx-2")

    assert charger.told(SessionEnded) == []
    assert [one.evse_id for one in charger.told(SessionStarted)] == [1, 2]


def test_quirk_25_an_end_without_a_start_is_kept(charger):
    charger.say("Ended", 9, evse=EVSE, meterValue=energy(50))

    assert charger.told(SessionStarted) == []
    assert charger.told(SessionEnded)[0].meter_stop_wh == 50
    assert charger.oddities == ["stop_without_start"]


def test_quirk_35_a_meter_that_went_back_is_clamped(charger):
    charger.say("Started", 0, evse=EVSE, meterValue=energy(100, "Transaction.Begin"))
    charger.say("Ended", 1, meterValue=energy(99, "Transaction.End"))

    assert charger.told(SessionEnded)[0].meter_stop_wh == 100
    assert charger.oddities == ["meter_went_back"]


def test_the_marked_register_counts_before_others(charger):
    values = energy(90) + energy(100, "Transaction.Begin") + energy(110)
    charger.say("Started", 0, evse=EVSE, meterValue=values)

    assert charger.told(SessionStarted)[0].meter_start_wh == 100


def intervals(*values: tuple[int, float], context: str = "Sample.Periodic") -> list[dict]:
    """Return readings of what flowed since the one before, by seconds ago and Wh."""
    return [
        {
            "timestamp": write(NOW - timedelta(seconds=ago_s)),
            "sampledValue": [{"value": wh, "context": context, "measurand": INTERVAL}],
        }
        for ago_s, wh in values
    ]


def test_intervals_in_the_sessions_own_rhythm_are_told_to_be_added_and_others_as_they_are(charger):
    charger.say("Started", 0, evse=EVSE, ago_s=900, meterValue=intervals((900, 5), context="Other"))
    charger.say("Updated", 1, meterValue=intervals((600, 20)))
    charger.say("Updated", 2, meterValue=intervals((300, 70), context="Sample.Clock"))

    told = [(one.interval_wh, one.others) for one in charger.told(MeterSampled)]
    assert told == [(None, {INTERVAL: 5}), (20, {}), (None, {INTERVAL: 70})]


def test_an_end_does_not_tell_the_intervals_of_its_session_again_in_another_rhythm(charger):
    charger.say("Started", 0, evse=EVSE, ago_s=900)
    charger.say("Updated", 1, meterValue=intervals((600, 20)))
    charger.say("Updated", 2, meterValue=intervals((300, 30)))
    at_end = intervals((300, 50)) + intervals((0, 7), context="Transaction.End")
    charger.say("Ended", 3, meterValue=at_end)

    assert [one.interval_wh for one in charger.told(MeterSampled)] == [20, 30, 7]


def test_an_end_tells_the_intervals_nobody_told_before(charger):
    charger.say("Started", 0, evse=EVSE, ago_s=900)
    charger.say("Ended", 1, meterValue=intervals((600, 20), (300, 30)))

    assert [one.interval_wh for one in charger.told(MeterSampled)] == [20, 30]


def test_the_cost_of_a_session_without_a_register_is_asked_with_its_last_interval(charger):
    charger.say("Started", 0, evse=EVSE, ago_s=900)
    charger.say("Updated", 1, meterValue=intervals((600, 20)))
    here = Context(charger.view, NOW)
    at_end = intervals((600, 20), (300, 30)) + intervals((0, 7), context="Transaction.End")
    asked = ROUTE.prices(charger.request("Ended", 2, meterValue=at_end), here)

    assert (asked["interval_wh"], asked["meter_stop_wh"]) == (7, None)
    with_register = charger.request("Ended", 2, meterValue=energy(50))
    assert ROUTE.prices(with_register, here)["interval_wh"] == 0


@pytest.mark.parametrize("kind", ["Paused", "", "started"])
def test_an_unknown_event_type_is_unreadable(charger, kind):
    with pytest.raises(Unreadable):
        charger.say(kind, 0)


def test_a_transaction_without_a_name_is_unreadable(charger):
    with pytest.raises(Unreadable):
        charger.say("Started", 0, transaction_id="")


def test_a_session_whose_evse_is_known_late_begins_with_what_its_meter_said_then(charger):
    def value(energy_wh, context):
        sampled = [{"value": energy_wh, "context": context}]
        return [{"timestamp": write(NOW), "sampledValue": sampled}]

    charger.say("Started", 0, idToken=TOKEN)
    evse = {"id": 1, "connectorId": 1}
    begin = value(700, "Transaction.Begin")
    charger.say("Updated", 1, evse=evse, meterValue=begin)
    charger.say("Updated", 2, meterValue=value(900, "Transaction.Begin"))

    assert [(one.evse_id, one.meter_start_wh) for one in charger.told(SessionStarted)] == [
        (0, None),
        (1, 700),
    ]
