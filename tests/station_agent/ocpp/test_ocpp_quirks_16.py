"""Transactions of OCPP 1.6 as real chargers tell them (QUIRKS 18-36), through the handlers."""

from datetime import timedelta

import pytest

from contracts.events import (
    ChargingState,
    ChargingStateChanged,
    ConnectorStateReported,
    MeterSampled,
    OddityObserved,
    SessionEnded,
    SessionStarted,
)
from station_agent.ocpp import v16
from station_agent.ocpp.instants import write
from station_agent.ocpp.outcome import Context, Unreadable
from station_agent.ports import SessionKept
from tests.station_agent.ocpp.fakes import ACCEPTED, NOW, REFUSED, FakeOutbox, a_view


class Charger:
    """A 1.6 charger whose messages go straight to the handlers."""

    def __init__(self) -> None:
        self.outbox = FakeOutbox()
        self.view = a_view(self.outbox)
        self.now = NOW

    def say(self, action: str, verdict=ACCEPTED, **payload) -> dict:
        """Send a message; facts and sessions are in the outbox afterwards."""
        route = v16.ROUTES[action]
        outcome = route.handle(route.decode(payload), Context(self.view, self.now, verdict))
        self.outbox.facts += outcome.facts
        for note in outcome.notes:
            if isinstance(note, SessionKept):
                self.outbox.sessions[note.session.session_id] = note.session
        return outcome.reply

    def start(self, connector_id=1, ago_s=60, meter=1000, tag="04A1", **more) -> int:
        at = write(self.now - timedelta(seconds=ago_s))
        payload = {"connectorId": connector_id, "idTag": tag, "meterStart": meter, "timestamp": at}
        return self.say("StartTransaction", **payload | more)["transactionId"]

    def stop(self, number, meter=2000, **more) -> dict:
        payload = {"transactionId": number, "meterStop": meter, "timestamp": write(self.now)}
        return self.say("StopTransaction", **payload | more)

    def told(self, kind: type) -> list:
        return self.outbox.told(kind)

    @property
    def oddities(self) -> list[str]:
        return [one.oddity for one in self.told(OddityObserved)]


@pytest.fixture
def charger() -> Charger:
    return Charger()


def test_quirk_18_a_tag_that_is_too_long_is_taken_and_cut_to_what_facts_carry(charger):
    charger.start(tag="x" * 400)

    assert charger.told(SessionStarted)[0].token == "x" * 255


def test_quirk_18_a_stop_never_says_what_it_thinks_of_the_tag(charger):
    number = charger.start()

    assert charger.stop(number, idTag="04A1\x10\x0e", verdict=REFUSED) == {}


def test_quirk_20_a_session_of_an_unknown_tag_is_kept_and_marked(charger):
    charger.start(verdict=REFUSED)

    assert not charger.told(SessionStarted)[0].is_authorized


def test_quirk_23_a_start_said_again_is_one_session(charger):
    first = charger.start()
    second = charger.start()

    assert first == second
    assert len(charger.told(SessionStarted)) == 1


def test_quirk_23_another_meter_is_another_session(charger):
    assert charger.start(meter=1000) != charger.start(meter=2000, ago_s=1)


def test_quirk_37_a_start_without_a_clock_is_a_new_session_once_the_first_is_over(charger):
    first = charger.start(timestamp="0")
    assert charger.start(timestamp="0") == first
    charger.stop(first)

    assert charger.start(timestamp="0") != first


def test_quirk_24_a_later_start_ends_what_was_still_open_there(charger):
    first = charger.start()
    charger.now += timedelta(minutes=10)
    charger.start(meter=5000)

    (ended,) = charger.told(SessionEnded)
    assert ended.transaction_id == str(first)
    assert ended.meter_stop_wh is None
    assert ended.reason == "Superseded"
    assert charger.oddities == ["session_superseded"]


def test_quirk_24_the_lost_stop_is_believed_when_it_comes_after_all(charger):
    first = charger.start()
    charger.now += timedelta(minutes=10)
    second = charger.start(meter=5000)
    charger.stop(first, meter=4500)

    ended = charger.told(SessionEnded)[-1]
    assert (ended.transaction_id, ended.meter_stop_wh) == (str(first), 4500)
    assert charger.outbox.open_on("CP-1", 1).transaction_id == str(second)


