"""Charging profiles, lists of tokens and costs: how both versions are asked, and what answers teach."""

from datetime import timedelta

import pytest

from contracts import commands
from contracts.commands import LimitPeriod, ProfileKind, ProfilePurpose
from contracts.events import ChargingNeeded, CommandOutcome, InventoryKind
from station_agent.ocpp import v16, v201
from station_agent.ocpp.outcome import Context
from station_agent.ocpp.rpc import Answered
from station_agent.ocpp.versions import CommandContext, Outbound, Untranslatable
from station_agent.ports import SessionRecord
from tests.station_agent.ocpp.fakes import NOW, FakeOutbox, a_view
from tests.station_agent.ocpp.test_ocpp_gateway import FakeConnection, a_gateway

BOTH = [pytest.param(one.VERSION, id=one.VERSION.name) for one in (v16, v201)]


def a_profile(**changes):
    fields = {
        "profile_id": 7,
        "stack_level": 2,
        "purpose": ProfilePurpose.DEFAULT,
        "profile_kind": ProfileKind.RELATIVE,
        "periods": [LimitPeriod(start_s=0, limit=6_000.04)],
    }
    return commands.ChargingProfile(**fields | changes)


def a_context(outbox=None):
    return CommandContext("CP-1", outbox or FakeOutbox())


def an_outbox(transaction_id="17"):
    outbox = FakeOutbox()
    outbox.sessions["s"] = SessionRecord(
        session_id="s",
        charger_id="CP-1",
        evse_id=1,
        connector_id=1,
        transaction_id=transaction_id,
        start_key=transaction_id,
        token="A",
        meter_start_wh=0,
        started_at=NOW,
    )
    return outbox


def asked(version, request, outbox=None):
    return version.translate(request, a_context(outbox))


def set_at(evse_id, profile):
    return commands.SetChargingProfile(charger_id="CP-1", evse_id=evse_id, profile=profile)


def test_a_recurring_profile_is_written_whole_as_201_has_it():
    profile = a_profile(
        profile_kind=ProfileKind.RECURRING,
        recurrency=commands.Recurrency.DAILY,
        valid_from=NOW,
        valid_until=NOW + timedelta(days=1),
        starts_at=NOW,
        duration_s=3_600,
        unit=commands.LimitUnit.AMPERE,
        least=6.0,
        periods=[
            LimitPeriod(start_s=0, limit=16, phases=1),
            LimitPeriod(start_s=60, limit=32),
        ],
    )

    assert asked(v201.VERSION, set_at(1, profile)) == Outbound(
        "SetChargingProfile",
        {
            "evseId": 1,
            "chargingProfile": {
                "id": 7,
                "stackLevel": 2,
                "chargingProfilePurpose": "TxDefaultProfile",
                "chargingProfileKind": "Recurring",
                "recurrencyKind": "Daily",
                "validFrom": "2026-11-22T12:00:00.000Z",
                "validTo": "2026-11-23T12:00:00.000Z",
                "chargingSchedule": [
                    {
                        "id": 7,
                        "chargingRateUnit": "A",
                        "startSchedule": "2026-11-22T12:00:00.000Z",
                        "duration": 3_600,
                        "minChargingRate": 6.0,
                        "chargingSchedulePeriod": [
                            {"startPeriod": 0, "limit": 16, "numberPhases": 1},
                            {"startPeriod": 60, "limit": 32},
                        ],
                    }
                ],
            },
        },
    )


@pytest.mark.parametrize("version", BOTH)
@pytest.mark.parametrize(
    "profile",
    [
        a_profile(periods=[LimitPeriod(start_s=1, limit=1)]),
        a_profile(periods=[LimitPeriod(start_s=0, limit=1), LimitPeriod(start_s=0, limit=2)]),
        a_profile(starts_at=NOW),
        a_profile(profile_kind=ProfileKind.ABSOLUTE),
        a_profile(profile_kind=ProfileKind.RECURRING, starts_at=NOW),
        a_profile(recurrency=commands.Recurrency.WEEKLY),
    ],
)
def test_a_profile_no_charger_could_follow_is_not_sent(version, profile):
    with pytest.raises(Untranslatable):
        asked(version, set_at(1, profile))


