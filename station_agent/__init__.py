"""The on-site agent: OCPP to chargers, MQTT to bay sensors, and the cloud kept told of both."""

from typing import Final

__version__: Final = "0.1.0"
