"""Requests with more items than a charger takes at once (OCPP 1.6, section 9.1.7)."""

from collections.abc import Mapping
from typing import Any, Final

from ocpp.v16.enums import Action, ConfigurationKey

from station_agent.ocpp.versions import Outbound, Split


def _read_limit(answer: Mapping[str, Any]) -> int | None:
    for one in answer.get("configurationKey") or ():
        try:
            return max(1, int(one["value"]))
        except (KeyError, TypeError, ValueError):
            return None
    return None


SPLITS: Final[Mapping[str, Split]] = {
    Action.get_configuration: Split(
        "key",
        Outbound(Action.get_configuration, {"key": [ConfigurationKey.get_configuration_max_keys]}),
        _read_limit,
    ),
}
