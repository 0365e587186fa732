"""The live hub alone: who hears what, in which order, and what happens to the slow."""

import asyncio
import threading

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloud.live import (
    LiveHub,
    alerts_key,
    command_key,
    reservation_key,
    session_key,
    station_key,
)
from cloud.services.change_views import ChangeKind
from cloud.viewers import MAX_BURST, MAX_WAITING, News
from tests.cloud.api.changes import a_change

GREENMARKET = station_key("greenmarket")


@pytest.fixture
async def hub():
    made = LiveHub(ring_size=8)
    made.start()
    return made


async def settle(hub):
    """Let what was fed from outside arrive."""
    await asyncio.sleep(0)
    await asyncio.sleep(0)


def subjects(frames):
    return [frame.subject for frame in frames]


@pytest.mark.parametrize(
    ("kind", "keys"),
    [
        (ChangeKind.BAY, {GREENMARKET}),
        (ChangeKind.HEARD, {GREENMARKET}),
        (ChangeKind.SESSION, {session_key("s")}),
        (ChangeKind.ALERT, {alerts_key(), alerts_key("greenmarket")}),
        (ChangeKind.COMMAND, {command_key("s")}),
        (ChangeKind.RESERVATION, {reservation_key("s")}),
    ],
)
async def test_each_kind_of_change_reaches_who_watches_it_and_nobody_else(hub, kind, keys):
    everything = {
        *(GREENMARKET, station_key("other"), session_key("s"), session_key("other")),
        *(alerts_key(), alerts_key("greenmarket"), alerts_key("other")),
        *(command_key("s"), command_key("other")),
        *(reservation_key("s"), reservation_key("other")),
    }
    viewers = {key: hub.watch({key}, hub.here()) for key in everything}

    hub.publish(a_change(kind, "s"))
    await settle(hub)

    assert {key for key, viewer in viewers.items() if viewer.is_waited_for} == keys


def test_every_kind_of_change_has_its_row():
    assert set(ChangeKind) == {
        *(ChangeKind.BAY, ChangeKind.HEARD, ChangeKind.SESSION),
        *(ChangeKind.ALERT, ChangeKind.COMMAND, ChangeKind.RESERVATION),
    }


async def test_a_later_change_of_the_same_bay_replaces_the_one_that_waits(hub):
    viewer = hub.watch({GREENMARKET}, hub.here())
    for version in (1, 2, 3):
        hub.publish(a_change(subject="a", version=version, reason=f"version {version}"))
    await settle(hub)

    frames = await viewer.next()

    assert subjects(frames) == ["bay:a"]
    assert b"version 3" in frames[0].data


async def test_ids_never_go_back_on_the_wire(hub):
    viewer = hub.watch({GREENMARKET}, hub.here())
    for subject, version in (("a", 1), ("b", 1), ("a", 2)):
        hub.publish(a_change(subject=subject, version=version))
    await settle(hub)

    frames = await viewer.next()

    assert subjects(frames) == ["bay:b", "bay:a"]
    assert [frame.number for frame in frames] == [2, 3]


async def test_an_older_change_that_was_overtaken_is_not_told(hub):
    viewer = hub.watch({GREENMARKET}, hub.here())
    hub.publish(a_change(version=6, reason="newer"))
    hub.publish(a_change(version=5, reason="older"))
    await settle(hub)

    frames = await viewer.next()

    assert [b"newer" in frame.data for frame in frames] == [True]


async def test_a_viewer_that_reads_gets_a_burst_whole(hub):
    viewer = hub.watch({GREENMARKET}, hub.here())
    for number in range(MAX_BURST):
        hub.publish(a_change(subject=f"bay-{number}"))
    await settle(hub)

    assert len(await viewer.next()) == MAX_BURST


async def test_a_blocked_viewer_keeps_so_many_and_then_must_start_afresh(hub):
    viewer = hub.watch({GREENMARKET}, hub.here())
    viewer.blocked_since = 1.0
    for number in range(MAX_WAITING + 1):
        hub.publish(a_change(subject=f"bay-{number}"))
    await settle(hub)

    assert await viewer.next() is News.GAP


async def test_a_viewer_blocked_for_ten_seconds_is_dropped(hub):
    viewer = hub.watch({GREENMARKET}, hub.here())
    dropped = []
    viewer.on_drop = lambda: dropped.append(viewer)
    viewer.blocked_since = 100.0

    hub.tend(1, now=109.9)
    assert not dropped
    hub.tend(2, now=110.0)

    assert dropped == [viewer]
    assert hub.viewer_count == 0
    assert await viewer.next() is News.OVER


async def test_every_viewer_gets_a_heartbeat_once_in_fifteen_seconds(hub):
    viewers = [hub.watch({GREENMARKET}, hub.here()) for _ in range(40)]
    beats = [0] * 40
    for turn in range(15):
        hub.tend(turn, now=float(turn))
        for number, viewer in enumerate(viewers):
            if viewer.is_waited_for:
                (beat,) = await viewer.next()
                assert beat.data.startswith(b":")
                beats[number] += 1

    assert beats == [1] * 40


async def test_who_comes_back_hears_what_was_missed(hub):
    first = hub.watch({GREENMARKET}, hub.here())
    hub.publish(a_change(subject="a"))
    await settle(hub)
    (frame,) = await first.next()
    seen = frame.data.split(b"\n")[0].removeprefix(b"id: ").decode()
    hub.leave(first)
    hub.publish(a_change(subject="b"))
    hub.publish(a_change(subject="x", station_id="other"))
    hub.publish(a_change(subject="c"))
    await settle(hub)

    again = hub.watch({GREENMARKET}, seen)

    assert subjects(await again.next()) == ["bay:b", "bay:c"]


async def test_who_was_away_too_long_is_told_so(hub):
    seen = hub.here()
    for number in range(9):
        hub.publish(a_change(subject=f"bay-{number}"))
    await settle(hub)

    assert hub.watch({GREENMARKET}, seen) is None


@pytest.mark.parametrize(
    "event_id",
    ["", "-", "x", "other-0", "{here}-", "{here}-1000", "{here}-x", "{here}--1", "{here}-\u0661"],
)
async def test_an_id_that_is_none_of_ours_means_starting_afresh(hub, event_id):
    assert hub.watch({GREENMARKET}, event_id.replace("{here}", hub.instance)) is None


async def test_beats_do_not_push_changes_out_of_memory(hub):
    seen = hub.here()
    hub.publish(a_change(subject="a"))
    for _ in range(100):
        hub.publish(a_change(ChangeKind.HEARD))
    await settle(hub)

    again = hub.watch({GREENMARKET}, seen)

    assert subjects(await again.next()) == ["bay:a", "heard:greenmarket-1"]


async def test_changes_come_from_any_thread(hub):
    viewer = hub.watch({GREENMARKET}, hub.here())

    def feed(name):
        for number in range(50):
            hub.feed(msgspec.json.encode(a_change(subject=f"{name}-{number}")))

    threads = [threading.Thread(target=feed, args=(name,)) for name in "abc"]
    for thread in threads:
        thread.start()
    heard = set()
    async with asyncio.timeout(60):
        while len(heard) < 150:
            heard |= set(subjects(await viewer.next()))
    for thread in threads:
        thread.join()

    assert len(heard) == 150


async def test_what_was_fed_before_the_loop_ran_is_not_lost():
    hub = LiveHub()
    since = hub.here()
    hub.publish(a_change(subject="early"))

    hub.start()

    assert subjects(await hub.watch({GREENMARKET}, since).next()) == ["bay:early"]


@pytest.mark.parametrize("payload", [b"", b"{", b"[]", b'{"change":"new_kind"}', b"\xff\x00"])
async def test_bytes_that_are_no_change_disturb_nobody(hub, payload):
    viewer = hub.watch({GREENMARKET}, hub.here())

    hub.feed(payload)
    hub.publish(a_change(subject="a"))
    await settle(hub)

    assert subjects(await viewer.next()) == ["bay:a"]


async def test_line_ends_in_a_foreign_view_do_not_break_the_frame(hub):
    viewer = hub.watch({GREENMARKET}, hub.here())
    hub.feed(
        b'{"change":"bay","station_id":"greenmarket","subject":"a","version":1,'
        b'"view":{"reason":\n"two\\nlines"}}'
    )
    await settle(hub)

    (frame,) = await viewer.next()

    assert frame.data.count(b"\n") == 4
    assert frame.data.endswith(b'data: {"reason":"two\\nlines"}\n\n')


async def test_when_the_hub_closes_streams_tell_what_they_have_and_end(hub):
    viewer = hub.watch({GREENMARKET}, hub.here())
    hub.publish(a_change(subject="a"))
    await settle(hub)

    hub.close()

    assert subjects(await viewer.next()) == ["bay:a"]
    assert await viewer.next() is News.OVER
    assert await hub.watch({GREENMARKET}, hub.here()).next() is News.OVER


async def test_who_may_no_longer_watch_gets_nothing_more(hub):
    viewer = hub.watch({GREENMARKET}, hub.here())
    hub.publish(a_change(subject="a"))
    await settle(hub)

    viewer.cut()

    assert await viewer.next() is News.OVER


async def test_a_hub_forgets_who_left(hub):
    viewer = hub.watch({GREENMARKET, station_key("other")}, hub.here())

    hub.leave(viewer)
    hub.leave(viewer)

    hub.publish(a_change())
    await settle(hub)

    assert hub.viewer_count == 0
    assert not viewer.is_waited_for


class Follower:
    """A viewer who reads, leaves and comes back, and what it then believes."""

    def __init__(self):
        self.hub = LiveHub(ring_size=6)
        self.hub.start()
        self.truth, self.known = {}, {}
        self.seen = self.hub.here()
        self.viewer = self.hub.watch({GREENMARKET}, self.seen)

    async def change(self, number):
        bay_id = f"bay-{number}"
        version = self.truth[bay_id] = self.truth.get(bay_id, 0) + 1
        self.hub.publish(a_change(subject=bay_id, version=version, bay_id=bay_id))
        await settle(self.hub)

    async def read(self, _number=0):
        if not self.viewer.is_waited_for:
            return
        for frame in await self.viewer.next():
            fields = dict(line.split(b": ", 1) for line in frame.data.strip().split(b"\n"))
            body = msgspec.json.decode(fields[b"data"])
            self.known[body["bay_id"]] = body["version"]
            self.seen = fields[b"id"].decode()

    async def come_back(self, _number=0):
        self.hub.leave(self.viewer)
        viewer = self.hub.watch({GREENMARKET}, self.seen)
        if viewer is None:
            # a snapshot, as the stream would send
            self.known, self.seen = dict(self.truth), self.hub.here()
            viewer = self.hub.watch({GREENMARKET}, self.seen)
        self.viewer = viewer


@settings(max_examples=60, deadline=None)
@given(
    happenings=st.lists(
        st.tuples(
            st.sampled_from([Follower.change, Follower.change, Follower.read, Follower.come_back]),
            st.integers(0, 5),
        ),
        max_size=80,
    )
)
def test_whatever_happens_a_viewer_ends_up_with_the_last_word_on_every_bay(happenings):
    async def follow():
        follower = Follower()
        for happening, number in happenings:
            await happening(follower, number)
        await follower.read()
        return follower

    follower = asyncio.run(follow())

    assert follower.known == follower.truth
