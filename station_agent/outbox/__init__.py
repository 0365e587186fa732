"""Facts on disk until the cloud acknowledges them, and what the agent must remember."""

from station_agent.outbox.file import Limits
from station_agent.outbox.outbox import Outbox

__all__ = ["Limits", "Outbox"]
