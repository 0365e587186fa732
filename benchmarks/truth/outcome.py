"""What came of a week: figures, rows for `build/bench.json`, and the page in the documentation."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from benchmarks.row import Row
from benchmarks.truth.play import Play, Size
from benchmarks.truth.score import Tally

T1_TARGET: Final = 1 / 20
T2_TARGET: Final = 0.01
T3_TARGET: Final = 0.03
_OURS: Final = "Baywatt"
_CHARGER: Final = "charger alone"
_MOST_CAUSES: Final = 6


@dataclass(frozen=True, slots=True)
class Outcome:
    """A week's figures."""

    size: Size
    minutes: int
    free_minutes: int
    tallies: dict[str, Tally]
    bookings: int
    took_s: float

    @property
    def ours(self) -> Tally:
        """Return our own feed's."""
        return self.tallies[_OURS]

    @property
    def charger_alone(self) -> Tally:
        """Return those of the feed that believes the charger alone."""
        return self.tallies[_CHARGER]


def outcome_of(play: Play) -> Outcome:
    """Return what came of a week that was played."""
    score = play.score
    return Outcome(
        play.size,
        score.minutes,
        score.free_minutes,
        score.tallies,
        play.promises.count,
        play.took_s,
    )


def rows(outcome: Outcome) -> list[Row]:
    """Return T1 to T3."""
    ours = outcome.ours
    return [
        Row(
            id="T1",
            what="said free but was not / the charger-alone feed's minutes",
            unit="min",
            ours=ours.said_free_was_not,
            baseline=outcome.charger_alone.said_free_was_not,
            bound="at_most",
            target=T1_TARGET,
        ),
        Row(
            id="T2",
            what="said not free but was / minutes truly free",
            unit="min",
            ours=ours.said_not_free_was,
            baseline=outcome.free_minutes,
            bound="at_most",
            target=T2_TARGET,
        ),
        Row(
            id="T3",
            what="unknown / all minutes of all bays",
            unit="min",
            ours=ours.unknown,
            baseline=outcome.minutes,
            bound="at_most",
            target=T3_TARGET,
        ),
    ]


def document(outcome: Outcome) -> str:
    """Return `docs/truth-benchmark.md`."""
    return "\n".join([*introduction(outcome.size), *_figures(outcome), ""])


def introduction(size: Size) -> list[str]:
    """Return the part of the page that says what is played and counted, from the code's own numbers."""
    chances, manners = size.chances, size.manners
    return [
        "# How true the availability is",
        "",
        "Written by `python -m benchmarks.truth`; `make bench` measures it again (rows T1 to T3 of",
        "`build/bench.json`), and `tests/benchmarks/test_truth.py` holds a small one to the same limits.",
        "",
        "## What is played",
        "",
        f"{size.days:g} days at {size.stations} stations of eight bays, in virtual time, seed {size.seed}: chargers of OCPP 1.6, 2.0.1 and 2.1, AC and DC,",
        "sensors of six families. The simulated chargers and sensors speak to the real agent (answering, sensors, occupancy, tokens,",
        "reservations; without sockets), the agent's facts go in batches to the real cloud (ingest, reconciliation, deadlines, promises, plans;",
        "on SQLite, without money and mail). Cars come by the profile of real sessions, guests besides by booking. All feeds see the same week.",
        "",
        "| what goes wrong | how much |",
        "|---|---|",
        f"| visits that only block the bay, {chances.blocks_s[0] / 60:g} to {chances.blocks_s[1] / 60:g} minutes long | {chances.blocked_ratio:.0%} |",
        f"| sensors that fell silent, {chances.dropped_h:g} hours on average | {chances.dropped_ratio:.0%} of the time |",
        f"| sensors that stick to what they last said, {chances.stuck_h:g} hours on average | {chances.stuck_ratio:.0%} of the time |",
        f"| sensors that flap, {chances.flapping_h:g} hour on average | {chances.flapping_ratio:.0%} of the time |",
        f"| chargers without a connection, {chances.offline_h:g} hour on average; they charge all the same | {chances.offline_ratio:.0%} of the time |",
        f"| bookings asked for at each station | {manners.bookings_a_day:g} a day |",
        f"| of these: nobody comes | {manners.no_show_ratio:.0%} |",
        f"| stay {manners.overstay_s[0] / 60:g} to {manners.overstay_s[1] / 60:g} minutes longer than booked | {manners.overstay_ratio:.0%} |",
        f"| come {manners.early_s[0] / 60:g} to {manners.early_s[1] / 60:g} minutes early | {manners.early_ratio:.0%} |",
        f"| come {manners.late_s[0] / 60:g} to {manners.late_s[1] / 60:g} minutes late | {manners.late_ratio:.0%} |",
        "",
        "A bay is truly **free** when, by the world's own journal, nobody stands in it, its charger is in order, and no promise protects it:",
        "from a quarter of an hour before a booked slot until the guest has left, was told that there is no bay, or has not come within the grace.",
        "Every minute every bay is asked for, a second after facts were sent: as late as they are in life. Beside ours there is a feed that believes the connector's own word",
        "(as central systems without sensors do; the agent has the chargers reserve here too), and one that believes the sensor's.",
        "",
    ]


def _figures(outcome: Outcome) -> Iterable[str]:
    yield "## What came of it"
    yield ""
    yield f"{outcome.minutes:,} minutes of bays, {outcome.free_minutes / outcome.minutes:.1%} of them truly free; {outcome.bookings:,} bookings."
    yield ""
    yield "| feed | said free, was not | said not free, was | of free minutes | unknown | of all minutes |"
    yield "|---|---|---|---|---|---|"
    for name, tally in outcome.tallies.items():
        yield (
            f"| {name} | {tally.said_free_was_not:,} | {tally.said_not_free_was:,} | "
            f"{tally.said_not_free_was / outcome.free_minutes:.2%} | {tally.unknown:,} | "
            f"{tally.unknown / outcome.minutes:.2%} |"
        )
    yield ""
    yield "| | | ours | target |"
    yield "|---|---|---|---|"
    for row in rows(outcome):
        yield f"| {row.id} | {row.what} | {row.ratio:.2%} | at most {row.target:.0%} |"
    yield ""
    yield "## Where ours is wrong"
    yield ""
    yield "By minutes, the most first; the situation is what was published."
    yield ""
    yield "| minutes | how | situation | sensor | in the bay |"
    yield "|---|---|---|---|---|"
    for (how, situation, sensor, occupant), count in _causes(outcome.ours):
        yield f"| {count:,} | {how} | `{situation}` | {sensor} | {occupant} |"


def _causes(tally: Tally) -> list[tuple[tuple[str, ...], int]]:
    """Return the most frequent causes of each way to be wrong."""
    kinds: dict[str, Counter[tuple[str, ...]]] = {}
    for why, count in tally.why.items():
        kinds.setdefault(why[0], Counter())[why] += count
    return [one for how in sorted(kinds) for one in kinds[how].most_common(_MOST_CAUSES)]
