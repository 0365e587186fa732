"""`/tariffs`, `/stations/{id}/tariff`: what charging costs, made by owners, read by everybody."""

from datetime import UTC, datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request
from pydantic import AwareDatetime, ConfigDict, Field
from starlette.responses import Response

from cloud.api.auth import Anyone, Watcher, only
from cloud.api.bodies import Body, IdPath, Line, OnceOf, StationPath, is_encodable, ok
from cloud.api.container import services_of
from cloud.api.problems import described
from cloud.domain.access import Role, Viewer
from cloud.domain.errors import NotValid
from cloud.domain.worked_examples import Used
from cloud.services.tariffs import (
    MOST_EXAMPLE_S,
    MOST_EXAMPLE_WH,
    ExampleView,
    NewTariff,
    StationTariffView,
    TariffList,
    TariffView,
)

router: Final = APIRouter(prefix="/api/v1", tags=["tariffs"])

Maker = Annotated[Viewer, Depends(only(Role.OWNER, Role.ADMIN))]
"""Who sets prices: owners for their stations, administrators for all."""

Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$", description="ISO 4217.")]
Seconds = Annotated[int, Field(ge=0, le=MOST_EXAMPLE_S)]

_ELEMENTS: Final[list[dict[str, Any]]] = [
    {
        "price_components": [{"type": "FLAT", "price": "1.00", "vat": "20"}],
        "restrictions": {"reservation": "RESERVATION"},
    },
    {
        "price_components": [{"type": "ENERGY", "price": "0.39", "vat": "20", "step_size": 1}],
        "restrictions": {"start_time": "22:00", "end_time": "06:00"},
    },
    {
        "price_components": [
            {"type": "ENERGY", "price": "0.55", "vat": "20", "step_size": 1},
            {"type": "PARKING_TIME", "price": "6.00", "vat": "20", "step_size": 300},
        ]
    },
]
_PRICES: Final[dict[str, Any]] = {
    "tax_included": "YES",
    "min_price": {"before_taxes": "0.42", "after_taxes": "0.50"},
    "elements": _ELEMENTS,
}


class Prices(Body):
    """A tariff in OCPI 2.3.0's words; prices as decimal text or numbers of four decimals."""

    tax_included: Annotated[
        Any, Field(description="`YES`: prices are what is paid; `NO`: taxes come on top; `N/A`.")
    ]
    min_price: Annotated[
        Any, Field(description="What a charge costs at least: `before_taxes`, `after_taxes`.")
    ] = None
    max_price: Annotated[Any, Field(description="What a charge costs at most.")] = None
    elements: Annotated[
        Any,
        Field(
            description="TariffElements: `price_components` and `restrictions`. Of each dimension "
            "the first one counts whose restrictions hold."
        ),
    ]

    def data(self) -> dict[str, Any]:
        """Return the tariff alone, as plain data.

        Raises:
            NotValid: it has what JSON cannot carry.
        """
        data = self.model_dump(include=set(Prices.model_fields), exclude_none=True)
        if not is_encodable(data):
            raise NotValid("elements", "This has text, numbers or a depth that JSON cannot carry.")
        return data


class TariffBody(Prices):
    """A tariff to be made."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {"name": "Day and night", "currency": "GBP", "owner_id": None} | _PRICES
        }
    )

    name: Annotated[Line, Field(min_length=1, max_length=120)]
    currency: Currency
    owner_id: Annotated[
        str | None,
        Field(max_length=64, description="Administrators only; null: the house's own."),
    ] = None


class TariffChange(Prices):
    """What a tariff is to become; who charges by it now keeps the version they have."""

    model_config = ConfigDict(json_schema_extra={"example": {"name": "Day and night"} | _PRICES})

    name: Annotated[Line, Field(min_length=1, max_length=120)]


class ExampleBody(Prices):
    """A charge to be reckoned by a tariff."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "currency": "GBP",
                "timezone": "Europe/London",
                "starts_at": "2026-03-01T12:00:00Z",
                "energy_wh": 30_000,
                "charging_s": 2700,
                "parked_s": 1200,
                **_PRICES,
            }
        }
    )

    currency: Currency
    timezone: Annotated[str, Field(max_length=64, pattern=r"^[A-Za-z0-9_+/-]+$")] = "UTC"
    starts_at: Annotated[AwareDatetime, Field(description="When the car is plugged in.")]
    energy_wh: Annotated[int, Field(ge=0, le=MOST_EXAMPLE_WH)]
    charging_s: Seconds
    parked_s: Seconds = 0
    is_reserved: bool = False
    waited_s: Annotated[
        int, Field(ge=0, le=MOST_EXAMPLE_S, description="Reserved so long before `starts_at`.")
    ] = 0

    def used(self) -> Used:
        """Return the charge."""
        return Used(
            starts_at=_bounded(self.starts_at),
            energy_wh=self.energy_wh,
            charging_s=self.charging_s,
            parked_s=self.parked_s,
            waited_s=self.waited_s,
            is_reserved=self.is_reserved,
        )


