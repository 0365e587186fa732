"""P01, P03, P04, P08: frames no charger should send, over a real socket to a running agent."""

from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.faults.abused import MB, Abused

pytestmark = pytest.mark.real

VERSIONS = ["ocpp1.6", "ocpp2.0.1", "ocpp2.1"]
FORMAT_16 = "FormationViolation"
DEEP = "[" * 10_000
QUOTES = '\\"' * 32_000

# What each is answered with: message id, then the code of 1.6 and of 2.x; None: with silence.
BROKEN: dict[str, tuple[str | bytes, tuple[str, str, str] | None]] = {
    "no JSON": ("nonsense", ("-1", FORMAT_16, "RpcFrameworkError")),
    "an object": ('{"a":1}', ("-1", FORMAT_16, "RpcFrameworkError")),
    "truncated": ('[2,"7","Heartbeat",{', ("7", FORMAT_16, "FormatViolation")),
    "truncated early": ('[2,"7', ("-1", FORMAT_16, "RpcFrameworkError")),
    "deep": (DEEP, ("-1", FORMAT_16, "RpcFrameworkError")),
    "a deep payload": (
        f'[2,"7","Heartbeat",{{"a":{DEEP}}}]',
        ("7", FORMAT_16, "FormatViolation"),
    ),
    "a deep and closed payload": (
        f'[2,"7","Heartbeat",{{"a":{"[" * 10_000}{"]" * 10_000}}}]',
        ("7", FORMAT_16, "FormatViolation"),
    ),
    "a deep payload with a text that never closes": (
        f'[2,"7","Heartbeat",{{"a":{"[" * 130}"{QUOTES}',
        ("7", FORMAT_16, "FormatViolation"),
    ),
    "a long text": (
        f'[2,"7","Heartbeat",{{"a":"{"x" * 60_000}"}}]',
        ("7", FORMAT_16, "ProtocolError"),
    ),
    "one key twice": ('[2,"7","Heartbeat",{"a":1,"a":2}]', ("7", FORMAT_16, "ProtocolError")),
    "no UTF-8": (b"\xff\xfe\xfd", ("-1", FORMAT_16, "RpcFrameworkError")),
    "no UTF-8 in a text": (
        b'[2,"7","Heartbeat",{"a":"\xff\xfe"}]',
        ("7", FORMAT_16, "ProtocolError"),
    ),
    "half a surrogate pair": (
        '[2,"7","Heartbeat",{"a":"\\ud800"}]',
        ("7", FORMAT_16, "FormatViolation"),
    ),
    "a byte order mark": ('\ufeff[2,"7","Heartbeat",{}]', ("-1", FORMAT_16, "RpcFrameworkError")),
    "NUL in a text": ('[2,"7","Heartbeat",{"a":"\\u0000"}]', ("7", FORMAT_16, "ProtocolError")),
    "a bare NUL": ("\0", None),
    "nothing": ("", None),
    "an id that is no text": ('[2,7.5,"Heartbeat",{}]', ("-1", FORMAT_16, "RpcFrameworkError")),
    "too short": ('[2,"7","Heartbeat"]', ("7", FORMAT_16, "RpcFrameworkError")),
    "too long": ('[2,"7","Heartbeat",{},{}]', ("7", FORMAT_16, "RpcFrameworkError")),
    "a list for a payload": ('[2,"7","Heartbeat",[]]', ("7", FORMAT_16, "ProtocolError")),
    "a number beyond all": (
        '[2,"7","Heartbeat",{"a":%s}]' % ("9" * 5_000),
        ("7", FORMAT_16, "FormatViolation"),
    ),
}


def expected(broken: tuple[str, str, str] | None, version: str) -> list[list[str | int]]:
    """Return the replies, as far as the standard says what is in them."""
    if broken is None:
        return []
    message_id, code_16, code_2 = broken
    return [[4, message_id, code_16 if version == "ocpp1.6" else code_2]]


