"""OCPP 2.0.1: what is served, what is not and why, and how commands are called."""

from collections.abc import Mapping
from typing import Final

from contracts.events import JobKind
from station_agent.ocpp import certificates
from station_agent.ocpp.dialects import OCPP_201
from station_agent.ocpp.local_lists import learn_sent, learn_version
from station_agent.ocpp.outcome import Routes
from station_agent.ocpp.schemas import Schemas
from station_agent.ocpp.uploads import asked_for
from station_agent.ocpp.v201 import (
    authorize,
    boot_notification,
    charging_limits,
    charging_profiles,
    data_transfer,
    display_messages,
    firmware_status_notification,
    get_15118_ev_certificate,
    get_certificate_status,
    get_installed_certificate_ids,
    get_variables,
    heartbeat,
    log_status_notification,
    meter_values,
    monitors,
    notify_customer_information,
    notify_ev_charging_needs,
    notify_ev_charging_schedule,
    notify_event,
    notify_report,
    publish_firmware,
    publish_firmware_status_notification,
    report_charging_profiles,
    reservation_status_update,
    security_event_notification,
    set_variables,
    sign_certificate,
    status_notification,
    transaction_event,
    update_firmware,
)
from station_agent.ocpp.v201.commands import COMMANDS
from station_agent.ocpp.v201.reports import begun, both
from station_agent.ocpp.v201.splits import SPLITS
from station_agent.ocpp.versions import Learn, Version
from station_agent.ocpp.words.v201 import Action

ROUTES: Final[Routes] = {
    Action.authorize: authorize.ROUTE,
    Action.boot_notification: boot_notification.ROUTE,
    Action.cleared_charging_limit: charging_limits.CLEARED_ROUTE,
    Action.data_transfer: data_transfer.ROUTE,
    Action.firmware_status_notification: firmware_status_notification.ROUTE,
    Action.sign_certificate: sign_certificate.ROUTE,
    Action.get_15118_ev_certificate: get_15118_ev_certificate.ROUTE,
    Action.get_certificate_status: get_certificate_status.ROUTE,
    Action.heartbeat: heartbeat.ROUTE,
    Action.log_status_notification: log_status_notification.ROUTE,
    Action.meter_values: meter_values.ROUTE,
    Action.notify_charging_limit: charging_limits.ROUTE,
    Action.notify_customer_information: notify_customer_information.ROUTE,
    Action.notify_display_messages: display_messages.ROUTE,
    Action.notify_ev_charging_needs: notify_ev_charging_needs.ROUTE,
    Action.notify_ev_charging_schedule: notify_ev_charging_schedule.ROUTE,
    Action.notify_event: notify_event.ROUTE,
    Action.notify_monitoring_report: monitors.ROUTE,
    Action.notify_report: notify_report.ROUTE,
    Action.publish_firmware_status_notification: publish_firmware_status_notification.ROUTE,
    Action.report_charging_profiles: report_charging_profiles.ROUTE,
    Action.reservation_status_update: reservation_status_update.ROUTE,
    Action.security_event_notification: security_event_notification.ROUTE,
    Action.status_notification: status_notification.ROUTE,
    Action.transaction_event: transaction_event.ROUTE,
}

NOT_HANDLED: Final[Mapping[str, str]] = {}

LEARNT: Final[Mapping[str, Learn]] = {
    Action.delete_certificate: certificates.learn_deleted,
    Action.get_installed_certificate_ids: get_installed_certificate_ids.learn,
    Action.install_certificate: certificates.learn_installed,
    Action.clear_charging_profile: charging_profiles.learn_cleared,
    Action.clear_display_message: display_messages.was_cleared,
    Action.clear_variable_monitoring: monitors.were_cleared,
    Action.customer_information: begun(JobKind.CUSTOMER_INFORMATION, "report", "clear"),
    Action.get_base_report: begun(JobKind.REPORT, "reportBase"),
    Action.get_charging_profiles: charging_profiles.learn_reported,
    Action.get_display_messages: both(
        begun(JobKind.DISPLAY_MESSAGES), display_messages.report_answered
    ),
    Action.get_local_list_version: learn_version("versionNumber"),
    Action.get_log: asked_for,
    Action.get_monitoring_report: both(begun(JobKind.MONITORING_REPORT), monitors.report_answered),
    Action.get_report: begun(JobKind.REPORT, "componentCriteria"),
    Action.get_variables: get_variables.learn,
    Action.publish_firmware: publish_firmware.learn,
    Action.send_local_list: learn_sent("versionNumber"),
    Action.set_charging_profile: charging_profiles.learn_set,
    Action.set_display_message: display_messages.was_set,
    Action.set_monitoring_base: monitors.base_was_set,
    Action.set_monitoring_level: monitors.level_was_set,
    Action.set_variable_monitoring: monitors.were_set,
    Action.set_variables: set_variables.learn,
    Action.unpublish_firmware: publish_firmware.learn_unpublished,
    Action.update_firmware: update_firmware.learn,
}

VERSION: Final = Version(
    name="2.0.1",
    subprotocol="ocpp2.0.1",
    dialect=OCPP_201,
    schemas=Schemas("v201", request_suffix="Request"),
    routes=ROUTES,
    not_handled=NOT_HANDLED,
    commands=COMMANDS,
    learnt=LEARNT,
    splits=SPLITS,
    holds_back=True,
)
