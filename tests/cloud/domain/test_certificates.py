"""A charger's certificate goes one way, and is renewed before it ends."""

from dataclasses import replace
from datetime import timedelta
from itertools import product

import pytest

from cloud.domain.certificates import (
    NEXT,
    Certificate,
    Happening,
    Status,
    advance,
    counting,
    renewal_at,
)
from cloud.domain.errors import IllegalTransition
from tests.cloud.builders import NOON


def a_certificate(**changes) -> Certificate:
    made = Certificate(
        id="c-1", charger_id="CP-1", purpose="", csr="PEM", requested_at=NOON, changed_at=NOON
    )
    return replace(made, **changes)


@pytest.mark.parametrize(("status", "happening"), list(product(Status, Happening)))
def test_every_pair_is_in_the_table_or_refused(status, happening):
    start = a_certificate(status=status)

    if (status, happening) in NEXT:
        assert advance(start, happening, NOON).status is NEXT[status, happening]
    else:
        with pytest.raises(IllegalTransition):
            advance(start, happening, NOON)


@pytest.mark.parametrize(
    ("lasts", "renewed_before_end"),
    [
        (timedelta(days=365), timedelta(days=30)),
        (timedelta(days=90), timedelta(days=30)),
        (timedelta(days=3), timedelta(days=1)),
    ],
)
def test_it_is_renewed_a_month_before_its_end_or_after_two_thirds(lasts, renewed_before_end):
    certificate = a_certificate(valid_until=NOON + lasts)

    assert renewal_at(certificate) == NOON + lasts - renewed_before_end


def test_what_has_no_end_is_never_renewed():
    assert renewal_at(a_certificate()) is None


@pytest.mark.parametrize(
    ("newest_first", "serials"),
    [
        ([], ()),
        ([("a", False)], ()),
        ([("b", False), ("a", False)], ()),
        ([("a", True)], ("a",)),
        ([("b", False), ("a", True)], ("b", "a")),
        ([("b", True), ("a", True)], ("b",)),
        ([("c", False), ("b", True), ("a", False)], ("c", "b")),
    ],
)
def test_s03_those_count_that_are_in_use_or_came_since(newest_first, serials):
    assert counting(newest_first) == serials
