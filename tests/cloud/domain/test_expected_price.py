"""What searches compare is what is quoted afterwards, to the minor unit."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from cloud.domain.billing import Deal, expected_minor, quote
from cloud.domain.terms import Terms
from cloud.domain.windows import Window
from tests.cloud.builders import NOON
from tests.cloud.domain.charging import LONDON, a_tariff, energy, flat, parking, time

TARIFF = a_tariff(
    ([energy(0.3)], {"start_time": "13:00", "end_time": "14:30"}),
    ([flat(2)], {"reservation": "RESERVATION"}),
    [energy(0.55), time(1.2), parking(6), flat(0.5)],
)


@given(st.integers(-8, 40), st.integers(1, 32), st.integers(0, 90_000), st.integers(1, 350_000))
def test_the_price_of_a_search_is_the_total_of_the_quote(start, length, energy_wh, power_w):
    starts_at = NOON + timedelta(minutes=15 * start)
    window = Window(starts_at, starts_at + timedelta(minutes=15 * length))
    deal = Deal(tariff_id="t-1", tariff=TARIFF, zone=LONDON, terms=Terms())

    expected = expected_minor(deal, window, energy_wh, power_w)
    assert expected == quote(deal, window, energy_wh, power_w).total_minor
