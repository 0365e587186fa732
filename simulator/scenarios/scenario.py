"""What a scenario is: a station, and a story that happens there."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from simulator.bookings import Desk, Guest
from simulator.chargers.dialer import Dialer
from simulator.profile import Profile
from simulator.site import Site, StationSpec
from simulator.world import World


@dataclass
class Stage:
    """What a story has to play with."""

    world: World
    site: Site
    profile: Profile
    tokens: Sequence[str]
    dialers: dict[str, Dialer]
    """Sockets by charger id; none in a rehearsal without sockets."""
    desk: Desk
    """Where guests book."""
    guests: Sequence[Guest]
    dark: dict[str, datetime] = field(default_factory=dict)
    """Until when chargers without sockets are cut off."""

    def cut(self, charger_id: str, for_s: float) -> None:
        """Cut a charger's connection; without a socket its line is just closed."""
        dialer = self.dialers.get(charger_id)
        if dialer is not None:
            dialer.cut(for_s)
            return
        self.dark[charger_id] = self.world.now() + timedelta(seconds=for_s)
        self.site.chargers[charger_id].line.closed()

    def is_dark(self, charger_id: str) -> bool:
        """Whether a charger without a socket is cut off now."""
        until = self.dark.get(charger_id)
        return until is not None and self.world.now() < until


@dataclass(frozen=True, slots=True)
class Scenario:
    """One story; `duration_s` is its length in the world's time."""

    name: str
    about: str
    station: StationSpec
    play: Callable[[Stage], None]
    duration_s: float
