"""What bay sensors put on MQTT, each family in its own words; one class a family, listed in FORMATS."""

import base64
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol

import msgspec


@dataclass(frozen=True, slots=True)
class Message:
    """One MQTT message."""

    topic: str
    payload: bytes
    is_retained: bool = False


@dataclass(frozen=True, slots=True)
class Sight:
    """What a sensor tells in one report."""

    sensor_id: str
    is_occupied: bool
    is_change: bool
    """False: a periodic report."""
    battery_pct: float
    count: int
    """How many reports it sent before."""
    at: datetime
    """The sensor's own clock."""


class Format(Protocol):
    """A family of sensors."""

    name: str
    report_every_s: float
    """How often it speaks when nothing changes; 0: never."""

    def topic(self, sensor_id: str) -> str:
        """Return the topic a station file gives for the sensor."""
        ...

    def report(self, sight: Sight) -> list[Message]:
        """Return what goes out for one sight."""
        ...

    def presence(self, sensor_id: str, *, is_online: bool) -> list[Message]:
        """Return its hello or goodbye; empty where the family has none."""
        ...


class Zigbee2Mqtt:
    """Zigbee2MQTT 2.x: the whole state in one JSON object, availability beside it."""

    name = "zigbee2mqtt"
    report_every_s = 1_800.0

    def topic(self, sensor_id: str) -> str:
        """See Format.topic."""
        return f"zigbee2mqtt/{sensor_id}"

    def report(self, sight: Sight) -> list[Message]:
        """See Format.report."""
        state = {
            "battery": round(sight.battery_pct),
            "linkquality": 60 + sight.count % 90,
            "occupancy": sight.is_occupied,
            "voltage": 2_400 + round(6 * sight.battery_pct),
        }
        return [Message(self.topic(sight.sensor_id), _json(state))]

    def presence(self, sensor_id: str, *, is_online: bool) -> list[Message]:
        """See Format.presence."""
        state = _json({"state": _word(is_online)})
        return [Message(f"{self.topic(sensor_id)}/availability", state, is_retained=True)]


class EspHome:
    """ESPHome: a bare word, retained, on change only; birth and will on `status`."""

    name = "esphome"
    report_every_s = 0.0

    def topic(self, sensor_id: str) -> str:
        """See Format.topic."""
        return f"{sensor_id}/binary_sensor/bay/state"

    def report(self, sight: Sight) -> list[Message]:
        """See Format.report."""
        state = b"ON" if sight.is_occupied else b"OFF"
        return [Message(self.topic(sight.sensor_id), state, is_retained=True)]

    def presence(self, sensor_id: str, *, is_online: bool) -> list[Message]:
        """See Format.presence."""
        return [Message(f"{sensor_id}/status", _word(is_online).encode(), is_retained=True)]


class Tasmota:
    """Tasmota with a switch (SetOption114): a RESULT at once, telemetry every TelePeriod."""

    name = "tasmota"
    report_every_s = 300.0

    def topic(self, sensor_id: str) -> str:
        """See Format.topic."""
        return f"tele/{sensor_id}/SENSOR"

    def report(self, sight: Sight) -> list[Message]:
        """See Format.report."""
        word = "ON" if sight.is_occupied else "OFF"
        if sight.is_change:
            result = _json({"Switch1": {"Action": word}})
            return [Message(f"stat/{sight.sensor_id}/RESULT", result)]
        state = _json({"Time": sight.at.strftime("%Y-%m-%dT%H:%M:%S"), "Switch1": word})
        return [Message(self.topic(sight.sensor_id), state)]

    def presence(self, sensor_id: str, *, is_online: bool) -> list[Message]:
        """See Format.presence."""
        word = _word(is_online).capitalize().encode()
        return [Message(f"tele/{sensor_id}/LWT", word, is_retained=True)]


