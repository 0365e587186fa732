"""One-time codes: six digits, bound to whom they were sent, compared in constant time, limited."""

from datetime import timedelta

import pytest

from cloud.domain.otp import MOST_AN_HOUR, RESEND_AFTER, is_right, new_code, sealed, wait_s
from tests.cloud.builders import NOON, after

KEY = b"a key"


@pytest.mark.parametrize(("drawn", "code"), [(0, "000000"), (402_913, "402913"), (7, "000007")])
def test_a_code_has_six_digits_whatever_is_drawn(drawn, code):
    asked = []

    assert new_code(lambda most: asked.append(most) or drawn) == code
    assert asked == [1_000_000]


def test_what_is_kept_is_no_code_and_fits_only_the_same_hold_user_and_key():
    kept = sealed(KEY, "402913", "r-1", "u-1")

    assert "402913" not in kept
    assert is_right(KEY, "402913", "r-1", "u-1", kept)
    assert not is_right(KEY, "402914", "r-1", "u-1", kept)
    assert not is_right(KEY, "402913", "r-2", "u-1", kept)
    assert not is_right(KEY, "402913", "r-1", "u-2", kept)
    assert not is_right(b"another", "402913", "r-1", "u-1", kept)


def test_parts_cannot_be_shifted_into_each_other():
    assert sealed(KEY, "402913", "r-1", "1u") != sealed(KEY, "402913", "r-11", "u")


@pytest.mark.parametrize(
    ("seconds", "wait"), [(0, 30), (0.5, 30), (1, 29), (29.5, 1), (30, 0), (4_000, 0)]
)
def test_a_code_is_sent_again_after_half_a_minute(seconds, wait):
    assert timedelta(seconds=30) == RESEND_AFTER
    assert wait_s([NOON], NOON, after(seconds)) == wait


def test_the_eleventh_code_of_an_hour_waits_for_the_first_to_be_an_hour_old():
    sent_at = [after(60 * n) for n in range(MOST_AN_HOUR)]

    assert wait_s(sent_at[:-1], None, after(600)) == 0
    assert wait_s(sent_at, None, after(600)) == 3_000
    assert wait_s(sent_at, None, after(3_600)) == 0
    assert wait_s([*sent_at, after(601)], None, after(660)) == 3_000
