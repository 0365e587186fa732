"""A till, a cashier and a sandbox bank on a rig's database, with drivers who have cards."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

from sqlalchemy import select

from cloud.adapters.payments.sandbox import SIGNATURE, Faults, SandboxGateway, signature
from cloud.adapters.payments.sandbox_bank import SandboxBank
from cloud.adapters.sql import tables
from cloud.domain.access import Role, Viewer
from cloud.domain.payments import Method, Payment, Purpose
from cloud.domain.reauthorisation import Holding
from cloud.domain.reservations import Happening, Reservation
from cloud.services.advancing import Advancer
from cloud.services.booking_ports import Told
from cloud.services.cashier import CashierService
from cloud.services.ledger import LedgerService
from cloud.services.payment_methods import PaymentMethodService
from cloud.services.payments import PayBy, PaymentService
from cloud.services.reauthorising import Reauthoriser
from cloud.services.subscriptions import SubscriptionMonths, SubscriptionService
from cloud.services.till import TillService
from cloud.services.wallets import WalletService
from tests.cloud.builders import BAY, STATION, a_reservation, after
from tests.cloud.services.rig import DRIVER, Rig

VIEWER = Viewer(DRIVER, Role.DRIVER)
ADMIN = Viewer("u-admin", Role.ADMIN)
AUTHORISE = 1_500


class RememberingTelling:
    """See Telling."""

    def __init__(self) -> None:
        self.told: list[Any] = []

    def tell(self, work, notice, now) -> None:
        del work, now
        self.told.append(notice)

    @property
    def kinds(self) -> list[str]:
        return [str(one.kind) for one in self.told]


class NobodyWaits:
    """See Waiting."""

    def freed(self, work, station_id, window, now) -> None:
        pass


@dataclass
class SettlingFor:
    """See Settling: what a reservation comes to is what the test says; a sixth of it is tax."""

    money: "Money"
    due: dict[str, int] = field(default_factory=dict)

    def settle(self, work, reservation, now) -> Reservation:
        due = self.due.get(reservation.id, 0)
        tax = due // 6
        shares = {f"revenue/{reservation.station_id}": due - tax, "tax/GB": tax}
        due = self.money.till.close(work, reservation, due, shares, now)
        return replace(reservation, due_minor=due)


class Money:
    """Everything about money, on one rig."""

    def __init__(
        self,
        rig: Rig,
        folder: Path,
        faults: str = "",
        *,
        wrap_work: Callable[[Any], Any] = lambda open_work: open_work,
        wrap_gateway: Callable[[Any], Any] = lambda gateway: gateway,
    ) -> None:
        self.rig, self.clock = rig, rig.clock
        self.open_work = wrap_work(rig.open_work)
        self.numbers = count(1)
        self.bank = SandboxBank(folder / "bank.db", is_hasty=True)
        self.gateway = SandboxGateway(
            self.bank, Faults.read(faults), seed="test", pause=lambda _: None
        )
        self.telling = RememberingTelling()
        self.settling = SettlingFor(self)
        self.advancer = Advancer(
            settling=self.settling, waiting=NobodyWaits(), telling=self.telling
        )
        self.holding = Holding()
        self.least_minor = 0
        months = SubscriptionMonths(self.telling)
        ids = count(1)
        self.till = TillService(
            lambda: self.advancer,
            months,
            self.telling,
            lambda: f"id-{next(ids):06d}",
            lambda *_: self.least_minor,
        )
        work, clock, till = self.open_work, self.clock, self.till
        self.reauthoriser = Reauthoriser(self.till, self.advancer, self.holding)
        self.cashier = CashierService(
            work, clock, {"sandbox": wrap_gateway(self.gateway)}, till, rig.publisher, rig.policy
        )
        self.payments = PaymentService(work, clock, till, rig.publisher, "sandbox")
        self.methods = PaymentMethodService(work, clock, self.gateway)
        self.wallets = WalletService(work, clock, till, "sandbox")
        self.subscriptions = SubscriptionService(work, clock, till, "sandbox")
        self.ledger = LedgerService(work)

    # --- acts -------------------------------------------------------------------------------------

    def save_card(self, card: str = "card_ok", viewer: Viewer = VIEWER) -> str:
        """Save a card and make it the default; returns its id."""
        return self.methods.save(viewer, card, is_default=True).method_id

    def hold(self, authorise_minor: int = AUTHORISE, **more: Any) -> Reservation:
        """Make a confirmed hold of the driver's, each an hour after the one before."""
        number = next(self.numbers)
        known = {
            "id": f"r-{number}",
            "number": number,
            "station_id": STATION,
            "bay_id": BAY,
            "user_id": DRIVER,
            "start_s": 3_600 * (number + 1),
            "held_until": self.clock.now() + timedelta(minutes=10),
            "is_confirmed": True,
            "quote": {"authorise_minor": authorise_minor, "total_minor": authorise_minor},
            "currency": "GBP",
        }
        held = a_reservation(**(known | more))
        with self.open_work() as work:
            work.reservations.claim(held, Told("held", DRIVER), most_live=10_000)
            work.commit()
        return held

    def pay(self, reservation: Reservation, method: Method = Method.CARD, **more: Any) -> Payment:
        """Pay as the API does, and return the payment as it stands then."""
        by = PayBy(method=method, **more)
        started = self.payments.pay_reservation(VIEWER, reservation.id, by)
        self.cashier.pay_now(started.payment_id)
        return self.payment(started.payment_id)

    def over(
        self,
        reservation_id: str,
        due_minor: int,
        happening: Happening = Happening.CANCELED_BY_DRIVER,
    ) -> None:
        """End a reservation for so much."""
        self.settling.due[reservation_id] = due_minor
        with self.open_work() as work:
            reservation = work.reservations.by_ids([reservation_id])[reservation_id]
            self.advancer.advance(work, reservation, happening, Told(happening), self.clock.now())
            work.commit()

    def tend(self, reservation_id: str) -> None:
        """See to a reservation's money, as time does."""
        with self.open_work() as work:
            self.reauthoriser.tend(work, reservation_id, self.clock.now())
            work.commit()

    def settle_again(self, reservation_id: str, due_minor: int) -> None:
        """Settle one that is over for another figure."""
        self.settling.due[reservation_id] = due_minor
        with self.open_work() as work:
            reservation = work.reservations.by_ids([reservation_id])[reservation_id]
            again = self.settling.settle(work, reservation, self.clock.now())
            work.reservations.put(again, Told("settled"), self.clock.now())
            work.commit()

    def work_off(self, rounds: int = 1) -> None:
        """Let the cashier do what is due, again and again."""
        for _ in range(rounds):
            for step in self.cashier.claim():
                self.cashier.carry_out(step)

    def until_quiet(self, most: int = 200) -> None:
        """Let time pass and the cashier work until no step is open but charges of days to come."""
        for _ in range(most):
            self.work_off()
            self.clock.pass_by(timedelta(seconds=30))
            near = self.clock.now() + timedelta(hours=3)
            if not any(one.next_attempt_at and one.next_attempt_at < near for one in self.open()):
                return
        raise AssertionError(f"still open: {self.open()}")

    def webhooks(self) -> list[tuple[bytes, dict[str, str]]]:
        """Take all webhooks the bank would send by now, signed now."""
        sent = []
        while (webhook := self.bank.take_webhook(2**40)) is not None:
            self.bank.webhook_sent(webhook)
            sent.append(self.signed(webhook.body.encode()))
        return sent

    def signed(self, body: bytes, at: Any = None) -> tuple[bytes, dict[str, str]]:
        """Return a webhook as the bank sends it."""
        secret = self.bank.webhook_secret().encode()
        return body, {SIGNATURE: signature(secret, body, at or self.clock.now())}

    def hear(self, webhook: tuple[bytes, dict[str, str]]) -> None:
        """Take a webhook."""
        self.cashier.hear("sandbox", *webhook)

    # --- looks ------------------------------------------------------------------------------------

    def payment(self, payment_id: str) -> Payment:
        """Return a payment."""
        with self.open_work(is_read_only=True) as work:
            return work.payments.get(payment_id)

    def payments_of(self, subject: str, purpose: Purpose = Purpose.RESERVATION) -> list[Payment]:
        """Return the payments for a subject."""
        with self.open_work(is_read_only=True) as work:
            return work.payments.of_subject(purpose, subject)

    def reservation(self, reservation_id: str) -> Reservation:
        """Return a reservation."""
        with self.open_work(is_read_only=True) as work:
            return work.reservations.by_ids([reservation_id])[reservation_id]

    def steps(self) -> list[Any]:
        """Return all steps."""
        return self.rig.rows(tables.payment_steps)

    def open(self) -> list[Any]:
        """Return the steps nobody knows the outcome of."""
        return [one for one in self.steps() if one.state == "pending"]

    def balances(self) -> dict[str, int]:
        """Return all accounts that are not zero."""
        entries = tables.ledger_entries
        accounts: Counter[str] = Counter()
        with self.rig.engine.connect() as connection:
            for row in connection.execute(select(entries.c.account, entries.c.amount_minor)):
                accounts[row.account] += row.amount_minor
        return {account: amount for account, amount in accounts.items() if amount}

    def check(self) -> None:
        """Hold the ledger against itself, the bank, the wallets and the payments."""
        assert self.ledger.broken() == []
        balances = self.balances()
        assert sum(balances.values()) == 0
        holdings = self.bank.holdings()
        at_bank = sum(one.captured_minor - one.refunded_minor for one in holdings)
        assert balances.get("gateway/sandbox", 0) == at_bank
        assert balances.get("authorised/sandbox", 0) == sum(one.held_minor for one in holdings)
        wallets = sum(one.available_minor for one in self.rig.rows(tables.wallets))
        spendable = sum(sum_ for name, sum_ in balances.items() if name.startswith("wallet/"))
        assert spendable == -wallets


def a_money(rig: Rig, folder: Path, **more: Any) -> Money:
    """Return it, with a driver who has a card and an administrator."""
    rig.insert(
        tables.users,
        {
            "id": ADMIN.user_id,
            "email": "admin@bays.example",
            "name": "admin",
            "role": "admin",
            "created_at": after(0),
        },
    )
    made = Money(rig, folder, **more)
    made.save_card()
    return made
