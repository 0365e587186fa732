"""A clock that runs behind is told from a message that waited (QUIRKS 37, FAULTS T04 and T05)."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import pytest

from contracts.events import MeterSampled, OddityObserved, SessionEnded, SessionStarted
from station_agent.ocpp import v16, v201
from station_agent.ocpp.chargers import StationChargers
from station_agent.ocpp.handshake import Admission
from station_agent.ocpp.instants import MAX_SKEW, RIGHT, Told, read_kept, write
from station_agent.ocpp.outcome import Context
from station_agent.ocpp.server import ServerSettings
from station_agent.ocpp.skew import Skew
from station_agent.ports import SessionKept
from station_agent.station_file import ChargerLayout, StationLayout
from tests.station_agent.ocpp.fakes import (
    ACCEPTED,
    NOW,
    SALT,
    FakeAuthorizer,
    FakeClock,
    FakeCredentials,
    FakeOutbox,
    FakePromises,
    FakeSocket,
    a_view,
)

WEST = timedelta(hours=5)
MINUTE = timedelta(minutes=1)
LONG_AGO = NOW - timedelta(days=30)


def learnt(*statuses: tuple[float, timedelta]) -> timedelta | None:
    """Return what is known of a clock after statuses: when they came, in seconds, and how late."""
    skew = Skew()
    for came_s, lag in statuses:
        now = NOW + timedelta(seconds=came_s)
        skew.learn(now - lag, now)
    return skew.lag


@pytest.mark.parametrize("lag", [WEST, -WEST, timedelta(days=-73 * 365), timedelta(minutes=2)])
def test_t05_two_statuses_a_minute_apart_and_off_by_the_same_show_a_clock_that_is_off(lag):
    assert learnt((0, lag), (60, lag + timedelta(seconds=9))) == lag


def test_t05_a_status_in_time_shows_a_clock_that_is_right_also_after_it_was_not():
    assert learnt((0, RIGHT)) == RIGHT
    assert learnt((0, WEST), (60, WEST), (90, MAX_SKEW)) == RIGHT


@pytest.mark.parametrize(
    "statuses",
    [
        pytest.param([(0, WEST)], id="one is not enough"),
        pytest.param([(0, WEST), (0.1, WEST), (0.2, WEST)], id="told in one go"),
        pytest.param(
            [(0, WEST), (60, WEST + MINUTE), (120, WEST + 2 * MINUTE)], id="old, told again"
        ),
        pytest.param([(0, WEST), (61, WEST - 30 * MINUTE), (122, MINUTE * 9)], id="handed in"),
    ],
)
def test_t04_statuses_that_waited_or_are_told_again_show_nothing(statuses):
    assert learnt(*statuses) is None


def test_a_clock_that_moved_is_learnt_anew():
    moved = WEST - timedelta(hours=1)

    assert learnt((0, WEST), (60, WEST), (120, moved)) is None
    assert learnt((0, WEST), (60, WEST), (120, moved), (180, moved)) == moved


def test_an_old_status_told_again_takes_nothing_back():
    assert learnt((0, WEST), (60, WEST), (90, WEST + timedelta(hours=3))) == WEST
    assert learnt((0, RIGHT), (90, timedelta(hours=3))) == RIGHT


@pytest.mark.parametrize(
    ("text", "lag", "told"),
    [
        pytest.param(write(NOW - WEST), WEST, Told(NOW, "clock_skewed"), id="of now"),
        pytest.param(
            write(NOW - WEST - timedelta(days=3)),
            WEST,
            Told(NOW - timedelta(days=3), "clock_skewed"),
            id="from before",
        ),
        pytest.param(
            write(NOW - WEST + MINUTE / 2), WEST, Told(NOW, "clock_skewed"), id="not from tomorrow"
        ),
        pytest.param(write(NOW), WEST, Told(NOW), id="put right meanwhile"),
        pytest.param(write(NOW + WEST), -WEST, Told(NOW, "clock_skewed"), id="ahead"),
        pytest.param("9999-01-01T00:00:00Z", WEST, Told(NOW, "clock_skewed"), id="the end of time"),
        pytest.param(
            write(NOW - WEST),
            timedelta(days=-2_900_000),
            Told(NOW - WEST, "clock_skewed"),
            id="before all time",
        ),
    ],
)
def test_t05_a_known_lag_is_made_good(text, lag, told):
    assert read_kept(text, NOW, LONG_AGO, lag) == told


class Charger:
    """A charger whose clock is behind by `lag`, and whose messages go straight to the handlers."""

    def __init__(self, version=v16, lag: timedelta = WEST) -> None:
        self.outbox = FakeOutbox()
        self.view = a_view(self.outbox)
        self.now = NOW
        self.lag = lag
        self._version = version

    def stamp(self, **ago: float) -> str:
        return write(self.now - self.lag - timedelta(**ago))

    def say(self, action: str, **payload) -> None:
        route = self._version.ROUTES[action]
        outcome = route.handle(route.decode(payload), Context(self.view, self.now, ACCEPTED))
        self.outbox.facts += outcome.facts
        for note in outcome.notes:
            assert isinstance(note, SessionKept)
            self.outbox.sessions[note.session.session_id] = note.session

    def tell_status(self, **ago: float) -> None:
        by_version = {
            v16: {"connectorId": 1, "status": "Preparing"},
            v201: {"evseId": 1, "connectorId": 1, "connectorStatus": "Occupied"},
        }
        self.say("StatusNotification", timestamp=self.stamp(**ago), **by_version[self._version])

    def show_its_clock(self) -> None:
        self.tell_status()
        self.now += 2 * MINUTE
        self.tell_status()

    def redial(self) -> None:
        self.now += MINUTE
        self.view = replace(self.view, connected_at=self.now)

    def start(self, **ago: float) -> None:
        start = {"connectorId": 1, "idTag": "04A1", "meterStart": 100}
        self.say("StartTransaction", timestamp=self.stamp(**ago), **start)

    def stop(self, **ago: float) -> None:
        data = [{"timestamp": self.stamp(**ago), "sampledValue": [{"value": "200"}]}]
        stop = {"transactionId": 1, "meterStop": 200, "transactionData": data}
        self.say("StopTransaction", timestamp=self.stamp(**ago), **stop)

    def tell_event(self, kind: str, seq_no: int, *, offline: bool | None = None, **ago) -> None:
        earlier = ago | {"minutes": ago.get("minutes", 0) + 1}
        samples = [
            {"timestamp": self.stamp(**when), "sampledValue": [{"value": 100}]}
            for when in (earlier, ago)
        ]
        self.say(
            "TransactionEvent",
            eventType=kind,
            timestamp=self.stamp(**ago),
            seqNo=seq_no,
            transactionInfo={"transactionId": "tx-1"},
            evse={"id": 1, "connectorId": 1},
            meterValue=samples,
            **({} if offline is None else {"offline": offline}),
        )

    def told(self, kind: type) -> list:
        return self.outbox.told(kind)

    @property
    def odd(self) -> set[str]:
        return {one.oddity for one in self.told(OddityObserved)}


def test_quirk_37_16_where_statuses_showed_the_clock_sessions_have_our_time():
    charger = Charger()
    charger.show_its_clock()
    began_at = charger.now
    charger.start()
    charger.now += 10 * MINUTE
    charger.stop()

    (started,), (ended,) = charger.told(SessionStarted), charger.told(SessionEnded)
    assert (started.observed_at, started.is_offline) == (began_at, False)
    assert (ended.observed_at, ended.is_offline) == (charger.now, False)
    assert charger.told(MeterSampled)[0].observed_at == charger.now
    assert charger.odd == {"clock_skewed"}


def test_t04_16_what_such_a_charger_kept_while_it_was_away_has_its_true_time():
    charger = Charger()
    charger.show_its_clock()
    charger.redial()
    charger.start(hours=3)
    charger.stop(hours=2)

    (started,), (ended,) = charger.told(SessionStarted), charger.told(SessionEnded)
    assert (started.observed_at, started.is_offline) == (charger.now - timedelta(hours=3), True)
    assert (ended.observed_at, ended.is_offline) == (charger.now - timedelta(hours=2), True)


@pytest.mark.parametrize("is_told", [False, True])
def test_t04_16_a_replay_is_believed_where_nothing_or_good_is_known_of_the_clock(is_told):
    charger = Charger(lag=RIGHT)
    if is_told:
        charger.show_its_clock()
    charger.redial()
    for _ in range(3):
        charger.tell_status(hours=5)
    charger.start(hours=5)
    charger.stop(hours=5)

    (started,), (ended,) = charger.told(SessionStarted), charger.told(SessionEnded)
    assert (started.observed_at, started.is_offline) == (charger.now - WEST, True)
    assert (ended.observed_at, ended.is_offline) == (charger.now - WEST, True)


@pytest.mark.parametrize("offline", [None, False])
@pytest.mark.parametrize("lag", [WEST, -WEST])
def test_quirk_37_201_what_is_not_called_offline_happened_as_it_came(lag, offline):
    charger = Charger(v201, lag)
    charger.tell_status()
    charger.tell_event("Started", 0, offline=offline)
    charger.now += 10 * MINUTE
    charger.tell_event("Ended", 1, offline=offline)

    (started,), (ended,) = charger.told(SessionStarted), charger.told(SessionEnded)
    assert (started.observed_at, started.is_offline) == (NOW, False)
    assert (ended.observed_at, ended.is_offline) == (charger.now, False)
    assert [one.observed_at for one in charger.told(MeterSampled)] == [
        NOW - MINUTE,
        NOW,
        charger.now - MINUTE,
        charger.now,
    ]
    assert charger.odd == {"clock_skewed"}


@pytest.mark.parametrize("shows", ["a status", "an event"])
def test_t04_201_where_the_clock_is_right_an_event_that_was_held_up_keeps_its_time(shows):
    charger = Charger(v201, RIGHT)
    if shows == "a status":
        charger.tell_status()
    else:
        charger.tell_event("Started", 0)
    charger.now += timedelta(hours=1)
    charger.redial()
    charger.tell_event("Ended", 1, minutes=40)

    (ended,) = charger.told(SessionEnded)
    assert ended.observed_at == charger.now - 40 * MINUTE
    assert ended.is_offline


def test_t04_201_what_a_clock_that_is_known_to_be_behind_told_offline_has_its_true_time():
    charger = Charger(v201)
    charger.show_its_clock()
    charger.redial()
    charger.tell_event("Started", 0, offline=True, hours=3)

    (started,) = charger.told(SessionStarted)
    assert (started.observed_at, started.is_offline) == (charger.now - timedelta(hours=3), True)


def test_i03_the_cost_is_asked_for_the_time_the_session_ends_by_our_clock():
    charger = Charger(v201)
    charger.tell_event("Started", 0)
    route = v201.ROUTES["TransactionEvent"]
    ended = {
        "eventType": "Ended",
        "timestamp": charger.stamp(),
        "transactionInfo": {"transactionId": "tx-1"},
    }
    asked = route.prices(route.decode(ended), Context(charger.view, charger.now))

    assert asked["ended_at"] == write(charger.now)


class DialledIn(FakeSocket):
    """A socket as the door hands it in."""

    version = v16.VERSION
    charger_id = "CP-1"
    subprotocol = "ocpp1.6"
    admission = Admission(is_admitted=True, security_profile=1, key_salt=SALT)
    close_code = None
    close_reason = ""


@asynccontextmanager
async def dialled_in(station: StationChargers):
    socket = DialledIn()
    serving = asyncio.create_task(station.serve(socket))
    try:
        yield socket
    finally:
        socket.hang_up()
        async with asyncio.timeout(5):
            await serving


async def test_what_is_known_of_a_clock_outlives_the_connection_that_showed_it():
    clock, outbox = FakeClock(), FakeOutbox()
    station = StationChargers(
        recorder=outbox,
        sessions=outbox,
        answers=outbox,
        authorizer=FakeAuthorizer(),
        promises=FakePromises(),
        credentials=FakeCredentials(),
        station=StationLayout("station", {"CP-1": ChargerLayout("CP-1", 2)}, {}),
        settings=ServerSettings(host="127.0.0.1"),
        clock=clock,
    )
    async with dialled_in(station) as socket:
        for _ in range(2):
            clock.advance(120)
            status = {"connectorId": 1, "errorCode": "NoError", "status": "Available"}
            status["timestamp"] = write(clock.now() - WEST)
            socket.put([2, "1", "StatusNotification", status])
            await socket.reply()
    async with dialled_in(station) as socket:
        start = {"connectorId": 1, "idTag": "04A1", "meterStart": 100}
        start["timestamp"] = write(clock.now() - WEST)
        socket.put([2, "2", "StartTransaction", start])
        await socket.reply()

    assert [one.observed_at for one in outbox.told(SessionStarted)] == [clock.now()]
