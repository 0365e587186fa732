"""The private servers keep what they promise to the tests that use them."""

import pymysql
import pytest

from tests.support.mosquitto import Mosquitto
from tests.support.ports import is_listening
from tests.support.processes import PYTHON, Program, program_path

pytestmark = pytest.mark.real


def test_a_copied_database_has_tables_rows_and_foreign_keys(mariadb):
    source = mariadb.new_database()
    with mariadb.connect(source) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE a (id INT PRIMARY KEY)")
        cursor.execute("CREATE TABLE b (a_id INT, FOREIGN KEY (a_id) REFERENCES a (id))")
        cursor.execute("INSERT INTO a VALUES (7)")
        connection.commit()

    copy = mariadb.new_database(like=source)

    with mariadb.connect(copy) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT id FROM a")
        assert cursor.fetchall() == ((7,),)
        with pytest.raises(pymysql.err.IntegrityError):
            cursor.execute("INSERT INTO b VALUES (8)")


def test_a_killed_mariadb_comes_back_with_its_data(mariadb):
    name = mariadb.new_database()
    with mariadb.connect(name) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE a (id INT PRIMARY KEY)")
        cursor.execute("INSERT INTO a VALUES (1)")
        connection.commit()

    mariadb.kill()
    mariadb.start()

    with mariadb.connect(name) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM a")
        assert cursor.fetchone() == (1,)


def test_mosquitto_listens_after_start_and_not_after_removal():
    broker = Mosquitto(users={"sensors": "secret"}).start()
    assert is_listening(broker.port)
    assert broker.url("sensors") == f"mqtt://sensors:secret@127.0.0.1:{broker.port}"

    broker.remove()

    assert not is_listening(broker.port)


def test_a_program_that_ends_before_it_is_ready_is_a_failure_that_shows_its_log():
    program = Program("sayer", [PYTHON, "-c", "print('no such luck')"])

    with pytest.raises(AssertionError, match="no such luck"):
        program.start(lambda: False)


def test_a_missing_server_says_how_to_get_it():
    with pytest.raises(RuntimeError, match="make test"):
        program_path("baywatt-has-no-such-server")
