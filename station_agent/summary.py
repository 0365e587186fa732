"""A station in words, as `check` prints it."""

from station_agent.station_file import BayLayout, StationLayout


def summary_of(station: StationLayout) -> str:
    """Return what the station file describes: one line a bay, below its charger."""
    lines = [headline_of(station)]
    for charger in station.chargers.values():
        lines.append(f"  {charger.charger_id}: {_count(charger.evses, 'EVSE')}")
        for evse_id in station.evses_of(charger.charger_id):
            bay_id = station.bay_of(charger.charger_id, evse_id)
            lines.append(
                f"    EVSE {evse_id}: {_bay(station.bays[bay_id]) if bay_id else 'no bay'}"
            )
    return "\n".join(lines)


def headline_of(station: StationLayout) -> str:
    """Return a station in a line: how much there is of what."""
    counts = ", ".join(
        (
            _count(len(station.chargers), "charger"),
            _count(len(station.bays), "bay"),
            _count(len(station.sensors), "sensor"),
        )
    )
    return f"Station {station.station_id}: {counts}"


def _bay(bay: BayLayout) -> str:
    sensors = ", ".join(f"{one.sensor_id} ({one.vendor})" for one in bay.sensors)
    return f"bay {bay.bay_id}, seen by {sensors or 'no sensor'}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
