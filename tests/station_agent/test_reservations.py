"""Reservations told to chargers: in time, once, again when forgotten, and undone."""

import asyncio
from datetime import timedelta

import pytest

from contracts.commands import CancelReservation, ReserveEvse
from contracts.events import (
    ChargerBooted,
    CommandOutcome,
    ConnectorState,
    ConnectorStateReported,
    OddityObserved,
)
from contracts.plan import Plan, PlannedReservation, TokenGrant
from contracts.wire import encode
from station_agent.domain.tokens import orders_from
from station_agent.ports import UNREADABLE, CommandResult, SessionRecord
from station_agent.reservations import Reservations
from station_agent.station_file import parse_station
from tests.station_agent.fakes import NOON, FakeGateway, FakeMemory
from tests.station_agent.ocpp.fakes import FakeClock

STATION = parse_station(
    "station: dundee\nbays:\n"
    "  - {id: b1, charger: C1, evse: 1}\n"
    "  - {id: b2, charger: C1, evse: 2}\n"
    "  - {id: b3, charger: C3, evse: 1}\n"
)
HOUR = timedelta(hours=1)
REFUSED = CommandResult(CommandOutcome.REJECTED, {"status": "Occupied"})
GARBLED = CommandResult(CommandOutcome.FAILED, {"code": UNREADABLE})


def a_promise(number=7, **more):
    fields = {
        "reservation_id": f"r-{number}",
        "bay_id": "b1",
        "token": "alice",
        "starts_at": NOON,
        "ends_at": NOON + HOUR,
    }
    return PlannedReservation(reservation_number=number, **fields | more)


def a_session():
    return SessionRecord(
        session_id="s",
        charger_id="C1",
        evse_id=1,
        connector_id=1,
        transaction_id="1",
        start_key="k",
        token="ALICE",
        meter_start_wh=0,
        started_at=NOON,
    )


class FakePlan:
    def __init__(self):
        self.holds()

    def holds(self, *promises, **more):
        plan = Plan(
            station="dundee", version=1, issued_at=NOON, reservations=list(promises), **more
        )
        self.orders = orders_from(plan)


class House:
    """Reservations, running, with all they need; both chargers are connected."""

    def __init__(self, memory=None, *, clock=None, plan=None, is_on=True):
        self.clock = clock or FakeClock(NOON)
        self.gateway = FakeGateway()
        self.gateway.connected = {"C1": NOON - HOUR, "C3": NOON - HOUR}
        self.memory = memory or FakeMemory()
        self.plan = plan or FakePlan()
        self.reservations = Reservations(STATION, self.plan, self.memory, self.clock, is_on=is_on)
        self.running = asyncio.create_task(self.reservations.run(self.gateway))

    @property
    def said(self):
        """What the chargers heard, in few words."""
        return [_short(request) for request, _ in self.gateway.executed]

    async def look(self, passing_s=2.0):
        """Let time pass, and all that follows happen."""
        await self._turn()
        self.clock.advance(passing_s)
        await self._turn()

    async def _turn(self):
        for _ in range(30):
            await asyncio.sleep(0)

    async def hears(self, *said):
        """Fails unless the chargers now hear this, in this order, and no more."""
        for _ in range(len(said) + 1):
            await self.look()
        assert self.said == list(said)

    async def see(self, state, evse_id=1, charger_id="C1"):
        fact = ConnectorStateReported(
            charger_id=charger_id, evse_id=evse_id, connector_id=1, state=state, observed_at=NOON
        )
        self.memory._kept["state", f"connector/{evse_id}/1/{charger_id}"] = encode(fact)  # noqa: SLF001

    async def boot(self, charger_id="C1"):
        fact = ChargerBooted(
            charger_id=charger_id, vendor="V", model="M", observed_at=self.clock.now()
        )
        self.memory._kept["state", f"boot/{charger_id}"] = encode(fact)  # noqa: SLF001

    async def stop(self):
        self.running.cancel()
        await asyncio.gather(self.running, return_exceptions=True)

    async def restart(self):
        await self.stop()
        again = House(self.memory, clock=self.clock, plan=self.plan)
        again.gateway.connected = {"C1": self.clock.now()}
        return again


