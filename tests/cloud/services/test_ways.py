"""Ways to reach people and their programs: what is gone is forgotten, what fails is borne with."""

import threading
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest

from cloud.adapters.sql import tables
from cloud.domain.access import Role, Viewer
from cloud.domain.notices import NoticeKind
from cloud.services.messages import Gone, MessageService, NotSent
from cloud.services.notice_ports import PushSubscription, WebhookEndpoint
from cloud.services.push_subscriptions import PushChannel
from cloud.services.webhook_endpoints import WebhookChannel, WebhookEndpointService
from tests.cloud.builders import NOON
from tests.cloud.services.rig import DRIVER, OWNER
from tests.cloud.services.test_notices import a_notice, tell
from tests.cloud.services.test_sending import Post, a_message, queued


class Sender:
    """See PushSender and WebhookSender; fails as told, one failure after the other."""

    public_key = "BKey"

    def __init__(self):
        self.failures = []
        self.sent = []

    def push(self, subscription, push):
        self._take((subscription.id, push))

    def send(self, url, secrets_, delivery):
        self._take((url, tuple(secrets_), delivery))

    def _take(self, what):
        if self.failures:
            raise self.failures.pop(0)
        self.sent.append(what)


@pytest.fixture
def sender():
    return Sender()


def waiting(rig) -> list[str]:
    """Return the channels of what is still to be sent."""
    return [row.channel for row in rig.rows(tables.messages) if row.next_attempt_at is not None]


def errors(rig, channel) -> set[str]:
    return {row.last_error for row in rig.rows(tables.messages) if row.channel == channel}


# --- browsers --------------------------------------------------------------------------------------


@pytest.fixture
def pushing(rig, sender):
    subscription = PushSubscription(
        id="push-1",
        user_id=DRIVER,
        endpoint="https://push.example/1",
        p256dh="p",
        auth="a",
        created_at=NOON,
    )
    with rig.open_work() as work:
        work.push_subscriptions.put(subscription)
        work.commit()
    channel = PushChannel(rig.open_work, rig.clock, sender)
    return MessageService(rig.open_work, rig.clock, {"push": channel}, only="push")


def test_a_browser_is_told_at_a_glance_and_where_to_see_more(rig, sender, pushing):
    tell(rig, a_notice(NoticeKind.MOVED))
    pushing.deliver()
    ((subscription_id, push),) = sender.sent
    row = next(row for row in rig.rows(tables.messages) if row.channel == "push")

    assert (subscription_id, push.message_id, push.kind) == ("push-1", row.id, "moved")
    assert push.title == row.subject
    assert push.link == "https://bays.example/reservations/r-1"
    assert (push.is_urgent, push.ttl_s) == (True, 86_400)
    assert row.sent_at == rig.clock.now()


def test_what_passes_is_kept_for_a_browser_no_longer_than_it_is_of_use(rig, sender, pushing):
    tell(rig, a_notice(NoticeKind.REMINDER))
    pushing.deliver()

    assert (sender.sent[0][1].is_urgent, sender.sent[0][1].ttl_s) == (False, 600)


def test_a_browser_that_is_gone_is_forgotten_and_written_to_no_more(rig, sender, pushing):
    sender.failures = [Gone("410")]
    tell(rig, a_notice())
    pushing.deliver()
    tell(rig, a_notice(cause="another"))

    assert rig.row(tables.push_subscriptions, id="push-1").gone_at == rig.clock.now()
    assert [row.channel for row in rig.rows(tables.messages)].count("push") == 1
    assert "push" not in waiting(rig)


def test_a_browser_another_has_by_now_is_not_told_of_the_first(rig, sender, pushing):
    tell(rig, a_notice())
    rig.execute(f"UPDATE push_subscriptions SET user_id = '{OWNER}'")
    pushing.deliver()

    assert sender.sent == []
    assert errors(rig, "push") == {"there is no such subscription any more"}


def test_a_push_service_that_is_away_is_asked_again(rig, sender, pushing):
    sender.failures = [NotSent("503", retry_after=timedelta(minutes=7))]
    tell(rig, a_notice())
    pushing.deliver()
    (row,) = [row for row in rig.rows(tables.messages) if row.channel == "push"]
    rig.pass_by(7 * 60)

    assert row.next_attempt_at == NOON + timedelta(minutes=7)
    assert (pushing.deliver(), len(sender.sent)) == (1, 1)
    assert rig.row(tables.push_subscriptions, id="push-1").gone_at is None


