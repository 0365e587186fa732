"""Tariffs in versions: whose they are, who may change them, and which stations charge by them."""

import pytest

from cloud.adapters.sql import tables
from cloud.domain.access import Role, Viewer
from cloud.domain.billing import simple_id
from cloud.domain.errors import KeyReused, NotAllowed, NotFound, NotValid
from cloud.domain.worked_examples import Used
from cloud.services.idempotency import Once
from cloud.services.money_ports import TariffVersion
from cloud.services.ports import TransactionLost
from cloud.services.tariffs import NewTariff
from tests.cloud.builders import NOON, STATION
from tests.cloud.services.bills import ADMIN, ME, OWNING, RIVAL, STAFF, Bills, prices
from tests.cloud.services.rig import OWNER


@pytest.fixture
def bills(rig) -> Bills:
    return Bills(rig)


def new(**more) -> NewTariff:
    return NewTariff(**({"name": "Plain", "currency": "GBP", "body": prices()} | more))


def test_a_new_tariff_is_its_owners_and_no_station_charges_by_it_yet(bills):
    made = bills.tariffs.add(OWNING, new())

    assert (made.owner_id, made.version, made.stations) == (OWNER, 1, [])
    assert made.body["elements"][1]["price_components"][0]["step_size"] == 1
    assert bills.tariffs.get(OWNING, made.key) == made
    assert bills.tariffs.list(OWNING).tariffs == [made]


def test_a_change_is_a_new_version_and_stations_go_over_to_it(bills):
    first = bills.tariffs.add(OWNING, new())
    bills.tariffs.assign(OWNING, STATION, first.key)

    second = bills.tariffs.change(OWNING, first.key, "Dear", prices("5.00"))

    assert (second.key, second.version, second.stations) == (first.key, 2, [STATION])
    assert second.tariff_id != first.tariff_id
    station = bills.tariffs.of_station(STATION)
    assert (station.tariff_id, station.name) == (second.tariff_id, "Dear")
    with bills.open_work() as work:
        kept = work.tariffs.by_ids([first.tariff_id, second.tariff_id])
    assert kept[first.tariff_id].body == first.body
    assert [one.version for one in bills.tariffs.list(STAFF).tariffs] == [2]


def test_the_plan_of_a_station_is_sent_again_as_what_charging_costs_there_changes(bills):
    def version() -> int:
        return bills.rig.row(tables.stations, id=STATION).plan_version

    first = bills.tariffs.add(OWNING, new())
    before = version()
    bills.tariffs.assign(OWNING, STATION, first.key)
    assigned = version()
    bills.tariffs.change(OWNING, first.key, "Dear", prices("5.00"))

    assert (before, assigned, version()) == (before, before + 1, before + 2)


def test_two_who_change_a_tariff_at_once_make_one_version_each(bills):
    key = bills.tariffs.add(OWNING, new()).key
    with bills.open_work() as work:
        newest = work.tariffs.newest(key)

    bills.tariffs.change(OWNING, key, "Mine", prices())
    late = TariffVersion(
        id="late",
        key=key,
        version=newest.version + 1,
        owner_id=None,
        name="Late",
        currency="GBP",
        body={},
        created_at=NOON,
    )

    with pytest.raises(TransactionLost), bills.open_work() as work:
        work.tariffs.add(late)


def test_a_station_without_a_tariff_says_its_price(bills):
    bills.set_tariff()

    view = bills.tariffs.assign(OWNING, STATION, None)

    assert (view.tariff_id, view.name) == (simple_id("GBP", 50), "")
    assert bills.tariffs.of_station(STATION) == view
    assert view.example.sentence == "30 kWh, 45 min + 20 min parked = 15.00 GBP"


def test_what_charging_costs_is_shown_by_the_engine_that_bills(bills):
    bills.set_tariff("0.40")

    example = bills.tariffs.of_station(STATION).example

    assert example.sentence == "30 kWh, 45 min + 20 min parked = 14.00 GBP"
    assert [(one.kind, one.unit_price, one.unit, one.total_minor) for one in example.lines] == [
        ("ENERGY", "0.40", "kWh", 1200),
        ("PARKING_TIME", "6.00", "h", 200),
    ]
    assert example.net_minor + example.tax_minor == example.total_minor == 1400
    assert [one.tax_pct for one in example.taxes] == ["20"]


# --- whose they are ---------------------------------------------------------------------------------


def test_administrators_make_tariffs_of_the_house_or_of_an_owner(bills):
    assert bills.tariffs.add(ADMIN, new()).owner_id is None
    assert bills.tariffs.add(ADMIN, new(owner_id=OWNER)).owner_id == OWNER
    for nobody in ("u-driver", "not-there"):
        with pytest.raises(NotValid):
            bills.tariffs.add(ADMIN, new(owner_id=nobody))


