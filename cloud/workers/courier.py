"""What leaves the house: messages to people, telemetry to the time-series database."""

from dataclasses import dataclass
from typing import Final

import structlog
from prometheus_client import Counter

from cloud.services.messages import MessageService
from cloud.services.telemetry import TelemetryAway, TelemetryService

log = structlog.get_logger(__name__)

MESSAGES: Final = Counter("baywatt_messages_taken_total", "Messages taken up for sending.")
CHUNKS: Final = Counter("baywatt_telemetry_chunks_total", "Telemetry chunks written.")
AWAY: Final = Counter("baywatt_telemetry_away_total", "Writes the time-series database missed.")


@dataclass(frozen=True, slots=True)
class Courier:
    """Sends messages."""

    messages: MessageService

    def step(self) -> bool:
        """Send what is due."""
        taken = self.messages.deliver()
        MESSAGES.inc(taken)
        return taken > 0


@dataclass(frozen=True, slots=True)
class TelemetryForwarder:
    """Moves the telemetry outbox on; a database that is away is asked again later."""

    telemetry: TelemetryService

    def step(self) -> bool:
        """Write what waits."""
        try:
            written = self.telemetry.forward()
        except TelemetryAway as error:
            AWAY.inc()
            log.warning("telemetry.away", error=str(error)[:300])
            return False
        CHUNKS.inc(written)
        return written > 0
