"""Anything in any order, with crashes anywhere: in the end every minor unit is where it belongs.

Drivers hold, pay, cancel and top up; the bank answers, loses answers and sends webhooks as it likes;
whoever works is killed before or after the call, before or after the commit. Once all has settled:
the ledger sums to zero and equals the bank's books, and each reservation is booked and paid, or over
and has paid just what was due, or is owed for.
"""

import itertools
from collections.abc import Callable
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from cloud.adapters.payments.sandbox import Faults
from cloud.adapters.sql import tables
from cloud.domain.errors import Refused
from cloud.domain.payments import Method, PaymentStatus, Purpose
from cloud.domain.reservations import Happening, Status
from cloud.services.payments import PayBy
from cloud.services.wallets import TopUp
from tests.cloud.services.money import ADMIN, VIEWER, Money, a_money
from tests.cloud.services.rig import DRIVER, a_rig

CARDS = (
    *("card_ok", "card_ok", "card_declined", "card_capture_refused", "card_refund_refused"),
    "card_always_times_out",
)


class Crash(Exception):
    """The process was killed here."""


class Fuse:
    """Blows at the place it is set to, once."""

    def __init__(self) -> None:
        self.place = ""

    def pass_(self, place: str) -> None:
        if self.place == place:
            self.place = ""
            raise Crash(place)

    def work(self, open_work):
        """Return an `open_work` whose commits may crash."""

        def opening(**more):
            return _Work(open_work(**more), self)

        return opening

    def gateway(self, gateway):
        """Return a gateway whose calls may crash."""
        return _Gateway(gateway, self)


class _Work:
    def __init__(self, work, fuse) -> None:
        self._work, self._fuse = work, fuse

    def __enter__(self):
        self._work.__enter__()
        return self

    def __exit__(self, *error):
        return self._work.__exit__(*error)

    def __getattr__(self, name):
        return getattr(self._work, name)

    def commit(self) -> None:
        self._fuse.pass_("before the commit")
        self._work.commit()
        self._fuse.pass_("after the commit")


class _Gateway:
    def __init__(self, gateway, fuse) -> None:
        self._gateway, self._fuse = gateway, fuse

    def __getattr__(self, name):
        attribute = getattr(self._gateway, name)
        if not callable(attribute) or name == "read_webhook":
            return attribute

        def call(*args):
            self._fuse.pass_("before the call")
            answer = attribute(*args)
            self._fuse.pass_("after the call")
            return answer

        return call


PLACES = st.sampled_from(
    ["", "", "", "before the call", "after the call", "before the commit", "after the commit"]
)
AMOUNTS = st.integers(0, 2_500)
HOW = st.tuples(st.sampled_from(Method), st.sampled_from(CARDS), st.booleans(), PLACES)
"""Method, card, whether the driver waits for the bank, where it crashes."""


