"""Refusals read as sentences, with a code that never changes; and small rules beside them."""

import runpy
import sys

import pytest

from cloud.domain import errors
from cloud.domain.thinning import ENOUGH, kept
from cloud.domain.truth_table import document
from tests.cloud.builders import Sampled, a_session, after


def every_refusal(kind=errors.Refused):
    return [kind, *(one for sub in kind.__subclasses__() for one in every_refusal(sub))]


def test_every_refusal_has_a_code_of_its_own_and_a_sentence():
    kinds = every_refusal()
    codes = [kind.code for kind in kinds]

    assert len(set(codes)) == len(codes)
    assert all(kind.sentence.endswith(".") for kind in kinds)


@pytest.mark.parametrize("kind", every_refusal())
def test_a_refusal_names_its_subject_and_may_say_more(kind):
    plain, detailed = kind(), kind("bay-1", "It rains.")

    assert str(plain) == kind.sentence
    assert (detailed.subject, detailed.detail) == ("bay-1", "It rains.")
    assert "bay-1" in str(detailed)


def test_who_is_to_come_again_hears_when():
    assert errors.TooManyAttempts(retry_after_s=7).retry_after_s == 7
    assert errors.Unavailable().retry_after_s > 0


def test_a_curve_is_thinned_evenly_and_keeps_its_ends():
    readings = [Sampled(after(n), energy_wh=n) for n in range(10_000)]
    over = a_session(ended_at=after(10_000), state="ended", end_reason="Local")
    keep = kept(over, readings)

    assert len(keep) == ENOUGH
    assert {after(0), after(9_999)} <= keep


@pytest.mark.parametrize(
    "session",
    [
        a_session(),
        a_session(ended_at=after(1), end_reason="Local", flags=("meter_reset",)),
    ],
)
def test_what_is_open_or_odd_is_not_thinned(session):
    assert kept(session, [Sampled(after(n)) for n in range(1_000)]) is None


def test_a_short_curve_is_left_alone():
    assert kept(a_session(ended_at=after(1), end_reason="x"), [Sampled(after(1))]) is None


def test_the_truth_table_is_printed(capsys, monkeypatch):
    monkeypatch.delitem(sys.modules, "cloud.domain.truth_table")
    runpy.run_module("cloud.domain.truth_table", run_name="__main__")

    assert capsys.readouterr().out == document()
