"""What a charger does for a while, as its keepers see it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class JobView:
    """What a charger does, or did, for a while after it was asked for it."""

    job: str
    """firmware publish_firmware log customer_information report monitoring_report ..."""
    request_id: int
    status: str
    """OCPP's word."""
    is_over: bool
    has_failed: bool
    detail: dict[str, Any]
    started_at: datetime
    changed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class JobList:
    """A charger's jobs, the one that changed last first."""

    jobs: list[JobView]
