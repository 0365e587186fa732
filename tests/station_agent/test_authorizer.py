"""Plan, cache, cloud, policy: who has the word on a token, and when."""

from datetime import timedelta

import pytest

from contracts.batch import AuthorizeAnswer
from contracts.events import ConnectorStateReported
from contracts.plan import OfflinePolicy, Plan, PlannedReservation, TokenGrant
from contracts.wire import encode
from station_agent.authorizer import FRESH_FOR, STALE_FOR, TokenAuthorizer
from station_agent.domain.tokens import orders_from
from station_agent.ports import DecidedBy, SessionRecord, Verdict
from station_agent.station_file import parse_station
from tests.station_agent.fakes import NOON, FakeMemory, ManualClock

STATION = parse_station(
    "station: dundee\nbays:\n"
    "  - {id: b1, charger: C1, evse: 1}\n"
    "  - {id: b2, charger: C1, evse: 2}\n"
)


class FakeCloud:
    """Answers as told; None: away."""

    def __init__(self):
        self.answer = None
        self.asked = []

    async def ask(self, charger_id, evse_id, token, wait_s, begins_on=None):
        self.asked.append((charger_id, evse_id, token, wait_s))
        self.begins_on = begins_on
        return self.answer


class FakePlan:
    def __init__(self, **kwargs):
        self.orders = orders_from(Plan(station="dundee", version=1, issued_at=NOON, **kwargs))


class House:
    """An authorizer and all it asks."""

    def __init__(self, memory=None, **plan):
        self.cloud = FakeCloud()
        self.memory = memory or FakeMemory()
        self.clock = ManualClock()
        self.authorizer = TokenAuthorizer(
            plan=FakePlan(**plan),
            cloud=self.cloud,
            memory=self.memory,
            station=STATION,
            clock=self.clock,
            wait_s=2,
        )

    async def authorize(self, shown="T", evse_id=1, begins_on=None):
        return await self.authorizer.authorize("C1", evse_id, shown, begins_on)


def answer(*, is_accepted=True, **kwargs):
    return AuthorizeAnswer(station="dundee", ask_id="1", is_accepted=is_accepted, **kwargs)


def a_reservation(bay_id="b1"):
    return PlannedReservation(
        reservation_id="r",
        bay_id=bay_id,
        token="ALICE",
        starts_at=NOON,
        ends_at=NOON + timedelta(hours=1),
    )


@pytest.mark.parametrize(
    ("grant", "verdict"),
    [
        (TokenGrant(token="t", parent_token="P"), Verdict(True, DecidedBy.PLAN, "", "P")),
        (TokenGrant(token="T", is_valid=False), Verdict(False, DecidedBy.PLAN, "blocked")),
        (TokenGrant(token="T", valid_until=NOON), Verdict(False, DecidedBy.PLAN, "expired")),
    ],
)
async def test_who_is_in_the_plan_needs_no_cloud(grant, verdict):
    house = House(tokens=[grant])

    assert await house.authorize() == verdict
    assert house.cloud.asked == []


async def test_who_is_not_in_the_plan_is_asked_of_the_cloud():
    house = House()
    house.cloud.answer = answer(parent_token="P", valid_until=NOON + timedelta(days=1))

    assert await house.authorize() == Verdict(
        True, DecidedBy.CLOUD, "", "P", NOON + timedelta(days=1)
    )
    assert house.cloud.asked == [("C1", 1, "T", 2)]


@pytest.mark.parametrize(
    ("refusal", "reason"),
    [("", "unknown"), ("blocked", "blocked"), ("expired", "expired"), ("newer", "unknown")],
)
async def test_a_no_of_the_cloud_says_why_and_is_not_remembered(refusal, reason):
    house = House(offline_policy=OfflinePolicy.ACCEPT)
    house.cloud.answer = answer(is_accepted=False, refusal=refusal)

    assert await house.authorize() == Verdict(False, DecidedBy.CLOUD, reason)
    assert house.memory.records == []


async def test_a_fresh_yes_is_not_asked_for_again():
    house = House()
    house.cloud.answer = answer()
    await house.authorize("TOKEN")
    house.clock.advance(FRESH_FOR.total_seconds())

    assert await house.authorize("token ") == Verdict(True, DecidedBy.CACHE)
    house.clock.advance(1)
    assert (await house.authorize()).decided_by is DecidedBy.CLOUD


