"""A reservation's page, from the code to the receipt; and the list of them."""

from dataclasses import replace
from datetime import timedelta

import pytest

from cloud.domain.errors import IllegalTransition
from cloud.domain.windows import ceiling, floor
from tests.cloud.web.booking_fakes import CODE, HOUR, a_reservation, an_offer
from tests.cloud.web.reading import Page

BOOKED, CODED, PAYABLE = "/reservations/r1", "/reservations/r2", "/reservations/r3"
CHARGING, OVERSTAYING, ENDANGERED = "/reservations/r4", "/reservations/r5", "/reservations/r6"
NO_SHOW, DONE = "/reservations/r8", "/reservations/r9"
EACH = [BOOKED, CODED, PAYABLE, CHARGING, OVERSTAYING, ENDANGERED, NO_SHOW, DONE]


def actions(text: str) -> list[str]:
    """Return where the page's forms go."""
    page = Page(text)
    return [
        one["action"] for one, _ in page.tags("form") if one["action"].startswith("/reservations")
    ]


def heading(text: str) -> str:
    return Page(text).tags("h1")[0][1]


@pytest.mark.parametrize("path", EACH)
def test_a_reservation_is_its_drivers_alone(signed_in, client, path):
    assert client.get(path).headers["location"].startswith("/login?next=/reservations/")
    assert signed_in("maintenance").get(path).status_code == 404


@pytest.mark.parametrize("path", EACH)
@pytest.mark.parametrize("language", ["en", "de"])
def test_every_reservation_can_be_shown_in_every_language(signed_in, path, language):
    answer = signed_in("driver").get(f"{path}?lang={language}")

    assert answer.status_code == 200
    assert "{{" not in answer.text


def test_the_owner_sees_a_reservation_and_cannot_act_in_its_drivers_place(signed_in):
    text = signed_in("owner").get(PAYABLE).text

    assert heading(text) == "Pay, and it is yours"
    assert actions(text) == []


# --- the code ----------------------------------------------------------------------------------------


def test_d4_a_hold_counts_down_by_the_servers_clock(signed_in, parts):
    text = signed_in("driver").get(CODED).text
    [(countdown, shown)] = Page(text).having("data-countdown")
    held_until = parts.reservations.kept["r2"].held_until

    assert countdown["datetime"] == held_until.isoformat().replace("+00:00", "Z")
    assert shown == "10:00" or "9:30" <= shown <= "9:59"
    assert heading(text) == "Confirm with your code"


def test_d6_the_code_is_asked_for_as_phones_fill_it_in(signed_in):
    [(field, _)] = Page(signed_in("driver").get(CODED).text).having("name", "code")

    assert field["autocomplete"] == "one-time-code"
    assert field["inputmode"] == "numeric"


@pytest.mark.parametrize("typed", [CODE, "402 913", " 402-913 "])
def test_d6_the_right_code_leads_to_paying_however_it_is_written(signed_in, typed):
    client = signed_in("driver")
    answer = client.post(f"{CODED}/confirmation", data={"code": typed})

    assert answer.headers["location"] == CODED
    assert heading(client.get(CODED).text) == "Pay, and it is yours"


def test_d6_a_wrong_code_says_how_many_tries_are_left_and_the_last_ends_it(signed_in):
    client = signed_in("driver")
    said = [client.post(f"{CODED}/confirmation", data={"code": "000000"}).text for _ in range(5)]

    assert [f"{left} tries left." in text for left, text in zip((4, 3, 2), said, strict=False)] == [
        True,
        True,
        True,
    ]
    assert "1 try left." in said[3]
    assert "too often" in said[4]
    assert heading(said[4]) == "Not booked"
    assert "The code was wrong too often." in client.get(CODED).text


def test_d6_what_is_no_code_costs_no_try(signed_in, parts):
    answer = signed_in("driver").post(f"{CODED}/confirmation", data={"code": "12345"})

    assert answer.status_code == 422
    assert "The code has 6 digits." in answer.text
    assert parts.otps.tries_left == 5


