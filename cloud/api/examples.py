"""What answers look like, made of the answers' own types; shown in the API's description."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec

from cloud.domain.carbon import Factors
from cloud.services.alert_views import AlertList, AlertView
from cloud.services.bay_views import BayView, ConnectorView, WitnessKind, WitnessView
from cloud.services.carbon_views import co2_view
from cloud.services.collaborators import Option
from cloud.services.command_views import CommandView
from cloud.services.history_views import Amount, SessionTotals
from cloud.services.offer_views import OfferList, OfferView
from cloud.services.reservation_views import ReservationList, ReservationView
from cloud.services.session_views import SampleView, SessionDetail, SessionList, SessionView
from cloud.services.station_views import PriceView, StationDetail, StationList, StationView

_NOW: Final = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
_CONNECTOR: Final = ConnectorView(
    connector_id=1, standard="IEC_62196_T2_COMBO", power_type="DC", max_power_w=50_000
)
_BAY: Final = BayView(
    bay_id="dundee-greenmarket-1",
    station_id="dundee-greenmarket",
    name="1",
    status="AVAILABLE",
    situation="free",
    reason="The bay is empty and the charger is ready.",
    since=_NOW - timedelta(minutes=7),
    observed_at=_NOW - timedelta(seconds=40),
    heard_at=_NOW - timedelta(seconds=4),
    valid_until=_NOW + timedelta(seconds=86),
    witnesses=[
        WitnessView(
            witness=WitnessKind.SENSOR,
            says="empty",
            observed_at=_NOW - timedelta(seconds=40),
            is_trusted=True,
        ),
        WitnessView(
            witness=WitnessKind.CONNECTOR,
            says="free",
            observed_at=_NOW - timedelta(minutes=7),
            is_trusted=True,
        ),
    ],
    connectors=[_CONNECTOR],
    max_power_w=50_000,
    is_accessible=True,
    charger_id="DD-GREEN-01",
    evse_id=1,
    version=12,
)
_STATION: Final = StationView(
    station_id="dundee-greenmarket",
    name="Greenmarket",
    operator="Dundee City Council",
    address="Greenmarket 1",
    city="Dundee",
    country="GB",
    latitude=56.4572,
    longitude=-2.9716,
    timezone="Europe/London",
    distance_m=420,
    price=PriceView(currency="GBP", price_per_kwh_minor=55),
    heard_at=_NOW - timedelta(seconds=4),
    bays_total=1,
    bays_available=1,
    max_power_w=50_000,
    standards=["IEC_62196_T2_COMBO"],
    statuses={"AVAILABLE": 1},
    bays=[_BAY],
)
_SESSION: Final = SessionView(
    session_id="3f0c6b1e5d7a4e0f9b1c2d3e4f5a6b7c",
    station_id="dundee-greenmarket",
    station_name="Greenmarket",
    bay_id="dundee-greenmarket-1",
    charger_id="DD-GREEN-01",
    evse_id=1,
    state="charging",
    is_live=True,
    started_at=_NOW - timedelta(minutes=20),
    ended_at=None,
    end_reason="",
    duration_s=1_200,
    energy_wh=14_250,
    power_w=43_800.0,
    soc_pct=61.0,
    expected_end_at=_NOW + timedelta(minutes=25),
    currency="GBP",
    price_per_kwh_minor=55,
    cost_minor=784,
    sampled_at=_NOW - timedelta(seconds=3),
    flags=[],
    as_of=_NOW,
    version=84,
    export_wh=0,
    co2_saved_g=8_906,
)
_TOTALS: Final = SessionTotals(
    as_of=_NOW,
    sessions=12,
    energy_wh=268_400,
    export_wh=0,
    amounts=[Amount(currency="GBP", amount_minor=14_762)],
    co2=co2_view(Factors(), 268_400),
)
_SAMPLE: Final = SampleView(
    at=_NOW - timedelta(seconds=3), power_w=43_800.0, energy_wh=14_250, soc_pct=61.0
)
_ALERT: Final = AlertView(
    alert_id="9a1b2c3d4e5f40718293a4b5c6d7e8f9",
    key="charger_fault:DD-GREEN-01:1:1",
    rule="charger_fault",
    severity="major",
    status="open",
    station_id="dundee-greenmarket",
    station_name="Greenmarket",
    charger_id="DD-GREEN-01",
    bay_id="dundee-greenmarket-1",
    sensor_id=None,
    title="The connector lock failed",
    detail="ConnectorLockFailure",
    what_to_do="Unlock the connector from here; if it stays locked, look for dirt in the socket.",
    opened_at=_NOW - timedelta(minutes=2),
    last_seen_at=_NOW - timedelta(minutes=2),
    count=1,
    acknowledged_at=None,
    acknowledged_by=None,
    resolved_at=None,
    resolved_by=None,
    version=1,
)
_COMMAND: Final = CommandView(
    command_id="5e6f708192a34b5c8d9e0f1a2b3c4d5e",
    station_id="dundee-greenmarket",
    charger_id="DD-GREEN-01",
    kind="reset_charger",
    state="accepted",
    request={"kind": "reset_charger", "charger_id": "DD-GREEN-01", "reset": "soft"},
    answer={"status": "Accepted"},
    issued_by="83743da0114b4543bd374e7b9b926cea",
    issued_at=_NOW,
    expires_at=_NOW + timedelta(seconds=30),
    answered_at=_NOW + timedelta(seconds=1),
    version=2,
)

_RESERVATION: Final = ReservationView(
    reservation_id="7c8d9e0f1a2b4c3d8e9f0a1b2c3d4e5f",
    number=1_204_881_337,
    station_id="dundee-greenmarket",
    station_name="Greenmarket",
    timezone="Europe/London",
    bay_id="dundee-greenmarket-1",
    bay_name="1",
    user_id="83743da0114b4543bd374e7b9b926cea",
    status="PENDING",
    state="held",
    reason="",
    is_live=True,
    starts_at=_NOW + timedelta(hours=20),
    ends_at=_NOW + timedelta(hours=21, minutes=30),
    held_until=_NOW + timedelta(minutes=10),
    is_confirmed=False,
    is_flexible=False,
    fixed_at=None,
    standard="IEC_62196_T2_COMBO",
    min_power_w=0,
    energy_wh=25_000,
    booked_at=None,
    arrived_at=None,
    arrived_by="",
    session_id=None,
    left_at=None,
    overstay_since=None,
    trouble="",
    tariff_id="kwh:GBP:55",
    currency="GBP",
    quote={"total_minor": 1_375, "authorise_minor": 1_650},
    terms={"protect_s": 900, "grace_s": 900, "refunds": [{"before_s": 3_600, "refund_pct": 100}]},
    authorised_minor=0,
    due_minor=None,
    series_id=None,
    moved_from=None,
    created_at=_NOW,
    server_now=_NOW,
    version=0,
)

_OFFER: Final = OfferView(
    offer_id="0d1c2b3a4f5e4d6c8b7a9f8e7d6c5b4a",
    kind="reschedule",
    reservation_id="7c8d9e0f1a2b4c3d8e9f0a1b2c3d4e5f",
    waitlist_id=None,
    state="open",
    options=[
        Option(
            station_id="dundee-greenmarket",
            station_name="Greenmarket",
            bay_id="dundee-greenmarket-2",
            bay_name="2",
            starts_at=_NOW + timedelta(hours=20, minutes=30),
            ends_at=_NOW + timedelta(hours=22),
            distance_m=0,
            price_minor=1_375,
            currency="GBP",
            expected_wait_s=1_800,
            max_power_w=50_000,
            cost=12.5,
        )
    ],
    made_at=_NOW,
    expires_at=_NOW + timedelta(minutes=15),
    server_now=_NOW,
)

_VIEWS: Final = (
    _BAY,
    _STATION,
    StationDetail(as_of=_NOW, station=_STATION),
    StationList(as_of=_NOW, stations=[_STATION], next_cursor=None),
    _SESSION,
    SessionDetail(session=_SESSION, samples=[_SAMPLE]),
    _TOTALS,
    SessionList(as_of=_NOW, sessions=[_SESSION], next_cursor=None),
    _ALERT,
    AlertList(as_of=_NOW, alerts=[_ALERT], next_cursor=None),
    _COMMAND,
    _RESERVATION,
    ReservationList(server_now=_NOW, reservations=[_RESERVATION], next_cursor=None),
    _OFFER,
    OfferList(server_now=_NOW, offers=[_OFFER]),
)

EXAMPLES: Final[dict[str, Any]] = {
    type(view).__name__: msgspec.json.decode(msgspec.json.encode(view)) for view in _VIEWS
}
"""By the name of the schema."""
