"""Packing: if all fit somehow they are packed, and nobody moves without need."""

from dataclasses import replace
from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from cloud.domain.packing import Seat, pack
from cloud.domain.windows import Window
from tests.cloud.builders import after

ASK = "ask"
BAYS = ("b-1", "b-2", "b-3")


def a_window(first, last):
    return Window(after(first * 900), after(last * 900))


def fixed(name, bay, first, last):
    return Seat(reservation_id=name, window=a_window(first, last), bay_id=bay)


def flexible(name, bay, first, last, bays=BAYS):
    return replace(fixed(name, bay, first, last), bays=bays)


def an_ask(first, last, bays=BAYS):
    return Seat(reservation_id=ASK, window=a_window(first, last), bays=bays)


def test_the_first_free_bay_is_taken():
    assert pack(an_ask(0, 4), [fixed("a", "b-1", 0, 4)]) == {ASK: "b-2"}
    assert pack(an_ask(0, 4), []) == {ASK: "b-1"}


def test_windows_that_only_touch_are_in_nobodys_way():
    assert pack(an_ask(4, 8, ("b-1",)), [fixed("a", "b-1", 0, 4)]) == {ASK: "b-1"}


def test_who_is_fixed_stays():
    assert pack(an_ask(0, 4, ("b-1",)), [fixed("a", "b-1", 3, 5)]) is None


def test_who_is_flexible_moves_aside():
    found = pack(an_ask(0, 4, ("b-1",)), [flexible("a", "b-1", 0, 4)])

    assert found == {ASK: "b-1", "a": "b-2"}


def test_a_chain_of_moves_is_found():
    seated = [
        flexible("a", "b-1", 0, 4, ("b-1", "b-2")),
        flexible("b", "b-2", 2, 6, ("b-2", "b-3")),
    ]

    assert pack(an_ask(0, 2, ("b-1",)), seated) == {ASK: "b-1", "a": "b-2", "b": "b-3"}


def test_the_fewest_move():
    seated = [
        # in the first bay two would have to move, in the second one
        flexible("a", "b-1", 0, 2),
        flexible("b", "b-1", 2, 4),
        flexible("c", "b-2", 0, 4),
        fixed("d", "b-3", 4, 8),
    ]

    assert pack(an_ask(0, 4, ("b-1", "b-2")), seated) == {ASK: "b-2", "c": "b-3"}


def test_where_there_is_no_room_there_is_none():
    seated = [flexible(f"r-{bay}", bay, 0, 4) for bay in BAYS]

    assert pack(an_ask(1, 2), seated) is None


def test_it_gives_up_in_time():
    seated = [flexible(f"r-{bay}", bay, 0, 4) for bay in BAYS]

    assert pack(an_ask(1, 2), seated, most_steps=2) is None
    assert pack(an_ask(1, 2, ("b-3",)), seated[:1], most_steps=1) == {ASK: "b-3"}


@st.composite
def scenes(draw):
    """Return seats of which no two overlap in a bay, and an ask."""
    seated = []
    for number in range(draw(st.integers(0, 6))):
        first = draw(st.integers(0, 6))
        one = fixed(
            f"r-{number}", draw(st.sampled_from(BAYS)), first, first + draw(st.integers(1, 3))
        )
        if any(one.bay_id == two.bay_id and one.window.overlaps(two.window) for two in seated):
            continue
        others = draw(st.lists(st.sampled_from(BAYS), unique=True))
        seated.append(replace(one, bays=tuple(others)))
    first = draw(st.integers(0, 6))
    bays = tuple(draw(st.lists(st.sampled_from(BAYS), unique=True, min_size=1)))
    return an_ask(first, first + draw(st.integers(1, 3)), bays), seated


def fits(seats):
    return not any(
        one.bay_id == two.bay_id and one.window.overlaps(two.window)
        for number, one in enumerate(seats)
        for two in seats[:number]
    )


def fewest_moves(ask, seated):
    """Return how many must move, by trying everything; None: it cannot be."""
    choices = [(*{one.bay_id, *one.bays},) for one in seated]
    best = None
    for ask_bay in ask.bays:
        for bays in product(*choices):
            seats = [replace(one, bay_id=bay) for one, bay in zip(seated, bays, strict=True)]
            if fits([*seats, replace(ask, bay_id=ask_bay)]):
                moves = sum(one.bay_id != bay for one, bay in zip(seated, bays, strict=True))
                best = moves if best is None else min(best, moves)
    return best


@given(scenes())
def test_what_is_found_fits_and_moves_the_fewest(scene):
    ask, seated = scene

    found = pack(ask, seated)

    best = fewest_moves(ask, seated)
    if found is None:
        assert best is None
        return
    by_id = {one.reservation_id: one for one in seated}
    moved = {name: bay for name, bay in found.items() if name != ASK}
    assert found[ASK] in ask.bays
    assert all(bay in by_id[name].bays and bay != by_id[name].bay_id for name, bay in moved.items())
    after_it = [replace(one, bay_id=moved.get(one.reservation_id, one.bay_id)) for one in seated]
    assert fits([*after_it, replace(ask, bay_id=found[ASK])])
    assert len(moved) == best
