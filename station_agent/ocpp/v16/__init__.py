"""OCPP 1.6J: what is served, what is not and why, and how commands are called."""

from collections.abc import Mapping
from typing import Final

from station_agent.ocpp import certificates
from station_agent.ocpp.dialects import OCPP_16
from station_agent.ocpp.local_lists import learn_sent, learn_version
from station_agent.ocpp.outcome import Routes
from station_agent.ocpp.schemas import Schemas
from station_agent.ocpp.uploads import asked_for
from station_agent.ocpp.v16 import (
    authorize,
    boot_notification,
    change_configuration,
    charging_profiles,
    data_transfer,
    diagnostics_status_notification,
    firmware_status_notification,
    get_configuration,
    get_diagnostics,
    get_installed_certificate_ids,
    heartbeat,
    log_status_notification,
    meter_values,
    security_event_notification,
    sign_certificate,
    signed_firmware_status_notification,
    start_transaction,
    status_notification,
    stop_transaction,
    update_firmware,
)
from station_agent.ocpp.v16.commands import COMMANDS
from station_agent.ocpp.v16.splits import SPLITS
from station_agent.ocpp.versions import Learn, Version
from station_agent.ocpp.words.v16 import Action

ROUTES: Final[Routes] = {
    Action.authorize: authorize.ROUTE,
    Action.boot_notification: boot_notification.ROUTE,
    Action.data_transfer: data_transfer.ROUTE,
    Action.diagnostics_status_notification: diagnostics_status_notification.ROUTE,
    Action.firmware_status_notification: firmware_status_notification.ROUTE,
    Action.sign_certificate: sign_certificate.ROUTE,
    Action.heartbeat: heartbeat.ROUTE,
    Action.log_status_notification: log_status_notification.ROUTE,
    Action.meter_values: meter_values.ROUTE,
    Action.security_event_notification: security_event_notification.ROUTE,
    Action.signed_firmware_status_notification: signed_firmware_status_notification.ROUTE,
    Action.start_transaction: start_transaction.ROUTE,
    Action.status_notification: status_notification.ROUTE,
    Action.stop_transaction: stop_transaction.ROUTE,
}

NOT_HANDLED: Final[Mapping[str, str]] = {}

LEARNT: Final[Mapping[str, Learn]] = {
    Action.delete_certificate: certificates.learn_deleted,
    Action.get_installed_certificate_ids: get_installed_certificate_ids.learn,
    Action.install_certificate: certificates.learn_installed,
    Action.change_configuration: change_configuration.learn,
    Action.clear_charging_profile: charging_profiles.learn_cleared,
    Action.get_configuration: get_configuration.learn,
    Action.get_diagnostics: get_diagnostics.learn,
    Action.get_local_list_version: learn_version("listVersion"),
    Action.get_log: asked_for,
    Action.send_local_list: learn_sent("listVersion"),
    Action.set_charging_profile: charging_profiles.learn_set,
    Action.signed_update_firmware: update_firmware.learn,
    Action.update_firmware: update_firmware.learn,
}

VERSION: Final = Version(
    name="1.6",
    subprotocol="ocpp1.6",
    dialect=OCPP_16,
    schemas=Schemas("v16", request_suffix=""),
    routes=ROUTES,
    not_handled=NOT_HANDLED,
    commands=COMMANDS,
    learnt=LEARNT,
    splits=SPLITS,
)
