"""The broker's users: Mosquitto's password format, and who may say and hear what."""

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from contracts import topics

_ITERATIONS: Final = 101
"""Mosquitto's own default; agent keys are 160 random bits, which nothing guesses."""
_SALT_BYTES: Final = 12
_ALGORITHM: Final = "7"


def hash_password(password: str) -> str:
    """Return Mosquitto's `$7$iterations$salt$hash`: PBKDF2 with HMAC-SHA-512, base64."""
    salt = secrets.token_bytes(_SALT_BYTES)
    return _written(_ITERATIONS, salt, _derived(password, salt, _ITERATIONS))


def is_password(kept: str, password: str) -> bool:
    """Whether `password` is the one kept; False also where `kept` is not of this format."""
    try:
        empty, algorithm, iterations, salt_text, hash_text = kept.split("$")
        salt = base64.b64decode(salt_text, validate=True)
        expected = base64.b64decode(hash_text, validate=True)
        rounds = int(iterations)
    except (ValueError, binascii.Error):
        return False
    if empty or algorithm != _ALGORITHM or rounds < 1:
        return False
    return hmac.compare_digest(_derived(password, salt, rounds), expected)


def _derived(password: str, salt: bytes, iterations: int) -> bytes:
    return hashlib.pbkdf2_hmac("sha512", password.encode(), salt, iterations)


def _written(iterations: int, salt: bytes, derived: bytes) -> str:
    parts = (base64.b64encode(salt).decode(), base64.b64encode(derived).decode())
    return f"${_ALGORITHM}${iterations}${parts[0]}${parts[1]}"


@dataclass(frozen=True, slots=True)
class BrokerUser:
    """A login at the broker beside the agents'; `topics` as (access, filter) pairs."""

    name: str
    password_hash: str
    topics: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class BrokerFiles:
    """What Mosquitto's `password_file` and `acl_file` hold."""

    passwords: str
    acl: str


SENSOR_TOPICS: Final = (
    "zigbee2mqtt/#",
    "+/binary_sensor/#",
    "+/sensor/#",
    "+/status",
    "tele/#",
    "stat/#",
    "application/#",
    "v3/#",
    "sensors/#",
)
"""Where the vendors' sensors speak, for stations whose sensors share this broker."""

AGENT_PATTERNS: Final = (
    ("write", topics.events("%u")),
    ("write", topics.link("%u")),
    ("read", topics.acks("%u")),
    ("read", topics.commands("%u")),
    ("read", topics.plan("%u")),
    *(("read", topic) for topic in SENSOR_TOPICS),
)
"""What an agent may do: %u is its user name, which is its station's id."""


def cloud_user(name: str, password_hash: str) -> BrokerUser:
    """Return the cloud's own login: all of ours, nothing of the vendors'."""
    return BrokerUser(name, password_hash, (("readwrite", topics.everything()),))


def sensors_user(name: str, password_hash: str) -> BrokerUser:
    """Return the login of bay sensors that share this broker: their own topics, nothing of ours."""
    return BrokerUser(name, password_hash, tuple(("readwrite", one) for one in SENSOR_TOPICS))


def broker_files(agents: Mapping[str, str], others: Iterable[BrokerUser] = ()) -> BrokerFiles:
    """Return the files for these logins.

    Args:
        agents: key hash by station id.
        others: the cloud (see `cloud_user`), and who else may log in.
    """
    listed = list(others)
    # a station named like one of the others cannot log in as it
    hashes = dict(agents) | {user.name: user.password_hash for user in listed}
    passwords = "".join(f"{name}:{kept}\n" for name, kept in hashes.items())
    return BrokerFiles(passwords, _acl(listed))


def _acl(users: Iterable[BrokerUser]) -> str:
    lines = ["# Written by `python -m cloud broker-files`; changed by hand, it is overwritten."]
    lines += ["", "# Anybody may hear which bays are free."]
    lines += [f"topic read {topics.availability('+')}"]
    for user in users:
        lines += ["", f"user {user.name}"]
        lines += [f"topic {access} {topic}" for access, topic in user.topics]
    lines += ["", "# Every login: a station's agent speaks for its own station alone."]
    lines += [f"pattern {access} {topic}" for access, topic in AGENT_PATTERNS]
    lines += [f"pattern read {topics.availability('+')}"]
    return "\n".join(lines) + "\n"


class MosquittoUsers:
    """See BrokerUsers; `on_change` has whoever keeps the broker's files write them again."""

    def __init__(self, on_change: Callable[[], None] = lambda: None) -> None:
        self._on_change = on_change

    def hash(self, key: str) -> str:
        """See BrokerUsers.hash."""
        return hash_password(key)

    def changed(self) -> None:
        """See BrokerUsers.changed."""
        self._on_change()
