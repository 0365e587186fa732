"""A private Mosquitto: open to all, or with users and an ACL; nothing of it is kept on disk."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from tests.support.ports import LOOPBACK, free_port, is_listening
from tests.support.processes import Program, program_path


class Mosquitto:
    """One broker; `users` maps names to passwords (None: anybody may do anything)."""

    def __init__(
        self,
        *,
        users: Mapping[str, str] | None = None,
        acl: str | None = None,
        port: int | None = None,
        extra: str = "",
    ) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="baywatt-mosquitto-"))
        self.port = port or free_port()
        self.users = dict(users or {})
        self._write_configuration(is_open=users is None, acl=acl, extra=extra)
        command = [program_path("mosquitto"), "-c", self.folder / "mosquitto.conf"]
        self.program = Program("mosquitto", command, log_dir=self.folder)

    def start(self) -> Self:
        """Start it; the same port each time."""
        self.program.start(lambda: is_listening(self.port))
        return self

    def kill(self) -> None:
        """End it as a crash would: what it held is gone."""
        self.program.kill()

    def remove(self) -> None:
        """End it for good."""
        self.program.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def url(self, user: str | None = None) -> str:
        """Return its address as our settings take it, with the user's name and password."""
        login = f"{user}:{self.users[user]}@" if user else ""
        return f"mqtt://{login}{LOOPBACK}:{self.port}"

    def _write_configuration(self, *, is_open: bool, acl: str | None, extra: str) -> None:
        lines = [
            f"listener {self.port} {LOOPBACK}",
            f"allow_anonymous {str(is_open).lower()}",
            "persistence false",
            "max_queued_messages 0",
            "set_tcp_nodelay true",
            extra,
        ]
        if os.geteuid() == 0:
            # else it becomes `mosquitto`, who may not read these files
            lines.append("user root")
        if not is_open:
            lines.append(f"password_file {self._write_passwords()}")
        if acl is not None:
            (self.folder / "acl").write_text(acl)
            lines.append(f"acl_file {self.folder / 'acl'}")
        (self.folder / "mosquitto.conf").write_text("\n".join(lines) + "\n")

    def _write_passwords(self) -> Path:
        path = self.folder / "passwords"
        path.write_text("".join(f"{name}:{key}\n" for name, key in self.users.items()))
        path.chmod(0o600)
        subprocess.run([program_path("mosquitto_passwd"), "-U", path], check=True)
        return path
