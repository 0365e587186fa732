"""From the quote to the bank: what was shown is what was billed, written, booked and taken."""

import random
from dataclasses import replace
from datetime import timedelta

import pytest

from cloud.adapters.sql import tables
from cloud.domain.errors import NotFound
from cloud.domain.reservations import Happening, Status
from cloud.domain.terms import Terms, frozen
from cloud.services.advancing import Advancer
from cloud.services.billing import BillingService
from cloud.services.booking_ports import Told
from cloud.services.costs import CostService
from tests.cloud.builders import NOON, STATION, after
from tests.cloud.services.bills import ME, OWNING, STAFF, STRANGER, Bills, prices
from tests.cloud.services.money import ADMIN, NobodyWaits, a_money
from tests.cloud.services.rig import DRIVER, begun, metered, over, state

TERMS = Terms(overstay_per_minute_minor=25, no_show_fee_minor=300, grace_s=900)


class House:
    """Bills with a till that is real."""

    def __init__(self, rig, folder) -> None:
        self.rig, self.money, self.bills = rig, a_money(rig, folder), Bills(rig)
        self.key = self.bills.set_tariff("0.50")
        money = self.money
        billing = BillingService(money.till, money.telling, self.bills.shelf)
        money.advancer = Advancer(settling=billing, waiting=NobodyWaits(), telling=money.telling)

    def book(self):
        """Hold and pay; returns the reservation."""
        held = self.bills.hold(
            TERMS, held_until=self.rig.clock.now() + timedelta(minutes=10), is_confirmed=True
        )
        self.money.pay(held)
        return self.bills.stored(held.id)

    def advance(self, reservation, happening, **more):
        with self.rig.open_work() as work:
            now = self.rig.clock.now()
            known = work.reservations.by_ids([reservation.id])[reservation.id]
            self.money.advancer.advance(
                work, replace(known, **more), happening, Told(happening), now
            )
            work.commit()
        return self.bills.stored(reservation.id)

    def taken_minor(self, reservation) -> int:
        """Return what the bank has taken for a reservation and not given back."""
        self.money.until_quiet()
        self.money.check()
        return sum(
            one.captured_minor - one.refunded_minor
            for one in self.money.payments_of(reservation.id)
        )


@pytest.fixture
def house(rig, tmp_path) -> House:
    return House(rig, tmp_path)


