"""Facts from a station, in the past tense; each says what it does not prove.

Instants are UTC; `observed_at` is the device's own clock where it has one, else the agent's.
`is_offline` facts were kept by a charger and told later: history, never live state.
"""

from enum import StrEnum
from typing import Annotated, Any, Final

from msgspec import Meta, field

from contracts.ids import BayId, ChargerId, CommandId, SensorId, SessionId, Token
from contracts.token_types import TypeWord
from contracts.wire import Instant, Ratio, TaggedWire, Text, Wire

EvseId = Annotated[int, Meta(ge=0)]
"""OCPP number of the EVSE within its charger; 0 is the whole charger."""


class ConnectorState(StrEnum):
    """What a connector says of itself, whatever the OCPP version."""

    FREE = "free"
    PREPARING = "preparing"
    PLUGGED = "plugged"
    """2.0.1's `Occupied`: a cable or a car, nothing said of energy."""
    CHARGING = "charging"
    SUSPENDED_BY_CAR = "suspended_by_car"
    SUSPENDED_BY_CHARGER = "suspended_by_charger"
    FINISHING = "finishing"
    RESERVED = "reserved"
    UNAVAILABLE = "unavailable"
    FAULTED = "faulted"


class ChargingState(StrEnum):
    """How a session stands (OCPP 2.0.1 ChargingStateEnumType; 1.6 by its connector states)."""

    PLUGGED = "plugged"
    CHARGING = "charging"
    SUSPENDED_BY_CAR = "suspended_by_car"
    SUSPENDED_BY_CHARGER = "suspended_by_charger"
    IDLE = "idle"


class CommandOutcome(StrEnum):
    """How a command ended at the station."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    """The charger understood and said no; the answer says how."""
    FAILED = "failed"
    """The charger answered with an error, or could not be asked: another version, not let in."""
    TIMED_OUT = "timed_out"
    EXPIRED = "expired"
    """Came, or could first be sent, after its deadline; never sent to the charger."""
    CHARGER_OFFLINE = "charger_offline"


class InventoryKind(StrEnum):
    """What a charger holds, of which both sides must have the same idea."""

    VARIABLE = "variable"
    """Of the device model; of 1.6 a configuration key."""
    MONITOR = "monitor"
    CERTIFICATE = "certificate"
    CHARGING_PROFILE = "charging_profile"
    DISPLAY_MESSAGE = "display_message"
    LOCAL_LIST = "local_list"
    """One entry: its version."""
    FIRMWARE = "firmware"
    """Published on a local controller's own network, by checksum."""
    GRID_CONTROL = "grid_control"
    """How it reacts to the grid (OCPP's DER controls), by the control's id."""
    CHARGING_LIMIT = "charging_limit"
    """Set by somebody else than us: by its source and EVSE."""
    CAR_SCHEDULE = "car_schedule"
    """What a car means to draw, by EVSE."""
    EVENT_STREAM = "event_stream"
    """A monitored value it sends all the time, by the stream's number."""


class JobKind(StrEnum):
    """What a charger does for a while after it said yes, telling of it by a request's number."""

    FIRMWARE = "firmware"
    PUBLISH_FIRMWARE = "publish_firmware"
    LOG = "log"
    """Also 1.6's diagnostics, which have no number: 0."""
    CUSTOMER_INFORMATION = "customer_information"
    REPORT = "report"
    MONITORING_REPORT = "monitoring_report"
    CHARGING_PROFILES = "charging_profiles"
    DISPLAY_MESSAGES = "display_messages"
    GRID_CONTROLS = "grid_controls"


class GridNotice(StrEnum):
    """What a charger tells of its part in the grid."""

    ALARM = "alarm"
    ALARM_ENDED = "alarm_ended"
    STARTED = "started"
    """A control with a time of its own is in force."""
    STOPPED = "stopped"
    PRIORITY_STARTED = "priority_started"
    """A driver asked at the charger to be charged first."""
    PRIORITY_STOPPED = "priority_stopped"


class AgentStarted(TaggedWire, kw_only=True, tag="agent_started"):
    """The agent came up; what it had not delivered before still follows."""

    agent_version: str
    observed_at: Instant


class ChargerConnected(TaggedWire, kw_only=True, tag="charger_connected"):
    """A charger logged in; not that it has booted or can charge."""

    charger_id: ChargerId
    ocpp_version: str
    security_profile: Annotated[int, Meta(ge=0, le=3)]
    """The one it logged in by, which may be a higher one than it must."""
    key_salt: Text = ""
    """The salt of the key it proved itself by, which names the key; empty: by none."""
    profile_generation: int | None = None
    """Of the plan's credential it was let in by; null: an agent that knows of none."""
    certificate_serial: Text = ""
    """Of the certificate it proved itself by, as in the plan; empty: by none."""
    observed_at: Instant


