"""What the pages of those who look after chargers need of the services, as seen from here."""

from typing import Protocol

from cloud.domain.access import Viewer
from cloud.services.fleet import AskFleet
from cloud.services.fleet_views import FleetCommandList, FleetCommandView, FleetTargetList
from cloud.services.idempotency import Once


class Fleet(Protocol):
    """See FleetService."""

    def issue(self, viewer: Viewer, ask: AskFleet, once: Once | None = None) -> FleetCommandView:
        """Begin."""
        ...

    def get(self, viewer: Viewer, fleet_command_id: str) -> FleetCommandView:
        """Return one and how far it is."""
        ...

    def page(
        self, viewer: Viewer, *, limit: int = 50, cursor: str | None = None
    ) -> FleetCommandList:
        """Return fleet commands, newest first."""
        ...

    def targets(
        self, viewer: Viewer, fleet_command_id: str, *, limit: int = 50, cursor: str | None = None
    ) -> FleetTargetList:
        """Return its chargers, in the order they are asked in."""
        ...

    def approve(self, viewer: Viewer, fleet_command_id: str) -> FleetCommandView:
        """Agree to what somebody else asked for."""
        ...

    def pause(self, viewer: Viewer, fleet_command_id: str) -> FleetCommandView:
        """Send nothing more for now."""
        ...

    def resume(self, viewer: Viewer, fleet_command_id: str) -> FleetCommandView:
        """Go on."""
        ...

    def abort(self, viewer: Viewer, fleet_command_id: str) -> FleetCommandView:
        """End it."""
        ...