# --- programs --------------------------------------------------------------------------------------


@pytest.fixture
def hooked(rig, sender):
    endpoint = WebhookEndpoint(
        id="hook-1",
        user_id=DRIVER,
        url="https://hook.example/1",
        secrets=("whsec_b", "whsec_a"),
        kinds=(),
        created_at=NOON,
    )
    with rig.open_work() as work:
        work.webhook_endpoints.add(endpoint)
        work.commit()
    channel = WebhookChannel(rig.open_work, rig.clock, sender, rig.telling)
    return MessageService(rig.open_work, rig.clock, {"webhook": channel}, only="webhook")


def hook(rig):
    return rig.row(tables.webhook_endpoints, id="hook-1")


def fail_for(rig, hooked, sender, duration: timedelta) -> None:
    """Let time pass with an endpoint that fails; something happens every six hours."""
    until = rig.clock.now() + duration
    while rig.clock.now() < until:
        sender.failures = [NotSent("500")] * 10
        tell(rig, a_notice(cause=f"at {rig.clock.now()}"), now=rig.clock.now())
        hooked.deliver()
        rig.pass_by(6 * 3600)


def test_a_program_is_told_all_there_is_to_tell_signed_by_each_secret(rig, sender, hooked):
    tell(rig, a_notice())
    hooked.deliver()
    ((url, secrets, delivery),) = sender.sent

    assert (url, secrets) == ("https://hook.example/1", ("whsec_b", "whsec_a"))
    assert (delivery.kind, delivery.user_id) == ("booked", DRIVER)
    assert delivery.facts["amount_minor"] == 1_250
    assert delivery.facts["cause"] == "booked/r-1"


def test_an_endpoint_that_fails_is_borne_with_and_forgiven(rig, sender, hooked):
    fail_for(rig, hooked, sender, timedelta(days=2))
    failing = hook(rig)
    sender.failures = []
    tell(rig, a_notice(cause="at last"), now=rig.clock.now())
    hooked.deliver()
    fine = hook(rig)

    assert (failing.failing_since, failing.disabled_at) == (NOON, None)
    assert failing.last_error == "500"
    assert (fine.failing_since, fine.last_error) == (None, "")


def test_an_endpoint_that_fails_for_days_is_switched_off_and_its_user_told_once(
    rig, sender, hooked
):
    fail_for(rig, hooked, sender, timedelta(days=4))
    rows = rig.rows(tables.messages)
    told = sorted(row.channel for row in rows if row.kind == "webhook_disabled")
    sent_before = len(sender.sent)
    tell(rig, a_notice(cause="after"), now=rig.clock.now())

    assert hook(rig).disabled_at is not None
    assert hook(rig).disabled_at - NOON <= timedelta(days=3, hours=6)
    assert told == ["app", "mail"]
    assert len(sender.sent) == sent_before
    assert not any(
        row.channel == "webhook" and row.idempotency_key.startswith("notice/after")
        for row in rig.rows(tables.messages)
    )


def test_an_endpoint_that_says_it_is_gone_is_switched_off_at_once(rig, sender, hooked):
    sender.failures = [Gone("410")]
    tell(rig, a_notice())
    hooked.deliver()

    assert hook(rig).disabled_at == rig.clock.now()
    assert "webhook_disabled" in {row.kind for row in rig.rows(tables.messages)}


def test_a_test_event_that_arrives_switches_an_endpoint_on_again(rig, sender, hooked):
    rig.execute("UPDATE webhook_endpoints SET disabled_at = created_at, failing_since = created_at")
    service = WebhookEndpointService(rig.open_work, rig.clock)
    viewer = Viewer(DRIVER, Role.DRIVER)
    sender.failures = [NotSent("500")]
    service.test(viewer, "hook-1")
    hooked.deliver()
    still_off = hook(rig).disabled_at
    rig.pass_by(60)
    sent = service.test(viewer, "hook-1")
    hooked.deliver()

    assert still_off is not None
    assert hook(rig).disabled_at is None
    assert sent.message_id in {delivery.message_id for _, _, delivery in sender.sent}