class ChargerDisconnected(TaggedWire, kw_only=True, tag="charger_disconnected"):
    """A charger's connection is gone; its sessions may well go on."""

    charger_id: ChargerId
    reason: Text = ""
    observed_at: Instant


class ChargerBooted(TaggedWire, kw_only=True, tag="charger_booted"):
    """A charger introduced itself (BootNotification)."""

    charger_id: ChargerId
    vendor: Text
    model: Text
    serial: Text = ""
    firmware_version: Text = ""
    reason: Text = ""
    observed_at: Instant


class ConnectorStateReported(TaggedWire, kw_only=True, tag="connector_state_reported"):
    """A connector's own word; a car may stand in the bay whatever it says."""

    charger_id: ChargerId
    evse_id: EvseId
    connector_id: Annotated[int, Meta(ge=0)]
    """0 with `evse_id` 0: the charger as a whole."""
    state: ConnectorState
    error_code: Text = ""
    """OCPP's code, empty when all is well."""
    vendor_error_code: Text = ""
    info: Text = ""
    observed_at: Instant


class SessionStarted(TaggedWire, kw_only=True, tag="session_started"):
    """A transaction began; not that energy flows."""

    session_id: SessionId
    charger_id: ChargerId
    evse_id: EvseId
    connector_id: Annotated[int, Meta(ge=0)]
    transaction_id: Text
    """As the charger knows it: needed to stop it from afar."""
    token: Token | None = None
    is_authorized: bool = True
    meter_start_wh: int | None = None
    """The register at the start; null: the first sample sets it."""
    reservation_id: str | None = None
    is_offline: bool = False
    observed_at: Instant


class ChargingStateChanged(TaggedWire, kw_only=True, tag="charging_state_changed"):
    """A session charges, pauses or idles, and by whose will."""

    session_id: SessionId
    charger_id: ChargerId
    state: ChargingState
    is_offline: bool = False
    observed_at: Instant


MAX_OTHERS: Final = 64
"""So many measurands without a field of their own one sample carries at most."""
MAX_MEASURAND: Final = 64

Measurand = Annotated[str, Meta(min_length=1, max_length=MAX_MEASURAND)]
"""OCPP's word for what was measured, with its phase where it is a phase's: `Power.Reactive.Import.L1`."""


class MeterSampled(TaggedWire, kw_only=True, tag="meter_sampled"):
    """Readings of one instant; absent ones were not reported, which is not zero."""

    charger_id: ChargerId
    evse_id: EvseId
    session_id: SessionId | None = None
    """Null: clock-aligned, outside any session."""
    energy_wh: int | None = None
    """The energy register (import), absolute; may be lifetime or per session."""
    interval_wh: int | None = None
    """Imported since the session's sample before, of a charger that tells no register with it."""
    export_wh: int | None = None
    """The register of what the car gave back, absolute like `energy_wh`."""
    power_w: float | None = None
    export_power_w: float | None = None
    soc_pct: Annotated[float, Meta(ge=0, le=100)] | None = None
    current_a: float | None = None
    """Sum over phases where the charger reports phases."""
    voltage_v: float | None = None
    temperature_c: float | None = None
    others: Annotated[dict[Measurand, float], Meta(max_length=MAX_OTHERS)] = field(
        default_factory=dict
    )
    """All else it measured, in units without a prefix: Wh, W, A, var, Hertz ..."""
    is_offline: bool = False
    observed_at: Instant


class SignedReadingReported(TaggedWire, kw_only=True, tag="signed_reading_reported"):
    """A meter's own signed word, as it came: whether the signature holds is for others to check."""

    charger_id: ChargerId
    evse_id: EvseId
    session_id: SessionId | None = None
    context: Text = ""
    """OCPP's word for when it was taken: `Transaction.Begin`, `Sample.Clock` ..."""
    data: Annotated[str, Meta(max_length=10_000)]
    method: Text = ""
    """How it was signed, as the charger says; empty: the data says so itself, or nothing does."""
    encoding: Text = ""
    public_key: Annotated[str, Meta(max_length=2_500)] = ""
    is_offline: bool = False
    observed_at: Instant


class SessionEnded(TaggedWire, kw_only=True, tag="session_ended"):
    """A transaction ended; the car may still stand there."""

    session_id: SessionId
    charger_id: ChargerId
    evse_id: EvseId
    """0: the stop came without a start we know."""
    transaction_id: Text
    token: Token | None = None
    meter_stop_wh: int | None = None
    reason: Text = ""
    """OCPP's word, in the version's own spelling."""
    is_offline: bool = False
    observed_at: Instant


class AuthorizationDecided(TaggedWire, kw_only=True, tag="authorization_decided"):
    """A token was shown and answered; not that anybody charged."""

    charger_id: ChargerId
    token: Token
    token_type: TypeWord = ""
    """As the charger says it was shown; 1.6 says nothing."""
    is_accepted: bool
    decided_by: Text
    """`plan`, `cache`, `cloud` or `offline_policy`."""
    observed_at: Instant


