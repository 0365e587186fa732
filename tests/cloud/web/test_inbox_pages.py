"""The inbox, its bell, and how people want to be told."""

from datetime import time

import pytest

from cloud.domain.notices import Channel, NoticeKind, Quiet
from cloud.web import words
from cloud.web.inbox import link_of
from tests.cloud.web.booking_fakes import a_notice
from tests.cloud.web.reading import Page


def bell(client) -> str:
    return Page(client.get("/").text).having("id", "bell")[0][1]


def test_the_bell_counts_what_was_not_read(signed_in, parts):
    client = signed_in("driver")

    assert bell(client) == "1Inbox, 1 new notice"
    client.post("/inbox/n1/read")
    assert bell(client) == "Inbox"


def test_there_is_no_bell_for_nobody(client):
    assert 'id="bell"' not in client.get("/").text


def test_all_is_read_at_once(signed_in, parts):
    parts.notices.told += [a_notice(parts.clock.now(), f"n{number}") for number in range(3, 6)]
    client = signed_in("driver")
    client.post("/inbox/read")

    assert all(one.read_at for one in parts.notices.told)
    assert "Mark all as read" not in client.get("/inbox").text


def test_a_notice_of_somebody_else_cannot_be_read(signed_in):
    assert signed_in("driver").post("/inbox/other/read").status_code == 404


@pytest.mark.parametrize(
    ("data", "link"),
    [
        ({"reservation_id": "r", "station_id": "s"}, "/reservations/r"),
        ({"receipt_id": "q", "reservation_id": "r"}, "/receipts"),
        ({"session_id": "s"}, "/sessions/s"),
        ({"offer_id": "o", "station_id": "s"}, "/reservations"),
        ({"station_id": "s"}, "/stations/s"),
        ({}, ""),
    ],
)
def test_a_notice_leads_to_what_it_is_about(parts, data, link):
    assert link_of(a_notice(parts.clock.now(), data=data)) == link


def test_every_kind_of_notice_and_every_choice_of_channel_has_words():
    assert set(words.NOTICE) == set(NoticeKind)
    assert set(words.CHANNEL) == {Channel.PUSH, Channel.MAIL, Channel.SMS}


def boxes(text: str) -> dict[str, bool]:
    return {one["value"]: "checked" in one for one, _ in Page(text).having("name", "chosen")}


def test_d9_each_kind_is_chosen_by_channel(signed_in, parts):
    client = signed_in("driver")
    before = boxes(client.get("/inbox/settings").text)
    ticked = [name for name, is_on in before.items() if is_on and name != "reminder.mail"]
    answer = client.post(
        "/inbox/settings", data={"language": "de", "chosen": [*ticked, "receipt.push"]}
    )
    after = boxes(client.get("/inbox/settings").text)

    assert answer.headers["location"] == "/inbox/settings?saved=1"
    assert len(before) == 3 * len(NoticeKind)
    assert (before["reminder.mail"], after["reminder.mail"]) == (True, False)
    assert (before["receipt.push"], after["receipt.push"]) == (False, True)
    assert after["moved.sms"]
    assert parts.notices.chosen.language == "de"


def test_d9_quiet_hours_and_telephone_are_kept(signed_in, parts):
    form = {
        "language": "en",
        "timezone": "Europe/London",
        "phone": "+44 1382 434000",
        "quiet_starts": "22:00",
        "quiet_ends": "07:00",
    }
    client = signed_in("driver")
    client.post("/inbox/settings", data=form)
    page = Page(client.get("/inbox/settings").text)

    assert parts.notices.chosen.quiet == Quiet(starts=time(22), ends=time(7))
    assert parts.notices.chosen.phone == "+441382434000"
    assert page.having("name", "quiet_starts")[0][0]["value"] == "22:00"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"phone": "12"}, "its country's code"),
        ({"quiet_starts": "22:00", "quiet_ends": "07:00"}, "Quiet hours need a time zone."),
        ({"quiet_starts": "22:00", "timezone": "Europe/London"}, "both ends of the quiet hours"),
        ({"timezone": "Moon/Base"}, "time zone"),
        ({"language": "xx"}, "not right"),
    ],
)
def test_what_is_wrong_is_said_and_what_was_typed_stays(signed_in, changes, said):
    form = {"language": "en", "chosen": ["receipt.sms"]} | changes
    answer = signed_in("driver").post("/inbox/settings", data=form)

    assert answer.status_code == 422
    assert said in answer.text
    assert boxes(answer.text)["receipt.sms"]


def test_d13_a_calendars_address_is_shown_once_and_can_be_closed(signed_in, parts):
    client = signed_in("driver")
    made = client.post("/inbox/calendars").text
    later = client.get("/inbox/settings").text
    client.post("/inbox/calendars/f1/revoke")

    assert "calendars/secret.ics" in made
    assert "calendars/secret.ics" not in later
    assert "/inbox/calendars/f1/revoke" in later
    assert parts.calendar_feeds.feeds == []