def test_what_waits_for_an_endpoint_that_was_removed_is_not_sent(rig, sender, hooked):
    tell(rig, a_notice())
    WebhookEndpointService(rig.open_work, rig.clock).remove(Viewer(DRIVER, Role.DRIVER), "hook-1")
    hooked.deliver()

    assert sender.sent == []
    assert "webhook" not in waiting(rig)


def test_a_program_is_tried_for_days_with_growing_pauses(rig, sender, hooked):
    tell(rig, a_notice())
    waits, began = [], rig.clock.now()
    for _ in range(12):
        sender.failures = [NotSent("500")]
        # this is of patience with messages, not with endpoints
        rig.execute("UPDATE webhook_endpoints SET failing_since = NULL")
        if not hooked.deliver():
            break
        waits.append(rig.clock.now() - began)
        due = [row for row in rig.rows(tables.messages) if row.channel == "webhook"]
        if due[0].next_attempt_at is None:
            break
        rig.clock.pass_by(due[0].next_attempt_at - rig.clock.now())

    pauses = [later - sooner for sooner, later in pairwise(waits)]
    assert pauses == sorted(pauses)
    assert timedelta(days=3) <= waits[-1] <= timedelta(days=4)
    assert len(waits) == 10


# --- the courier -----------------------------------------------------------------------------------


def test_a_reminder_that_comes_too_late_is_not_sent_at_all(rig):
    tell(rig, a_notice(NoticeKind.REMINDER), a_notice(NoticeKind.MOVED))
    rig.pass_by(11 * 60)
    post = Post()
    MessageService(rig.open_work, rig.clock, {"mail": post}).deliver()

    assert len(post.sent) == 1
    assert errors(rig, "mail") == {"", "too late to be of use"}


def test_a_program_is_told_even_late(rig, sender, hooked):
    tell(rig, a_notice(NoticeKind.REMINDER))
    rig.pass_by(3600)
    hooked.deliver()

    assert len(sender.sent) == 1


def test_each_courier_keeps_to_its_channels(rig):
    queued(
        rig,
        a_message(),
        a_message(id="m-2", idempotency_key="k-2", channel="webhook", recipient="hook"),
    )
    people, programs = Post(), Post()
    first = MessageService(rig.open_work, rig.clock, {"mail": people}, but="webhook")
    second = MessageService(rig.open_work, rig.clock, {"webhook": programs}, only="webhook")

    assert (first.deliver(), first.deliver()) == (1, 0)
    assert (second.deliver(), second.deliver()) == (1, 0)
    assert (people.sent, programs.sent) == (["a@bays.example"], ["hook"])


def test_a_message_couriers_die_of_is_given_up(rig):
    queued(rig, a_message())
    rig.execute("UPDATE messages SET attempts = 7")
    post = Post()
    courier = MessageService(rig.open_work, rig.clock, {"mail": post})
    courier.deliver()

    assert post.sent == []
    assert waiting(rig) == []
    assert "again and again" in courier.mailbox()[0].last_error


def test_messages_of_a_batch_are_sent_side_by_side(rig):
    """Each waits for the other: one after the other they would wait for ever."""
    both = threading.Barrier(2, timeout=60)

    class Meeting:
        def send(self, _message):
            both.wait()
            return ""

    queued(rig, a_message(), a_message(id="m-2", idempotency_key="k-2"))

    assert MessageService(rig.open_work, rig.clock, {"mail": Meeting()}).deliver() == 2
    assert waiting(rig) == []


def test_a_courier_that_dies_between_sending_and_noting_it_sends_the_same_again(rig):
    class Dying(Post):
        def send(self, message):
            ids.append((message.id, message.idempotency_key))
            if len(ids) == 1:
                raise SystemExit("killed")
            return ""

    ids = []
    queued(rig, a_message())
    courier = MessageService(rig.open_work, rig.clock, {"mail": Dying()})
    with pytest.raises(SystemExit):
        courier.deliver()
    rig.pass_by(121)
    courier.deliver()

    assert ids == [("m-1", "k-1"), ("m-1", "k-1")]
    assert courier.mailbox()[0].sent_at == rig.clock.now()


def test_a_message_due_later_is_not_sent_before(rig):
    queued(rig, replace(a_message(), next_attempt_at=NOON + timedelta(hours=1)))
    post = Post()
    courier = MessageService(rig.open_work, rig.clock, {"mail": post})
    at_once = courier.deliver()
    rig.pass_by(3600)

    assert (at_once, courier.deliver()) == (0, 1)
