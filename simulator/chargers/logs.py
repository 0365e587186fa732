"""Logs a charger uploads where it is told to: GetLog of 2.x and 1.6, GetDiagnostics of 1.6."""

import asyncio
from collections.abc import Callable
from functools import partial
from http.client import HTTPException
from typing import Any, Final
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from simulator.chargers.charger import Charger
from simulator.chargers.device import Done
from simulator.chargers.line import Call, Payload
from simulator.chargers.spec import stamp

_MOMENT_S: Final = 0.1
_TIMEOUT_S: Final = 10.0
_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})
_RUNNING: Final[set[asyncio.Task[None]]] = set()

Tell = Callable[[str, int], None]
"""Tells a status of the request with this number."""


def get_log(charger: Charger, payload: Payload) -> Payload:
    """Answer GetLog; a log under way gives way to the new one (OCPP 2.0.1 N01.FR.12)."""
    device, request_id = charger.device, payload["requestId"]
    before, device.uploading = device.uploading, request_id
    tell = partial(_tell_log, charger)
    if before is not None and before != request_id:
        charger.world.after(0, partial(_give_up, charger, before))
    name = f"{payload['logType']}-{charger.charger_id}.log"
    charger.world.after(0, partial(_begin, charger, payload["log"]["remoteLocation"], name, tell))
    is_new = before is None
    return {"status": "Accepted" if is_new else "AcceptedCanceled", "filename": name[:255]}


def get_diagnostics(charger: Charger, payload: Payload) -> Payload:
    """Answer GetDiagnostics (OCPP 1.6, section 5.9)."""
    charger.device.uploading = 0
    name = f"diagnostics-{charger.charger_id}.log"
    tell = partial(_tell_diagnostics, charger)
    charger.world.after(0, partial(_begin, charger, payload["location"], name, tell))
    return {"fileName": name}


def upload_over_http(location: str, file_name: str, content: bytes, done: Done) -> None:
    """PUT a file; to this machine only, whatever the address says nothing leaves it."""
    where = urlsplit(location)
    if where.scheme not in {"http", "https"} or where.hostname not in _LOOPBACK:
        done(False)
        return
    task = asyncio.ensure_future(_put(location, file_name, content, done))
    _RUNNING.add(task)
    task.add_done_callback(_RUNNING.discard)


async def _put(location: str, file_name: str, content: bytes, done: Done) -> None:
    done(await asyncio.to_thread(_send, location, file_name, content))


def _send(location: str, file_name: str, content: bytes) -> bool:
    headers = {
        "Content-Type": "application/octet-stream",
        "Content-Disposition": f'attachment; filename="{file_name}"',
    }
    request = Request(location, data=content, headers=headers, method="PUT")  # noqa: S310
    try:
        with urlopen(request, timeout=_TIMEOUT_S):  # noqa: S310 - checked before
            return True
    except (OSError, HTTPException, ValueError):
        return False


def _begin(charger: Charger, location: str, name: str, tell: Tell) -> None:
    request_id = charger.device.uploading
    if request_id is None:
        return
    tell("Uploading", request_id)
    upload = charger.device.upload or partial(_pretend, charger)
    upload(location, name, _content(charger), partial(_ended, charger, request_id, tell))


def _ended(charger: Charger, request_id: int, tell: Tell, is_done: bool) -> None:
    if charger.device.uploading != request_id:
        return
    charger.device.uploading = None
    tell("Uploaded" if is_done else "UploadFailure", request_id)


def _give_up(charger: Charger, request_id: int) -> None:
    """1.6 has no word for it."""
    if "ocpp1.6" not in charger.subprotocols:
        _tell_log(charger, "AcceptedCanceled", request_id)


def _pretend(charger: Charger, _location: str, _name: str, _content: bytes, done: Done) -> None:
    charger.world.after(_MOMENT_S, partial(done, True))


def _content(charger: Charger) -> bytes:
    lines = [f"{stamp(charger.now())} {charger.charger_id} {charger.spec.firmware_version}"]
    lines += [f"EVSE {one.evse_id}: {one.state}" for one in charger.evses.values()]
    return "\n".join(lines).encode()


def _tell_log(charger: Charger, status: str, request_id: int) -> None:
    _send_call(charger, "LogStatusNotification", {"status": status, "requestId": request_id})


def _tell_diagnostics(charger: Charger, status: str, _request_id: int) -> None:
    word = "UploadFailed" if status == "UploadFailure" else status
    _send_call(charger, "DiagnosticsStatusNotification", {"status": word})


def _send_call(charger: Charger, action: str, payload: dict[str, Any]) -> None:
    charger.line.call(Call(action, lambda: payload))
