"""Tariffs as plain data: read to the last decimal, written back equal, and refused by field."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.domain.errors import NotValid
from cloud.domain.money import decimal, exponent, shortest, written
from cloud.domain.tariff_data import MOST_ELEMENTS, data_of, tariff_of
from cloud.domain.tariffs import Dimension

FULL: dict[str, Any] = {
    "tax_included": "NO",
    "min_price": {"before_taxes": "0.50", "after_taxes": "0.55"},
    "max_price": {"before_taxes": "10.00"},
    "elements": [
        {
            "price_components": [
                {"type": "FLAT", "price": "2.00", "vat": "15", "step_size": 1},
                {"type": "TIME", "price": "5.00", "step_size": 300},
            ],
            "restrictions": {"reservation": "RESERVATION"},
        },
        {
            "price_components": [
                {"type": "ENERGY", "price": "0.2575", "vat": "5.2", "step_size": 100}
            ],
            "restrictions": {
                "start_time": "22:00",
                "end_time": "06:00",
                "start_date": "2026-01-01",
                "end_date": "2026-12-31",
                "day_of_week": ["MONDAY", "SUNDAY"],
                "min_kwh": "1",
                "max_kwh": "20.5",
                "min_power": "3.7",
                "max_power": "50",
                "min_duration": 60,
                "max_duration": 7200,
            },
        },
        {"price_components": [{"type": "PARKING_TIME", "price": "6.00", "step_size": 60}]},
    ],
}


def changed(path: str, value: Any) -> dict[str, Any]:
    """Return FULL with one field set, or with None taken out."""
    data = json.loads(json.dumps(FULL))
    *way, last = [int(one) if one.isdigit() else one for one in path.split(".")]
    part = data
    for step in way:
        part = part[step]
    part[last] = value
    return data


def test_what_is_written_reads_back_equal():
    assert data_of(tariff_of(FULL, "EUR")) == FULL


def test_what_is_not_said_is_not_written():
    component = {"type": "FLAT", "price": "1.00", "step_size": 1}
    data = {"tax_included": "YES", "elements": [{"price_components": [component]}]}

    assert data_of(tariff_of(data, "EUR")) == data


@pytest.mark.parametrize("price", [0.2575, "0.2575", "00.25750"])
def test_a_number_may_be_text_or_a_float_and_is_exact(price):
    component = {"type": "ENERGY", "price": price}
    data = {"tax_included": "YES", "elements": [{"price_components": [component]}]}

    (element,) = tariff_of(data, "GBP").elements

    assert element.components[0].price_e4 == 2575
    assert element.components[0].step_size == 1


@given(st.integers(0, 10**10), st.sampled_from([float, str]))
def test_four_decimals_survive_a_float(price_e4, kind):
    text = shortest(price_e4, 4)
    price = float(text) if kind is float else text
    component = {"type": "ENERGY", "price": price}
    data = {"tax_included": "YES", "elements": [{"price_components": [component]}]}

    assert tariff_of(data, "GBP").elements[0].components[0].price_e4 == price_e4


E0 = "elements.0.price_components.0"
R1 = "elements.1.restrictions"


@pytest.mark.parametrize(
    ("path", "value", "field"),
    [
        ("tax_included", None, "tax_included"),
        ("tax_included", "MAYBE", "tax_included"),
        ("elements", [], "elements"),
        ("elements", {}, "elements"),
        ("elements", [{}] * (MOST_ELEMENTS + 1), "elements"),
        ("elements.0", [], "elements[0]"),
        ("elements.0.price_components", None, "elements[0].price_components"),
        ("elements.0.more", 1, "elements[0].more"),
        (f"{E0}.type", "COFFEE", "elements[0].price_components[0].type"),
        (f"{E0}.type", ["FLAT"], "elements[0].price_components[0].type"),
        (f"{E0}.type", "TIME", "elements[0].price_components[1].type"),
        (f"{E0}.type", "ENERGY", "elements[0].price_components[0].type"),
        (f"{E0}.price", None, "elements[0].price_components[0].price"),
        (f"{E0}.price", True, "elements[0].price_components[0].price"),
        (f"{E0}.price", "two", "elements[0].price_components[0].price"),
        (f"{E0}.price", -1, "elements[0].price_components[0].price"),
        (f"{E0}.price", 1_000_001, "elements[0].price_components[0].price"),
        (f"{E0}.price", 10**4000, "elements[0].price_components[0].price"),
        (f"{E0}.price", float("nan"), "elements[0].price_components[0].price"),
        (f"{E0}.price", float("inf"), "elements[0].price_components[0].price"),
        (f"{E0}.price", "1e309", "elements[0].price_components[0].price"),
        (f"{E0}.price", "1e-999999", "elements[0].price_components[0].price"),
        (f"{E0}.price", 0.00001, "elements[0].price_components[0].price"),
        (f"{E0}.price", "0." + "0" * 40 + "1", "elements[0].price_components[0].price"),
        (f"{E0}.vat", 101, "elements[0].price_components[0].vat"),
        (f"{E0}.step_size", 1.5, "elements[0].price_components[0].step_size"),
        (f"{E0}.step_size", True, "elements[0].price_components[0].step_size"),
        (f"{E0}.step_size", -1, "elements[0].price_components[0].step_size"),
        (f"{E0}.colour", "red", "elements[0].price_components[0].colour"),
        (f"{R1}.start_time", "24:00", "elements[1].restrictions.start_time"),
        (f"{R1}.end_time", 6, "elements[1].restrictions.end_time"),
        (f"{R1}.start_date", "2026-02-30", "elements[1].restrictions.start_date"),
        (f"{R1}.start_date", "26-02-01", "elements[1].restrictions.start_date"),
        (f"{R1}.end_date", "2026-01-01", "elements[1].restrictions.start_date"),
        (f"{R1}.day_of_week", ["FUNDAY"], "elements[1].restrictions.day_of_week[0]"),
        (f"{R1}.day_of_week", [[]], "elements[1].restrictions.day_of_week[0]"),
        (f"{R1}.min_kwh", 30, "elements[1].restrictions.min_kwh"),
        (f"{R1}.min_kwh", "0.0001", "elements[1].restrictions.min_kwh"),
        (f"{R1}.max_power", 3, "elements[1].restrictions.min_power"),
        (f"{R1}.min_duration", 7200, "elements[1].restrictions.min_duration"),
        (f"{R1}.max_duration", 10**9, "elements[1].restrictions.max_duration"),
        (f"{R1}.min_current", 32, "elements[1].restrictions.min_current"),
        (f"{R1}.reservation", "LATER", "elements[1].restrictions.reservation"),
        ("min_price", 5, "min_price"),
        ("max_price", [], "max_price"),
        ("min_price.before_taxes", None, "min_price.before_taxes"),
        ("min_price.before_taxes", "0.505", "min_price.before_taxes"),
        ("min_price.after_taxes", "0.45", "min_price.after_taxes"),
        ("max_price.before_taxes", "0.40", "min_price"),
        ("max_price", {"before_taxes": "0.50", "after_taxes": "0.54"}, "min_price"),
        ("start_date_time", "2026-01-01T00:00:00Z", "start_date_time"),
    ],
)
def test_what_is_wrong_is_refused_by_its_field(path, value, field):
    with pytest.raises(NotValid) as refused:
        tariff_of(changed(path, value), "EUR")

    assert refused.value.subject == field
    assert refused.value.detail.startswith(field)
    assert refused.value.detail.endswith(".")


@pytest.mark.parametrize("data", [None, 5, [], "tariff"])
def test_what_is_no_object_is_no_tariff(data):
    with pytest.raises(NotValid):
        tariff_of(data, "EUR")


@pytest.mark.parametrize("currency", ["", "EURO", "eur", "E1R"])
def test_a_currency_is_three_letters(currency):
    with pytest.raises(NotValid):
        tariff_of(FULL, currency)


def test_a_flat_fee_may_have_a_step_of_nothing_as_in_ocpis_own_example():
    component = {"type": "FLAT", "price": 0, "step_size": 0}
    data = {"tax_included": "N/A", "elements": [{"price_components": [component]}]}

    (element,) = tariff_of(data, "EUR").elements

    assert element.components[0].dimension is Dimension.FLAT


WORDS = st.sampled_from(
    [*FULL, "price_components", "restrictions", "type", "price", "vat", "ENERGY", "YES", "0.25"]
)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=5),
    max_leaves=20,
)


@given(ANYTHING)
def test_p11_whatever_comes_is_a_tariff_or_is_refused(data):
    try:
        tariff = tariff_of(data, "EUR")
    except NotValid:
        return

    assert tariff_of(data_of(tariff), "EUR") == tariff


@given(st.sampled_from([*range(3)]), ANYTHING)
def test_p11_whatever_stands_in_an_element_is_read_or_refused(place, data):
    tariff = FULL | {"elements": [*FULL["elements"][:place], data]}
    try:
        tariff_of(tariff, "EUR")
    except NotValid as refused:
        assert refused.subject.startswith(f"elements[{place}]")  # noqa: PT017 - there may be none


# --- money ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("minor", "currency", "said"),
    [
        (1250, "GBP", "12.50 GBP"),
        (-5, "EUR", "-0.05 EUR"),
        (1250, "JPY", "1250 JPY"),
        (1, "KWD", "0.001 KWD"),
        (12, "CLF", "0.0012 CLF"),
    ],
)
def test_amounts_are_written_with_the_decimals_of_their_currency(minor, currency, said):
    assert written(minor, currency) == said
    assert decimal(minor, currency) == said.split()[0]
    assert exponent(currency) == len(said.split()[0].partition(".")[2])


@pytest.mark.parametrize(
    ("value", "decimals", "least", "said"),
    [
        (2500, 4, 2, "0.25"),
        (2575, 4, 2, "0.2575"),
        (20_000, 4, 2, "2.00"),
        (20_000, 4, 0, "2"),
        (7, 0, 0, "7"),
    ],
)
def test_numbers_are_written_as_short_as_they_are(value, decimals, least, said):
    assert shortest(value, decimals, least) == said
