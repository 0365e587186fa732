"""Reports of a 2.x charger, part by part."""

from functools import partial
from typing import Any, Final

from simulator.chargers.spec import stamp

ROWS_A_PART: Final = 8


def in_parts(
    charger: Any, action: str, field: str, request_id: int, rows: list[dict[str, Any]]
) -> None:
    """Send rows in as many parts as it takes, once the answer to the request has left."""
    parts = [rows[at : at + ROWS_A_PART] for at in range(0, len(rows), ROWS_A_PART)]
    for number, part in enumerate(parts):
        payload: dict[str, Any] = {
            "requestId": request_id,
            "tbc": number < len(parts) - 1,
            field: part,
        }
        if action != "NotifyDisplayMessages":
            payload |= {"generatedAt": stamp(charger.now()), "seqNo": number}
        charger.world.after(0, partial(charger.send, action, payload))
