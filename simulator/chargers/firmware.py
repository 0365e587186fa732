"""New firmware at a charger: fetched, checked, installed; a version says how each step is told."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final, Protocol

from simulator.chargers.device import Fetched
from simulator.chargers.fetching import is_signed_by
from simulator.chargers.line import Payload
from simulator.world import Happening, World

_VERSION: Final = re.compile(r"\d+(?:\.\d+)+")
_CERTIFICATE_FAULTS: Final = frozenset({"InvalidCertificate", "RevokedCertificate"})


@dataclass(frozen=True, slots=True)
class Order:
    """What was asked for."""

    location: str
    retrieve_at: datetime
    request_id: int | None = None
    """None: the version has no such numbers (1.6)."""
    install_at: datetime | None = None
    signature: str = ""
    """Base64; empty: it is not signed."""
    certificate: str = ""
    """Whose signature it is, as PEM."""
    retries: int = 0
    retry_interval_s: int = 0

    @property
    def is_signed(self) -> bool:
        """Whether it is to be checked."""
        return bool(self.signature)

    @property
    def version(self) -> str:
        """Return the version the file holds, by its name."""
        name = self.location.rsplit("/", 1)[-1]
        found = _VERSION.search(name)
        return (found.group() if found else name)[:50]


def order_from(payload: Payload) -> Order:
    """Return the order of an UpdateFirmware, or of 1.6's SignedUpdateFirmware."""
    firmware = payload["firmware"]
    install_at = firmware.get("installDateTime")
    return Order(
        firmware["location"],
        _instant(firmware["retrieveDateTime"]),
        payload["requestId"],
        _instant(install_at) if install_at else None,
        firmware.get("signature", ""),
        firmware.get("signingCertificate", ""),
        payload.get("retries", 0),
        payload.get("retryInterval", 0),
    )


def _instant(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


class Host(Protocol):
    """What an update needs of its charger."""

    world: World
    clock_skew: timedelta

    def is_idle(self) -> bool:
        """Whether no session is on."""
        ...

    def hold_back(self, *, is_held: bool) -> None:
        """Take what is free out of service, so that the charger grows idle; or give it back."""
        ...

    def fetch(self, location: str, fetched: Fetched) -> None:
        """Fetch a file, and tell what it holds; None: it cannot be had."""
        ...

    def reboot_updated(self) -> None:
        """Restart as after an update."""
        ...

    def tell_firmware(self, status: str, order: Order | None) -> None:
        """Tell a step; without an order: nothing is under way."""
        ...

    def tell_security(self, event: str) -> None:
        """Tell a security event."""
        ...


class Firmware:
    """What runs on a charger, and the update under way."""

    def __init__(self, host: Host, version: str) -> None:
        self._host = host
        self.version = version
        self.pace_s = 5.0
        """How long a step takes."""
        self.fault = ""
        """The word in which updates end from now on, as a FirmwareStatus or an answer has it."""
        self.is_cancelable = True
        self.holds_at = ""
        """The step after which it waits for `go_on`; empty: none."""
        self.installs = 0
        """How often anything was installed."""
        self._order: Order | None = None
        self._content = b""
        self._attempts = 0
        self._status = ""
        self._next: Happening | None = None
        self._held: Callable[[], None] | None = None

    def take(self, order: Order) -> str:
        """Begin an update as ordered; return the word of the answer."""
        if order.is_signed and self.fault in _CERTIFICATE_FAULTS:
            if self.fault == "InvalidCertificate":
                self._then(partial(self._host.tell_security, "InvalidFirmwareSigningCertificate"))
            return self.fault
        is_under_way = self._order is not None
        if is_under_way and not self.is_cancelable:
            return "Rejected"
        if self._next is not None:
            self._next.cancel()
        self._order, self._held = order, None
        self._then(self._begin)
        return "AcceptedCanceled" if is_under_way else "Accepted"

    def go_on(self) -> None:
        """Hold at no step any more, and take the one that waited."""
        self.holds_at = ""
        held, self._held = self._held, None
        if held is not None:
            self._then(held)

    def tell(self) -> None:
        """Say how far it is, as when asked to."""
        if self._order is None:
            self._host.tell_firmware("Idle", None)
        else:
            self._host.tell_firmware(self._status, self._order)

    def booted(self) -> None:
        """Finish what needed a reboot."""
        if self._status == "InstallRebooting":
            self._end("InstallationFailed" if self.fault == "InstallationFailed" else "Installed")

    def _begin(self) -> None:
        order = self._ordered()
        if not self._host.is_idle():
            self._step("DownloadScheduled")
            self._host.hold_back(is_held=True)
            self._wait_for_rest()
        elif order.retrieve_at > self._host.world.now() + self._host.clock_skew:
            self._step("DownloadScheduled")
            self._at(order.retrieve_at, self._download)
        else:
            self._download()

    def _wait_for_rest(self) -> None:
        if self._host.is_idle():
            self._download()
        else:
            self._then(self._wait_for_rest)

    def _download(self) -> None:
        self._attempts = 0
        self._step("Downloading")
        self._then(self._fetch)

    def _fetch(self) -> None:
        order = self._ordered()
        self._attempts += 1
        if self.fault == "DownloadFailed":
            self._end("DownloadFailed")
        else:
            self._host.fetch(order.location, partial(self._fetched, order))

    def _fetched(self, order: Order, content: bytes | None) -> None:
        if self._order is not order:
            return  # another took its place meanwhile
        if content is not None:
            self._content = content
            self._step("Downloaded")
            self._then(self._check if order.is_signed else self._schedule)
        elif self._attempts <= order.retries:
            self._next = self._host.world.after(order.retry_interval_s, self._fetch)
        else:
            self._end("DownloadFailed")

    def _check(self) -> None:
        order = self._ordered()
        # what was only said to be fetched has nothing to check
        is_wrong = bool(self._content) and not is_signed_by(
            order.certificate, order.signature, self._content
        )
        if is_wrong or self.fault == "InvalidSignature":
            self._end("InvalidSignature")
            self._host.tell_security("InvalidFirmwareSignature")
            return
        self._step("SignatureVerified")
        self._schedule()

    def _schedule(self) -> None:
        install_at = self._ordered().install_at
        if install_at is not None and install_at > self._host.world.now() + self._host.clock_skew:
            self._step("InstallScheduled")
            self._at(install_at, self._install)
        else:
            self._then(self._install)

    def _install(self) -> None:
        self._step("Installing")
        self._then(self._reboot)

    def _reboot(self) -> None:
        if self.fault == "InstallVerificationFailed":
            self._end("InstallVerificationFailed")
            return
        self._step("InstallRebooting")
        if self.fault != "InstallationFailed":
            self.version = self._ordered().version
            self.installs += 1
        self._host.hold_back(is_held=False)
        self._host.reboot_updated()

    def _step(self, status: str) -> None:
        self._status = status
        self._host.tell_firmware(status, self._order)

    def _end(self, status: str) -> None:
        self._step(status)
        self._order = None
        self._host.hold_back(is_held=False)

    def _ordered(self) -> Order:
        if self._order is None:
            raise ValueError("no update is under way")
        return self._order

    def _then(self, what: Callable[[], None]) -> None:
        if self.holds_at and self.holds_at == self._status:
            self._held = what
            return
        self._next = self._host.world.after(self.pace_s, what)

    def _at(self, instant: datetime, what: Callable[[], None]) -> None:
        self._next = self._host.world.at(instant - self._host.clock_skew, what)
