"""Who stands at the door, and may they come in: path, key, certificate, version. No I/O, no waiting."""

import base64
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote_to_bytes

from contracts.ids import ChargerId, is_identity
from contracts.keys import hash_key, is_key, new_salt
from contracts.plan import ChargerCredential
from station_agent.ocpp import v16, v21, v201
from station_agent.ocpp.tls import common_names_of, is_certificate_of, serial_of
from station_agent.ocpp.versions import Version

VERSIONS: Final[Mapping[str, Version]] = {
    version.subprotocol: version for version in (v16.VERSION, v201.VERSION, v21.VERSION)
}
WITHOUT_OFFER: Final = v16.VERSION
"""Served where no subprotocol is offered: mostly 1.6 chargers forget it (QUIRKS 1)."""

_SEGMENT: Final = re.compile(r"^(?:[A-Za-z0-9*_=:|@.+~-]|%[0-9A-Fa-f]{2})+$")
_DOTS: Final = frozenset({".", ".."})
_HANDSHAKE_KEY_BYTES: Final = 16
_NO_PROFILE: Final = 0
_KEY_PROFILE: Final = 1
_TLS_PROFILE: Final = 2
_CERTIFICATE_PROFILE: Final = 3

DOWNGRADED: Final = "security_downgraded"
"""The reason where a charger proved who it is, and came less protected than it has to."""

REPLACED: Final = "certificate_replaced"
"""The reason where its certificate is one that has a newer one in its place."""

# What the key of a charger nobody knows is checked against, so that it takes as long.
_NOBODY: Final = ChargerCredential(
    charger_id="nobody",
    salt=new_salt(),
    key_hash=hash_key(new_salt(), secrets.token_hex(20)),
)


def identity_of(target: str) -> ChargerId | None:
    """Return whose path this is: the last segment, decoded once; None where two could differ on it.

    Prefixes and extra slashes are taken (QUIRKS 2). Dots, encoded slashes, parameters and anything
    a proxy might read in another way are not (FAULTS S01).
    """
    path = target.partition("?")[0]
    segments = [segment for segment in path.split("/") if segment]
    if not path.startswith("/") or not segments:
        return None
    decoded = [_decoded(segment) for segment in segments]
    if any(segment is None or segment in _DOTS for segment in decoded):
        return None
    last = decoded[-1]
    return last if last is not None and is_identity(last) else None


def basic_credentials(headers: Sequence[str]) -> bytes:
    """Return what stands in the one Authorization header, decoded; empty if there is no such one."""
    if len(headers) != 1:
        return b""
    scheme, _, encoded = headers[0].partition(" ")
    if scheme.casefold() != "basic":
        return b""
    try:
        return base64.b64decode(encoded.strip(), validate=True)
    except ValueError:
        return b""


def has_key(charger_id: ChargerId, credentials: bytes, credential: ChargerCredential) -> bool:
    """Whether user name and key are the charger's; takes the same time whatever is wrong."""
    return bool(key_used(charger_id, credentials, credential))


def key_used(charger_id: ChargerId, credentials: bytes, credential: ChargerCredential) -> str:
    """Return the salt of the charger's key that came, this one or the one to follow; empty: none.

    The user name may be in another case than ours (QUIRKS 3). A key of 20 bytes may come as those bytes (OCPP-J 1.6, section 6.2.2) or as their hexadecimal.
    """
    prefix = charger_id.encode() + b":"
    is_named = credentials[: len(prefix)].lower() == prefix.lower()
    key = credentials[len(prefix) :] if is_named else credentials
    is_this = _is_key(credential.salt, credential.key_hash, key)
    next_salt = credential.next_salt or credential.salt
    is_next = _is_key(next_salt, credential.next_key_hash, key)
    if not is_named:
        return ""
    return credential.salt if is_this else next_salt if is_next else ""


def _is_key(salt: str, key_hash: str, key: bytes) -> bool:
    as_text = key.decode("utf-8", "replace").lower()
    is_text = is_key(salt, key_hash, as_text)
    is_binary = is_key(salt, key_hash, key.hex())
    return is_text or is_binary


def choose_version(offers: Sequence[str]) -> Version | None:
    """Return the first of the charger's offers we speak; None if we speak none of them."""
    if not offers:
        return WITHOUT_OFFER
    return next((VERSIONS[offer] for offer in offers if offer in VERSIONS), None)


def asks_to_upgrade(headers: Sequence[str]) -> bool:
    """Whether the Connection headers name the upgrade, as some chargers' do not (QUIRKS 2)."""
    words = [word.strip().casefold() for header in headers for word in header.split(",")]
    return "upgrade" in words


