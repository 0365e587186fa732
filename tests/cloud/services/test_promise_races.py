"""R04: cancel, start and no-show at the same moment, on both databases: one outcome, whoever is faster."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from cloud.adapters.sql import tables
from cloud.domain.errors import IllegalTransition
from cloud.domain.reservations import NEXT, Happening, Status
from cloud.services.ports import TransactionLost
from cloud.services.retrying import retried
from tests.cloud.builders import after
from tests.cloud.services.promises import Promises
from tests.cloud.services.rig import begun, said

ROUNDS = 6


@pytest.fixture
def kept(rig):
    return Promises(rig)


def at_once(*acts):
    """Do all at the same moment, each as often as it takes; returns what each was refused with."""
    barrier = Barrier(len(acts))

    def run(act):
        barrier.wait()
        for _ in range(100):
            try:
                return act()
            except TransactionLost:
                continue
            except IllegalTransition as refusal:
                return refusal
        raise AssertionError("it never got through")

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


def statuses(kept, reservation_id):
    """Return where a reservation stood, one after the other, by its log."""
    status, path = Status.BOOKED, [Status.BOOKED]
    for what in kept.log(reservation_id)[1:]:
        if what in set(Happening):
            status = NEXT[status, Happening(what)]
            path.append(status)
    return path


@pytest.mark.parametrize("round_", range(ROUNDS))
def test_r04_cancel_start_and_no_show_at_once_end_in_one_state(kept, round_):
    kept.book()
    kept.until(2_699)
    kept.rig.pass_by(1.5)
    start = kept.agent.incoming(
        kept.agent.batch(begun(after(2_700)), said("charging", after(2_700)))
    )

    @retried
    def cancel():
        kept.act("r-1", Happening.CANCELED_BY_DRIVER)

    at_once(cancel, lambda: kept.rig.ingest.apply(start), kept.rig.deadlines.do_due)

    done = kept.get()
    path = statuses(kept, "r-1")
    assert path[-1] is done.status
    assert done.status in {Status.CANCELED, Status.CHARGING, Status.NO_SHOW}
    assert len(path) == 2
    ended = [kind for kind in kept.told() if kind in {"canceled", "no_show"}]
    assert len(ended) == (0 if done.is_live else 1)
    assert bool(kept.rig.rows(tables.bay_slots)) is done.is_live
    session = kept.rig.row(tables.sessions, id="s-1")
    assert session.reservation_id == ("r-1" if done.is_live else None)


def test_two_clocks_at_once_settle_a_no_show_once(kept):
    kept.book()
    kept.until(2_699)
    kept.rig.pass_by(1.5)
    at_once(*[kept.rig.deadlines.do_due] * 4)

    assert kept.get().status is Status.NO_SHOW
    assert kept.told().count("no_show") == 1
    assert kept.log().count("seen_empty_after_grace") == 1