class Assignment(Body):
    """By which tariff a station is to charge."""

    model_config = ConfigDict(json_schema_extra={"example": {"key": "b1f6a7e2"}})

    key: Annotated[
        str | None,
        Field(
            pattern=r"^[A-Za-z0-9_.:-]{1,64}$",
            description="The tariff's `key`; null: the station's price by the kilowatt-hour.",
        ),
    ]


@router.get(
    "/tariffs",
    operation_id="listTariffs",
    response_model=TariffList,
    responses=described(401, 403),
)
def list_tariffs(request: Request, viewer: Watcher) -> Response:
    """List tariffs in their newest versions: owners' own, for staff all."""
    return ok(services_of(request).tariffs.list(viewer))


@router.post(
    "/tariffs",
    status_code=201,
    operation_id="createTariff",
    response_model=TariffView,
    responses=described(401, 403, 422),
)
def create_tariff(request: Request, body: TariffBody, viewer: Maker, once: OnceOf) -> Response:
    """Make a tariff; assign it to stations with `PUT /stations/{station_id}/tariff`."""
    new = NewTariff(
        name=body.name, currency=body.currency, body=body.data(), owner_id=body.owner_id
    )
    made = services_of(request).tariffs.add(viewer, new, once)
    return ok(made, 201, {"Location": f"/api/v1/tariffs/{made.key}"})


@router.post(
    "/tariffs/example",
    operation_id="workTariffExample",
    response_model=ExampleView,
    responses=described(401, 422),
)
def work_example(request: Request, body: ExampleBody, viewer: Anyone) -> Response:
    """Reckon a charge by a tariff that need not be stored, with the engine that bills."""
    del viewer
    tariffs = services_of(request).tariffs
    return ok(tariffs.example(body.currency, body.data(), body.used(), body.timezone))


@router.get(
    "/tariffs/{tariff_key}",
    operation_id="getTariff",
    response_model=TariffView,
    responses=described(401, 403, 404),
)
def get_tariff(request: Request, tariff_key: IdPath, viewer: Watcher) -> Response:
    """Return a tariff in its newest version."""
    return ok(services_of(request).tariffs.get(viewer, tariff_key))


@router.put(
    "/tariffs/{tariff_key}",
    operation_id="changeTariff",
    response_model=TariffView,
    responses=described(401, 403, 404, 422),
)
def change_tariff(
    request: Request, tariff_key: IdPath, body: TariffChange, viewer: Maker, once: OnceOf
) -> Response:
    """Make a new version, to which its stations go over; what runs or is booked keeps the old."""
    tariffs = services_of(request).tariffs
    return ok(tariffs.change(viewer, tariff_key, body.name, body.data(), once))


@router.put(
    "/stations/{station_id}/tariff",
    operation_id="assignTariff",
    response_model=StationTariffView,
    responses=described(401, 403, 404, 422),
)
def assign_tariff(
    request: Request, station_id: StationPath, body: Assignment, viewer: Maker
) -> Response:
    """Have a station charge by a tariff from now on."""
    return ok(services_of(request).tariffs.assign(viewer, station_id, body.key))


@router.get(
    "/stations/{station_id}/tariff",
    operation_id="getStationTariff",
    response_model=StationTariffView,
    responses=described(404),
)
def get_station_tariff(request: Request, station_id: StationPath) -> Response:
    """Return what charging costs at a station, with a worked example."""
    return ok(services_of(request).tariffs.of_station(station_id))


_FIRST: Final = datetime(2000, 1, 1, tzinfo=UTC)
_LAST: Final = datetime(2100, 1, 1, tzinfo=UTC)


def _bounded(at: datetime) -> datetime:
    if not _FIRST <= at <= _LAST:
        raise NotValid("starts_at", "starts_at must be in this century.")
    return at.astimezone(UTC)