def _short(request):
    match request:
        case ReserveEvse():
            return ("reserve", request.charger_id, request.evse_id, request.reservation_number)
        case CancelReservation():
            return ("cancel", request.charger_id, request.reservation_number)


@pytest.fixture
async def house():
    made = House()
    yield made
    await made.stop()


async def test_a_charger_is_told_when_the_protection_begins_and_once(house):
    early = NOON + timedelta(minutes=5)
    house.plan.holds(
        a_promise(protect_from=early, starts_at=NOON + HOUR, ends_at=NOON + 2 * HOUR),
        tokens=[TokenGrant(token="alice", parent_token="fleet")],
    )
    await house.look(298)
    assert house.said == []
    await house.look(2)
    await house.look(600)

    ((request, _),) = house.gateway.executed
    assert request == ReserveEvse(
        charger_id="C1",
        evse_id=1,
        reservation_number=7,
        token="alice",
        parent_token="fleet",
        until_at=NOON + 2 * HOUR,
    )


async def test_it_is_on_disk_that_a_charger_was_told_before_it_hears_it(house):
    house.gateway.gate.clear()
    house.plan.holds(a_promise())
    await house.hears(("reserve", "C1", 1, 7))

    assert list(house.memory.kept("reservation")) == ["1/C1"]


async def test_what_cannot_be_remembered_is_not_said(house):
    house.memory.is_refusing = True
    house.plan.holds(a_promise())
    await house.look()
    assert house.said == []
    house.memory.is_refusing = False

    await house.hears(("reserve", "C1", 1, 7))


async def test_a_reservation_that_is_gone_is_undone_and_forgotten(house):
    house.plan.holds(a_promise())
    await house.hears(("reserve", "C1", 1, 7))
    house.plan.holds()

    await house.hears(("reserve", "C1", 1, 7), ("cancel", "C1", 7))
    assert house.memory.kept("reservation") == {}


async def test_a_reservation_that_is_over_is_undone_whatever_the_chargers_clock_says(house):
    house.plan.holds(a_promise())
    await house.hears(("reserve", "C1", 1, 7))
    house.clock.advance(3_600)

    await house.hears(("reserve", "C1", 1, 7), ("cancel", "C1", 7))


async def test_a_number_moved_to_another_evse_is_undone_before_it_is_told_there(house):
    house.plan.holds(a_promise(bay_id="b2"))
    await house.hears(("reserve", "C1", 2, 7))
    house.plan.holds(a_promise(bay_id="b1"))

    await house.hears(("reserve", "C1", 2, 7), ("cancel", "C1", 7), ("reserve", "C1", 1, 7))


async def test_the_next_reservation_follows_once_the_one_before_is_undone(house):
    later = a_promise(
        8, token="bob", starts_at=NOON + HOUR, ends_at=NOON + 2 * HOUR, protect_from=NOON
    )
    house.plan.holds(a_promise(), later)
    await house.hears(("reserve", "C1", 1, 7))
    house.clock.advance(3_600)

    await house.hears(("reserve", "C1", 1, 7), ("cancel", "C1", 7), ("reserve", "C1", 1, 8))


async def test_a_changed_end_is_told_under_the_same_number(house):
    house.plan.holds(a_promise())
    await house.hears(("reserve", "C1", 1, 7))
    house.plan.holds(a_promise(ends_at=NOON + 2 * HOUR))
    await house.hears(("reserve", "C1", 1, 7), ("reserve", "C1", 1, 7))

    assert house.gateway.executed[-1][0].until_at == NOON + 2 * HOUR


@pytest.mark.parametrize("how", ["connects", "boots"])
async def test_a_charger_that_may_have_forgotten_is_told_again(house, how):
    house.plan.holds(a_promise())
    await house.hears(("reserve", "C1", 1, 7))
    house.clock.advance(60)
    if how == "connects":
        house.gateway.connected["C1"] = house.clock.now()
    else:
        await house.boot()

    await house.hears(("reserve", "C1", 1, 7), ("reserve", "C1", 1, 7))


async def test_a_charger_that_forgets_over_a_fault_is_told_again(house):
    house.plan.holds(a_promise())
    await house.hears(("reserve", "C1", 1, 7))
    await house.see(ConnectorState.FAULTED)
    await house.look(600)
    assert len(house.said) == 1
    await house.see(ConnectorState.FREE)

    await house.hears(("reserve", "C1", 1, 7), ("reserve", "C1", 1, 7))


