"""What is served of OCPP, as a document: `python -m station_agent.ocpp.table > docs/ocpp.md`."""

import sys
from typing import Final

from station_agent.ocpp.handshake import VERSIONS
from station_agent.ocpp.outcome import Answers, Route
from station_agent.ocpp.versions import Version

_BOTH_WAYS: Final = frozenset({"DataTransfer"})
_NONE: Final = "none"

_HEAD: Final = """# OCPP, action by action

Written by `python -m station_agent.ocpp.table` from the tables of `station_agent/ocpp`; a test compares.

## From chargers

What a charger may send, and what becomes of it in each version.

- **served**: answered, and kept as a fact where it says something.
- **kept**: also answered the same way again when it is sent again, for days and across restarts.
- **lenient**: read as far as it can be where its schema refuses it, and flagged; never lost.
- **forgiving**: a text too long, a null or a field of no such name is passed over, and flagged; all else its schema refuses is refused.
- **no**: answered with `NotSupported`, for the reason given.
- **{none}**: the version has no such message; one is answered with `NotImplemented`.

{inbound}

## To chargers

Each of these can be sent with `POST /chargers/{{id}}/calls`, once its payload fits the version's schema; commands that mean
the same in every version (`POST /chargers/{{id}}/commands`) are translated into them. **learnt**: what the
charger's answer says of it is kept besides how the command ended.

{outbound}
"""


def document() -> str:
    """Return the whole document."""
    versions = list(VERSIONS.values())
    return _HEAD.format(none=_NONE, inbound=_inbound(versions), outbound=_outbound(versions))


def outbound(version: Version) -> frozenset[str]:
    """Return every action we may call in a version."""
    return (version.schemas.actions - version.inbound()) | _BOTH_WAYS


def _inbound(versions: list[Version]) -> str:
    actions = sorted({str(action) for version in versions for action in version.inbound()})
    rows = [(action, *(_from_charger(one, action) for one in versions)) for action in actions]
    return _table(versions, rows)


def _outbound(versions: list[Version]) -> str:
    actions = sorted({str(action) for version in versions for action in outbound(version)})
    rows = [(action, *(_to_charger(one, action) for one in versions)) for action in actions]
    return _table(versions, rows)


def _from_charger(version: Version, action: str) -> str:
    route = version.routes.get(action)
    if route is not None:
        return _served(route)
    reason = version.not_handled.get(action)
    return f"no: {reason}" if reason else _NONE


def _served(route: Route) -> str:
    words = ["served"]
    if route.answers is Answers.KEPT:
        words.append("kept")
    if route.is_lenient:
        words.append("lenient")
    if route.is_forgiving:
        words.append("forgiving")
    return ", ".join(words)


def _to_charger(version: Version, action: str) -> str:
    if action not in outbound(version):
        return _NONE
    return "yes, learnt" if action in version.learnt else "yes"


def _table(versions: list[Version], rows: list[tuple[str, ...]]) -> str:
    head = f"| action | {' | '.join(one.name for one in versions)} |"
    line = "|---" * (len(versions) + 1) + "|"
    return "\n".join([head, line, *(f"| {' | '.join(row)} |" for row in rows)])


if __name__ == "__main__":
    sys.stdout.write(document())