class MoneyMachine(RuleBasedStateMachine):
    make_money: ClassVar[Callable[[Fuse], Money]]
    """On a fresh database each."""

    reservations = Bundle("reservations")
    claimed = Bundle("claimed")
    webhooks = Bundle("webhooks")

    def __init__(self) -> None:
        super().__init__()
        self.fuse = Fuse()
        self.sent: list[bytes] = []
        self.starts = itertools.count(1)
        self.money: Money = type(self).make_money(self.fuse)
        self.money.least_minor = 300
        self.cards = {name: self.money.save_card(name) for name in dict.fromkeys(CARDS)}

    @contextmanager
    def crashing(self, place: str):
        self.fuse.place = place
        with suppress(Crash, Refused):
            yield
        self.fuse.place = ""

    # --- drivers ------------------------------------------------------------------------------

    @initialize()
    def fill_the_wallet(self):
        asked = TopUp(amount_minor=6_000, currency="GBP", method_id=self.cards["card_ok"])
        started = self.money.wallets.top_up(VIEWER, asked)
        self.money.cashier.pay_now(started.payment_id)

    @rule(target=reservations, authorise=AMOUNTS, how=HOW, days=st.sampled_from([0, 0, 8]))
    def book(self, authorise, how, days):
        start_s = days * 86_400 + 3_600 * next(self.starts)
        held = self.money.hold(authorise, start_s=start_s)
        self._pay(held.id, how)
        return held.id

    @rule(reservation=reservations, how=HOW)
    def pay_again(self, reservation, how):
        """What is paid for is refused; a declined one gets another card."""
        self._pay(reservation, how)

    def _pay(self, reservation, how):
        method, card, is_waiting, place = how
        by = PayBy(method=method, method_id=self.cards[card])
        with self.crashing(place):
            started = self.money.payments.pay_reservation(VIEWER, reservation, by)
            if is_waiting:
                self.money.cashier.pay_now(started.payment_id)

    @rule(amount=st.integers(100, 5_000), card=st.sampled_from(CARDS), place=PLACES)
    def top_up(self, amount, card, place):
        asked = TopUp(amount_minor=amount, currency="GBP", method_id=self.cards[card])
        with self.crashing(place):
            started = self.money.wallets.top_up(VIEWER, asked)
            self.money.cashier.pay_now(started.payment_id)

    @rule(reservation=reservations, due=AMOUNTS, place=PLACES)
    def end(self, reservation, due, place):
        status = self.money.reservation(reservation).status
        if status is Status.HELD:
            happening, due = Happening.HOLD_EXPIRED, 0
        elif status is Status.BOOKED:
            happening = Happening.CANCELED_BY_DRIVER
        else:
            return
        with self.crashing(place):
            self.money.over(reservation, due, happening)

    @rule(reservation=reservations, due=AMOUNTS, place=PLACES)
    def settle_again(self, reservation, due, place):
        found = self.money.reservation(reservation)
        if not found.is_live and found.booked_at is not None:
            with self.crashing(place):
                self.money.settle_again(reservation, due)

    @rule(reservation=reservations, amount=st.integers(1, 2_500), place=PLACES)
    def refund(self, reservation, amount, place):
        with self.crashing(place):
            self.money.payments.refund(ADMIN, reservation, amount, "sorry")

    # --- the cashier --------------------------------------------------------------------------

    @rule(target=claimed, place=PLACES)
    def claim(self, place):
        steps = []
        with self.crashing(place):
            steps = self.money.cashier.claim()
        return multiple(*steps)

    @rule(step=claimed, place=PLACES)
    def carry_out(self, step, place):
        """Perhaps again, perhaps long after somebody else did."""
        with self.crashing(place):
            self.money.cashier.carry_out(step)

    @rule(reservation=reservations, place=PLACES)
    def tend(self, reservation, place):
        """Whenever it likes: who has nothing to do does nothing."""
        with self.crashing(place):
            self.money.tend(reservation)

    @rule(seconds=st.sampled_from([1, 5, 30, 60, 300, 7_200, 90_000]))
    def let_time_pass(self, seconds):
        self.money.clock.pass_by(timedelta(seconds=seconds))

    # --- the bank -----------------------------------------------------------------------------

    @rule(
        away=st.sampled_from([0, 0.5]),
        after_charging=st.sampled_from([0, 0.5]),
        twice=st.sampled_from([0, 1]),
        declined=st.sampled_from([0, 0.3]),
        returned=st.sampled_from([0, 0.5]),
        lapsed=st.sampled_from([0, 0.3]),
    )
    def change_moods(self, **moods):
        self.money.gateway.faults = Faults(**moods)

    @rule(target=webhooks)
    def send(self):
        bodies = [body for body, _ in self.money.webhooks()]
        self.sent += bodies
        return multiple(*bodies)

    @rule(body=webhooks, place=PLACES)
    def hear(self, body, place):
        """In any order, any number of times, however late; lost ones are sent again signed anew."""
        with self.crashing(place):
            self.money.hear(self.money.signed(body))

    # --- what always holds --------------------------------------------------------------------

    @invariant()
    def the_books_hold(self):
        assert self.money.ledger.broken() == []

    @invariant()
    def a_payment_has_one_open_step_at_most(self):
        waiting = [one.payment_id for one in self.money.open()]
        assert len(waiting) == len(set(waiting))

    @invariant()
    def no_more_is_given_back_than_was_taken(self):
        for one in self.money.bank.holdings():
            assert one.refunded_minor <= one.captured_minor <= one.authorised_minor

    def teardown(self):
        money = self.money
        money.gateway.faults = Faults()
        # a bank sends again what was not taken
        for body in self.sent:
            money.hear(money.signed(body))
        for _ in range(30):
            money.work_off(3)
            for webhook in money.webhooks():
                money.hear(webhook)
            money.clock.pass_by(timedelta(days=1))
            if not money.open():
                break
        assert money.open() == []
        money.check()
        all_is_well(money)
        money.rig.engine.dispose()


def all_is_well(money: Money) -> None:
    """Hold each reservation against its payments, and the drivers' debts against both."""
    debt = 0
    refunds = {one.payment_id for one in money.steps() if one.state == "failed"}
    for row in money.rig.rows(tables.reservations):
        reservation = money.reservation(row.id)
        payments = money.payments_of(row.id)
        assert PaymentStatus.NEW not in {one.status for one in payments}
        kept = sum(one.kept_minor for one in payments)
        standing = [one for one in payments if one.status is PaymentStatus.AUTHORISED]
        if reservation.status is Status.HELD:
            assert (kept, standing) == (0, [])
        elif reservation.status is Status.BOOKED:
            assert kept == 0
            # none where the bank let go of it: asked for anew later, or charged in the end
            kept_minor = [one.authorised_minor for one in standing]
            assert kept_minor == [reservation.authorised_minor] or payments[-1].is_over
        else:
            assert all(one.authorised_minor == 0 for one in standing)
            owed = (reservation.due_minor or 0) - kept
            # something is owed only where the bank declined, less than nothing where it keeps a refund
            declined = [one for one in payments if one.status is PaymentStatus.DECLINED]
            assert owed <= 0 or any(one.due_minor for one in declined)
            assert owed >= 0 or refunds & {one.id for one in payments}
            debt += owed
    assert money.balances().get(f"driver/{DRIVER}", 0) == debt
    topups = [
        money.payment(row.id)
        for row in money.rig.rows(tables.payments)
        if row.purpose == Purpose.TOPUP
    ]
    spent = money.balances().get(f"wallet/{DRIVER}", 0) + money.balances().get(
        f"wallet_hold/{DRIVER}", 0
    )
    paid = sum(
        one.kept_minor
        for row in money.rig.rows(tables.payments)
        if row.method == Method.WALLET
        for one in [money.payment(row.id)]
    )
    assert -spent == sum(one.captured_minor for one in topups) - paid


@pytest.mark.parametrize("examples", [20, pytest.param(200, marks=pytest.mark.faults)])
def test_in_the_end_every_minor_unit_is_where_it_belongs(databases, tmp_path, examples):
    numbers = itertools.count()

    def make_money(fuse: Fuse) -> Money:
        folder = tmp_path / str(next(numbers))
        folder.mkdir()
        rig = a_rig(databases.sqlite())
        return a_money(rig, folder, wrap_work=fuse.work, wrap_gateway=fuse.gateway)

    machine = type("Machine", (MoneyMachine,), {"make_money": staticmethod(make_money)})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            # new ones each time in the long run only: what one finds there is mended there
            derandomize=examples < 100,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
