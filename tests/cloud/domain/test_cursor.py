"""Where a batch stands: applied once, in order, without gaps, whatever is lost, doubled or mixed."""

from hypothesis import given, settings
from hypothesis import strategies as st

from cloud.domain.cursor import Cursor, Place, place

AT_TEN = Cursor(epoch=5, committed_seq=10)


def test_what_follows_goes_on():
    placed = place(AT_TEN, 5, 11, 3)

    assert (placed.place, placed.cursor, placed.skip) == (Place.NEXT, Cursor(5, 13), 0)


def test_what_is_partly_known_goes_on_after_the_known_part():
    placed = place(AT_TEN, 5, 9, 4)

    assert (placed.place, placed.cursor, placed.skip) == (Place.NEXT, Cursor(5, 12), 2)


def test_what_is_known_moves_nothing():
    assert place(AT_TEN, 5, 1, 10).place is Place.KNOWN
    assert place(AT_TEN, 5, 1, 10).cursor == AT_TEN


def test_a_gap_moves_nothing():
    assert place(AT_TEN, 5, 12, 1).place is Place.GAP
    assert place(AT_TEN, 5, 12, 1).cursor == AT_TEN


def test_a_heartbeat_moves_nothing():
    assert place(AT_TEN, 5, 11, 0).place is Place.KNOWN


def test_a_new_epoch_begins_at_one():
    assert place(AT_TEN, 6, 1, 2).cursor == Cursor(6, 2)
    assert place(AT_TEN, 6, 3, 2).place is Place.GAP
    assert place(AT_TEN, 6, 3, 2).cursor == Cursor(6, 0)


def test_an_epoch_given_up_is_over():
    assert place(AT_TEN, 4, 11, 5).place is Place.OLD_EPOCH


@settings(max_examples=300)
@given(
    sent=st.lists(st.tuples(st.integers(1, 20), st.integers(0, 8), st.integers(1, 3)), max_size=60)
)
def test_events_take_effect_once_and_in_order_whatever_the_network_does(sent):
    """Batches doubled, mixed up, lost, overlapping, and of outboxes given up."""
    cursor, applied = Cursor(1, 0), []
    for first, size, epoch in sent:
        placed = place(cursor, epoch, first, size)
        if placed.place is Place.NEXT:
            applied = applied if epoch == cursor.epoch else []
            applied += range(first + placed.skip, first + size)
            cursor = placed.cursor

        assert applied == list(range(1, cursor.committed_seq + 1))
