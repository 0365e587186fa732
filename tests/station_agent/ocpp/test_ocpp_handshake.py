"""The door: paths, keys, profiles and versions, whole matrices of them."""

import base64
from itertools import product

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.ids import is_identity
from contracts.keys import hash_key
from station_agent.ocpp.handshake import (
    DOWNGRADED,
    REPLACED,
    VERSIONS,
    Knock,
    admit,
    asks_to_upgrade,
    basic_credentials,
    choose_version,
    has_key,
    identity_of,
    is_handshake_key,
    offers_in,
    other_than,
)
from station_agent.ocpp.tls import is_certificate_of
from tests.station_agent.ocpp.fakes import KEY, SALT, a_credential

GOOD = b"CP-1:" + KEY.encode()
CERTIFICATE = {"subject": ((("commonName", "CP-1"),),), "subjectAltName": ()}


@pytest.mark.parametrize(
    ("target", "charger_id"),
    [
        ("/CP-1", "CP-1"),
        ("/CP-1/", "CP-1"),
        ("//CP-1", "CP-1"),
        ("/ocpp//CP-1", "CP-1"),
        ("/webServices/ocpp/CP3211", "CP3211"),
        ("/ocpp/1.6J/CP-1", "CP-1"),
        ("/ocpp/%43P-1", "CP-1"),
        ("/DE%2AABC%2AE1", "DE*ABC*E1"),
        ("/CP-1?token=x", "CP-1"),
        ("/ocpp/..CP", "..CP"),
    ],
)
def test_quirk_2_the_last_segment_is_the_charger(target, charger_id):
    assert identity_of(target) == charger_id


@pytest.mark.parametrize(
    "target",
    [
        "",
        "/",
        "//",
        "CP-1",
        "?id=CP-1",
        "/?id=CP-1",
        "/..",
        "/x/../CP-1",
        "/./CP-1",
        "/%2e%2e/CP-1",
        "/%2E/CP-1",
        "/x%2fCP-1",
        "/x%5cCP-1",
        "/CP-1%00",
        "/%00/CP-1",
        "/CP-1%0a",
        "/CP-1;v=1",
        "/x;y/CP-1",
        "/CP-1%3Bx",
        "/%2543P-1",
        "/CP-1#x",
        "/CP 1",
        "/CP-1%",
        "/CP-1%2",
        "/CP-1%zz",
        "/CP-1%ff",
        "/x\\CP-1",
        "/CP%C3%A9",
        "/caf\udce9",
        "/" + "x" * 49,
        "http://station/CP-1",
    ],
)
def test_s01_what_two_readers_could_read_differently_is_nobody(target):
    assert identity_of(target) is None


@given(st.text(max_size=60))
def test_s01_whatever_the_path_an_identity_is_one(text):
    charger_id = identity_of("/" + text)

    assert charger_id is None or (is_identity(charger_id) and charger_id not in {".", ".."})


def authorization(credentials: bytes) -> str:
    return "Basic " + base64.b64encode(credentials).decode()


@pytest.mark.parametrize(
    ("headers", "credentials"),
    [
        ([authorization(b"CP-1:key")], b"CP-1:key"),
        ([authorization(b"CP-1:key").replace("Basic", "basic")], b"CP-1:key"),
        ([], b""),
        ([authorization(b"CP-1:key")] * 2, b""),
        (["Bearer x"], b""),
        (["Basic !!!"], b""),
        (["Basic"], b""),
        (["Basic \u00e9"], b""),
    ],
)
def test_exactly_one_basic_header_is_read(headers, credentials):
    assert basic_credentials(headers) == credentials


@pytest.mark.parametrize(
    ("credentials", "is_good"),
    [
        (GOOD, True),
        (b"CP-1:" + KEY.upper().encode(), True),
        (b"CP-1:" + bytes.fromhex(KEY), True),
        (b"CP-2:" + KEY.encode(), False),
        (b"cp-1:" + KEY.encode(), True),
        (b":" + KEY.encode(), False),
        (KEY.encode(), False),
        (b"CP-1:", False),
        (b"CP-1", False),
        (b"", False),
        (b"CP-1:" + KEY.encode() + b"0", False),
        (b"CP-1:CP-1:" + KEY.encode(), False),
    ],
)
def test_s01_quirk_3_user_name_and_key_must_both_be_the_chargers(credentials, is_good):
    assert has_key("CP-1", credentials, a_credential()) is is_good


@pytest.mark.parametrize(
    ("profile", "has_key_", "is_encrypted", "has_certificate", "is_lab"),
    list(product(range(4), *[[False, True]] * 4)),
)
def test_s03_a_charger_comes_in_by_its_own_profile_and_never_by_less(
    profile, has_key_, is_encrypted, has_certificate, is_lab
):
    knock = Knock(
        "CP-1",
        GOOD if has_key_ else b"CP-1:no",
        is_encrypted,
        CERTIFICATE if has_certificate else None,
    )
    used = 1 + is_encrypted if has_key_ else 0
    if has_certificate and is_encrypted:
        used = 3
    expected = used >= profile if used else profile == 0 and is_lab

    admission = admit(knock, a_credential(security_profile=profile), is_lab=is_lab, is_ours=True)

    assert admission.is_admitted is expected
    assert bool(admission.reason) is not expected
    assert admission.security_profile == used
    assert (admission.reason == DOWNGRADED) is (0 < used < profile)


