"""A hold is confirmed by the code sent for it, once, by whom it was sent to (S06)."""

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from cloud.adapters.sql import tables
from cloud.domain import otp as codes
from cloud.domain.access import Role, Viewer
from cloud.domain.errors import (
    CodeLocked,
    HoldExpired,
    IllegalTransition,
    KeyReused,
    NotFound,
    Refused,
    TooManyAttempts,
    WrongCode,
)
from cloud.domain.notices import Preferences
from cloud.domain.reservations import Happening, advance
from cloud.services import otps as service_module
from cloud.services.booking_ports import Told
from cloud.services.idempotency import Once
from cloud.services.otp_texts import WORDINGS
from cloud.services.otps import Otps, OtpService, masked
from cloud.services.ports import TransactionLost
from cloud.services.texts import LANGUAGES
from tests.cloud.builders import NOON, a_reservation, after
from tests.cloud.services.rig import DRIVER, MAINTAINER, OWNER

ME, STRANGER = Viewer(DRIVER, Role.DRIVER), Viewer(OWNER, Role.OWNER)
STAFF = Viewer(MAINTAINER, Role.MAINTENANCE)
HOLD = "r-1"


class PlainAdvancing:
    """See Advancing: the status alone."""

    def advance(self, work, reservation, happening, told, now):
        work.reservations.put(advance(reservation, happening, now), told, now)
        return []


class Desk:
    """The use cases of codes on a rig, and the mail that went out."""

    def __init__(self, rig):
        self.rig = rig
        self.otps = Otps(b"the house's key")
        self.service = OtpService(
            open_work=rig.open_work,
            clock=rig.clock,
            otps=self.otps,
            advancing=PlainAdvancing(),
            publisher=rig.publisher,
        )

    def hold(self, number=1, **more):
        """Hold a bay for the driver and send the code; returns the code."""
        held = a_reservation(
            id=f"r-{number}",
            number=number,
            **({"user_id": DRIVER, "start_s": 4_500 + 3_600 * number} | more),
        )
        with self.rig.open_work() as work:
            work.reservations.claim(held, Told("held"))
            self.otps.send(work, held, self.rig.clock.now())
            work.commit()
        return self.code()

    def code(self):
        """Return the code of the newest mail."""
        newest = max(self.rig.rows(tables.otps), key=lambda one: one.id)
        mail = self.rig.row(tables.messages, idempotency_key=f"otp/{newest.id}")
        return re.search(r"\b\d{6}\b", mail.body).group()

    def guess(self, code, viewer=ME, number=1, once=None):
        return self.service.confirm(viewer, f"r-{number}", code, once)

    def reservation(self, number=1):
        return self.rig.row(tables.reservations, id=f"r-{number}")


@pytest.fixture
def desk(rig):
    return Desk(rig)


def wrong(code, by=1):
    return f"{(int(code) + by) % 1_000_000:06d}"


def tries(desk):
    return [one.tries for one in sorted(desk.rig.rows(tables.otps), key=lambda one: one.id)]


def test_the_code_goes_to_the_drivers_mail_and_nowhere_else(desk):
    code = desk.hold()
    mail, kept = desk.rig.rows(tables.messages)[0], desk.rig.rows(tables.otps)[0]

    assert (mail.channel, mail.recipient) == ("mail", f"{DRIVER}@bays.example")
    assert code in mail.body
    assert code not in mail.subject
    assert "Green Market" in mail.body
    assert code not in kept.code_hmac
    assert kept.expires_at == NOON + timedelta(minutes=10)


def test_the_right_code_confirms_the_hold(desk):
    confirmation = desk.guess(desk.hold())
    reservation = desk.reservation()

    assert (confirmation.is_confirmed, confirmation.status) == (True, "PENDING")
    assert (confirmation.held_until, confirmation.server_now) == (after(600), NOON)
    assert (reservation.is_confirmed, reservation.status) == (True, "held")
    with desk.rig.open_work(is_read_only=True) as work:
        last = work.reservations.log(HOLD)[-1]
    assert (last.what, last.actor) == ("confirmed", DRIVER)


