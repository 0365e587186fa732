"""How chargers answer what concerns their keys and certificates, in both versions' words."""

from typing import Any, Final

from simulator.chargers.charger import Charger
from simulator.chargers.line import Call, Payload
from simulator.chargers.safe import CERTIFICATE_PROFILE, CHARGING_STATION
from simulator.chargers.spec import stamp

PURPOSES: Final = {
    "SignChargingStationCertificate": CHARGING_STATION,
    "SignChargePointCertificate": CHARGING_STATION,
    "SignV2GCertificate": "V2GCertificate",
    "SignCombinedCertificate": "",
}
"""What a triggered message asks a certificate for."""


def ask_for_certificate(charger: Charger, message: str, *, says_purpose: bool = True) -> None:
    """Send SignCertificate for what a trigger names; `says_purpose`: 1.6 knows of one only."""
    purpose = PURPOSES[message]
    payload: Payload = {"csr": charger.safe.request_for(purpose, charger.charger_id)}
    if purpose and says_purpose:
        payload["certificateType"] = purpose
    charger.line.call(Call("SignCertificate", lambda: payload))


def certificate_signed(charger: Charger, payload: Payload) -> Payload:
    """Take it, or tell that it is no good (A02.FR.06, A02.FR.07)."""
    purpose = payload.get("certificateType", CHARGING_STATION)
    if "certificateType" not in payload and "" in charger.safe.asked_by:
        purpose = ""
    chain = payload["certificateChain"]
    if charger.safe.take_chain(chain, purpose, charger.now()):
        return {"status": "Accepted"}
    tell_security(charger, "InvalidChargingStationCertificate")
    return {"status": "Rejected"}


def install_certificate(charger: Charger, payload: Payload) -> Payload:
    """Trust a root, if it is one."""
    is_good = charger.safe.install(payload["certificateType"], payload["certificate"])
    return {"status": "Accepted" if is_good else "Rejected"}


def delete_certificate(charger: Charger, payload: Payload) -> Payload:
    """Trust a root no longer."""
    is_gone = charger.safe.delete(payload["certificateHashData"])
    return {"status": "Accepted" if is_gone else "NotFound"}


def installed_ids(charger: Charger, payload: Payload) -> Payload:
    """Name what is installed (2.0.1)."""
    found = charger.safe.installed(payload.get("certificateType", []))
    if not found:
        return {"status": "NotFound"}
    return {"status": "Accepted", "certificateHashDataChain": found}


def installed_ids_16(charger: Charger, payload: Payload) -> Payload:
    """Name what is installed of a kind (1.6)."""
    found = charger.safe.installed([payload["certificateType"]])
    if not found:
        return {"status": "NotFound"}
    data = [one["certificateHashData"] for one in found]
    return {"status": "Accepted", "certificateHashData": data}


def set_network_profile(charger: Charger, payload: Payload) -> Payload:
    """Keep a profile for later, if it is none that would be less safe (A05.FR.02)."""
    data = payload["connectionData"]
    if charger.safe.refuses(data["securityProfile"]):
        return {"status": "Rejected"}
    charger.safe.slots[payload["configurationSlot"]] = data
    return {"status": "Accepted"}


def set_priority(charger: Charger, value: str) -> None:
    """Use these network profiles from the next start on.

    Raises:
        ValueError: there is no such profile.
    """
    wanted = [int(one) for one in value.split(",")]
    if not set(wanted) <= charger.safe.slots.keys():
        raise ValueError(value)
    charger.safe.priority = wanted


def set_profile(charger: Charger, value: str) -> None:
    """Go over to a higher security profile at the next start (1.6).

    Raises:
        ValueError: it is no higher one, or what it needs is not there.
    """
    profile = int(value)
    is_higher = charger.safe.profile < profile <= CERTIFICATE_PROFILE
    if not is_higher or charger.safe.refuses(profile) or not charger.safe.tls_url:
        raise ValueError(value)
    charger.safe.slots[0] = {"ocppCsmsUrl": charger.safe.tls_url, "securityProfile": profile}
    charger.safe.priority = [0]


def take_key(charger: Charger, key: str) -> None:
    """Log in by a new key from now on, beginning at once."""
    charger.world.after(0.05, lambda: charger.safe.redial(key=key))


def tell_security(charger: Charger, event: str, info: str = "") -> None:
    """Report a security event (A04)."""
    payload: dict[str, Any] = {"type": event, "timestamp": stamp(charger.now())}
    if info:
        payload["techInfo"] = info
    charger.world.after(
        0, lambda: charger.line.call(Call("SecurityEventNotification", lambda: payload))
    )