class BayOccupancyChanged(TaggedWire, kw_only=True, tag="bay_occupancy_changed"):
    """The bay's sensors' debounced verdict; not proof that a cable is plugged in."""

    bay_id: BayId
    is_occupied: bool
    confidence: Ratio
    sensor_ids: list[SensorId] = field(default_factory=list)
    observed_at: Instant


class SensorFellSilent(TaggedWire, kw_only=True, tag="sensor_fell_silent"):
    """Nothing heard for longer than this sensor's kind allows, or it said goodbye; or see `why`."""

    sensor_id: SensorId
    bay_id: BayId
    why: Text = ""
    """Empty, or a stable word: `flapping`, it changes its mind faster than cars come and go."""
    last_heard_at: Instant | None = None
    observed_at: Instant


class SensorHeardAgain(TaggedWire, kw_only=True, tag="sensor_heard_again"):
    """A silent sensor is back."""

    sensor_id: SensorId
    bay_id: BayId
    observed_at: Instant


class SensorBatteryReported(TaggedWire, kw_only=True, tag="sensor_battery_reported"):
    """A sensor's battery passed a whole tenth, or fell low."""

    sensor_id: SensorId
    bay_id: BayId
    battery_ratio: Ratio
    is_low: bool
    observed_at: Instant


class SensorUnreadable(TaggedWire, kw_only=True, tag="sensor_unreadable"):
    """A payload its vendor's decoder could not read; the first 256 bytes are kept, as text."""

    sensor_id: SensorId | None = None
    bay_id: BayId | None = None
    vendor: Text
    topic: Text
    error: Text
    sample: Text = ""
    count: int = 1
    """How many since the last such fact (at most one a minute and sensor is told)."""
    observed_at: Instant


class CommandAnswered(TaggedWire, kw_only=True, tag="command_answered"):
    """How a command ended; `accepted` by a charger is a promise, its own facts prove the effect."""

    command_id: CommandId
    outcome: CommandOutcome
    answer: dict[str, Any] = field(default_factory=dict)
    """The charger's payload, or `{"code", "description", "details"}` of its error."""
    observed_at: Instant


class SecurityEventReported(TaggedWire, kw_only=True, tag="security_event_reported"):
    """A security event, by the charger (SecurityEventNotification) or seen by the agent."""

    charger_id: ChargerId | None = None
    event: Text
    info: Text = ""
    observed_at: Instant


class ComponentEventReported(TaggedWire, kw_only=True, tag="component_event_reported"):
    """One entry of a NotifyEvent (OCPP 2.0.1 N07)."""

    charger_id: ChargerId
    evse_id: EvseId = 0
    component: Text
    variable: Text
    value: Text
    trigger: Text = ""
    severity: int | None = None
    """0 danger .. 9 debug (OCPP 2.0.1 N07, severity)."""
    monitor_id: int | None = None
    """The monitor that saw it; null: the maker's own."""
    is_cleared: bool = False
    observed_at: Instant


class InventoryEntry(Wire, kw_only=True):
    """One thing a charger holds; `key` names it among its kind at this charger."""

    key: Annotated[str, Meta(min_length=1, max_length=255)]
    body: dict[str, Any] = field(default_factory=dict)


class InventoryReported(TaggedWire, kw_only=True, tag="inventory_reported"):
    """What a charger holds of one kind, as it said or as it agreed to; not that it still does.

    `entries` replace those of the same key; `gone` are those it let go, and before all else it let go
    those whose body says the same as one of `gone_like`. `is_whole`: of this kind it holds nothing
    else. A report in parts has them under one `request_id`; the last is `is_whole`.
    """

    charger_id: ChargerId
    inventory: InventoryKind
    entries: list[InventoryEntry] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    gone_like: list[dict[str, Any]] = field(default_factory=list)
    request_id: int | None = None
    is_whole: bool = False
    observed_at: Instant


class JobProgressed(TaggedWire, kw_only=True, tag="job_progressed"):
    """How far a charger is with what it was asked for; its own word."""

    charger_id: ChargerId
    job: JobKind
    request_id: int
    """As asked; 0: the version has none, it is the latest of its kind."""
    status: Text
    """OCPP's word, in the version's own spelling."""
    is_over: bool = False
    has_failed: bool = False
    detail: dict[str, Any] = field(default_factory=dict)
    """What else it said: a file's name, a location, the text of a customer's data."""
    observed_at: Instant