def test_a_code_is_good_once(desk):
    code = desk.hold()
    desk.guess(code)

    with pytest.raises(CodeLocked):
        desk.guess(code)
    assert desk.reservation().row_version == 1


def test_a_wrong_code_says_how_many_tries_are_left(desk):
    code = desk.hold()
    left = []
    for by in range(1, 5):
        with pytest.raises(WrongCode) as refusal:
            desk.guess(wrong(code, by))
        left.append(refusal.value.tries_left)

    assert left == [4, 3, 2, 1]
    assert desk.guess(code).is_confirmed


def test_the_fifth_wrong_code_ends_the_hold_and_frees_the_bay(desk):
    code = desk.hold()
    for by in range(1, 5):
        with pytest.raises(WrongCode):
            desk.guess(wrong(code, by))
    with pytest.raises(CodeLocked):
        desk.guess(wrong(code, 5))
    reservation = desk.reservation()

    assert (reservation.status, reservation.reason) == ("rejected", "code_locked")
    assert desk.rig.rows(tables.bay_slots) == []
    with pytest.raises(CodeLocked):
        desk.guess(code)
    assert tries(desk) == [5]


def test_another_users_code_is_no_code(desk):
    mine = desk.hold(1)
    theirs = desk.hold(2, user_id=OWNER, start_s=90_000)

    with pytest.raises(NotFound):
        desk.guess(theirs, ME, number=2)
    with pytest.raises(NotFound):
        desk.guess(mine, STAFF)
    assert tries(desk) == [0, 0]
    if mine != theirs:
        with pytest.raises(WrongCode):
            desk.guess(theirs, ME, number=1)
        with pytest.raises(WrongCode):
            desk.guess(mine, STRANGER, number=2)


def test_the_same_digits_for_another_hold_are_no_code(desk):
    desk.otps = Otps(b"the house's key", randbelow=lambda _: 402_913)
    desk.hold(1)
    with desk.rig.open_work() as work:
        kept = work.otps.newest([HOLD])

    assert desk.otps.is_right(kept, "402913")
    assert not codes.is_right(b"the house's key", "402913", "r-2", DRIVER, kept.code_hmac)


def test_an_unknown_reservation_is_not_found(desk):
    with pytest.raises(NotFound):
        desk.guess("123456")


def test_a_code_is_too_old_after_ten_minutes(desk):
    code = desk.hold(held_until=after(3_600))
    desk.rig.pass_by(600)

    with pytest.raises(CodeLocked):
        desk.guess(code)
    assert tries(desk) == [0]


def test_a_hold_that_is_over_is_not_confirmed(desk):
    code = desk.hold(held_until=after(300))
    desk.rig.pass_by(300)

    with pytest.raises(HoldExpired):
        desk.guess(code)
    with pytest.raises(HoldExpired):
        desk.service.send_again(ME, HOLD)


@pytest.mark.parametrize(
    ("happening", "refusal"),
    [(Happening.HOLD_EXPIRED, HoldExpired), (Happening.CANCELED_BY_DRIVER, IllegalTransition)],
)
def test_what_is_no_hold_any_more_is_not_confirmed(desk, happening, refusal):
    code = desk.hold()
    with desk.rig.open_work() as work:
        held = work.reservations.by_ids([HOLD])[HOLD]
        PlainAdvancing().advance(work, held, happening, Told("over"), NOON)
        work.commit()

    with pytest.raises(refusal):
        desk.guess(code)


