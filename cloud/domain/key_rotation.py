"""A charger gets a new key while the old one stays good, until it comes with the new one (2.0.1 A01).

Whatever crashes in between, there is a key the charger has that its station takes; at most one is good
that it has not (FAULTS F13).
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from cloud.domain.errors import IllegalTransition


class Status(StrEnum):
    """How far a rotation is."""

    ANNOUNCED = "announced"
    """The station is to take both keys; the charger has not been asked yet, or is to be asked again."""
    SENT = "sent"
    """The charger was asked, and has not answered."""
    TAKEN = "taken"
    """It said yes; its next login shows, or the one after its next boot."""
    DOUBTED = "doubted"
    """It said no, or was given up, after an answer of its was lost: it may have the new key; its next
    login shows."""
    DONE = "done"
    """It came with the new key: the old one is gone."""
    REFUSED = "refused"
    """It has kept the old key: the new one is gone."""


class Happening(StrEnum):
    """What moves a rotation on."""

    ASKED = "asked"
    SAID_YES = "said_yes"
    SAID_YES_AT_BOOT = "said_yes_at_boot"
    """It goes by the new key when it boots next."""
    SAID_NO = "said_no"
    COULD_NOT = "could_not"
    """It was not asked after all, or answered with an error: it has the old key."""
    ANSWER_LOST = "answer_lost"
    """It may have heard, or not."""
    CAME_WITH_NEW = "came_with_new"
    CAME_WITH_OLD = "came_with_old"
    """Logged in by the old key since the last step."""
    BOOTED_WITH_OLD = "booted_with_old"
    """And booted after that: it will not come by the new one any more."""
    RESET = "reset"
    """Was asked to boot."""
    GIVEN_UP = "given_up"
    """Was asked often enough."""
    ABANDONED = "abandoned"
    """Somebody gave the charger a third key by hand."""


OPEN: Final = frozenset({Status.ANNOUNCED, Status.SENT, Status.TAKEN, Status.DOUBTED})
"""While it is so, both keys are good."""

NEXT: Final = {
    (Status.ANNOUNCED, Happening.ASKED): Status.SENT,
    (Status.SENT, Happening.SAID_YES): Status.TAKEN,
    (Status.SENT, Happening.SAID_YES_AT_BOOT): Status.TAKEN,
    (Status.SENT, Happening.SAID_NO): Status.REFUSED,
    (Status.SENT, Happening.COULD_NOT): Status.ANNOUNCED,
    (Status.SENT, Happening.ANSWER_LOST): Status.ANNOUNCED,
    (Status.TAKEN, Happening.CAME_WITH_OLD): Status.TAKEN,
    (Status.TAKEN, Happening.RESET): Status.TAKEN,
    (Status.TAKEN, Happening.BOOTED_WITH_OLD): Status.ANNOUNCED,
    (Status.ANNOUNCED, Happening.GIVEN_UP): Status.REFUSED,
    (Status.DOUBTED, Happening.CAME_WITH_OLD): Status.REFUSED,
    **{(one, Happening.CAME_WITH_NEW): Status.DONE for one in OPEN},
    **{(one, Happening.ABANDONED): Status.REFUSED for one in OPEN},
}

NEEDS_BOOT: Final = {
    Happening.ASKED: False,
    Happening.SAID_YES_AT_BOOT: True,
    # it said yes and came by the old key all the same: some go by the new one from their next boot on
    Happening.CAME_WITH_OLD: True,
}
"""What is known of whether the charger has to boot; the others change nothing of it."""

_CALLED: Final = frozenset({Happening.ASKED, Happening.RESET})
_NOT_TAKEN: Final = frozenset({Happening.SAID_NO, Happening.GIVEN_UP})

ASK_AGAIN_AFTER: Final = timedelta(seconds=15)
LONGEST_REST: Final = timedelta(hours=6)
MOST_ASKED: Final = 12
"""Then it is given up: half a day of trying."""
LOOK_AGAIN_AFTER: Final = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotation:
    """A charger's change of keys; `salt` and `key_hash` are the new one's."""

    charger_id: str
    salt: str
    key_hash: str
    status: Status = Status.ANNOUNCED
    is_unsure: bool = False
    """An answer was lost: the charger may have the new key whatever it says later."""
    asked: int = 0
    """How often the charger was asked, to take the key or to boot."""
    command_id: str | None = None
    """By which it was asked last."""
    needs_boot: bool = False
    """It said yes, and has yet to boot to go by it."""
    started_by: str = ""
    started_at: datetime
    changed_at: datetime
    seen_salt: str = ""
    """Of the key it last came with."""
    seen_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        """Whether both keys are good."""
        return self.status in OPEN


def advance(rotation: Rotation, happening: Happening, now: datetime) -> Rotation:
    """Return the rotation after `happening`.

    Raises:
        IllegalTransition: `NEXT` has no such row.
    """
    try:
        status = NEXT[rotation.status, happening]
    except KeyError:
        raise IllegalTransition(f"{rotation.status} does not allow {happening}") from None
    if happening in _NOT_TAKEN and rotation.is_unsure:
        status = Status.DOUBTED
    return replace(
        rotation,
        status=status,
        is_unsure=rotation.is_unsure or happening is Happening.ANSWER_LOST,
        asked=rotation.asked + (happening in _CALLED),
        needs_boot=NEEDS_BOOT.get(happening, rotation.needs_boot),
        changed_at=rotation.changed_at if status is rotation.status else now,
    )


def login_of(rotation: Rotation, booted_at: datetime | None) -> Happening | None:
    """Return what its last login shows, and its last boot; None: nothing that was not known."""
    if rotation.seen_salt == rotation.salt:
        return Happening.CAME_WITH_NEW
    seen_at = rotation.seen_at
    is_telling = rotation.status in {Status.TAKEN, Status.DOUBTED}
    if not is_telling or seen_at is None or seen_at <= rotation.changed_at:
        return None
    if rotation.status is Status.TAKEN and booted_at is not None and booted_at >= seen_at:
        return Happening.BOOTED_WITH_OLD
    return None if rotation.needs_boot else Happening.CAME_WITH_OLD


def rest_after(asked: int) -> timedelta:
    """Return how long a charger is left alone after it was asked so often."""
    return min(ASK_AGAIN_AFTER * (1 << max(asked - 1, 0)), LONGEST_REST)
