"""Credit notes take back just what the ledger says, line by line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.domain.bill_lines import Kind, Line
from cloud.domain.billing import gross_of, net_of
from cloud.domain.credit_notes import credited, remaining, shared_out


def a_line(kind, net_minor, tax_minor, vat_ppm=200_000):
    return Line(
        kind=kind,
        quantity=1,
        price_e4=1,
        vat_ppm=vat_ppm,
        net_minor=net_minor,
        gross_minor=net_minor + tax_minor,
    )


LINES = (
    a_line(Kind.RESERVATION, 167, 33),
    a_line(Kind.ENERGY, 1_000, 200),
    a_line(Kind.ENERGY, 1_000, 200),
    a_line(Kind.FLAT, 50, 0, None),
    a_line(Kind.MAXIMUM, -117, -23),
)


def test_each_line_gives_its_share_and_a_lines_minus_is_a_plus():
    taken = credited(LINES, 1_050, 205)

    assert [(one.kind.value, one.net_minor, one.tax_minor) for one in taken] == [
        ("RESERVATION", -83, -16),
        ("ENERGY", -500, -100),
        ("ENERGY", -500, -100),
        ("FLAT", -25, 0),
        ("MAXIMUM", 58, 11),
    ]


def test_what_gives_nothing_has_no_line():
    assert [one.kind for one in credited(LINES[:4], 1, 0)] == [Kind.FLAT]
    assert credited((), 0, 0) == ()


@pytest.mark.parametrize(("net", "tax"), [(2_101, 0), (0, 411), (-1, 0)])
def test_more_than_there_is_cannot_be_taken_back(net, tax):
    with pytest.raises(ValueError, match="shared out"):
        credited(LINES, net, tax)


@given(st.data())
def test_note_after_note_receipt_and_notes_sum_to_what_is_left(data):
    notes: list[tuple[Line, ...]] = []
    net, tax = net_of(LINES), gross_of(LINES) - net_of(LINES)
    for _ in range(data.draw(st.integers(1, 4))):
        left = remaining(LINES, notes)
        less_net, less_tax = data.draw(st.integers(0, net)), data.draw(st.integers(0, tax))
        notes.append(credited(left, less_net, less_tax))
        net, tax = net - less_net, tax - less_tax
    left = remaining(LINES, notes)

    together = [*LINES, *(line for note in notes for line in note)]
    assert net_of(together) == net_of(left) == net
    assert gross_of(together) == gross_of(left) == net + tax
    credited(left, net, tax)


def test_parts_sum_to_their_total_whatever_their_signs():
    assert shared_out(7, [10, -10, 14]) == [5, -5, 7]
    assert sum(shared_out(3, [1, 1, 1, 1])) == 3
