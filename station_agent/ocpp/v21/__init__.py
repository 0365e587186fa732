"""OCPP 2.1: 2.0.1, with its own schemas and the actions it adds.

Its requests of the same name only add fields we do not use (a severity in NotifyEvent, which 2.0.1's handler
reads), so no handler differs; types that were enumerations in 2.0.1 (idToken.type) are open texts here.
"""

from collections.abc import Mapping
from typing import Final

from ocpp.v21.enums import Action

from station_agent.ocpp import v201
from station_agent.ocpp.dialects import OCPP_21
from station_agent.ocpp.outcome import Routes
from station_agent.ocpp.schemas import Schemas
from station_agent.ocpp.v201.commands import COMMANDS
from station_agent.ocpp.versions import Learn, Version

ROUTES: Final[Routes] = v201.ROUTES

NOT_HANDLED: Final[Mapping[str, str]] = {
    **v201.NOT_HANDLED,
    Action.battery_swap: "no battery swapping",
    Action.get_certificate_chain_status: "no plug and charge",
    Action.notify_der_alarm: "no grid support functions",
    Action.notify_der_start_stop: "no grid support functions",
    "NotifyPeriodicEventStream": "no streams are opened; as a SEND it is never answered",
    Action.notify_priority_charging: "no priority charging",
    Action.notify_settlement: "no payment at the charger",
    Action.open_periodic_event_stream: "no streams are opened",
    Action.close_periodic_event_stream: "no streams are opened",
    Action.pull_dynamic_schedule_update: "no dynamic schedules",
    Action.report_der_control: "no grid support functions",
    Action.vat_number_validation: "no payment at the charger",
}

LEARNT: Final[Mapping[str, Learn]] = v201.LEARNT

VERSION: Final = Version(
    name="2.1",
    subprotocol="ocpp2.1",
    dialect=OCPP_21,
    schemas=Schemas("ocpp.v21", request_suffix="Request"),
    routes=ROUTES,
    not_handled=NOT_HANDLED,
    commands=COMMANDS,
    learnt=LEARNT,
)
