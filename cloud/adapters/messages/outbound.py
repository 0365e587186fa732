"""Requests to addresses that users named: judged, pinned, bounded; no redirects.

The name is resolved once, every address it has is judged, and the connection goes to one of those:
a name that leads elsewhere a moment later (DNS rebinding) leads nowhere.
"""

import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import timedelta
from http.client import HTTPConnection, HTTPException
from typing import Final, Self

from cloud.domain.errors import NotValid
from cloud.domain.outbound import DEFAULT_PORTS, Target, is_allowed, target_of
from cloud.services.messages import NotSent

_CONNECT_S: Final = 5.0
_IN_ALL_S: Final = 15.0
"""Whatever the other side does, a byte a minute included."""
_MOST_PATIENCE_S: Final = 8 * 3600
_MOST_ADDRESSES: Final = 3
_ONCE: Final = {"Connection": "close"}

Resolve = Callable[[str, int], list[str]]
"""Host and port -> its addresses; raises OSError where there are none."""


@dataclass(frozen=True, slots=True)
class Answered:
    """How a server answered; what it said beside that is read only where it is asked for."""

    status: int
    retry_after: timedelta | None = None
    body: bytes = b""

    @property
    def is_success(self) -> bool:
        """Whether it took what was sent."""
        return 200 <= self.status < 300  # noqa: PLR2004 - RFC 9110, 15.3


def resolve(host: str, port: int) -> list[str]:
    """Return a host's addresses; numbers in any spelling are resolved as well."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


@dataclass(frozen=True, slots=True)
class Outbound:
    """Sends requests to the world, and to nobody else.

    `is_lab` allows plain http and loopback; `context` is whom we believe. `takes_plain` allows plain http
    to public addresses: for what is signed by itself, as OCSP's answers are.
    """

    is_lab: bool = False
    context: ssl.SSLContext | None = None
    resolve: Resolve = resolve
    takes_plain: bool = False

    def post(
        self, url: str, body: bytes, headers: Mapping[str, str], *, most_bytes: int = 0
    ) -> Answered:
        """Send a body; of what is answered at most so many bytes are read.

        Raises:
            NotSent: there is no answer; final where the address may never be asked.
        """
        try:
            target = target_of(url, is_lab=self.is_lab, takes_plain=self.takes_plain)
        except NotValid as error:
            raise NotSent(error.detail, is_final=True) from error
        try:
            with closing(self._dial(target)) as dialled, _Deadline(dialled) as deadline:
                connection = HTTPConnection(target.host, target.port)
                # what Host says depends on it
                connection.default_port = DEFAULT_PORTS["https" if target.is_tls else "http"]
                connection.sock = self._secured(dialled, target, deadline)
                with closing(connection):
                    connection.request("POST", target.path, body, {**headers, **_ONCE})
                    with connection.getresponse() as answer:
                        said = answer.read(most_bytes) if most_bytes else b""
                        deadline.demand_time()
                        patience = _patience(answer.getheader("Retry-After"))
                        return Answered(answer.status, patience, said)
        except (OSError, HTTPException, ValueError) as error:
            raise NotSent(f"{type(error).__name__}: {error}"[:300]) from error

    def _dial(self, target: Target) -> socket.socket:
        """Connect to one of the addresses that were judged, the first that answers."""
        addresses = self.resolve(target.host, target.port)
        if not addresses or not all(is_allowed(one, is_lab=self.is_lab) for one in addresses):
            raise NotSent("the address leads to a place that is not public")
        missed: OSError = OSError("no answer")
        for address in addresses[:_MOST_ADDRESSES]:
            try:
                return socket.create_connection((address, target.port), timeout=_CONNECT_S)
            except OSError as error:
                missed = error
        raise missed

    def _secured(
        self, dialled: socket.socket, target: Target, deadline: "_Deadline"
    ) -> socket.socket:
        dialled.settimeout(_IN_ALL_S)
        if not target.is_tls:
            return dialled
        context = self.context or ssl.create_default_context()
        secured = context.wrap_socket(
            dialled, server_hostname=target.host, do_handshake_on_connect=False
        )
        deadline.watched = secured
        try:
            secured.do_handshake()
        except BaseException:
            secured.close()
            raise
        return secured


class _Deadline:
    """Cuts a connection in the end: a read that gets a byte now and then never times out by itself."""

    def __init__(self, watched: socket.socket) -> None:
        self.watched = watched
        self._is_over = False
        self._timer = threading.Timer(_IN_ALL_S, self._cut)

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._timer.cancel()

    def demand_time(self) -> None:
        """Refuse what was only half said when it was cut.

        Raises:
            TimeoutError: it was.
        """
        if self._is_over:
            raise TimeoutError("the answer takes too long")

    def _cut(self) -> None:
        self._is_over = True
        with suppress(OSError):
            self.watched.shutdown(socket.SHUT_RDWR)


def _patience(retry_after: str | None) -> timedelta | None:
    """Read Retry-After in seconds; as a date it is passed over."""
    if retry_after is None or not (retry_after.isascii() and retry_after.isdigit()):
        return None
    return timedelta(seconds=min(int(retry_after[:9]), _MOST_PATIENCE_S))