@pytest.mark.parametrize("version", VERSIONS)
async def test_p01_each_broken_frame_is_answered_as_the_standard_says(abused: Abused, version):
    async with abused.charger(version) as charger:
        for what, (frame, answer) in BROKEN.items():
            came = await charger.say(frame)

            assert [one[:3] for one in came] == expected(answer, version), what
            assert all(len(one) == 5 for one in came)


async def test_p01_broken_frames_cost_no_memory_and_no_other_charger_anything(abused: Abused):
    async with abused.charger("ocpp1.6") as other:
        before = 0
        for attempt in range(15):
            async with abused.charger("ocpp2.0.1") as charger:
                for frame, _ in BROKEN.values():
                    await charger.say(frame)
            if attempt == 4:
                before = abused.memory_bytes()

        grown = abused.memory_bytes() - before
        assert grown <= MB, f"{grown} bytes for 10 times {len(BROKEN)} frames"
        assert (await other.call("Heartbeat", {}))[0] == 3
    assert abused.errors() == []


@pytest.mark.parametrize("version", VERSIONS)
async def test_p03_what_nobody_knows_is_refused_or_ignored_as_the_standard_says(
    abused: Abused, version
):
    async with abused.charger(version) as charger:
        assert (await charger.call("MakeCoffee", {}))[:3] == [4, "1", "NotImplemented"]
        assert (await charger.call("heartbeat", {}))[:3] == [4, "1", "NotImplemented"]
        assert (await charger.call("ClearCache", {}))[:3] == [4, "1", "NotSupported"]
        for kind in (0, 1, 7, 99, -2, "2", None, 2.5):
            came = await charger.say([kind, "9", "Heartbeat", {}])
            wanted = [] if version == "ocpp1.6" else [[4, "9", "MessageTypeNotSupported"]]

            assert [one[:3] for one in came] == wanted, kind


async def _fragments() -> AsyncIterator[str]:
    while True:
        yield "x" * 10_000


@pytest.mark.parametrize("what", ["64 KB and one", "10 MB", "endless fragments", "a bomb"])
async def test_p04_what_is_too_large_is_closed_with_1009_and_costs_no_memory(abused: Abused, what):
    frames = {
        "64 KB and one": lambda: "x" * 65_537,
        "10 MB": lambda: "x" * 10_000_000,
        "endless fragments": _fragments,
        "a bomb": lambda: "x" * 5_000_000,
    }
    charger_id = abused.charger_ids[-1]
    before = 0
    for attempt in range(4):
        is_bomb = what == "a bomb"
        charger = abused.charger("ocpp2.0.1", charger_id=charger_id, is_compressed=is_bomb)
        async with charger:
            with suppress(ConnectionClosed):
                await charger.send(frames[what]())

            assert await charger.close_code() == 1009
        if attempt == 0:
            before = abused.memory_bytes()

    grown = abused.memory_bytes() - before
    assert grown <= 2 * MB, f"{grown} bytes"


@pytest.mark.parametrize(
    ("offers", "spoken"),
    [
        ((), None),
        (("ocpp1.2",), 400),
        (("ocpp1.2", "ocpp1.5", "soap"), 400),
        (("OCPP1.6",), 400),
        (("ocpp1.2", "ocpp1.6"), "ocpp1.6"),
        (("ocpp2.1", "ocpp1.6"), "ocpp2.1"),
        (("ocpp1.6", "ocpp2.1"), "ocpp1.6"),
    ],
)
async def test_p08_the_version_is_negotiated_in_the_chargers_order_or_refused(
    abused: Abused, offers, spoken
):
    charger = abused.charger(*offers)
    if spoken == 400:
        with pytest.raises(InvalidStatus) as refused:
            await charger.__aenter__()
        assert refused.value.response.status_code == 400
        return
    async with charger:
        assert charger.socket.subprotocol == spoken
        assert (await charger.call("Heartbeat", {}))[0] == 3