def test_limits_have_one_decimal():
    outbound = asked(v16.VERSION, set_at(1, a_profile()))

    periods = outbound.payload["csChargingProfiles"]["chargingSchedule"]["chargingSchedulePeriod"]
    assert periods == [{"startPeriod": 0, "limit": 6_000.0}]


def test_a_sessions_profile_names_its_transaction_where_there_is_one():
    request = set_at(1, a_profile(purpose=ProfilePurpose.SESSION))
    in_201 = asked(v201.VERSION, request, an_outbox("tx-1")).payload["chargingProfile"]
    in_16 = asked(v16.VERSION, request, an_outbox()).payload["csChargingProfiles"]
    without = asked(v201.VERSION, request).payload["chargingProfile"]

    assert in_201["transactionId"] == "tx-1"
    assert in_16["transactionId"] == 17
    assert "transactionId" not in without


def test_a_remote_start_may_bring_its_profile():
    profile = a_profile(purpose=ProfilePurpose.SESSION)
    start = commands.StartSession(charger_id="CP-1", evse_id=1, token="A", profile=profile)

    for version in (v16.VERSION, v201.VERSION):
        written = asked(version, start).payload["chargingProfile"]
        assert written["chargingProfilePurpose"] == "TxProfile"
        assert "transactionId" not in written


@pytest.mark.parametrize(
    ("version", "fields", "payload"),
    [
        (v16.VERSION, {}, {}),
        (v16.VERSION, {"profile_id": 7}, {"id": 7}),
        (
            v16.VERSION,
            {"evse_id": 0, "purpose": ProfilePurpose.CHARGER, "stack_level": 1},
            {
                "connectorId": 0,
                "chargingProfilePurpose": "ChargePointMaxProfile",
                "stackLevel": 1,
            },
        ),
        (v201.VERSION, {}, {}),
        (v201.VERSION, {"profile_id": 7}, {"chargingProfileId": 7}),
        (
            v201.VERSION,
            {"evse_id": 0, "purpose": ProfilePurpose.CHARGER, "stack_level": 1},
            {
                "chargingProfileCriteria": {
                    "evseId": 0,
                    "chargingProfilePurpose": "ChargingStationMaxProfile",
                    "stackLevel": 1,
                }
            },
        ),
    ],
)
def test_profiles_are_cleared_by_all_that_is_said(version, fields, payload):
    request = commands.ClearChargingProfile(charger_id="CP-1", **fields)

    assert asked(version, request) == Outbound("ClearChargingProfile", payload)


@pytest.mark.parametrize("unit", [None, commands.LimitUnit.AMPERE])
def test_a_composite_schedule_is_asked_for_in_a_unit_or_in_any(unit):
    request = commands.GetCompositeSchedule(charger_id="CP-1", evse_id=1, duration_s=300, unit=unit)
    told = {} if unit is None else {"chargingRateUnit": "A"}

    assert asked(v16.VERSION, request).payload == {"connectorId": 1, "duration": 300} | told
    assert asked(v201.VERSION, request).payload == {"evseId": 1, "duration": 300} | told


# --- what answers teach -----------------------------------------------------------------------


def learnt(version, outbound, answer):
    return version.learn(outbound, answer, "CP-1", NOW)


@pytest.mark.parametrize("version", BOTH)
def test_a_profile_that_was_taken_is_held_and_one_refused_is_not(version):
    outbound = asked(version, set_at(1, a_profile()))
    (told,) = learnt(version, outbound, {"status": "Accepted"})

    (entry,) = told.entries
    assert told.inventory is InventoryKind.CHARGING_PROFILE
    assert entry.key == "7"
    assert entry.body["evse_id"] == 1
    assert entry.body["purpose"] == "TxDefaultProfile"
    assert entry.body["stack_level"] == 2
    assert learnt(version, outbound, {"status": "Rejected"}) == ()


