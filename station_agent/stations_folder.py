"""AGENT_STATIONS_DIR: a station file for each station, and beside it, in a file `.key`, its key at the broker."""

import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from contracts.ids import StationId
from station_agent.station_file import StationFileWrong, StationLayout, load_station

PATTERN: Final = "*.yaml"


@dataclass(frozen=True, slots=True)
class Part:
    """Which of the stations a process serves: each station is one process's alone, and stays it."""

    number: int = 0
    of: int = 1

    def has(self, station_id: StationId) -> bool:
        """Whether a station is of this part."""
        return zlib.crc32(station_id.encode()) % self.of == self.number


WHOLE: Final = Part()


@dataclass(frozen=True, slots=True)
class StationEntry:
    """A station as the folder has it now."""

    station_id: StationId
    file: Path
    version: tuple[int, ...]
    """Another one: the station file or its key was written, or given to others, since."""

    @property
    def key_file(self) -> Path:
        """Where its key is, if it has one of its own."""
        return self.file.with_suffix(".key")


def entries_of(folder: Path, part: Part = WHOLE) -> dict[StationId, StationEntry]:
    """Return the part's stations by the names of their files.

    Raises:
        OSError: the folder cannot be read.
    """
    found = {}
    for file in sorted(folder.iterdir()):
        if file.match(PATTERN) and part.has(file.stem):
            found[file.stem] = StationEntry(file.stem, file, _version_of(file))
    return found


def station_of(entry: StationEntry) -> StationLayout:
    """Read an entry's station file.

    Raises:
        StationFileWrong: with all that is wrong with it.
        OSError: it cannot be read.
        ValueError: it is another station's.
    """
    station = load_station(entry.file)
    if station.station_id != entry.station_id:
        raise ValueError(f"{entry.file}: describes {station.station_id!r}: name it after that")
    return station


def key_of(entry: StationEntry) -> str | None:
    """Return a station's key at the broker; None: it has none of its own.

    Raises:
        OSError: there is a file, and it cannot be read.
    """
    try:
        return entry.key_file.read_text().strip()
    except FileNotFoundError:
        return None


def problems_of(folder: Path) -> list[str]:
    """Return, in words, all that a person has to mend in the folder's files.

    Raises:
        OSError: the folder cannot be read.
    """
    problems: list[str] = []
    owners: dict[str, StationId] = {}
    for entry in entries_of(folder).values():
        try:
            station = station_of(entry)
        except (StationFileWrong, ValueError, OSError) as error:
            problems.append(str(error))
            continue
        for charger_id in station.chargers:
            owner = owners.setdefault(charger_id, entry.station_id)
            if owner != entry.station_id:
                problems.append(f"{entry.file}: charger {charger_id!r} is {owner}'s already")
    return problems


def _version_of(file: Path) -> tuple[int, ...]:
    version: list[int] = []
    for one in (file, file.with_suffix(".key")):
        try:
            state = one.stat()
        except OSError:
            version += [0, 0]
        else:
            # not mtime: whoever may read it may have changed, too
            version += [state.st_ctime_ns, state.st_size]
    return tuple(version)
