"""What is quoted is what is paid; what each end of a reservation costs; and what odd meters may not."""

from dataclasses import replace
from datetime import UTC, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.domain.bill_lines import Kind
from cloud.domain.billing import (
    Charged,
    Deal,
    bill,
    expected_minor,
    gross_of,
    overstay_minutes,
    quote,
    simple_id,
    simple_tariff,
    so_far_minor,
    stretch_of,
)
from cloud.domain.money import ceil_div
from cloud.domain.ranking import USUAL_ENERGY_WH
from cloud.domain.reservations import LIVE, Status
from cloud.domain.sessions import Stop, curve, ended, refolded, stopped
from cloud.domain.tariffs import by_the_kwh
from cloud.domain.terms import RefundStep, Terms
from cloud.domain.windows import Window
from cloud.domain.worked_examples import Used, lines_of, sentence
from tests.cloud.builders import NOON, Sampled, a_reservation, a_session, after
from tests.cloud.domain.charging import LONDON, a_tariff, energy, flat, parking, sums, time

RESERVED = {"reservation": "RESERVATION"}
EXPIRES = {"reservation": "RESERVATION_EXPIRES"}
TARIFF = a_tariff(
    ([flat(2, vat=20), time(4, vat=20)], RESERVED),
    (flat(3, vat=20), EXPIRES),
    [energy("0.50", vat=20), parking(6, vat=20)],
    currency="GBP",
    tax_included="YES",
)
TERMS = Terms(
    grace_s=900,
    overstay_per_minute_minor=25,
    no_show_fee_minor=500,
    refunds=tuple(
        RefundStep(before_s=before_s, refund_pct=percent)
        for before_s, percent in ((0, 50), (3600, 100), (600, 75))
    ),
)
SLOT = Window(after(4_500), after(8_100))
"""An hour, as a_reservation has it."""


def a_deal(**more):
    known = {"tariff_id": "t-1", "tariff": TARIFF, "zone": LONDON, "terms": TERMS}
    return Deal(**(known | more))


def over(status, **more):
    """A reservation that was booked and is over since its slot's end."""
    return a_reservation(
        **({"status": status, "booked_at": NOON, "status_at": SLOT.ends_at} | more)
    )


