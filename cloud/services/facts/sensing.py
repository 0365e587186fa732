"""What facts of bay sensors do."""

from dataclasses import replace

from cloud.domain.bays import Sensor, occupied
from cloud.services.facts.board import Board, Stamp
from contracts.events import (
    BayOccupancyChanged,
    SensorBatteryReported,
    SensorFellSilent,
    SensorHeardAgain,
    SensorUnreadable,
)

MAX_SENSORS_OF_BAY = 16
"""More unknown ones than this are somebody's play (FAULTS P12)."""


def bay_occupancy_changed(board: Board, fact: BayOccupancyChanged, stamp: Stamp) -> None:
    """The sensors' verdict. The agent makes and orders verdicts itself: the last told counts."""
    bay = board.bay(stamp, fact.bay_id)
    if bay is None:
        return
    board.put_bay(
        occupied(
            bay,
            is_occupied=fact.is_occupied,
            confidence=fact.confidence,
            at=stamp.seen(fact.observed_at),
        )
    )
    for sensor_id in fact.sensor_ids:
        sensor = _sensor(board, stamp, sensor_id, fact.bay_id)
        if sensor is not None and sensor.is_silent:
            _heard(board, sensor)


def sensor_fell_silent(board: Board, fact: SensorFellSilent, stamp: Stamp) -> None:
    """The sensor is no witness until it is heard again."""
    sensor = _sensor(board, stamp, fact.sensor_id, fact.bay_id)
    if sensor is not None:
        at = stamp.seen(fact.last_heard_at or fact.observed_at)
        board.put_sensor(
            replace(sensor, is_silent=True, silent_since=at, last_error=fact.why[:255])
        )


def sensor_heard_again(board: Board, fact: SensorHeardAgain, stamp: Stamp) -> None:
    """The sensor is a witness again."""
    sensor = _sensor(board, stamp, fact.sensor_id, fact.bay_id)
    if sensor is not None:
        _heard(board, sensor)


def sensor_battery_reported(board: Board, fact: SensorBatteryReported, stamp: Stamp) -> None:
    """How much its battery has left."""
    sensor = _sensor(board, stamp, fact.sensor_id, fact.bay_id)
    if sensor is not None:
        board.put_sensor(
            replace(sensor, battery_ratio=fact.battery_ratio, is_battery_low=fact.is_low)
        )


def sensor_unreadable(board: Board, fact: SensorUnreadable, stamp: Stamp) -> None:
    """Counted with the sensor, where it is known which."""
    if fact.sensor_id is None or fact.bay_id is None:
        board.ignored["sensor_unreadable"] += fact.count
        return
    sensor = _sensor(board, stamp, fact.sensor_id, fact.bay_id)
    if sensor is not None:
        count = min(sensor.unreadable_count + fact.count, 2**31 - 1)
        board.put_sensor(replace(sensor, unreadable_count=count, last_error=fact.error[:255]))


def _sensor(board: Board, stamp: Stamp, sensor_id: str, bay_id: str) -> Sensor | None:
    """Return the sensor; one nobody had told of is registered, if the bay is the station's."""
    if board.bay(stamp, bay_id) is None:
        return None
    key = (stamp.station_id, sensor_id)
    held = board.sensors.get(key)
    if held is not None:
        return held
    if len(board.sensors_of(bay_id)) >= MAX_SENSORS_OF_BAY:
        board.ignored["too_many_sensors"] += 1
        return None
    new = Sensor(station_id=stamp.station_id, id=sensor_id, bay_id=bay_id)
    board.put_sensor(new)
    return new


def _heard(board: Board, sensor: Sensor) -> None:
    board.put_sensor(replace(sensor, is_silent=False, silent_since=None))
    link = board.links[sensor.station_id]
    if sensor.id in link.silent_sensors:
        board.put_link(replace(link, silent_sensors=link.silent_sensors - {sensor.id}))
