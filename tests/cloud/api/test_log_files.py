"""Logs come once, under an address nobody can guess, and are read by who looks after the charger."""

from datetime import timedelta

import pytest

from cloud.api.guard import MAX_UPLOAD_BYTES
from cloud.domain.access import Role, Viewer
from cloud.domain.errors import NotFound
from cloud.services.log_files import KEEP, MAY_TAKE
from contracts.commands import LogKind
from tests.cloud.api.house import HOST, V1, House, add_charger

STAFF = Viewer("staff", Role.MAINTENANCE)


@pytest.fixture
def equipped(house: House) -> House:
    add_charger(house)
    return house


def expected(house: House) -> tuple[int, str]:
    """Return a log that was asked for, and the path it is to be sent to."""
    made, location = house.services.log_files.expect(STAFF, "GREEN-1", LogKind.DIAGNOSTICS)
    return made.log_id, location.removeprefix(HOST)


def test_a_log_is_taken_once_and_read_as_it_came(equipped: House):
    log_id, path = expected(equipped)
    charger, staff = equipped.client(), equipped.client("maintenance")
    first = charger.put(path, content=b"all is well", headers={"content-type": "text/plain"})
    again = charger.put(path, content=b"all is lost")
    listed = staff.get(f"{V1}/chargers/GREEN-1/log-files").json()["logs"]
    content = staff.get(f"{V1}/log-files/{log_id}/content")

    assert (first.status_code, again.status_code) == (201, 404)
    assert [(one["log_id"], one["size_bytes"]) for one in listed] == [(log_id, 11)]
    assert content.content == b"all is well"
    assert content.headers["content-type"] == "application/octet-stream"
    assert content.headers["content-disposition"].startswith("attachment")


@pytest.mark.parametrize(
    ("suffix", "headers", "name"),
    [
        ("/d.zip", {}, "d.zip"),
        ("", {"content-disposition": 'attachment; filename="d.zip"'}, "d.zip"),
        ("", {"content-disposition": "attachment"}, ""),
        ("", {}, ""),
    ],
)
def test_a_log_is_called_as_the_charger_calls_it(equipped: House, suffix, headers, name):
    log_id, path = expected(equipped)
    equipped.client().post(path + suffix, content=b"x", headers=headers)
    _, held = equipped.services.log_files.content(STAFF, log_id)

    assert equipped.services.log_files.of_charger(STAFF, "GREEN-1").logs[0].file_name == name
    assert held.read_bytes() == b"x"


def test_who_comes_too_late_finds_no_place(equipped: House):
    _, path = expected(equipped)
    equipped.clock.pass_by(MAY_TAKE + timedelta(seconds=1))

    assert equipped.client().put(path, content=b"x").status_code == 404


def test_a_log_is_bounded_and_a_part_of_one_is_not_kept(equipped: House):
    log_id, path = expected(equipped)

    def endless():
        for _ in range(MAX_UPLOAD_BYTES // 2**20 + 1):
            yield b"x" * 2**20

    class Body:
        async def __aiter__(self):
            for part in endless():
                yield part

    said = equipped.client().put(
        path, content=b"", headers={"content-length": str(MAX_UPLOAD_BYTES + 1)}
    )
    streamed = equipped.client().put(path, content=Body())

    assert said.status_code == 413
    assert streamed.status_code == 413
    with pytest.raises(NotFound):
        equipped.services.log_files.content(STAFF, log_id)


def test_logs_are_forgotten_with_their_files(equipped: House):
    log_id, path = expected(equipped)
    equipped.client().put(path, content=b"x")
    files = equipped.services.log_files
    kept = files.forget()
    equipped.clock.pass_by(KEEP + timedelta(seconds=1))

    assert (kept, files.forget()) == (0, 1)
    assert files.shelf.path(log_id) is None
    assert files.of_charger(STAFF, "GREEN-1").logs == []


def test_a_log_that_has_not_come_cannot_be_read(equipped: House):
    log_id, _ = expected(equipped)

    with pytest.raises(NotFound):
        equipped.services.log_files.content(STAFF, log_id)
