"""The worked examples OCPI 2.3.0 prints, with the figures it prints (R13).

From mod_tariffs and mod_cdrs (`step_size`). Where two of its texts differ, the errata count: of time and
parking time only the one that ends the charge is rounded up (ocpi/ocpi issues 396 and 546).
"""

from fractions import Fraction

import pytest

from cloud.domain.bill_lines import Amount, exact
from cloud.domain.charges import Charge, Stretch
from cloud.domain.tariffs import charge_lines, reservation_lines
from tests.cloud.domain.charging import (
    BERLIN,
    a_charge,
    a_curve,
    a_tariff,
    at,
    billed,
    energy,
    flat,
    parking,
    sums,
    time,
)

SIMPLE = a_tariff(energy(0.25, vat=10))
START_FEE = a_tariff([flat(0.50, vat=20), energy(0.25, vat=10)])
MINIMUM = a_tariff(energy(0.25, vat=10), min_price={"before_taxes": 0.50, "after_taxes": 0.55})
PARKING_FEE = a_tariff([flat(0.50, vat=20), energy(0.25, vat=10), parking(2, vat=20, step=900)])
MAXIMUM = a_tariff(
    [flat(0.50, vat=20), energy(0.25, vat=10)],
    max_price={"before_taxes": 10, "after_taxes": 11},
)
BY_THE_HOUR = a_tariff(time(2, vat=10, step=60))
TIME_AND_PARKING = a_tariff([time(3, vat=10, step=60), parking(5, vat=20, step=300)])
ODD_TAX = a_tariff(time(1.9, vat=5.2, step=300))
IN_BLOCKS = a_tariff([flat(0.50, vat=20), energy(0.25, vat=10, step=100)])
FREE = a_tariff(flat(0))


@pytest.mark.parametrize(
    ("tariff", "charge", "net", "gross"),
    [
        pytest.param(SIMPLE, a_charge(kwh=20), 500, 550, id="0.25 a kWh"),
        pytest.param(START_FEE, a_charge(kwh=20), 550, 610, id="start fee"),
        pytest.param(MINIMUM, a_charge(kwh=20), 500, 550, id="above the minimum"),
        pytest.param(MINIMUM, a_charge(kwh=1), 50, 55, id="minimum price"),
        pytest.param(PARKING_FEE, a_charge(parked_min=40, kwh=20), 700, 790, id="parking fee"),
        pytest.param(MAXIMUM, a_charge(kwh=50), 1000, 1100, id="maximum price"),
        pytest.param(MAXIMUM, a_charge(kwh=30), 800, 885, id="below the maximum"),
        pytest.param(BY_THE_HOUR, a_charge(charged_min=150), 500, 550, id="2 an hour"),
        pytest.param(
            TIME_AND_PARKING, a_charge(charged_min=150, parked_min=42), 1125, 1275, id="parking"
        ),
        pytest.param(ODD_TAX, a_charge(charged_min=150), 475, 500, id="tax of 5.2 %"),
        pytest.param(IN_BLOCKS, a_charge(kwh=20.45), 563, 624, id="blocks of 100 Wh"),
        pytest.param(FREE, a_charge(kwh=20), 0, 0, id="free of charge"),
    ],
)
def test_r13_simple_tariffs_cost_what_ocpi_says(tariff, charge, net, gross):
    assert sums(charge_lines(tariff, charge, BERLIN)) == (net, gross)


# 32 A of three phases at 230 V is 22.08 kW; here restrictions are by power alone
COMPLEX = a_tariff(
    flat(2.50, vat=15),
    (time(1, vat=20, step=900), {"max_power": 22}),
    (
        time(2, vat=20, step=600),
        {
            "min_power": 22,
            "day_of_week": ["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY"],
        },
    ),
    (time(1.25, vat=20, step=600), {"min_power": 22, "day_of_week": ["SATURDAY", "SUNDAY"]}),
    (
        parking(5, vat=10, step=300),
        {
            "start_time": "09:00",
            "end_time": "18:00",
            "day_of_week": ["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY"],
        },
    ),
    (
        parking(6, vat=10, step=300),
        {"start_time": "10:00", "end_time": "17:00", "day_of_week": ["SATURDAY"]},
    ),
)


