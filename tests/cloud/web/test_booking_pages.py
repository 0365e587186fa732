"""Choosing a time, seeing what it costs, and holding it."""

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from cloud.domain.errors import BookedElsewhere, TooManyReservations
from cloud.domain.terms import Terms
from cloud.domain.windows import Window, ceiling
from tests.cloud.web.booking_fakes import a_reservation, some_options
from tests.cloud.web.reading import Page

STATION = "/stations/dundee-greenmarket"
PATH = f"{STATION}/reserve"
BAY = "dundee-greenmarket-1"
HOUR = timedelta(hours=1)


def chosen(text: str, name: str) -> str:
    """Return the value of a group's ticked box."""
    boxes = [one for one, _ in Page(text).having("name", name) if "checked" in one]
    return boxes[0]["value"] if boxes else ""


def offered(text: str, name: str) -> list[str]:
    return [one["value"] for one, _ in Page(text).having("name", name)]


def hold_form(text: str) -> dict[str, str]:
    """Return the fields of the page's first form that holds."""
    found: dict[str, str] = {}
    for one, _ in Page(text).having("type", "hidden"):
        found.setdefault(one["name"], one["value"])
    return {name: value for name, value in found.items() if name != "minutes"}


def test_d4_every_bookable_bay_leads_to_its_times(client, parts):
    parts.booking_terms = Terms(unbookable_bays=("dundee-greenmarket-2",))
    links = {one.get("href") for one, _ in Page(client.get(STATION).text).tags("a")}

    assert f"{PATH}?bay={BAY}" in links
    assert f"{PATH}?bay=dundee-greenmarket-2" not in links
    assert PATH in links


def test_a_station_that_takes_no_bookings_says_so(client, parts):
    parts.booking_terms = Terms(is_bookable=False)

    assert PATH not in client.get(STATION).text
    assert "This station takes no bookings" in client.get(PATH).text


def test_d4_the_first_free_time_is_chosen_already(signed_in, parts):
    text = signed_in("driver").get(f"{PATH}?bay={BAY}").text
    start = chosen(text, "start")

    assert start
    assert chosen(text, "minutes") == "60"
    assert hold_form(text)["starts_at"] == start
    assert hold_form(text)["bay"] == BAY
    assert 'id="hold"' in text


def test_d8_the_price_is_said_in_words_before_anything_is_held(signed_in, parts):
    day = (parts.clock.now() + timedelta(days=2)).date()
    text = signed_in("driver").get(f"{PATH}?bay={BAY}&kwh=30&day={day}").text

    assert "Reservation fee" in text
    assert "30.00 kWh" in text
    assert "\xa38.50" in text
    assert "Cancel free of charge until" in text
    assert "Not there 15 min after the start: \xa33.00." in text
    assert "Still there 10 min after the end: \xa30.20 a minute." in text
    assert hold_form(text)["energy_wh"] == "30000"


def test_what_is_taken_cannot_be_chosen(signed_in, parts):
    day = (parts.clock.now() + timedelta(days=2)).date()
    taken_at = ceiling(parts.clock.now() + timedelta(days=2)).replace(hour=12, minute=0)
    parts.taken = [(BAY, Window(taken_at, taken_at + HOUR))]
    text = signed_in("driver").get(f"{PATH}?bay={BAY}&day={day}").text
    starts = offered(text, "start")
    iso = [f"{day}T{clock}:00Z" for clock in ("11:00", "11:15", "12:45", "13:00")]

    assert [one in starts for one in iso] == [True, False, False, True]


def test_a_day_that_is_full_offers_to_tell_when_it_is_free(signed_in, parts):
    now = parts.clock.now()
    day = (now + timedelta(days=2)).date()
    parts.taken = [(BAY, Window(now, now + timedelta(days=4)))]
    text = signed_in("driver").get(f"{PATH}?bay={BAY}&day={day}").text

    assert "Nothing is free on this day for so long." in text
    assert 'id="hold"' not in text
    assert f'action="{STATION}/waitlist"' in text