@pytest.mark.parametrize(
    ("age", "verdict"),
    [
        (STALE_FOR, Verdict(True, DecidedBy.CACHE)),
        (STALE_FOR + timedelta(seconds=1), Verdict(False, DecidedBy.OFFLINE_POLICY, "unknown")),
    ],
)
async def test_while_the_cloud_is_away_an_older_yes_counts(age, verdict):
    house = House()
    house.cloud.answer = answer()
    await house.authorize()
    house.cloud.answer = None
    house.clock.advance(age.total_seconds())

    assert await house.authorize() == verdict


async def test_a_yes_that_ran_out_does_not_count():
    house = House()
    house.cloud.answer = answer(valid_until=NOON + timedelta(minutes=1))
    await house.authorize()
    house.cloud.answer = None
    house.clock.advance(60)

    assert (await house.authorize()).decided_by is DecidedBy.OFFLINE_POLICY


async def test_a_later_no_takes_the_yes_back():
    house = House()
    house.cloud.answer = answer()
    await house.authorize()
    house.clock.advance(3_600)
    house.cloud.answer = answer(is_accepted=False)
    await house.authorize()
    house.cloud.answer = None

    assert not (await house.authorize()).is_accepted
    assert house.memory.kept("token") == {}


@pytest.mark.parametrize(
    ("policy", "is_accepted"), [(OfflinePolicy.ACCEPT, True), (OfflinePolicy.REFUSE, False)]
)
async def test_whom_nobody_knows_the_policy_decides(policy, is_accepted):
    verdict = await House(offline_policy=policy).authorize()

    assert (verdict.is_accepted, verdict.decided_by) == (is_accepted, DecidedBy.OFFLINE_POLICY)


@pytest.mark.parametrize(
    ("token", "evse_id", "is_accepted"),
    [("T", 1, False), ("T", 2, True), ("T", 0, True), ("alice", 1, True)],
)
async def test_a_reserved_bay_is_refused_to_others_though_they_may_charge(
    token, evse_id, is_accepted
):
    house = House(tokens=[TokenGrant(token="T")], reservations=[a_reservation()])
    verdict = await house.authorize(token, evse_id)

    assert verdict.is_accepted is is_accepted
    assert verdict.reason == ("" if is_accepted else "reserved_for_another")


async def test_a_reservation_is_kept_against_a_yes_of_the_cloud():
    house = House(reservations=[a_reservation(), a_reservation("b2")])
    house.cloud.answer = answer()

    assert await house.authorize(evse_id=0) == Verdict(
        False, DecidedBy.PLAN, "reserved_for_another"
    )


async def test_the_cache_outlives_a_restart():
    house = House()
    house.cloud.answer = answer()
    await house.authorize()
    again = House(memory=house.memory)

    assert await again.authorize() == Verdict(True, DecidedBy.CACHE)


async def test_a_full_disk_costs_the_memory_not_the_answer():
    house = House()
    house.memory.is_refusing = True
    house.cloud.answer = answer()

    assert (await house.authorize()).is_accepted


async def test_the_cache_is_bounded_and_the_oldest_go(monkeypatch):
    monkeypatch.setattr("station_agent.authorizer._MAX_CACHED", 3)
    house = House()
    house.cloud.answer = answer()
    for number in range(5):
        await house.authorize(f"t{number}")
        house.clock.advance(1)

    assert set(house.memory.kept("token")) == {"t2", "t3", "t4"}
    again = House(memory=house.memory)
    again.cloud.answer = answer()
    await again.authorize("t9")
    assert set(house.memory.kept("token")) == {"t3", "t4", "t9"}


@pytest.mark.parametrize("shown", ["T", "U", "P"])
async def test_who_may_charge_is_told_what_it_costs_whoever_decided(shown):
    house = House(
        tokens=[TokenGrant(token="T")],
        offline_policy=OfflinePolicy.ACCEPT,
        reservations=[
            PlannedReservation(
                reservation_id="r",
                bay_id="b1",
                token="P",
                starts_at=NOON,
                ends_at=NOON + timedelta(hours=1),
                tariff_text="as agreed",
            )
        ],
        tariff_text="0.55 GBP per kWh.",
    )
    first = await house.authorize(shown, evse_id=1 if shown == "P" else 2)
    house.cloud.answer = answer(tariff_text="0.50 GBP per kWh.")
    second = await house.authorize(shown, evse_id=1 if shown == "P" else 2)

    told = {
        "T": ("0.55 GBP per kWh.", "0.55 GBP per kWh."),
        "U": ("0.55 GBP per kWh.", "0.50 GBP per kWh."),
        "P": ("as agreed", "as agreed"),
    }
    assert (first.is_accepted, second.is_accepted) == (True, True)
    assert (first.tariff_text, second.tariff_text) == told[shown]


