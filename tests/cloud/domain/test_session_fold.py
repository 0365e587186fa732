"""A session adds up to the same whatever order its facts come in (FAULTS T02-T04, T08)."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloud.domain.billing import is_odd
from cloud.domain.meter import Meter
from cloud.domain.sessions import (
    BY_INTERVALS,
    START_MISSING,
    STOP_MISSING,
    STOPPED_TWICE,
    SUPERSEDED,
    Session,
    SessionState,
    Start,
    Stop,
    curve,
    ended,
    is_late,
    refolded,
    sampled,
    started,
    state_changed,
    stopped,
    superseded,
)
from cloud.domain.thinning import kept
from tests.cloud.builders import CHARGER, NOON, Sampled, a_session, after

START_WH = 1_000


def a_new_session(**more) -> Session:
    return a_session(started_at=NOON, state="plugged", state_at=NOON, **more)


def the_start(**more) -> Start:
    known = {
        "charger_id": CHARGER,
        "evse_id": 1,
        "connector_id": 1,
        "bay_id": None,
        "transaction_id": "7",
        "token": "04AA",
        "user_id": "u-1",
        "meter_start_wh": START_WH,
        "is_offline": False,
        "at": NOON,
    }
    return Start(**(known | more))


def registers(*readings: tuple[float, int]) -> list[Sampled]:
    """Return readings by (minutes, Wh)."""
    return [Sampled(after(minutes * 60), energy_wh=wh) for minutes, wh in readings]


def test_energy_is_the_last_register_less_the_start_register():
    session = sampled(a_new_session(), registers((1, 1_500), (2, 2_345)))

    assert session.energy_wh == 1_345
    assert session.cost_minor == 67


def test_without_a_start_register_the_first_sample_sets_it():
    session = sampled(a_new_session(meter_start_wh=None), registers((1, 5_000), (2, 5_700)))

    assert session.energy_wh == 700


def test_a_sample_without_energy_zeroes_nothing():
    session = sampled(a_new_session(), [*registers((1, 1_500)), Sampled(after(120), power_w=7e3)])

    assert (session.energy_wh, session.power_w) == (500, 7e3)


def test_the_stop_register_ends_the_count():
    session = sampled(a_new_session(), registers((1, 1_500)))
    session = stopped(ended(session, Stop(meter_stop_wh=2_000, reason="Local", at=after(120))))

    assert (session.energy_wh, session.state, session.power_w) == (1_000, SessionState.ENDED, 0)
    assert session.ended_at == after(120)


def test_samples_after_the_stop_reopen_nothing():
    over = stopped(ended(a_new_session(), Stop(meter_stop_wh=1_900, reason="", at=after(60))))

    later = sampled(over, registers((2, 2_500)))

    assert later is over
    assert not is_late(over, registers((2, 2_500)))
    assert is_late(over, registers((0.5, 1_500)))


def test_a_state_told_after_the_end_changes_nothing():
    over = ended(a_new_session(), Stop(meter_stop_wh=None, reason="", at=after(60)))

    assert state_changed(over, SessionState.CHARGING, after(61)) is over


def test_an_older_state_changes_nothing():
    session = state_changed(a_new_session(), SessionState.CHARGING, after(60))

    assert state_changed(session, SessionState.PLUGGED, after(30)) is session


def test_when_charging_ended_is_kept_until_it_begins_again():
    charging = state_changed(a_new_session(), SessionState.CHARGING, after(60))
    paused = state_changed(charging, SessionState.SUSPENDED_BY_CAR, after(90))
    again = state_changed(paused, SessionState.CHARGING, after(120))

    assert paused.charging_ended_at == after(90)
    assert again.charging_ended_at is None


def test_a_charger_that_holds_energy_back_does_not_end_the_charge():
    charging = state_changed(a_new_session(), SessionState.CHARGING, after(60))
    held = state_changed(charging, SessionState.SUSPENDED_BY_CHARGER, after(90))
    full = state_changed(held, SessionState.SUSPENDED_BY_CAR, after(120))

    assert held.charging_ended_at is None
    assert full.charging_ended_at == after(120)


def test_the_first_stop_counts_and_another_register_is_flagged():
    first = ended(a_new_session(), Stop(meter_stop_wh=2_000, reason="Local", at=after(60)))

    same = ended(first, Stop(meter_stop_wh=2_000, reason="Local", at=after(60)))
    other = ended(first, Stop(meter_stop_wh=2_500, reason="Remote", at=after(90)))

    assert same is first
    assert (other.meter_stop_wh, other.end_reason) == (2_000, "Local")
    assert STOPPED_TWICE in other.flags


def test_a_session_followed_by_another_ends_at_its_last_word_until_its_stop_is_told():
    session = sampled(a_new_session(), registers((1, 1_500), (5, 2_000)))
    guessed = superseded(session)
    told = stopped(ended(guessed, Stop(meter_stop_wh=2_200, reason="Local", at=after(360))))

    assert (guessed.ended_at, guessed.end_reason) == (after(300), SUPERSEDED)
    assert STOP_MISSING in guessed.flags
    assert superseded(guessed) is guessed
    assert (told.ended_at, told.energy_wh, told.flags) == (after(360), 1_200, ())


def test_samples_of_a_session_whose_end_was_guessed_still_count():
    guessed = superseded(sampled(a_new_session(), registers((1, 1_500))))

    more = sampled(guessed, registers((2, 1_800)))

    assert (more.energy_wh, more.ended_at) == (800, after(120))


def test_a_stop_before_its_start_waits_for_it():
    stub = a_new_session(meter_start_wh=None, flags=(START_MISSING,), transaction_id="")
    stub = replace(stub, started_at=after(600))
    over = stopped(ended(stub, Stop(meter_stop_wh=2_000, reason="Local", at=after(600))))
    whole = refolded(started(over, the_start()), [])

    assert over.energy_wh == 0
    assert (whole.started_at, whole.ended_at) == (NOON, after(600))
    assert (whole.energy_wh, whole.flags, whole.user_id) == (1_000, (), "u-1")


def test_a_start_told_again_fills_in_who_where_and_when():
    unnamed = a_new_session(token=None, user_id=None, evse_id=0, meter_start_wh=None)

    whole = started(unnamed, the_start(at=after(-60)))

    assert (whole.token, whole.user_id, whole.evse_id) == ("04AA", "u-1", 1)
    assert (whole.started_at, whole.meter_start_wh) == (after(-60), START_WH)
    assert started(whole, the_start(token="OTHER", meter_start_wh=5, at=after(5))) is whole


def test_a_repeated_start_tells_nothing_new():
    session = started(a_new_session(flags=(START_MISSING,)), the_start())

    assert started(session, the_start()) is session


def test_a_start_told_after_the_stop_never_makes_a_negative_duration():
    stub = replace(a_new_session(flags=(START_MISSING,)), started_at=after(60))
    over = ended(stub, Stop(meter_stop_wh=None, reason="", at=after(60)))

    assert started(over, the_start(at=after(3600))).started_at == after(60)


# --- odd meters (T08, QUIRKS 35) ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("readings", "energy_wh", "flag"),
    [
        pytest.param([(1, 1_500), (2, 1_499), (3, 1_600)], 600, "meter_went_back", id="rounding"),
        pytest.param([(1, 1_500), (2, 1_200), (3, 1_600)], 600, "meter_went_back", id="slip"),
        pytest.param([(1, 1_500), (2, 0), (3, 100)], 600, "meter_reset", id="reset to 0"),
        pytest.param([(1, 1_500), (2, -7), (3, 1_600)], 600, "meter_negative", id="negative"),
        pytest.param([(1, 10**18), (3, 1_600)], 600, "meter_absurd", id="absurd"),
        pytest.param(
            [(1, 1_500), (2, 10**9), (3, 1_600)], 600, "meter_jumped", id="one wild reading"
        ),
        pytest.param(
            [(1, 1_500), (2, 10**9), (3, 10**9 + 100)], 600, "meter_reset", id="another register"
        ),
        pytest.param([(1, 12_000)], 11_000, "meter_implausible", id="more than its power gives"),
    ],
)
def test_an_odd_meter_is_clamped_and_flagged(readings, energy_wh, flag):
    session = sampled(a_new_session(), registers(*readings))

    assert session.energy_wh == energy_wh
    assert flag in session.flags


def test_a_placeholder_start_of_0_bills_no_odometer():
    session = sampled(
        a_new_session(meter_start_wh=0), registers((1, 1_234_567), (2, 1_234_900), (3, 1_235_000))
    )

    assert session.energy_wh == 433
    assert "meter_jumped" in session.flags


def test_a_power_no_charger_has_is_not_shown():
    session = sampled(a_new_session(), [Sampled(after(60), power_w=5e9)])

    assert session.power_w is None
    assert "power_absurd" in session.flags


@given(
    readings=st.lists(st.tuples(st.integers(1, 3_600), st.integers(-(10**6), 10**13)), max_size=30),
    start_wh=st.one_of(st.none(), st.integers(-10, 10**9)),
)
def test_whatever_a_meter_says_energy_is_never_negative_nor_far_above_power_times_time(
    readings, start_wh
):
    samples = [Sampled(after(at), energy_wh=wh) for at, wh in sorted(dict(readings).items())]
    session = sampled(a_new_session(meter_start_wh=start_wh), samples)

    last_s = max((at for at, _ in readings), default=0)
    assert 0 <= session.energy_wh <= 1.2 * 150_000 * last_s / 3600 + 20_000


@given(readings=st.lists(st.integers(0, 20_000), min_size=1, max_size=50))
def test_a_meter_that_only_rises_is_counted_exactly(readings):
    meter = Meter(NOON, 150_000, last_wh=0, last_at=NOON)
    odd = [meter.read(wh, after(600 * (1 + at))) for at, wh in enumerate(sorted(readings))]

    assert meter.energy_wh == max(readings)
    assert odd == [None] * len(readings)


# --- intervals, where there is no register ----------------------------------------------------------


def intervals(*readings: tuple[float, int]) -> list[Sampled]:
    """Return readings of what flowed since the one before, by (minutes, Wh)."""
    return [Sampled(after(minutes * 60), interval_wh=wh) for minutes, wh in readings]


def told(session: Session, *batches: list[Sampled]) -> Session:
    """Return the session after batches as they came; of one instant the later word is kept."""
    so_far: dict = {}
    for batch in batches:
        so_far |= {one.observed_at: one for one in batch}
        if is_late(session, batch):
            session = refolded(session, so_far.values())
        else:
            session = sampled(session, batch)
    return session


def an_unmetered_session() -> Session:
    return a_new_session(meter_start_wh=None)


def test_intervals_add_up_where_a_session_has_no_register():
    session = told(an_unmetered_session(), intervals((5, 300), (10, 450)), intervals((15, 250)))

    assert session.energy_wh == 1_000
    assert session.cost_minor == 50
    assert session.flags == (BY_INTERVALS,)
    assert not is_odd(session)


def test_an_interval_told_again_counts_once():
    batches = [intervals((5, 300)), intervals((5, 300)), intervals((5, 300), (5, 300), (10, 450))]

    assert told(an_unmetered_session(), *batches).energy_wh == 750


def test_an_interval_that_ended_before_the_session_began_is_none_of_its():
    assert told(an_unmetered_session(), intervals((-5, 900), (0, 900), (5, 300))).energy_wh == 300


@pytest.mark.parametrize("is_first", [True, False])
def test_intervals_do_not_count_where_registers_do(is_first):
    batches = [intervals((5, 300), (10, 300)), registers((5.5, 1_500), (10.5, 1_700))]
    session = told(a_new_session(), *(batches if is_first else reversed(batches)))

    assert session.energy_wh == 700
    assert session.flags == ()


def test_one_register_alone_is_no_count_and_leaves_the_intervals_theirs():
    batches = [intervals((5, 300)), registers((10, 90_000)), intervals((15, 200))]
    over = ended(
        told(an_unmetered_session(), *batches),
        Stop(meter_stop_wh=90_200, reason="Local", at=after(960)),
    )

    assert stopped(over).energy_wh == 500


def test_registers_at_start_and_stop_have_the_last_word_on_what_intervals_added_up_to():
    session = told(a_new_session(), intervals((5, 300), (10, 300)))
    over = stopped(ended(session, Stop(meter_stop_wh=1_640, reason="Local", at=after(660))))

    assert (session.energy_wh, over.energy_wh) == (600, 640)


def test_an_interval_no_charger_can_deliver_is_held_back():
    session = told(an_unmetered_session(), intervals((5, 300), (10, 10**9), (15, 200)))

    assert session.energy_wh == 500
    assert "meter_jumped" in session.flags


def test_no_interval_is_thinned_out_of_its_sum():
    told_all = intervals(*((minute, 10) for minute in range(1, 1_000)))
    session = told(an_unmetered_session(), told_all)
    over = stopped(ended(session, Stop(meter_stop_wh=None, reason="", at=after(60_000))))

    assert kept(over, told_all) is None
    assert curve(over, told_all)[-1][1] == over.energy_wh == 9_990


# --- what a car gives back -----------------------------------------------------------------------------


def exports(*readings: tuple[float, int]) -> list[Sampled]:
    """Return readings of the export register by (minutes, Wh)."""
    return [Sampled(after(minutes * 60), export_wh=wh) for minutes, wh in readings]


def test_what_a_car_gives_back_is_counted_beside_what_it_takes_and_costs_nothing():
    session = told(a_new_session(), registers((1, 1_500)), exports((2, 70_000), (30, 72_500)))

    assert (session.energy_wh, session.export_wh, session.cost_minor) == (500, 2_500, 25)


@pytest.mark.parametrize(
    ("readings", "wh"),
    [
        pytest.param([(1, 100), (10, 400), (20, 50), (30, 150)], 400, id="reset"),
        pytest.param([(1, 100), (10, 10**9), (20, 200), (30, 260)], 60, id="slip"),
        pytest.param([(1, 100), (10, 10**13), (20, 400)], 300, id="absurd"),
        pytest.param([(1, 100), (30, 700), (10, 300), (20, 400)], 600, id="out of order"),
        pytest.param([(1, 100), (10, 300), (10, 300)], 200, id="repeated"),
    ],
)
def test_an_export_register_counts_by_what_follows_from_the_reading_before(readings, wh):
    assert told(a_new_session(), *(exports(one) for one in readings)).export_wh == wh


# --- any order, any cut ---------------------------------------------------------------------------

SAMPLES = st.lists(
    st.tuples(
        st.integers(1, 3_600),
        st.one_of(st.none(), st.integers(0, 60_000)),
        st.one_of(st.none(), st.floats(0, 150_000)),
        st.one_of(st.none(), st.floats(0, 100)),
        st.one_of(st.none(), st.integers(0, 2_000)),
        st.one_of(st.none(), st.integers(0, 60_000)),
    ),
    min_size=1,
    max_size=25,
    unique_by=lambda one: one[0],
)


def told_in_order(samples, stop: Stop | None) -> Session:
    whole = told(a_new_session(), sorted(samples, key=lambda one: one.observed_at))
    if stop is None:
        return whole
    return refolded(ended(whole, stop), samples)


@pytest.mark.slow
@settings(max_examples=300)
@given(samples=SAMPLES, data=st.data())
def test_samples_in_any_order_and_any_batches_add_up_to_the_same(samples, data):
    readings = [Sampled(after(at), *more) for at, *more in samples]
    shuffled = data.draw(st.permutations(readings))
    session, so_far = a_new_session(), []
    while shuffled:
        size = data.draw(st.integers(1, len(shuffled)))
        part, shuffled = shuffled[:size], shuffled[size:]
        part.sort(key=lambda one: one.observed_at)
        so_far += part
        session = refolded(session, so_far) if is_late(session, part) else sampled(session, part)

    assert session == told_in_order(readings, None)


@settings(max_examples=200)
@given(samples=SAMPLES, stop_s=st.integers(1, 4_000), cut=st.integers(0, 25))
def test_samples_that_come_after_the_stop_count_up_to_it(samples, stop_s, cut):
    readings = sorted(
        (Sampled(after(at), *more) for at, *more in samples),
        key=lambda one: one.observed_at,
    )
    stop = Stop(meter_stop_wh=30_000, reason="Local", at=after(stop_s))
    early = [one for one in readings[:cut] if one.observed_at <= stop.at]
    rest = [one for one in readings if one not in early]

    session = stopped(ended(told(a_new_session(), early), stop))
    if is_late(session, rest):
        session = refolded(session, [*early, *rest])

    counted = [one for one in readings if one.observed_at <= stop.at]
    assert session.energy_wh == told_in_order(counted, stop).energy_wh
    assert session.ended_at == stop.at


@given(samples=SAMPLES)
def test_the_curve_ends_where_the_session_stands(samples):
    readings = [Sampled(after(at), *more) for at, *more in samples]
    session = refolded(a_new_session(), readings)

    points = curve(session, readings)

    assert [at.observed_at for at, _ in points] == sorted(one.observed_at for one in readings)
    assert points[-1][1] == session.energy_wh


def test_a_session_of_three_days_ago_is_counted_by_its_own_time():
    then = NOON - timedelta(days=3)
    session = a_session(started_at=then, is_offline=True, state="plugged")
    samples = [Sampled(then + timedelta(minutes=10), energy_wh=3_000)]
    over = ended(
        sampled(session, samples),
        Stop(meter_stop_wh=4_000, reason="Local", at=then + timedelta(minutes=20)),
    )

    assert stopped(over).energy_wh == 3_000
    assert stopped(over).ended_at == then + timedelta(minutes=20)


def test_a_session_that_has_not_ended_has_no_stop_to_count():
    session = a_new_session()

    assert stopped(session) is session
    assert sampled(session, []) is session


def test_a_stop_that_fits_no_meter_is_flagged_and_bills_nothing():
    over = ended(a_new_session(), Stop(meter_stop_wh=10**9, reason="", at=after(60)))

    assert (stopped(over).energy_wh, stopped(over).flags) == (0, ("meter_jumped",))


def test_the_curve_of_an_ended_session_has_nothing_after_its_end():
    over = ended(a_new_session(), Stop(meter_stop_wh=None, reason="", at=after(60)))
    readings = [*registers((0.5, 1_200), (2, 9_000)), Sampled(after(40), power_w=1.0)]

    assert [wh for _, wh in curve(over, readings)] == [200, 200]


def test_a_stop_without_a_register_leaves_the_last_sample_the_last_word():
    session = sampled(a_new_session(meter_start_wh=None), registers((1, 1_500), (2, 1_900)))
    over = stopped(ended(session, Stop(meter_stop_wh=None, reason="", at=after(180))))

    assert over.energy_wh == 400
    assert [wh for _, wh in curve(over, registers((1, 1_500), (2, 1_900)))] == [0, 400]
