"""A charger that takes a charging profile and charges as before is found out by its own samples."""

from datetime import timedelta

import pytest

from contracts import commands
from contracts.commands import LimitPeriod, ProfileKind, ProfilePurpose, Recurrency
from contracts.events import OddityObserved
from station_agent.ocpp import v16, v201
from station_agent.ocpp.ceilings import Ceilings
from station_agent.ocpp.outcome import Context
from station_agent.ocpp.versions import CommandContext
from station_agent.ports import SessionRecord
from tests.station_agent.ocpp.fakes import NOW, FakeOutbox, a_view

BOTH = [pytest.param(one.VERSION, id=one.VERSION.name) for one in (v16, v201)]
BEFORE, SOON, LATER = NOW - timedelta(minutes=5), NOW + timedelta(seconds=5), NOW + timedelta(60)


def took(ceilings, version, *, evse_id=1, at=NOW, **changes):
    fields = {
        "profile_id": 7,
        "purpose": ProfilePurpose.DEFAULT,
        "profile_kind": ProfileKind.RELATIVE,
        "periods": [LimitPeriod(start_s=0, limit=6_000), LimitPeriod(start_s=60, limit=3_000)],
    }
    profile = commands.ChargingProfile(**fields | changes)
    request = commands.SetChargingProfile(charger_id="CP-1", evse_id=evse_id, profile=profile)
    learnt(ceilings, version, request, at)


def cleared(ceilings, version, **criteria):
    learnt(ceilings, version, commands.ClearChargingProfile(charger_id="CP-1", **criteria), NOW)


def learnt(ceilings, version, request, at):
    outbound = version.translate(request, CommandContext("CP-1", FakeOutbox()))
    ceilings.learn(version.learn(outbound, {"status": "Accepted"}, "CP-1", at), at)


def broken(ceilings, power_w, at=LATER, began_at=BEFORE):
    return [ceilings.is_broken(1, power_w, began_at, at) for _ in range(3)]


@pytest.mark.parametrize("version", BOTH)
def test_the_second_sample_in_a_row_above_the_limit_shows_it_once(version):
    ceilings = Ceilings()
    took(ceilings, version)

    assert broken(ceilings, 11_000) == [False, True, False]


@pytest.mark.parametrize("version", BOTH)
@pytest.mark.parametrize(("power_w", "at"), [(6_300, LATER), (None, LATER), (11_000, SOON)])
def test_a_little_more_and_the_first_half_minute_are_no_offence(version, power_w, at):
    ceilings = Ceilings()
    took(ceilings, version)

    assert not any(broken(ceilings, power_w, at))


@pytest.mark.parametrize("version", BOTH)
def test_a_sessions_own_profile_overrules_the_default_and_ends_with_it(version):
    ceilings = Ceilings()
    took(ceilings, version)
    own = [LimitPeriod(start_s=0, limit=16, phases=3)]
    session, ampere = ProfilePurpose.SESSION, commands.LimitUnit.AMPERE
    took(ceilings, version, profile_id=8, purpose=session, unit=ampere, periods=own)

    assert not any(broken(ceilings, 11_000))
    assert any(broken(ceilings, 11_000, began_at=NOW + timedelta(seconds=1)))


@pytest.mark.parametrize("version", BOTH)
@pytest.mark.parametrize("criteria", [{}, {"profile_id": 7}, {"evse_id": 1}, {"stack_level": 0}])
def test_what_was_cleared_limits_no_more(version, criteria):
    ceilings = Ceilings()
    took(ceilings, version)
    cleared(ceilings, version, **criteria)

    assert not any(broken(ceilings, 11_000))


@pytest.mark.parametrize("version", BOTH)
def test_what_holds_elsewhere_limits_nothing_here(version):
    ceilings = Ceilings()
    took(ceilings, version, evse_id=2)
    cleared(ceilings, version, stack_level=3)

    assert not any(broken(ceilings, 11_000))


def sample(version, power_w):
    value = {"measurand": "Power.Active.Import"}
    if version is v16.VERSION:
        values = [value | {"value": str(power_w), "unit": "W"}]
        payload = {"connectorId": 1, "transactionId": 17}
    else:
        values = [value | {"value": power_w, "unitOfMeasure": {"unit": "W"}}]
        payload = {"evseId": 1}
    at = (NOW + timedelta(minutes=1)).isoformat()
    return payload | {"meterValue": [{"timestamp": at, "sampledValue": values}]}