def test_t04_a_start_from_days_ago_does_not_end_the_session_of_now(charger):
    charger.start()
    charger.start(meter=1, ago_s=3 * 86_400)

    assert charger.told(SessionEnded) == []
    assert [one.is_offline for one in charger.told(SessionStarted)] == [False, True]


def test_quirk_25_a_stop_without_a_start_is_answered_and_kept(charger):
    assert charger.stop(99) == {}

    (ended,) = charger.told(SessionEnded)
    assert (ended.evse_id, ended.transaction_id, ended.meter_stop_wh) == (0, "99", 2000)
    assert charger.oddities == ["stop_without_start"]


def test_quirk_25_a_stop_without_a_start_said_again_is_told_once(charger):
    charger.stop(99)
    charger.stop(99)

    assert len(charger.told(SessionEnded)) == 1


def test_quirk_26_a_second_stop_changes_nothing_but_is_flagged_if_it_differs(charger):
    number = charger.start()
    charger.stop(number, meter=2000)
    charger.stop(number, meter=2000)
    assert charger.oddities == []
    charger.stop(number, meter=9000)

    assert [one.meter_stop_wh for one in charger.told(SessionEnded)] == [2000]
    assert charger.oddities == ["second_stop"]


@pytest.mark.parametrize("number", [0, -1, None])
def test_quirk_22_a_stop_without_a_usable_id_means_the_only_open_session(charger, number):
    charger.start(tag="04A1")
    charger.stop(number, idTag="04a1 ")

    (ended,) = charger.told(SessionEnded)
    assert ended.transaction_id == "1"
    assert charger.oddities == ["transaction_id_guessed"]


@pytest.mark.parametrize("number", [0, -1, None, 2**63 - 1, 10**30])
def test_t12_a_stop_that_could_mean_two_sessions_touches_neither(charger, number):
    charger.start(connector_id=1)
    charger.start(connector_id=2)
    charger.stop(number)

    (ended,) = charger.told(SessionEnded)
    assert ended.evse_id == 0
    assert charger.outbox.open_on("CP-1", 1) is not None
    assert charger.outbox.open_on("CP-1", 2) is not None


def test_t12_a_stop_without_id_by_another_token_touches_nothing(charger):
    charger.start(tag="04A1")
    charger.stop(-1, idTag="04B2")

    assert charger.outbox.open_on("CP-1", 1) is not None


def test_quirk_28_reservation_zero_is_none(charger):
    charger.start(reservationId=0)
    charger.start(connector_id=2, reservationId=7)

    assert [one.reservation_id for one in charger.told(SessionStarted)] == [None, "7"]


def test_quirk_29_readings_after_the_stop_do_not_open_it_again(charger):
    number = charger.start()
    charger.stop(number)
    value = {"timestamp": write(NOW), "sampledValue": [{"value": "2001"}]}
    charger.say("MeterValues", connectorId=1, transactionId=number, meterValue=[value])

    assert charger.told(MeterSampled)[-1].session_id == "session-1"
    assert charger.outbox.open_on("CP-1", 1) is None
    assert len(charger.told(SessionStarted)) == 1


def test_quirk_30_available_before_the_stop_idles_the_session_and_does_not_end_it(charger):
    number = charger.start()
    charger.say("StatusNotification", connectorId=1, errorCode="NoError", status="Available")
    charger.stop(number)

    assert [one.state for one in charger.told(ChargingStateChanged)] == [ChargingState.IDLE]
    assert len(charger.told(SessionEnded)) == 1


def _power(watts):
    value = {"value": watts, "measurand": "Power.Active.Import", "unit": "W"}
    return [{"timestamp": write(NOW), "sampledValue": [value]}]


def test_quirk_27_power_says_that_a_session_charges_whose_status_came_before_its_start(charger):
    charger.say("StatusNotification", connectorId=1, status="Charging", errorCode="NoError")
    number = charger.start()
    for watts in ("0", "11000", "11000"):
        charger.say("MeterValues", connectorId=1, transactionId=number, meterValue=_power(watts))

    assert [one.state for one in charger.told(ChargingStateChanged)] == [ChargingState.CHARGING]


def test_quirk_27_power_does_not_undo_what_a_status_said_of_the_session(charger):
    number = charger.start()
    charger.say("StatusNotification", connectorId=1, status="SuspendedEV", errorCode="NoError")
    charger.say("MeterValues", connectorId=1, transactionId=number, meterValue=_power("11000"))

    (only,) = charger.told(ChargingStateChanged)
    assert only.state is ChargingState.SUSPENDED_BY_CAR


