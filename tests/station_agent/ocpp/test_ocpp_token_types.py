"""A charger is told the type of a token as its reader says it, and says it itself."""

import pytest

from contracts import commands
from contracts.events import AuthorizationDecided
from contracts.token_types import TokenType
from station_agent.ocpp import v16, v21, v201
from station_agent.ocpp.outcome import Context
from station_agent.ocpp.versions import CommandContext
from tests.station_agent.ocpp.fakes import ACCEPTED, NOW, FakeOutbox, a_view

TOKEN = "12345678"
BOTH = [pytest.param(one.VERSION, id=one.VERSION.name) for one in (v201, v21)]
IN_2_1_ALONE = (TokenType.EVCCID, TokenType.VIN)


def naming(token, word):
    """Return every command that names a token, and where."""
    listed = [
        commands.ListedToken(token=token, token_type=word),
        commands.ListedToken(token=token, token_type=word, is_gone=True),
    ]
    its = {"charger_id": "CP-1", "token": token, "token_type": word}
    return [
        commands.StartSession(evse_id=1, **its),
        commands.ReserveEvse(evse_id=1, reservation_number=7, until_at=NOW, **its),
        commands.SendLocalList(charger_id="CP-1", version=1, is_whole=False, entries=listed),
    ]


def told(version, token, word):
    """Return the tokens in what a charger is asked."""
    context = CommandContext("CP-1", FakeOutbox())
    payloads = [version.translate(one, context).payload for one in naming(token, word)]
    rows = [row for one in payloads for row in one.get("localAuthorizationList", [one])]
    return [(row["idToken"]["idToken"], row["idToken"]["type"]) for row in rows]


@pytest.mark.parametrize("version", BOTH)
@pytest.mark.parametrize("word", [one for one in TokenType if one not in IN_2_1_ALONE])
def test_a_token_goes_out_with_its_type(version, word):
    assert told(version, TOKEN, word) == [(TOKEN, word)] * 4


@pytest.mark.parametrize("version", BOTH)
@pytest.mark.parametrize(
    ("token", "kind"),
    [
        ("12345678", "ISO14443"),
        ("E004010012345678", "ISO15693"),
        ("GBBAYC12345678X", "eMAID"),
        ("0A1B2C3D4E5F", "MacAddress"),
        ("app1b2c3d4e5f60a", "Central"),
    ],
)
def test_one_nobody_said_the_type_of_has_that_of_its_shape(version, token, kind):
    assert told(version, token, "") == [(token, kind)] * 4


@pytest.mark.parametrize("word", [*IN_2_1_ALONE, "Acme"])
def test_a_word_only_2_1_can_say_leaves_it_to_the_shape_before(word):
    assert told(v21.VERSION, TOKEN, word) == [(TOKEN, word)] * 4
    assert told(v201.VERSION, TOKEN, word) == [(TOKEN, "ISO14443")] * 4


def test_1_6_knows_no_types():
    context = CommandContext("CP-1", FakeOutbox())
    typed = [v16.VERSION.translate(one, context) for one in naming(TOKEN, TokenType.KEY_CODE)]

    assert typed == [v16.VERSION.translate(one, context) for one in naming(TOKEN, "")]


EVENT = {
    "eventType": "Started",
    "timestamp": NOW.isoformat(),
    "triggerReason": "Authorized",
    "seqNo": 0,
    "transactionInfo": {"transactionId": "t"},
}


@pytest.mark.parametrize("version", BOTH)
@pytest.mark.parametrize(("action", "more"), [("Authorize", {}), ("TransactionEvent", EVENT)])
@pytest.mark.parametrize(
    ("kind", "word"), [("eMAID", "eMAID"), ("a word of thirty characters", "a word of thirty cha")]
)
def test_how_a_token_was_shown_is_told(version, action, more, kind, word):
    route = version.routes[action]
    request = route.decode(more | {"idToken": {"idToken": TOKEN, "type": kind}})
    outcome = route.handle(request, Context(a_view(FakeOutbox()), NOW, ACCEPTED))

    (fact,) = [one for one in outcome.facts if isinstance(one, AuthorizationDecided)]
    assert (fact.token, fact.token_type) == (TOKEN, word)
