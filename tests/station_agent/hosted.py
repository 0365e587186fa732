"""Station files for tests of many stations in one process."""

from pathlib import Path

import yaml


def station_text(station_id: str, charger_ids: list[str]) -> str:
    """Return a station file: a bay at each charger."""
    bays = [{"id": f"bay-{one.lower()}", "charger": one, "evse": 1} for one in charger_ids]
    chargers = [{"id": one} for one in charger_ids]
    return yaml.safe_dump({"station": station_id, "chargers": chargers, "bays": bays})


def write_station(
    folder: Path, station_id: str, charger_ids: list[str], key: str | None = None
) -> None:
    """Write a station's file whole, and its key."""
    folder.mkdir(parents=True, exist_ok=True)
    if key is not None:
        (folder / f"{station_id}.key").write_text(f"{key}\n")
    new = folder / f"{station_id}.yaml.new"
    new.write_text(station_text(station_id, charger_ids))
    new.replace(folder / f"{station_id}.yaml")
