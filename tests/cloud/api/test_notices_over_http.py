"""Inbox, preferences, browsers and webhooks, as their users reach them."""

import base64
from datetime import timedelta

import pytest

from cloud.adapters.sql import tables
from cloud.domain.notices import NoticeKind
from cloud.services.collaborators import Notice
from cloud.services.push_subscriptions import MOST_BROWSERS
from cloud.services.webhook_endpoints import MOST_ENDPOINTS
from tests.cloud.api.house import HOST, V1, House, a_house
from tests.cloud.api.test_who_may_do_what import BROWSER

INBOX = f"{V1}/me/notices"
PREFERENCES = f"{INBOX}/preferences"
BROWSERS = f"{V1}/me/push-subscriptions"
WEBHOOKS = f"{V1}/me/webhooks"
SLOT = {
    "station_name": "Green Market",
    "bay_name": "3",
    "starts_at": "2026-03-01T12:00:00+00:00",
    "ends_at": "2026-03-01T13:30:00+00:00",
}


def tell(house: House, n: int, kind=NoticeKind.REMINDER, user="driver") -> None:
    notice = Notice(
        user_id=house.users[user].user_id, kind=kind, cause=f"{kind}/{user}/{n}", data=SLOT
    )
    with house.open_work() as work:
        house.services.notices.telling.tell(work, notice, house.clock.now())
        work.commit()
    house.clock.pass_by(timedelta(seconds=1))


# --- inbox -----------------------------------------------------------------------------------------


def test_the_inbox_lists_what_was_told_newest_first_page_by_page(house):
    for n in range(5):
        tell(house, n)
    client = house.client("driver")
    first = client.get(f"{INBOX}?limit=3").json()
    second = client.get(f"{INBOX}?limit=3&cursor={first['next_cursor']}").json()
    causes = [one["data"]["cause"] for one in first["notices"] + second["notices"]]

    assert causes == [f"reminder/driver/{n}" for n in (4, 3, 2, 1, 0)]
    assert second["next_cursor"] is None
    assert first["unread"] == 5
    assert first["notices"][0]["kind"] == "reminder"
    assert first["notices"][0]["subject"].startswith("Soon: bay 3 at Green Market")
    assert first["notices"][0]["read_at"] is None


def test_what_was_read_counts_no_more(house):
    for n in range(3):
        tell(house, n)
    client = house.client("driver")
    notice_id = client.get(INBOX).json()["notices"][1]["notice_id"]
    first = client.post(f"{INBOX}/{notice_id}/read").json()
    again = client.post(f"{INBOX}/{notice_id}/read").json()
    unread = [one["notice_id"] for one in client.get(f"{INBOX}?unread=true").json()["notices"]]
    read = [one["notice_id"] for one in client.get(f"{INBOX}?unread=false").json()["notices"]]

    assert (first, again) == ({"unread": 2}, {"unread": 2})
    assert client.get(f"{INBOX}/unread").json() == {"unread": 2}
    assert (notice_id in unread, read) == (False, [notice_id])
    assert client.post(f"{INBOX}/read").json() == {"unread": 0}


def test_nobody_reads_what_another_was_told(house):
    tell(house, 1)
    notice_id = house.client("driver").get(INBOX).json()["notices"][0]["notice_id"]
    stranger = house.client("stranger")

    assert stranger.get(INBOX).json()["notices"] == []
    assert stranger.post(f"{INBOX}/{notice_id}/read").status_code == 404
    assert stranger.post(f"{INBOX}/read").json() == {"unread": 0}
    assert house.client("driver").get(f"{INBOX}/unread").json() == {"unread": 1}


def test_a_mail_is_not_in_the_inbox_and_cannot_be_read_there(house):
    tell(house, 1)
    with house.engine.connect() as connection:
        rows = connection.execute(tables.messages.select()).all()
    (mail,) = [row for row in rows if row.channel == "mail"]
    client = house.client("driver")

    assert len(client.get(INBOX).json()["notices"]) == 1
    assert client.post(f"{INBOX}/{mail.id}/read").status_code == 404


@pytest.mark.parametrize("cursor", ["x", "bm9uZQ", "WzEsMl0"])
def test_a_cursor_that_is_none_is_refused(house, cursor):
    answer = house.client("driver").get(f"{INBOX}?cursor={cursor}")

    assert (answer.status_code, answer.json()["code"]) == (422, "not_valid")


# --- preferences -----------------------------------------------------------------------------------


WANTED = {
    "language": "de",
    "timezone": "Europe/Berlin",
    "phone": "+44 (0) 1382 434 000",
    "quiet": {"starts": "22:00", "ends": "07:00"},
    "choices": {"reminder": {"sms": False}, "booked": {"sms": True}},
}


