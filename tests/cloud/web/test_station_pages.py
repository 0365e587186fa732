"""`/` and `/stations/{id}` as they come, without scripts."""

from dataclasses import replace
from datetime import timedelta

import pytest

from cloud.web import words
from cloud.web.stations import Filters, Shown
from tests.cloud.web.fakes import a_bay, a_station
from tests.cloud.web.reading import Page


def bays_of(text: str) -> dict[str, tuple[dict[str, str], str]]:
    return {one["data-bay"]: (one, said) for one, said in Page(text).having("data-bay")}


@pytest.mark.parametrize("path", ["/", "/stations/dundee-greenmarket"])
def test_d1_d2_every_bay_has_its_status_in_words_a_shape_and_an_age(client, parts, path):
    text = client.get(path).text
    shown = bays_of(text)
    told = [bay for one in parts.found for bay in one.bays if path == "/" or one.station_id in path]

    assert set(shown) == {bay.bay_id for bay in told}
    for bay in told:
        attributes, said = shown[bay.bay_id]
        assert attributes["data-status"] == bay.status
        assert words.STATUS[bay.status] in said
        assert " ago" in said
        assert f"#{bay.status}" in text


def test_d1_a_bay_not_heard_of_for_90_s_is_shown_unknown(client, parts):
    station = parts.found[0]
    until = parts.clock.now() - timedelta(seconds=1)
    stale = [replace(bay, valid_until=until) for bay in station.bays]
    parts.found[0] = replace(station, bays=stale)
    shown = bays_of(client.get("/").text)
    alone = bays_of(client.get(f"/stations/{station.station_id}").text)

    assert {shown[bay.bay_id][0]["data-status"] for bay in stale} == {"UNKNOWN"}
    assert {alone[bay.bay_id][0]["data-status"] for bay in stale} == {"UNKNOWN"}


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", 6),
        ("?standard=CHADEMO", 2),
        ("?power=50", 3),
        ("?power=150", 1),
        ("?power=22&standard=IEC_62196_T2", 3),
        ("?free=1", 4),
        ("?q=lochee", 1),
        ("?q=&standard=&power=&free=", 6),
        ("?power=much&lat=91&lon=x", 6),
        ("?q=nowhere", 0),
    ],
)
def test_d3_filters_are_in_the_address_and_the_counts_are_of_what_is_shown(client, query, names):
    text = client.get(f"/{query}").text
    page = Page(text)
    cards = page.having("data-station")
    free = sum(one["data-status"] == "AVAILABLE" for one, _ in page.having("data-bay"))

    assert len(cards) == names
    assert f"{names} station" in text
    assert page.having("data-all-free")[0][1] == str(free)


def test_d3_active_filters_are_cleared_by_one_link(client):
    assert Page(client.get("/").text).having("data-clear") == []
    for query in ("?free=1", "?q=x", "?power=7", "?standard=CHADEMO", "?lat=56&lon=-3"):
        clear = Page(client.get(f"/{query}").text).having("data-clear")
        assert clear
        assert {one["href"] for one, _ in clear} == {"/"}


def test_the_form_says_what_the_address_says(client):
    page = Page(client.get("/?q=ice&standard=CHADEMO&power=50&free=1").text)
    chosen = {one["value"] for one, _ in page.having("selected")}

    assert page.having("name", "q")[0][0]["value"] == "ice"
    assert {"CHADEMO", "50"} <= chosen
    assert "checked" in page.having("name", "free")[0][0]


def test_more_stations_than_a_page_holds_are_on_the_next(client, parts):
    now = parts.clock.now()
    parts.found = [
        a_station(f"s-{number:03}", [a_bay(f"s-{number:03}", 1, "free", now)], now)
        for number in range(130)
    ]
    seen: list[str] = []
    path = "/?power=7"
    while path:
        page = Page(client.get(path).text)
        seen += [one["data-station"] for one, _ in page.having("data-station")]
        path = next((one["href"] for one, said in page.tags("a") if said == "More stations"), "")

    assert seen == [one.station_id for one in parts.found]


def test_the_map_has_every_station_that_matches_not_only_the_listed(client, parts):
    now = parts.clock.now()
    parts.found = [
        a_station(f"s-{number:04}", [a_bay(f"s-{number:04}", 1, "free", now)], now)
        for number in range(1_200)
    ]
    rows = client.get("/map/stations.json").json()["stations"]

    assert [row[0] for row in rows] == [one.station_id for one in parts.found]
    assert rows[0][4:] == [1, 1, "AVAILABLE"]


def test_the_map_shows_nothing_stale_as_free(client, parts):
    parts.found = [
        replace(one, bays=[replace(bay, valid_until=None) for bay in one.bays])
        for one in parts.found
    ]

    assert {row[6] for row in client.get("/map/stations.json").json()["stations"]} == {"UNKNOWN"}
    assert client.get("/map/stations.json?free=1").json()["stations"] == []


def test_what_chargers_and_people_wrote_is_never_markup(client, parts):
    evil = "<script>alert(1)</script>\"'"
    station = parts.found[0]
    bays = [replace(bay, name=evil, reason=evil) for bay in station.bays]
    parts.found[0] = replace(station, name=evil, address=evil, operator=evil, bays=bays)
    for path in ("/", f"/stations/{station.station_id}", f"/?q={evil}"):
        assert "<script>alert" not in client.get(path).text


def test_reasons_are_said_in_the_readers_language(client):
    text = client.get("/stations/dundee-greenmarket?lang=de").text

    assert "Ein Auto lädt." in text
    assert "A car is charging." not in Page(text).having("data-reason")[1][1]


def test_filters_make_addresses_without_what_is_at_rest():
    assert Filters().address() == "/"
    assert Filters(q="a b", free=True).address(after="x") == "/?q=a+b&free=1&after=x"
    assert Filters(lat=56.4, lon=-3.0, radius=800).address() == "/?lat=56.4&lon=-3.0&radius=800"


def test_the_area_to_follow_holds_all_that_is_listed(parts):
    south, west, north, east = map(float, Shown(parts.found, None).area.split(","))

    assert all(south < one.latitude < north for one in parts.found)
    assert all(west < one.longitude < east for one in parts.found)
    assert Shown([], None).area == ""
