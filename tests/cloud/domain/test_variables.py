"""What is known of a variable is kept when only its value is told."""

from cloud.domain.customer_data import without_customer
from cloud.domain.variables import merged

KNOWN = {
    "variableAttribute": [{"type": "Actual", "value": "1", "mutability": "ReadWrite"}],
    "variableCharacteristics": {"dataType": "integer"},
}


def test_a_value_alone_leaves_the_rest_as_it_was():
    whole = merged(KNOWN, {"variableAttribute": [{"value": "2"}]})

    assert whole["variableAttribute"] == [
        {"type": "Actual", "value": "2", "mutability": "ReadWrite"}
    ]
    assert whole["variableCharacteristics"] == {"dataType": "integer"}


def test_another_type_of_attribute_stands_beside():
    whole = merged(KNOWN, {"variableAttribute": [{"type": "Target", "value": "2"}]})

    assert [one["type"] for one in whole["variableAttribute"]] == ["Actual", "Target"]


def test_a_configuration_key_keeps_whether_it_can_be_written():
    whole = merged({"key": "a", "readonly": True, "value": "1"}, {"key": "a", "value": "2"})

    assert whole == {"key": "a", "readonly": True, "value": "2"}


def test_the_text_of_a_customer_is_left_out():
    assert without_customer({"data_0": "N. N.", "parts": 1}) == {"parts": 1}
