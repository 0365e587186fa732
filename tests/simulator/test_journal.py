"""The journal keeps the truth whatever happens to who writes it."""

from datetime import timedelta

import pytest

from simulator.journal import Entry, FileJournal, Kind, MemoryJournal, read, read_all
from tests.simulator.builders import MONDAY


def _entry(number: int) -> Entry:
    return Entry(
        at=MONDAY + timedelta(seconds=number),
        kind=Kind.METER,
        charger_id="SIM-1",
        evse_id=1,
        session_ref="s",
        register_wh=number,
        observed_at=MONDAY,
        body={"nested": [1, {"a": None}]},
    )


def test_what_is_written_is_read_back(tmp_path):
    entries = [_entry(number) for number in range(3)]
    with FileJournal(tmp_path / "deep" / "journal.jsonl") as journal:
        for entry in entries:
            journal.write(entry)

    assert list(read(tmp_path / "deep" / "journal.jsonl")) == entries


def test_a_line_is_in_the_file_before_the_next_is_written(tmp_path):
    journal = FileJournal(tmp_path / "journal.jsonl")
    journal.write(_entry(1))
    before_closing = list(read(tmp_path / "journal.jsonl"))
    journal.close()

    assert before_closing == [_entry(1)]


def test_a_journal_is_gone_on_with(tmp_path):
    for number in (1, 2):
        with FileJournal(tmp_path / "journal.jsonl") as journal:
            journal.write(_entry(number))

    assert list(read(tmp_path / "journal.jsonl")) == [_entry(1), _entry(2)]


def test_a_last_line_cut_short_is_left_out(tmp_path):
    path = tmp_path / "journal.jsonl"
    with FileJournal(path) as journal:
        journal.write(_entry(1))
    path.write_bytes(path.read_bytes() + b'{"at":"2026-01')

    assert list(read(path)) == [_entry(1)]


def test_another_broken_line_is_named(tmp_path):
    path = tmp_path / "journal.jsonl"
    path.write_bytes(b"nonsense\n")

    with pytest.raises(ValueError, match="line 1"):
        list(read(path))


def test_several_journals_are_read_in_the_order_of_time(tmp_path):
    for name, numbers in (("a", (1, 4)), ("b", (2, 3))):
        with FileJournal(tmp_path / name) as journal:
            for number in numbers:
                journal.write(_entry(number))

    told = read_all([tmp_path / "a", tmp_path / "b"])
    assert [entry.register_wh for entry in told] == [1, 2, 3, 4]


def test_a_limited_journal_keeps_the_newest():
    journal = MemoryJournal(limit=10)
    for number in range(100):
        journal.write(_entry(number))

    kept = [entry.register_wh for entry in journal.entries]
    assert kept[-1] == 99
    assert 10 <= len(kept) <= 20
