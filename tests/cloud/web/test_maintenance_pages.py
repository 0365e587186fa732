"""The fault queue, a charger's page, the mailbox: by forms, without scripts."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest

from cloud.domain.errors import ChargerOffline, CommandSent, CommandUnanswered
from cloud.web import words
from cloud.web.chargers import DEEDS, line_of, told
from contracts import commands
from tests.cloud.api.fakes import StillClock
from tests.cloud.web.reading import Page

CHARGER = "DUNDEE-GREEN-01"
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
PAGE = f"/maintenance/chargers/{CHARGER}"


def shown_alerts(text: str) -> list[str]:
    return [one["data-alert"] for one, _ in Page(text).having("data-alert")]


def test_m1_open_faults_come_first_and_the_worst_of_them(signed_in, parts):
    now = parts.clock.now()
    parts.queue = [
        replace(parts.queue[2]),
        replace(parts.queue[0], alert_id="minor", severity="minor", opened_at=now),
        parts.queue[0],
        replace(parts.queue[0], alert_id="new", opened_at=now),
    ]

    assert shown_alerts(signed_in("maintenance").get("/maintenance").text) == [
        "new",
        "a1",
        "minor",
        "a3",
    ]


def test_a_fault_says_what_to_do_where_and_how_often(signed_in):
    text = signed_in("maintenance").get("/maintenance").text

    assert "Do not touch the cable." in text
    assert "seen 3 times" in text
    assert f'href="{PAGE.replace(CHARGER, "DUNDEE-ICE-A-02")}"' in text
    assert "/stations/dundee-ice-arena#dundee-ice-arena-3" in text


def test_m2_taking_a_fault_and_resolving_it(signed_in, parts):
    client = signed_in("maintenance")
    taken = client.post("/maintenance/alerts/a1/acknowledge", data={"version": "1"})
    resolved = client.post(
        "/maintenance/alerts/a1/resolve", data={"version": "2", "note": "new cable", "back": "open"}
    )

    assert taken.headers["location"] == "/maintenance"
    assert resolved.headers["location"] == "/maintenance?show=open"
    assert parts.queue[0].status == "resolved"
    assert "a1" in shown_alerts(client.get("/maintenance?show=resolved").text)
    assert "a1" not in shown_alerts(client.get("/maintenance").text)


def test_m2_the_second_to_take_a_fault_sees_who_was_first(signed_in, parts):
    parts.queue[0] = replace(parts.queue[0], version=2, acknowledged_by="owner")
    answer = signed_in("maintenance").post(
        "/maintenance/alerts/a1/acknowledge", data={"version": "1"}
    )

    assert answer.status_code == 409
    assert "Dundee Council was faster" in answer.text


@pytest.mark.parametrize(("role", "status"), [("driver", 403), ("owner", 200), ("admin", 200)])
def test_the_queue_is_for_those_who_look_after_stations(signed_in, role, status):
    assert signed_in(role).get("/maintenance").status_code == status


@pytest.mark.parametrize("path", ["/maintenance", PAGE])
def test_strangers_are_asked_who_they_are(client, path):
    assert client.get(path).headers["location"].startswith("/login?next=/maintenance")


def test_a_charger_shows_its_connectors_and_what_it_told(signed_in):
    text = signed_in("maintenance").get(PAGE).text

    assert "1.1 CCS 50 kW" in text
    assert "session_id 5f0d8a6b, token 04E1" in text
    assert "Alfen Eve Double" in text


def test_a_charger_of_a_silent_station_is_not_connected(signed_in, parts):
    station = parts.found[0]
    long_ago = station.heard_at.replace(year=2025)
    parts.found[0] = replace(
        station, bays=[replace(bay, heard_at=long_ago) for bay in station.bays]
    )

    assert "Not connected" in signed_in("maintenance").get(PAGE).text


@pytest.mark.parametrize(
    ("deed", "form", "asked"),
    [
        (
            "trigger",
            {"message": "MeterValues"},
            commands.TriggerMessage(charger_id=CHARGER, message="MeterValues"),
        ),
        (
            "unlock",
            {"connector": "2.1", "sure": "yes"},
            commands.UnlockConnector(charger_id=CHARGER, evse_id=2, connector_id=1),
        ),
        (
            "disable",
            {"evse": "0"},
            commands.ChangeAvailability(charger_id=CHARGER, evse_id=0, is_available=False),
        ),
        (
            "enable",
            {"evse": "2"},
            commands.ChangeAvailability(charger_id=CHARGER, evse_id=2, is_available=True),
        ),
        (
            "soft-reset",
            {"sure": "yes"},
            commands.ResetCharger(charger_id=CHARGER, reset=commands.ResetKind.SOFT),
        ),
        (
            "hard-reset",
            {"sure": "yes"},
            commands.ResetCharger(charger_id=CHARGER, reset=commands.ResetKind.HARD),
        ),
        ("clear-cache", {}, commands.ClearCache(charger_id=CHARGER)),
        (
            "log",
            {"log": "security"},
            commands.FetchLog(
                charger_id=CHARGER,
                log=commands.LogKind.SECURITY,
                location="https://baywatt.example/uploads/secret-of-a-log",
                request_id=7,
            ),
        ),
        (
            "firmware",
            {
                "location": " https://files.example/eve-7.0.bin ",
                "signature": "QUJD\nREVG",
                "signing_certificate": "-----BEGIN CERTIFICATE-----\n",
                "sure": "yes",
            },
            commands.UpdateFirmware(
                charger_id=CHARGER,
                location="https://files.example/eve-7.0.bin",
                retrieve_at=NOON,
                signature="QUJDREVG",
                signing_certificate="-----BEGIN CERTIFICATE-----",
            ),
        ),
    ],
)
def test_m4_each_deed_asks_the_charger_and_shows_its_answer(signed_in, parts, deed, form, asked):
    parts.clock = StillClock(NOON)
    answer = signed_in("maintenance").post(f"{PAGE}/deeds/{deed}", data=form)

    assert answer.status_code == 200
    assert parts.asked == [asked]
    assert "Accepted:" in answer.text
    assert next(one.title for one in DEEDS if one.name == deed) in answer.text


def test_m4_every_deed_says_what_will_happen(signed_in):
    text = signed_in("maintenance").get(PAGE).text

    assert all(deed.effect in text for deed in DEEDS)


@pytest.mark.parametrize("deed", [deed.name for deed in DEEDS if deed.is_drastic])
def test_m4_nothing_drastic_happens_unconfirmed(signed_in, parts, deed):
    answer = signed_in("maintenance").post(f"{PAGE}/deeds/{deed}", data={"connector": "1.1"})

    assert answer.status_code == 422
    assert "Tick the box" in answer.text
    assert parts.asked == []


@pytest.mark.parametrize(
    ("deed", "form", "status"),
    [
        ("trigger", {"message": "SelfDestruct"}, 422),
        ("unlock", {"connector": "1.0", "sure": "yes"}, 422),
        ("unlock", {"connector": "one", "sure": "yes"}, 422),
        ("dance", {}, 404),
        ("log", {"log": "diary"}, 422),
        ("firmware", {"sure": "yes"}, 422),
        ("firmware", {"sure": "yes", "location": "file:///etc/passwd"}, 422),
        ("firmware", {"sure": "yes", "location": "https://files.example/a b"}, 422),
        ("disable", {"evse": "-1"}, 400),
    ],
)
def test_a_form_that_makes_no_sense_asks_nothing(signed_in, parts, deed, form, status):
    assert signed_in("maintenance").post(f"{PAGE}/deeds/{deed}", data=form).status_code == status
    assert parts.asked == []


@pytest.mark.parametrize(
    ("refusal", "status", "said"),
    [
        (ChargerOffline(CHARGER), 409, "The charger is not connected."),
        (CommandUnanswered("c1"), 504, "The station has not answered in time."),
    ],
)
def test_m4_a_charger_that_does_not_answer_is_an_outcome(signed_in, parts, refusal, status, said):
    parts.refusal = refusal
    answer = signed_in("maintenance").post(f"{PAGE}/deeds/trigger", data={"message": "Heartbeat"})

    assert answer.status_code == status
    assert said in answer.text
    assert CHARGER in answer.text


def test_m4_a_refusal_by_the_charger_is_shown_as_such(signed_in, parts):
    parts.outcome = "rejected"
    answer = signed_in("maintenance").post(f"{PAGE}/deeds/trigger", data={"message": "Heartbeat"})

    assert "Rejected:" in answer.text


def test_drivers_ask_nothing_of_chargers(signed_in, parts):
    assert (
        signed_in("driver").post(f"{PAGE}/deeds/trigger", data={"message": "Heartbeat"}).status_code
        == 403
    )
    assert parts.asked == []


def test_a_log_line_leaves_out_what_the_page_says_already(parts):
    entry = parts.chargers.get(CHARGER, None).log[0]

    assert told(entry) == "evse_id 1, connector_id 1, state charging"


def test_a_charger_shows_what_it_holds_and_what_it_is_at(signed_in, parts):
    text = signed_in("maintenance").get(PAGE).text

    assert "Settings and readings (2)" in text
    assert "<b>OCPPCommCtrlr.HeartbeatInterval</b> value 300" in text
    assert "certificateType CSMSRootCertificate" in text
    assert "<b>Firmware update</b> is being fetched" in text
    assert "could not be uploaded &middot; <b>Failed</b>" in text
    assert "<b>Report</b> Done</span>" in text
    assert "Only the first are shown." not in text
    parts.holds_more = True
    assert "Only the first are shown." in signed_in("maintenance").get(PAGE).text


def test_a_charger_shows_its_logs_and_which_may_still_come(signed_in):
    text = signed_in("maintenance").get(PAGE).text

    assert 'href="/api/v1/log-files/5/content" download>green-01.log</a> 49 kB' in text
    assert "is awaited until" in text
    assert "never came" in text


def test_every_request_has_a_name_on_the_page():
    kinds = {one.__struct_config__.tag for one in get_args(commands.Request)}

    assert kinds == set(words.COMMAND)


def test_long_things_are_held_in_a_short_line():
    assert len(line_of({"value": "x" * 5_000})) < 130


def away(parts) -> None:
    station = parts.found[0]
    long_ago = station.heard_at.replace(year=2025)
    parts.found[0] = replace(
        station, bays=[replace(bay, heard_at=long_ago) for bay in station.bays]
    )


def test_a_charger_that_is_away_may_be_asked_when_it_comes_back(signed_in, parts):
    client = signed_in("maintenance")
    assert 'name="wait"' not in client.get(PAGE).text
    away(parts)
    assert 'name="wait"' in client.get(PAGE).text
    parts.outcome = "queued"
    form = {"message": "Heartbeat", "wait": "yes"}
    answer = client.post(f"{PAGE}/deeds/trigger", data=form)

    assert parts.patience == timedelta(days=1)
    assert "Waiting for the charger:" in answer.text
    assert f"{PAGE}/commands/c1/cancel" in answer.text


def test_what_waits_is_taken_back(signed_in, parts):
    client = signed_in("maintenance")
    parts.outcome = "queued"
    client.post(f"{PAGE}/deeds/trigger", data={"message": "Heartbeat"})
    answer = client.post(f"{PAGE}/commands/c1/cancel")

    assert answer.status_code == 200
    assert "Taken back:" in answer.text
    assert "/cancel" not in answer.text


def test_what_has_gone_meanwhile_is_not_taken_back(signed_in, parts):
    parts.refusal = CommandSent("c1")
    answer = signed_in("maintenance").post(f"{PAGE}/commands/c1/cancel")

    assert answer.status_code == 409
    assert "cannot be taken back" in answer.text


def test_mail_is_shown_where_demonstrations_need_it(client):
    text = client.get("/mailbox").text

    assert "Critical: ground failure" in text
    assert "morag@baywatt.example" in text


def a_mail(parts, **more) -> None:
    first = parts.outbox[0]
    parts.outbox.append(replace(first, message_id=f"m{len(parts.outbox)}", **more))


def test_messages_of_every_channel_are_shown_and_who_they_go_to(client, parts):
    a_mail(parts, channel="sms", recipient="+441382434000", kind="moved")
    a_mail(parts, channel="app", recipient="u-nobody-known-here", kind="moved")
    a_mail(parts, channel="webhook", recipient="0123456789abcdef", kind="test")
    text = client.get("/mailbox").text
    shown = [one["data-channel"] for one, _ in Page(text).having("data-channel")]

    assert shown == ["mail", "sms", "app", "webhook"]
    assert "+441382434000" in text
    assert "0123456789abcdef" not in text


def test_a_code_stands_out_and_other_numbers_do_not(client, parts):
    a_mail(parts, subject="Your code", body="Your code is 482913\n\nIt is good for 10 minutes.")
    a_mail(parts, subject="Receipt", body="Receipt 202600001 of 123456.", kind="receipt")
    text = client.get("/mailbox").text

    assert '<p class="mail-code">482913</p>' in text
    assert text.count("mail-code") == 1


@pytest.mark.parametrize("evil", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>'])
def test_s09_whatever_a_message_holds_it_is_text(client, parts, evil):
    a_mail(parts, subject=evil, body=evil, recipient=evil, last_error=evil, sent_at=None)
    text = client.get("/mailbox").text

    assert "<script>alert" not in text
    assert "<img src=x" not in text
