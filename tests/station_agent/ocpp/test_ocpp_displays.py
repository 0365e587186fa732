"""Who may charge is shown what it costs, where the charger said that it can show it (I01)."""

import pytest

from contracts.events import InventoryEntry, InventoryKind, InventoryReported
from station_agent.ocpp import v16, v21, v201
from station_agent.ocpp.displays import SHOWS_TARIFF, TariffDisplays
from station_agent.ocpp.instants import write
from station_agent.ocpp.outcome import Context
from station_agent.ports import DecidedBy, Kept, OutboxUnavailable, Verdict
from tests.station_agent.ocpp.fakes import NOW, REFUSED, FakeOutbox, a_view

TARIFF = "0.55 GBP per kWh."
TOLD = Verdict(is_accepted=True, decided_by=DecidedBy.PLAN, tariff_text=TARIFF)
TOKEN = {"idToken": "04A1", "type": "ISO14443"}


def variable(value: str, key: str = SHOWS_TARIFF, **attribute) -> InventoryReported:
    body = {"variableAttribute": [{"value": value} | attribute]}
    return InventoryReported(
        charger_id="CP-1",
        inventory=InventoryKind.VARIABLE,
        entries=[InventoryEntry(key=key, body=body)],
        observed_at=NOW,
    )


@pytest.mark.parametrize(
    ("said", "shows"),
    [
        ([], False),
        ([variable("true")], True),
        ([variable("True", type="Actual")], True),
        ([variable("true", type="MaxSet")], False),
        ([variable("true", "TariffCostCtrlr/Enabled[Cost]")], False),
        ([variable("true"), variable("false")], False),
    ],
)
async def test_a_charger_shows_tariffs_if_it_said_so_last_also_after_a_restart(said, shows):
    outbox = FakeOutbox()
    displays = TariffDisplays(outbox)
    for fact in said:
        await displays.record([fact])

    assert displays.shows("CP-1") is TariffDisplays(outbox).shows("CP-1") is shows
    assert not displays.shows("CP-2")
    assert outbox.facts == said


async def test_what_is_known_of_a_display_is_not_written_again():
    class Outbox(FakeOutbox):
        written = 0

        async def record(self, facts, notes=()):
            self.written += sum(isinstance(one, Kept) for one in notes)
            await super().record(facts, notes)

    displays = TariffDisplays(outbox := Outbox())
    await displays.record([variable("true"), variable("true")])
    await displays.record([variable("true")])

    assert outbox.written == 1


async def test_what_the_disk_refused_was_not_said():
    outbox = FakeOutbox()
    outbox.is_broken = True
    displays = TariffDisplays(outbox)
    with pytest.raises(OutboxUnavailable):
        await displays.record([variable("true")])

    assert not displays.shows("CP-1")


def reply(version, action: str, payload: dict, verdict=TOLD, *, shows=True) -> dict:
    view = a_view(FakeOutbox(), shows_tariff=lambda: shows)
    route = version.ROUTES[action]
    return route.handle(route.decode(payload), Context(view, NOW, verdict)).reply


def event(kind: str, **more) -> dict:
    return {
        "eventType": kind,
        "timestamp": write(NOW),
        "triggerReason": "Authorized",
        "seqNo": 0,
        "transactionInfo": {"transactionId": "tx-1"},
        "idToken": TOKEN,
        **more,
    }


MESSAGE = {"format": "ASCII", "language": "en", "content": TARIFF}


@pytest.mark.parametrize("version", [v201, v21])
def test_i01_fr_01_the_tariff_is_told_with_a_yes(version):
    for said in (
        reply(version, "Authorize", {"idToken": TOKEN}),
        reply(version, "TransactionEvent", event("Started")),
        reply(version, "TransactionEvent", event("Updated")),
    ):
        assert said["idTokenInfo"] == {"status": "Accepted", "personalMessage": MESSAGE}


@pytest.mark.parametrize("version", [v201, v21])
@pytest.mark.parametrize(
    "asked",
    [
        pytest.param(("Authorize", {"idToken": TOKEN}, TOLD, False), id="no display"),
        pytest.param(("Authorize", {"idToken": TOKEN}, REFUSED, True), id="refused"),
        pytest.param(("TransactionEvent", event("Ended"), TOLD, True), id="over"),
        pytest.param(
            ("TransactionEvent", event("Updated", offline=True), TOLD, True), id="offline"
        ),
        pytest.param(
            ("Authorize", {"idToken": {"idToken": "", "type": "NoAuthorization"}}, None, True),
            id="nobody",
        ),
    ],
)
def test_i01_fr_02_no_tariff_is_told_where_nobody_would_see_it(version, asked):
    action, payload, verdict, shows = asked
    said = reply(version, action, payload, verdict, shows=shows)

    assert "personalMessage" not in said["idTokenInfo"]


def test_a_message_is_no_longer_than_the_standard_allows_and_says_how_it_is_written():
    long = Verdict(is_accepted=True, decided_by=DecidedBy.PLAN, tariff_text="\u20ac" * 600)
    message = reply(v201, "Authorize", {"idToken": TOKEN}, long)["idTokenInfo"]["personalMessage"]

    assert (message["format"], len(message["content"])) == ("UTF8", 512)


def test_1_6_has_no_place_for_it():
    assert reply(v16, "Authorize", {"idTag": "04A1"}) == {"idTagInfo": {"status": "Accepted"}}
