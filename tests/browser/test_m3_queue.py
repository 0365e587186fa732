"""M1 to M4: faults appear by themselves, are taken and resolved in place, and chargers are asked."""

from dataclasses import replace

from tests.browser.conftest import ready
from tests.cloud.web.fakes import an_alert


def raise_alert(house, **changes) -> None:
    alert = an_alert(house.parts.clock.now(), **changes)
    house.parts.queue.append(alert)
    house.send("/api/v1/alerts/", "alert", alert)


def raise_alerts(house, count) -> None:
    """Raise so many at once."""
    now = house.parts.clock.now()
    alerts = [an_alert(now, alert_id=f"n{number}") for number in range(count)]
    house.parts.queue += alerts
    house.send_all("/api/v1/alerts/", [("alert", one) for one in alerts])


def test_m3_a_new_fault_is_on_the_open_screen(open_page, house):
    with open_page("/maintenance", role="maintenance") as page:
        ready(page)
        raise_alert(house, alert_id="new", title="Emergency stop pressed at bay 2")
        page.wait_for_selector("#alert-new")

        assert page.locator(".fault").first.get_attribute("id") == "alert-new"


def test_a_storm_of_faults_is_shown_without_a_storm_of_requests(open_page, house):
    with open_page("/maintenance", role="maintenance") as page:
        ready(page)
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        raise_alerts(house, 50)
        page.wait_for_selector("#alert-n49")

        assert len([url for url in asked if url.endswith("/maintenance")]) <= 5


def test_m2_a_fault_is_taken_and_resolved_in_place(open_page, house):
    with open_page("/maintenance", role="maintenance") as page:
        ready(page)
        page.locator("#alert-a1").get_by_role("button", name="I take it").click()
        page.locator("#alert-a1").get_by_text("Acknowledged").wait_for()
        page.locator("#alert-a1 [name=note]").fill("replaced the cable")
        page.locator("#alert-a1").get_by_role("button", name="Resolved").click()
        page.wait_for_selector("#alert-a1", state="detached")

        assert house.parts.queue[0].status == "resolved"
        assert page.url.endswith("/maintenance")


def test_m2_who_comes_second_is_told_who_was_first(open_page, house):
    with open_page("/maintenance", role="maintenance", may_complain_of="409") as page:
        ready(page)

        def be_faster(request):
            house.parts.queue[0] = replace(first, version=2, acknowledged_by="owner")
            request.continue_()

        first = house.parts.queue[0]
        page.context.route("**/alerts/a1/**", be_faster)
        page.locator("#alert-a1").get_by_role("button", name="I take it").click()
        page.locator("#refused").filter(has_text="Dundee Council was faster").wait_for()


def test_what_is_being_typed_outlives_news(open_page, house):
    with open_page("/maintenance", role="maintenance") as page:
        ready(page)
        page.locator("#alert-a1 [name=note]").fill("half a sent")
        raise_alert(house, alert_id="new", title="Another")
        page.wait_for_selector("#alert-new")
        page.keyboard.type("ence")

        assert page.locator("#alert-a1 [name=note]").input_value() == "half a sentence"


def test_m4_a_charger_is_asked_and_its_answer_shown(open_page, house):
    with open_page("/maintenance/chargers/DUNDEE-GREEN-01", role="maintenance") as page:
        page.get_by_text("Restart gently").click()
        form = page.locator("form[action$='soft-reset']")
        form.get_by_role("button").click()
        assert house.parts.asked == []
        form.get_by_text("Yes, I know who is charging here.").click()
        form.get_by_role("button").click()
        page.locator("#outcome").get_by_text("Accepted:").wait_for()

        assert len(house.parts.asked) == 1
        assert "Restart" in page.locator("#asked").inner_text()


def test_m2_all_of_it_can_be_done_by_keyboard(open_page, house):
    with open_page("/maintenance", role="maintenance") as page:
        ready(page)
        page.locator("#alert-a1").get_by_role("button", name="I take it").focus()
        page.keyboard.press("Enter")
        page.locator("#alert-a1").get_by_text("Acknowledged").wait_for()

        assert house.parts.queue[0].status == "acknowledged"
