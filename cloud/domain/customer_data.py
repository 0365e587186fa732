"""What chargers tell of customers (OCPP 2.0.1 N09): shown to who asked, kept nowhere for long."""

from collections.abc import Mapping
from typing import Any, Final

FORGOTTEN: Final = "Forgotten"
"""A job whose text of a customer was erased."""
_TEXT: Final = "data_"


def without_customer(detail: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a job tells without the text of a customer."""
    return {name: value for name, value in detail.items() if not name.startswith(_TEXT)}