def test_in_16_a_profile_takes_the_place_of_one_of_the_same_place():
    outbound = asked(v16.VERSION, set_at(1, a_profile()))
    (told,) = learnt(v16.VERSION, outbound, {"status": "Accepted"})

    assert told.gone_like == [{"evse_id": 1, "purpose": "TxDefaultProfile", "stack_level": 2}]


@pytest.mark.parametrize("version", BOTH)
@pytest.mark.parametrize("status", ["Accepted", "Unknown"])
def test_what_was_cleared_or_never_there_is_not_held(version, status):
    clear = commands.ClearChargingProfile
    by_id = asked(version, clear(charger_id="CP-1", profile_id=7))
    by_place = asked(version, clear(charger_id="CP-1", evse_id=1, stack_level=2))
    (one,) = learnt(version, by_id, {"status": status})
    (some,) = learnt(version, by_place, {"status": status})
    ours = {"source": "CSO"} if version is v201.VERSION else {}

    assert one.gone == ["7"]
    assert some.gone_like == [ours | {"evse_id": 1, "stack_level": 2}]


def test_an_answer_of_another_kind_to_clearing_teaches_nothing():
    for version in (v16, v201):
        learn = version.LEARNT["ClearChargingProfile"]
        assert learn({"status": "Odd"}, None) == ()


@pytest.mark.parametrize(
    ("criteria", "is_whole"),
    [({}, True), ({"evseId": 1}, False), ({"chargingProfile": {"stackLevel": 1}}, False)],
)
def test_only_a_report_of_all_profiles_tells_what_is_not_there(criteria, is_whole):
    view = a_view(FakeOutbox())
    view.talk.note("GetChargingProfiles", {"requestId": 3, "chargingProfile": {}} | criteria)
    route = v201.ROUTES["ReportChargingProfiles"]
    profile = asked(v201.VERSION, set_at(1, a_profile())).payload["chargingProfile"]
    payload = {
        "requestId": 3,
        "chargingLimitSource": "CSO",
        "evseId": 1,
        "chargingProfile": [profile],
    }
    told, job = route.handle(route.decode(payload), Context(view, NOW)).facts

    assert told.is_whole is is_whole
    assert job.is_over


# --- what cars need -----------------------------------------------------------------------------


NEEDS = {
    "requestedEnergyTransfer": "AC_three_phase",
    "acChargingParameters": {
        "energyAmount": 20_000,
        "evMinCurrent": 6,
        "evMaxCurrent": 16,
        "evMaxVoltage": 400,
    },
}


def said(view, action, payload):
    route = v201.ROUTES[action]
    return route.handle(route.decode(payload), Context(view, NOW))


def schedule(limit, *, starts=(0,)):
    periods = [{"startPeriod": one, "limit": limit} for one in starts]
    return {"id": 1, "chargingRateUnit": "W", "chargingSchedulePeriod": periods}


@pytest.mark.parametrize(("limit", "status"), [(6_000, "Accepted"), (6_100, "Rejected")])
def test_a_car_that_means_to_draw_more_than_offered_is_refused_and_offered_anew(limit, status):
    view = a_view(an_outbox("tx-1"))
    said(view, "NotifyEVChargingNeeds", {"evseId": 1, "chargingNeeds": NEEDS})
    profile = a_profile(
        purpose=ProfilePurpose.SESSION, profile_kind=ProfileKind.ABSOLUTE, starts_at=NOW
    )
    view.talk.note("SetChargingProfile", asked(v201.VERSION, set_at(1, profile)).payload)
    told = said(
        view,
        "NotifyEVChargingSchedule",
        {"evseId": 1, "timeBase": "2026-11-22T12:00:05Z", "chargingSchedule": schedule(limit)},
    )

    again = [one for one in told.facts if type(one) is ChargingNeeded]
    assert told.reply == {"status": status}
    assert [one.is_exceeded for one in again] == ([True] if status == "Rejected" else [])


