"""Web push: encrypted for the browser (RFC 8291), signed by us (VAPID, RFC 8292)."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from py_vapid import Vapid02, VapidException
from py_vapid.utils import b64urlencode

from cloud.adapters.messages.outbound import Outbound
from cloud.services.messages import Gone, NotSent
from cloud.services.notice_ports import PushSubscription
from cloud.services.push_subscriptions import Push

_GONE: Final = frozenset({404, 410})
"""RFC 8030, 7.3: the subscription is no more."""
_TOO_LARGE: Final = 413
_SIGNED_FOR_S: Final = 12 * 3600
"""At most a day (RFC 8292, section 2)."""
# the order of the curve's group (FIPS 186-4, D.1.2.3)
_P256_ORDER: Final = int("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551", 16)


def vapid_of(named: str, seed: bytes) -> Vapid02:
    """Return the key named in the settings, or the one that follows from 32 secret bytes.

    Args:
        named: base64url, 32 bytes or DER; empty: none.
        seed: the same in all processes of the house.

    Raises:
        ValueError: what is named is no key of the curve P-256; the text never repeats it.
    """
    if named:
        try:
            return Vapid02.from_string(named)
        except (ValueError, TypeError, VapidException):
            raise ValueError("CLOUD_VAPID_PRIVATE_KEY is no private key of P-256") from None
    number = int.from_bytes(seed) % (_P256_ORDER - 1) + 1
    return Vapid02(ec.derive_private_key(number, ec.SECP256R1()))


@dataclass(frozen=True, slots=True)
class WebPush:
    """See PushSender. `contact` is whom push services may write to: a mailto: or https: address."""

    outbound: Outbound
    vapid: Vapid02
    contact: str
    wall: Callable[[], float] = time.time

    def __post_init__(self) -> None:
        """Check that it can sign, before there is something to send.

        Raises:
            ValueError: nobody can be written to at `contact`.
        """
        try:
            self._signed("https://push.example/")
        except VapidException:
            raise ValueError(f"nobody can be written to at {self.contact}") from None

    @property
    def public_key(self) -> str:
        """See PushSender.public_key."""
        key = self.vapid.public_key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        return str(b64urlencode(key))

    def push(self, subscription: PushSubscription, push: Push) -> None:
        """See PushSender.push."""
        headers = {
            **self._signed(subscription.endpoint),
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "TTL": str(push.ttl_s),
            "Urgency": "high" if push.is_urgent else "normal",
            # 32 letters at most; one that waits there already is replaced (RFC 8030, 5.4)
            "Topic": push.message_id[:32],
        }
        answered = self.outbound.post(subscription.endpoint, _sealed(subscription, push), headers)
        if answered.status in _GONE:
            raise Gone(f"the push service says {answered.status}")
        if not answered.is_success:
            raise NotSent(
                f"the push service says {answered.status}",
                is_final=answered.status == _TOO_LARGE,
                retry_after=answered.retry_after,
            )

    def _signed(self, endpoint: str) -> dict[str, str]:
        parts = urlsplit(endpoint)
        claims = {
            "aud": f"{parts.scheme}://{parts.netloc}",
            "exp": int(self.wall()) + _SIGNED_FOR_S,
            "sub": self.contact,
        }
        return dict(self.vapid.sign(claims))


def _sealed(subscription: PushSubscription, push: Push) -> bytes:
    # brings aiohttp along, 13 MB: only processes that push shall pay for it
    from pywebpush import WebPusher  # noqa: PLC0415

    shown = {
        "id": push.message_id,
        "kind": push.kind,
        "title": push.title,
        "body": push.body,
        "link": push.link,
        "created_at": push.created_at,
    }
    keys = {"p256dh": subscription.p256dh, "auth": subscription.auth}
    browser = WebPusher({"endpoint": subscription.endpoint, "keys": keys})
    return bytes(browser.encode(msgspec.json.encode(shown))["body"])
