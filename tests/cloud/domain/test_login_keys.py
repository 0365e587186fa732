"""Which calls would set a charger's login key, however they are spelled."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.domain.login_keys import is_login_key, sets_login_key


def row(name):
    return {"component": {"name": "SecurityCtrlr"}, "variable": {"name": name}}


@pytest.mark.parametrize(
    ("action", "payload", "expected"),
    [
        ("ChangeConfiguration", {"key": "AuthorizationKey", "value": "x"}, True),
        ("ChangeConfiguration", {"key": " authorizationKEY ", "value": "x"}, True),
        ("ChangeConfiguration", {"key": "HeartbeatInterval", "value": "x"}, False),
        ("ChangeConfiguration", {}, False),
        ("SetVariables", {"setVariableData": [row("HeartbeatInterval")]}, False),
        ("SetVariables", {"setVariableData": [row("X"), row("BasicAuthPassword")]}, True),
        ("SetVariables", {"setVariableData": {"variable": 1}}, False),
        ("SetVariables", {"setVariableData": [1, {"variable": 2}, {}]}, False),
        ("GetVariables", {"getVariableData": [row("BasicAuthPassword")]}, False),
    ],
)
def test_calls_that_set_it_are_found(action, payload, expected):
    assert sets_login_key(action, payload) is expected


@pytest.mark.parametrize(
    "name", ["SecurityCtrlr/BasicAuthPassword", "SecurityCtrlr.BasicAuthPassword"]
)
def test_so_is_a_name_with_its_component(name):
    assert is_login_key(name)


@given(st.recursive(st.none() | st.integers() | st.text(), st.lists, max_leaves=5))
def test_nonsense_is_no_key_and_no_crash(payload):
    assert not sets_login_key("SetVariables", {"setVariableData": payload})