def test_a_car_too_greedy_of_which_no_needs_are_known_is_only_refused():
    view = a_view(an_outbox("tx-1"))
    profile = a_profile(purpose=ProfilePurpose.SESSION)
    view.talk.note("SetChargingProfile", asked(v201.VERSION, set_at(1, profile)).payload)
    told = said(
        view,
        "NotifyEVChargingSchedule",
        {"evseId": 1, "timeBase": "2026-11-22T12:00:05Z", "chargingSchedule": schedule(9_000)},
    )

    assert told.reply == {"status": "Rejected"}
    assert [one.oddity for one in told.facts] == ["car_wants_more"]


@pytest.mark.parametrize(
    ("needs", "energy_wh", "power_w"),
    [
        ({"requestedEnergyTransfer": "DC"}, None, None),
        (
            {"dcChargingParameters": {"evMaxCurrent": 100, "evMaxVoltage": 400, "evMaxPower": 9}},
            None,
            9,
        ),
        (
            {"dcChargingParameters": {"evMaxCurrent": 10, "evMaxVoltage": 400, "energyAmount": 5}},
            5,
            4_000,
        ),
        (
            {
                "dcChargingParameters": {
                    "evMaxCurrent": 10,
                    "evMaxVoltage": 400,
                    "stateOfCharge": 90,
                    "fullSoC": 80,
                    "evEnergyCapacity": 60_000,
                }
            },
            0,
            4_000,
        ),
    ],
)
def test_needs_are_read_as_the_car_says_them(needs, energy_wh, power_w):
    payload = {"evseId": 1, "chargingNeeds": {"requestedEnergyTransfer": "DC"} | needs}
    (fact,) = said(a_view(an_outbox("tx-1")), "NotifyEVChargingNeeds", payload).facts

    assert (fact.energy_wh, fact.max_power_w) == (energy_wh, power_w)


# --- lists of tokens and costs -----------------------------------------------------------------


ENTRIES = [
    commands.ListedToken(token="04a2b3c4", parent_token="FLEET", valid_until=NOW),
    commands.ListedToken(token="bad", is_valid=False),
    commands.ListedToken(token="old", is_gone=True),
]


def a_list(entries=ENTRIES, *, is_whole=False):
    return commands.SendLocalList(
        charger_id="CP-1", version=4, is_whole=is_whole, entries=list(entries)
    )


def test_a_list_is_written_as_each_version_has_it():
    at = "2026-11-22T12:00:00.000Z"

    assert asked(v16.VERSION, a_list()).payload == {
        "listVersion": 4,
        "updateType": "Differential",
        "localAuthorizationList": [
            {
                "idTag": "04A2B3C4",
                "idTagInfo": {"status": "Accepted", "expiryDate": at, "parentIdTag": "FLEET"},
            },
            {"idTag": "bad", "idTagInfo": {"status": "Blocked"}},
            {"idTag": "old"},
        ],
    }
    assert asked(v201.VERSION, a_list()).payload == {
        "versionNumber": 4,
        "updateType": "Differential",
        "localAuthorizationList": [
            {
                "idToken": {"idToken": "04A2B3C4", "type": "ISO14443"},
                "idTokenInfo": {
                    "status": "Accepted",
                    "cacheExpiryDateTime": at,
                    "groupIdToken": {"idToken": "FLEET", "type": "Central"},
                },
            },
            {
                "idToken": {"idToken": "bad", "type": "Central"},
                "idTokenInfo": {"status": "Blocked"},
            },
            {"idToken": {"idToken": "old", "type": "Central"}},
        ],
    }


