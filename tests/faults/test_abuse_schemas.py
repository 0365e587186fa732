"""P02, P14: every message with one thing wrong, over a real socket to a running agent.

`make faults` sends all of them; `make test` all of 1.6, half of 2.0.1, a sixth of 2.1.
"""

import asyncio
from collections import Counter
from typing import Any, NamedTuple

import pytest

from station_agent.ocpp.handshake import VERSIONS
from station_agent.ocpp.outcome import Route
from station_agent.ocpp.rpc import MAX_FRAME_BYTES
from tests.faults.abused import Abused
from tests.support.raw_ocpp import RawCharger
from tests.support.schema_payloads import CODES, Spoiled, Wrong, spoiled

pytestmark = pytest.mark.real

BURST = 400
"""How many messages a charger may send at once; then another goes on."""
AT_ONCE = 12
CORE_16 = (
    "Authorize",
    "BootNotification",
    "DataTransfer",
    "Heartbeat",
    "MeterValues",
    "StartTransaction",
    "StatusNotification",
    "StopTransaction",
)


class Told(NamedTuple):
    """A message, what is wrong with it, and the frame that answered it."""

    action: str
    case: Spoiled
    reply: list[Any]

    def is_right(self, version: str) -> bool:
        """Whether the answer is the one its standard asks for, or a lenient one that fits."""
        route = VERSIONS[version].routes.get(self.action)
        if self.reply[0] == 4:
            wanted = CODES[version][self.case.wrong] if route else "NotSupported"
            is_to_be_taken = route is not None and (route.last_resort or self._is_forgiven(route))
            return self.reply[2] == wanted and not is_to_be_taken
        fits = VERSIONS[version].schemas.response(self.action).fits(self.reply[2])
        return route is not None and fits and (route.is_lenient or self._is_forgiven(route))

    def _is_forgiven(self, route: Route) -> bool:
        return route.is_forgiving and self.case.is_soft


def messages(version: str, actions: list[str], every: int) -> list[tuple[str, Spoiled]]:
    """Return one in so many of what can be wrong with these actions' requests.

    Without those that are read all the same and wait for who knows the contract: here nobody does.
    """
    schemas, routes = VERSIONS[version].schemas, VERSIONS[version].routes
    waiting = {one for one, route in routes.items() if route.is_forgiving and route.relays}
    cases = [(one, case) for one in actions for case in spoiled(schemas.request(one).definition)]
    return [(one, case) for one, case in cases if not (one in waiting and case.is_soft)][::every]


async def say_all(abused: Abused, version: str, cases: list[tuple[str, Spoiled]]) -> list[Told]:
    """Have chargers beside each other say them; return what each was answered."""

    async def say(part: list[tuple[str, Spoiled]]) -> list[Told]:
        async with abused.charger(version) as charger:
            return await _say(charger, part)

    size = min(BURST, -(-len(cases) // AT_ONCE))
    parts = [cases[at : at + size] for at in range(0, len(cases), size)]
    told: list[Told] = []
    for at in range(0, len(parts), AT_ONCE):
        for one in await asyncio.gather(*map(say, parts[at : at + AT_ONCE])):
            told += one
    return told


async def _say(charger: RawCharger, cases: list[tuple[str, Spoiled]]) -> list[Told]:
    told = []
    for number, (action, case) in enumerate(cases):
        reply = await charger.call(action, case.payload, f"{number}")
        told.append(Told(action, case, reply))
    return told


async def all_are_right(abused: Abused, version: str, cases: list[tuple[str, Spoiled]]) -> int:
    """Send them; fail with the first few that were not answered rightly; return how many."""
    fit = [(action, case) for action, case in cases if len(f"{case.payload}") < MAX_FRAME_BYTES / 2]
    told = await say_all(abused, version, fit)

    assert [one for one in told if not one.is_right(version)][:5] == []
    assert abused.errors() == []
    return len(told)


@pytest.mark.parametrize(
    ("version", "every"),
    [
        ("ocpp1.6", 1),
        ("ocpp2.0.1", 2),
        ("ocpp2.1", 6),
        pytest.param("ocpp2.0.1", 1, marks=pytest.mark.faults),
        pytest.param("ocpp2.1", 1, marks=pytest.mark.faults),
    ],
)
async def test_p02_whatever_is_wrong_is_answered_with_its_code(abused: Abused, version, every):
    cases = messages(version, sorted(VERSIONS[version].schemas.actions), every)

    assert await all_are_right(abused, version, cases) > 1_000


@pytest.mark.parametrize("wrong", list(Wrong), ids=lambda wrong: wrong.name.lower())
async def test_p14_each_kind_of_mistake_in_each_core_message_is_found(abused: Abused, wrong):
    """The categories of the study of Priyasta et al. (2023), where a third was answered rightly."""
    cases = [one for one in messages("ocpp1.6", list(CORE_16), 1) if one[1].wrong is wrong]
    told = await say_all(abused, "ocpp1.6", cases)
    right = Counter(one.is_right("ocpp1.6") for one in told)

    assert right[True] == len(cases) > 0
    assert right[False] == 0