def test_preferences_are_as_usual_until_they_are_set(house):
    known = house.client("driver").get(PREFERENCES).json()
    kinds = {one["kind"]: one for one in known["kinds"]}

    assert set(kinds) == set(NoticeKind)
    assert (known["language"], known["timezone"], known["phone"]) == ("en", "", "")
    assert known["quiet"] is None
    assert kinds["moved"] == {
        "kind": "moved",
        "is_urgent": True,
        "channels": {"mail": True, "push": True, "sms": True},
    }
    assert known["channels"] == {
        "app": True,
        "push": False,
        "mail": True,
        "sms": False,
        "webhook": False,
    }


def test_preferences_are_kept_and_a_number_as_it_is_dialled(house):
    client = house.client("driver")
    answer = client.put(PREFERENCES, json=WANTED)
    kept = client.get(PREFERENCES).json()
    kinds = {one["kind"]: one["channels"] for one in kept["kinds"]}

    assert answer.status_code == 200
    assert answer.json() == kept
    assert kept["phone"] == "+441382434000"
    assert kept["quiet"] == {"starts": "22:00:00", "ends": "07:00:00"}
    assert (kinds["reminder"]["sms"], kinds["booked"]["sms"]) == (False, True)
    assert kept["channels"]["sms"] is True


def test_putting_less_takes_the_rest_back(house):
    client = house.client("driver")
    client.put(PREFERENCES, json=WANTED)
    kept = client.put(PREFERENCES, json={}).json()

    assert kept == house.client("stranger").get(PREFERENCES).json()


@pytest.mark.parametrize(
    "wrong",
    [
        {"language": "xx"},
        {"timezone": "Middle/Earth"},
        {"timezone": "../../etc/passwd"},
        {"phone": "01382 434000"},
        {"phone": "+44 1"},
        {"phone": "+441382434000;ext=1\r\nX: y"},
        {"phone": "tel"},
        {"quiet": {"starts": "22:00"}},
        {"quiet": {"starts": "22:00:01", "ends": "07:00"}, "timezone": "Europe/Berlin"},
        {"quiet": {"starts": "22:00Z", "ends": "07:00"}, "timezone": "Europe/Berlin"},
        {"quiet": {"starts": "22:00", "ends": "07:00"}},
        {"choices": {"everything": {"sms": False}}},
        {"choices": {"reminder": {"pigeon": False}}},
        {"choices": {"reminder": {"sms": "no, thanks"}}},
        {"role": "admin"},
    ],
)
def test_what_cannot_be_a_preference_is_refused_and_nothing_kept(house, wrong):
    client = house.client("driver")
    before = client.get(PREFERENCES).json()

    assert client.put(PREFERENCES, json=wrong).status_code == 422
    assert client.get(PREFERENCES).json() == before


# --- browsers --------------------------------------------------------------------------------------


def test_a_browser_subscribes_once_however_often_it_says_so(house):
    client = house.client("driver")
    added = [client.post(BROWSERS, json=BROWSER | {"expirationTime": None}) for _ in range(2)]
    listed = client.get(BROWSERS).json()

    assert [one.status_code for one in added] == [201, 201]
    assert added[0].json() == added[1].json()
    assert listed["public_key"] == "BKey"
    assert listed["subscriptions"] == [added[0].json()]
    assert added[0].json()["service"] == "push.example"
    assert BROWSER["keys"]["auth"] not in str(listed)


def test_a_browser_another_signs_in_with_is_theirs_and_no_more_the_firsts(house):
    first, second = house.client("driver"), house.client("stranger")
    first.post(BROWSERS, json=BROWSER)
    second.post(BROWSERS, json=BROWSER)

    assert first.get(BROWSERS).json()["subscriptions"] == []
    assert len(second.get(BROWSERS).json()["subscriptions"]) == 1


def test_a_browser_that_was_removed_may_come_again(house):
    client = house.client("driver")
    path = f"{BROWSERS}/{client.post(BROWSERS, json=BROWSER).json()['subscription_id']}"
    statuses = [client.delete(path).status_code, client.delete(path).status_code]
    client.post(BROWSERS, json=BROWSER)

    assert statuses == [204, 404]
    assert len(client.get(BROWSERS).json()["subscriptions"]) == 1


def test_of_too_many_browsers_the_oldest_are_forgotten(house):
    client = house.client("driver")
    for n in range(MOST_BROWSERS + 2):
        client.post(BROWSERS, json=BROWSER | {"endpoint": f"https://push-{n}.example/"})
        house.clock.pass_by(timedelta(seconds=1))
    kept = [one["service"] for one in client.get(BROWSERS).json()["subscriptions"]]

    assert kept == [f"push-{n}.example" for n in range(2, MOST_BROWSERS + 2)]


