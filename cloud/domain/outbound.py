"""Where requests that users ask for may go: public addresses by https, and nothing of ours.

A name says nothing of where it leads, so addresses are judged once they are resolved; see
adapters/messages/outbound.py, which connects to the very address that was judged.
"""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final
from urllib.parse import urlsplit

from cloud.domain.errors import NotValid

LONGEST_URL: Final = 500

DEFAULT_PORTS: Final = {"https": 443, "http": 80}
_TRANSLATED: Final = (IPv6Network("64:ff9b::/96"), IPv6Network("::/96"))
"""IPv4 inside IPv6 (RFC 6052, RFC 4291), beside what `ipaddress` knows."""

_ALSO_OURS: Final = (
    # protocol assignments (RFC 6890), among them a cloud's metadata at 192.0.0.192
    IPv4Network("192.0.0.0/24"),
    # relays nobody runs any more (RFC 7526)
    IPv4Network("192.88.99.0/24"),
    # metadata of another cloud, at a public address
    IPv4Network("168.63.129.16/32"),
)
"""What `ipaddress` takes for public and is not."""


@dataclass(frozen=True, slots=True)
class Target:
    """A server and what is asked of it."""

    is_tls: bool
    host: str
    port: int
    path: str
    """With the query."""


def target_of(url: str, *, is_lab: bool = False, takes_plain: bool = False) -> Target:
    """Read an address requests may be sent to; in a lab plain http will do.

    Raises:
        NotValid: it is none, carries a login, or names an address that is not public.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
        host.encode("ascii")
    except ValueError:
        raise NotValid("url", "This is no web address.") from None
    if len(url) > LONGEST_URL or not (url.isascii() and url.isprintable()) or " " in url:
        raise NotValid("url", f"A web address has at most {LONGEST_URL} visible ASCII letters.")
    if parts.scheme != "https" and not ((is_lab or takes_plain) and parts.scheme == "http"):
        raise NotValid("url", "The address must begin with https://.")
    if not host or parts.username is not None or parts.password is not None:
        raise NotValid("url", "The address must name a host, and no user.")
    if not _may_be(host, is_lab=is_lab):
        raise NotValid("url", "This address is not public.")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(parts.scheme == "https", host, port or DEFAULT_PORTS[parts.scheme], path)


def is_allowed(address: str, *, is_lab: bool = False) -> bool:
    """Whether a resolved address may be connected to: a public one, in a lab also loopback."""
    ip = _innermost(ip_address(address.partition("%")[0]))
    if is_lab and ip.is_loopback:
        return True
    if any(ip in network for network in _ALSO_OURS):
        return False
    return ip.is_global and not (ip.is_multicast or ip.is_reserved)


def _may_be(host: str, *, is_lab: bool) -> bool:
    try:
        return is_allowed(host, is_lab=is_lab)
    except ValueError:
        return is_lab or not host.rstrip(".").endswith("localhost")


def _innermost(ip: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """Return the IPv4 address an IPv6 one leads to, if it does."""
    if isinstance(ip, IPv4Address):
        return ip
    for inner in (ip.ipv4_mapped, ip.sixtofour):
        if inner is not None:
            return inner
    is_special = ip.is_loopback or ip.is_unspecified
    if not is_special and any(ip in network for network in _TRANSLATED):
        return IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip
