"""After a broker was lost nobody knows what passed unheard: every viewer starts afresh."""

from cloud.live import LiveHub
from cloud.viewers import News


async def test_viewers_read_anew_once_the_broker_is_back():
    hub = LiveHub()
    hub.start()
    before = hub.here()
    viewer = hub.watch({"station:here"}, before)
    hub.lost_track()

    assert await viewer.next() is News.GAP
    assert hub.watch({"station:here"}, before) is None
    assert hub.watch({"station:here"}, hub.here()) is not None


async def test_before_the_hub_has_started_there_is_nobody_to_tell():
    hub = LiveHub()
    here = hub.here()
    hub.lost_track()

    assert hub.here() == here
