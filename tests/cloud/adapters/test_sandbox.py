"""The sandbox bank: real books, one effect a key, and just the faults it is told to have."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from cloud.adapters.payments.sandbox import (
    SIGNATURE,
    Faults,
    SandboxGateway,
    SandboxPost,
    check_signature,
)
from cloud.adapters.payments.sandbox_bank import (
    CAPTURED,
    CARDS,
    HELD,
    VOIDED,
    KeyMisused,
    SandboxBank,
)
from cloud.domain.errors import PaymentDeclined
from cloud.domain.payments import StepKind
from cloud.services.money_ports import GatewayAway
from tests.cloud.api.fakes import StillClock
from tests.cloud.builders import NOON, a_step
from tests.support.receiver import Receiver


@pytest.fixture
def path(tmp_path):
    return tmp_path / "bank.db"


@pytest.fixture
def bank(path):
    return SandboxBank(path, is_hasty=True)


def a_gateway(bank, pauses=None, **faults):
    pause = (lambda _: None) if pauses is None else pauses.append
    return SandboxGateway(bank, Faults(**faults), pause=pause)


def test_its_books_tell_of_all_that_was_done_and_outlive_it(path, bank):
    gateway = a_gateway(bank)
    kept = gateway.authorise("k-1", 1_500, "GBP", "card_ok").gateway_ref
    gateway.capture("k-2", kept, 1_000, "GBP")
    gateway.refund("k-3", kept, 400, "GBP")
    other = gateway.authorise("k-4", 900, "GBP", "card_ok").gateway_ref
    gateway.charge("k-5", 70, "GBP", "card_ok")
    third = gateway.authorise("k-6", 10, "GBP", "card_ok").gateway_ref
    gateway.void("k-7", third)

    books = SandboxBank(path).holdings()
    assert [(one.captured_minor, one.refunded_minor, one.state) for one in books] == [
        *((1_000, 400, CAPTURED), (0, 0, HELD), (70, 0, CAPTURED), (0, 0, VOIDED)),
    ]
    assert [one.held_minor for one in books] == [0, 900, 0, 0]
    assert bank.holding(other).key == "k-4"


@pytest.mark.parametrize("threads", [1, 8])
def test_of_the_same_key_there_is_one_effect_and_one_answer(bank, threads):
    gateway = a_gateway(bank)
    with ThreadPoolExecutor(threads) as pool:
        answers = set(pool.map(lambda _: gateway.charge("k-1", 100, "GBP", "card_ok"), range(16)))

    assert len(answers) == 1
    assert len(bank.holdings()) == 1


def test_a_key_that_is_used_for_something_else_is_an_error(bank):
    gateway = a_gateway(bank)
    gateway.charge("k-1", 100, "GBP", "card_ok")

    with pytest.raises(KeyMisused):
        gateway.charge("k-1", 101, "GBP", "card_ok")


def test_nothing_is_taken_or_given_back_that_is_not_there(bank):
    gateway = a_gateway(bank)
    kept = gateway.authorise("k-1", 1_000, "GBP", "card_ok").gateway_ref
    refused = [
        gateway.capture("k-2", kept, 1_001, "GBP"),
        gateway.refund("k-3", kept, 1, "GBP"),
        gateway.capture("k-4", "sb_nothing", 1, "GBP"),
        gateway.authorise("k-5", 1, "GBP", "card_nobody_made"),
    ]
    gateway.capture("k-6", kept, 700, "GBP")
    refused += [
        gateway.capture("k-7", kept, 700, "GBP"),
        gateway.refund("k-8", kept, 701, "GBP"),
        gateway.void("k-9", kept),
    ]

    assert not any(one.is_success for one in refused)
    assert all(one.why for one in refused)


def test_each_test_card_does_as_it_is_called(bank):
    gateway = a_gateway(bank)

    assert gateway.keep_card("k", "u-1", "card_ok").label == "Sandbox **** 4242"
    with pytest.raises(PaymentDeclined, match="card_declined"):
        gateway.keep_card("k", "u-1", "4242424242424242")
    for name in ("card_declined", "card_insufficient_funds"):
        assert gateway.charge(name, 1, "GBP", name).why == CARDS[name].why
    with pytest.raises(GatewayAway):
        gateway.charge("silent", 5, "GBP", "card_always_times_out")
    silent = bank.holdings()[-1]
    with pytest.raises(GatewayAway):
        gateway.refund("silent too", silent.ref, 5, "GBP")
    with pytest.raises(GatewayAway):
        gateway.find(a_step(id="silent", kind=StepKind.CHARGE), "", "card_always_times_out")
    assert (silent.captured_minor, bank.holding(silent.ref).refunded_minor) == (5, 5)


# --- faults ---------------------------------------------------------------------------------------


def test_faults_are_read_from_a_setting():
    assert Faults.read("late=0.1, twice=1,") == Faults(late=0.1, twice=1)
    assert Faults.read("") == Faults()
    for wrong in ("late", "late=2", "late=-1", "sometimes=0.5", "late=x"):
        with pytest.raises(ValueError, match=r"fault|float"):
            Faults.read(wrong)


def test_late_takes_its_time_and_after_charging_loses_the_answer(bank):
    pauses = []
    a_gateway(bank, pauses, late=1).charge("k-1", 1, "GBP", "card_ok")
    lossy = a_gateway(bank, after_charging=1)
    with pytest.raises(GatewayAway):
        lossy.charge("k-2", 2, "GBP", "card_ok")
    found = lossy.find(a_step(id="k-2"), "", "card_ok")

    assert pauses
    assert found.is_success
    assert [one.captured_minor for one in bank.holdings()] == [1, 2]


def test_away_does_nothing_and_tells_nothing(bank):
    gateway = a_gateway(bank, away=1)
    for act in (
        lambda: gateway.charge("k-1", 1, "GBP", "card_ok"),
        lambda: gateway.find(a_step(), "", "card_ok"),
    ):
        with pytest.raises(GatewayAway):
            act()
    assert bank.holdings() == []


def test_declined_is_decided_once_for_each_key(bank):
    unlucky = a_gateway(bank, declined=1)
    first = unlucky.charge("k-1", 1, "GBP", "card_ok")

    assert not first.is_success
    assert a_gateway(bank).charge("k-1", 1, "GBP", "card_ok") == first


def test_faults_come_about_as_often_as_they_are_asked_for(bank):
    gateway, lost = a_gateway(bank, after_charging=0.3), 0
    for number in range(300):
        try:
            gateway.charge(f"k-{number}", 1, "GBP", "card_ok")
        except GatewayAway:
            lost += 1

    assert 60 < lost < 120
    assert len(bank.holdings()) == 300


# --- webhooks -------------------------------------------------------------------------------------


def taken(bank, now_s=2**40):
    found = []
    while (webhook := bank.take_webhook(now_s)) is not None:
        bank.webhook_sent(webhook)
        found.append(json.loads(webhook.body))
    return found


def test_every_call_is_told_of_once_or_as_often_as_the_fault_says(bank):
    a_gateway(bank).charge("k-1", 1, "GBP", "card_ok")
    a_gateway(bank, twice=1).charge("k-2", 2, "GBP", "card_declined")

    events = taken(bank)
    assert [(one["key"], one["type"]) for one in events] == [
        *(("k-1", "charge.succeeded"), ("k-2", "charge.declined"), ("k-2", "charge.declined")),
    ]
    assert events[1]["id"] == events[2]["id"]


def test_out_of_order_lets_later_ones_overtake(bank):
    a_gateway(bank, out_of_order=1).charge("k-1", 1, "GBP", "card_ok")
    a_gateway(bank).charge("k-2", 1, "GBP", "card_ok")

    assert [one["key"] for one in taken(bank)] == ["k-2", "k-1"]


def test_early_waits_until_the_webhook_is_sent_but_not_for_ever(bank):
    waited = []

    def pause(_):
        waited.append(1)
        if len(waited) == 3:
            taken(bank)

    SandboxGateway(bank, Faults(early=1), pause=pause).charge("k-1", 1, "GBP", "card_ok")
    assert len(waited) == 3
    waited.clear()
    waited.extend([1] * 10)
    SandboxGateway(bank, Faults(early=1), pause=pause).charge("k-2", 1, "GBP", "card_ok")
    assert 10 < len(waited) < 100


def test_webhooks_are_posted_signed_until_they_are_taken(bank):
    clock = StillClock()
    a_gateway(bank).charge("k-1", 1, "GBP", "card_ok")
    with Receiver(statuses=[500, 204]) as receiver:
        post = SandboxPost(bank, receiver.url("/api/v1/webhooks/payments/sandbox"), clock)
        assert post.step()
        due_later = post.step()
        again = bank.take_webhook(2**40)
        bank.webhook_failed(again, -1e6)
        assert post.step()
        assert not post.step()

    assert not due_later
    first, second = receiver.received
    assert first.body == second.body
    assert first.path == "/api/v1/webhooks/payments/sandbox"
    secret = bank.webhook_secret().encode()
    check_signature(secret, first.body, first.headers[SIGNATURE], NOON + timedelta(seconds=299))


def test_a_webhook_nobody_takes_is_given_up_in_the_end(bank):
    a_gateway(bank).charge("k-1", 1, "GBP", "card_ok")
    post = SandboxPost(bank, "http://127.0.0.1:1/", StillClock())
    tries = 0
    while (webhook := bank.take_webhook(2**40)) is not None:
        bank.webhook_failed(webhook, 0)
        tries += 1

    assert tries == 10
    assert not post.step()


def test_two_who_post_do_not_take_the_same_webhook(bank):
    gateway = a_gateway(bank)
    for number in range(30):
        gateway.charge(f"k-{number}", 1, "GBP", "card_ok")
    found, lock = [], threading.Lock()

    def post():
        mine = taken(bank)
        with lock:
            found.extend(one["key"] for one in mine)

    with ThreadPoolExecutor(4) as pool:
        for one in [pool.submit(post) for _ in range(4)]:
            one.result(30)

    assert len(found) == len(set(found)) == 30


def test_processes_that_share_a_file_share_the_secret(path, bank):
    assert SandboxBank(path).webhook_secret() == bank.webhook_secret()
