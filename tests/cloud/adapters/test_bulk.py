"""Many rows in one statement: every value comes back as it went in."""

from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from cloud.adapters.sql import bulk, tables
from cloud.adapters.sql.bulk import Upsert, stamp
from cloud.adapters.sql.engine import open_engine

PUT = Upsert(
    tables.messages,
    (
        "id",
        "idempotency_key",
        "channel",
        "recipient",
        "subject",
        "body",
        "created_at",
        "attempts",
        "last_error",
    ),
    update=("subject", "body"),
    merge=("next_attempt_at",),
)
AT = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
NASTY = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=60)


class Word(StrEnum):
    MAIL = "mail"


def a_row(number, subject="s", body="b", attempts=0):
    return (str(number), str(number), Word.MAIL, "to", subject, body, stamp(AT), attempts, "")


@pytest.fixture(scope="module")
def sqlite_engine(databases):
    made = open_engine(databases.sqlite())
    yield made
    made.dispose()


def written(engine, *rows):
    with engine.connect() as connection:
        Upsert(PUT.table, PUT.columns, PUT.update).run(connection, rows)
        query = select(tables.messages).order_by(tables.messages.c.id)
        found = list(connection.execute(query))
        connection.rollback()
    return found


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(subject=NASTY, body=NASTY, attempts=st.integers(-(2**31), 2**31 - 1))
def test_on_sqlite_every_text_and_number_comes_back(sqlite_engine, subject, body, attempts):
    (row,) = written(sqlite_engine, a_row(1, subject, body, attempts))

    assert (row.subject, row.body, row.attempts) == (subject, body, attempts)


@pytest.mark.real
def test_on_mysql_every_text_and_number_comes_back(databases):
    engine = open_engine(databases.mariadb(), timeout_s=60)

    @settings(max_examples=150)
    @given(subject=NASTY, body=NASTY, attempts=st.integers(-(2**31), 2**31 - 1))
    def check(subject, body, attempts):
        (row,) = written(engine, a_row(1, subject, body, attempts))

        assert (row.subject, row.body, row.attempts) == (subject, body, attempts)

    check()
    engine.dispose()


HOSTILE = [
    "100 %",
    "%s %(x)s",
    "it's",
    '"',
    "\\",
    "\\'; DROP TABLE users; --",
    "\n\r\x1a",
    "\N{BLACK HEART SUIT}",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_are_only_texts(database_url, text):
    engine = open_engine(database_url, timeout_s=60)
    (row,) = written(engine, a_row(1, text, text * 2))

    assert (row.subject, row.body) == (text, text * 2)
    engine.dispose()


def test_a_row_that_is_there_is_replaced_where_it_may_be(database_url):
    engine = open_engine(database_url, timeout_s=60)
    first, second = a_row(1, "old", "old", 1), a_row(1, "new", "new", 2)
    (row,) = written(engine, first, second)

    assert (row.subject, row.body, row.attempts) == ("new", "new", 1)
    assert row.created_at == AT
    engine.dispose()


def test_many_rows_go_in_statements_no_server_refuses(monkeypatch, database_url):
    monkeypatch.setattr(bulk, "_CHUNK_BYTES", 500)
    engine = open_engine(database_url, timeout_s=60)
    rows = written(engine, *(a_row(number, "x" * 100) for number in range(50)))

    assert len(rows) == 50
    engine.dispose()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), object(), 1j])
def test_what_has_no_place_in_a_column_is_refused(value):
    with pytest.raises((TypeError, ValueError)):
        list(bulk._chunks([(value,)]))  # noqa: SLF001 - the driver's side of it


def test_instants_of_any_zone_are_stored_as_utc():
    plus_two = timezone(timedelta(hours=2))

    assert stamp(datetime(2026, 3, 1, 14, tzinfo=plus_two)) == "2026-03-01 12:00:00.000000"
    assert stamp(None) is None
