"""TLS as OCPP's security profiles 2 and 3 ask for it (OCPP 2.0.1, A00.FR.301-429)."""

import ssl
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from contracts.ids import ChargerId

# A00.FR.318/319: the suites every charger has one of. Python's default leaves the TLS_RSA ones out.
CIPHERS: Final = (
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384"
    ":ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384"
    ":AES128-GCM-SHA256:AES256-GCM-SHA384"
)


def server_context(
    cert_files: Sequence[Path], client_ca_file: Path | None = None
) -> ssl.SSLContext:
    """Return a context with a certificate of each kind given, e.g. one ECDSA and one RSA.

    A client's certificate is asked for where there is an authority to check it by; whether one is
    needed is said by the charger's own security profile.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(CIPHERS)
    for file in cert_files:
        context.load_cert_chain(file)
    if client_ca_file is not None:
        context.load_verify_locations(client_ca_file)
        context.verify_mode = ssl.CERT_OPTIONAL
    return context


def common_names_of(certificate: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what its subject is called; OCPP puts the charger's serial number there (A00.FR.405)."""
    subject = certificate.get("subject", ())
    return tuple(value for part in subject for key, value in part if key == "commonName")


def serial_of(certificate: Mapping[str, Any]) -> str:
    """Return a certificate's serial number as the plan has it: hexadecimal, lower case, no zeros before."""
    return str(certificate.get("serialNumber", "")).lower().lstrip("0")


def is_certificate_of(certificate: Mapping[str, Any] | None, charger_id: ChargerId) -> bool:
    """Whether a verified certificate, as `getpeercert` tells it, names this charger."""
    if not certificate:
        return False
    names = list(common_names_of(certificate))
    names += [
        value for kind, value in certificate.get("subjectAltName", ()) if kind in {"DNS", "URI"}
    ]
    return charger_id in names