def test_a_start_that_is_gone_becomes_the_nearest(signed_in, parts):
    wanted = ceiling(parts.clock.now() + timedelta(days=2)).replace(hour=12, minute=0)
    parts.taken = [(BAY, Window(wanted, wanted + HOUR))]
    start = f"{wanted:%Y-%m-%dT%H:%M:%SZ}"
    text = signed_in("driver").get(f"{PATH}?bay={BAY}&start={start}").text

    assert chosen(text, "start") == f"{wanted - HOUR:%Y-%m-%dT%H:%M:%SZ}"


@pytest.mark.parametrize(
    "query",
    [
        "bay=nothing&day=never&start=now&minutes=x&kwh=-3&standard=GAS",
        "day=0001-01-01&start=9999-12-31T23:45:00Z",
        "day=9999-12-31&on=1970-01-01",
        "minutes=999999&kwh=9999999999",
    ],
)
def test_an_address_that_makes_no_sense_shows_what_does(client, query):
    answer = client.get(f"{PATH}?{query}")

    assert answer.status_code == 200
    assert chosen(answer.text, "start")


def test_who_is_not_signed_in_sees_the_price_and_comes_back_to_the_choice(client):
    page = Page(client.get(f"{PATH}?bay={BAY}&minutes=90").text)
    link = next(one["href"] for one, said in page.tags("a") if said == "Sign in to reserve")

    assert parse_qs(urlsplit(link).query)["next"] == [f"{PATH}?bay={BAY}&minutes=90"]


def test_d4_one_tap_holds_and_shows_the_reservation(signed_in, parts):
    client = signed_in("driver")
    form = hold_form(client.get(f"{PATH}?bay={BAY}").text)
    answer = client.post(PATH, data=form)
    [(ask, once)] = parts.reservations.asked

    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/reservations/held-")
    assert (ask.station_id, ask.bay_id) == ("dundee-greenmarket", BAY)
    assert once.key == f"page-{form['key']}"
    assert once.user_id == "driver"


def test_the_same_form_twice_is_one_request_and_another_choice_is_another(signed_in, parts):
    client = signed_in("driver")
    form = hold_form(client.get(f"{PATH}?bay={BAY}").text)
    for data in (form, form, form | {"bay": "dundee-greenmarket-5"}):
        client.post(PATH, data=data)
    first, second, third = [once.request for _, once in parts.reservations.asked]

    assert first == second
    assert first != third


def test_any_bay_is_asked_for_without_one(signed_in, parts):
    client = signed_in("driver")
    client.post(PATH, data=hold_form(client.get(PATH).text))

    assert parts.reservations.asked[0][0].bay_id is None


def test_who_is_signed_out_meanwhile_comes_back_to_the_choice(client):
    times = {"starts_at": "2026-12-01T10:00:00Z", "ends_at": "2026-12-01T11:30:00Z"}
    form = times | {"bay": BAY}
    answer = client.post(PATH, data=form)
    back = parse_qs(urlsplit(answer.headers["location"]).query)["next"][0]

    assert answer.status_code == 303
    assert back.startswith(f"{PATH}?bay={BAY}&start=")


def test_d5_losing_a_race_says_so_and_offers_three_others_each_one_tap_away(signed_in, parts):
    parts.reservations.taken = some_options(parts.clock.now())
    client = signed_in("driver")
    answer = client.post(PATH, data=hold_form(client.get(f"{PATH}?bay={BAY}").text))
    page = Page(answer.text)
    actions = [one["action"] for one, _ in page.tags("form") if one["action"].endswith("/reserve")]

    assert answer.status_code == 409
    assert "Somebody was faster" in answer.text
    assert actions == [PATH, PATH, "/stations/dundee-ice-arena/reserve"]
    assert {"15 min later", "4.3 km away"} <= {
        part for _, said in page.tags("small") for part in said.split(" \xb7 ")
    }
    assert "\xa36.40" in answer.text
    held = client.post(actions[0], data=hold_form(answer.text))
    assert held.status_code == 303


