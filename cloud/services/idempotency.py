"""Doing what is asked once, however often the same request comes (Idempotency-Key).

The claim on the key, the effect and the answer are one transaction: whoever comes second waits for
the first in the database and then gets its answer. Answers may hold keys that are shown once, so
they are kept encrypted, under a key that only who sent the Idempotency-Key can make again.
"""

import base64
import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, TypeVar

import msgspec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from cloud.domain.errors import KeyReused
from cloud.services.ports import TransactionLost, UnitOfWork

KEPT_FOR: Final = timedelta(hours=24)

_NONCE_BYTES: Final = 12
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Once:
    """A request that names itself."""

    user_id: str
    key: str
    request: bytes
    """What was asked, method and address included: another one under the same key is refused."""


def do_once(
    work: UnitOfWork, once: Once | None, now: datetime, effect: Callable[[], _T], kind: type[_T]
) -> _T:
    """Run `effect` in `work`, or return what it returned when the same request came before.

    Raises:
        KeyReused: the key came before with another request.
    """
    if once is None:
        return effect()
    key_hash = _hash(b"key", once)
    request_hash = hashlib.sha256(once.request).hexdigest()
    if work.idempotency.claim(once.user_id, key_hash, request_hash, now):
        made = effect()
        work.idempotency.keep(once.user_id, key_hash, _sealed(once, msgspec.json.encode(made)))
        return made
    kept = work.idempotency.kept(once.user_id, key_hash)
    if kept is None:
        raise TransactionLost("who had the key first has just given it up")
    if kept.request_hash != request_hash:
        raise KeyReused
    return msgspec.json.decode(_opened(once, kept.body), type=kind)


def _hash(purpose: bytes, once: Once) -> str:
    text = b"\0".join((purpose, once.user_id.encode(), once.key.encode()))
    return hashlib.sha256(text).hexdigest()


def _cipher(once: Once) -> AESGCM:
    return AESGCM(bytes.fromhex(_hash(b"seal", once)))


def _sealed(once: Once, body: bytes) -> str:
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return base64.b64encode(nonce + _cipher(once).encrypt(nonce, body, None)).decode()


def _opened(once: Once, sealed: str) -> bytes:
    raw = base64.b64decode(sealed)
    return _cipher(once).decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], None)
