"""Chargers' login keys are changed by a rotation alone: set by hand, one we do not know locks the charger out."""

from collections.abc import Mapping
from typing import Any, Final

LOGIN_KEYS: Final = frozenset({"basicauthpassword", "authorizationkey"})
"""What 2.0.1 (A01) and 1.6 (security whitepaper) call it; chargers compare without case."""


def is_login_key(name: object) -> bool:
    """Whether a variable, or configuration key, is the one a charger logs in by."""
    last = str(name).replace(".", "/").rpartition("/")[2]
    return last.strip().casefold() in LOGIN_KEYS


def sets_login_key(action: str, payload: Mapping[str, Any]) -> bool:
    """Whether an OCPP call sets it; whatever else is wrong with the call, nothing is raised."""
    if action == "ChangeConfiguration":
        return is_login_key(payload.get("key"))
    if action != "SetVariables":
        return False
    rows = payload.get("setVariableData")
    rows = rows if isinstance(rows, list) else []
    variables = [row.get("variable") for row in rows if isinstance(row, dict)]
    return any(is_login_key(one.get("name")) for one in variables if isinstance(one, dict))