def charge(house, booked, *, wh: int) -> None:
    """Have the car charge from the start of the slot on, and stay plugged in to its end."""
    rig, starts_at = house.rig, booked.starts_at
    rig.clock.pass_by(starts_at - rig.clock.now())
    rig.agent.tell(begun(starts_at), state("charging", starts_at))
    for share in (1, 2, 3, 4):
        rig.clock.pass_by(timedelta(minutes=2))
        rig.agent.tell(metered(1_000 + wh * share // 4, rig.clock.now()))
    rig.agent.tell(state("suspended_by_car", rig.clock.now()))
    rig.clock.pass_by(booked.ends_at - rig.clock.now())
    with rig.open_work() as work:
        session = work.sessions.by_ids(["s-1"])["s-1"]
        promised = replace(session, reservation_id=booked.id, tariff_id=booked.tariff_id)
        work.sessions.put([promised])
        work.commit()
    rig.ingest = rig.new_ingest()
    rig.agent.tell(over(1_000 + wh, booked.ends_at))


def test_r11_what_was_quoted_is_billed_written_booked_and_taken_to_the_cent(house):
    booked = house.book()
    house.bills.tariffs.change(OWNING, house.key, "Dear", prices("9.00"))

    charge(house, booked, wh=20_000)
    plugged = house.advance(booked, Happening.PLUGGED_IN, session_id="s-1")
    assert plugged.status is Status.CHARGING
    house.advance(booked, Happening.SESSION_ENDED)
    done = house.advance(booked, Happening.CAR_LEFT, left_at=booked.ends_at)

    assert booked.status is Status.BOOKED
    quoted = booked.quote["total_minor"]
    receipt = house.bills.receipt()
    assert (done.status, done.due_minor, receipt.total_minor) == (Status.FULFILLED, quoted, quoted)
    assert house.taken_minor(booked) == quoted == 200 + 1000 + 520
    balances = house.money.balances()
    assert -balances[f"revenue/{STATION}"] == receipt.net_minor
    assert -balances["tax/GB"] == receipt.tax_minor


def test_r15_an_overstay_beyond_what_was_authorised_is_taken_too(house):
    booked = house.book()
    charge(house, booked, wh=20_000)
    house.advance(booked, Happening.PLUGGED_IN, session_id="s-1")
    since = booked.ends_at + timedelta(minutes=10)
    house.advance(booked, Happening.OVERSTAYED, overstay_since=since)

    done = house.advance(
        booked, Happening.CAR_LEFT, left_at=since + timedelta(minutes=59, seconds=1)
    )

    assert done.due_minor == booked.quote["total_minor"] + 60 * 25
    assert done.due_minor > booked.authorised_minor
    assert house.taken_minor(booked) == done.due_minor
    assert house.bills.receipt().lines[-1].kind == "OVERSTAY"


def test_a_no_show_pays_what_was_quoted_for_it_and_gets_the_rest_back(house):
    booked = house.book()
    house.rig.clock.pass_by(booked.starts_at + timedelta(minutes=16) - house.rig.clock.now())

    done = house.advance(booked, Happening.SEEN_EMPTY_AFTER_GRACE)

    assert done.due_minor == booked.quote["no_show_minor"] == 200 + 300
    assert house.taken_minor(booked) == 500


def test_what_we_could_not_keep_costs_nothing_whatever_was_charged(house):
    booked = house.book()

    done = house.advance(booked, Happening.BAY_LOST)

    assert (done.status, done.due_minor) == (Status.FAILED, 0)
    assert house.taken_minor(booked) == 0
    assert house.bills.receipts.list(STAFF).receipts == []


def test_canceled_half_an_hour_before_the_start_half_the_fee_is_kept(house):
    booked = house.book()
    house.rig.clock.pass_by(booked.starts_at - timedelta(minutes=30) - house.rig.clock.now())

    done = house.advance(booked, Happening.CANCELED_BY_DRIVER)

    assert done.due_minor == 100
    assert house.taken_minor(booked) == 100
    assert [one.kind for one in house.money.telling.told if one.kind == "receipt"] == ["receipt"]


def test_terms_changed_after_the_hold_change_nothing(house):
    booked = house.book()
    with house.rig.open_work() as work:
        work.terms.put(STATION, Terms(no_show_fee_minor=90_000), after(0))
        work.commit()

    assert booked.terms == frozen(TERMS)
    assert house.advance(booked, Happening.SEEN_EMPTY_AFTER_GRACE).due_minor == 500


def subscribe(rig, **discounts) -> None:
    plan = {"id": "plan", "name": "Plus", "currency": "GBP", "monthly_minor": 500}
    rig.insert(tables.subscription_plans, plan | {"discounts": discounts, "created_at": NOON})
    user = {"id": "sub", "active_user_id": DRIVER, "user_id": DRIVER, "plan_id": "plan"}
    state_ = {"method": "card", "state": "active", "started_at": NOON, "paid_until": after(86_400)}
    rig.insert(tables.subscriptions, user | state_)


@pytest.mark.parametrize("seed", range(4))
def test_what_a_charge_costs_in_the_end_is_what_is_billed(house, seed):
    luck = random.Random(seed)
    body = prices(f"0.{luck.randrange(20, 90)}")
    # dear at first: what was charged when has to be known
    dear = {"type": "ENERGY", "price": "1.10", "vat": "20"}
    first = {"price_components": [dear], "restrictions": {"max_duration": luck.choice([180, 300])}}
    body["elements"].insert(1, first)
    house.bills.tariffs.change(OWNING, house.key, "Plain", body)
    subscribe(house.rig, ENERGY=luck.choice([20, 33]), PARKING_TIME=luck.choice([0, 50]))
    booked = house.book()

    charge(house, booked, wh=luck.randrange(1_000, 20_000))
    live_minor = house.rig.row(tables.sessions, id="s-1").cost_minor
    house.advance(booked, Happening.PLUGGED_IN, session_id="s-1")
    house.advance(booked, Happening.SESSION_ENDED)
    done = house.advance(booked, Happening.CAR_LEFT, left_at=booked.ends_at)

    assert booked.quote["discounts"]["ENERGY"] >= 20
    assert live_minor == done.due_minor


def test_a_display_says_what_will_be_billed(house):
    rig = house.rig
    subscribe(rig, ENERGY=25)
    booked = house.book()
    charge(house, booked, wh=20_000)
    costs = CostService(rig.open_work, rig.clock, house.bills.shelf)
    ended_at = booked.ends_at.isoformat()
    asked = {"session_id": "s-1", "meter_stop_wh": 21_000, "ended_at": ended_at}

    assert costs.answer(STATION, asked) == {"total": "14.70"}
    assert booked.quote["total_minor"] == 200 + 750 + 520


# --- taken back -------------------------------------------------------------------------------------


def paid(house):
    booked = house.book()
    charge(house, booked, wh=20_000)
    house.advance(booked, Happening.PLUGGED_IN, session_id="s-1")
    house.advance(booked, Happening.SESSION_ENDED)
    return house.advance(booked, Happening.CAR_LEFT, left_at=booked.ends_at)


def test_what_is_waived_is_a_credit_note_and_receipt_and_notes_are_what_is_kept(house):
    done = paid(house)
    for amount in (300, 1, 919):
        house.money.payments.refund(ADMIN, done.id, amount, "The charger was slow.")
        kept = house.taken_minor(done)
        papers = house.bills.receipts.list(ME).receipts
        views = [house.bills.receipts.get(ME, one.receipt_id) for one in papers]
        balances = house.money.balances()

        assert sum(one.total_minor for one in views) == kept
        assert sum(one.net_minor for one in views) == -balances[f"revenue/{STATION}"]
        assert sum(one.tax_minor for one in views) == -balances["tax/GB"]
        assert all(sum(line.total_minor for line in one.lines) == one.total_minor for one in views)

    newest, *_, receipt = views
    assert [one.number for one in views[:-1]] == [f"{STATION}-C00000{n}" for n in (3, 2, 1)]
    assert {one.kind for one in newest.lines} == {"RESERVATION", "ENERGY", "PARKING_TIME"}
    assert newest.corrects.number == receipt.number
    assert [one.number for one in receipt.credit_notes] == [one.number for one in views[-2::-1]]
    assert (receipt.kept_minor, receipt.total_minor) == (kept, 1_720)
    assert (newest.reason, newest.energy_wh) == ("The charger was slow.", 0)
    csv = house.money.ledger.history_csv(ME)
    assert f"{STATION}-C000003" in csv


def test_all_of_a_receipt_may_be_taken_back(house):
    done = paid(house)
    house.money.payments.refund(ADMIN, done.id, 1_720, "We are sorry.")
    note, receipt = house.bills.receipts.list(ME).receipts

    assert (note.total_minor, note.corrects_id) == (-1_720, receipt.receipt_id)
    assert house.bills.receipts.get(ME, receipt.receipt_id).kept_minor == 0
    with pytest.raises(NotFound):
        house.bills.receipts.get(STRANGER, note.receipt_id)


def test_what_is_too_little_for_a_card_is_taken_back_at_once(house):
    house.money.least_minor = 130
    booked = house.book()
    charge(house, booked, wh=20_000)
    house.advance(booked, Happening.PLUGGED_IN, session_id="s-1")
    since = booked.ends_at + timedelta(minutes=10)
    house.advance(booked, Happening.OVERSTAYED, overstay_since=since)
    authorised_minor = booked.authorised_minor
    left_at = since + timedelta(minutes=(authorised_minor - 1_720) // 25 + 4)

    done = house.advance(booked, Happening.CAR_LEFT, left_at=left_at)
    papers = house.bills.receipts.list(ME).receipts

    assert done.due_minor == authorised_minor == house.taken_minor(booked)
    assert sum(one.total_minor for one in papers) == authorised_minor
    assert len(papers) == 2
    assert house.money.balances().get(f"driver/{DRIVER}", 0) == 0
    house.money.check()


def test_what_is_too_little_in_all_is_not_asked_for(house):
    house.money.least_minor = 130
    booked = house.book()
    house.rig.clock.pass_by(booked.starts_at - timedelta(minutes=30) - house.rig.clock.now())
    done = house.advance(booked, Happening.CANCELED_BY_DRIVER)

    assert done.due_minor == house.taken_minor(booked) == 0
    papers = house.bills.receipts.list(ME).receipts
    assert sorted(one.total_minor for one in papers) == [-100, 100]
    assert house.money.balances() == {}
