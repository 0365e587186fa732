"""Calendars as other programs read them (RFC 5545)."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from dateutil.tz import tzical
from icalendar import Calendar

from cloud.domain.reservations import Status
from cloud.domain.stations import Station
from cloud.services.calendar_files import Places, calendar_of, timezone_of
from tests.cloud.builders import BAY, STATION, a_reservation

LONDON = Station(
    id=STATION,
    name="Green Market",
    address="Greenmarket 1",
    city="Dundee",
    latitude=56.4572,
    longitude=-2.9716,
    timezone="Europe/London",
)
SUMMER = datetime(2026, 7, 5, 12, tzinfo=UTC)


def places(**more) -> Places:
    return Places(**({"stations": {STATION: LONDON}, "bay_names": {BAY: "Bay 3"}} | more))


def written(*reservations, places_=None, language="en") -> bytes:
    return calendar_of(
        reservations,
        places_ or places(),
        public_url="https://bays.example",
        language=language,
    )


def events(content: bytes):
    return list(Calendar.from_ical(content).walk("VEVENT"))


def test_a_reservation_is_an_event_where_and_when_it_is():
    (event,) = events(
        written(a_reservation(starts_at=SUMMER, ends_at=SUMMER + timedelta(hours=1), number=17))
    )

    assert event["UID"] == "r-1@bays.example"
    assert event["SUMMARY"] == "Charging: bay 3, Green Market"
    assert event["LOCATION"] == "Green Market, Greenmarket 1, Dundee"
    assert event["URL"] == f"https://bays.example/stations/{STATION}"
    assert event["DTSTART"].params["TZID"] == "Europe/London"
    assert event["DTSTART"].dt == SUMMER
    assert event["DTEND"].dt == SUMMER + timedelta(hours=1)
    assert event["DESCRIPTION"].startswith("Reservation 17: kept for you, not paid yet\n")


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (Status.HELD, "TENTATIVE"),
        (Status.BOOKED, "CONFIRMED"),
        (Status.ARRIVED, "CONFIRMED"),
        (Status.CHARGING, "CONFIRMED"),
        (Status.FINISHED, "CONFIRMED"),
        (Status.OVERSTAYING, "CONFIRMED"),
        (Status.FULFILLED, "CONFIRMED"),
        (Status.NO_SHOW, "CONFIRMED"),
        (Status.CANCELED, "CANCELLED"),
        (Status.REJECTED, "CANCELLED"),
        (Status.FAILED, "CANCELLED"),
    ],
)
def test_a_status_is_said_in_the_calendars_words(status, said):
    (event,) = events(written(a_reservation(status=status)))

    assert event["STATUS"] == said
    assert event["TRANSP"] == ("TRANSPARENT" if said == "CANCELLED" else "OPAQUE")


def test_a_change_keeps_the_event_and_grows_its_sequence():
    before = events(written(a_reservation(changed_version=3)))[0]
    after = events(written(a_reservation(changed_version=4, status=Status.CANCELED)))[0]

    assert before["UID"] == after["UID"]
    assert (before["SEQUENCE"], after["SEQUENCE"]) == (3, 4)


def test_the_same_reservations_are_the_same_bytes_in_whatever_order():
    one, two = a_reservation(), a_reservation(id="r-2")

    assert written(one, two) == written(two, one)
    assert written(one) != written(two)


def test_no_reservations_are_a_calendar_as_well():
    calendar = Calendar.from_ical(written())

    assert calendar["VERSION"] == "2.0"
    assert calendar["PRODID"]
    assert calendar.walk("VEVENT") == []


def test_each_zone_that_is_used_is_described_and_no_other():
    tokyo = Station(id="tokyo", name="Tokyo", timezone="Asia/Tokyo")
    unused = Station(id="unused", name="Unused", timezone="Europe/Berlin")
    utc = Station(id="utc", name="Utc", timezone="UTC")
    many = places(stations={one.id: one for one in (LONDON, tokyo, unused, utc)})
    content = written(
        a_reservation(),
        a_reservation(id="r-2", station_id="tokyo"),
        a_reservation(id="r-3", station_id="utc"),
        places_=many,
    )
    zones = [str(one["TZID"]) for one in Calendar.from_ical(content).walk("VTIMEZONE")]

    assert zones == ["Asia/Tokyo", "Europe/London"]
    assert b"DTSTART:20260301T131500Z" in content


def test_a_station_that_is_gone_leaves_an_event_all_the_same():
    (event,) = events(written(a_reservation(), places_=Places(stations={}, bay_names={})))

    assert STATION in event["SUMMARY"]
    assert event["DTSTART"].dt == a_reservation().starts_at


def test_german_readers_read_german():
    (event,) = events(written(a_reservation(status=Status.BOOKED), language="de"))

    assert event["SUMMARY"] == "Laden: Platz 3, Green Market"
    assert "gebucht" in event["DESCRIPTION"]
    assert events(written(a_reservation(), language="tlh"))[0]["SUMMARY"].startswith("Charging")


EVIL = [
    "Bay\r\nATTENDEE:mailto:all@bays.example",
    "3\nEND:VEVENT\nBEGIN:VALARM",
    "a;b,c:d\\n\\",
    "<script>alert(1)</script>",
    "=cmd|' /C calc'!A0",
    "\N{SNOWMAN}" * 200,
]


@pytest.mark.parametrize("evil", EVIL)
def test_s09_whatever_a_name_holds_it_is_text_of_one_event(evil):
    station = Station(id=STATION, name=evil, address=evil, city=evil, timezone="Europe/London")
    content = written(
        a_reservation(), places_=Places(stations={STATION: station}, bay_names={BAY: evil})
    )
    calendar = Calendar.from_ical(content)
    usual = {name for name, _ in events(written(a_reservation()))[0].property_items()}
    (event,) = calendar.walk("VEVENT")

    assert {name for name, _ in event.property_items()} == usual
    assert calendar.walk("VALARM") == []
    assert all(len(line) <= 75 for line in content.split(b"\r\n"))
    assert "\n" not in event["SUMMARY"]


# --- the night the clocks are put back -------------------------------------------------------------


def read(content: bytes) -> tuple[datetime, datetime]:
    """Read the one event's times as RFC 5545, 3.3.5, has them read: what is twice is the first."""
    (event,) = events(content)
    return tuple(event[name].dt.replace(fold=0).astimezone(UTC) for name in ("DTSTART", "DTEND"))


