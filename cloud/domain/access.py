"""Who may see and do what."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Role(StrEnum):
    """What a user is here for."""

    DRIVER = "driver"
    OWNER = "owner"
    MAINTENANCE = "maintenance"
    ADMIN = "admin"


STAFF: Final = frozenset({Role.MAINTENANCE, Role.ADMIN})
"""Who sees every station; owners see their own."""


@dataclass(frozen=True, slots=True)
class Viewer:
    """Somebody logged in, as the use cases need to know them."""

    user_id: str
    role: Role

    @property
    def is_staff(self) -> bool:
        """Whether every station is theirs to see."""
        return self.role in STAFF

    def may_watch(self, owner_id: str | None) -> bool:
        """Whether alerts and chargers of a station with this owner are theirs to see and handle."""
        return self.is_staff or (self.role is Role.OWNER and owner_id == self.user_id)

    def may_see_session(self, driver_id: str | None, owner_id: str | None) -> bool:
        """Whether a session of this driver, at a station of this owner, is theirs to see."""
        return self.may_watch(owner_id) or (driver_id is not None and driver_id == self.user_id)
