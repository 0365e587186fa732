"""The cloud's requests about what a charger is, as OCPP 1.6 calls (sections 5.3, 5.8, 5.9, whitepaper)."""

from collections.abc import Mapping
from typing import Any, Final

from contracts import commands
from contracts.commands import LogKind, Request
from station_agent.ocpp.instants import write
from station_agent.ocpp.versions import CommandContext, Outbound, Translate, Untranslatable
from station_agent.ocpp.words.v16 import Action


def read_variables(request: commands.ReadVariables, _context: CommandContext) -> Outbound:
    """See contracts.commands.ReadVariables (OCPP 1.6, section 5.8)."""
    return Outbound(Action.get_configuration, {"key": request.names} if request.names else {})


def write_variable(request: commands.WriteVariable, _context: CommandContext) -> Outbound:
    """See contracts.commands.WriteVariable (OCPP 1.6, section 5.3)."""
    return Outbound(Action.change_configuration, {"key": request.name, "value": request.value})


def fetch_log(request: commands.FetchLog, _context: CommandContext) -> Outbound:
    """See contracts.commands.FetchLog: GetDiagnostics is older than GetLog, and more chargers have it."""
    if request.log is LogKind.SECURITY:
        log = {"remoteLocation": request.location} | _window(
            request, "oldestTimestamp", "latestTimestamp"
        )
        payload = {"logType": "SecurityLog", "requestId": request.request_id, "log": log}
        return Outbound(Action.get_log, payload)
    window = _window(request, "startTime", "stopTime")
    return Outbound(Action.get_diagnostics, {"location": request.location} | window)


def show_message(_request: commands.ShowMessage, _context: CommandContext) -> Outbound:
    """See contracts.commands.ShowMessage."""
    raise Untranslatable("OCPP 1.6 has no messages on displays")


def clear_message(_request: commands.ClearMessage, _context: CommandContext) -> Outbound:
    """See contracts.commands.ClearMessage."""
    raise Untranslatable("OCPP 1.6 has no messages on displays")


def _window(request: commands.FetchLog, since: str, until: str) -> dict[str, Any]:
    bounds = {since: request.since_at, until: request.until_at}
    return {name: write(at) for name, at in bounds.items() if at is not None}


DEVICE_COMMANDS: Final[Mapping[type[Request], Translate]] = {
    commands.ReadVariables: read_variables,
    commands.WriteVariable: write_variable,
    commands.FetchLog: fetch_log,
    commands.ShowMessage: show_message,
    commands.ClearMessage: clear_message,
}
