"""A simulated guest's app before a real cloud: by the public API alone."""

import asyncio
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest

from simulator.api_desk import ApiDesk
from simulator.bookings import Wish, next_slot
from simulator.demo.api import ApiRefused
from simulator.scenarios.stations import CORNER, GUESTS, TOKENS
from tests.support.stack import Kind, Stack
from tests.support.waiting import eventually_async

pytestmark = [pytest.mark.real, pytest.mark.xdist_group("api-desk")]

GUEST, OTHER = GUESTS[:2]


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    made = Stack(tmp_path_factory.mktemp("desk"), Kind.EMBEDDED, "")
    try:
        made.start()
        made.settle(CORNER, TOKENS[:2], GUESTS)
        yield made
    finally:
        made.stop()


@pytest.fixture
async def desk(stack):
    where = urlsplit(stack.url)
    made = ApiDesk(where.hostname, where.port, look_every_s=0.05)
    yield made
    made.close()
    assert made.trouble is None


def a_wish(days, **more):
    """Slots far ahead: nobody has to know yet how the bays are."""
    starts_at, ends_at = next_slot(datetime.now(UTC), timedelta(days=days), timedelta(minutes=45))
    return Wish(station_id=CORNER.station_id, starts_at=starts_at, ends_at=ends_at, **more)


async def answered(ask, *args):
    told = []
    ask(*args, told.append)
    await eventually_async(lambda: told)
    return told[0]


async def test_a_guest_books_looks_and_cancels(desk):
    wish = a_wish(2, bay_id="sim-corner-1")
    promise = await answered(desk.book, GUEST, wish)
    looked = await answered(desk.look, GUEST, promise)
    desk.cancel(GUEST, promise)
    over = looked
    while over.is_live:
        over = await answered(desk.look, GUEST, promise)

    assert (promise.bay_id, promise.starts_at) == ("sim-corner-1", wish.starts_at)
    assert looked == promise


async def test_a_guest_who_names_no_bay_takes_what_a_search_finds(desk):
    wish = a_wish(3, standard="IEC_62196_T2_COMBO")
    promise = await answered(desk.book, GUEST, wish)

    assert promise.bay_id in {"sim-corner-3", "sim-corner-4"}


async def test_of_two_guests_for_one_bay_one_takes_what_is_offered_instead(desk):
    wish = a_wish(4, bay_id="sim-corner-1")
    both = await asyncio.gather(answered(desk.book, GUEST, wish), answered(desk.book, OTHER, wish))

    first, second = ((one.bay_id, one.starts_at) for one in both)
    assert first != second
    assert ("sim-corner-1", wish.starts_at) in {first, second}


async def test_what_cannot_be_booked_is_told_and_a_check_in_too_early_is_no_matter(desk):
    past = a_wish(-2, bay_id="sim-corner-1")
    promise = await answered(desk.book, GUEST, a_wish(5, bay_id="sim-corner-2"))
    desk.check_in(GUEST, promise)

    assert await answered(desk.book, GUEST, past) is None
    assert (await answered(desk.look, GUEST, promise)).is_live


async def test_an_app_that_cannot_go_on_says_so_in_the_end(stack):
    where = urlsplit(stack.url)
    desk = ApiDesk(where.hostname, where.port)
    stranger = type(GUEST)("nobody@sim.example", "wrong", "T")
    told = await answered(desk.book, stranger, a_wish(6))

    desk.close()
    assert told is None
    assert isinstance(desk.trouble, ApiRefused)
