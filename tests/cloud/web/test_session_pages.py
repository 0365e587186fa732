"""Charges: while they run, and their receipts."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from cloud.web.sessions import curve
from tests.cloud.web.reading import Page

LIVE = "/sessions/5f0d8a6be5b94c1e9d8a4b6b2f0c7a11"
ENDED = "/sessions/0b6f5b1d2c3e4f5a8b7c6d5e4f3a2b1c"


def fields(text: str) -> dict[str, str]:
    return {one["data-field"]: said for one, said in Page(text).having("data-field")}


def change(parts, index: int, **changes) -> None:
    owner, detail = parts.held[index]
    parts.held[index] = (owner, replace(detail, session=replace(detail.session, **changes)))


def test_d7_the_live_card_tells_everything(signed_in, parts):
    change(parts, 0, power_w=41_300.0, energy_wh=14_620, cost_minor=366, soc_pct=63.4)
    text = signed_in("driver").get(LIVE).text
    shown = fields(text)

    assert shown["power"] == "41.3"
    assert shown["energy"] == "14.62 kWh"
    assert shown["cost"] == "\xa33.66"
    assert shown["soc"] == "63 %"
    assert shown["elapsed"] == "23:12"
    assert shown["as-of"].startswith("as of ")
    assert "\xa30.25 per kWh, fixed when the charge began" in text


def test_d7_what_was_not_reported_is_not_shown_as_zero(signed_in, parts):
    change(parts, 0, power_w=None, soc_pct=None, expected_end_at=None)
    text = signed_in("driver").get(LIVE).text
    shown = fields(text)

    assert shown["soc"] == "not reported"
    assert shown["power"] == "\u2013"
    assert shown["end"] == "\u2013"


def test_what_a_car_gave_back_is_shown_where_it_gave_any(signed_in, parts):
    driver = signed_in("driver")
    without = [driver.get(page).text for page in (LIVE, ENDED)]
    change(parts, 0, export_wh=2_500)
    change(parts, 1, export_wh=3_250)
    live, over = (driver.get(page).text for page in (LIVE, ENDED))

    hidden = [one for one, _ in Page(without[0]).having("data-given-back") if "hidden" in one]
    assert (len(hidden), "Given back" in without[1]) == (1, False)
    assert fields(live)["export"] == "2.50 kWh"
    assert not [one for one, _ in Page(live).having("data-given-back") if "hidden" in one]
    assert "<dt>Given back</dt><dd>3.25 kWh</dd>" in over


def test_a_finished_charge_is_a_receipt(signed_in):
    text = signed_in("driver").get(ENDED).text

    assert "Charge finished" in text
    assert "23.41 kWh" in text
    assert "\xa35.85" in text
    assert "unplugging" in text
    assert 'data-live-session="0"' in text


def test_the_curve_has_gaps_where_power_was_not_reported(parts):
    _, detail = parts.held[0]
    silent = replace(detail.samples[0], power_w=None)
    points = curve(replace(detail, samples=[silent, detail.samples[1]]))

    assert points[0][1] is None
    assert points[1][1] == round(detail.samples[1].power_w / 1000, 2)
    assert points[0][0] == int(silent.at.timestamp())


def test_a_charge_of_another_is_not_there(signed_in):
    assert signed_in("owner").get(LIVE).status_code == 404


def test_running_charges_are_listed_first(signed_in, parts):
    parts.held.reverse()
    page = Page(signed_in("driver").get("/sessions").text)
    links = [one["href"] for one, _ in page.tags("a") if one["href"].startswith("/sessions/")]

    assert links == [LIVE, ENDED]


def test_who_has_not_charged_is_shown_the_way(signed_in, parts):
    parts.held.clear()

    assert "No charges yet" in signed_in("driver").get("/sessions").text


def test_times_are_those_of_the_station(signed_in, parts):
    started_at = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)
    change(parts, 1, started_at=started_at, ended_at=started_at + timedelta(hours=1))
    client = signed_in("driver")

    assert "1 Jul 2026, 13:00" in client.get("/sessions").text
    assert "13:00 &ndash; 14:00" in client.get(ENDED).text


# --- the filter -------------------------------------------------------------------------------------


def many(parts, number: int) -> None:
    """Have the driver charge once a week, back from the finished charge."""
    owner, detail = parts.held[1]
    for week in range(1, number + 1):
        at = detail.session.started_at - timedelta(weeks=week)
        session = replace(
            detail.session,
            session_id=f"week-{week}",
            started_at=at,
            ended_at=at + timedelta(hours=1),
            energy_wh=10_000,
            cost_minor=250,
        )
        parts.held.append((owner, replace(detail, session=session)))


def listed(text: str) -> list[str]:
    links = [one["href"] for one, _ in Page(text).tags("a")]
    return [one.removeprefix("/sessions/") for one in links if one.startswith("/sessions/")]


def test_d12_counts_and_totals_are_of_the_filter_and_not_of_the_page(signed_in, parts):
    many(parts, 60)
    client = signed_in("driver")
    first = client.get("/sessions?state=ended").text
    (more,) = [one["href"] for one, _ in Page(first).tags("a") if "after=" in one["href"]]
    second = client.get(more).text

    assert (len(listed(first)), len(listed(second))) == (50, 11)
    assert "state=ended" in more
    for text in (first, second):
        assert "61 charges" in text
        # 23.41 kWh and sixty times ten
        assert "623.41 kWh" in text
        assert "\xa3155.85" in text
        assert "389.6 kg" in text


def test_the_method_and_its_factors_stand_beside_the_figure(signed_in):
    client = signed_in("driver")

    for page in ("/sessions", ENDED):
        text = client.get(page).text
        for words in ("CO\u2082 saved", "20 kWh", "167 g/km", "210 g/kWh"):
            assert words in text


def test_an_active_filter_can_be_cleared_and_one_at_rest_need_not(signed_in):
    client = signed_in("driver")
    active, at_rest = (client.get(page).text for page in ("/sessions?state=ended", "/sessions"))

    assert [one["href"] for one, _ in Page(active).tags("a") if one.get("class") == "clear"] == [
        "/sessions"
    ]
    assert "Clear filters" not in at_rest


def test_the_filter_is_in_the_address_and_in_what_is_downloaded(signed_in):
    query = "period=this_year&station_id=dundee-greenmarket&state=running"
    page = Page(signed_in("driver").get(f"/sessions?{query}").text)
    links = [one["href"] for one, _ in page.tags("a")]
    chosen = {one["value"] for one, _ in page.tags("option") if "selected" in one}

    api = "period=this_year&station_id=dundee-greenmarket&live=true"
    assert f"/api/v1/sessions.csv?{api}" in links
    assert f"/api/v1/sessions.pdf?{api}&lang=en" in links
    assert "/sessions?period=last_month&station_id=dundee-greenmarket&state=running" in links
    assert chosen == {"dundee-greenmarket", "running"}


def test_days_that_are_named_win_over_a_period_left_from_before(signed_in, parts):
    many(parts, 60)
    text = signed_in("driver").get("/sessions?period=this_month&to=2020-01-01&from=").text

    assert "0 charges" in text
    assert "No charges of this kind" in text


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("from=2026-05-02&to=2026-05-01", "from"),
        ("from=yesterday", "from"),
        ("to=2026-02-30", "to"),
        ("to=9999-12-31", "to"),
    ],
)
def test_days_that_cannot_be_meant_are_said_beside_the_form(signed_in, query, field):
    answer = signed_in("driver").get(f"/sessions?{query}")
    wrong = [one["name"] for one, _ in Page(answer.text).tags("input") if "aria-invalid" in one]

    assert answer.status_code == 422
    assert wrong == [field]
    assert "Clear filters" in answer.text
    assert listed(answer.text) == []


def test_whatever_else_is_not_understood_is_at_rest(signed_in):
    text = signed_in("driver").get("/sessions?state=broken&period=for_ever").text

    assert "2 charges" in text
    assert "Clear filters" not in text


def test_receipts_and_payments_are_a_step_away(signed_in):
    client = signed_in("driver")

    assert 'href="/receipts"' in client.get("/sessions").text
    assert 'href="/api/v1/transactions.csv"' in client.get("/receipts").text


def test_the_filter_speaks_german(signed_in):
    text = signed_in("driver").get("/sessions?period=this_year&lang=de").text

    for words in ("Dieses Jahr", "CO\u2082 gespart", "Filter", "g/kWh f\xfcr die Erzeugung"):
        assert words in text
