"""The ledger is only ever added to, once a cause, in chains that show whoever touched them (S23)."""

import csv
import io
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from cloud.adapters.sql import tables
from cloud.domain.errors import NotValid
from cloud.domain.ledger import Entry, Posting
from cloud.services.ports import TransactionLost
from cloud.services.wallets import TopUp
from tests.cloud.services.money import ADMIN, VIEWER, a_money
from tests.cloud.services.rig import DRIVER


@pytest.fixture
def money(rig, tmp_path):
    return a_money(rig, tmp_path)


def a_posting(**more) -> Posting:
    known = {"book": "b", "cause": "c-1", "kind": "topped_up", "currency": "GBP"}
    return Posting(**(known | {"entries": (Entry("x", 5), Entry("y", -5))} | more))


def post(money, posting) -> bool:
    with money.open_work() as work:
        is_new = work.ledger.post(posting, money.clock.now())
        work.commit()
    return is_new


def some_transactions(money):
    """A reservation paid, settled twice, and a top-up: seven transactions in two books."""
    held = money.hold()
    money.pay(held)
    money.over(held.id, 1_000)
    money.until_quiet()
    money.settle_again(held.id, 700)
    money.until_quiet()
    started = money.wallets.top_up(VIEWER, TopUp(amount_minor=2_000, currency="GBP"))
    money.cashier.pay_now(started.payment_id)
    return held


def test_a_cause_is_posted_once(money):
    assert post(money, a_posting())
    assert not post(money, a_posting())
    assert not post(money, a_posting(book="other"))
    assert len(money.rig.rows(tables.ledger_transactions)) == 1


def test_many_who_write_one_book_at_once_make_one_chain(money):
    def write(number):
        for _ in range(100):
            try:
                return post(money, a_posting(cause=f"c-{number % 30}"))
            except TransactionLost:
                continue
        raise AssertionError("it never got through")

    with ThreadPoolExecutor(8) as pool:
        new = list(pool.map(write, range(60)))

    assert sum(new) == 30
    seqs = sorted(one.seq for one in money.rig.rows(tables.ledger_transactions))
    assert seqs == list(range(1, 31))
    assert money.ledger.broken() == []


def test_s23_a_ledger_nobody_touched_holds(money):
    some_transactions(money)

    assert money.ledger.broken() == []


TAMPERED = {
    "an amount of both lines": (
        "UPDATE ledger_entries SET amount_minor = amount_minor * 2 WHERE book LIKE 'user/%'",
        "altered",
    ),
    "an amount of one line": (
        "UPDATE ledger_entries SET amount_minor = 7 WHERE book LIKE 'user/%' AND line = 0",
        "sum",
    ),
    "a kind": ("UPDATE ledger_transactions SET kind = 'x' WHERE book LIKE 'user/%'", "altered"),
    "a user": ("UPDATE ledger_transactions SET user_id = 'x' WHERE seq = 1", "altered"),
    "a hash": ("UPDATE ledger_transactions SET hash = 'x' WHERE seq = 2", "altered"),
    "a chain": ("UPDATE ledger_transactions SET previous_hash = 'x' WHERE seq = 2", "chained"),
    "a row taken out": ("DELETE FROM ledger_transactions WHERE seq = 2", "missing"),
    "the lines taken out": ("DELETE FROM ledger_entries WHERE seq = 2", "sum"),
    "a number": (
        "UPDATE ledger_transactions SET seq = 99 WHERE book LIKE 'station/%' AND seq = 2",
        "missing",
    ),
}


@pytest.mark.parametrize("what", TAMPERED)
def test_s23_whoever_touches_the_ledger_is_seen(money, what):
    some_transactions(money)
    statement, why = TAMPERED[what]
    money.rig.execute(statement)

    assert any(why in one.why for one in money.ledger.broken())


def test_a_users_history_is_in_order_page_by_page(money):
    some_transactions(money)
    pages, cursor = [], None
    while True:
        page = money.ledger.history(VIEWER, limit=2, cursor=cursor)
        pages.append([(one.kind, one.amount_minor) for one in page.transactions])
        cursor = page.next_cursor
        if cursor is None:
            break

    assert pages == [
        [("topped_up", 2_000), ("refunded", 300)],
        [("credited", 300), ("captured", 1_000)],
        [("sold", 1_000), ("authorised", 1_500)],
    ]
    assert money.ledger.history(ADMIN).transactions == []
    with pytest.raises(NotValid):
        money.ledger.history(VIEWER, cursor="nonsense")


def test_the_table_has_every_transaction_and_no_cell_a_spreadsheet_would_run(money):
    held = some_transactions(money)
    for number, note in enumerate(("=cmd()", "+1", "-1", "@x", "\tx", "harmless")):
        money.clock.pass_by(timedelta(seconds=1))
        post(money, a_posting(cause=f"n-{number}", note=note, user_id=DRIVER))

    text = money.ledger.history_csv(VIEWER)
    rows = list(csv.DictReader(io.StringIO(text)))

    assert len(rows) == 12
    assert [one["note"] for one in rows[:6]] == [
        *("harmless", "'\tx", "'@x", "'-1", "'+1", "'=cmd()"),
    ]
    assert (rows[7]["kind"], rows[7]["amount"]) == ("refunded", "3.00")
    assert rows[7]["reservation_id"] == held.id
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row.values())


def test_a_table_is_never_longer_than_it_may_be(money, monkeypatch):
    monkeypatch.setattr("cloud.services.ledger._MOST_ROWS", 4)
    monkeypatch.setattr("cloud.services.ledger._PAGE", 2)
    some_transactions(money)

    assert money.ledger.history_csv(VIEWER).count("\n") == 5
