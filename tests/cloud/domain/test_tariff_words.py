"""A tariff in words: what a display shows before a driver charges."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.domain.tariff_data import tariff_of
from cloud.domain.tariff_words import MOST, in_words
from cloud.domain.tariffs import by_the_kwh
from tests.cloud.domain.charging import a_tariff, energy, flat, parking, time
from tests.cloud.domain.test_tariff_data import FULL

AT_NIGHT = {"start_time": "22:00", "end_time": "06:00"}


@pytest.mark.parametrize(
    ("tariff", "said"),
    [
        (by_the_kwh("GBP", 55), "0.55 GBP per kWh."),
        (by_the_kwh("JPY", 60), "60 JPY per kWh."),
        (
            a_tariff([energy("0.5525", "20"), flat("1.00", "20")]),
            "0.5525 EUR per kWh + 1.00 EUR per charge (plus 20 % tax).",
        ),
        (
            a_tariff([energy(0.5, "19"), time("2.40", "7"), parking(6)], tax_included="YES"),
            (
                "0.50 EUR per kWh + 2.40 EUR per hour of charging + 6.00 EUR per hour of parking"
                " (incl. tax)."
            ),
        ),
        (
            a_tariff((energy("0.35"), AT_NIGHT), energy("0.55"), tax_included="N/A"),
            "from 22:00, until 06:00: 0.35 EUR per kWh; otherwise 0.55 EUR per kWh.",
        ),
        (
            a_tariff(
                (energy("0.35"), AT_NIGHT),
                [parking(6), energy("0.55")],
                energy(9),
                flat(2),
                tax_included="N/A",
            ),
            (
                "from 22:00, until 06:00: 0.35 EUR per kWh; 6.00 EUR per hour of parking;"
                " otherwise 0.55 EUR per kWh; 2.00 EUR per charge."
            ),
        ),
        (
            a_tariff((flat("1.00"), {"reservation": "RESERVATION"}), tax_included="N/A"),
            "free of charge.",
        ),
        (
            tariff_of(FULL, "EUR"),
            (
                "Mon/Sun, from 22:00, until 06:00, from 2026-01-01, before 2026-12-31, from 1 kWh,"
                " up to 20.5 kWh, from 3.7 kW, below 50 kW, after 1 min, in the first 2 h:"
                " 0.2575 EUR per kWh; 6.00 EUR per hour of parking;"
                " at least 0.55 EUR; at most 10.00 EUR (plus tax)."
            ),
        ),
    ],
)
def test_a_tariff_is_said_in_a_line(tariff, said):
    assert in_words(tariff) == said


@given(st.integers(1, 60))
def test_a_tariff_of_any_length_has_room_on_a_display(number):
    elements = [(energy(one), {"min_kwh": one}) for one in range(number)]
    said = in_words(a_tariff(*elements, energy("0.55")))

    assert len(said) <= MOST
    assert said.isascii()
    assert said.endswith("..." + " (plus tax).") or "otherwise 0.55 EUR" in said
