"""A driver's history: what a filter lets through is what is listed, counted, summed up and printed."""

import csv
import io
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from babel.messages.pofile import read_po

from cloud.adapters.sql import tables
from cloud.domain.access import Role, Viewer
from cloud.domain.carbon import Factors
from cloud.domain.errors import NotValid
from cloud.domain.periods import Period
from cloud.domain.sessions import SessionState
from cloud.services import session_papers, sessions
from cloud.services.session_asks import SessionAsk
from cloud.services.session_papers import PERIOD, STATE
from cloud.services.texts import LANGUAGES, SOURCE_LANGUAGE
from tests.cloud.builders import STATION
from tests.cloud.services.rig import DRIVER, MAINTAINER, OWNER
from tests.cloud.services.test_receipt_papers import words_of

ME = Viewer(DRIVER, Role.DRIVER)
STRANGER = Viewer("u-else", Role.DRIVER)
OWNING = Viewer(OWNER, Role.OWNER)
STAFF = Viewer(MAINTAINER, Role.MAINTENANCE)
FAR = f"{STATION}-2"


def charge(session_id, started_at, **more):
    known = {
        "id": session_id,
        "station_id": STATION,
        "charger_id": "DD-GREEN-01",
        "user_id": DRIVER,
        "state": "ended",
        "started_at": started_at,
        "ended_at": started_at + timedelta(hours=1),
        "end_reason": "Local",
        "energy_wh": 20_000,
        "export_wh": 0,
        "currency": "GBP",
        "price_per_kwh_minor": 50,
        "cost_minor": 1_000,
    }
    return known | more


def at(*when):
    return datetime(*when, tzinfo=UTC)


@pytest.fixture
def rig(big_rig):
    """Two stations: one in Dundee, one in Sydney, eleven hours ahead; it is noon of 1 March."""
    big_rig.execute(f"UPDATE stations SET timezone = 'Europe/London' WHERE id = '{STATION}'")
    big_rig.execute(f"UPDATE stations SET timezone = 'Australia/Sydney' WHERE id = '{FAR}'")
    big_rig.insert(
        tables.sessions,
        charge("march", at(2026, 3, 1, 8)),
        # the last minute of February in Dundee
        charge("february", at(2026, 2, 28, 23, 59)),
        # 1 March already, in Sydney
        charge("sydney", at(2026, 2, 28, 14), station_id=FAR, currency="AUD", cost_minor=2_500),
        charge("new year", at(2026, 1, 1), export_wh=5_000),
        charge("old", at(2025, 12, 31, 23, 59)),
        charge(
            "live", at(2026, 3, 1, 11), state="charging", ended_at=None, energy_wh=0, cost_minor=0
        ),
        charge("another's", at(2026, 3, 1, 9), user_id="u-else"),
    )
    return big_rig


CASES = [
    ({}, ["live", "march", "february", "sydney", "new year", "old"]),
    ({"period": Period.THIS_MONTH}, ["live", "march", "sydney"]),
    ({"period": Period.LAST_MONTH}, ["february"]),
    ({"period": Period.THIS_YEAR}, ["live", "march", "february", "sydney", "new year"]),
    ({"period": Period.LAST_YEAR}, ["old"]),
    ({"first_day": date(2026, 3, 1)}, ["live", "march", "sydney"]),
    ({"last_day": date(2026, 2, 28)}, ["february", "new year", "old"]),
    ({"first_day": date(2026, 2, 28), "last_day": date(2026, 2, 28)}, ["february"]),
    ({"station_id": FAR}, ["sydney"]),
    ({"station_id": "nowhere"}, []),
    ({"state": SessionState.CHARGING}, ["live"]),
    ({"state": SessionState.ENDED, "period": Period.THIS_MONTH}, ["march", "sydney"]),
    ({"is_live": True}, ["live"]),
    ({"is_live": False, "station_id": STATION, "period": Period.THIS_MONTH}, ["march"]),
]


@pytest.mark.parametrize(("ask", "expected"), CASES)
def test_d12_a_filter_lets_the_same_through_everywhere(rig, ask, expected):
    ask = SessionAsk(**ask)
    listed = [one.session_id for one in rig.sessions.list(ME, ask).sessions]
    totals = rig.sessions.totals(ME, ask)
    table = list(csv.DictReader(io.StringIO(rig.sessions.csv(ME, ask))))

    assert listed == expected
    assert [row["session_id"] for row in table] == expected
    assert totals.sessions == len(expected)
    assert totals.energy_wh == sum(int(row["energy_wh"]) for row in table)
    assert totals.co2.saved_g == sum(int(row["co2_saved_g"]) for row in table)
    assert {one.currency for one in totals.amounts} == {row["currency"] for row in table}


def test_totals_are_of_the_filter_and_not_of_the_page(rig):
    page = rig.sessions.list(ME, limit=2)
    rest = rig.sessions.list(ME, limit=200, cursor=page.next_cursor)
    totals = rig.sessions.totals(ME)

    assert [len(page.sessions), len(rest.sessions), totals.sessions] == [2, 4, 6]
    assert [(one.currency, one.amount_minor) for one in totals.amounts] == [
        ("AUD", 2_500),
        ("GBP", 4_000),
    ]
    assert (totals.energy_wh, totals.export_wh, totals.co2.driven_wh) == (100_000, 5_000, 95_000)
    # five eighths of a gram by the watt-hour
    assert totals.co2.saved_g == 59_375


