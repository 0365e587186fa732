"""IdTokenType of OCPP 2.1: its type is a text, so that any word will do."""

from collections.abc import Mapping
from functools import partial
from typing import Final

from contracts import commands
from contracts.commands import Request
from contracts.ids import Token
from contracts.token_types import TypeWord, type_by_shape
from station_agent.ocpp.cards import as_shown
from station_agent.ocpp.v201.commands import reserve_evse, send_local_list, start_session
from station_agent.ocpp.versions import Translate


def shown(token: Token, word: TypeWord) -> dict[str, str]:
    """See v201.tokens.Shown."""
    kind = word or type_by_shape(token)
    return {"idToken": as_shown(token, kind), "type": kind}


COMMANDS: Final[Mapping[type[Request], Translate]] = {
    commands.StartSession: partial(start_session, shown=shown),
    commands.ReserveEvse: partial(reserve_evse, shown=shown),
    commands.SendLocalList: partial(send_local_list, shown=shown),
}
