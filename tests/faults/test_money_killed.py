"""Whatever is killed during booking, payment, capture and refund: nobody pays twice, or for nothing.

Drivers book, pay, cancel and are refunded by the API, at a sandbox bank that answers late, loses
answers and doubles webhooks, while the cloud and the database are killed at random moments. Then our
books, the bank's and what the API said are held against each other. `make test` kills everything
once, with the cloud as one process; `make faults` twenty times, with its processes apart; FAULT_POINTS=200 as
often as that. FAULT_SEED repeats a run, as far as the machine does.
"""

import os
import threading
from contextlib import contextmanager
from random import Random, SystemRandom

import pytest

from tests.faults.books import Books
from tests.faults.customers import HOLD_S, Town
from tests.support.stack import Kind, Stack
from tests.support.waiting import eventually

SEED = int(os.environ.get("FAULT_SEED", SystemRandom().randrange(10_000)))
FAULTS = "late=0.1,after_charging=0.1,away=0.05,twice=0.1,out_of_order=0.1,early=0.05,declined=0.05"
MANY = 20
CLIENTS = 8
PARTS = ["cloud", "database", "everything"]
LIFE = 5
"""So many more payments are made before the next kill."""


@contextmanager
def running(kind: Kind, databases, folder):
    """Run a stack for one campaign."""
    settings = {"CLOUD_SANDBOX_FAULTS": FAULTS}
    stack = Stack(folder, kind, databases.mariadb(), settings=settings).start()
    try:
        yield stack
    finally:
        stack.stop()


def kill(stack: Stack, mariadb, part: str, random: Random) -> None:
    """Crash a part, and bring it back."""
    if part in {"database", "everything"}:
        mariadb.kill()
    if part == "everything":
        stack.kill_cloud()
    elif part == "cloud":
        # where its processes are apart, any of them
        random.choice(list(stack.cloud.values())).kill()
    if part != "cloud":
        mariadb.start()
    stack.start_cloud()


def campaign(stack: Stack, mariadb, points: list[str]) -> None:
    """Let drivers live while parts are killed in the order of `points`, and compare."""
    random = Random(SEED)
    town = Town.at(stack, drivers=CLIENTS * (2 + len(points)))
    shares = [town.drivers[number::CLIENTS] for number in range(CLIENTS)]
    lives = [
        threading.Thread(target=town.live, args=(share, Random(f"{SEED}/{number}")), daemon=True)
        for number, share in enumerate(shares)
    ]
    for one in lives:
        one.start()
    for part in points:
        before = town.count("paid 201")
        eventually(
            lambda before=before: town.count("paid 201") >= before + LIFE, 90, f"life before {part}"
        )
        threading.Event().wait(random.uniform(0, 1.5))
        kill(stack, mariadb, part, random)
    before = town.count("paid 201")
    eventually(lambda: town.count("paid 201") >= before + LIFE, 90, "life after all")
    town.is_over.set()
    for one in lives:
        one.join(120)
    compare(stack, town, points)


def compare(stack: Stack, town: Town, points: list[str]) -> None:
    """Hold the books against each other, once everything has settled."""
    books = Books(stack.database_url, stack.folder / "cloud" / "sandbox-bank.db")

    def has_settled() -> bool:
        assert books.unsettled() == []
        return True

    what = f"FAULT_SEED={SEED}, killed: {points}"
    eventually(has_settled, 120 + HOLD_S, f"everything settled ({what})")
    wrong = books.wrong(town.said)
    assert not wrong, f"{len(wrong)} wrong ({what}): " + "; ".join(wrong[:12])
    assert books.balances()["gateway/sandbox"] > 0
    if len(points) >= MANY:
        # in a short campaign chance may refund nobody
        assert any(one.refunded_minor for one in books.bank.holdings())
    print(f"{len(town.said)} reservations, {dict(town.statuses)}")  # noqa: T201
    books.close()


@pytest.mark.real
def test_a_kill_at_any_moment_costs_nobody_a_penny(databases, mariadb, tmp_path):
    with running(Kind.SERVED, databases, tmp_path) as stack:
        campaign(stack, mariadb, ["everything"])


@pytest.mark.faults
@pytest.mark.parametrize("part", PARTS)
def test_many_kills_at_any_moment_cost_nobody_a_penny(databases, mariadb, tmp_path, part):
    points = [part] * int(os.environ.get("FAULT_POINTS", MANY))
    with running(Kind.PRODUCTION, databases, tmp_path) as stack:
        campaign(stack, mariadb, points)
