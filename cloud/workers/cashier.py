"""From steps that were written to money that has moved: claims what is due, and has it done."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from prometheus_client import Counter

from cloud.services.cashier import CashierService

STEPS: Final = Counter("baywatt_payment_steps_total", "Steps of payments taken up, first or again.")
_AT_ONCE: Final = 8
"""Gateways take their time: one slow answer does not hold up the others."""


@dataclass(frozen=True, slots=True)
class Cashier:
    """Carries out steps of payments."""

    cashier: CashierService

    def step(self) -> bool:
        """Carry out what is due; whether there was anything.

        A step that fails for want of the database is let go, and claimed again after its lease.
        """
        due = self.cashier.claim()
        if not due:
            return False
        STEPS.inc(len(due))
        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="cashier") as pool:
            list(pool.map(self.cashier.carry_out, due))
        return True
