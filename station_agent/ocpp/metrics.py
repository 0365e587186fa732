"""What is counted of OCPP; labels never name a charger, nor anything a charger could make up."""

from functools import cache
from typing import Final

from prometheus_client import Counter, Gauge

_MESSAGES: Final = Counter(
    "baywatt_ocpp_messages_total", "Frames from chargers.", ["action", "result"]
)
_CALLS: Final = Counter("baywatt_ocpp_calls_total", "Our calls to chargers.", ["outcome"])
_LOGINS: Final = Counter("baywatt_ocpp_logins_total", "Chargers at the door.", ["result"])
CONNECTED: Final = Gauge("baywatt_ocpp_connected_chargers", "Chargers connected now.")
THROTTLED: Final = Counter(
    "baywatt_ocpp_throttled_seconds_total", "How long floods were made to wait."
)


@cache
def messages(action: str, result: str) -> Counter:
    """Return the counter of an action of ours (or empty) and a result: answered, repeated, ..."""
    return _MESSAGES.labels(action, result)


@cache
def calls(outcome: str) -> Counter:
    """Return the counter of our calls that ended so."""
    return _CALLS.labels(outcome)


@cache
def logins(result: str) -> Counter:
    """Return the counter of handshakes that ended so."""
    return _LOGINS.labels(result)