async def test_what_a_charger_lets_go_is_told_again_but_not_for_ever_and_then_somebody_hears(house):
    house.plan.holds(a_promise(ends_at=NOON + 9 * HOUR))
    await house.hears(("reserve", "C1", 1, 7))
    for _ in range(9):
        house.reservations.dropped("C1", 7)
        await house.look()
        await house.look(1_000)
        await house.look()
    oddities = [one for one in house.memory.facts if isinstance(one, OddityObserved)]

    assert house.said == [("reserve", "C1", 1, 7)] * 5
    assert [(one.charger_id, one.oddity) for one in oddities] == [("C1", "reservation_dropped")]
    await house.boot()
    await house.hears(*[("reserve", "C1", 1, 7)] * 6)


async def test_what_a_charger_lets_go_and_was_not_told_is_nothing_to_us(house):
    house.plan.holds(a_promise())
    await house.hears(("reserve", "C1", 1, 7))
    house.reservations.dropped("C1", 8)
    house.reservations.dropped("C3", 7)

    await house.hears(("reserve", "C1", 1, 7))


async def test_what_was_let_go_after_it_was_canceled_is_not_told_again(house):
    house.plan.holds(a_promise())
    await house.hears(("reserve", "C1", 1, 7))
    house.reservations.dropped("C1", 7)
    house.plan.holds()
    await house.hears(("reserve", "C1", 1, 7), ("cancel", "C1", 7))
    house.plan.holds(a_promise())

    await house.hears(("reserve", "C1", 1, 7), ("cancel", "C1", 7), ("reserve", "C1", 1, 7))


async def test_a_restart_forgets_no_reservation_at_a_charger(house):
    house.plan.holds(a_promise())
    await house.hears(("reserve", "C1", 1, 7))
    house.plan.holds()
    again = await house.restart()
    await again.hears(("cancel", "C1", 7))
    await again.stop()


async def test_a_restart_between_question_and_answer_undoes_what_may_be_there(house):
    house.gateway.gate.clear()
    house.plan.holds(a_promise())
    await house.hears(("reserve", "C1", 1, 7))
    house.plan.holds()
    again = await house.restart()
    await again.hears(("cancel", "C1", 7))
    await again.stop()


async def test_a_charger_hears_one_thing_at_a_time_and_none_holds_up_another(house):
    house.gateway.gate.clear()
    house.plan.holds(a_promise(), a_promise(8, bay_id="b2"), a_promise(9, bay_id="b3"))
    await house.look()
    await house.look()
    assert house.said == [("reserve", "C1", 1, 7), ("reserve", "C3", 1, 9)]
    house.gateway.gate.set()

    await house.hears(("reserve", "C1", 1, 7), ("reserve", "C3", 1, 9), ("reserve", "C1", 2, 8))


@pytest.mark.parametrize(
    "result",
    [
        REFUSED,
        GARBLED,
        CommandResult(CommandOutcome.TIMED_OUT),
        CommandResult(CommandOutcome.FAILED, {"code": "InternalError"}),
        CommandResult(CommandOutcome.FAILED, {"code": "NotTranslatable"}),
    ],
    ids=lambda result: f"{result.outcome} {result.answer}",
)
async def test_a_charger_that_says_no_is_asked_again_less_and_less_often(house, result):
    house.gateway.result = result
    house.plan.holds(a_promise(ends_at=NOON + 9 * HOUR))
    counts = []
    for _ in range(16):
        for _ in range(30):
            await house.look(2)
        counts.append(len(house.said))

    assert counts[0] in {1, 2}
    assert counts[1] <= 2
    assert counts[-1] in {4, 5}


async def test_a_token_is_reserved_for_with_its_type_and_again_when_that_is_learnt(house):
    house.plan.holds(a_promise())
    await house.hears(("reserve", "C1", 1, 7))
    house.plan.holds(a_promise(token_type="eMAID"))
    again = await house.restart()
    await again.look()
    await again.look()

    types = [request.token_type for request, _ in house.gateway.executed + again.gateway.executed]
    assert types == ["", "eMAID"]


