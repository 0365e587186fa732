"""A clock that stands still, and a broker that remembers."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from cloud.services.security_ports import AuthorityAway, Signed

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


class StillClock:
    """See Clock; time passes when told to. Waiting takes a hundredth of its time."""

    def __init__(self, at: datetime = NOON) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.at.timestamp()

    async def sleep(self, delay_s: float) -> None:
        await asyncio.sleep(self.real_s(delay_s))

    def real_s(self, delay_s: float) -> float:
        return delay_s / 100

    def pass_by(self, duration: timedelta) -> None:
        self.at += duration


class RememberingBroker:
    """See Publish."""

    def __init__(self) -> None:
        self.published: list[tuple[str, bytes, bool]] = []

    def __call__(self, topic: str, payload: bytes, is_retained: bool) -> None:
        self.published.append((topic, payload, is_retained))


class NoAuthority:
    """See CertificateAuthority; signs nothing."""

    def sign(self, csr: str, names: Sequence[str], purpose: str) -> Signed:
        raise AuthorityAway(f"{purpose} {names} {csr}")

    def roots(self) -> dict[str, str]:
        return {}


class CountingBrokerUsers:
    """See BrokerUsers; counts what it was told."""

    def __init__(self) -> None:
        self.changes = 0

    def hash(self, key: str) -> str:
        return f"hash of {len(key)} characters"

    def changed(self) -> None:
        self.changes += 1
