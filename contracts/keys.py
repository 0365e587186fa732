"""How charger and agent keys are hashed: one recipe, as the cloud writes it and the agent checks it.

Keys are random, 128 bits or more, so a fast keyed hash is enough, and a reconnect storm costs 4 us a login.
"""

import hashlib
import hmac
import secrets


def new_key() -> str:
    """Return a random key of 160 bits: 40 hexadecimal characters, as OCPP's basic auth takes."""
    return secrets.token_hex(20)


def new_salt() -> str:
    """Return 16 random bytes in hexadecimal."""
    return secrets.token_hex(16)


def hash_key(salt: str, key: str) -> str:
    """Return the hexadecimal HMAC-SHA-256 of `key` under the hexadecimal `salt`."""
    return hmac.new(bytes.fromhex(salt), key.encode(), hashlib.sha256).hexdigest()


def is_key(salt: str, key_hash: str, key: str) -> bool:
    """Whether `key` is the one hashed; takes the same time whatever the answer."""
    return hmac.compare_digest(hash_key(salt, key), key_hash)
