"""Frozen from the hold on: quoted, charged, settled once, and written on a receipt."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import event

from cloud.adapters.sql import tables
from cloud.domain.bill_lines import Kind
from cloud.domain.billing import simple_id
from cloud.domain.carbon import Factors
from cloud.domain.reservations import Status
from cloud.domain.terms import Terms
from cloud.domain.windows import Window
from cloud.services.billing_ports import Receipt
from cloud.services.collaborators import PriceAsk
from cloud.services.ports import TransactionLost
from cloud.services.shelf import TariffShelf
from tests.cloud.builders import NOON, STATION, a_station, after
from tests.cloud.services.bills import (
    ADMIN,
    ME,
    OWNING,
    RIVAL,
    STAFF,
    STRANGER,
    Bills,
    prices,
)
from tests.cloud.services.rig import DRIVER, begun, metered, over, state


@pytest.fixture
def bills(rig) -> Bills:
    return Bills(rig)


# --- frozen ---------------------------------------------------------------------------------------


def test_r11_a_tariff_changed_while_a_bay_is_held_changes_nothing_for_it(bills):
    key = bills.set_tariff("0.50")
    held = bills.hold()

    bills.tariffs.change(OWNING, key, "Dear", prices("5.00"))

    # 2.00, 20 kWh at 0.50, and 52 minutes of parking
    assert held.quote["total_minor"] == 200 + 1000 + 520
    assert bills.quote_again(held).total_minor == held.quote["total_minor"]
    assert bills.hold().quote["total_minor"] == 200 + 10_000 + 520
    bills.charge(held)
    settled = bills.end(held, Status.FULFILLED, left_at=held.ends_at)
    assert settled.due_minor == held.quote["total_minor"]


def test_r11_a_price_by_the_kilowatt_hour_is_frozen_too(bills):
    held = bills.hold()

    bills.rig.execute("UPDATE stations SET price_per_kwh_minor = 500")

    assert held.tariff_id == simple_id("GBP", 50)
    bills.charge(held)
    settled = bills.end(held, Status.FULFILLED, left_at=held.ends_at)
    assert settled.due_minor == held.quote["total_minor"] == 1000


def test_r11_terms_changed_while_a_bay_is_held_change_nothing_for_it(bills):
    bills.set_tariff()
    held = bills.hold(Terms(no_show_fee_minor=300))
    with bills.open_work() as work:
        work.terms.put(STATION, Terms(no_show_fee_minor=9_000), NOON)
        work.commit()

    assert held.quote["no_show_minor"] == 500
    assert bills.end(held, Status.NO_SHOW).due_minor == 500


def test_r11_a_tariff_changed_in_the_middle_of_a_charge_is_for_the_next(bills, rig):
    key = bills.set_tariff("0.50")
    rig.agent.tell(begun(), state("charging"))
    rig.clock.pass_by(timedelta(minutes=10))
    rig.agent.tell(metered(2_000, after(600)))

    bills.tariffs.change(OWNING, key, "Dear", prices("5.00"))
    rig.clock.pass_by(timedelta(minutes=10))
    rig.agent.tell(metered(5_000, after(1200)), over(5_000, after(1200)))
    rig.agent.tell(begun(after(1260), session_id="s-2", meter_start_wh=5_000))
    rig.agent.tell(metered(6_000, after(1320), session_id="s-2"))

    first, second = (rig.row(tables.sessions, id=one) for one in ("s-1", "s-2"))
    assert (first.cost_minor, second.cost_minor) == (200, 500)
    assert first.tariff_id != second.tariff_id


def test_a_discount_counts_as_it_was_quoted(bills, rig):
    bills.set_tariff("0.50")
    rig.insert(
        tables.subscription_plans,
        {
            "id": "plan",
            "name": "Plus",
            "currency": "GBP",
            "monthly_minor": 500,
            "discounts": {"ENERGY": 10, "COFFEE": 50},
            "created_at": NOON,
        },
    )
    rig.insert(
        tables.subscriptions,
        {
            "id": "sub",
            "active_user_id": DRIVER,
            "user_id": DRIVER,
            "plan_id": "plan",
            "method": "card",
            "state": "active",
            "started_at": NOON,
            "paid_until": after(86_400),
        },
    )
    held = bills.hold()
    rig.execute("UPDATE subscriptions SET state = 'canceled', active_user_id = NULL")

    assert held.quote["total_minor"] == 200 + 900 + 520
    assert held.quote["discounts"] == {"ENERGY": 10}
    assert bills.quote_again(held).total_minor == held.quote["total_minor"]
    assert bills.hold().quote["total_minor"] == 200 + 1000 + 520
    bills.charge(held)
    assert bills.end(held, Status.FULFILLED, left_at=held.ends_at).due_minor == 1620


# --- searches -------------------------------------------------------------------------------------


def test_a_search_is_told_the_price_a_quote_would_say(bills, rig):
    bills.set_tariff()
    with rig.open_work() as work:
        station = work.stations.by_ids([STATION])[STATION]
        plain = a_station(id="elsewhere", currency="EUR", price_per_kwh_minor=40)
        window = Window(after(4_500), after(8_100))
        asks = [PriceAsk(station=one, window=window, energy_wh=20_000, power_w=150_000)
                for one in (station, plain, station)]  # fmt: skip

        said = bills.quoting.prices(work, asks, {})
        less = bills.quoting.prices(work, asks, {Kind.ENERGY: 50})

    assert said == [(1720, "GBP"), (800, "EUR"), (1720, "GBP")]
    assert less == [(1220, "GBP"), (400, "EUR"), (1220, "GBP")]
    assert bills.hold().quote["total_minor"] == 1720


# --- settling -------------------------------------------------------------------------------------


def test_what_is_due_is_shared_out_between_the_station_and_the_state(bills):
    bills.set_tariff()
    held = bills.hold()
    bills.charge(held)

    settled = bills.end(held, Status.FULFILLED, left_at=held.ends_at)

    assert settled.due_minor == 1720
    # a sixth of each line, rounded line by line
    net = 167 + 833 + 433
    assert bills.till.closed == [(held.id, 1720, {f"revenue/{STATION}": net, "tax/GB": 1720 - net})]


def test_settled_twice_is_settled_once(bills):
    bills.set_tariff()
    settled = bills.end(bills.hold(), Status.NO_SHOW)

    with bills.open_work() as work:
        again = bills.billing.settle(work, settled, NOON)

    assert again is settled
    assert len(bills.till.closed) == len(bills.telling.told) == 1


@pytest.mark.parametrize("status", [Status.FAILED, Status.REJECTED])
def test_what_did_not_come_about_gives_everything_back_and_has_no_receipt(bills, status):
    bills.set_tariff()

    settled = bills.end(bills.hold(), status)

    assert settled.due_minor == 0
    assert bills.till.closed == [(settled.id, 0, {})]
    assert bills.receipts.list(STAFF).receipts == []
    assert bills.telling.told == []


def test_canceled_in_time_costs_nothing_and_has_no_receipt(bills):
    bills.set_tariff()
    held = bills.hold()

    settled = bills.end(held, Status.CANCELED, status_at=held.starts_at - timedelta(hours=1))

    assert settled.due_minor == 0
    assert bills.receipts.list(STAFF).receipts == []


def test_canceled_late_has_a_receipt_of_what_is_kept(bills):
    bills.set_tariff()
    held = bills.hold()

    settled = bills.end(held, Status.CANCELED, status_at=held.starts_at - timedelta(minutes=1))

    assert settled.due_minor == 100
    receipt = bills.receipt()
    assert [(one.kind, one.part_pct, one.total_minor) for one in receipt.lines] == [
        ("RESERVATION", 50, 100)
    ]
    assert (receipt.status, receipt.co2) == ("CANCELED", None)


def test_a_charge_that_is_free_has_a_receipt_all_the_same(bills, rig):
    rig.execute("UPDATE stations SET price_per_kwh_minor = 0")
    held = bills.hold()
    bills.charge(held)

    assert bills.end(held, Status.FULFILLED).due_minor == 0
    assert bills.receipt().energy_wh == 20_000


def test_the_session_a_reservation_names_is_billed_even_if_it_names_no_reservation(bills):
    held = bills.hold()
    bills.charge(held, reservation_id=None)

    settled = bills.end(held, Status.FULFILLED, session_id=f"s-{held.id}")

    assert settled.due_minor == 1000


def test_a_receipt_counts_by_the_whole_curve(bills, rig):
    night = {
        "price_components": [{"type": "ENERGY", "price": "0.10"}],
        "restrictions": {"end_time": "13:30"},
    }
    bills.set_tariff(elements=[night, {"price_components": [{"type": "ENERGY", "price": "1"}]}])
    held = bills.hold()
    bills.charge(held, wh=10_000)
    # nine of ten kilowatt-hours in the first quarter of an hour
    with bills.open_work() as work:
        work.sessions.add_samples(
            [
                metered(wh, held.starts_at + timedelta(minutes=minute), session_id=f"s-{held.id}")
                for minute, wh in ((0, 1_000), (15, 10_000), (30, 11_000))
            ]
        )
        work.commit()

    settled = bills.end(held, Status.FULFILLED, left_at=held.ends_at)

    assert settled.due_minor == 90 + 100


# --- receipts -------------------------------------------------------------------------------------


def test_a_receipt_says_everything_that_was_paid_for(bills):
    bills.set_tariff()
    held = bills.hold(Terms(overstay_per_minute_minor=25))
    bills.charge(held)

    settled = bills.end(
        held,
        Status.FULFILLED,
        left_at=held.ends_at + timedelta(minutes=13),
        overstay_since=held.ends_at + timedelta(minutes=10),
    )

    receipt = bills.receipt()
    assert [(one.kind, one.total_minor) for one in receipt.lines] == [
        ("RESERVATION", 200),
        ("ENERGY", 1000),
        ("PARKING_TIME", 520),
        ("OVERSTAY", 75),
    ]
    assert receipt.total_minor == settled.due_minor == 1795
    assert receipt.net_minor + receipt.tax_minor == 1795
    assert sum(one.tax_minor for one in receipt.lines) == receipt.tax_minor
    assert [(one.tax_pct, one.tax_minor) for one in receipt.taxes] == [("20", receipt.tax_minor)]
    assert (receipt.number, receipt.session_id) == (f"{STATION}-000001", f"s-{held.id}")
    assert (receipt.energy_wh, receipt.charging_s, receipt.parked_s) == (20_000, 480, 3120)
    assert receipt.overstay_s == 180
    assert (receipt.bay_name, receipt.driver_email) == ("1", f"{DRIVER}@bays.example")
    assert (receipt.status, receipt.tariff_id) == ("FULFILLED", held.tariff_id)
    assert (receipt.started_at, receipt.ended_at) == (held.starts_at, held.ends_at)


def test_d8_a_receipt_keeps_the_co2_factors_of_its_day(bills):
    before, after_all = Factors(grid_g_per_kwh=210), Factors(grid_g_per_kwh=500)
    for factors in (before, after_all):
        bills.billing = replace(bills.billing, factors=factors)
        held = bills.hold()
        bills.charge(held, export_wh=4_000)
        bills.end(held, Status.FULFILLED)
    listed = bills.receipts.list(STAFF).receipts
    kept = [bills.receipts.get(STAFF, one.receipt_id).co2 for one in listed]

    assert [one.driven_wh for one in kept] == [16_000, 16_000]
    assert {one.grid_g_per_kwh: one.saved_g for one in kept} == {210: 10_000, 500: 5_360}


def test_a_receipt_is_told_of(bills):
    bills.set_tariff()
    held = bills.hold()

    bills.end(held, Status.NO_SHOW)

    (notice,) = bills.telling.told
    receipt = bills.receipt()
    assert (notice.kind, notice.user_id) == ("receipt", DRIVER)
    assert notice.cause == f"receipt/{held.id}"
    assert notice.data["receipt_id"] == receipt.receipt_id
    assert notice.data["number"] == receipt.number
    assert (notice.data["total_minor"], notice.data["currency"]) == (200, "GBP")


def test_each_station_numbers_its_receipts_without_gaps(bills):
    bills.set_tariff()
    for _ in range(3):
        bills.end(bills.hold(), Status.NO_SHOW)

    numbers = sorted(one.number for one in bills.receipts.list(STAFF).receipts)
    assert numbers == [f"{STATION}-00000{one}" for one in (1, 2, 3)]


def a_receipt(seq: int, **more) -> Receipt:
    known = {
        "id": f"receipt-{seq}",
        "number": f"{STATION}-{seq}",
        "seq": seq,
        "reservation_id": f"r-{seq}",
        "session_id": None,
        "user_id": DRIVER,
        "station_id": STATION,
        "currency": "GBP",
        "total_minor": 1,
        "body": {},
        "created_at": after(seq),
    }
    return Receipt(**(known | more))


def test_two_who_take_the_same_number_at_once_get_one_each(rig):
    with rig.open_work(is_read_only=True) as both:
        assert both.receipts.next_seq(STATION) == 1
    with rig.open_work() as fast:
        fast.receipts.add(a_receipt(1))
        fast.commit()

    with pytest.raises(TransactionLost), rig.open_work() as slow:
        slow.receipts.add(a_receipt(1, id="other", number="other", reservation_id="other"))
    with rig.open_work() as work:
        assert work.receipts.next_seq(STATION) == 2
        assert work.receipts.next_seq("elsewhere") == 1


def test_a_reservation_has_one_receipt(rig):
    with rig.open_work() as work:
        work.receipts.add(a_receipt(1))
        work.commit()

    with pytest.raises(TransactionLost), rig.open_work() as work:
        work.receipts.add(a_receipt(2, reservation_id="r-1"))
    with rig.open_work() as work:
        assert work.receipts.of_reservation("r-1") == a_receipt(1)
        assert work.receipts.of_reservation("r-2") is None


def test_receipts_come_page_by_page_the_newest_first(bills):
    bills.set_tariff()
    for _ in range(5):
        bills.end(bills.hold(), Status.NO_SHOW)
        bills.clock.pass_by(timedelta(seconds=1))

    listed, cursor = [], None
    for _ in range(3):
        page = bills.receipts.list(ME, limit=2, cursor=cursor)
        listed += [int(one.number[-1]) for one in page.receipts]
        cursor = page.next_cursor

    assert listed == [5, 4, 3, 2, 1]
    assert cursor is None


@pytest.mark.parametrize(
    ("viewer", "count"), [(ME, 1), (OWNING, 1), (STAFF, 1), (ADMIN, 1), (STRANGER, 0), (RIVAL, 0)]
)
def test_receipts_are_for_who_paid_who_was_paid_and_staff(bills, viewer, count):
    bills.set_tariff()
    bills.end(bills.hold(), Status.NO_SHOW)

    assert len(bills.receipts.list(viewer).receipts) == count


# --- while it charges -----------------------------------------------------------------------------


@pytest.fixture
def statements(rig):
    """Every statement the database is asked, as it comes."""
    heard = []

    @event.listens_for(rig.engine, "before_cursor_execute")
    def _hear(_connection, _cursor, statement, *_rest):
        heard.append(statement)

    return heard


def asked_by_a_sample(rig, statements, minute) -> int:
    rig.clock.pass_by(timedelta(minutes=1))
    statements.clear()
    rig.agent.tell(metered(1_000 + 100 * minute, after(60 * minute)))
    return len(statements)


def test_a_sample_asks_the_database_no_more_for_a_tariffs_sake(bills, rig, statements):
    rig.agent.tell(begun(), state("charging"))
    without = [asked_by_a_sample(rig, statements, minute) for minute in (1, 2)]
    rig.agent.tell(over(1_200, after(130)))
    bills.set_tariff()
    rig.agent.tell(begun(after(130), meter_start_wh=1_200, session_id="s-1b"))

    rig.agent.tell(metered(1_250, after(140), session_id="s-1b"))  # read once
    with_one = []
    for minute in (3, 4):
        rig.clock.pass_by(timedelta(minutes=1))
        statements.clear()
        rig.agent.tell(metered(1_000 + 100 * minute, after(60 * minute), session_id="s-1b"))
        with_one.append(len(statements))

    assert with_one == without
    assert not [one for one in statements if "tariffs" in one]


def test_a_charge_of_a_tariff_that_is_not_there_goes_on_by_its_price(rig):
    rig.execute("UPDATE stations SET tariff_id = 'lost'")
    rig.agent.tell(begun(), state("charging"))
    rig.clock.pass_by(timedelta(minutes=1))

    rig.agent.tell(metered(2_000, after(60)))

    assert rig.row(tables.sessions, id="s-1").cost_minor == 50


def test_a_shelf_is_bounded_and_reads_again_what_it_gave_up(bills, rig):
    shelf = TariffShelf(most=1)
    one, two = (bills.set_tariff(price) for price in ("0.50", "0.60"))
    with rig.open_work() as work:
        ids = [work.tariffs.newest(key).id for key in (one, two)]

        both = shelf.by_ids(work, ids)
        again = shelf.by_ids(work, [*ids, "kwh:GBP:50", "", "lost"])

    assert set(both) == set(ids)
    assert set(again) == {*ids, "kwh:GBP:50"}
    assert again[ids[0]] == both[ids[0]]


def test_a_session_keeps_its_tariff_and_its_reservation(rig):
    rig.execute("UPDATE stations SET tariff_id = 'kwh:GBP:70'")
    rig.agent.tell(begun(), state("charging"))
    with rig.open_work() as work:
        session = work.sessions.by_ids(["s-1"])["s-1"]
        work.sessions.put([replace(session, reservation_id="r-1")])
        work.commit()

    rig.execute("UPDATE stations SET tariff_id = NULL")
    rig.clock.pass_by(timedelta(minutes=1))
    rig.ingest = rig.new_ingest()
    rig.agent.tell(metered(2_000, after(60)))

    with rig.open_work() as work:
        (session,) = work.sessions.of_reservation("r-1")
    assert (session.tariff_id, session.cost_minor) == ("kwh:GBP:70", 70)
    view = rig.sessions.get("s-1", ME).session
    assert (view.tariff_id, view.reservation_id) == ("kwh:GBP:70", "r-1")
