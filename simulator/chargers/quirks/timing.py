"""What their clocks say (QUIRKS 37)."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from simulator.chargers.quirks.quirk import Quirk, instants_changed

_EAST: Final = timedelta(hours=2)
_WEST: Final = timedelta(hours=-5)


def _local(zone: timedelta) -> Callable[[str], str]:
    def local(text: str) -> str:
        return (datetime.fromisoformat(text) + zone).isoformat(timespec="seconds").split("+")[0]

    return local


QUIRKS: Final[tuple[Quirk, ...]] = (
    Quirk(
        "no_zone",
        "writes instants without a zone (37)",
        instants_changed(lambda text: text.removesuffix("Z")),
    ),
    Quirk("local_time", "writes local time without a zone (37)", instants_changed(_local(_EAST))),
    Quirk(
        "local_time_west",
        "writes the local time of the west without a zone (37)",
        instants_changed(_local(_WEST)),
    ),
    Quirk(
        "year_1970",
        "lost its clock (37)",
        instants_changed(lambda text: f"1970-01-01T{text[11:]}"),
    ),
    Quirk("year_2099", "is far ahead (37)", instants_changed(lambda text: f"2099{text[4:]}")),
    Quirk("zero_instants", "writes 0 for instants (37)", instants_changed(lambda _: "0")),
    Quirk("empty_instants", "writes empty instants (37)", instants_changed(lambda _: "")),
    Quirk("no_instants", "leaves instants out (37)", instants_changed(lambda _: None)),
)
