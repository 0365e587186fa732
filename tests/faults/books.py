"""Our books held against the bank's, and each reservation against its payments."""

from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Engine, create_engine, select

from cloud.adapters.payments.sandbox_bank import SandboxBank
from cloud.adapters.sql import tables
from cloud.adapters.sql.unit_of_work import work_opener
from cloud.services.ledger import LedgerService
from tests.faults.customers import Said

_SOON: Final = timedelta(hours=3)
"""A declined extra charge waits for days; everything else is under way."""
_OVER: Final = frozenset({"canceled", "no_show", "rejected", "failed", "fulfilled"})


class Books:
    """Reads what is on disk: the database, and the sandbox bank's own file."""

    def __init__(self, database_url: str, bank_file: Path) -> None:
        self._engine: Engine = create_engine(database_url, pool_pre_ping=True)
        self.bank = SandboxBank(bank_file)

    def close(self) -> None:
        """Let the connections go."""
        self._engine.dispose()

    def unsettled(self) -> list[str]:
        """Return what is still under way."""
        now = datetime.now(UTC)
        steps = [
            f"{one.kind} {one.id} ({one.attempts}: {one.last_error})"
            for one in self._rows(tables.payment_steps)
            if one.state == "pending" and one.next_attempt_at < now + _SOON
        ]
        holds = [
            f"held {one.id}" for one in self._rows(tables.reservations) if one.status == "held"
        ]
        return [*steps, *holds]

    def wrong(self, said: list[Said]) -> list[str]:
        """Return all that does not add up, once everything has settled."""
        return [
            *(f"ledger: {one}" for one in LedgerService(work_opener(self._engine)).broken()),
            *self._accounts(),
            *self._reservations(),
            *self._broken_words(said),
        ]

    # --- sums -------------------------------------------------------------------------------------

    def balances(self) -> Counter[str]:
        """Return every account's sum."""
        sums: Counter[str] = Counter()
        for one in self._rows(tables.ledger_entries):
            sums[one.account] += one.amount_minor
        return sums

    def _accounts(self) -> list[str]:
        sums, holdings = self.balances(), self.bank.holdings()
        wallets: Counter[str] = Counter()
        for one in self._rows(tables.wallets):
            wallets[f"wallet/{one.user_id}"] -= one.available_minor
        pairs = {
            "all of it": (sum(sums.values()), 0),
            "taken": (
                sums["gateway/sandbox"],
                sum(one.captured_minor - one.refunded_minor for one in holdings),
            ),
            "kept": (sums["authorised/sandbox"], sum(one.held_minor for one in holdings)),
            **{name: (sums[name], amount) for name, amount in wallets.items()},
        }
        return [
            f"{name}: {ours} here, {theirs} there"
            for name, (ours, theirs) in pairs.items()
            if ours != theirs
        ]

    # --- reservations -----------------------------------------------------------------------------

    def _reservations(self) -> list[str]:
        payments, wrong = defaultdict(list), []
        for one in self._rows(tables.payments):
            payments[one.subject].append(one)
        debts: Counter[str] = Counter()
        for one in self._rows(tables.reservations):
            found = payments[one.id]
            taken = sum(two.captured_minor - two.refunded_minor for two in found)
            kept = [two.authorised_minor for two in found if two.status == "authorised"]
            due = (one.due_minor or 0) if one.status in _OVER else 0
            expected = [one.authorised_minor] if one.status == "booked" else []
            declined = any(two.status == "declined" and two.due_minor for two in found)
            debts[f"driver/{one.user_id}"] += due - taken
            if kept != expected or not (taken == due or (taken < due and declined)):
                wrong.append(f"{one.id} is {one.status}, due {due}: took {taken}, keeps {kept}")
        sums = self.balances()
        wrong += [
            f"{name} owes {sums[name]}, not {debt}"
            for name, debt in debts.items()
            if sums[name] != debt
        ]
        return wrong

    def _broken_words(self, said: list[Said]) -> list[str]:
        status = {one.id: one.status for one in self._rows(tables.reservations)}
        wrong = []
        for one in said:
            is_booked = status[one.reservation_id] == "booked"
            if one.is_paid and not one.is_canceled and not is_booked:
                wrong.append(f"{one.reservation_id} was paid and is {status[one.reservation_id]}")
            if one.is_canceled and status[one.reservation_id] != "canceled":
                wrong.append(f"{one.reservation_id} was canceled and is not")
            if one.is_refused and is_booked:
                wrong.append(f"{one.reservation_id} was refused and is booked")
        return wrong

    def _rows(self, table: Any) -> list[Any]:
        with self._engine.connect() as connection:
            return list(connection.execute(select(table)))