@pytest.mark.parametrize("viewer", [ME, STAFF])
def test_others_make_none(bills, viewer):
    with pytest.raises(NotAllowed):
        bills.tariffs.add(viewer, new())


def test_owners_make_none_for_others(bills):
    with pytest.raises(NotAllowed):
        bills.tariffs.add(OWNING, new(owner_id="u-rival"))


def test_nobody_makes_tariffs_without_end(bills, monkeypatch):
    monkeypatch.setattr("cloud.services.tariffs.MOST_TARIFFS", 2)
    for _ in range(2):
        bills.tariffs.add(OWNING, new())

    with pytest.raises(NotValid):
        bills.tariffs.add(OWNING, new())
    assert bills.tariffs.add(ADMIN, new()).owner_id is None


def test_what_is_anothers_is_not_there(bills):
    key = bills.tariffs.add(OWNING, new()).key

    for act in (
        lambda: bills.tariffs.get(RIVAL, key),
        lambda: bills.tariffs.change(RIVAL, key, "Mine", prices()),
        lambda: bills.tariffs.change(STAFF, key, "Mine", prices()),
        lambda: bills.tariffs.assign(RIVAL, STATION, None),
        lambda: bills.tariffs.assign(STAFF, STATION, None),
        lambda: bills.tariffs.get(OWNING, "not-there"),
        lambda: bills.tariffs.change(OWNING, "not-there", "Mine", prices()),
        lambda: bills.tariffs.assign(ADMIN, "not-there", None),
        lambda: bills.tariffs.assign(ADMIN, STATION, "not-there"),
        lambda: bills.tariffs.of_station("not-there"),
    ):
        with pytest.raises(NotFound):
            act()
    assert bills.tariffs.list(RIVAL).tariffs == []
    assert bills.tariffs.get(STAFF, key).key == key


def test_a_station_takes_its_owners_tariffs_and_the_houses(bills):
    house = bills.tariffs.add(ADMIN, new()).key
    bills.rig.execute(
        "INSERT INTO users (id, email, name, role, is_active, created_at) "
        "VALUES ('u-rival', 'rival@bays.example', 'rival', 'owner', 1, '2026-03-01 12:00:00')"
    )
    rivals = bills.tariffs.add(Viewer("u-rival", Role.OWNER), new()).key

    assert bills.tariffs.assign(OWNING, STATION, house).name == "Plain"
    with pytest.raises(NotFound):
        bills.tariffs.assign(OWNING, STATION, rivals)
    with pytest.raises(NotFound):
        bills.tariffs.change(OWNING, house, "Mine", prices())


def test_a_tariff_of_another_currency_is_not_for_this_station(bills):
    key = bills.tariffs.add(OWNING, new(currency="EUR")).key

    with pytest.raises(NotValid) as refused:
        bills.tariffs.assign(OWNING, STATION, key)

    assert refused.value.subject == "currency"


# --- what is refused --------------------------------------------------------------------------------


def test_a_tariff_that_cannot_be_is_refused_by_its_field(bills):
    body = prices(price="a lot")
    key = bills.tariffs.add(OWNING, new()).key

    for act in (
        lambda: bills.tariffs.add(OWNING, new(body=body)),
        lambda: bills.tariffs.change(OWNING, key, "Mine", body),
        lambda: bills.tariffs.example("GBP", body, a_use(), "UTC"),
    ):
        with pytest.raises(NotValid, match=r"elements\[1\]\.price_components\[0\]\.price must be"):
            act()


def a_use() -> Used:
    return Used(starts_at=NOON, energy_wh=10_000, charging_s=1800)


def test_an_example_needs_a_zone_there_is(bills):
    said = bills.tariffs.example("GBP", prices(), a_use(), "Europe/London").sentence

    assert said == "10 kWh, 30 min = 5.00 GBP"
    with pytest.raises(NotValid, match="time zone"):
        bills.tariffs.example("GBP", prices(), a_use(), "Europe/Atlantis")


def test_asked_twice_under_one_key_it_is_made_once(bills):
    once = Once(OWNER, "a-key-of-mine", b"POST /tariffs\n{}")

    made = [bills.tariffs.add(OWNING, new(), once) for _ in range(2)]

    assert made[0] == made[1]
    assert len(bills.tariffs.list(OWNING).tariffs) == 1
    changed = [
        bills.tariffs.change(OWNING, made[0].key, "New", prices("1"), Once(OWNER, "two", b"x"))
        for _ in range(2)
    ]
    assert [one.version for one in changed] == [2, 2]
    with pytest.raises(KeyReused):
        bills.tariffs.add(OWNING, new(), Once(OWNER, "a-key-of-mine", b"another"))
