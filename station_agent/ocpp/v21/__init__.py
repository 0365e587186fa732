"""OCPP 2.1: 2.0.1, with its own schemas and the actions it adds.

Its requests of the same name only add fields we do not use (a severity in NotifyEvent, which 2.0.1's handler
reads), so no handler differs; types that were enumerations in 2.0.1 (idToken.type) are open texts here.
"""

from collections.abc import Mapping
from typing import Final

from contracts import commands
from contracts.commands import Request
from station_agent.ocpp import v201
from station_agent.ocpp.dialects import OCPP_21
from station_agent.ocpp.outcome import Routes
from station_agent.ocpp.schemas import Schemas
from station_agent.ocpp.v21 import (
    clear_der_control,
    close_periodic_event_stream,
    deliver_certificate,
    get_certificate_chain_status,
    get_periodic_event_stream,
    notify_der_alarm,
    notify_der_start_stop,
    notify_periodic_event_stream,
    notify_priority_charging,
    notify_settlement,
    open_periodic_event_stream,
    pull_dynamic_schedule_update,
    report_der_control,
    set_der_control,
    tokens,
    vat_number_validation,
)
from station_agent.ocpp.v201.commands import COMMANDS
from station_agent.ocpp.v201.splits import SPLITS
from station_agent.ocpp.versions import Learn, Translate, Version
from station_agent.ocpp.words.v21 import Action

ROUTES: Final[Routes] = {
    **v201.ROUTES,
    Action.close_periodic_event_stream: close_periodic_event_stream.ROUTE,
    Action.get_certificate_chain_status: get_certificate_chain_status.ROUTE,
    Action.notify_der_alarm: notify_der_alarm.ROUTE,
    Action.notify_der_start_stop: notify_der_start_stop.ROUTE,
    "NotifyPeriodicEventStream": notify_periodic_event_stream.ROUTE,
    Action.notify_priority_charging: notify_priority_charging.ROUTE,
    Action.notify_settlement: notify_settlement.ROUTE,
    Action.open_periodic_event_stream: open_periodic_event_stream.ROUTE,
    Action.pull_dynamic_schedule_update: pull_dynamic_schedule_update.ROUTE,
    Action.report_der_control: report_der_control.ROUTE,
    Action.vat_number_validation: vat_number_validation.ROUTE,
}

NOT_HANDLED: Final[Mapping[str, str]] = {
    **v201.NOT_HANDLED,
    Action.battery_swap: "bays charge cars; no station of ours swaps batteries",
}

LEARNT: Final[Mapping[str, Learn]] = {
    **v201.LEARNT,
    Action.clear_der_control: clear_der_control.learn,
    Action.get_periodic_event_stream: get_periodic_event_stream.learn,
    Action.set_der_control: set_der_control.learn,
}

OWN_COMMANDS: Final[Mapping[type[Request], Translate]] = {
    **COMMANDS,
    **tokens.COMMANDS,
    commands.DeliverCertificate: deliver_certificate.translate,
}

VERSION: Final = Version(
    name="2.1",
    subprotocol="ocpp2.1",
    dialect=OCPP_21,
    schemas=Schemas("v21", request_suffix="Request"),
    routes=ROUTES,
    not_handled=NOT_HANDLED,
    commands=OWN_COMMANDS,
    learnt=LEARNT,
    splits=SPLITS,
    holds_back=True,
)
