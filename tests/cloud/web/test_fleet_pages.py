"""Requests to many chargers: asked for, watched and held up by forms, without scripts."""

from datetime import timedelta

import pytest

from cloud.domain.errors import SecondPersonNeeded
from cloud.domain.waves import NEXT, Status
from cloud.services.fleet_ports import Selector
from cloud.services.fleet_views import FleetProgress
from cloud.web import words
from cloud.web.fleet import FOR_MANY, PACES, STEPS, bars
from contracts import commands
from tests.cloud.web.reading import Page

PAGE = "/maintenance/fleet"
SURE = {"sure": "yes", "vendor": "Alfen", "key": "k1"}


def test_the_list_says_how_far_each_is(signed_in):
    text = signed_in("maintenance").get(PAGE).text
    shown = [one["data-fleet"] for one, _ in Page(text).having("data-fleet")]

    assert shown == ["f1", "f2"]
    assert "60 accepted" in text
    assert "70 not asked yet" in text
    assert "Waits for a second person" in text


def test_a_request_is_asked_of_many_in_waves(signed_in, parts):
    form = SURE | {
        "deed": "firmware",
        "location": "https://files.example/eve-7.0.bin",
        "station_ids": "dundee-greenmarket, dundee-ice-arena",
        "pace": "two",
        "settle_min": "10",
        "failed_pct": "2",
        "keep_h": "48",
    }
    answer = signed_in("maintenance").post(PAGE, data=form)
    (asked,) = parts.fleet.asked

    assert answer.headers["location"] == f"{PAGE}/f1"
    assert asked.selector == Selector(
        station_ids=("dundee-greenmarket", "dundee-ice-arena"), vendor="Alfen"
    )
    assert isinstance(asked.request, commands.UpdateFirmware)
    assert asked.request.location == "https://files.example/eve-7.0.bin"
    assert asked.plan.shares == (0.1, 1.0)
    assert asked.plan.settle == timedelta(minutes=10)
    assert asked.plan.max_failed_ratio == 0.02
    assert asked.keep == timedelta(hours=48)


def test_a_form_sent_twice_is_one_request_and_a_changed_one_another(signed_in, parts):
    client = signed_in("maintenance")
    for deed in ("soft-reset", "soft-reset", "clear-cache"):
        client.post(PAGE, data=SURE | {"deed": deed})
    first, again, other = parts.fleet.named

    assert first == again
    assert (first.key, first.user_id) == (other.key, other.user_id)
    assert first.request != other.request


@pytest.mark.parametrize("deed", [one.name for one in FOR_MANY])
def test_everything_offered_can_be_asked(signed_in, parts, deed):
    form = SURE | {
        "deed": deed,
        "message": "Heartbeat",
        "location": "https://files.example/eve-7.0.bin",
    }

    assert signed_in("maintenance").post(PAGE, data=form).status_code == 303
    assert len(parts.fleet.asked) == 1


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"deed": "unlock"}, 422),
        ({"deed": "log", "log": "security"}, 422),
        ({"deed": "soft-reset", "sure": ""}, 422),
        ({"deed": "soft-reset", "pace": "reckless"}, 422),
        ({"deed": "dance"}, 404),
        ({"deed": "soft-reset", "keep_h": "1000"}, 400),
    ],
)
def test_what_makes_no_sense_is_asked_of_nobody(signed_in, parts, form, status):
    assert signed_in("maintenance").post(PAGE, data=SURE | form).status_code == status
    assert parts.fleet.asked == []


def test_one_shows_each_charger_and_what_can_be_done(signed_in):
    text = signed_in("admin").get(f"{PAGE}/f1").text
    forms = [one["action"] for one, _ in Page(text).having("action")]

    assert "No answer in time" in text
    assert "Not asked yet" in text
    assert "eve-7.0.bin" in text
    assert f"{PAGE}/f1/pause" in forms
    assert f"{PAGE}/f1/abort" in forms
    assert f"{PAGE}/f1/resume" not in forms


def test_nobody_approves_their_own(signed_in):
    own = signed_in("maintenance").get(f"{PAGE}/f2").text
    others = signed_in("admin").get(f"{PAGE}/f2").text

    assert f"{PAGE}/f2/approve" not in own
    assert "Somebody else has to approve it" in own
    assert f"{PAGE}/f2/approve" in others


@pytest.mark.parametrize("step", [name for name, _, _ in STEPS])
def test_each_step_is_taken(signed_in, parts, step):
    assert signed_in("admin").post(f"{PAGE}/f1/{step}").status_code == 200
    assert parts.fleet.done == [f"{step} f1"]


def test_a_refused_step_says_why(signed_in, parts):
    parts.refusal = SecondPersonNeeded("f2")
    answer = signed_in("maintenance").post(f"{PAGE}/f2/approve")

    assert answer.status_code == 403
    assert SecondPersonNeeded.sentence in answer.text


@pytest.mark.parametrize("path", [f"{PAGE}/nothing", f"{PAGE}/f1/dance"])
def test_what_is_not_there_is_a_page_too(signed_in, path):
    client = signed_in("admin")
    answer = client.post(path) if path.endswith("dance") else client.get(path)

    assert answer.status_code == 404


def test_drivers_do_not_see_it(signed_in, parts):
    client = signed_in("driver")

    assert client.get(PAGE).status_code == 403
    assert client.post(PAGE, data=SURE | {"deed": "soft-reset"}).status_code == 403
    assert parts.fleet.asked == []


def test_every_status_and_state_has_a_word():
    assert set(words.FLEET_STATUS) == {one.value for one in Status}
    assert set(words.TARGET_STATE) == {*words.COMMAND_STATE, "untried"}
    assert all(any(happening == one for _, one in NEXT) for _, happening, _ in STEPS)
    assert all(shares[-1] == 1 for _, shares in PACES.values())


def test_the_bar_leaves_nobody_out():
    progress = FleetProgress(
        total=9, untried=3, queued=0, under_way=2, accepted=4, failed=0, unreached=0, waves=1
    )

    assert bars(progress) == [("accepted", 4), ("under_way", 2), ("untried", 3)]
    assert {name for name, _ in bars(progress)} <= set(words.SPREAD)
