"""Notices: once for each way, when their reader wants them, in their language."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, time

import pytest

from cloud.adapters.sql import tables
from cloud.domain.notices import USUAL, Channel, NoticeKind, Preferences, Quiet
from cloud.domain.reservations import Trouble
from cloud.services.collaborators import Notice
from cloud.services.notice_ports import PushSubscription, WebhookEndpoint
from cloud.services.notices import Notices, about, key_of
from cloud.services.retrying import retried
from tests.cloud.builders import BAY, NOON, STATION, a_reservation
from tests.cloud.services.rig import DRIVER

TELLING = Notices("https://bays.example/")

DATA = {
    "reservation_id": "r-1",
    "station_id": STATION,
    "bay_id": BAY,
    "starts_at": "2026-03-01T12:00:00+00:00",
    "ends_at": "2026-03-01T13:30:00+00:00",
    "amount_minor": 1_250,
    "currency": "GBP",
}


def a_notice(kind=NoticeKind.BOOKED, **more) -> Notice:
    known = {"user_id": DRIVER, "kind": kind, "cause": f"{kind}/r-1", "data": DATA}
    return Notice(**(known | more))


def tell(rig, *notices, now=NOON, telling=TELLING) -> None:
    with rig.open_work() as work:
        for one in notices:
            telling.tell(work, one, now)
        work.commit()


def prefer(rig, **more) -> None:
    with rig.open_work() as work:
        work.notices.put_preferences(DRIVER, Preferences(**more), NOON)
        work.commit()


def add_ways(rig) -> None:
    """A phone, two browsers and two programs, of which one hears of receipts only."""
    prefer(rig, phone="+441382434000")
    with rig.open_work() as work:
        for n in (1, 2):
            work.push_subscriptions.put(
                PushSubscription(
                    id=f"push-{n}",
                    user_id=DRIVER,
                    endpoint=f"https://push.example/{n}",
                    p256dh="p",
                    auth="a",
                    created_at=NOON,
                )
            )
        for n, kinds in ((1, ()), (2, (NoticeKind.RECEIPT,))):
            work.webhook_endpoints.add(
                WebhookEndpoint(
                    id=f"hook-{n}",
                    user_id=DRIVER,
                    url=f"https://hook.example/{n}",
                    secrets=("whsec_a",),
                    kinds=kinds,
                    created_at=NOON,
                )
            )
        work.commit()


def told(rig) -> list[tuple[str, str]]:
    return sorted((row.channel, row.recipient) for row in rig.rows(tables.messages))


def test_a_notice_goes_each_way_it_is_wanted_on(rig):
    add_ways(rig)
    tell(rig, a_notice(NoticeKind.REMINDER))

    assert told(rig) == [
        ("app", DRIVER),
        ("mail", f"{DRIVER}@bays.example"),
        ("push", "push-1"),
        ("push", "push-2"),
        ("sms", "+441382434000"),
        ("webhook", "hook-1"),
    ]


def test_the_same_cause_told_a_hundred_times_is_told_once_on_each_channel(rig):
    add_ways(rig)
    for _ in range(10):
        tell(rig, *[a_notice()] * 10)

    assert [channel for channel, _ in told(rig)] == ["app", "mail", "push", "push", "webhook"]


def test_the_same_cause_told_by_many_at_the_same_time_is_told_once_on_each_channel(rig):
    add_ways(rig)
    together = threading.Barrier(8, timeout=60)

    @retried
    def tell_it():
        with rig.open_work() as work:
            rig.telling.tell(work, a_notice(), NOON)
            work.commit()

    def run():
        together.wait()
        tell_it()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: run(), range(8)))

    assert [channel for channel, _ in told(rig)] == ["app", "mail", "push", "push", "webhook"]


def test_another_cause_is_told_again(rig):
    tell(rig, a_notice(), a_notice(cause="booked/r-2"))

    assert [channel for channel, _ in told(rig)] == ["app", "app", "mail", "mail"]


def test_who_is_not_there_any_more_is_told_nothing(rig):
    rig.execute(f"UPDATE users SET is_active = 0 WHERE id = '{DRIVER}'")
    tell(rig, a_notice(), a_notice(user_id="nobody"))

    assert told(rig) == []


def test_what_lies_in_the_inbox_is_carried_by_nobody(rig):
    tell(rig, a_notice())
    rows = {row.channel: row for row in rig.rows(tables.messages)}

    assert rows["app"].next_attempt_at is None
    assert rows["mail"].next_attempt_at == NOON


def test_quiet_hours_hold_back_what_can_wait(rig):
    quiet = Quiet(starts=time(22), ends=time(7))
    prefer(rig, phone="+441382434000", timezone="Europe/London", quiet=quiet)
    night = datetime(2026, 3, 1, 23, 30, tzinfo=UTC)
    tell(rig, a_notice(NoticeKind.CANCELED), a_notice(NoticeKind.MOVED), now=night)
    due = {(row.kind, row.channel): row.next_attempt_at for row in rig.rows(tables.messages)}

    assert due == {
        ("canceled", "app"): None,
        ("canceled", "mail"): datetime(2026, 3, 2, 7, 0, tzinfo=UTC),
        ("moved", "app"): None,
        ("moved", "mail"): night,
        ("moved", "sms"): night,
    }


def test_what_was_opted_out_of_is_left_out(rig):
    prefer(rig, choices={NoticeKind.BOOKED: {Channel.MAIL: False}})
    tell(rig, a_notice())

    assert told(rig) == [("app", DRIVER)]


def test_where_no_short_messages_can_be_sent_none_are_written(rig):
    add_ways(rig)
    tell(rig, a_notice(NoticeKind.MOVED), telling=Notices("https://bays.example", has_sms=False))

    assert "sms" not in {channel for channel, _ in told(rig)}


def test_names_are_looked_up_where_a_notice_does_not_bring_them(rig):
    tell(rig, a_notice(NoticeKind.MOVED, data=DATA | {"from_bay_id": f"{STATION}-2"}))
    (row,) = [one for one in rig.rows(tables.messages) if one.channel == "app"]

    assert row.subject == "New bay: 1 at Green Market, instead of 2"
    assert row.data["timezone"] == "UTC"
    assert row.data["link"] == "https://bays.example/reservations/r-1"


@pytest.mark.parametrize(
    ("more", "page"),
    [
        ({"session_id": "s-1"}, "/sessions/s-1"),
        ({"reservation_id": "r-9"}, "/reservations/r-9"),
        ({"reservation_id": "", "waitlist_id": "w-1"}, "/reservations"),
        ({"reservation_id": ""}, f"/stations/{STATION}"),
    ],
)
def test_a_notice_leads_to_the_page_that_shows_most(rig, more, page):
    tell(rig, a_notice(NoticeKind.MOVED, data=DATA | {"from_bay_id": f"{STATION}-2"} | more))
    (row,) = [one for one in rig.rows(tables.messages) if one.channel == "app"]

    assert row.data["link"] == f"https://bays.example{page}"


def test_a_reader_is_told_in_their_language_and_zone(rig):
    prefer(rig, language="de", timezone="Europe/Berlin")
    tell(rig, a_notice())
    (row,) = [one for one in rig.rows(tables.messages) if one.channel == "mail"]

    assert row.subject == (
        "Gebucht: Platz 1, Green Market, So. 1. M\N{LATIN SMALL LETTER A WITH DIAERESIS}rz 2026, "
        "13:00\N{EN DASH}14:30 CET"
    )


@pytest.mark.parametrize("kind", list(NoticeKind))
def test_a_notice_that_lacks_facts_never_fails_its_cause(rig, kind):
    tell(rig, a_notice(kind, data={}), a_notice(kind, cause="b", data={"starts_at": "soon"}))

    assert {row.kind for row in rig.rows(tables.messages)} == {kind}


def test_what_notices_tell_of_a_reservation_is_what_it_is():
    plain = about(a_reservation())
    dear = about(a_reservation(terms={"overstay_per_minute_minor": 25}, trouble=Trouble.STOLEN))

    assert plain.keys().isdisjoint({"trouble", "fee_per_min_minor"})
    assert (dear["trouble"], dear["fee_per_min_minor"]) == ("stolen", 25)
    assert datetime.fromisoformat(plain["starts_at"]) == a_reservation().starts_at
    assert (plain["bay_id"], plain["currency"]) == (BAY, "GBP")


def test_a_driver_who_moved_by_themselves_hears_of_no_trouble(rig):
    data = about(a_reservation()) | {"from_bay_id": f"{STATION}-2", "trouble": ""}
    tell(rig, a_notice(NoticeKind.MOVED, data=data))
    (row,) = [one for one in rig.rows(tables.messages) if one.channel == "app"]

    assert "You now have bay 1" in row.body
    assert "not available" not in row.body


def test_a_cause_too_long_for_a_key_still_has_one_of_its_own():
    long, longer = key_of("c" * 300, Channel.MAIL, "x"), key_of("c" * 301, Channel.MAIL, "x")

    assert key_of("c", Channel.MAIL, "x") == "notice/c/mail"
    assert key_of("c", Channel.PUSH, "x") == "notice/c/push/x"
    assert long != longer
    assert max(len(long), len(longer)) <= 200


def test_every_kind_has_its_usual_channels():
    assert set(USUAL) == set(NoticeKind)