def charged(start_s=4_500, *, minutes=30, wh=10_000, parked_min=0, **more):
    """A session at even power, with a reading a minute."""
    started_at = after(start_s)
    full_at = started_at + timedelta(minutes=minutes)
    session = a_session(
        started_at=started_at,
        charging_ended_at=full_at,
        ended_at=full_at + timedelta(minutes=parked_min),
        end_reason="Local",
        energy_wh=wh,
        **more,
    )
    readings = [
        Sampled(started_at + timedelta(minutes=one), 1_000 + wh * one // minutes)
        for one in range(minutes + 1)
    ]
    return Charged(session, curve(session, readings))


def kinds(lines):
    return [(one.kind.value, one.quantity, one.gross_minor) for one in lines]


# --- the quote ------------------------------------------------------------------------------------


def test_a_quote_says_what_using_the_whole_slot_costs():
    quoted = quote(a_deal(), SLOT, 20_000, 40_000)

    assert kinds(quoted.lines) == [
        ("RESERVATION", 1, 200),
        ("ENERGY", 20_000, 1000),
        ("PARKING_TIME", 1800, 300),
    ]
    assert (quoted.charging_s, quoted.parked_s) == (1800, 1800)
    assert (quoted.reservation_minor, quoted.total_minor, quoted.net_minor) == (200, 1500, 1250)
    assert quoted.overstay_per_minute_minor == 25


def test_a_quote_says_what_canceling_keeps_and_a_no_show_costs():
    quoted = quote(a_deal(), SLOT, 20_000, 40_000)

    assert [(one.before_s, one.kept_minor) for one in quoted.refunds] == [
        (3600, 0),
        (600, 50),
        (0, 100),
    ]
    # 2.00, a quarter of an hour at 4.00, the expiry's 3.00 and the station's own 5.00
    assert quoted.no_show_minor == 200 + 100 + 300 + 500


def test_what_is_authorised_stands_for_more_than_is_expected():
    quoted = quote(a_deal(), SLOT, 20_000, 40_000)

    # a fifth more energy, six minutes less of parking, and a late arrival
    assert quoted.authorise_minor == 200 + 100 + 1200 + 240
    dear = replace(TERMS, no_show_fee_minor=9_000)
    assert quote(a_deal(terms=dear), SLOT, 20_000, 40_000).authorise_minor == 9_600


@pytest.mark.parametrize(
    ("energy_wh", "power_w", "quoted_wh"),
    [
        (None, 150_000, USUAL_ENERGY_WH),
        (0, 150_000, 0),
        (90_000, 50_000, 50_000),
        (None, 0, 7_400),
    ],
)
def test_no_more_is_quoted_than_the_bay_can_deliver(energy_wh, power_w, quoted_wh):
    quoted = quote(a_deal(), SLOT, energy_wh, power_w)

    assert quoted.energy_wh == quoted_wh
    assert quoted.charging_s + quoted.parked_s == 3600


@pytest.mark.parametrize(("energy_wh", "power_w"), [(20_000, 40_000), (90_000, 50_000), (9_000, 0)])
def test_a_search_reckons_with_the_total_of_the_quote(energy_wh, power_w):
    quoted = quote(a_deal(), SLOT, energy_wh, power_w)

    assert expected_minor(a_deal(), SLOT, energy_wh, power_w) == quoted.total_minor


def test_a_quote_is_plain_data():
    data = msgspec.json.decode(
        msgspec.json.encode(quote(a_deal(discounts={Kind.ENERGY: 10}), SLOT, None, 50_000).data())
    )

    assert data["tariff_id"] == "t-1"
    assert data["discounts"] == {"ENERGY": 10}
    assert data["lines"][1]["discount_pct"] == 10
    assert not [value for value in data.values() if isinstance(value, float)]


@given(st.integers(0, 120_000), st.integers(1_000, 350_000))
def test_r11_whoever_does_what_was_quoted_pays_what_was_quoted(energy_wh, power_w):
    deal = a_deal()
    quoted = quote(deal, SLOT, energy_wh, power_w)
    full_at = SLOT.starts_at + timedelta(seconds=quoted.charging_s)
    session = a_session(
        started_at=SLOT.starts_at,
        charging_ended_at=full_at,
        ended_at=SLOT.ends_at,
        energy_wh=quoted.energy_wh,
    )

    done = bill(
        over(Status.FULFILLED, left_at=SLOT.ends_at), deal, [Charged(session, [])], SLOT.ends_at
    )

    assert done.total_minor == quoted.total_minor <= quoted.authorise_minor


# --- the bill -------------------------------------------------------------------------------------


def test_a_charge_is_billed_with_its_reservation_and_what_the_car_stayed():
    fulfilled = over(
        Status.FULFILLED,
        overstay_since=after(8_700),
        left_at=after(8_700 + 61),
        arrived_at=after(4_600),
    )

    done = bill(fulfilled, a_deal(), [charged(5_100, minutes=30, parked_min=5)], after(9_000))

    assert kinds(done.lines) == [
        ("RESERVATION", 1, 200),
        ("RESERVATION_TIME", 600, 67),
        ("ENERGY", 10_000, 500),
        ("PARKING_TIME", 300, 50),
        ("OVERSTAY", 120, 50),
    ]
    assert done.total_minor == 867
    assert done.net_minor + done.tax_minor == 867
    assert (done.energy_wh, done.charging_s, done.parked_s, done.overstay_s) == (
        10_000,
        1800,
        300,
        120,
    )
    assert done.lines[-1].tax_minor == 8
    assert not done.is_for_review


def test_the_curve_says_when_the_energy_was_charged():
    tariff = a_tariff(
        (energy(1), {"end_time": "13:30"}), energy(2), currency="GBP", tax_included="N/A"
    )
    one = charged(minutes=30, wh=10_000)
    # all but 1 kWh in the second quarter of an hour
    steep = [Sampled(after(4_500 + 900), 2_000), Sampled(after(4_500 + 1800), 11_000)]
    steep = Charged(one.session, curve(one.session, steep))

    bills = [
        bill(over(Status.FULFILLED), a_deal(tariff=tariff), [each], after(9_000))
        for each in (one, steep)
    ]

    assert [kinds(each.lines) for each in bills] == [
        [("ENERGY", 5000, 500), ("ENERGY", 5000, 1000)],
        [("ENERGY", 1000, 100), ("ENERGY", 9000, 1800)],
    ]


def test_who_comes_early_and_leaves_in_time_waits_and_overstays_nothing():
    done = bill(over(Status.FULFILLED, left_at=after(8_000)), a_deal(), [charged(4_200)], NOON)

    assert [one.kind for one in done.lines] == [Kind.RESERVATION, Kind.ENERGY]


def test_who_comes_and_does_not_charge_pays_the_reservation_alone():
    came = over(Status.FULFILLED, arrived_at=after(4_500 + 360), left_at=after(5_000))

    done = bill(came, a_deal(), [], after(5_000))

    assert kinds(done.lines) == [("RESERVATION", 1, 200), ("RESERVATION_TIME", 360, 40)]
    assert (done.energy_wh, done.charging_s) == (0, 0)


def test_two_sessions_of_one_reservation_are_billed_as_one():
    tariff = a_tariff([flat(1), energy(1, step=1000)], currency="GBP")
    first, second = charged(4_500, minutes=10, wh=1_200), charged(6_000, minutes=10, wh=1_300)

    done = bill(over(Status.FULFILLED), a_deal(tariff=tariff), [second, first], after(9_000))

    assert kinds(done.lines) == [("FLAT", 1, 100), ("ENERGY", 3000, 300)]
    assert done.energy_wh == 2_500


@pytest.mark.parametrize(("left_s", "counted_s"), [(4_590, 90), (4_520, 60)])
def test_a_session_whose_end_was_never_told_counts_until_its_car_left(left_s, counted_s):
    session = a_session(started_at=after(4_500), energy_wh=5_000, sampled_at=after(4_560))
    tariff = a_tariff([time(60)], currency="GBP")
    left = over(Status.FULFILLED, left_at=after(left_s))

    done = bill(left, a_deal(tariff=tariff), [Charged(session, [])], after(300_000))

    # but for what it has said itself
    assert kinds(done.lines) == [("TIME", counted_s, counted_s * 100 // 60)]


def test_a_session_whose_end_was_never_told_counts_until_now():
    session = a_session(started_at=after(4_500), energy_wh=5_000)
    tariff = a_tariff([time(60)], currency="GBP")

    done = bill(over(Status.FULFILLED), a_deal(tariff=tariff), [Charged(session, [])], after(4_560))

    assert kinds(done.lines) == [("TIME", 60, 100)]


def test_t05_no_time_counts_from_before_the_reservation_was_made():
    odd_clock = charged(minutes=30)
    odd_clock = replace(
        odd_clock, session=replace(odd_clock.session, started_at=NOON - timedelta(days=20_000))
    )
    tariff = a_tariff([time(60)], currency="GBP")

    done = bill(over(Status.FULFILLED), a_deal(tariff=tariff), [odd_clock], after(9_000))

    # noon to 13:45, when its charging ended
    assert kinds(done.lines) == [("TIME", 6300, 10_500)]


@pytest.mark.parametrize(
    ("notice_s", "kept"), [(7200, 0), (3600, 0), (3599, 50), (600, 50), (599, 100), (0, 100)]
)
def test_canceling_keeps_what_the_terms_keep(notice_s, kept):
    canceled = over(Status.CANCELED, status_at=after(4_500 - notice_s))

    done = bill(canceled, a_deal(), [], NOON)

    assert done.total_minor == kept
    assert all(one.part_pct < 100 for one in done.lines)


def test_canceling_after_the_start_keeps_everything_and_the_time_the_bay_was_kept():
    canceled = over(Status.CANCELED, status_at=after(4_500 + 900))

    assert kinds(bill(canceled, a_deal(), [], NOON).lines) == [
        ("RESERVATION", 1, 200),
        ("RESERVATION_TIME", 900, 100),
    ]


def test_a_hold_that_is_canceled_costs_nothing():
    assert bill(over(Status.CANCELED, booked_at=None), a_deal(), [], NOON).lines == ()


def test_a_no_show_costs_what_was_quoted_for_it():
    done = bill(over(Status.NO_SHOW), a_deal(), [], NOON)

    assert kinds(done.lines) == [
        ("RESERVATION", 1, 200),
        ("RESERVATION_TIME", 900, 100),
        ("EXPIRED", 1, 300),
        ("NO_SHOW", 1, 500),
    ]
    assert done.total_minor == quote(a_deal(), SLOT, None, 0).no_show_minor


def test_a_grace_longer_than_the_slot_is_the_slot():
    terms = replace(TERMS, grace_s=7200)

    done = bill(over(Status.NO_SHOW), a_deal(terms=terms), [], NOON)

    assert kinds(done.lines)[1] == ("RESERVATION_TIME", 3600, 400)


@pytest.mark.parametrize("status", [Status.FAILED, Status.REJECTED])
def test_nobody_pays_for_what_did_not_come_about(status):
    done = bill(over(status), a_deal(), [charged()], NOON)

    assert (done.lines, done.total_minor) == ((), 0)


@pytest.mark.parametrize("status", sorted(LIVE))
def test_what_is_not_over_is_not_billed(status):
    with pytest.raises(ValueError, match="not over"):
        bill(over(status), a_deal(), [], NOON)


@pytest.mark.parametrize(
    ("seconds", "minutes"), [(-60, 0), (0, 0), (0.000001, 1), (60, 1), (60.000001, 2), (3599, 60)]
)
def test_r15_each_minute_of_an_overstay_that_was_begun_counts(seconds, minutes):
    assert overstay_minutes(NOON, NOON + timedelta(seconds=seconds)) == minutes


def test_r15_an_overstay_costs_by_the_rule_to_the_cent():
    stayed = over(Status.FULFILLED, overstay_since=after(8_700), left_at=after(8_700 + 37 * 60 + 1))

    (line,) = [
        one for one in bill(stayed, a_deal(), [charged()], NOON).lines if one.kind is Kind.OVERSTAY
    ]

    assert (line.gross_minor, line.quantity) == (38 * 25, 38 * 60)


@pytest.mark.parametrize(
    ("tariff", "tax_minor"),
    [
        (a_tariff(energy(1, vat=10), parking(1, vat=25), currency="GBP"), 100),
        (a_tariff(energy(1, vat=25), currency="GBP"), 100),
        (a_tariff(energy(1), currency="GBP"), 0),
        (a_tariff(energy(1, vat=25), currency="GBP", tax_included="N/A"), 0),
    ],
)
def test_what_the_terms_say_is_what_is_paid_the_tax_is_in_it(tariff, tax_minor):
    done = bill(over(Status.NO_SHOW), a_deal(tariff=tariff), [], NOON)

    assert (done.total_minor, done.tax_minor) == (500, tax_minor)


def test_a_subscription_takes_its_percentage_off_by_component():
    deal = a_deal(discounts={Kind.ENERGY: 20, Kind.OVERSTAY: 50})
    stayed = over(Status.FULFILLED, overstay_since=after(8_700), left_at=after(8_760))

    done = bill(stayed, deal, [charged()], NOON)

    assert kinds(done.lines) == [
        ("RESERVATION", 1, 200),
        ("ENERGY", 10_000, 400),
        ("OVERSTAY", 60, 25),
    ]


# --- odd meters -----------------------------------------------------------------------------------


def metered(*registers, limit_w=11_000, minutes=60):
    """Return a session as its fold leaves it: a register a quarter of an hour, and its curve."""
    readings = [Sampled(after(900 * place), wh) for place, wh in enumerate(registers, start=1)]
    session = a_session(started_at=NOON, power_limit_w=limit_w)
    session = refolded(session, readings)
    session = stopped(
        ended(session, Stop(meter_stop_wh=None, reason="Local", at=after(minutes * 60)))
    )
    return Charged(session, curve(session, readings))


@pytest.mark.parametrize(
    "registers",
    [
        (3_750, 6_500, 500, 600),
        (3_750, 10**9, 10**9 + 2_750, 10**9 + 5_500),
        (3_750, 0, 2_750, 5_500),
        (22_000, 40_000, 60_000, 80_000),
        (-5, 3_750, 10**15, 6_500),
    ],
)
def test_t08_an_odd_meter_is_never_billed_above_what_was_possible(registers):
    odd = metered(*registers)
    tariff = a_tariff(energy(1), currency="GBP")

    done = bill(over(Status.FULFILLED), a_deal(tariff=tariff), [odd], after(9_000))

    assert odd.session.flags
    assert done.flags == odd.session.flags
    assert done.is_for_review
    assert 0 <= done.energy_wh <= 11_000
    assert 0 <= done.total_minor <= 1100


def test_t08_what_is_impossible_at_an_instant_is_not_counted_before_it_is_possible():
    # 22 kWh in the first of four quarters, at 11 kW
    odd = metered(23_000, 23_000, 23_000, 23_000)
    stretch = stretch_of(odd, NOON, after(3_600))

    assert [one.energy_wh for one in stretch.points] == [2_750, 5_500, 8_250, 11_000, 11_000]


def test_a_meter_that_is_not_odd_is_billed_as_it_is():
    fine = metered(3_900, 6_700, 9_500, 12_200)

    done = bill(
        over(Status.FULFILLED),
        a_deal(tariff=a_tariff(energy(1), currency="GBP")),
        [fine],
        after(9_000),
    )

    # within what coarse clocks explain
    assert fine.session.flags == ()
    assert (done.energy_wh, done.is_for_review) == (11_200, False)


def test_a_power_that_cannot_be_is_no_reading():
    session = a_session(started_at=NOON, ended_at=after(60), power_limit_w=10_000, energy_wh=100)
    told = [float("nan"), 1e9, -200.0, 9_999.6, None]
    points = [(Sampled(after(one), power_w=power), 0) for one, power in enumerate(told)]

    stretch = stretch_of(Charged(session, points), NOON, after(60))

    assert [one.power_w for one in stretch.points] == [None, None, 0, 10_000, None, None]


# --- while it charges -----------------------------------------------------------------------------


def walk_in_minor(session, tariff, now):
    deal = Deal(tariff_id="t-1", tariff=tariff, zone=UTC, terms=Terms())
    return so_far_minor(None, deal, [Charged(session, ())], now)


def test_a_running_charge_costs_by_its_tariff_so_far():
    session = a_session(started_at=NOON, energy_wh=6_000)
    tariff = a_tariff([energy("0.50", vat=20), time(6, vat=20)], currency="GBP")

    assert walk_in_minor(session, tariff, after(1_800)) == 360 + 360


def test_a_charge_that_is_done_costs_parking_and_no_more_energy():
    session = a_session(started_at=NOON, energy_wh=6_000, charging_ended_at=after(1_800))
    dear_later = a_tariff(
        ([energy("0.50"), parking(6)], {"max_duration": 1_800}),
        [energy("9.00"), parking(6)],
        currency="GBP",
        tax_included="YES",
    )

    # energy by noon half past, then parked for a quarter of an hour
    assert walk_in_minor(session, TARIFF, after(2_700)) == 300 + 150
    assert walk_in_minor(session, dear_later, after(2_700)) == 300 + 150


def test_t05_no_charge_is_believed_to_last_for_years():
    session = a_session(started_at=NOON - timedelta(days=20_000), energy_wh=1_000)
    tariff = a_tariff((time(1), {"start_time": "00:00", "end_time": "12:00"}), currency="GBP")

    assert walk_in_minor(session, tariff, NOON) == 31 * 12 * 100
    stretch = stretch_of(Charged(session, []), session.started_at, NOON)
    assert stretch.ends_at - stretch.starts_at == timedelta(days=31)


def test_an_ended_charge_costs_the_same_whenever_it_is_asked():
    session = a_session(started_at=NOON, energy_wh=6_000, ended_at=after(1_800))

    costs = {walk_in_minor(session, TARIFF, after(one)) for one in (0, 1_800, 90_000)}

    assert costs == {300}


def test_what_is_promised_costs_so_far_what_its_bill_would_say():
    promised = a_reservation(status=Status.CHARGING, booked_at=NOON)
    deal = a_deal(discounts={Kind.ENERGY: 20})
    one, two = charged(4_800), charged(7_200, minutes=10, wh=2_000)
    left_at = after(8_700)

    # 2.00 and 5 minutes at 4.00 an hour; 12 kWh at 0.40
    assert so_far_minor(promised, deal, [one], after(6_600)) == 200 + 33 + 400
    assert so_far_minor(promised, deal, [one, two], after(7_800)) == 200 + 33 + 480
    late = replace(promised, overstay_since=after(8_100), status=Status.OVERSTAYING)
    ended = so_far_minor(late, deal, [one, two], left_at)
    done = bill(
        over(Status.FULFILLED, overstay_since=after(8_100), left_at=left_at),
        deal,
        [one, two],
        after(9_000),
    )
    assert ended == done.total_minor == 713 + 10 * 25


def test_what_is_over_costs_what_was_billed_whatever_was_charged_after_all():
    assert so_far_minor(over(Status.FAILED), a_deal(), [charged()], after(9_000)) == 0


# --- the price alone, and by example ----------------------------------------------------------------


@given(st.sampled_from(["GBP", "JPY", "KWD"]), st.integers(0, 10**6))
def test_an_id_can_say_a_price_and_so_freeze_it(currency, price_minor):
    tariff = simple_tariff(simple_id(currency, price_minor))

    assert tariff == by_the_kwh(currency, price_minor)


@pytest.mark.parametrize("tariff_id", ["", "kwh", "kwh:GBP", "kwh:GBP:-5", "0f3a", "kw:GBP:5"])
def test_other_ids_say_nothing(tariff_id):
    assert simple_tariff(tariff_id) is None


def test_an_example_is_worked_by_the_engine_that_bills():
    used = Used(starts_at=NOON, energy_wh=30_000, charging_s=2700, parked_s=1200)

    assert sentence(TARIFF, used, LONDON) == "30 kWh, 45 min + 20 min parked = 17.00 GBP"
    assert sums(lines_of(TARIFF, used, LONDON))[1] == 1700


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({}, "30 kWh, 45 min = 15.00 GBP"),
        ({"is_reserved": True}, "30 kWh, 45 min, reserved = 17.00 GBP"),
        (
            {"is_reserved": True, "waited_s": 900},
            "30 kWh, 45 min, reserved 15 min before = 18.00 GBP",
        ),
    ],
)
def test_an_example_may_be_reserved(more, said):
    used = Used(starts_at=NOON, energy_wh=30_000, charging_s=2700, **more)

    assert sentence(TARIFF, used, LONDON) == said


@given(st.integers(-(10**9), 10**9), st.integers(1, 10**6))
def test_rounding_up_is_exact(numerator, denominator):
    up = ceil_div(numerator, denominator)

    assert (up - 1) * denominator < numerator <= up * denominator


# --- what can be charged --------------------------------------------------------------------------


@given(st.integers(1, 40_000))
def test_of_three_decimals_what_is_due_ends_in_nought_and_is_rounded_for_the_driver(wh):
    tariff = a_tariff(energy("0.1337", vat=5), currency="KWD", tax_included="YES")
    deal = a_deal(tariff=tariff)
    done = bill(over(Status.FULFILLED), deal, [charged(wh=wh)], after(9_000))
    exact_minor = gross_of(one for one in done.lines if one.kind is not Kind.ROUNDING)
    quoted = quote(deal, SLOT, wh, 40_000)

    assert done.total_minor % 10 == 0
    assert 0 <= exact_minor - done.total_minor < 10
    assert done.tax_minor == sum(one.tax_minor for one in done.lines)
    assert quoted.total_minor % 10 == quoted.authorise_minor % 10 == 0
    assert quoted.total_minor == expected_minor(deal, SLOT, wh, 40_000)
    assert quoted.authorise_minor >= quoted.total_minor


def test_of_two_decimals_nothing_is_rounded_away():
    done = bill(over(Status.FULFILLED), a_deal(), [charged(wh=10_001)], after(9_000))

    assert Kind.ROUNDING not in {one.kind for one in done.lines}
