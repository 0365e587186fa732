"""`/stations`, `/chargers`, as they are set up: administrators' own."""

from typing import Annotated, Final

from fastapi import APIRouter, Request
from pydantic import ConfigDict, Field
from starlette.responses import Response

from cloud.api.auth import Admin, Watcher
from cloud.api.bodies import Body, ChargerPath, Line, OnceOf, SessionLimit, Slug, StationPath, ok
from cloud.api.container import services_of
from cloud.api.problems import described
from cloud.services.admin_ports import (
    ChargerRecord,
    ConnectorRecord,
    EvseRecord,
    StationRecord,
)
from cloud.services.stations_admin import (
    ChargerMade,
    KeyShown,
    RegistrationView,
    SecurityProfileView,
)
from contracts.plan import OfflinePolicy, Registration

router: Final = APIRouter(prefix="/api/v1", tags=["administration"])

Word = Annotated[Line, Field(max_length=120)]
Watts = Annotated[int, Field(ge=0, le=10_000_000)]
Latitude = Annotated[float, Field(ge=-90, le=90)]
Longitude = Annotated[float, Field(ge=-180, le=180)]
Country = Annotated[str, Field(pattern=r"^[A-Z]{2}$", description="ISO 3166-1 alpha-2.")]
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$", description="ISO 4217.")]
Price = Annotated[int, Field(ge=0, le=1_000_000, description="In hundredths of the currency.")]
Zone = Annotated[str, Field(max_length=64, pattern=r"^[A-Za-z0-9_+/-]+$")]


class StationBody(Body):
    """A station to be made."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "station_id": "dundee-greenmarket",
                "name": "Greenmarket",
                "operator": "Dundee City Council",
                "address": "Greenmarket 1",
                "city": "Dundee",
                "country": "GB",
                "latitude": 56.4572,
                "longitude": -2.9716,
                "timezone": "Europe/London",
                "currency": "GBP",
                "price_per_kwh_minor": 55,
                "offline_policy": "refuse",
            }
        }
    )

    station_id: Slug
    name: Annotated[Line, Field(min_length=1, max_length=120)]
    operator: Word = ""
    address: Annotated[Line, Field(max_length=255)] = ""
    city: Word = ""
    country: Country = "GB"
    latitude: Latitude
    longitude: Longitude
    timezone: Zone = "UTC"
    owner_id: Annotated[str | None, Field(max_length=64)] = None
    currency: Currency = "GBP"
    price_per_kwh_minor: Price = 0
    offline_policy: OfflinePolicy = OfflinePolicy.REFUSE
    max_sessions_per_token: SessionLimit = 0


class StationPatch(Body):
    """What is to change of a station; running sessions keep their price."""

    model_config = ConfigDict(json_schema_extra={"example": {"price_per_kwh_minor": 59}})

    name: Annotated[Line, Field(min_length=1, max_length=120)] = ""
    operator: Word = ""
    address: Annotated[Line, Field(max_length=255)] = ""
    city: Word = ""
    country: Country = ""
    latitude: Latitude = 0
    longitude: Longitude = 0
    timezone: Zone = ""
    owner_id: Annotated[str | None, Field(max_length=64)] = None
    currency: Currency = ""
    price_per_kwh_minor: Price = 0
    offline_policy: OfflinePolicy = OfflinePolicy.REFUSE
    max_sessions_per_token: SessionLimit = 0


class ConnectorBody(Body):
    """A plug, in OCPI's words."""

    connector_id: Annotated[int, Field(ge=1, le=99)]
    standard: Annotated[str, Field(max_length=32, description="OCPI ConnectorType.")]
    power_type: Annotated[str, Field(max_length=16, description="OCPI PowerType.")]
    max_power_w: Watts = 0


class EvseBody(Body):
    """An EVSE and the bay before it."""

    evse_id: Annotated[int, Field(ge=1, le=999)]
    bay_id: Slug
    bay_name: Annotated[Line, Field(min_length=1, max_length=40)]
    max_power_w: Watts = 0
    is_accessible: bool = False
    connectors: Annotated[list[ConnectorBody], Field(min_length=1, max_length=20)]
    sensors: Annotated[
        list[Annotated[Line, Field(min_length=1, max_length=128)]],
        Field(max_length=10, default_factory=list),
    ]


