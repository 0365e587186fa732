"""What the pages need of the services, as seen from here; and who reads them."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from cloud.api.commands import DEFAULT_TIMEOUT_S, Waiting, answered
from cloud.api.container import Services
from cloud.domain.access import Role, Viewer
from cloud.live import LiveHub
from cloud.services.admin_ports import CredentialKind, Login
from cloud.services.availability import StationQuery
from cloud.services.credentials import Attempt, Issued
from cloud.services.views import (
    AlertDetail,
    AlertList,
    AlertView,
    ChargerDetail,
    CommandView,
    MailView,
    SessionDetail,
    SessionList,
    StationDetail,
    StationList,
    StationPoint,
)
from contracts.clock import Clock
from contracts.commands import Request


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody signed in who looks at a page."""

    login: Login

    @property
    def viewer(self) -> Viewer:
        """As the use cases know them."""
        return self.login.viewer

    @property
    def role(self) -> Role:
        """What they are here for."""
        return self.login.viewer.role

    @property
    def may_see_faults(self) -> bool:
        """Whether they see the fault queue; owners see their own stations' part of it."""
        return self.viewer.is_staff or self.role is Role.OWNER


class Availability(Protocol):
    """See AvailabilityService."""

    def stations_near(self, query: StationQuery) -> StationList:
        """Return the stations asked for."""
        ...

    def stations(self, station_ids: Sequence[str]) -> list[StationDetail]:
        """Return these stations, in this order."""
        ...

    def points(self, query: StationQuery) -> list[StationPoint]:
        """Return all stations that match, for a map."""
        ...

    def station(self, station_id: str) -> StationDetail:
        """Return one station."""
        ...


class Sessions(Protocol):
    """See SessionService."""

    def list(
        self,
        viewer: Viewer,
        *,
        is_live: bool | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> SessionList:
        """Return the viewer's sessions, newest first."""
        ...

    def get(self, session_id: str, viewer: Viewer) -> SessionDetail:
        """Return one with its curve."""
        ...


class Alerts(Protocol):
    """See AlertService."""

    def list(
        self,
        viewer: Viewer,
        *,
        status: str | None = None,
        station_id: str | None = None,
        limit: int = 100,
        cursor: str | None = None,
    ) -> AlertList:
        """Return alerts, newest first."""
        ...

    def get(self, alert_id: str, viewer: Viewer) -> AlertDetail:
        """Return one with its log."""
        ...

    def acknowledge(
        self, alert_id: str, viewer: Viewer, *, note: str = "", version: int | None = None
    ) -> AlertView:
        """Say that somebody sees to it."""
        ...

    def resolve(
        self, alert_id: str, viewer: Viewer, *, note: str = "", version: int | None = None
    ) -> AlertView:
        """Say that it is over."""
        ...


class Credentials(Protocol):
    """See CredentialService."""

    def log_in(
        self,
        attempt: Attempt,
        kind: CredentialKind,
        *,
        label: str = "",
        lasts: timedelta | None = None,
    ) -> Issued:
        """Begin a browser session."""
        ...

    def resolve(self, secret: str) -> Login | None:
        """Return whose it is."""
        ...

    def log_out(self, login: Login) -> None:
        """End it."""
        ...


class Chargers(Protocol):
    """Chargers as maintenance sees them."""

    def get(self, charger_id: str, viewer: Viewer) -> ChargerDetail:
        """Return one with what it told lately."""
        ...


class Ask(Protocol):
    """Sends a request to a charger."""

    async def __call__(self, viewer: Viewer, request: Request) -> CommandView:
        """Send it, and wait a while for how it ends."""
        ...


class Parts(Protocol):
    """The services behind the pages."""

    @property
    def clock(self) -> Clock:
        """What time it is."""
        ...

    @property
    def availability(self) -> Availability:
        """Stations and bays."""
        ...

    @property
    def sessions(self) -> Sessions:
        """Charges."""
        ...

    @property
    def alerts(self) -> Alerts:
        """Faults."""
        ...

    @property
    def credentials(self) -> Credentials:
        """Who is who."""
        ...

    @property
    def chargers(self) -> Chargers:
        """Chargers."""
        ...

    @property
    def mailbox(self) -> Callable[[int], list[MailView]]:
        """How to read the newest messages, so many."""
        ...

    def names(self, user_ids: Collection[str]) -> dict[str, str]:
        """Return what users are called, those there are."""
        ...

    @property
    def ask(self) -> Ask:
        """How to reach a charger."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceParts:
    """The services as wiring has them. See Parts."""

    services: Services
    hub: LiveHub
    mailbox: Callable[[int], list[MailView]]

    @property
    def clock(self) -> Clock:
        """See Parts.clock."""
        return self.services.clock

    @property
    def availability(self) -> Availability:
        """See Parts.availability."""
        return self.services.availability

    @property
    def sessions(self) -> Sessions:
        """See Parts.sessions."""
        return self.services.sessions

    @property
    def alerts(self) -> Alerts:
        """See Parts.alerts."""
        return self.services.alerts

    @property
    def credentials(self) -> Credentials:
        """See Parts.credentials."""
        return self.services.credentials

    @property
    def chargers(self) -> Chargers:
        """See Parts.chargers."""
        return self.services.chargers

    def names(self, user_ids: Collection[str]) -> dict[str, str]:
        """See Parts.names."""
        return self.services.accounts.names(user_ids)

    async def ask(self, viewer: Viewer, request: Request) -> CommandView:
        """See Ask."""
        waiting = Waiting(self.services, self.hub)
        return await answered(waiting, viewer, request, DEFAULT_TIMEOUT_S)
