"""What is written to who began a fleet command when it does not go on by itself."""

from datetime import datetime
from uuid import uuid4

from cloud.services.alert_mails import MAIL
from cloud.services.fact_ports import Message
from cloud.services.fleet_ports import FleetCommand


def halted(fleet: FleetCommand, recipient: str, public_url: str, now: datetime) -> Message:
    """Return the mail about a halt; told twice, it is sent once."""
    what = fleet.kind.replace("_", " ")
    return Message(
        id=uuid4().hex,
        idempotency_key=f"fleet/{fleet.id}/halted/{fleet.forgiven}",
        channel=MAIL,
        recipient=recipient,
        subject=f"Halted: {what} for {fleet.total} chargers",
        body="\n\n".join(
            (
                f"{fleet.reason} Nothing more is sent.",
                "What to do: see which chargers failed and why. Then let it go on, or end it.",
                f"{public_url.rstrip('/')}/maintenance/fleet/{fleet.id}",
            )
        ),
        created_at=now,
    )