class ChargerBody(Body):
    """A charger to be made, with all that belongs to it."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "charger_id": "DD-GREEN-01",
                "security_profile": 1,
                "evses": [
                    {
                        "evse_id": 1,
                        "bay_id": "dundee-greenmarket-1",
                        "bay_name": "1",
                        "max_power_w": 50000,
                        "is_accessible": True,
                        "connectors": [
                            {
                                "connector_id": 1,
                                "standard": "IEC_62196_T2_COMBO",
                                "power_type": "DC",
                                "max_power_w": 50000,
                            }
                        ],
                        "sensors": ["gm-1"],
                    }
                ],
            }
        }
    )

    charger_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9*_=:|@.\-]{1,48}$")]
    security_profile: Annotated[int, Field(ge=0, le=3)] = 1
    evses: Annotated[list[EvseBody], Field(min_length=1, max_length=50)]


@router.post(
    "/stations",
    status_code=201,
    operation_id="createStation",
    response_model=StationRecord,
    responses=described(401, 403, 409, 422),
)
def create_station(request: Request, body: StationBody, viewer: Admin, once: OnceOf) -> Response:
    """Set up a station; its bays come with its chargers."""
    services = services_of(request)
    asked = StationRecord(**body.model_dump(), created_at=services.clock.now())
    made = services.stations_admin.add_station(viewer, asked, once)
    return ok(made, 201, {"Location": f"/api/v1/stations/{made.station_id}"})


@router.get(
    "/stations/{station_id}/administration",
    operation_id="getStationAdministration",
    response_model=StationRecord,
    responses=described(401, 403, 404),
)
def get_station(request: Request, station_id: StationPath, viewer: Watcher) -> Response:
    """Return a station as it is set up: to administrators, and to its owner."""
    return ok(services_of(request).stations_admin.get_station(viewer, station_id))


@router.patch(
    "/stations/{station_id}",
    operation_id="changeStation",
    response_model=StationRecord,
    responses=described(401, 403, 404, 422),
)
def change_station(
    request: Request, station_id: StationPath, body: StationPatch, viewer: Admin
) -> Response:
    """Change a station; what is not named stays."""
    values = body.model_dump(exclude_unset=True)
    return ok(services_of(request).stations_admin.change_station(viewer, station_id, values))


@router.post(
    "/stations/{station_id}/agent-key",
    status_code=201,
    operation_id="renewAgentKey",
    response_model=KeyShown,
    responses=described(401, 403, 404, 422),
)
def renew_agent_key(
    request: Request, station_id: StationPath, viewer: Admin, once: OnceOf
) -> Response:
    """Give the station's agent a new key for the broker: shown once; the old one ends."""
    shown = services_of(request).stations_admin.renew_agent_key(viewer, station_id, once)
    return ok(shown, 201)


@router.post(
    "/stations/{station_id}/chargers",
    status_code=201,
    operation_id="createCharger",
    response_model=ChargerMade,
    responses=described(401, 403, 404, 409, 422),
)
def create_charger(
    request: Request, station_id: StationPath, body: ChargerBody, viewer: Admin, once: OnceOf
) -> Response:
    """Set up a charger with its bays, plugs and sensors; its key is shown once."""
    made = services_of(request).stations_admin.add_charger(viewer, _record(station_id, body), once)
    return ok(made, 201, {"Location": f"/api/v1/chargers/{made.charger.charger_id}"})


@router.post(
    "/chargers/{charger_id}/key",
    status_code=201,
    operation_id="renewChargerKey",
    response_model=KeyShown,
    responses=described(401, 403, 404, 422),
)
def renew_charger_key(
    request: Request, charger_id: ChargerPath, viewer: Admin, once: OnceOf
) -> Response:
    """Give a charger a new key: shown once; the old one ends when the station hears of it."""
    return ok(services_of(request).stations_admin.renew_charger_key(viewer, charger_id, once), 201)


class RegistrationBody(Body):
    """How a charger is to be answered when it introduces itself."""

    model_config = ConfigDict(json_schema_extra={"example": {"registration": "pending"}})

    registration: Registration


@router.put(
    "/chargers/{charger_id}/registration",
    operation_id="setChargerRegistration",
    response_model=RegistrationView,
    responses=described(401, 403, 404, 422),
)
def set_registration(
    request: Request, charger_id: ChargerPath, body: RegistrationBody, viewer: Admin
) -> Response:
    """Let a charger in, keep it waiting, or turn it away, from the next time it boots.

    While it waits it can be asked and set up; it is refused what it says unasked.
    """
    admin = services_of(request).stations_admin
    return ok(admin.set_registration(viewer, charger_id, body.registration))


class SecurityProfileBody(Body):
    """By how much a charger must prove itself (OCPP's security profiles)."""

    model_config = ConfigDict(json_schema_extra={"example": {"security_profile": 1}})

    security_profile: Annotated[int, Field(ge=0, le=3)]


@router.put(
    "/chargers/{charger_id}/security-profile",
    operation_id="setChargerSecurityProfile",
    response_model=SecurityProfileView,
    responses=described(401, 403, 404, 422),
)
def set_security_profile(
    request: Request, charger_id: ChargerPath, body: SecurityProfileBody, viewer: Admin
) -> Response:
    """Let a charger come by this profile, though it came by a higher one before.

    By itself a profile only rises: this is for a box that took another's place, or was set back. It
    holds once the station has heard of it; who set it is kept, and logged.
    """
    admin = services_of(request).stations_admin
    return ok(admin.set_security_profile(viewer, charger_id, body.security_profile))


def _record(station_id: str, body: ChargerBody) -> ChargerRecord:
    return ChargerRecord(
        charger_id=body.charger_id,
        station_id=station_id,
        security_profile=body.security_profile,
        evses=[
            EvseRecord(
                evse_id=evse.evse_id,
                bay_id=evse.bay_id,
                bay_name=evse.bay_name,
                max_power_w=evse.max_power_w,
                is_accessible=evse.is_accessible,
                connectors=[ConnectorRecord(**one.model_dump()) for one in evse.connectors],
                sensors=evse.sensors,
            )
            for evse in body.evses
        ],
    )
