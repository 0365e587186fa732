"""Several workers and clocks at once, on both databases: once, in order, nothing lost, nobody stuck."""

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import msgspec
import pytest

from cloud.adapters.sql import tables
from cloud.services.ports import TransactionLost
from contracts.batch import Beat
from tests.cloud.builders import CHARGER, STATION, after
from tests.cloud.services.rig import Agent, begun, connected, metered, over, said, seen, state

WORKERS = 4


def charges(suffix: str, number: int) -> list:
    """Return the facts of a charge at each EVSE."""
    charger, facts = CHARGER + suffix, [connected(charger_id=CHARGER + suffix)]
    for evse in (1, 2):
        session = {"session_id": f"s{suffix}-{number}-{evse}", "charger_id": charger}
        place = {"charger_id": charger, "evse_id": evse}
        at = 100 * number
        facts += [
            seen(True, after(at), bay_id=f"{STATION}{suffix}-{evse}", sensor_ids=[]),
            said("preparing", after(at), **place),
            begun(after(at), **session, evse_id=evse, transaction_id=f"{number}-{evse}"),
            state("charging", after(at + 1), **session),
            said("charging", after(at + 1), **place),
            *(
                metered(1_000 + 10 * n, after(at + n), **session, evse_id=evse)
                for n in range(1, 60)
            ),
            said("faulted", after(at + 60), **place, error_code="HighTemperature"),
            over(1_650, after(at + 65), **session, evse_id=evse),
            said("free", after(at + 66), **place),
            seen(False, after(at + 67), bay_id=f"{STATION}{suffix}-{evse}", sensor_ids=[]),
        ]
    return facts


def cut(agent: Agent, suffix: str, rng: random.Random) -> list:
    """Return three charges at each EVSE in batches of all sizes."""
    facts = [fact for number in range(3) for fact in charges(suffix, number)]
    batches = []
    while facts:
        size = rng.randint(1, 60)
        part, facts = facts[:size], facts[size:]
        batches.append(agent.incoming(agent.batch(*part, beat=Beat())))
    return batches


def stubborn(apply, incoming):
    """Do as the agents do: send again what was not acknowledged."""
    for _ in range(50):
        try:
            return apply(incoming)
        except TransactionLost:
            continue
    raise AssertionError("it never got through")


@pytest.mark.parametrize("seed", [1, 2])
def test_workers_that_take_whatever_comes_apply_all_of_it_once(big_rig, seed):
    big_rig.clock.pass_by(timedelta(minutes=10))
    suffixes = ["", "-2", "-3"]
    agents = {one: Agent(big_rig, STATION + one) for one in suffixes}
    batches = {one: cut(agent, one, random.Random(seed)) for one, agent in agents.items()}
    workers = [big_rig.new_ingest() for _ in range(WORKERS)]
    is_over = threading.Event()

    def serve(suffix: str) -> None:
        # go-back-N: whatever is doubled or overtaken on the way, the agent begins at the cursor
        mine = random.Random(f"{seed}{suffix}")
        sent, acked = 0, 0
        while acked < agents[suffix].next_seq - 1:
            window = batches[suffix][sent : sent + 3]
            mine.shuffle(window)
            for one in [*window, *window[:1]]:
                applied = stubborn(mine.choice(workers).apply, one)
                acked = max(acked, applied.acks[-1].committed_seq)
            firsts = [index for index, one in enumerate(batches[suffix]) if _last(one) <= acked]
            sent = len(firsts)

    def tick() -> None:
        while not is_over.is_set():
            for work in (big_rig.deadlines.mark_silent, big_rig.deadlines.do_due):
                stubborn(lambda _: work(), None)  # noqa: B023 - called at once
            is_over.wait(0.002)

    with ThreadPoolExecutor(8) as pool:
        clocks = [pool.submit(tick) for _ in range(2)]
        for serving in [pool.submit(serve, suffix) for suffix in suffixes]:
            serving.result(timeout=120)
        is_over.set()
        for clock in clocks:
            clock.result(timeout=120)

    sessions = big_rig.rows(tables.sessions)
    assert len(sessions) == 3 * 3 * 2
    assert {(one.energy_wh, one.state) for one in sessions} == {(650, "ended")}
    assert len(big_rig.rows(tables.session_samples)) == len(sessions) * 59
    assert {one.situation for one in big_rig.rows(tables.bays)} == {"free"}
    assert [one.open_key for one in big_rig.rows(tables.alerts) if one.open_key] == []
    logged = [(one.station_id, one.seq) for one in big_rig.rows(tables.event_log)]
    assert len(logged) == len(set(logged))


def _last(incoming) -> int:
    batch = msgspec.json.decode(incoming.payload)
    return batch["first_seq"] + len(batch["events"]) - 1


def test_a_message_is_claimed_by_one_courier(rig):
    rig.agent.tell(connected(), said("faulted", error_code="GroundFailure"), beat=Beat())
    claimed: list[str] = []
    lock = threading.Lock()

    def claim() -> None:
        for _ in range(20):
            try:
                with rig.open_work() as work:
                    taken = work.messages.claim(rig.clock.now(), timedelta(minutes=2), 1)
                    work.commit()
            except TransactionLost:
                continue
            with lock:
                claimed.extend(one.id for one in taken)

    with ThreadPoolExecutor(4) as pool:
        for claiming in [pool.submit(claim) for _ in range(4)]:
            claiming.result(timeout=60)

    assert len(claimed) == len(set(claimed)) == 3