def test_quirk_38_the_same_status_again_is_one_change_of_the_session(charger):
    charger.start()
    for _ in range(5):
        charger.say("StatusNotification", connectorId=1, errorCode="NoError", status="Charging")

    assert len(charger.told(ConnectorStateReported)) == 5
    assert len(charger.told(ChargingStateChanged)) == 1


def test_quirk_38_an_unknown_error_code_does_not_cost_the_status(charger):
    charger.say("StatusNotification", connectorId=1, errorCode="Error", status="Faulted")

    assert charger.told(ConnectorStateReported)[0].error_code == "Error"


def test_an_unknown_status_is_unreadable(charger):
    with pytest.raises(Unreadable):
        charger.say("StatusNotification", connectorId=1, errorCode="NoError", status="Sleeping")


def test_quirk_35_a_meter_that_went_back_is_clamped_and_flagged(charger):
    charger.stop(charger.start(meter=1000), meter=999)

    assert charger.told(SessionEnded)[0].meter_stop_wh == 1000
    assert charger.oddities == ["meter_went_back"]


def test_t08_a_meter_that_jumped_is_flagged(charger):
    charger.stop(charger.start(meter=1000), meter=10**9 + 1000)

    assert charger.oddities == ["meter_jumped"]


def test_quirk_35_a_zero_for_the_register_at_the_beginning_is_no_reading(charger):
    number = charger.start(meter=1000)
    begin = {"value": "0", "context": "Transaction.Begin"}
    value = {"timestamp": write(NOW), "sampledValue": [begin]}
    charger.stop(number, transactionData=[value])

    assert charger.told(MeterSampled) == []


@pytest.mark.parametrize("text", ["", " ", "NaN", "1e309", "-inf", "abc", "0x10"])
def test_quirk_33_t08_values_that_are_no_numbers_are_no_readings(charger, text):
    value = {"timestamp": write(NOW), "sampledValue": [{"value": text}]}
    charger.say("MeterValues", connectorId=1, meterValue=[value])

    assert charger.told(MeterSampled) == []


@pytest.mark.parametrize(("text", "wh"), [(" 12 ", 12), ("12.6", 13), ("12,4", 12)])
def test_quirk_33_spaces_and_commas_are_read(charger, text, wh):
    value = {"timestamp": write(NOW), "sampledValue": [{"value": text}]}
    charger.say("MeterValues", connectorId=1, meterValue=[value])

    assert charger.told(MeterSampled)[0].energy_wh == wh


def test_quirk_36_signed_blocks_are_no_readings(charger):
    sample = {"value": "12", "format": "SignedData"}
    value = {"timestamp": write(NOW), "sampledValue": [sample]}
    charger.say("MeterValues", connectorId=1, meterValue=[value])

    assert charger.told(MeterSampled) == []


def test_quirk_27_everything_kept_for_days_keeps_its_own_time(charger):
    number = charger.start(ago_s=86_400)
    at = NOW - timedelta(hours=20)
    value = {"timestamp": write(at), "sampledValue": [{"value": "1500"}]}
    charger.say("MeterValues", connectorId=1, transactionId=number, meterValue=[value])
    charger.stop(number, timestamp=write(NOW - timedelta(hours=19)))

    facts = charger.told(SessionStarted) + charger.told(MeterSampled) + charger.told(SessionEnded)
    assert [one.is_offline for one in facts] == [True, True, True]
    assert [one.observed_at for one in facts] == [
        NOW - timedelta(hours=24),
        at,
        NOW - timedelta(hours=19),
    ]


def test_t05_a_stop_before_its_start_lasts_no_negative_time(charger):
    number = charger.start(ago_s=10)
    charger.stop(number, timestamp=write(NOW - timedelta(hours=5)))

    assert charger.told(SessionEnded)[0].observed_at == NOW - timedelta(seconds=10)
    assert "stop_before_start" in charger.oddities


def test_two_connectors_are_two_evses(charger):
    first, second = charger.start(connector_id=1), charger.start(connector_id=2)
    charger.stop(first)

    assert [one.evse_id for one in charger.told(SessionStarted)] == [1, 2]
    assert charger.told(SessionEnded)[0].evse_id == 1
    assert charger.outbox.open_on("CP-1", 2).transaction_id == str(second)