def test_d6_a_new_code_is_sent_and_says_where_to_or_when(signed_in):
    client = signed_in("driver")
    sent = client.post(f"{CODED}/code", data={"key": "a"})
    refused = client.post(f"{CODED}/code", data={"key": "b"})

    assert "A new code is on its way to d***@baywatt.example." in sent.text
    assert refused.status_code == 429
    assert "in 23 seconds" in refused.text


# --- paying ------------------------------------------------------------------------------------------


def test_without_a_card_a_test_card_is_saved_and_paid_with_in_one_tap(signed_in, parts):
    client = signed_in("driver")
    page = Page(client.get(PAYABLE).text)
    means = {one["value"]: "checked" in one for one, _ in page.having("name", "means")}
    answer = client.post(f"{PAYABLE}/payment", data={"means": "new:card_ok"})
    text = client.get(PAYABLE).text

    assert means["new:card_ok"]
    assert answer.headers["location"] == PAYABLE
    assert [one.method_id for one in parts.payments.cards] == ["card_ok"]
    assert heading(text) == "Booked"


def test_a_saved_card_is_chosen_already_and_a_wallet_only_if_it_suffices(signed_in, parts):
    parts.payments.save(None, "card_ok")
    parts.payments.balance_minor = 699
    client = signed_in("driver")

    def means() -> dict[str, dict[str, str]]:
        page = Page(client.get(PAYABLE).text)
        return {one["value"]: one for one, _ in page.having("name", "means")}

    assert "checked" in means()["card_ok"]
    assert "disabled" in means()["wallet"]
    parts.payments.balance_minor = 700
    assert "disabled" not in means()["wallet"]
    client.post(f"{PAYABLE}/payment", data={"means": "wallet"})
    assert heading(client.get(PAYABLE).text) == "Booked"


def test_a_booking_whose_money_is_gone_can_be_paid_for_another_way(signed_in, parts):
    client = signed_in("driver")
    client.post(f"{PAYABLE}/payment", data={"means": "new:card_ok"})
    (made,) = parts.payments.made
    paid = Page(client.get(PAYABLE).text)
    parts.payments.made[:] = [replace(made, state="declined", why="There is not enough money.")]
    page = Page(client.get(PAYABLE).text)

    assert paid.having("name", "means") == []
    assert {one["value"] for one, _ in page.having("name", "means")} > {"new:card_ok"}
    assert "There is not enough money." in client.get(PAYABLE).text


def test_a_declined_payment_keeps_the_bay_and_says_so(signed_in):
    client = signed_in("driver")
    answer = client.post(f"{PAYABLE}/payment", data={"means": "new:card_declined"})

    assert answer.status_code == 402
    assert "Your bank declined the payment." in answer.text
    assert "Your bay is still kept" in answer.text
    assert heading(answer.text) == "Pay, and it is yours"
    assert "Your bank declined the payment." in client.get(PAYABLE).text
    client.post(f"{PAYABLE}/payment", data={"means": "new:card_ok"})
    assert "declined" not in client.get(PAYABLE).text


def test_a_bank_that_does_not_answer_is_waited_for(signed_in, parts):
    parts.payments.is_slow = True
    client = signed_in("driver")
    client.post(f"{PAYABLE}/payment", data={"means": "new:card_ok"})
    text = client.get(PAYABLE).text

    assert heading(text) == "The bank is being asked"
    assert Page(text).having("data-countdown")
    assert f"{PAYABLE}/payment" not in actions(text)


def test_another_gateway_shows_no_test_cards(signed_in, parts):
    parts.payments.provider = "stripe"
    text = signed_in("driver").get(PAYABLE).text

    assert "new:card_ok" not in text
    assert "There is no saved card" in text


def test_a_card_that_is_not_there_is_refused_on_the_page(signed_in):
    answer = signed_in("driver").post(f"{PAYABLE}/payment", data={"means": "of-somebody-else"})

    assert answer.status_code == 422
    assert "There is no such card" in answer.text


def test_a_hold_whose_time_is_over_leads_back_to_choosing(signed_in, parts):
    now = parts.clock.now()
    parts.reservations.change_to("r2", held_until=now)
    text = signed_in("driver").get(CODED).text

    assert heading(text) == "The time is over"
    assert "/stations/dundee-greenmarket/reserve" in text
    assert f"{CODED}/confirmation" not in actions(text)


