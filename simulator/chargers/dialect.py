"""How a version of OCPP speaks: what each version's charger must say in its own words."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import ClassVar

from simulator.chargers.evse import Evse, Reading, Reservation, Session, State
from simulator.chargers.firmware import Order
from simulator.chargers.line import Payload, Refusal
from simulator.chargers.spec import Cause, Change, EndCause


class Dialect(ABC):
    """What Charger leaves to its version."""

    subprotocols: ClassVar[tuple[str, ...]]
    renews_message_ids: ClassVar[bool]
    """Whether a call repeated on the same connection gets a new id: 1.6 asks so, 2.x does not."""

    @abstractmethod
    def _answer(self, action: str, payload: Payload) -> Payload | Refusal:
        """Answer a call of the other side."""

    @abstractmethod
    def _tell_boot(self, reason: str) -> None:
        """Send BootNotification; its answer goes to `_boot_answered` or `_boot_failed`."""

    @abstractmethod
    def beat(self) -> None:
        """Send Heartbeat."""

    @abstractmethod
    def tell_firmware(self, status: str, order: Order | None) -> None:
        """Tell a step of an update; without an order: nothing is under way."""

    @abstractmethod
    def tell_security(self, event: str) -> None:
        """Tell a security event."""

    @abstractmethod
    def _ask(self, evse: Evse, token: str, then: Callable[[bool | None], None]) -> None:
        """Send Authorize; None: no answer could be had."""

    @abstractmethod
    def _tell_status(self, evse: Evse, *, is_urgent: bool = False) -> None:
        """Report the state of an EVSE's connectors."""

    @abstractmethod
    def _tell_state_change(self, evse: Evse, before: State | None) -> None:
        """Report that `evse.told` is new."""

    @abstractmethod
    def _tell_started(self, evse: Evse, session: Session, reading: Reading, cause: Cause) -> None:
        """Report a begun session."""

    @abstractmethod
    def _tell_sample(
        self, evse: Evse, session: Session, reading: Reading, *, is_aligned: bool = False
    ) -> None:
        """Report a sample of a session; aligned: by the clock."""

    @abstractmethod
    def tell_idle_meter(self, evse_id: int, reading: Reading) -> None:
        """Report by the clock what a meter shows where no session is on; 0: the main meter."""

    @abstractmethod
    def _tell_change(self, evse: Evse, session: Session, change: Change) -> None:
        """Report what happened to a session, where the version has words for it."""

    @abstractmethod
    def _tell_ended(self, evse: Evse, session: Session, reading: Reading, cause: EndCause) -> None:
        """Report an ended session."""

    def _tell_dropped(self, reservation: Reservation, why: str) -> None:
        """Report a reservation that ended unused; not all versions have a word for it."""
        del reservation, why