def test_a_new_code_ends_the_last_and_brings_new_tries(desk):
    first = desk.hold()
    for by in range(1, 4):
        with pytest.raises(WrongCode):
            desk.guess(wrong(first, by))
    desk.rig.pass_by(30)
    sent = desk.service.send_again(ME, HOLD)
    second = desk.code()

    assert (sent.channel, sent.recipient) == ("mail", "u***@bays.example")
    assert (sent.sent_at, sent.expires_at) == (after(30), after(630))
    if first != second:
        with pytest.raises(WrongCode) as refusal:
            desk.guess(first)
        assert refusal.value.tries_left == 4
    assert desk.guess(second).is_confirmed


def test_a_new_code_is_sent_after_half_a_minute(desk):
    desk.hold()
    desk.rig.pass_by(12)

    with pytest.raises(TooManyAttempts) as refusal:
        desk.service.send_again(ME, HOLD)
    assert refusal.value.retry_after_s == 18
    assert len(desk.rig.rows(tables.otps)) == 1


def test_nobody_is_sent_more_than_ten_codes_an_hour_whatever_they_hold(desk):
    for number in range(1, 11):
        desk.hold(number)

    with pytest.raises(TooManyAttempts) as refusal:
        desk.hold(11)
    assert refusal.value.retry_after_s == 3_600
    assert len(desk.rig.rows(tables.otps)) == 10
    desk.rig.pass_by(3_600)
    assert desk.hold(12, held_until=after(7_200))


def test_only_the_holds_driver_asks_for_a_code(desk):
    desk.hold()
    desk.rig.pass_by(60)

    for somebody in (STRANGER, STAFF):
        with pytest.raises(NotFound):
            desk.service.send_again(somebody, HOLD)


def test_a_confirmed_hold_needs_no_code(desk):
    desk.guess(desk.hold())
    desk.rig.pass_by(60)

    with pytest.raises(CodeLocked):
        desk.service.send_again(ME, HOLD)


def test_the_same_request_again_counts_once_and_is_answered_the_same(desk):
    code = desk.hold()
    once = Once(DRIVER, "a-key-of-mine", b"wrong")
    for _ in range(3):
        with pytest.raises(WrongCode) as refusal:
            desk.guess(wrong(code), once=once)
        assert refusal.value.tries_left == 4
    with pytest.raises(KeyReused):
        desk.guess(code, once=Once(DRIVER, "a-key-of-mine", b"right"))
    for _ in range(3):
        assert desk.guess(code, once=Once(DRIVER, "another-key", b"right")).is_confirmed

    assert tries(desk) == [2]


def test_of_fifty_guesses_at_once_at_most_five_are_looked_at(desk, monkeypatch):
    code = desk.hold()
    looked = []

    def counted(*args):
        looked.append(args)
        return codes.is_right(*args)

    monkeypatch.setattr(service_module, "is_right", counted)

    answers = at_once(50, lambda n: desk.guess(wrong(code, n + 1)))

    assert len(looked) == 5
    assert sorted({type(one) for one in answers}, key=str) == [CodeLocked, WrongCode]
    assert sorted(one.tries_left for one in answers if isinstance(one, WrongCode)) == [1, 2, 3, 4]
    assert tries(desk) == [5]
    assert desk.reservation().status == "rejected"


def test_of_fifty_who_give_the_right_code_at_once_one_confirms(desk):
    code = desk.hold()

    answers = at_once(50, lambda _: desk.guess(code))

    confirmed = [one for one in answers if not isinstance(one, Exception)]
    assert len(confirmed) == 1
    assert {type(one) for one in answers} - {type(confirmed[0])} == {CodeLocked}
    assert (desk.reservation().is_confirmed, desk.reservation().status) == (True, "held")


def test_of_many_who_ask_for_a_code_at_once_one_is_sent_it(desk):
    desk.hold()
    desk.rig.pass_by(60)

    answers = at_once(20, lambda _: desk.service.send_again(ME, HOLD))

    assert sum(not isinstance(one, Exception) for one in answers) == 1
    assert len(desk.rig.rows(tables.otps)) == 2