@pytest.mark.parametrize(
    ("key", "salt"),
    [(KEY, SALT), ("ab" * 20, "1f" * 16), ("cd" * 20, "")],
    ids=["this", "next", "no"],
)
def test_f13_while_a_key_changes_both_are_good_and_the_one_used_is_told(key, salt):
    changing = msgspec.structs.replace(
        a_credential(), next_salt="1f" * 16, next_key_hash=hash_key("1f" * 16, "ab" * 20)
    )

    admission = admit(Knock("CP-1", b"CP-1:" + key.encode()), changing, is_lab=False, is_ours=True)

    assert (admission.is_admitted, admission.key_salt) == (bool(salt), salt)


@pytest.mark.parametrize(
    ("counting", "is_admitted", "reason"),
    [
        ([], True, ""),
        (["1f", "abc"], True, ""),
        (["1f"], False, REPLACED),
    ],
)
def test_s03_a_certificate_the_plan_counts_no_more_proves_nothing(counting, is_admitted, reason):
    shown = CERTIFICATE | {"serialNumber": "0ABC"}
    credential = msgspec.structs.replace(
        a_credential(security_profile=3), certificate_serials=counting
    )
    knock = Knock("CP-1", GOOD, is_encrypted=True, certificate=shown)

    admission = admit(knock, credential, is_lab=False, is_ours=True)

    assert (admission.is_admitted, admission.reason) == (is_admitted, reason)
    assert admission.certificate_serial == ("abc" if is_admitted else "")


def test_s03_who_may_come_by_a_key_does_with_an_old_certificate_too():
    shown = CERTIFICATE | {"serialNumber": "0ABC"}
    credential = msgspec.structs.replace(
        a_credential(security_profile=2), certificate_serials=["1f"]
    )

    admission = admit(
        Knock("CP-1", GOOD, is_encrypted=True, certificate=shown),
        credential,
        is_lab=False,
        is_ours=True,
    )

    assert (admission.is_admitted, admission.security_profile) == (True, 2)
    assert admission.certificate_serial == ""


@pytest.mark.parametrize(("is_lab", "is_ours"), list(product([False, True], repeat=2)))
def test_a_charger_without_a_credential_comes_in_only_in_a_lab_that_lists_it(is_lab, is_ours):
    admission = admit(Knock("CP-1", GOOD), None, is_lab=is_lab, is_ours=is_ours)

    assert admission.is_admitted is (is_lab and is_ours)


@pytest.mark.parametrize(
    ("certificate", "is_its"),
    [
        (CERTIFICATE, True),
        ({"subject": (), "subjectAltName": (("DNS", "CP-1"),)}, True),
        ({"subject": ((("commonName", "CP-2"),),)}, False),
        ({"subject": ((("organizationName", "CP-1"),),)}, False),
        ({}, False),
        (None, False),
    ],
)
def test_a_certificate_is_the_chargers_if_it_names_it(certificate, is_its):
    assert is_certificate_of(certificate, "CP-1") is is_its


@pytest.mark.parametrize(
    ("offers", "name"),
    [
        ([], "1.6"),
        (["ocpp1.6"], "1.6"),
        (["ocpp2.0.1"], "2.0.1"),
        (["ocpp2.1", "ocpp2.0.1", "ocpp1.6"], "2.1"),
        (["ocpp1.6", "ocpp2.0.1"], "1.6"),
        (["ocpp1.2", "ocpp2.0", "ocpp2.0.1"], "2.0.1"),
        (["ocpp1.2"], None),
        (["ocpp2.0"], None),
        (["chat"], None),
    ],
)
def test_p08_quirk_1_the_first_version_we_share_in_the_chargers_order(offers, name):
    version = choose_version(offers)

    assert (version.name if version else None) == name


def test_offers_come_from_one_header_or_several():
    assert offers_in(["ocpp2.0.1, ocpp1.6", "", " , "]) == ["ocpp2.0.1", "ocpp1.6"]


@pytest.mark.parametrize(
    ("headers", "does_ask"),
    [
        (["Upgrade"], True),
        (["keep-alive, upgrade"], True),
        (["keep-alive", "UPGRADE"], True),
        (["keep-alive"], False),
        ([], False),
    ],
)
def test_quirk_2_some_forget_to_name_the_upgrade(headers, does_ask):
    assert asks_to_upgrade(headers) is does_ask


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("dGhlIHNhbXBsZSBub25jZQ==", True),
        ("dGhlIHNhbXBsZQ==", False),
        ("key", False),
        ("\xe4", False),
    ],
)
def test_quirk_2_a_handshake_key_is_16_bytes(text, is_one):
    assert is_handshake_key(text) is is_one


def test_quirk_7_who_does_not_speak_as_agreed_may_speak_the_other_way():
    names = {name: other_than(version).name for name, version in VERSIONS.items()}

    assert names == {"ocpp1.6": "2.0.1", "ocpp2.0.1": "1.6", "ocpp2.1": "1.6"}