def is_handshake_key(text: str) -> bool:
    """Whether this is 16 bytes in base64, as RFC 6455 asks; some chargers send others (QUIRKS 2)."""
    try:
        return len(base64.b64decode(text.encode(), validate=True)) == _HANDSHAKE_KEY_BYTES
    except ValueError:
        return False


def other_than(version: Version) -> Version:
    """Return what a charger served in this version may turn out to speak (QUIRKS 1, 7)."""
    return v201.VERSION if version is v16.VERSION else v16.VERSION


def offers_in(headers: Sequence[str]) -> list[str]:
    """Return the subprotocols offered, in the charger's order."""
    return [offer.strip() for header in headers for offer in header.split(",") if offer.strip()]


@dataclass(frozen=True, slots=True)
class Knock:
    """What came with a request to connect."""

    charger_id: ChargerId | None
    credentials: bytes
    is_encrypted: bool = False
    certificate: Mapping[str, Any] | None = None
    """Already verified against our authority."""


@dataclass(frozen=True, slots=True)
class Admission:
    """The outcome at the door; `reason` is for the log and the event, never for the peer."""

    is_admitted: bool
    security_profile: int = 0
    """The one it came by, at least the one it must."""
    reason: str = ""
    key_salt: str = ""
    """Names the key it proved itself by; empty: by none."""
    profile_generation: int = 0
    """Of the credential it was held against."""
    certificate_serial: str = ""
    """Of the certificate it proved itself by; empty: by none."""
    common_names: tuple[str, ...] = ()
    """Of that certificate."""


def admit(
    knock: Knock, credential: ChargerCredential | None, *, is_lab: bool, is_ours: bool
) -> Admission:
    """Decide by the charger's own security profile: never less than it says (FAULTS S03).

    Args:
        knock: what came.
        credential: the charger's, None if nobody knows it.
        is_lab: whether profile 0, no proof at all, is allowed here.
        is_ours: whether the station file lists the charger; in a lab that is enough without a plan.
    """
    charger_id = knock.charger_id or "nobody"
    salt = key_used(charger_id, knock.credentials, credential or _NOBODY)
    if credential is None:
        if is_lab and is_ours:
            return Admission(is_admitted=True, security_profile=_NO_PROFILE)
        return Admission(is_admitted=False, reason="unknown_charger")
    is_its = knock.is_encrypted and is_certificate_of(knock.certificate, charger_id)
    serial = serial_of(knock.certificate or {}) if is_its else ""
    counting = credential.certificate_serials
    is_replaced = is_its and bool(counting) and serial not in counting
    used = _profile_of(knock, is_proven=bool(salt), is_certified=is_its and not is_replaced)
    reason = _wanting(knock, credential.security_profile, used, is_lab=is_lab)
    if reason:
        reason = REPLACED if is_replaced else reason
        return Admission(is_admitted=False, security_profile=used, reason=reason)
    is_certified = used == _CERTIFICATE_PROFILE
    return Admission(
        is_admitted=True,
        security_profile=used,
        key_salt=salt,
        profile_generation=credential.profile_generation,
        certificate_serial=serial if is_certified else "",
        common_names=common_names_of(knock.certificate or {}) if is_certified else (),
    )


def _profile_of(knock: Knock, *, is_proven: bool, is_certified: bool) -> int:
    """Return the highest security profile that what came satisfies (OCPP 2.0.1, A00)."""
    if is_certified:
        return _CERTIFICATE_PROFILE
    if not is_proven:
        return _NO_PROFILE
    return _TLS_PROFILE if knock.is_encrypted else _KEY_PROFILE


def _wanting(knock: Knock, needed: int, used: int, *, is_lab: bool) -> str:
    """Return what is missing for the profile needed, empty if nothing is."""
    if needed == _NO_PROFILE and used == _NO_PROFILE:
        return "" if is_lab else "profile_not_allowed"
    if used >= needed:
        return ""
    if used and not (knock.is_encrypted and knock.certificate):
        return DOWNGRADED
    if needed >= _TLS_PROFILE and not knock.is_encrypted:
        return "not_encrypted"
    return "wrong_certificate" if needed == _CERTIFICATE_PROFILE else "wrong_key"


def _decoded(segment: str) -> str | None:
    """Decode one level; None for what is not plain text of an identity's kind."""
    if not _SEGMENT.match(segment):
        return None
    try:
        text = unquote_to_bytes(segment).decode("utf-8")
    except UnicodeDecodeError:
        return None
    is_plain = text.isprintable() and not set(text) & set("/\\%?#;")
    return text if is_plain else None
