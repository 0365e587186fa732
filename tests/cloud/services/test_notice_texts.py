"""What notices say, kind by kind and language by language, as it was once read and found good.

To write the files anew after a text has changed: `UPDATE_GOLDEN=1 pytest <this file>`, then read them.
"""

import os
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po

from cloud.domain.notices import NEEDS, NoticeKind
from cloud.domain.reservations import Status, Trouble
from cloud.services import calendar_files, texts
from cloud.services.notice_texts import SMS_LENGTH, TEXTS, TROUBLES, Wording, plain, write
from tests.support.processes import ROOT

GOLDEN = ROOT / "tests" / "golden" / "notices"
OTHERS = [one for one in texts.LANGUAGES if one != texts.SOURCE_LANGUAGE]

SLOT = {
    "reservation_id": "r-1",
    "station_id": "greenmarket",
    "station_name": "Green Market",
    "address": "Greenmarket 1",
    "city": "Dundee",
    "bay_id": "greenmarket-3",
    "bay_name": "Bay 3",
    "starts_at": "2026-07-05T12:00:00+00:00",
    "ends_at": "2026-07-05T13:30:00+00:00",
    "currency": "GBP",
}
OPTIONS = [
    {
        "station_name": "Green Market",
        "bay_name": "Bay 4",
        "starts_at": "2026-07-05T12:15:00+00:00",
        "ends_at": "2026-07-05T13:45:00+00:00",
        "distance_m": 0,
        "price_minor": 1_250,
        "currency": "GBP",
    },
    {
        "station_name": "Marketgait",
        "bay_name": "2",
        "starts_at": "2026-07-05T22:00:00+00:00",
        "ends_at": "2026-07-06T00:30:00+00:00",
        "distance_m": 1_234,
        "price_minor": 990,
        "currency": "GBP",
    },
]
FACTS = {
    NoticeKind.BOOKED: SLOT | {"amount_minor": 2_500},
    NoticeKind.PAYMENT_FAILED: SLOT
    | {"reason": "Insufficient funds.", "held_until": "2026-07-05T11:40:00+00:00"},
    NoticeKind.PAY_AGAIN: SLOT
    | {"reason": "Insufficient funds.", "held_until": "2026-07-05T10:00:00+00:00"},
    NoticeKind.REMINDER: SLOT,
    NoticeKind.BAY_BLOCKED: SLOT | {"trouble": "stolen"},
    NoticeKind.MOVED: SLOT
    | {"from_bay_name": "Bay 2", "trouble": "out_of_order", "refund_minor": 150},
    NoticeKind.OFFER: SLOT
    | {
        "trouble": "still_occupied",
        "offer_id": "o-1",
        "options": OPTIONS,
        "expires_at": "2026-07-05T12:10:00+00:00",
    },
    NoticeKind.WAITLIST_OFFER: {
        "station_name": "Green Market",
        "offer_id": "o-2",
        "options": OPTIONS[:1],
        "expires_at": "2026-07-05T12:10:00+00:00",
    },
    NoticeKind.SESSION_STARTED: SLOT | {"started_at": "2026-07-05T12:03:00+00:00"},
    NoticeKind.TARGET_REACHED: SLOT | {"soc_pct": 80.4, "energy_wh": 31_500},
    NoticeKind.SLOT_ENDING: SLOT | {"fee_per_min_minor": 25},
    NoticeKind.SESSION_ENDED: SLOT | {"energy_wh": 41_250, "cost_minor": 2_063},
    NoticeKind.OVERSTAY_STARTED: SLOT | {"fee_per_min_minor": 25},
    NoticeKind.OVERSTAY_CONTINUES: SLOT | {"overstay_min": 30, "fee_minor": 750},
    NoticeKind.NOT_SEEN: SLOT | {"held_until": "2026-07-10T12:15:00+00:00"},
    NoticeKind.NO_SHOW: SLOT | {"due_minor": 500},
    NoticeKind.CANCELED: SLOT | {"due_minor": 0},
    NoticeKind.FAILED: SLOT | {"trouble": "silent"},
    NoticeKind.REFUNDED: SLOT | {"amount_minor": 1_100},
    NoticeKind.REFUND_RETURNED: SLOT
    | {"amount_minor": 1_100, "reason": "The card's account is closed."},
    NoticeKind.RECEIPT: SLOT
    | {"receipt_id": "q-1", "number": "2026-000017", "total_minor": 2_813, "energy_wh": 41_250},
    NoticeKind.WALLET_TOPPED_UP: {
        "amount_minor": 2_000,
        "balance_minor": 4_550,
        "currency": "EUR",
    },
    NoticeKind.SUBSCRIPTION_RENEWED: {
        "plan_name": "Plus",
        "amount_minor": 999,
        "currency": "EUR",
        "paid_until": "2026-08-05T00:00:00+00:00",
    },
    NoticeKind.SUBSCRIPTION_UNPAID: {"plan_name": "Plus", "amount_minor": 999, "currency": "EUR"},
    NoticeKind.WEBHOOK_DISABLED: {
        "url": "https://hook.example/a",
        "reason": "the endpoint answered 500",
    },
}


def written(kind, language, **more):
    return write(kind, FACTS[kind] | more, language=language, timezone="Europe/London")


def shown(kind, language) -> str:
    one = written(kind, language)
    parts = [("subject", one.subject), ("glance", one.glance), ("sms", one.sms), ("", one.body)]
    return "\n".join(f"{name}: {text}" if name else f"\n{text}" for name, text in parts)