class CertificateRequested(TaggedWire, kw_only=True, tag="certificate_requested"):
    """A charger wants its certificate signed (SignCertificate); the answer is a command."""

    charger_id: ChargerId
    csr: Annotated[str, Meta(max_length=10_000)]
    """PEM, unchecked."""
    purpose: Text = "ChargingStationCertificate"
    """OCPP's word: `ChargingStationCertificate`, or `V2GCertificate`."""
    request_id: int | None = None
    observed_at: Instant


class SettlementReported(TaggedWire, kw_only=True, tag="settlement_reported"):
    """What became of a payment at a charger's own terminal: its word, no entry of our ledger's."""

    charger_id: ChargerId
    transaction_id: Text = ""
    """Empty: canceled before a transaction began."""
    payment_ref: Text
    """The payment provider's."""
    status: Text
    """OCPP's word: `Settled`, `Canceled`, `Rejected` or `Failed`."""
    info: Text = ""
    amount: Text
    """A decimal number; in which currency the charger does not say."""
    receipt_id: Text = ""
    receipt_url: Text = ""
    vat_number: Text = ""
    observed_at: Instant


class GridNoticeReported(TaggedWire, kw_only=True, tag="grid_notice_reported"):
    """What a charger tells of its part in the grid; not that its power changed."""

    charger_id: ChargerId
    notice: GridNotice
    control: Text = ""
    """The control's id; of an alarm its kind, in OCPP's word."""
    fault: Text = ""
    """OCPP's word for what is wrong with the grid."""
    superseded: list[Text] = field(default_factory=list)
    """Ids of the controls it puts out of force."""
    transaction_id: Text = ""
    info: Text = ""
    observed_at: Instant


class StreamValue(Wire, kw_only=True):
    """One value of a stream, as text, whatever the variable's type."""

    value: Text
    at: Instant


class StreamSampled(TaggedWire, kw_only=True, tag="stream_sampled"):
    """Values of a monitored variable, sent all the time; the stream's inventory says of which."""

    charger_id: ChargerId
    stream_id: Annotated[int, Meta(ge=0)]
    values: list[StreamValue]
    pending: int = 0
    """How many the charger has not sent yet."""
    observed_at: Instant


class ChargingNeeded(TaggedWire, kw_only=True, tag="charging_needed"):
    """A car says what it needs (ISO 15118), and waits for a charging profile; null was not said."""

    charger_id: ChargerId
    evse_id: EvseId
    session_id: SessionId
    energy_wh: int | None = None
    departs_at: Instant | None = None
    max_power_w: float | None = None
    """What the car can take."""
    max_periods: int | None = None
    """So many periods a schedule may have at most."""
    is_exceeded: bool = False
    """What it means to draw is more than it was offered: it is to be offered anew."""
    observed_at: Instant


class ReservationDropped(TaggedWire, kw_only=True, tag="reservation_dropped"):
    """A charger keeps an EVSE for a token no more; ours may well stand."""

    charger_id: ChargerId
    reservation_number: int
    reason: Text
    """OCPP's word: `Expired` or `Removed`."""
    observed_at: Instant


class DataTransferred(TaggedWire, kw_only=True, tag="data_transferred"):
    """A vendor's own message, kept as it came."""

    charger_id: ChargerId
    vendor_id: Text
    message_id: Text = ""
    data: Any = None
    observed_at: Instant


class OddityObserved(TaggedWire, kw_only=True, tag="oddity_observed"):
    """Something a charger should not do, was accepted all the same, and is counted."""

    charger_id: ChargerId
    oddity: Text
    """A stable word: `clock_skewed`, `meter_went_back`, `stop_without_start` ..."""
    detail: Text = ""
    observed_at: Instant


class MessageQuarantined(TaggedWire, kw_only=True, tag="message_quarantined"):
    """A charger's message that could not be used, kept (cut to 4,096 characters)."""

    charger_id: ChargerId
    action: Text
    error: Text
    frame: Annotated[str, Meta(max_length=4_096)]
    observed_at: Instant


class FactDropped(TaggedWire, kw_only=True, tag="fact_dropped"):
    """Stands in the place of telemetry an agent's full disk had no room for; numbers keep no gap."""


Event = (
    AgentStarted
    | ChargerConnected
    | ChargerDisconnected
    | ChargerBooted
    | ConnectorStateReported
    | SessionStarted
    | ChargingStateChanged
    | MeterSampled
    | SignedReadingReported
    | SessionEnded
    | AuthorizationDecided
    | BayOccupancyChanged
    | SensorFellSilent
    | SensorHeardAgain
    | SensorBatteryReported
    | SensorUnreadable
    | CommandAnswered
    | SecurityEventReported
    | ComponentEventReported
    | InventoryReported
    | JobProgressed
    | CertificateRequested
    | SettlementReported
    | GridNoticeReported
    | StreamSampled
    | ChargingNeeded
    | ReservationDropped
    | DataTransferred
    | OddityObserved
    | MessageQuarantined
    | FactDropped
)