class ChirpStack:
    """ChirpStack v4: LoRaWAN uplinks, the codec's object inside; now and then a status."""

    name = "chirpstack"
    report_every_s = 3_600.0

    def topic(self, sensor_id: str) -> str:
        """See Format.topic."""
        return f"application/bays/device/{sensor_id}/event/up"

    def report(self, sight: Sight) -> list[Message]:
        """See Format.report."""
        device = {
            "applicationName": "bays",
            "deviceName": sight.sensor_id,
            "devEui": sight.sensor_id,
        }
        up = {
            "deduplicationId": f"00000000-0000-4000-8000-{sight.count:012x}",
            "time": _iso(sight.at),
            "deviceInfo": device,
            "devAddr": "01a2b3c4",
            "dr": 5,
            "fCnt": sight.count,
            "fPort": 2,
            "data": _frame(sight),
            "object": {"occupied": sight.is_occupied},
            "rxInfo": [{"gatewayId": "0016c001ff10a235", "rssi": -71, "snr": 9.5}],
        }
        messages = [Message(self.topic(sight.sensor_id), _json(up))]
        if not sight.is_change:
            status = {
                "deviceInfo": device,
                "margin": 12,
                "batteryLevel": round(sight.battery_pct, 1),
            }
            topic = self.topic(sight.sensor_id).replace("/event/up", "/event/status")
            messages.append(Message(topic, _json(status)))
        return messages

    def presence(self, sensor_id: str, *, is_online: bool) -> list[Message]:
        """See Format.presence; LoRaWAN has none."""
        del sensor_id, is_online
        return []


class TheThingsStack:
    """The Things Stack v3: an uplink with the decoded payload inside."""

    name = "thethingsstack"
    report_every_s = 3_600.0

    def topic(self, sensor_id: str) -> str:
        """See Format.topic."""
        return f"v3/bays@baywatt/devices/{sensor_id}/up"

    def report(self, sight: Sight) -> list[Message]:
        """See Format.report."""
        up = {
            "end_device_ids": {
                "device_id": sight.sensor_id,
                "application_ids": {"application_id": "bays"},
            },
            "received_at": _iso(sight.at),
            "uplink_message": {
                "f_port": 2,
                "f_cnt": sight.count,
                "frm_payload": _frame(sight),
                "decoded_payload": {"occupied": sight.is_occupied},
                "last_battery_percentage": {"f_cnt": sight.count, "value": sight.battery_pct},
                "rx_metadata": [{"gateway_ids": {"gateway_id": "gw-1"}, "rssi": -80, "snr": 8.0}],
                "received_at": _iso(sight.at),
            },
        }
        return [Message(self.topic(sight.sensor_id), _json(up))]

    def presence(self, sensor_id: str, *, is_online: bool) -> list[Message]:
        """See Format.presence; LoRaWAN has none."""
        del sensor_id, is_online
        return []


class Plain:
    """Baywatt's own plain JSON: everything in one small object."""

    name = "plain"
    report_every_s = 30.0

    def topic(self, sensor_id: str) -> str:
        """See Format.topic."""
        return f"sensors/{sensor_id}"

    def report(self, sight: Sight) -> list[Message]:
        """See Format.report."""
        state = {
            "occupied": sight.is_occupied,
            "battery_pct": round(sight.battery_pct, 1),
            "confidence": 0.98,
            "at": _iso(sight.at),
        }
        return [Message(self.topic(sight.sensor_id), _json(state), is_retained=True)]

    def presence(self, sensor_id: str, *, is_online: bool) -> list[Message]:
        """See Format.presence; its steady reports are its presence."""
        del sensor_id, is_online
        return []


FORMATS: Final[dict[str, Format]] = {
    one.name: one
    for one in (
        Zigbee2Mqtt(),
        EspHome(),
        Tasmota(),
        ChirpStack(),
        TheThingsStack(),
        Plain(),
    )
}


def _frame(sight: Sight) -> str:
    return base64.b64encode(bytes([int(sight.is_occupied), round(sight.battery_pct)])).decode()


def _word(is_online: bool) -> str:
    return "online" if is_online else "offline"


def _iso(at: datetime) -> str:
    return at.isoformat(timespec="microseconds").replace("+00:00", "Z")


def _json(data: dict[str, Any]) -> bytes:
    return msgspec.json.encode(data)