@pytest.mark.parametrize("version", BOTH)
def test_it_is_told_as_an_oddity(version):
    outbox = FakeOutbox()
    outbox.sessions["s"] = SessionRecord(
        session_id="s",
        charger_id="CP-1",
        evse_id=1,
        connector_id=1,
        transaction_id="17",
        start_key="17",
        token="A",
        meter_start_wh=0,
        started_at=BEFORE,
    )
    view = a_view(outbox)
    took(view.talk.ceilings, version)
    route = version.routes["MeterValues"]
    facts = []
    for _ in range(3):
        request = route.decode(sample(version, 11_000))
        facts += route.handle(request, Context(view, NOW + timedelta(minutes=1))).facts

    odd = [one for one in facts if type(one) is OddityObserved]
    assert [(one.oddity, one.detail) for one in odd] == [
        ("profile_ignored", "EVSE 1 gives 11000 W")
    ]


HOUR, DAY = timedelta(hours=1), timedelta(days=1)
BY_THE_CLOCK = {"profile_kind": ProfileKind.ABSOLUTE, "starts_at": NOW}
EACH_DAY = {
    "profile_kind": ProfileKind.RECURRING,
    "recurrency": Recurrency.DAILY,
    "starts_at": NOW - 2 * DAY,
    "duration_s": 3600,
}
SPANS = [
    pytest.param({"valid_until": NOW + HOUR}, NOW + HOUR / 2, NOW + HOUR, id="valid until"),
    pytest.param({"valid_from": NOW + HOUR}, NOW + 2 * HOUR, NOW + HOUR / 2, id="valid from"),
    pytest.param(
        BY_THE_CLOCK | {"duration_s": 3600}, NOW + HOUR / 2, NOW + HOUR, id="by the clock"
    ),
    pytest.param(
        BY_THE_CLOCK | {"starts_at": NOW + HOUR}, NOW + 2 * HOUR, NOW + HOUR / 2, id="not begun"
    ),
    pytest.param(
        {"duration_s": 3600}, BEFORE + HOUR - timedelta(seconds=1), BEFORE + HOUR, id="of a session"
    ),
    pytest.param(
        BY_THE_CLOCK | {"duration_s": 10**15}, NOW + HOUR, NOW - HOUR, id="by the clock, for ever"
    ),
    pytest.param(EACH_DAY, NOW + DAY + HOUR / 2, NOW + DAY + HOUR, id="each day"),
    pytest.param(
        EACH_DAY | {"recurrency": Recurrency.WEEKLY},
        NOW + 5 * DAY + HOUR / 2,
        NOW + DAY + HOUR / 2,
        id="each week",
    ),
]


@pytest.mark.parametrize("version", BOTH)
@pytest.mark.parametrize(("said", "within", "outside"), SPANS)
def test_a_profile_limits_while_it_is_in_force_and_no_longer(version, said, within, outside):
    ceilings = Ceilings()
    took(ceilings, version, **said)

    assert not any(broken(ceilings, 11_000, outside))
    assert any(broken(ceilings, 11_000, within))


@pytest.mark.parametrize("version", BOTH)
def test_where_one_ran_out_the_one_below_it_limits_again(version):
    ceilings = Ceilings()
    took(ceilings, version)
    more = [LimitPeriod(start_s=0, limit=11_000)]
    took(ceilings, version, profile_id=8, stack_level=1, periods=more, valid_until=NOW + HOUR)

    assert not any(broken(ceilings, 11_000, NOW + HOUR / 2))
    assert any(broken(ceilings, 11_000, NOW + HOUR))


def test_of_several_schedules_the_last_to_begin_and_the_first_to_end_are_believed():
    ceilings = Ceilings()
    rate = {"chargingRateUnit": "W", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 6000}]}
    spans = [
        {"id": 1, "startSchedule": (NOW - HOUR).isoformat(), "duration": 3 * 3600},
        {"id": 2, "startSchedule": NOW.isoformat(), "duration": 3600},
        {"id": 3, "startSchedule": "no time"},
    ]
    profile = {
        "id": 7,
        "stackLevel": 0,
        "chargingProfilePurpose": "TxDefaultProfile",
        "chargingProfileKind": "Absolute",
        "chargingSchedule": [one | rate for one in spans],
    }
    payload = {"evseId": 1, "chargingProfile": profile}
    request = commands.CallCharger(charger_id="CP-1", action="SetChargingProfile", payload=payload)
    learnt(ceilings, v201.VERSION, request, NOW - HOUR)

    assert not any(broken(ceilings, 11_000, NOW - HOUR / 2))
    assert not any(broken(ceilings, 11_000, NOW + HOUR))
    assert any(broken(ceilings, 11_000, NOW + HOUR / 2))
