"""The cloud's requests about what a charger is and shows, as OCPP 2.0.1 calls (blocks B, N, O)."""

from collections.abc import Mapping
from typing import Any, Final

from contracts import commands
from contracts.commands import LogKind, MessagePriority, MessageState, Request
from station_agent.ocpp.instants import write
from station_agent.ocpp.v201.variables import place_of
from station_agent.ocpp.versions import CommandContext, Outbound, Translate, Untranslatable
from station_agent.ocpp.words.v201 import (
    Action,
    LogEnumType,
    MessageFormatEnumType,
    MessagePriorityEnumType,
    MessageStateEnumType,
    ReportBaseEnumType,
)

LOG: Final = {
    LogKind.DIAGNOSTICS: LogEnumType.diagnostics_log,
    LogKind.SECURITY: LogEnumType.security_log,
}
PRIORITY: Final = {
    MessagePriority.ALWAYS_FRONT: MessagePriorityEnumType.always_front,
    MessagePriority.IN_FRONT: MessagePriorityEnumType.in_front,
    MessagePriority.NORMAL: MessagePriorityEnumType.normal_cycle,
}
STATE: Final = {
    MessageState.CHARGING: MessageStateEnumType.charging,
    MessageState.FAULTED: MessageStateEnumType.faulted,
    MessageState.IDLE: MessageStateEnumType.idle,
    MessageState.UNAVAILABLE: "Unavailable",
}


def read_variables(request: commands.ReadVariables, context: CommandContext) -> Outbound:
    """See contracts.commands.ReadVariables (OCPP 2.0.1, B06, B07)."""
    if not request.names:
        payload: dict[str, Any] = {
            "requestId": context.sessions.next_transaction_number(),
            "reportBase": ReportBaseEnumType.full_inventory,
        }
        return Outbound(Action.get_base_report, payload)
    return Outbound(Action.get_variables, {"getVariableData": [_place(n) for n in request.names]})


def write_variable(request: commands.WriteVariable, _context: CommandContext) -> Outbound:
    """See contracts.commands.WriteVariable (OCPP 2.0.1, B05)."""
    one = _place(request.name) | {"attributeValue": request.value}
    return Outbound(Action.set_variables, {"setVariableData": [one]})


def fetch_log(request: commands.FetchLog, _context: CommandContext) -> Outbound:
    """See contracts.commands.FetchLog (OCPP 2.0.1, N01)."""
    log = {"remoteLocation": request.location}
    if request.since_at:
        log["oldestTimestamp"] = write(request.since_at)
    if request.until_at:
        log["latestTimestamp"] = write(request.until_at)
    payload = {"logType": LOG[request.log], "requestId": request.request_id, "log": log}
    return Outbound(Action.get_log, payload)


def show_message(request: commands.ShowMessage, context: CommandContext) -> Outbound:
    """See contracts.commands.ShowMessage (OCPP 2.0.1, O01)."""
    content: dict[str, Any] = {"format": MessageFormatEnumType.utf8, "content": request.text}
    if request.language:
        content["language"] = request.language
    message: dict[str, Any] = {
        "id": request.message_id or context.sessions.next_transaction_number(),
        "priority": PRIORITY[request.priority],
        "message": content,
    }
    if request.state:
        message["state"] = STATE[request.state]
    if request.starts_at:
        message["startDateTime"] = write(request.starts_at)
    if request.ends_at:
        message["endDateTime"] = write(request.ends_at)
    if request.transaction_id:
        message["transactionId"] = request.transaction_id
    return Outbound(Action.set_display_message, {"message": message})


def clear_message(request: commands.ClearMessage, _context: CommandContext) -> Outbound:
    """See contracts.commands.ClearMessage (OCPP 2.0.1, O05)."""
    return Outbound(Action.clear_display_message, {"id": request.message_id})


def _place(name: str) -> dict[str, Any]:
    try:
        return place_of(name)
    except ValueError as error:
        raise Untranslatable(str(error)) from None


DEVICE_COMMANDS: Final[Mapping[type[Request], Translate]] = {
    commands.ReadVariables: read_variables,
    commands.WriteVariable: write_variable,
    commands.FetchLog: fetch_log,
    commands.ShowMessage: show_message,
    commands.ClearMessage: clear_message,
}
