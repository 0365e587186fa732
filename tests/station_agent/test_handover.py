"""Words and connections between the process in front and the parts behind it."""

import asyncio
import socket
from pathlib import Path

import pytest

from station_agent.front import charger_in
from station_agent.handover import Alive, Channel, OtherEndGone, Ready, Serves, words_of
from station_agent.ocpp.arrival import Arrival


@pytest.fixture
def ends():
    pair = Channel.pair()
    yield tuple(Channel(one) for one in pair)
    for one in pair:
        one.close()


async def test_words_come_whole_and_in_order(ends):
    here, there = ends
    ids = [f"C-{number}" for number in range(1_200)]
    said = [*words_of(ids, ["P-1"]), Ready(), Alive()]
    sending = asyncio.gather(*(here.say(word) for word in said))
    heard = [await there.word() for _ in said]
    await sending

    assert heard == said
    words = [one for one in heard if isinstance(one, Serves)]
    assert [len(one.charger_ids) for one in words] == [500, 500, 200, 1]
    assert [one.is_planned for one in words] == [False, False, False, True]
    assert [one.is_first for one in words] == [True, False, False, False]
    assert [one.is_last for one in words] == [False, False, False, True]


def test_a_part_that_serves_nobody_says_so():
    assert words_of([], []) == [Serves(charger_ids=[], is_first=True)]


async def test_a_connection_is_handed_over_with_what_is_known_of_it(ends):
    here, there = ends
    near, far = socket.socketpair()
    certificate = {"subject": ((("commonName", "CP-1"),),)}
    with near, far:
        arrival = Arrival("192.0.2.7", is_encrypted=True, certificate=certificate)
        await here.hand_over(far, arrival, b"GET /CP-1 HTTP/1.1\r\n\n\x00rest")
        far.close()
        handed = await there.handed()
        with handed.sock:
            near.send(b"more")

            assert handed.heard == b"GET /CP-1 HTTP/1.1\r\n\n\x00rest"
            assert (handed.arrival.address, handed.arrival.is_encrypted) == ("192.0.2.7", True)
            assert handed.arrival.certificate == {"subject": [[["commonName", "CP-1"]]]}
            assert await asyncio.get_running_loop().sock_recv(handed.sock, 10) == b"more"


async def test_more_than_the_kernel_holds_waits_its_turn(ends):
    here, there = ends
    near, far = socket.socketpair()
    with near, far:
        heads = [b"%d" % number + b"x" * 16_000 for number in range(100)]
        sending = asyncio.gather(*(here.hand_over(far, Arrival(""), head) for head in heads))
        for head in heads:
            handed = await there.handed()
            handed.sock.close()

            assert handed.heard == head
        await sending


async def test_when_the_other_process_ends_both_ways_say_so(ends):
    here, there = ends
    there.close()

    with pytest.raises(OtherEndGone):
        await here.word()
    with pytest.raises(OtherEndGone):
        await here.say(Ready())
    here.close()
    with pytest.raises(OtherEndGone):
        await here.handed()


async def test_no_file_descriptor_is_left_behind(ends):
    here, there = ends
    near, far = socket.socketpair()
    with near, far:
        before = open_files()
        for _ in range(20):
            await here.hand_over(far, Arrival(""), b"")
            (await there.handed()).sock.close()

        assert open_files() == before


def open_files():
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.mark.parametrize(
    ("heard", "charger_id"),
    [
        (b"GET /ocpp/CP-1 HTTP/1.1\r\nHost: x\r\n", "CP-1"),
        (b"GET /ocpp/CP%201 HTTP/1.1\r\n", None),
        (b"GET /a/../CP-1 HTTP/1.1\r\n", None),
        (b"GET\r\n", None),
        (b"", None),
        (b"GET /\xff HTTP/1.1\r\n", None),
        (b"\x16\x03\x01\x02\x00", None),
    ],
)
def test_the_front_reads_whose_it_is_as_the_door_does(heard, charger_id):
    assert charger_in(heard) == charger_id