def test_a_refusal_is_said_beside_the_choice(signed_in, parts):
    parts.reservations.refusal = TooManyReservations("driver")
    client = signed_in("driver")
    answer = client.post(PATH, data=hold_form(client.get(f"{PATH}?bay={BAY}").text))

    assert answer.status_code == 409
    assert "as many reservations as one driver may have" in answer.text
    assert chosen(answer.text, "start")


def test_r10_who_has_another_station_then_reads_so_in_their_language(signed_in, parts):
    parts.reservations.refusal = BookedElsewhere("r-1")
    client = signed_in("driver")
    form = hold_form(client.get(f"{PATH}?bay={BAY}").text)
    answer = client.post(PATH, data=form, headers={"accept-language": "de"})

    assert answer.status_code == 409
    assert "in dieser Zeit an einer anderen Station gebucht" in answer.text


def test_d11_who_waits_is_told_and_can_stop(signed_in, parts):
    client = signed_in("driver")
    text = client.get(f"{PATH}?bay={BAY}&minutes=90").text
    start = Page(text).tags("option")[-1][0]["value"]
    form = {"key": "k1", "bay": BAY, "starts_at": start, "minutes": "90"}
    answer = client.post(f"{STATION}/waitlist", data=form)
    [entry] = parts.waitlist.entries

    assert answer.headers["location"] == "/reservations#waiting"
    assert entry.ends_at - entry.starts_at == timedelta(minutes=90)
    assert "1 driver waits before you" in client.get("/reservations").text
    client.post(f"/waitlist/{entry.entry_id}/leave")
    assert "waits before you" not in client.get("/reservations").text


def test_d11_what_was_waited_for_is_held_by_one_tap(signed_in, parts):
    client = signed_in("driver")
    start = ceiling(parts.clock.now() + HOUR).isoformat()
    client.post(f"{STATION}/waitlist", data={"bay": BAY, "starts_at": start, "minutes": "60"})
    parts.waitlist.offer("w1")
    text = client.get("/reservations").text
    answer = client.post("/waitlist/w1/accept", data={"key": "k2"})

    assert "Free: yours until" in text
    assert answer.headers["location"].startswith("/reservations/held-")


def test_d5_who_waited_and_was_too_late_hears_what_is_free_and_waits_on(signed_in, parts):
    client = signed_in("driver")
    start = ceiling(parts.clock.now() + HOUR).isoformat()
    client.post(f"{STATION}/waitlist", data={"bay": BAY, "starts_at": start, "minutes": "60"})
    parts.waitlist.offer("w1")
    parts.reservations.taken = some_options(parts.clock.now())
    answer = client.post("/waitlist/w1/accept", data={"key": "k2"})
    actions = [one["action"] for one, _ in Page(answer.text).tags("form")]

    assert answer.status_code == 409
    assert sum(one.endswith("/reserve") for one in actions) == 3
    assert "You are still on the waitlist" in answer.text
    assert f"{STATION}/waitlist" not in actions


def test_a_booking_is_moved_by_choosing_again(signed_in, parts):
    now = parts.clock.now()
    starts_at = ceiling(now + timedelta(days=2))
    own = a_reservation(now, starts_at=starts_at, ends_at=starts_at + timedelta(minutes=75))
    parts.reservations.put(own)
    parts.taken = [(BAY, Window(own.starts_at, own.ends_at))]
    client = signed_in("driver")
    text = client.get(f"{PATH}?change=r1").text
    form = {"starts_at": offered(text, "starts_at")[0], "ends_at": offered(text, "ends_at")[0]}
    answer = client.post("/reservations/r1/change", data=form)

    assert "Move your booking" in text
    assert chosen(text, "minutes") == "75"
    assert chosen(text, "start") == f"{starts_at:%Y-%m-%dT%H:%M:%SZ}"
    assert answer.headers["location"] == "/reservations/r1"


def test_a_booking_of_another_station_or_driver_is_not_moved_here(signed_in, parts):
    elsewhere = a_reservation(parts.clock.now(), station_id="dundee-lochee")
    parts.reservations.put(elsewhere)
    client = signed_in("driver")

    assert client.get(f"{PATH}?change=r1").status_code == 404
    assert client.get(f"{PATH}?change=none").status_code == 404