def exactly(tariff, lines) -> tuple[Fraction, Fraction]:
    """Return net and gross in minor units before they were rounded."""
    parts = [
        exact(
            Amount(one.kind, one.quantity, one.price_e4, one.vat_ppm),
            tariff.currency,
            tariff.tax_included,
        )
        for one in lines
    ]
    return sum(Fraction(*net) for net, _ in parts), sum(Fraction(*gross) for _, gross in parts)


def test_r13_the_complex_tariff_on_a_monday():
    charge = a_charge("2026-01-05 09:30", charged_min=165, parked_min=42, kwh=30)

    lines = charge_lines(COMPLEX, charge, BERLIN)

    assert billed(lines) == [("FLAT", 1, 250), ("TIME", 9900, 275), ("PARKING_TIME", 2700, 375)]
    assert exactly(COMPLEX, lines) == (900, 1030)
    # rounded line by line: 2.875, 3.30 and 4.125
    assert [one.gross_minor for one in lines] == [288, 330, 413]


def test_r13_the_complex_tariff_on_a_saturday():
    charge = a_charge("2026-01-10 13:30", charged_min=114, parked_min=71, kwh=57)

    lines = charge_lines(COMPLEX, charge, BERLIN)

    # OCPI prints 2.28 for the 114 minutes at 1.25 an hour, which are 2.375 (ocpi/ocpi issue 396)
    assert billed(lines) == [("FLAT", 1, 250), ("TIME", 6840, 238), ("PARKING_TIME", 4500, 750)]
    assert exactly(COMPLEX, lines) == (Fraction("1237.5"), Fraction("1397.5"))


SWITCHING = a_tariff(
    (
        [time(1.20, step=1800), parking(1, step=900)],
        {"start_time": "00:00", "end_time": "17:00"},
    ),
    ([time(2.40, step=900), parking(1, step=900)], {"start_time": "17:00", "end_time": "20:00"}),
    (time(2.40, step=900), {"start_time": "20:00", "end_time": "00:00"}),
)


@pytest.mark.parametrize(
    ("charge", "lines"),
    [
        pytest.param(
            a_charge("16:55", charged_min=10, parked_min=2),
            [("TIME", 300, 10), ("TIME", 300, 20), ("PARKING_TIME", 900, 25)],
            id="1",
        ),
        pytest.param(
            a_charge("16:35", charged_min=35), [("TIME", 1500, 50), ("TIME", 1200, 80)], id="2"
        ),
        pytest.param(
            a_charge("19:40", charged_min=12, parked_min=20),
            [("TIME", 720, 48), ("PARKING_TIME", 900, 25)],
            id="free after 20:00",
        ),
    ],
)
def test_r13_steps_count_once_and_at_the_last_price(charge, lines):
    assert billed(charge_lines(SWITCHING, charge, BERLIN)) == lines


def test_r13_all_energy_is_rounded_up_together():
    tariff = a_tariff(
        (energy(0.20, step=500), {"end_time": "17:00"}),
        energy(0.27, step=500),
    )
    charge = a_curve((60, 4.3), (90, 5.4), start="16:00")

    assert billed(charge_lines(tariff, charge, BERLIN)) == [
        ("ENERGY", 4300, 86),
        ("ENERGY", 1200, 32),
    ]


def test_r13_all_time_is_rounded_up_together():
    tariff = a_tariff((time(5, step=600), {"end_time": "17:00"}), time(7, step=600))
    charge = a_charge("16:54", charged_min=28)

    assert billed(charge_lines(tariff, charge, BERLIN)) == [("TIME", 360, 50), ("TIME", 1440, 280)]


@pytest.mark.parametrize(
    ("charged_min", "parked_min", "step_s", "billed_s"),
    [(21, 7, 300, (1260, 600)), (21, 16, 600, (1260, 1200))],
)
def test_r13_time_that_is_followed_by_parking_is_not_rounded(
    charged_min, parked_min, step_s, billed_s
):
    tariff = a_tariff([time(1, step=step_s), parking(2, step=step_s)])
    charge = a_charge(charged_min=charged_min, parked_min=parked_min)

    lines = charge_lines(tariff, charge, BERLIN)

    assert tuple(one.quantity for one in lines) == billed_s


@pytest.mark.parametrize(
    ("wh", "step", "billed_wh"), [(116, 1, 116), (101, 25, 125), (125, 25, 125), (1, 500, 500)]
)
def test_r13_energy_is_billed_in_blocks(wh, step, billed_wh):
    lines = charge_lines(a_tariff(energy(0.25, step=step)), a_charge(kwh=wh / 1000), BERLIN)

    assert [one.quantity for one in lines] == [billed_wh]


