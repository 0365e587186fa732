"""Chargers' keys and certificates over HTTP; a key is set by no other way."""

import pytest

from tests.cloud.api.house import V1, House, add_charger
from tests.cloud.api.test_commands_over_http import operator

CHARGER = f"{V1}/chargers/GREEN-1"
PASSWORD = {
    "component": {"name": "SecurityCtrlr"},
    "variable": {"name": "BasicAuthPassword"},
    "attributeValue": "0123456789abcdef",
}


@pytest.fixture
def charger(house: House) -> House:
    add_charger(house)
    return house


async def test_a_change_of_keys_is_begun_once_and_shown_without_a_key(charger: House):
    async with operator(charger) as client:
        none = await client.get(f"{CHARGER}/key-rotation")
        begun = await client.post(f"{CHARGER}/key-rotation")
        again = await client.post(f"{CHARGER}/key-rotation")
        shown = await client.get(f"{CHARGER}/key-rotation")

    assert none.status_code == 404
    assert (begun.status_code, begun.json()["status"]) == (202, "announced")
    assert again.json() == begun.json() == shown.json()
    assert not {"key", "salt", "key_hash"} & shown.json().keys()


async def test_certificates_are_listed_with_the_roots_above_them(charger: House):
    async with operator(charger) as client:
        listed = await client.get(f"{CHARGER}/certificates")

    assert listed.json() == {"certificates": [], "roots": {}}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("calls", {"action": "SetVariables", "payload": {"setVariableData": [PASSWORD]}}),
        (
            "calls",
            {
                "action": "ChangeConfiguration",
                "payload": {"key": "AuthorizationKey", "value": "00" * 20},
            },
        ),
        (
            "commands",
            {"kind": "write_variable", "name": "SecurityCtrlr/BasicAuthPassword", "value": "x"},
        ),
        ("commands", {"kind": "write_variable", "name": "AuthorizationKey", "value": "x"}),
        ("commands", {"kind": "set_charger_key", "salt": "00" * 16}),
    ],
)
async def test_a_key_nobody_would_know_is_not_set_by_hand(charger: House, path, body):
    async with operator(charger) as client:
        refused = await client.post(f"{CHARGER}/{path}", json=body)

    assert refused.status_code == 422
    assert charger.broker.published == []
