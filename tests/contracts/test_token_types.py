"""What kind of token a text looks like."""

import pytest

from contracts.token_types import TokenType, type_by_shape


@pytest.mark.parametrize(
    ("token", "kind"),
    [
        ("04A2B3C4", TokenType.ISO14443),
        ("04a2b3c4d5e680", TokenType.ISO14443),
        ("04A2B3C4D5E6800102AB", TokenType.ISO14443),
        ("E004010012345678", TokenType.ISO15693),
        ("0a1b2c3d4e5f", TokenType.MAC_ADDRESS),
        ("0A:1B:2C:3D:4E:5F", TokenType.MAC_ADDRESS),
        ("0A-1B-2C-3D-4E-5F", TokenType.MAC_ADDRESS),
        ("0A:1B-2C:3D-4E:5F", TokenType.CENTRAL),
        ("gbbayc12345678x", TokenType.EMAID),
        ("GB-BAY-C12345678-X", TokenType.EMAID),
        ("GBBAYC12345678", TokenType.EMAID),
        ("GB-BAYC12345678", TokenType.CENTRAL),
        ("DEABCC12345678", TokenType.ISO14443),
        ("app00c0ffee0001", TokenType.CENTRAL),
        ("1234", TokenType.CENTRAL),
        ("", TokenType.CENTRAL),
    ],
)
def test_a_tokens_shape_says_its_type_as_far_as_it_shows(token, kind):
    assert type_by_shape(token) is kind