def test_charges_of_one_instant_are_each_on_one_page(rig):
    rig.insert(tables.sessions, *(charge(f"same-{one}", at(2024, 5, 1)) for one in range(5)))
    ask, cursor, seen = SessionAsk(last_day=date(2024, 12, 31)), None, []
    while True:
        page = rig.sessions.list(ME, ask, limit=2, cursor=cursor)
        seen += [one.session_id for one in page.sessions]
        cursor = page.next_cursor
        if cursor is None:
            break

    assert seen == [f"same-{one}" for one in (4, 3, 2, 1, 0)]


@pytest.mark.parametrize(
    ("viewer", "count", "stations"), [(ME, 6, 2), (STRANGER, 1, 1), (OWNING, 7, 3), (STAFF, 7, 3)]
)
def test_totals_are_of_what_the_viewer_may_see(rig, viewer, count, stations):
    assert rig.sessions.totals(viewer).sessions == count
    assert len(rig.sessions.stations(viewer)) == stations


def test_another_owner_sees_nothing_of_it(rig):
    rival = Viewer("u-rival", Role.OWNER)

    assert rig.sessions.totals(rival).sessions == 0
    assert rig.sessions.stations(rival) == []


@pytest.mark.parametrize(
    "ask",
    [
        SessionAsk(first_day=date(2026, 3, 2), last_day=date(2026, 3, 1)),
        SessionAsk(first_day=date(1, 1, 1)),
        SessionAsk(last_day=date(9999, 12, 31)),
        SessionAsk(period=Period.THIS_MONTH, first_day=date(2026, 3, 1)),
    ],
)
def test_what_cannot_be_meant_is_refused(rig, ask):
    for asked in (rig.sessions.list, rig.sessions.totals, rig.sessions.csv):
        with pytest.raises(NotValid):
            asked(ME, ask)


# --- on paper ---------------------------------------------------------------------------------------


def test_a_table_tells_instants_by_the_stations_clock_and_holds_no_formula(rig):
    rig.execute(f"UPDATE stations SET name = '=cmd' WHERE id = '{FAR}'")
    text = rig.sessions.csv(ME, SessionAsk(station_id=FAR))
    (row,) = csv.DictReader(io.StringIO(text))

    assert text.count("\r\n") == 2
    assert row["station"] == "'=cmd"
    assert row["started_at"] == "2026-03-01T01:00:00+11:00"
    assert (row["amount"], row["currency"]) == ("25.00", "AUD")


def test_figures_stay_figures_in_a_table(rig):
    dirty = Factors(combustion_g_per_km=100, grid_g_per_kwh=900)
    service = replace(rig.sessions, factors=dirty)
    (row,) = csv.DictReader(io.StringIO(service.csv(ME, SessionAsk(station_id=FAR))))

    assert row["co2_saved_g"] == "-8000"


def test_a_statement_says_what_was_asked_and_what_it_comes_to(rig):
    ask = SessionAsk(period=Period.THIS_MONTH, station_id=STATION, state=SessionState.ENDED)
    said = words_of(rig.sessions.pdf(ME, "en", ask))

    for words in (
        "This month: 1 Mar 2026 \u2013 31 Mar 2026",
        "Green Market",
        "Finished",
        f"{DRIVER} <{DRIVER}@bays.example>",
        "1 Mar 2026, 08:00",
        "20.00 kWh",
        "\xa310.00",
        "12.5 kg",
        "167 g/km",
    ):
        assert words in said


def test_a_statement_speaks_german(rig):
    said = words_of(rig.sessions.pdf(ME, "de", SessionAsk(is_live=True)))

    for words in ("Ladevorgänge", "Laufend", "CO2 gespart", "Summe", "0,00 kWh"):
        assert words in said


def test_a_long_statement_names_its_columns_on_each_page(rig):
    rig.insert(
        tables.sessions, *(charge(f"many-{one}", at(2024, 5, 1 + one % 28)) for one in range(80))
    )
    paper = rig.sessions.pdf(ME, "en", SessionAsk(last_day=date(2024, 12, 31)))

    pages = paper.count(b"/Type /Page\n")
    assert pages > 2
    assert words_of(paper).count("Began") == pages


def test_more_than_a_paper_holds_is_refused_and_not_cut_short(rig, monkeypatch):
    monkeypatch.setattr(sessions, "MOST_LINES", 5)
    monkeypatch.setattr(sessions, "MOST_ROWS", 5)

    for made in (lambda: rig.sessions.csv(ME), lambda: rig.sessions.pdf(ME, "en")):
        with pytest.raises(NotValid):
            made()
    assert rig.sessions.pdf(ME, "en", SessionAsk(is_live=False)).startswith(b"%PDF-")


@pytest.mark.parametrize("language", [one for one in LANGUAGES if one != SOURCE_LANGUAGE])
def test_every_word_is_translated_and_nothing_else(language):
    with (session_papers.CATALOGUES / f"{language}.po").open("rb") as source:
        catalogue = {one.id: one.string for one in read_po(source) if one.id}

    assert set(catalogue) == {*PERIOD.values(), *STATE.values(), *session_papers.WORDS}
    assert all(catalogue.values())
    assert (set(PERIOD), set(STATE)) == (set(Period), set(SessionState))
