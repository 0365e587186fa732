"""Mosquitto's password file, written by hand: a second opinion beside the product's own writer."""

import base64
import hashlib
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Final

_ROUNDS: Final = 101


def write_passwords(path: Path, users: Mapping[str, str]) -> None:
    """Write `name:$7$rounds$salt$hash` per user (PBKDF2-SHA512, Mosquitto 2.0)."""
    path.write_text("".join(f"{name}:{_hashed(key)}\n" for name, key in users.items()))
    path.chmod(0o600)


def _hashed(key: str) -> str:
    salt = secrets.token_bytes(12)
    digest = hashlib.pbkdf2_hmac("sha512", key.encode(), salt, _ROUNDS)
    return f"$7${_ROUNDS}${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}"