# --- as many sessions as a token may run --------------------------------------------------------


def a_session(charger_id="C1", evse_id=2, token="T"):  # noqa: S107 - no secret
    return SessionRecord(
        session_id=f"{charger_id}/{evse_id}",
        charger_id=charger_id,
        evse_id=evse_id,
        connector_id=1,
        transaction_id="1",
        start_key="k",
        token=token,
        meter_start_wh=0,
        started_at=NOON,
    )


def running(*sessions, limit=1, **more):
    """Return a house with a token known to it that runs these sessions."""
    house = House(tokens=[TokenGrant(token="T", **more)], max_sessions_per_token=limit)
    for one in sessions:
        house.memory.sessions[one.charger_id, one.evse_id] = one
    return house


BUSY = Verdict(False, DecidedBy.PLAN, "concurrent")
YES = Verdict(True, DecidedBy.PLAN, "")


@pytest.mark.parametrize(
    ("limit", "own", "verdict"),
    [(1, None, BUSY), (2, None, YES), (0, None, YES), (0, 1, BUSY), (1, 2, YES), (1, 0, YES)],
)
async def test_a_token_begins_no_more_sessions_than_it_may_also_without_the_cloud(
    limit, own, verdict
):
    house = running(a_session(), limit=limit, max_sessions=own)

    assert await house.authorize(begins_on=1) == verdict


@pytest.mark.parametrize(
    ("session", "begins_on"),
    [
        (a_session(), None),
        (a_session(), 2),
        (a_session(), 0),
        (a_session(token="OTHER"), 1),
    ],
)
async def test_who_only_shows_a_token_or_begins_where_it_charges_is_not_refused(session, begins_on):
    assert await running(session).authorize(begins_on=begins_on) == YES


@pytest.mark.parametrize(("state", "verdict"), [("free", YES), ("plugged", BUSY)])
async def test_a_session_whose_plug_is_free_was_ended_though_nobody_said_so(state, verdict):
    house = running(a_session())
    fact = ConnectorStateReported(
        charger_id="C1", evse_id=2, connector_id=1, state=state, observed_at=NOON
    )
    house.memory._kept["state", "connector/2/1/C1"] = encode(fact)  # noqa: SLF001

    assert await house.authorize(begins_on=1) == verdict


async def test_the_cloud_says_whether_a_token_charges_elsewhere():
    house = running()
    house.cloud.answer = answer(is_accepted=False, refusal="concurrent")

    assert await house.authorize() == YES
    assert await house.authorize(begins_on=1) == Verdict(False, DecidedBy.CLOUD, "concurrent")
    assert (house.cloud.asked, house.cloud.begins_on) == ([("C1", 1, "T", 2)], 1)


@pytest.mark.parametrize(
    "said", [answer(), answer(is_accepted=False), answer(is_accepted=False, refusal="blocked")]
)
async def test_of_a_token_the_plan_knows_the_cloud_is_asked_for_nothing_else(said):
    house = running()
    house.cloud.answer = said

    assert await house.authorize(begins_on=1) == YES


@pytest.mark.parametrize("is_remembered", [True, False])
async def test_a_cloud_that_did_not_answer_is_not_asked_a_second_time(is_remembered):
    house = House(max_sessions_per_token=1, offline_policy=OfflinePolicy.ACCEPT)
    if is_remembered:
        house.cloud.answer = answer()
        await house.authorize()
        house.clock.advance(FRESH_FOR.total_seconds() + 1)
    house.cloud.answer, house.cloud.asked = None, []

    assert (await house.authorize(begins_on=1)).is_accepted
    assert len(house.cloud.asked) == 1


async def test_without_a_limit_nobody_waits_for_the_cloud():
    house = running(limit=0)

    assert await house.authorize(begins_on=1) == YES
    assert house.cloud.asked == []


async def test_a_session_that_began_while_the_cloud_was_asked_counts():
    house = running()

    async def ask(*_, **__):
        house.memory.sessions["C1", 2] = a_session()

    house.cloud.ask = ask

    assert await house.authorize(begins_on=1) == BUSY


async def test_who_charges_elsewhere_is_known_all_the_same():
    house = House(max_sessions_per_token=1)
    house.cloud.answer = answer()
    await house.authorize()
    house.clock.advance(FRESH_FOR.total_seconds() + 1)
    house.cloud.answer = answer(is_accepted=False, refusal="concurrent")

    assert await house.authorize(begins_on=1) == Verdict(False, DecidedBy.CLOUD, "concurrent")
    house.cloud.answer = None
    assert (await house.authorize()).decided_by is DecidedBy.CACHE
