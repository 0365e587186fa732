"""The house's secret: from the settings, or made once and kept in the data folder."""

import hashlib
import hmac
import os
import secrets
from pathlib import Path
from typing import Final

_FILE: Final = "secret.key"
_BYTES: Final = 32


def kept_secret(named: str, data_dir: Path) -> bytes:
    """Return the secret named in the settings, or the folder's own, made where there is none.

    Of several processes that start at once all get the same: the file appears whole or not at all.
    """
    if named:
        return named.encode()
    path = data_dir / _FILE
    if not path.exists():
        _make(path)
    return path.read_bytes()


def key_for(secret: bytes, purpose: str) -> bytes:
    """Return the key of one purpose: none of them tells anything of the others."""
    return hmac.new(secret, purpose.encode(), hashlib.sha256).digest()


def _make(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(f".{secrets.token_hex(8)}")
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(secrets.token_hex(_BYTES).encode())
        file.flush()
        os.fsync(file.fileno())
    try:
        # a link fails where the file is there: the first process wins, the others read
        os.link(beside, path)
    except FileExistsError:
        pass
    finally:
        beside.unlink()
