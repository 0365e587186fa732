"""`python -m cloud ...` as it is run: starts, serves, refuses wrong settings, and ends when told."""

import re
import signal
import sqlite3
import subprocess

import httpx
import pytest

from tests.support.ports import free_port
from tests.support.processes import PYTHON, environment, our_program
from tests.support.waiting import eventually

pytestmark = pytest.mark.real


@pytest.fixture
def settings(tmp_path):
    return {
        "CLOUD_DATA_DIR": str(tmp_path / "data"),
        "CLOUD_HTTP_PORT": str(free_port()),
        "CLOUD_EMBEDDED_BROKER_PORT": str(free_port()),
        "CLOUD_EMBEDDED_BROKER": "mosquitto",
    }


def run(settings, *words, stdin=""):
    return subprocess.run(
        [PYTHON, "-m", "cloud", *words],
        input=stdin,
        text=True,
        env=environment(settings),
        capture_output=True,
        timeout=60,
        check=False,
    )


def is_ready(settings):
    try:
        return httpx.get(f"http://127.0.0.1:{settings['CLOUD_HTTP_PORT']}/readyz").is_success
    except httpx.TransportError:
        return False


def test_it_serves_with_no_settings_at_all_and_ends_at_once_when_told(settings):
    with our_program("cloud", "serve", env=settings) as program:
        program.start()
        program.wait_until(lambda: is_ready(settings), 30)
        with httpx.stream(
            "GET",
            f"http://127.0.0.1:{settings['CLOUD_HTTP_PORT']}/api/v1/availability/events"
            "?bbox=-90,-180,90,180",
            timeout=60,
        ) as stream:
            next(stream.iter_bytes())
            program.send_signal(signal.SIGTERM)
            code = program.wait_for_end()

    assert code == 0, program.log_tail()
    assert "Traceback" not in program.log_tail()


def test_two_cannot_have_the_same_port(settings):
    with our_program("cloud", "serve", env=settings) as first:
        first.start()
        first.wait_until(lambda: is_ready(settings), 30)
        second = run(settings | {"CLOUD_EMBEDDED_BROKER_PORT": str(free_port())}, "serve")
        third = run(settings | {"CLOUD_HTTP_PORT": str(free_port())}, "serve")

    assert (second.returncode, third.returncode) == (2, 2)
    assert "CLOUD_HTTP_PORT" in second.stderr
    assert "CLOUD_EMBEDDED_BROKER_PORT" in third.stderr


def test_a_user_is_made_once(settings):
    words = ("create-user", "--email", "a@bays.example", "--role", "admin", "--password-stdin")
    made = run(settings, *words, stdin="a long enough password\n")
    again = run(settings, *words, stdin="a long enough password\n")
    missing = run(settings, *words, "--if-missing", stdin="a long enough password\n")
    weak = run(settings, "create-user", "--email", "b@x.y", "--password-stdin", stdin="short\n")

    assert (made.returncode, again.returncode, missing.returncode) == (0, 1, 0)
    assert weak.returncode == 2
    assert "there already" in again.stderr


def test_a_wrong_setting_names_itself(settings):
    wrong = run(settings | {"CLOUD_STALE_AFTER_S": "1000"}, "serve")
    no_broker = run(settings, "ingest")

    assert (wrong.returncode, no_broker.returncode) == (2, 2)
    assert "CLOUD_STALE_AFTER_S" in wrong.stderr
    assert "CLOUD_BROKER_URL" in no_broker.stderr


def test_the_brokers_files_are_written_and_rewritten_only_when_they_change(settings, tmp_path):
    run(settings, "migrate")
    env = settings | {
        "CLOUD_BROKER_URL": "mqtt://cloud:secret@127.0.0.1:1",
        "CLOUD_EMBEDDED_SENSORS_KEY": "sensors-secret",
    }
    out = tmp_path / "users"
    done = run(env, "broker-files", "--out", str(out))
    passwords = (out / "passwords").read_text()

    assert done.returncode == 0
    assert re.fullmatch(r"(cloud|sensors):\$7\$.*\n(cloud|sensors):\$7\$.*\n", passwords)
    assert "secret" not in passwords
    assert "user cloud" in (out / "acl").read_text()

    with our_program("cloud", "broker-files", "--out", str(out), "--watch", env=env) as program:
        program.start()
        eventually(lambda: (out / "passwords").read_text() != passwords)
        program.send_signal(signal.SIGTERM)
        assert program.wait_for_end() == 0


def test_s23_a_ledger_somebody_touched_is_told_by_the_exit_status(settings, tmp_path):
    run(settings, "migrate")
    whole = run(settings, "check-ledger")
    with sqlite3.connect(tmp_path / "data" / "baywatt.db") as connection:
        connection.execute(
            "INSERT INTO ledger_transactions VALUES "
            "('b', 1, 'c', 'k', '2026-01-01', 'GBP', NULL, NULL, NULL, '', 'x', 'y')"
        )
    connection.close()
    broken = run(settings, "check-ledger")

    assert (whole.returncode, broken.returncode) == (0, 1)
    assert "b 1: it is not chained" in broken.stderr


def test_stripe_without_its_keys_is_a_wrong_set_up(settings):
    wrong = run(settings | {"CLOUD_PAYMENT_GATEWAY": "stripe"}, "serve")
    typo = run(settings | {"CLOUD_SANDBOX_FAULTS": "sometimes=0.5"}, "serve")

    assert (wrong.returncode, typo.returncode) == (2, 2)
    assert "CLOUD_STRIPE_SECRET_KEY" in wrong.stderr
    assert "CLOUD_SANDBOX_FAULTS" in typo.stderr


@pytest.mark.parametrize("part", ["ingest", "clock", "courier"])
def test_each_part_waits_for_what_is_away_and_ends_when_told(settings, part):
    env = settings | {
        "CLOUD_BROKER_URL": f"mqtt://cloud:x@127.0.0.1:{free_port()}",
        "CLOUD_DATABASE_URL": f"mysql+pymysql://nobody@127.0.0.1:{free_port()}/none",
    }
    away = "worker.database_away" if part != "ingest" else "mqtt.connect_failed"
    with our_program("cloud", part, env=env) as program:
        program.start()
        program.wait_until(lambda: program.log_tail().count(away) >= 2, 30)
        program.send_signal(signal.SIGTERM)

        assert program.wait_for_end() == 0
