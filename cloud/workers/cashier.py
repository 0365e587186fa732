"""From steps that were written to money that has moved: claims what is due, and has it done."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

import structlog
from prometheus_client import Counter

from cloud.domain.payments import Step
from cloud.services.cashier import CashierService
from cloud.services.ports import DatabaseAway, TransactionLost

log = structlog.get_logger(__name__)

STEPS: Final = Counter("baywatt_payment_steps_total", "Steps of payments taken up, first or again.")
_AT_ONCE: Final = 8
"""Gateways take their time: one slow answer does not hold up the others."""


@dataclass(frozen=True, slots=True)
class Cashier:
    """Carries out steps of payments."""

    cashier: CashierService

    def step(self) -> bool:
        """Carry out what is due; whether there was anything.

        Raises:
            DatabaseAway: for some of it; that is let go, and claimed again after its lease.
        """
        due = self.cashier.claim()
        if not due:
            return False
        STEPS.inc(len(due))
        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="cashier") as pool:
            failures = [one for one in pool.map(self._carry_out, due) if one is not None]
        if failures:
            raise failures[0]
        return True

    def _carry_out(self, step: Step) -> Exception | None:
        try:
            self._carry_out_or_postpone(step)
        except (DatabaseAway, TransactionLost) as error:
            return error
        return None

    def _carry_out_or_postpone(self, step: Step) -> None:
        """Leave a step that fails for a fault of ours for later: the others go on."""
        try:
            self.cashier.carry_out(step)
        except (DatabaseAway, TransactionLost):
            raise
        except Exception:
            log.exception("cashier.step_failed", step_id=step.id, kind=step.kind)
            self.cashier.postpone(step, "it failed here; see the log")