@pytest.mark.parametrize("language", list(texts.LANGUAGES))
@pytest.mark.parametrize("kind", list(NoticeKind))
def test_every_kind_says_in_every_language_what_was_found_good(kind, language):
    path = GOLDEN / language / f"{kind}.txt"
    if os.environ.get("UPDATE_GOLDEN"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(shown(kind, language))

    assert shown(kind, language) == path.read_text()


def test_no_golden_file_is_of_a_kind_that_is_gone():
    for language in texts.LANGUAGES:
        assert {one.stem for one in (GOLDEN / language).iterdir()} == set(NoticeKind)


@pytest.mark.parametrize("kind", list(NoticeKind))
def test_the_examples_have_all_a_kind_needs(kind):
    assert set(FACTS[kind]) >= NEEDS[kind]


@pytest.mark.parametrize("language", list(texts.LANGUAGES))
@pytest.mark.parametrize("kind", list(NoticeKind))
def test_with_what_it_needs_no_text_has_a_gap_and_all_say_what_to_do(kind, language):
    needed = {name: FACTS[kind][name] for name in NEEDS[kind]}
    one = write(kind, needed, language=language, timezone="Europe/London")

    assert "\N{HORIZONTAL ELLIPSIS}" not in one.subject
    assert len(one.body.strip().split("\n\n")) >= 2
    assert one.glance
    assert not re.search(r"%\(|\bNone\b", one.subject + one.body + one.sms)
    assert len(one.sms) <= SMS_LENGTH


# --- catalogues ------------------------------------------------------------------------------------


def said() -> set[str]:
    """Every text that is marked where it is written down."""
    folder = Path(texts.__file__).parent
    return {
        message
        for name in ("notice_texts.py", "calendar_files.py")
        for _, message, _, _ in extract_from_file("python", folder / name)
    }


def lines_of(wording: Wording):
    yield wording.subject
    for line in (*wording.what, wording.todo):
        yield from (line,) if isinstance(line, str) else line


def places(text: str) -> set[str]:
    return set(re.findall(r"%\(\w+\)s", text))


def test_every_kind_trouble_and_status_has_its_words_and_all_are_marked():
    used = {one for wording in TEXTS.values() for one in lines_of(wording)}
    used |= {*TROUBLES.values(), *calendar_files.STATUSES.values()}

    assert set(TEXTS) == set(NoticeKind)
    assert set(TROUBLES) == set(Trouble) - {Trouble.NONE}
    assert set(calendar_files.STATUSES) == set(Status)
    assert used <= said()


@pytest.mark.parametrize("language", OTHERS)
def test_every_text_is_translated_and_nothing_else(language):
    with (texts.LOCALES / f"{language}.po").open("rb") as source:
        catalogue = {one.id: one.string for one in read_po(source) if one.id}

    assert set(catalogue) == said()
    assert [one for one, string in catalogue.items() if places(one) != places(string)] == []
    assert [one for one, string in catalogue.items() if not string] == []


# --- what comes from people ------------------------------------------------------------------------


EVIL = [
    "Bay\r\nBcc: all@bays.example",
    "<script>alert(1)</script>",
    "%(currency)s %s %%",
    "\N{RIGHT-TO-LEFT OVERRIDE}tekraM",
    "a\0b\x1b[31m",
    "x" * 5_000,
]


@pytest.mark.parametrize("evil", EVIL)
@pytest.mark.parametrize("kind", [NoticeKind.BOOKED, NoticeKind.MOVED, NoticeKind.OFFER])
def test_s09_a_name_is_one_line_of_visible_letters_wherever_it_stands(kind, evil):
    options = [OPTIONS[0] | {"station_name": evil, "bay_name": evil}]
    more = {"station_name": evil, "bay_name": evil, "address": evil, "city": evil}
    more |= {"from_bay_name": evil, "options": options}
    usual = written(kind, "en", options=OPTIONS[:1], from_bay_name="2")
    one = written(kind, "en", **more)

    assert one.subject.isprintable()
    assert len(one.subject) <= 255
    assert one.sms.isprintable()
    assert len(one.body.splitlines()) == len(usual.body.splitlines())
    assert all(line.isprintable() for line in one.body.splitlines())
    assert len(one.body) < 4_000


def test_a_text_is_cut_where_it_is_too_long():
    assert plain("ab" * 10, 5) == "abab\N{HORIZONTAL ELLIPSIS}"
    assert plain(" a \n\t b ") == "a b"


# --- instants and amounts --------------------------------------------------------------------------


def test_instants_are_written_as_the_readers_clock_shows_them():
    facts = FACTS[NoticeKind.REMINDER]
    berlin = write(NoticeKind.REMINDER, facts, language="en", timezone="Europe/Berlin")
    nowhere = write(NoticeKind.REMINDER, facts, language="en", timezone="Middle/Earth")

    assert "from 14:00 CEST" in berlin.subject
    assert "from 12:00 UTC" in nowhere.subject


def test_a_slot_across_the_change_of_clocks_says_both_as_they_are():
    facts = SLOT | {
        "starts_at": datetime(2026, 10, 25, 0, 30, tzinfo=UTC),
        "ends_at": datetime(2026, 10, 25, 1, 30, tzinfo=UTC),
    }
    one = write(NoticeKind.REMINDER, facts, language="en", timezone="Europe/London")

    assert "from 01:30 BST" in one.subject
    assert "01:30\N{EN DASH}01:30 GMT" in one.body


def test_a_language_nobody_wrote_is_the_source_language():
    one = write(NoticeKind.REMINDER, SLOT, language="tlh", timezone="UTC")

    assert one.subject.startswith("Soon:")