def test_codes_are_never_sent_by_more_than_ten_an_hour_at_once(desk):
    for number in range(1, 13):
        hold_without_code(desk, number)

    at_once(12, lambda n: desk.service.send_again(ME, f"r-{n + 1}"))

    assert len(desk.rig.rows(tables.otps)) == 10


def test_old_codes_are_forgotten_and_the_next_still_have_their_order(desk):
    desk.hold(1)
    desk.rig.pass_by(60)
    desk.hold(2, held_until=after(7_200))
    with desk.rig.open_work() as work:
        assert work.otps.forget(after(30), 100) == 1
        assert work.otps.forget(after(30), 100) == 0
        work.commit()
    desk.rig.pass_by(60)
    desk.service.send_again(ME, "r-2")

    assert [one.id[-2:] for one in desk.rig.rows(tables.otps)] == ["02", "03"]


@pytest.mark.parametrize(
    ("recipient", "shown"),
    [("ada@example.org", "a***@example.org"), ("+447700900123", "***123")],
)
def test_an_address_is_shown_so_that_only_its_owner_knows_it(recipient, shown):
    assert masked(recipient) == shown


def test_one_code_confirms_a_whole_series(desk):
    code = desk.hold(1, series_id="s-1")
    hold_without_code(desk, 2, series_id="s-1")
    hold_without_code(desk, 3)
    desk.guess(code, number=2)

    assert [desk.reservation(n).is_confirmed for n in (1, 2, 3)] == [True, True, False]


def test_a_series_whose_code_was_guessed_at_is_given_up_as_a_whole(desk):
    code = desk.hold(1, series_id="s-1")
    hold_without_code(desk, 2, series_id="s-1")
    for by in range(1, 6):
        with pytest.raises((WrongCode, CodeLocked)):
            desk.guess(wrong(code, by), number=1 + by % 2)

    assert {desk.reservation(n).status for n in (1, 2)} == {"rejected"}
    assert tries(desk) == [5]


def test_a_series_is_one_when_a_new_code_is_asked_for(desk):
    desk.hold(1, series_id="s-1")
    hold_without_code(desk, 2, series_id="s-1")
    desk.rig.pass_by(10)

    with pytest.raises(TooManyAttempts):
        desk.service.send_again(ME, "r-2")


def test_a_code_goes_to_the_telephone_of_whoever_told_its_number(desk):
    prefer(desk, Preferences(phone="+447700900123"))
    desk.hold(1)
    desk.otps = replace(desk.otps, has_sms=True)
    code = desk.hold(2)
    by_mail, by_phone = desk.rig.rows(tables.otps)
    text = desk.rig.row(tables.messages, idempotency_key=f"otp/{by_phone.id}").body

    assert (by_mail.channel, by_phone.channel) == ("mail", "sms")
    assert by_phone.recipient == "+447700900123"
    assert text.startswith(f"{code} is your Baywatt code for Green Market, ")
    assert len(text) < 160


def test_a_code_is_sent_in_the_drivers_language(desk):
    prefer(desk, Preferences(language="de"))
    code = desk.hold()

    assert f"Ihr Code ist {code}" in desk.rig.rows(tables.messages)[0].body


def test_every_language_has_its_words_for_codes():
    assert WORDINGS.keys() == LANGUAGES.keys()


def prefer(desk, preferences):
    with desk.rig.open_work() as work:
        work.notices.put_preferences(DRIVER, preferences, NOON)
        work.commit()


def hold_without_code(desk, number, **more):
    held = a_reservation(
        id=f"r-{number}", number=number, user_id=DRIVER, start_s=4_500 + 3_600 * number, **more
    )
    with desk.rig.open_work() as work:
        work.reservations.claim(held, Told("held"))
        work.commit()


def at_once(number, ask):
    """Ask all at once, each as often as it takes; returns what each was answered, refusals too."""

    def asked(n):
        for _ in range(40):
            try:
                return ask(n)
            except Refused as refusal:
                return refusal
            except TransactionLost:
                continue
        raise AssertionError("it never got through")

    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(asked, range(number)))
