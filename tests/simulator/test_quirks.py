"""Each quirk spoils what it says it spoils, and leaves the truth alone."""

import itertools
import re
from datetime import timedelta

import pytest

from simulator.chargers import schemas
from simulator.chargers.manners import Manners
from simulator.chargers.quirks import QUIRKS, manners_with, quirk
from simulator.journal import Kind
from tests.simulator.builders import SCHEMAS, a_car, a_charger, a_world
from tests.simulator.fakes import FakeCsms


class Tolerant(FakeCsms):
    """A central system that takes whatever can be read."""

    is_strict = False

    def receive(self, text):
        """Read a value that is left out as null, and an element as none."""
        super().receive(text.replace("[,", "[").replace(":,", ":null,").replace(":}", ":null}"))


ACTS = {4, 20}
"""A power cut is `Dialer.vanish`; an unknown token offline is what any charger may be shown."""
OTHER_TRUTH = {"boot_loop", "forgets_register"}
"""Those that really reboot, or really count from 0."""


def _told_with(name, action):
    """The first payload of an action of a 1.6 charger with one quirk, and without."""
    return _payload(action, (quirk(name),)), _payload(action, ())


def _payload(action, quirks):
    world, _ = a_world()
    charger = a_charger(world, "1.6", quirks=quirks)
    csms = Tolerant("v16")
    csms.connect(charger.line)
    charger.plug_in(1, a_car())
    charger.present(1, "TOKEN-1")
    world.run_for(100)
    charger.present(1, "TOKEN-1")
    charger.break_down(1, "GroundFailure")
    return csms.told(action)[-1 if action == "StatusNotification" else 0]


def _sampled(payload):
    return {
        one.get("measurand"): (one["value"], one.get("unit"))
        for one in payload["meterValue"][0]["sampledValue"]
    }


def test_quirks_have_names_of_their_own_and_say_what_they_are():
    names = [one.name for one in QUIRKS]

    assert len(set(names)) == len(names)
    assert all("(" in one.about for one in QUIRKS)
    with pytest.raises(KeyError, match="there are: no_subprotocol"):
        quirk("nonsense")


@pytest.mark.parametrize(
    ("name", "action", "field", "value"),
    [
        ("corrupt_token", "StopTransaction", "idTag", "TOKEN-1\x10\x0e"),
        ("long_token", "StartTransaction", "idTag", "TOKEN-1FFFFFFFFFFFFFFFFF"),
        ("zero_reservation", "StartTransaction", "reservationId", 0),
        ("odometer_start", "StartTransaction", "meterStart", 0),
        ("unknown_error", "StatusNotification", "errorCode", "Error"),
    ],
)
def test_a_field_is_spoiled_and_nothing_else(name, action, field, value):
    spoiled, sound = _told_with(name, action)

    assert spoiled == sound | {field: value}
    assert sound.get(field) != value


def test_meter_values_come_as_an_object():
    spoiled, sound = _told_with("meter_object", "MeterValues")

    assert spoiled == sound | {"meterValue": sound["meterValue"][0]}


def test_registers_come_with_fractions():
    spoiled, sound = _told_with("fractional_meter", "StopTransaction")

    assert spoiled["meterStop"] - sound["meterStop"] == pytest.approx(0.4)


def test_energy_comes_in_kilowatt_hours():
    spoiled, sound = _told_with("kilowatt_hours", "MeterValues")
    name = "Energy.Active.Import.Register"

    value, unit = _sampled(spoiled)[name]
    assert (float(value) * 1000, unit) == (pytest.approx(int(_sampled(sound)[name][0])), "kWh")


def test_values_come_bare_or_without_energy():
    bare, _ = _told_with("bare_values", "MeterValues")
    power, _ = _told_with("power_alone", "MeterValues")

    assert set(_sampled(bare)) == {None}
    assert set(_sampled(power)) == {"Power.Active.Import"}


def test_instants_come_without_zone_or_from_1970():
    no_zone, sound = _told_with("no_zone", "MeterValues")
    ancient, _ = _told_with("year_1970", "StartTransaction")

    assert no_zone["meterValue"][0]["timestamp"] + "Z" == sound["meterValue"][0]["timestamp"]
    assert ancient["timestamp"].startswith("1970-01-01T08:")


@pytest.mark.parametrize("version", ["1.6", "2.0.1"])
@pytest.mark.parametrize("name", sorted({one.name for one in QUIRKS} - OTHER_TRUTH))
def test_the_truth_is_the_same_with_every_quirk(name, version):
    def truth(quirks):
        world, journal = a_world()
        charger = a_charger(world, version, quirks=quirks)
        Tolerant(SCHEMAS[version]).connect(charger.line)
        charger.plug_in(1, a_car())
        charger.present(1, "TOKEN-1")
        world.run_for(100)
        charger.unplug(1)
        return [
            (one.kind, one.register_wh, one.observed_at)
            for one in journal.entries
            if one.kind in {Kind.SESSION_BEGUN, Kind.SESSION_ENDED}
        ]

    assert truth((quirk(name),)) == truth(())


def test_manners_and_several_quirks_add_up():
    both = manners_with([quirk("late_answers"), quirk("impatient_boot")], Manners())
    altered = manners_with([quirk("no_zone"), quirk("odometer_start")], Manners()).alters

    assert (both.answers_after_s, both.waits_for_boot) == (35, False)
    payload = altered("StartTransaction", {"meterStart": 5, "timestamp": "2026-01-05T08:00:00Z"})
    assert payload == {"meterStart": 0, "timestamp": "2026-01-05T08:00:00"}


def test_a_charger_without_quirks_is_faultless():
    world, _ = a_world()
    charger = a_charger(world, "1.6")

    assert charger.line.manners.alters is None
    assert charger.offers == ("ocpp1.6",)
    assert a_charger(world, "1.6", quirks=(quirk("no_subprotocol"),)).offers == ()


@pytest.mark.parametrize("version", ["1.6", "2.0.1"])
def test_a_charger_with_a_skewed_clock_writes_its_own_time(version):
    world, journal = a_world()
    charger = a_charger(world, version, clock_skew=timedelta(hours=-2))
    csms = FakeCsms(SCHEMAS[version])
    csms.connect(charger.line)
    charger.plug_in(1, a_car())
    charger.present(1, "TOKEN-1")

    action = "StartTransaction" if version == "1.6" else "TransactionEvent"
    (begun,) = journal.of(Kind.SESSION_BEGUN)
    assert csms.told(action)[0]["timestamp"].startswith("2026-01-05T06:00")
    assert begun.observed_at == begun.at - timedelta(hours=2)


def test_each_of_the_38_that_one_charger_can_have_is_a_switch():
    told = {
        int(number) for one in QUIRKS for number in re.findall(r"\d+", one.about.rpartition("(")[2])
    }

    assert told == set(range(1, 39)) - ACTS


def test_every_schema_quirk_is_one_the_schema_refuses():
    refused = {}
    for name, action in itertools.product(
        ("long_token", "meter_object", "fractional_meter", "unknown_error"),
        ("StartTransaction", "MeterValues", "StatusNotification"),
    ):
        spoiled, _ = _told_with(name, action)
        refused.setdefault(name, []).append(schemas.fault_in("v16", action, spoiled) != "")

    assert {name for name, found in refused.items() if any(found)} == set(refused)
