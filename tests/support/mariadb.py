"""A private MariaDB: fresh data, free port, no sync to the platter (a killed server keeps its data)."""

import os
import shutil
import subprocess
import tempfile
import uuid
from pathlib import Path
from typing import Final, Self

import pymysql

from tests.support.ports import LOOPBACK, free_port
from tests.support.processes import Program, program_path

_INSTALL_TRIES: Final = 3


class MariaDb:
    """One server of one test worker; tests take a database each."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="baywatt-mariadb-"))
        self.port = free_port()
        self._program = Program("mariadbd", self._command(), log_dir=self.folder)
        self._numbering: dict[str, set[str]] = {}

    def start(self) -> Self:
        """Make the data directory where there is none yet, and start the server."""
        if not (self.folder / "data").exists():
            self._install()
        self._program.start(self._answers, within_s=60)
        return self

    def kill(self) -> None:
        """End it as a crash would; `start` brings it back with its data on the same port."""
        self._program.kill()

    def stop(self) -> None:
        """End it."""
        self._program.stop(within_s=60)

    def remove(self) -> None:
        """End it for good, by force: nobody needs the data."""
        self._program.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def program(self) -> Program:
        """The process, for those who stop or freeze it."""
        return self._program

    def url(self, database: str) -> str:
        """Return the address of a database as our settings take it."""
        return f"mysql+pymysql://root@{LOOPBACK}:{self.port}/{database}"

    def new_database(self, like: str | None = None) -> str:
        """Return the name of a new database; `like`: with the tables and rows of that one."""
        name = f"t_{uuid.uuid4().hex[:20]}"
        with self.connect() as connection, connection.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
            if like is not None:
                _copy_tables(cursor, like, name)
            connection.commit()
        return name

    def renew_database(self, name: str, like: str) -> None:
        """Make a used database as fresh as a new one `like` that one, in a tenth of the time."""
        with self.connect(name) as connection, connection.cursor() as cursor:
            cursor.execute("SET foreign_key_checks = 0")
            for table in _tables_with_rows(cursor):
                cursor.execute(f"DELETE FROM `{table}`")
                if table in self._numbered(like):
                    cursor.execute(f"ALTER TABLE `{table}` AUTO_INCREMENT = 1")
            connection.select_db(like)
            for table in _tables_with_rows(cursor):
                cursor.execute(f"INSERT INTO {name}.`{table}` SELECT * FROM {like}.`{table}`")
            connection.commit()

    def _numbered(self, name: str) -> set[str]:
        """Return which of the tables number their rows; asked once."""
        if name not in self._numbering:
            query = (
                "SELECT table_name FROM information_schema.tables "
                "WHERE table_schema = %s AND auto_increment IS NOT NULL"
            )
            with self.connect() as connection, connection.cursor() as cursor:
                cursor.execute(query, (name,))
                self._numbering[name] = {table for (table,) in cursor.fetchall()}
        return self._numbering[name]

    def drop_database(self, name: str) -> None:
        """Forget a database."""
        with self.connect() as connection, connection.cursor() as cursor:
            cursor.execute(f"DROP DATABASE IF EXISTS {name}")

    def connect(self, database: str | None = None) -> pymysql.Connection:
        """Return a new connection as the server's root."""
        return pymysql.connect(
            host=LOOPBACK,
            port=self.port,
            user="root",
            database=database,
            connect_timeout=60,
            ssl_disabled=True,
        )

    def _install(self) -> None:
        """Make the data directory; three at the same time may get in each other's way once."""
        command = [
            program_path("mariadb-install-db"),
            "--no-defaults",
            *self._user(),
            f"--datadir={self.folder / 'data'}",
            "--auth-root-authentication-method=normal",
            "--skip-test-db",
        ]
        for _ in range(_INSTALL_TRIES):
            done = subprocess.run(command, check=False, capture_output=True, text=True)
            if done.returncode == 0:
                return
            shutil.rmtree(self.folder / "data", ignore_errors=True)
        raise AssertionError(f"mariadb-install-db failed:\n{done.stdout}\n{done.stderr}")

    def _command(self) -> list[str]:
        return [
            program_path("mariadbd"),
            "--no-defaults",
            *self._user(),
            f"--datadir={self.folder / 'data'}",
            f"--socket={self.folder / 'sock'}",
            f"--bind-address={LOOPBACK}",
            f"--port={self.port}",
            "--skip-name-resolve",
            "--innodb-buffer-pool-size=64M",
            # the tests kill the server, never the machine: the page cache is durable enough
            "--innodb-flush-log-at-trx-commit=2",
            "--innodb-flush-method=nosync",
        ]

    def _user(self) -> list[str]:
        return ["--user=root"] if os.geteuid() == 0 else []

    def _answers(self) -> bool:
        try:
            self.connect().close()
        except pymysql.err.OperationalError:
            return False
        return True


def _tables_with_rows(cursor: pymysql.cursors.Cursor) -> list[str]:
    cursor.execute("SHOW TABLES")
    tables = [table for (table,) in cursor.fetchall()]
    cursor.execute("SELECT " + ", ".join(f"EXISTS (SELECT 1 FROM `{one}`)" for one in tables))
    return [table for table, has_rows in zip(tables, cursor.fetchone(), strict=True) if has_rows]


def _copy_tables(cursor: pymysql.cursors.Cursor, source: str, target: str) -> None:
    """Copy by definition: CREATE TABLE ... LIKE would leave the foreign keys behind."""
    cursor.execute("SET foreign_key_checks = 0")
    cursor.execute(f"SHOW TABLES FROM {source}")
    for (table,) in cursor.fetchall():
        cursor.execute(f"SHOW CREATE TABLE {source}.{table}")
        definition = cursor.fetchone()[1]
        cursor.execute(f"USE {target}")
        cursor.execute(definition)
        cursor.execute(f"SELECT EXISTS (SELECT 1 FROM {source}.{table})")
        if cursor.fetchone()[0]:
            cursor.execute(f"INSERT INTO {target}.{table} SELECT * FROM {source}.{table}")
    cursor.execute("SET foreign_key_checks = 1")