@pytest.mark.parametrize("version", BOTH)
def test_an_empty_list_has_no_entries(version):
    payload = asked(version, a_list([], is_whole=True)).payload

    assert payload["updateType"] == "Full"
    assert "localAuthorizationList" not in payload


def test_16_leaves_out_tokens_it_cannot_have():
    long = commands.ListedToken(token="x" * 21)
    fleet = commands.ListedToken(token="a", parent_token="y" * 21)
    payload = asked(v16.VERSION, a_list([long, fleet])).payload

    assert payload["localAuthorizationList"] == [
        {"idTag": "a", "idTagInfo": {"status": "Accepted"}}
    ]


@pytest.mark.parametrize(
    ("version", "name", "limits"),
    [
        (
            v16.VERSION,
            "listVersion",
            {"configurationKey": [{"key": "x", "readonly": True, "value": "2"}]},
        ),
        (
            v201.VERSION,
            "versionNumber",
            {"getVariableResult": [{"attributeStatus": "Accepted", "attributeValue": "2"}]},
        ),
    ],
    ids=["1.6", "2.0.1"],
)
async def test_a_long_list_goes_in_parts_each_with_a_version_of_its_own(version, name, limits):
    def answer(action, _payload):
        return Answered({"status": "Accepted"} if action == "SendLocalList" else limits)

    connection = FakeConnection(answer)
    connection.version = version
    entries = [commands.ListedToken(token=f"t{one}") for one in range(5)]
    result = await a_gateway(connection).execute(a_list(entries, is_whole=True), 30)

    parts = [payload for action, payload, _ in connection.calls if action == "SendLocalList"]
    assert result.outcome is CommandOutcome.ACCEPTED
    assert [(one["updateType"], one[name]) for one in parts] == [
        ("Full", 4),
        ("Differential", 5),
        ("Differential", 6),
    ]
    assert [len(one["localAuthorizationList"]) for one in parts] == [2, 2, 1]


@pytest.mark.parametrize("version", BOTH)
async def test_a_part_that_is_refused_ends_the_list(version):
    def answer(action, _payload):
        if action == "SendLocalList":
            return Answered({"status": "VersionMismatch"})
        return Answered({"configurationKey": [{"key": "x", "readonly": True, "value": "1"}]})

    connection = FakeConnection(answer)
    connection.version = version
    result = await a_gateway(connection).execute(a_list(), 30)

    sent = [action for action, _, _ in connection.calls if action == "SendLocalList"]
    assert result.outcome is CommandOutcome.REJECTED
    assert len(sent) == 1


@pytest.mark.parametrize(
    ("version", "name"), [(v16.VERSION, "listVersion"), (v201.VERSION, "versionNumber")]
)
def test_a_charger_tells_which_list_it_has(version, name):
    ask = asked(version, commands.GetLocalListVersion(charger_id="CP-1"))
    sent = asked(version, a_list())
    (now,) = learnt(version, ask, {name: 3})
    (then,) = learnt(version, sent, {"status": "Accepted"})

    assert [one.body for one in now.entries] == [{"version": 3}]
    assert [one.body for one in then.entries] == [{"version": 4}]
    assert learnt(version, sent, {"status": "Failed"}) == ()


def test_costs_are_told_where_there_is_a_message_for_them():
    request = commands.TellCost(charger_id="CP-1", transaction_id="tx-1", total="12.34")

    assert asked(v201.VERSION, request).payload == {"totalCost": 12.34, "transactionId": "tx-1"}
    with pytest.raises(Untranslatable):
        asked(v16.VERSION, request)


def test_a_reservation_may_ask_for_a_kind_of_plug():
    request = commands.ReserveEvse(
        charger_id="CP-1",
        evse_id=0,
        reservation_number=5,
        token="A",
        connector_type="cType2",
        until_at=NOW,
    )
    payload = asked(v201.VERSION, request).payload

    assert payload["connectorType"] == "cType2"
    assert "evseId" not in payload
