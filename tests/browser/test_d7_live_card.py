"""D7: a charge is followed live, through reloads and restarts, to its receipt."""

from dataclasses import replace
from datetime import timedelta

from playwright.sync_api import expect

from tests.browser.conftest import ready
from tests.cloud.web.fakes import House

SESSION = "5f0d8a6be5b94c1e9d8a4b6b2f0c7a11"
PATH = f"/sessions/{SESSION}"


def change(house: House, **changes) -> None:
    """Let the session go on, and tell its viewers."""
    owner, detail = house.parts.held[0]
    now = house.parts.clock.now()
    session = replace(
        detail.session, version=detail.session.version + 1, sampled_at=now, as_of=now, **changes
    )
    house.parts.held[0] = (owner, replace(detail, session=session))
    house.send(f"/api/v1/sessions/{SESSION}/", "session", session)


def field(page, name: str):
    return page.locator(f'[data-field="{name}"]')


def test_d7_figures_follow_the_charge(open_page, house):
    with open_page(PATH, role="driver") as page:
        ready(page)
        change(
            house,
            power_w=22_400.0,
            energy_wh=20_010,
            cost_minor=500,
            soc_pct=77.6,
            expected_end_at=None,
            state="suspended_by_car",
        )
        field(page, "power").filter(has_text="22.4").wait_for()

        assert field(page, "energy").inner_text() == "20.01 kWh"
        assert field(page, "cost").inner_text() == "\xa35.00"
        assert field(page, "soc").inner_text() == "78 %"
        assert field(page, "end").inner_text() == "\u2013"
        assert field(page, "state").inner_text() == "Paused by the car"


def test_d7_what_is_no_longer_reported_is_not_shown_as_it_was(open_page, house):
    with open_page(PATH, role="driver") as page:
        ready(page)
        change(house, power_w=None, soc_pct=None)
        field(page, "soc").filter(has_text="not reported").wait_for()

        assert field(page, "power").inner_text() == "\u2013"
        expect(page.locator("[data-soc-bar]")).not_to_be_visible()


def test_d7_what_the_car_gives_back_is_shown_once_it_gives_any(open_page, house):
    with open_page(PATH, role="driver") as page:
        ready(page)
        expect(field(page, "export")).not_to_be_visible()
        change(house, export_wh=1_500)

        expect(field(page, "export")).to_have_text("1.50 kWh")


def test_d7_elapsed_ticks_between_samples(open_page):
    with open_page(PATH, role="driver") as page:
        ready(page)
        before = field(page, "elapsed").inner_text()
        page.wait_for_function(
            f"() => document.querySelector('[data-field=elapsed]').textContent !== '{before}'"
        )


def test_d7_the_curves_are_drawn_and_grow(open_page, house):
    with open_page(PATH, role="driver") as page:
        ready(page)
        chart = page.locator("#chart canvas")
        chart.wait_for()
        before = chart.evaluate("canvas => canvas.toDataURL()")
        change(house, power_w=2_000.0, energy_wh=25_000)
        page.wait_for_function(
            "before => document.querySelector('#chart canvas').toDataURL() !== before", arg=before
        )


def test_d7_a_restarted_server_is_found_again_with_the_last_event_id(open_page, house):
    with open_page(PATH, role="driver", may_complain_of="ERR_") as page:
        ready(page)
        change(house, power_w=30_000.0)
        field(page, "power").filter(has_text="30").wait_for()
        house.stop()
        page.wait_for_selector('[data-live="offline"]')
        expect(page.locator("#offline-banner")).to_be_visible()
        house.start()
        page.wait_for_selector('[data-live="live"]')

        assert house.feed.resumed[-1].startswith("fake-")
        expect(page.locator("#offline-banner")).not_to_be_visible()
        change(house, power_w=31_000.0)
        field(page, "power").filter(has_text="31").wait_for()


def test_d7_at_the_end_the_page_is_the_receipt(open_page, house):
    with open_page(PATH, role="driver") as page:
        ready(page)
        now = house.parts.clock.now()
        change(
            house,
            is_live=False,
            state="ended",
            ended_at=now,
            energy_wh=30_000,
            cost_minor=750,
            end_reason="Local",
            duration_s=int(timedelta(minutes=40).total_seconds()),
        )
        page.get_by_text("Charge finished").wait_for()

        assert page.get_by_text("\xa37.50").count() >= 1
        assert page.locator("[data-live]").count() == 0


def test_who_is_signed_out_is_asked_who_they_are(open_page, house):
    with open_page(PATH, role="driver", may_complain_of="401") as page:
        ready(page)
        house.parts.secrets.clear()
        house.call(house.feed.hang_up)
        page.wait_for_url("**/login?next=/sessions/*")