# --- booked ------------------------------------------------------------------------------------------


def test_a_booking_says_where_when_and_what_happens_if_one_is_late(signed_in, parts):
    text = signed_in("driver").get(BOOKED).text
    late = parts.reservations.kept["r1"].starts_at + timedelta(minutes=15)

    assert "Greenmarket, Dundee" in text
    assert "counts as a no-show and costs \xa33.00" in text
    assert "If you are late: bay 1 is kept until" in text
    assert late.strftime(":%M") in text


def test_canceling_says_what_comes_back_and_does_it(signed_in, parts):
    client = signed_in("driver")
    free = client.get(BOOKED).text
    soon = ceiling(parts.clock.now())
    parts.reservations.change_to("r1", starts_at=soon, ends_at=soon + HOUR)
    late = client.get(BOOKED).text
    answer = client.post(f"{BOOKED}/cancel", data={"key": "c"})

    assert "If you cancel now you pay nothing: the \xa37.00 set aside goes back" in free
    assert "Free of charge until" in free
    assert "If you cancel now you pay \xa30.50; \xa36.50 of what was set aside" in late
    assert answer.headers["location"] == BOOKED
    assert heading(client.get(BOOKED).text) == "Canceled"


def test_a_whole_series_is_canceled_if_it_is_asked_for(signed_in, parts):
    parts.reservations.change_to("r1", series_id="s1")
    client = signed_in("driver")
    assert "Also the later ones of this series" in client.get(BOOKED).text
    client.post(f"{BOOKED}/cancel", data={"whole_series": "true"})

    assert parts.reservations.asked[-1][0] == {"is_whole_series": True}


def test_the_end_is_put_off_by_one_tap(signed_in, parts):
    client = signed_in("driver")
    page = Page(client.get(BOOKED).text)
    ends = [one["value"] for one, _ in page.having("name", "ends_at")]
    before = parts.reservations.kept["r1"]
    client.post(f"{BOOKED}/change", data={"ends_at": ends[0]})
    after = parts.reservations.kept["r1"]

    assert after.ends_at - before.ends_at == timedelta(minutes=30)
    assert after.starts_at == before.starts_at


def test_a_change_that_cannot_be_had_is_said_on_the_page(signed_in, parts):
    parts.reservations.refusal = IllegalTransition("r1")
    form = {"ends_at": "2026-12-01T10:00:00Z"}
    answer = signed_in("driver").post(f"{BOOKED}/change", data=form)

    assert answer.status_code == 409
    assert "The reservation does not allow this any more." in answer.text
    assert heading(answer.text) == "Booked"


def test_one_checks_in_once_the_bay_is_kept(signed_in, parts):
    client = signed_in("driver")
    assert f"{BOOKED}/check-in" not in actions(client.get(BOOKED).text)
    soon = floor(parts.clock.now())
    parts.reservations.change_to("r1", starts_at=soon, ends_at=soon + HOUR)
    text = client.get(BOOKED).text
    assert f"{BOOKED}/check-in" in actions(text)
    assert heading(text) == "Your bay is waiting"
    client.post(f"{BOOKED}/check-in", data={"key": "h"})

    assert heading(client.get(BOOKED).text) == "You are here"


def test_what_is_said_changes_by_the_clock_when_the_page_says(signed_in):
    [(article, _)] = Page(signed_in("driver").get(BOOKED).text).having("data-changes")

    assert article["data-changes"].endswith("Z")


# --- on site and after -------------------------------------------------------------------------------


def test_a_charge_is_one_tap_away(signed_in):
    text = signed_in("driver").get(CHARGING).text

    assert heading(text) == "Your car is charging"
    assert "/sessions/5f0d8a6be5b94c1e9d8a4b6b2f0c7a11" in text
    assert "Free until" in text


def test_an_overstay_shows_its_running_fee(signed_in, parts):
    [(fee, shown)] = Page(signed_in("driver").get(OVERSTAYING).text).having("data-overstay")

    assert shown == "\xa32.60"
    assert fee["data-fee"] == "20"


