"""How a connection came from the network: by itself, by a process of ours, or by somebody's proxy."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Any, Final

Network = IPv4Network | IPv6Network

_ENCRYPTED: Final = frozenset({"https", "wss"})


@dataclass(frozen=True, slots=True)
class Arrival:
    """What counts at the door."""

    address: str
    """Empty: not known."""
    is_encrypted: bool = False
    certificate: Mapping[str, Any] | None = None
    """The charger's, already verified against our authority."""


def behind_proxies(
    arrival: Arrival,
    *,
    forwarded_for: Sequence[str],
    forwarded_proto: Sequence[str],
    trusted: Sequence[Network],
) -> Arrival:
    """Return how a connection came to the proxy that brought it; anybody's else own word is not taken.

    Of the addresses named the last one that is no proxy of ours counts: those before it are hearsay.
    A proxy that ended the charger's TLS has no certificate to show: security profile 3 needs one that
    hands on the bytes.
    """
    if not is_within(arrival.address, trusted):
        return arrival
    hops = [one.strip() for line in forwarded_for for one in line.split(",") if one.strip()]
    address = next((one for one in reversed(hops) if not is_within(one, trusted)), arrival.address)
    words = [one.strip().casefold() for line in forwarded_proto for one in line.split(",")]
    is_encrypted = arrival.is_encrypted or (bool(words) and words[-1] in _ENCRYPTED)
    return Arrival(address, is_encrypted, arrival.certificate)


def networks(text: str) -> tuple[Network, ...]:
    """Read addresses and networks, with commas between them.

    Raises:
        ValueError: one is neither.
    """
    return tuple(ip_network(one.strip()) for one in text.split(",") if one.strip())


def is_within(address: str, networks: Sequence[Network]) -> bool:
    """Whether an address is of one of the networks; what is no address is of none."""
    if not networks:
        return False
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    return any(parsed in network for network in networks)
