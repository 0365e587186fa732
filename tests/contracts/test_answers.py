"""What chargers say to our calls, in the words of all versions."""

import pytest

from contracts.answers import is_due_at_boot


@pytest.mark.parametrize(
    ("answer", "is_due"),
    [
        (None, False),
        ({}, False),
        ({"status": "Accepted"}, False),
        ({"status": "RebootRequired"}, True),
        ({"setVariableResult": [{"attributeStatus": "RebootRequired"}]}, True),
        ({"setVariableResult": [{"attributeStatus": "Accepted"}]}, False),
        ({"setVariableResult": "RebootRequired"}, False),
        ({"status": ["RebootRequired"]}, False),
    ],
)
def test_some_take_a_key_when_they_boot(answer, is_due):
    assert is_due_at_boot(answer) is is_due