def test_r13_the_faster_the_dearer():
    tariff = a_tariff(
        (energy(0.20, vat=20), {"max_power": 16}),
        (energy(0.35, vat=20), {"max_power": 32}),
        energy(0.50, vat=20),
    )
    # 6 kW for 1 kWh, 48 kW for 40 kWh, 4 kW for 0.5 kWh
    charge = a_curve((10, 1), (60, 41), (67.5, 41.5))

    assert billed(charge_lines(tariff, charge, BERLIN)) == [
        ("ENERGY", 1500, 30),
        ("ENERGY", 40_000, 2000),
    ]


def test_r13_the_first_half_hour_is_free():
    tariff = a_tariff(
        (energy(0, vat=20), {"max_duration": 1800}),
        (energy(0.25, vat=20), {"max_duration": 3600}),
        energy(0.40, vat=20),
    )
    charge = a_curve((30, 5), (40, 6.2))

    assert billed(charge_lines(tariff, charge, BERLIN)) == [
        ("ENERGY", 5000, 0),
        ("ENERGY", 1200, 30),
    ]


def test_r13_the_first_kilowatt_hour_and_the_first_hour_are_free():
    tariff = a_tariff(
        (parking(0, step=60), {"max_duration": 3600}),
        (parking(2, step=60), {"min_duration": 3600, "max_duration": 14_400}),
        (parking(3, step=60), {"min_duration": 14_400}),
        (energy(0), {"max_kwh": 1}),
        (energy(0.20), {"min_kwh": 1}),
    )
    # plugged in for as long as no time passes, then parked for 2.75 hours
    charge = a_charge(charged_min=0, parked_min=165, kwh=20)

    assert sums(charge_lines(tariff, charge, BERLIN))[0] == 380 + 350


# --- reservations ---------------------------------------------------------------------------------

CHARGED = [flat(0.50, vat=20), energy(0.25, vat=10)]
RESERVED = {"reservation": "RESERVATION"}
EXPIRES = {"reservation": "RESERVATION_EXPIRES"}

BY_TIME = a_tariff((time(5, vat=20, step=60), RESERVED), CHARGED)
FEE_AND_TIME = a_tariff(([flat(2, vat=20), time(5, vat=20, step=300)], RESERVED), CHARGED)
EXPIRY_FEE = a_tariff((flat(4, vat=20), EXPIRES), (time(2, vat=20, step=600), RESERVED), CHARGED)
EXPIRY_TIME = a_tariff(
    (time(6, vat=20, step=600), EXPIRES), (time(3, vat=20, step=600), RESERVED), CHARGED
)


def waited(minutes: int) -> Charge:
    starts_at = at("10:00")
    return Charge(
        (Stretch(starts_at=starts_at, ends_at=at(f"{10 + minutes // 60}:{minutes % 60:02}")),)
    )


@pytest.mark.parametrize(
    ("tariff", "minutes", "net", "gross"),
    [
        pytest.param(BY_TIME, 15, 675, 760, id="by time"),
        pytest.param(FEE_AND_TIME, 13, 875, 1000, id="fee and time"),
        pytest.param(EXPIRY_FEE, 22, 650, 730, id="expiry fee"),
        pytest.param(EXPIRY_TIME, 22, 700, 790, id="expiry time"),
    ],
)
def test_r13_a_reservation_that_is_used_costs_what_ocpi_says(tariff, minutes, net, gross):
    lines = (
        *reservation_lines(tariff, waited(minutes), BERLIN),
        *charge_lines(tariff, a_charge(kwh=20), BERLIN),
    )

    assert sums(lines) == (net, gross)


@pytest.mark.parametrize(
    ("tariff", "minutes", "net", "gross"),
    [
        pytest.param(EXPIRY_FEE, 60, 600, 720, id="expiry fee"),
        pytest.param(EXPIRY_TIME, 90, 900, 1080, id="expiry time"),
    ],
)
def test_r13_a_reservation_that_expires_costs_what_ocpi_says(tariff, minutes, net, gross):
    lines = reservation_lines(tariff, waited(minutes), BERLIN, is_expired=True)

    assert sums(lines) == (net, gross)
