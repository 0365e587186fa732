"""What keys and certificates of chargers need: of the database, and of who signs."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from cloud.domain.certificates import Certificate
from cloud.domain.key_rotation import Rotation


@dataclass(frozen=True, slots=True)
class Login:
    """A charger came by a key."""

    charger_id: str
    salt: str
    security_profile: int
    at: datetime
    profile_generation: int | None = None
    """Of the setting of its profile it was held against; None: its agent knows of none."""
    certificate_serial: str = ""
    """Of the certificate it came by; empty: by none."""


class KeyRotations(Protocol):
    """Changes of keys: of each charger the last."""

    def get(self, charger_id: str) -> Rotation | None:
        """Return a charger's last one."""
        ...

    def put(self, rotation: Rotation) -> None:
        """Store it, in the place of an earlier one."""
        ...

    def see(self, logins: Sequence[Login]) -> list[str]:
        """Note by which keys chargers came; returns those in the midst of a change."""
        ...


class Certificates(Protocol):
    """Certificates chargers asked for."""

    def put(self, certificate: Certificate) -> None:
        """Store it, new or changed."""
        ...

    def get(self, certificate_id: str) -> Certificate | None:
        """Return one."""
        ...

    def unsigned(self, limit: int) -> list[Certificate]:
        """Return those that wait for their signature, oldest first."""
        ...

    def undelivered(self, charger_ids: Collection[str]) -> list[str]:
        """Return which of these chargers have one that is signed and not theirs yet."""
        ...

    def see(self, logins: Sequence[Login]) -> set[str]:
        """Note by which chargers came; returns the stations of those that came by a new one."""
        ...

    def of_charger(self, charger_id: str, limit: int) -> list[Certificate]:
        """Return a charger's, newest first."""
        ...


@dataclass(frozen=True, slots=True)
class Signed:
    """A certificate as it is delivered."""

    chain: str
    """PEM: the charger's own, then those above it but the root."""
    serial_number: str
    valid_until: datetime


class CsrRefused(ValueError):
    """The authority does not sign this; says why."""


class AuthorityAway(RuntimeError):
    """The authority cannot be asked now."""


class CertificateAuthority(Protocol):
    """Who signs chargers' certificates; may be far away, so it is never asked within a transaction."""

    def sign(self, csr: str, names: Sequence[str], purpose: str) -> Signed:
        """Sign a request.

        Args:
            csr: PEM, as the charger sent it.
            names: what its subject may be called: the charger's id, its serial number.
            purpose: OCPP's word; empty: for all of its connections.

        Raises:
            CsrRefused: it is broken, weak, or of somebody else.
            AuthorityAway: try again later.
        """
        ...

    def roots(self) -> dict[str, str]:
        """Return the roots it signs under, PEM, by OCPP's name for a root of that use."""
        ...


@dataclass(frozen=True, slots=True)
class CertificateHash:
    """Which certificate, as OCPP names it (CertificateHashDataType)."""

    algorithm: str
    issuer_name_hash: str
    issuer_key_hash: str
    serial_number: str
    responder_url: str = ""
    """Where its revocation is to be asked; empty: not said."""


class ContractAuthority(Protocol):
    """Who knows of cars' contracts and of V2G certificates (ISO 15118); may be far away."""

    def ev_certificate(self, schema: str, action: str, exi_request: str) -> str | None:
        """Return the car's CertificateInstallationRes or UpdateRes, base64 of EXI; None: refused.

        Raises:
            AuthorityAway: nobody can be asked now.
        """
        ...

    def ocsp(self, asked: CertificateHash) -> bytes | None:
        """Return the OCSP response (RFC 6960, DER) on a certificate; None: not one we can ask about.

        Raises:
            AuthorityAway: nobody can be asked now.
        """
        ...

    def contract_status(self, chain: str, hashes: Sequence[CertificateHash]) -> str:
        """Return OCPP's word on a contract certificate (AuthorizeCertificateStatusEnumType).

        Args:
            chain: PEM, the contract's own first; empty: the charger verified it, and only asks whether
                it was revoked.
            hashes: what it asks about.

        Raises:
            AuthorityAway: nobody can be asked now.
        """
        ...
