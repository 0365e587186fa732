"""What real chargers do wrong, as switches: one row a quirk, each seen in the field.

A quirk changes what is said on its way out, how the other side is answered, or how the charger
conducts its line and its socket; the truth in the journal stays as it is. A theme is a file.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final, TypeVar

from simulator.chargers.habits import BY_THE_BOOK, Habits
from simulator.chargers.line import Payload
from simulator.chargers.manners import Manners, Said
from simulator.chargers.quirks import (
    boot,
    identity,
    load,
    metering,
    timing,
    transactions,
    transport,
)
from simulator.chargers.quirks.quirk import Quirk, Retell

__all__ = ["QUIRKS", "Quirk", "habits_with", "manners_with", "quirk"]

T = TypeVar("T")

QUIRKS: Final[tuple[Quirk, ...]] = (
    *transport.QUIRKS,
    *boot.QUIRKS,
    *identity.QUIRKS,
    *transactions.QUIRKS,
    *metering.QUIRKS,
    *timing.QUIRKS,
    *load.QUIRKS,
)


def quirk(name: str) -> Quirk:
    """Return the quirk called so.

    Raises:
        KeyError: there is none; says which there are.
    """
    found = {one.name: one for one in QUIRKS}
    if name not in found:
        raise KeyError(f"no quirk {name!r}; there are: {', '.join(found)}")
    return found[name]


def habits_with(quirks: Sequence[Quirk]) -> Habits:
    """Return the habits all these quirks make."""
    changed = BY_THE_BOOK
    for one in quirks:
        changed = replace(changed, **one.habits)
    return changed


def manners_with(quirks: Sequence[Quirk], manners: Manners) -> Manners:
    """Return manners with all these quirks."""
    changed = manners
    for one in quirks:
        changed = replace(changed, **one.manners)
    return replace(
        changed,
        alters=_one_after_another([one.alter for one in quirks if one.alter], changed.alters),
        rewrites=_one_after_another(
            [one.rewrite for one in quirks if one.rewrite], changed.rewrites
        ),
        retells=_all_told([one.retell for one in quirks if one.retell]),
    )


def _one_after_another(
    changes: Sequence[Callable[[str, T], T]], none: Callable[[str, T], T] | None
) -> Callable[[str, T], T] | None:
    def change(action: str, value: T) -> T:
        for one in changes:
            value = one(action, value)
        return value

    return change if changes else none


def _all_told(retells: Sequence[Retell]) -> Retell | None:
    def retell(action: str, payload: Payload) -> Sequence[Said]:
        told: list[Said] = [(action, payload)]
        for one in retells:
            told = [said for each in told for said in one(*each)]
        return told

    return retell if retells else None
