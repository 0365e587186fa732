"""The broker's users: Mosquitto's own formats, and nothing for an agent but its own station."""

import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.adapters.broker_users import (
    BrokerUser,
    MosquittoUsers,
    broker_files,
    cloud_user,
    hash_password,
    is_password,
)


@given(key=st.text(max_size=60), other=st.text(max_size=60))
def test_a_hash_fits_its_password_and_no_other(key, other):
    kept = hash_password(key)

    assert is_password(kept, key)
    assert is_password(kept, other) is (other == key)


def test_the_same_password_is_never_hashed_alike():
    assert hash_password("key") != hash_password("key")


def test_the_format_is_mosquittos():
    empty, algorithm, iterations, salt, derived = hash_password("key").split("$")

    assert (empty, algorithm, int(iterations)) == ("", "7", 101)
    assert len(salt) == 16
    assert len(derived) == 88


@pytest.mark.parametrize(
    "kept",
    ["", "$", "$7$", "$6$salt$hash", "$7$0$AAAA$AAAA", "$7$x$AAAA$AAAA", "$7$1$?$?", "plain"],
)
def test_what_is_no_hash_fits_nothing(kept):
    assert not is_password(kept, "key")


@pytest.mark.real
@pytest.mark.skipif(shutil.which("mosquitto_passwd") is None, reason="mosquitto is not installed")
def test_we_read_what_mosquitto_writes(tmp_path):
    path = tmp_path / "passwords"
    subprocess.run(["mosquitto_passwd", "-b", "-c", path, "greenmarket", "key"], check=True)
    name, _, kept = path.read_text().strip().partition(":")

    assert name == "greenmarket"
    assert is_password(kept, "key")
    assert not is_password(kept, "other")


def test_the_files_list_every_login_once():
    agents = {"greenmarket": "$7$a", "riverside": "$7$b"}
    files = broker_files(agents, [cloud_user("cloud", "$7$c")])

    lines = files.passwords.splitlines()
    assert sorted(lines) == ["cloud:$7$c", "greenmarket:$7$a", "riverside:$7$b"]


def test_a_station_that_is_named_like_the_cloud_does_not_become_it():
    files = broker_files({"cloud": "$7$station"}, [cloud_user("cloud", "$7$c")])

    assert files.passwords == "cloud:$7$c\n"


def test_an_agent_speaks_and_hears_for_its_own_station_only():
    lines = broker_files({"greenmarket": "$7$a"}).acl.splitlines()
    rules = [line for line in lines if "baywatt" in line]

    assert rules == [
        "topic read baywatt/1/availability/+",
        "pattern write baywatt/1/%u/events",
        "pattern write baywatt/1/%u/link",
        "pattern read baywatt/1/%u/acks",
        "pattern read baywatt/1/%u/commands",
        "pattern read baywatt/1/%u/plan",
        "pattern read baywatt/1/availability/+",
    ]
    assert not any("write" in line for line in lines if "baywatt" not in line and line[:1] != "#")


def test_others_get_what_is_said_of_them():
    sensor = BrokerUser("sensors", "$7$s", (("write", "zigbee2mqtt/#"),))
    acl = broker_files({}, [cloud_user("cloud", "$7$c"), sensor]).acl

    assert "user cloud\ntopic readwrite baywatt/1/#\n" in acl
    assert "user sensors\ntopic write zigbee2mqtt/#\n" in acl


def test_who_keeps_the_brokers_files_hears_of_a_new_key():
    heard = []
    users = MosquittoUsers(lambda: heard.append(1))

    users.changed()

    assert heard == [1]
    assert is_password(users.hash("key"), "key")
