"""Sets the demonstration up through the public API: users, stations, chargers, tokens."""

from dataclasses import dataclass, field
from typing import Any, Final

from simulator.bays import BaySpec
from simulator.bookings import Guest
from simulator.chargers.evse import EvseSpec
from simulator.chargers.spec import ChargerSpec
from simulator.demo import city
from simulator.demo.api import Api, as_segment, post_once
from simulator.demo.guests import GUESTS
from simulator.site import StationSpec
from simulator.vehicles import Standard

PASSWORD: Final = "baywatt-demo"  # noqa: S105 - printed on the screen, for this machine alone


@dataclass(frozen=True, slots=True)
class Login:
    """A user of the demonstration."""

    role: str
    email: str
    name: str
    sees: str
    """What to look at first."""


DRIVER: Final = Login(
    "driver", "driver@baywatt.example", "Dora Driver", "her charge, live; and books"
)
ADMIN: Final = Login("admin", "admin@baywatt.example", "Ada Admin", "everything")
LOGINS: Final = (
    DRIVER,
    Login("owner", "owner@baywatt.example", "Owen Owner", "his stations and their sessions"),
    Login("maintenance", "maintenance@baywatt.example", "Mo Mender", "alerts, live"),
    ADMIN,
)


@dataclass
class Keys:
    """What was shown once."""

    agents: dict[str, str] = field(default_factory=dict)
    chargers: dict[str, str] = field(default_factory=dict)


def set_up(api: Api) -> Keys:
    """Make everything; the admin is there already."""
    api.log_in(ADMIN.email, PASSWORD)
    users = {one.role: _make_user(api, one) for one in LOGINS if one is not ADMIN}
    _make_tokens(api, users["driver"])
    for guest in GUESTS:
        make_guest(api, guest)
    keys = Keys()
    for spec in city.STATIONS:
        _make_station(api, spec, users["owner"], keys)
    return keys


def _make_user(api: Api, login: Login) -> str:
    made = api.post(
        "/users",
        {"email": login.email, "name": login.name, "role": login.role, "password": PASSWORD},
    )
    return str(made["user_id"])


def _make_tokens(api: Api, driver_id: str) -> None:
    own = {"user_id": driver_id, "label": "Dora's card"}
    api.put(f"/tokens/{as_segment(city.DRIVER_TOKEN)}", own)
    for number, token in enumerate(city.TOKENS, 1):
        api.put(f"/tokens/{as_segment(token)}", {"label": f"Card {number}"})


def make_guest(api: Api, guest: Guest) -> None:
    """Make a driver who can log in, with the token they show to chargers; once."""
    user = {"email": guest.email, "name": guest.email, "role": "driver", "password": guest.password}
    made = post_once(api, "/users", user)
    if made is not None:
        own = {"user_id": made["user_id"], "label": "Simulated guest"}
        api.put(f"/tokens/{as_segment(guest.token)}", own)


def _make_station(api: Api, spec: StationSpec, owner_id: str, keys: Keys) -> None:
    api.post(
        "/stations",
        {
            "station_id": spec.station_id,
            "name": spec.name,
            "operator": "Tayside Charging (demo)",
            "address": spec.address,
            "city": "Dundee",
            "country": "GB",
            "latitude": spec.latitude,
            "longitude": spec.longitude,
            "timezone": "Europe/London",
            "owner_id": owner_id,
            "currency": "GBP",
            "price_per_kwh_minor": spec.price_per_kwh_minor,
            "offline_policy": "accept",
        },
    )
    for charger in spec.chargers:
        made = api.post(f"/stations/{spec.station_id}/chargers", charger_body(spec, charger))
        keys.chargers[charger.charger_id] = made["key"]
    path = f"/stations/{spec.station_id}"
    api.put(f"{path}/tariff", {"key": _tariff(api, spec)})
    api.put(f"{path}/terms", TERMS)
    keys.agents[spec.station_id] = api.post(f"/stations/{spec.station_id}/agent-key")["key"]


TERMS: Final[dict[str, Any]] = {
    "min_s": 900,
    "grace_s": 600,
    "confirm_s": 60,
    "overstay_grace_s": 60,
    "overstay_per_minute_minor": 20,
    "no_show_fee_minor": 300,
}
"""Short, so that a visitor need not wait long to see what follows."""


def _tariff(api: Api, spec: StationSpec) -> str:
    """Make the station's tariff: its price by the kilowatt-hour, and a pound for a reservation."""
    price = f"{spec.price_per_kwh_minor / 100:.2f}"
    elements = [
        {
            "price_components": [{"type": "FLAT", "price": "1.00", "vat": "20"}],
            "restrictions": {"reservation": "RESERVATION"},
        },
        {"price_components": [{"type": "ENERGY", "price": price, "vat": "20", "step_size": 1}]},
    ]
    prices = {"currency": "GBP", "tax_included": "YES", "elements": elements}
    return str(api.post("/tariffs", {"name": spec.name, **prices})["key"])


def charger_body(spec: StationSpec, charger: ChargerSpec) -> dict[str, Any]:
    """Return a charger with its bays as the API takes it."""
    bays = [bay for bay in spec.bays if bay.charger_id == charger.charger_id]
    return {
        "charger_id": charger.charger_id,
        "security_profile": 1,
        "evses": [_evse_body(spec.evse_of(bay), bay) for bay in bays],
    }


def _evse_body(evse: EvseSpec, bay: BaySpec) -> dict[str, Any]:
    return {
        "evse_id": bay.evse_id,
        "bay_id": bay.bay_id,
        "bay_name": bay.name,
        "max_power_w": evse.max_power_w,
        "is_accessible": bay.is_accessible,
        "connectors": [
            {
                "connector_id": outlet.connector_id,
                "standard": str(outlet.standard),
                "power_type": _power_type(outlet.standard, outlet.max_power_w),
                "max_power_w": outlet.max_power_w,
            }
            for outlet in evse.outlets
        ],
        "sensors": [sensor.sensor_id for sensor in bay.sensors],
    }


def _power_type(standard: Standard, power_w: int) -> str:
    """OCPI 2.3.0 PowerType; 7 kW is one phase of 32 A."""
    if standard.is_dc:
        return "DC"
    return "AC_1_PHASE" if power_w <= 7_400 else "AC_3_PHASE"  # noqa: PLR2004