async def test_what_was_answered_unreadably_is_not_kept_and_may_have_to_be_undone(house):
    house.gateway.result = GARBLED
    house.plan.holds(a_promise())
    await house.hears(("reserve", "C1", 1, 7))
    await house.look(61)
    assert house.said == [("reserve", "C1", 1, 7)] * 2
    house.plan.holds()
    await house.look(241)

    assert house.said[2:] == [("cancel", "C1", 7)]


async def test_a_charger_that_knows_no_reservations_is_left_alone_until_it_boots_anew(house):
    house.gateway.result = CommandResult(CommandOutcome.FAILED, {"code": "NotSupported"})
    house.plan.holds(a_promise(), a_promise(8, bay_id="b2"))
    await house.hears(("reserve", "C1", 1, 7))
    await house.look(3_000)
    assert len(house.said) == 1
    again = await house.restart()
    await again.look(4)
    assert again.said == []
    again.gateway.result = None
    await again.boot()

    await again.hears(("reserve", "C1", 1, 7), ("reserve", "C1", 2, 8))
    await again.stop()


async def test_an_evse_in_use_is_reserved_once_it_is_free(house):
    await house.see(ConnectorState.FINISHING)
    house.plan.holds(a_promise())
    await house.look()
    assert house.said == []
    await house.see(ConnectorState.FREE)

    await house.hears(("reserve", "C1", 1, 7))


async def test_a_charger_out_of_service_as_a_whole_is_not_asked(house):
    await house.see(ConnectorState.UNAVAILABLE, evse_id=0)
    await house.see(ConnectorState.FREE)
    house.plan.holds(a_promise())
    await house.look()

    assert house.said == []


async def test_a_reservation_the_driver_has_used_is_not_told_again(house):
    house.plan.holds(a_promise())
    await house.hears(("reserve", "C1", 1, 7))
    house.memory.sessions["C1", 1] = a_session()
    await house.look()
    house.memory.sessions.clear()
    house.gateway.connected["C1"] = house.clock.now()
    await house.look()
    await house.look()

    assert len(house.said) == 1


async def test_an_undoing_that_was_not_answered_is_tried_again_later(house):
    house.plan.holds(a_promise())
    await house.hears(("reserve", "C1", 1, 7))
    house.gateway.result = CommandResult(CommandOutcome.TIMED_OUT)
    house.plan.holds()
    await house.hears(("reserve", "C1", 1, 7), ("cancel", "C1", 7))
    house.gateway.result = REFUSED
    await house.look(60)
    await house.look()

    assert house.said[2:] == [("cancel", "C1", 7)]
    assert house.memory.kept("reservation") == {}


async def test_turned_off_nothing_is_told_and_what_was_told_is_undone(house):
    house.plan.holds(a_promise())
    await house.hears(("reserve", "C1", 1, 7))
    await house.stop()
    off = House(house.memory, clock=house.clock, plan=house.plan, is_on=False)

    await off.hears(("cancel", "C1", 7))
    await off.stop()


async def test_a_session_is_known_by_the_number_the_charger_gives(house):
    house.plan.holds(a_promise())

    assert house.reservations.met_by("C1", 1, "whoever", 7, NOON) == "r-7"
    assert house.reservations.met_by("C1", 1, "whoever", 8, NOON) == "8"


async def test_a_number_is_known_after_the_plan_has_dropped_it(house):
    house.plan.holds(a_promise())
    await house.hears(("reserve", "C1", 1, 7))
    house.plan.holds()

    assert house.reservations.met_by("C1", 1, "alice", 7, NOON) == "r-7"


@pytest.mark.parametrize(
    ("token", "evse_id", "offset_s", "met"),
    [
        ("ALICE", 1, 0, "r-7"),
        ("ALICE", 1, -600, "r-7"),
        ("ALICE", 1, -601, None),
        ("ALICE", 1, 3_600, None),
        ("BOB", 1, 0, None),
        ("ALICE", 2, 0, None),
        ("ALICE", 0, 0, None),
        (None, 1, 0, None),
    ],
)
async def test_where_the_charger_names_no_number_the_token_says_which(
    house, token, evse_id, offset_s, met
):
    house.plan.holds(a_promise(protect_from=NOON - timedelta(minutes=10)))
    at = NOON + timedelta(seconds=offset_s)

    assert house.reservations.met_by("C1", evse_id, token, 0, at) == met