KEYS = BROWSER["keys"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"endpoint": "http://push.example/"},
        {"endpoint": "https://127.0.0.1/"},
        {"endpoint": "https://user@push.example/"},
        {"keys": KEYS | {"auth": "AAAA"}},
        {"keys": KEYS | {"auth": "A"}},
        {"keys": KEYS | {"p256dh": "AAAA"}},
        # a point that lies on no curve
        {"keys": KEYS | {"p256dh": base64.urlsafe_b64encode(b"\x04" + b"\x01" * 64).decode()}},
        {"keys": {"auth": KEYS["auth"]}},
        {"user_id": "other"},
    ],
)
def test_what_is_no_subscription_is_refused(house, wrong):
    assert house.client("driver").post(BROWSERS, json=BROWSER | wrong).status_code == 422


# --- webhooks --------------------------------------------------------------------------------------


def test_a_secret_is_shown_when_it_is_made_and_never_again(house):
    client = house.client("driver")
    added = client.post(
        WEBHOOKS, json={"url": "https://hook.example/a", "kinds": ["moved", "booked", "moved"]}
    )
    secret = added.json()["secret"]
    listed = client.get(WEBHOOKS)

    assert added.status_code == 201
    assert len(base64.b64decode(secret.removeprefix("whsec_"))) == 32
    assert listed.json()["endpoints"] == [added.json()["endpoint"]]
    assert added.json()["endpoint"]["kinds"] == ["moved", "booked"]
    assert secret not in listed.text
    assert "whsec_" not in listed.text


def test_a_new_secret_signs_beside_the_one_before(house):
    client = house.client("driver")
    added = client.post(WEBHOOKS, json={"url": "https://hook.example/a"}).json()
    path = f"{WEBHOOKS}/{added['endpoint']['endpoint_id']}/secret"
    second, third = (client.post(path).json()["secret"] for _ in range(2))
    with house.open_work() as work:
        (endpoint,) = work.webhook_endpoints.of_user(house.users["driver"].user_id)

    assert len({added["secret"], second, third}) == 3
    assert endpoint.secrets == (third, second)


def test_a_test_event_is_sent_once_a_minute(house):
    client = house.client("driver")
    added = client.post(WEBHOOKS, json={"url": "https://hook.example/a"}).json()
    path = f"{WEBHOOKS}/{added['endpoint']['endpoint_id']}/test"
    first, second = client.post(path), client.post(path)
    house.clock.pass_by(timedelta(minutes=1))

    assert (first.status_code, second.status_code) == (202, 429)
    assert 1 <= int(second.headers["Retry-After"]) <= 60
    assert client.post(path).status_code == 202


def test_an_endpoint_that_was_removed_is_not_there(house):
    client = house.client("driver")
    added = client.post(WEBHOOKS, json={"url": "https://hook.example/a"}).json()
    path = f"{WEBHOOKS}/{added['endpoint']['endpoint_id']}"

    assert [client.delete(path).status_code for _ in range(2)] == [204, 404]
    assert client.post(f"{path}/test").status_code == 404
    assert client.get(WEBHOOKS).json() == {"endpoints": []}


def test_there_are_only_so_many_endpoints(house):
    client = house.client("driver")
    statuses = [
        client.post(WEBHOOKS, json={"url": f"https://hook.example/{n}"}).status_code
        for n in range(MOST_ENDPOINTS + 1)
    ]

    assert statuses == [201] * MOST_ENDPOINTS + [422]


@pytest.mark.parametrize(
    "url",
    [
        "http://hook.example/",
        "https://localhost/",
        "https://127.0.0.1/",
        "https://169.254.169.254/",
        "https://[::1]/",
        "https://user:secret@hook.example/",
        "file:///etc/passwd",
        "hook.example",
        "https://hook.example/\r\nX: y",
        "",
    ],
)
def test_s15_what_is_no_public_address_is_refused(house, url):
    answer = house.client("driver").post(WEBHOOKS, json={"url": url})

    assert answer.status_code == 422
    assert "secret" not in answer.json()["detail"]


# --- mailbox ---------------------------------------------------------------------------------------


def test_where_it_was_not_asked_for_there_is_no_mailbox(house):
    tell(house, 1)

    for name in (None, "driver", "admin"):
        assert house.client(name).get(f"{V1}/mailbox").status_code == 404


def test_the_mailbox_shows_every_channel_newest_first_and_of_one_recipient(database_file):
    with a_house(database_file, show_mailbox=True, public_url=HOST) as house:
        house.client("driver").put(PREFERENCES, json={"phone": "+441382434000"})
        tell(house, 1)
        tell(house, 2, user="stranger")
        client = house.client()
        everything = client.get(f"{V1}/mailbox").json()
        one = client.get(f"{V1}/mailbox?recipient=driver@example.org").json()

    assert {(mail["channel"], mail["kind"]) for mail in everything} == {
        ("app", "reminder"),
        ("mail", "reminder"),
        ("sms", "reminder"),
    }
    assert everything[0]["created_at"] >= everything[-1]["created_at"]
    assert [(mail["channel"], mail["recipient"]) for mail in one] == [
        ("mail", "driver@example.org")
    ]
