"""Requests with more items than a charger takes at once (OCPP 1.6, section 9.1.7)."""

from collections.abc import Mapping
from typing import Any, Final

from station_agent.ocpp.versions import Outbound, Split
from station_agent.ocpp.words.v16 import Action, ConfigurationKey, UpdateType


def _read_limit(answer: Mapping[str, Any]) -> int | None:
    for one in answer.get("configurationKey") or ():
        try:
            return max(1, int(one["value"]))
        except (KeyError, TypeError, ValueError):
            return None
    return None


def _list_part(payload: Mapping[str, Any], number: int) -> dict[str, Any]:
    """Parts after the first add to it, each under a version of its own (section 5.15)."""
    return {
        "listVersion": payload["listVersion"] + number,
        "updateType": payload["updateType"] if number == 0 else UpdateType.differential,
    }


def _is_refused(answer: Mapping[str, Any]) -> bool:
    return answer.get("status") != "Accepted"


SPLITS: Final[Mapping[str, Split]] = {
    Action.send_local_list: Split(
        "localAuthorizationList",
        Outbound(Action.get_configuration, {"key": [ConfigurationKey.send_local_list_max_length]}),
        _read_limit,
        _list_part,
        _is_refused,
    ),
    Action.get_configuration: Split(
        "key",
        Outbound(Action.get_configuration, {"key": [ConfigurationKey.get_configuration_max_keys]}),
        _read_limit,
    ),
}