def test_d10_a_bay_in_danger_is_said_first_and_another_is_one_tap_away(signed_in, parts):
    client = signed_in("driver")
    page = Page(client.get(ENDANGERED).text)
    answer = client.post("/offers/o1/accept", data={"option": "0", "reservation_id": "r6"})
    text = client.get(ENDANGERED).text

    assert page.tags("h1")[0][1] == "Your bay is in danger"
    assert [one["action"] for one, _ in page.tags("form")].count("/offers/o1/accept") == 3
    assert answer.headers["location"] == ENDANGERED
    assert parts.offers.accepted == [0]
    assert "You were moved here from another bay." in text


def test_an_offer_that_is_over_is_said_on_the_page(signed_in, parts):
    parts.offers.open.clear()
    form = {"option": "0", "reservation_id": "r6"}
    answer = signed_in("driver").post("/offers/o1/accept", data=form)

    assert answer.status_code == 409
    assert "This offer is over." in answer.text
    assert "We are looking for another bay for you." in answer.text


def test_something_else_can_be_asked_for(signed_in):
    client = signed_in("driver")
    client.post(f"{BOOKED}/alternatives")

    assert "What you can have instead" in client.get(BOOKED).text


def test_d8_what_is_done_shows_what_was_paid_and_the_receipt(signed_in):
    page = Page(signed_in("driver").get(DONE).text)
    links = {one["href"] for one, _ in page.tags("a")}

    assert page.tags("h1")[0][1] == "Done, thank you"
    assert {
        "/api/v1/receipts/q1.html?lang=en",
        "/api/v1/receipts/q1.pdf?lang=en",
    } <= links
    assert "\xa36.52" in " ".join(said for _, said in page.tags("b"))


def test_what_was_set_aside_and_not_needed_goes_back(signed_in):
    assert (
        "\xa34.00 of what was set aside goes back to you." in signed_in("driver").get(NO_SHOW).text
    )


@pytest.mark.parametrize(
    ("state", "reason", "said"),
    [
        ("rejected", "hold_expired", "not confirmed and paid for in time"),
        ("failed", "bay_lost", "no other bay for you"),
        ("failed", "never_seen", "The station was silent"),
        ("failed", "canceled_by_operator", "operator had to cancel"),
    ],
)
def test_why_it_is_over_is_said(signed_in, parts, state, reason, said):
    parts.reservations.change_to("r1", state=state, reason=reason)

    assert said in signed_in("driver").get(BOOKED).text


# --- the lists ---------------------------------------------------------------------------------------


def test_the_list_has_what_is_to_come_by_its_start_and_what_has_been(signed_in, parts):
    page = Page(signed_in("driver").get("/reservations").text)
    links = [one["href"] for one, _ in page.tags("a")]
    shown = [one for one in links if one.startswith("/reservations/r")]

    assert shown == [f"/reservations/r{one}" for one in (5, 4, 6, 1, 2, 3, 9, 8)]
    assert [said for _, said in page.tags("h2")] == ["Now and coming", "Past"]
    assert "You can choose something else." in " ".join(said for _, said in page.tags("p"))


def test_who_has_booked_nothing_is_shown_the_way(signed_in, parts):
    parts.reservations.kept.clear()

    assert "No bookings yet" in signed_in("driver").get("/reservations").text


def test_times_are_those_of_the_station(signed_in, parts):
    now = parts.clock.now().replace(month=7, day=1, hour=12, minute=0, second=0, microsecond=0)
    summer = replace(a_reservation(now), starts_at=now, ends_at=now + HOUR)
    parts.reservations.put(summer)
    text = signed_in("driver").get(BOOKED).text

    assert "13:00<span>&ndash;</span>14:00" in text


def test_receipts_are_listed_with_page_and_pdf(signed_in):
    text = signed_in("driver").get("/receipts?lang=de").text

    assert "/api/v1/receipts/q1.html?lang=de" in text
    assert "/api/v1/receipts/q1.pdf?lang=de" in text
    assert "6,52" in text


def test_offers_of_another_reservation_are_not_shown_here(signed_in, parts):
    parts.offers.open = [an_offer(parts.clock.now(), reservation_id="r4")]

    assert "What you can have instead" not in signed_in("driver").get(BOOKED).text
