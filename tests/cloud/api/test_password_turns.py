"""Slow hashes, a few at a time; and how often somebody may try."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from pwdlib.hashers.argon2 import Argon2Hasher

from cloud.adapters.passwords import AT_ONCE, IN_LINE, ArgonPasswords
from cloud.adapters.throttle import PER_ORIGIN, LoginThrottle
from cloud.domain.errors import TooManyAttempts, Unavailable
from tests.cloud.api.house import quick_passwords
from tests.support.waiting import eventually


def test_a_password_fits_its_hash_and_no_other():
    passwords = quick_passwords()
    kept = passwords.hash("correct horse")

    assert passwords.is_right("correct horse", kept)
    assert not passwords.is_right("wrong horse", kept)
    assert not passwords.is_right("correct horse", None)
    assert not passwords.is_right("nobody has this password", None)
    assert not passwords.is_right("correct horse", "not a hash of ours")


def test_hashes_are_argon2id_of_todays_strength():
    kept = ArgonPasswords().hash("correct horse")

    assert kept.startswith("$argon2id$v=19$m=65536,t=3,p=4$")


class Counting(Argon2Hasher):
    """Quick, and counts how often it had to work."""

    def __init__(self):
        super().__init__(time_cost=1, memory_cost=8, parallelism=1)
        self.worked = 0

    def hash(self, password, **kwargs):
        self.worked += 1
        return super().hash(password, **kwargs)

    def verify(self, password, kept):
        self.worked += 1
        return super().verify(password, kept)


@pytest.mark.parametrize("is_known", [True, False])
def test_a_name_nobody_has_costs_one_slow_hash_like_any_other_and_a_start_costs_none(is_known):
    kept, hasher = quick_passwords().hash("another horse") if is_known else None, Counting()
    passwords = ArgonPasswords(hasher)
    at_the_start = hasher.worked
    is_right = passwords.is_right("correct horse", kept)

    assert (at_the_start, is_right, hasher.worked) == (0, False, 1)


class Gate:
    """A hasher that waits to be let go, and counts who is with it."""

    def __init__(self):
        self.open = threading.Event()
        self.inside = 0
        self.most = 0
        self.lock = threading.Lock()

    def hash(self, password, **_):
        with self.lock:
            self.inside += 1
            self.most = max(self.most, self.inside)
        self.open.wait(10)
        with self.lock:
            self.inside -= 1
        return password


def test_only_a_few_are_hashed_at_once_and_a_few_wait(monkeypatch):
    passwords, gate = quick_passwords(), Gate()
    monkeypatch.setattr("pwdlib.PasswordHash.hash", lambda _self, password: gate.hash(password))
    with ThreadPoolExecutor(AT_ONCE + IN_LINE) as pool:
        waiting = [pool.submit(passwords.hash, "x") for _ in range(AT_ONCE + IN_LINE)]
        eventually(lambda: gate.inside == AT_ONCE)
        eventually(lambda: _is_full(passwords))
        gate.open.set()
        hashed = [one.result(timeout=60) for one in waiting]

    assert len(hashed) == AT_ONCE + IN_LINE
    assert gate.most == AT_ONCE
    assert passwords.hash("again") == "again"


def _is_full(passwords: ArgonPasswords) -> bool:
    try:
        passwords.is_right("x", None)
    except Unavailable:
        return True
    return False


def test_one_origin_is_counted_over_all_accounts():
    throttle = LoginThrottle()
    for number in range(PER_ORIGIN.amount):
        throttle.attempt(f"user-{number}", "10.0.0.1")

    with pytest.raises(TooManyAttempts) as refused:
        throttle.attempt("another", "10.0.0.1")
    throttle.attempt("another", "10.0.0.2")
    assert refused.value.retry_after_s > 0


def test_an_account_is_counted_over_all_origins():
    throttle = LoginThrottle()
    for number in range(100):
        throttle.attempt("driver", f"10.0.1.{number}")

    with pytest.raises(TooManyAttempts):
        throttle.attempt("driver", "10.0.0.2")


def test_who_got_in_begins_anew():
    throttle = LoginThrottle()
    for _ in range(3):
        for _ in range(10):
            throttle.attempt("driver", "10.0.0.1")
        throttle.succeeded("driver", "10.0.0.1")