def at_night(hour, minute=0, zone="Europe/London", **lasts):
    starts_at = datetime(2026, 10, 25, hour, minute, tzinfo=UTC)
    ends_at = starts_at + timedelta(**(lasts or {"hours": 1}))
    station = replace(LONDON, timezone=zone)
    content = written(
        a_reservation(starts_at=starts_at, ends_at=ends_at),
        places_=places(stations={STATION: station}),
    )
    return content, (starts_at, ends_at)


def test_d13_an_hour_the_clock_shows_twice_is_not_read_an_hour_early():
    content, meant = at_night(1)

    assert read(content) == meant
    assert b"DTSTART:20261025T010000Z" in content


def test_d13_no_event_ends_before_it_begins():
    content, meant = at_night(0, 30, minutes=45)

    assert read(content) == meant
    assert b"DTSTART:20261025T003000Z" in content


@pytest.mark.parametrize("zone", ["Europe/London", "Europe/Berlin"])
@pytest.mark.parametrize("month_day", [(10, 25), (3, 29)])
def test_d13_a_whole_night_of_the_change_is_read_as_it_was_meant(zone, month_day):
    stations = {STATION: replace(LONDON, timezone=zone)}
    first = datetime(2026, *month_day, tzinfo=UTC) - timedelta(hours=3)
    quarters = [first + timedelta(minutes=15 * number) for number in range(28)]
    meant = {
        f"r-{number}-{length}": (at, at + timedelta(minutes=15 * length))
        for number, at in enumerate(quarters)
        for length in (1, 4, 10)
    }
    content = written(
        *(a_reservation(id=name, starts_at=at, ends_at=end) for name, (at, end) in meant.items()),
        places_=places(stations=stations),
    )
    read_ = {
        event["UID"].split("@")[0]: (
            event["DTSTART"].dt.replace(fold=0).astimezone(UTC),
            event["DTEND"].dt.replace(fold=0).astimezone(UTC),
        )
        for event in events(content)
    }

    assert read_ == meant
    assert f"TZID={zone}".encode() in content


# --- zones -----------------------------------------------------------------------------------------


ZONES = [
    "Europe/London",
    "Europe/Berlin",
    "America/New_York",
    "America/St_Johns",
    "Australia/Lord_Howe",
    "Africa/Casablanca",
    "Asia/Kolkata",
]


def described(name: str) -> bytes:
    zone = timezone_of(name, date(2026, 1, 1), date(2028, 1, 1))
    calendar = Calendar()
    calendar.add("prodid", "x")
    calendar.add("version", "2.0")
    calendar.add_component(zone)
    return calendar.to_ical()


@pytest.mark.parametrize("name", ZONES)
def test_another_library_reads_the_offsets_the_zone_has(name):
    read = tzical(StringIO(described(name).decode().replace("\r\n", "\n"))).get(name)
    real = ZoneInfo(name)
    wrong = []
    for quarter in range(0, 2 * 365 * 24 * 4, 3):
        wall = datetime(2026, 1, 2) + timedelta(minutes=15 * quarter)  # noqa: DTZ001 - a wall's
        known = wall.replace(tzinfo=real)
        is_there = known.astimezone(UTC).astimezone(real).replace(tzinfo=None) == wall
        is_twice = known.utcoffset() != known.replace(fold=1).utcoffset()
        if is_there and not is_twice and wall.replace(tzinfo=read).utcoffset() != known.utcoffset():
            wrong.append(wall)

    assert wrong == []


@pytest.mark.parametrize(
    ("name", "onsets"),
    [
        ("Europe/Berlin", [b"20260329T020000", b"20261025T030000"]),
        ("Europe/London", [b"20260329T010000", b"20261025T020000"]),
        ("America/New_York", [b"20260308T020000", b"20261101T020000"]),
    ],
)
def test_an_onset_is_told_by_the_clock_as_it_was_before(name, onsets):
    content = described(name)

    assert [one for one in onsets if b"DTSTART:" + one not in content] == []


@pytest.mark.parametrize("name", ZONES)
def test_each_change_begins_with_the_offset_the_one_before_ended_with(name):
    (zone,) = Calendar.from_ical(described(name)).walk("VTIMEZONE")
    parts = zone.subcomponents

    assert all(one["TZOFFSETTO"].td == other["TZOFFSETFROM"].td for one, other in pairwise(parts))
    assert len(parts) == (1 if name == "Asia/Kolkata" else 5)
