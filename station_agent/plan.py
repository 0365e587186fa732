"""The newest plan, on disk and in use: what the agent goes by when it is alone."""

import asyncio
import contextlib
import os
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Final

import structlog

from contracts.clock import Clock
from contracts.ids import ChargerId, StationId
from contracts.keys import is_key
from contracts.plan import ChargerCredential, Plan, decode_plan
from contracts.wire import Broken
from station_agent.domain.tokens import StandingOrders, orders_from

log = structlog.get_logger()

_RETRY_S: Final = 5.0
_PATIENCE_S: Final = 5.0


class PlanKeeper:
    """Implements Credentials; the file is always a whole plan, the old one or the new."""

    def __init__(self, path: Path, station_id: StationId, clock: Clock) -> None:
        self._path = path
        self._station_id = station_id
        self._clock = clock
        self._plan: Plan | None = None
        self._orders = orders_from(None)
        self._credentials: dict[ChargerId, ChargerCredential] = {}
        self._watchers: list[Callable[[], None]] = []
        self._unwritten: bytes | None = None
        self._is_new = asyncio.Event()
        self._is_written = asyncio.Condition()
        self._load()
        self._written_version = self.version

    @property
    def version(self) -> int:
        """The version in use; 0: none yet."""
        return self._plan.version if self._plan else 0

    @property
    def orders(self) -> StandingOrders:
        """The plan in use, indexed."""
        return self._orders

    @property
    def charger_ids(self) -> AbstractSet[ChargerId]:
        """The chargers it has credentials of."""
        return self._credentials.keys()

    def watch(self, watcher: Callable[[], None]) -> None:
        """Call `watcher` whenever a plan knows other chargers than the one before."""
        self._watchers.append(watcher)

    def credential_of(self, charger_id: ChargerId) -> ChargerCredential | None:
        """See Credentials.credential_of."""
        return self._credentials.get(charger_id)

    async def takes(self, charger_id: ChargerId, salt: str, key: str) -> bool:
        """See Credentials.takes. Who asks has sent the plan first, which may be on its way to disk."""
        return await self._comes(lambda: self._is_safe(charger_id, salt, key))

    async def takes_certificate(self, charger_id: ChargerId, serial_number: str) -> bool:
        """See Credentials.takes_certificate. An older cloud does not say which certificate it is."""
        return await self._comes(lambda: self._counts(charger_id, serial_number))

    async def _comes(self, is_so: Callable[[], bool]) -> bool:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE_S), self._is_written:
                await self._is_written.wait_for(is_so)
        return is_so()

    @property
    def _is_on_disk(self) -> bool:
        return self._written_version >= self.version

    def _counts(self, charger_id: ChargerId, serial_number: str) -> bool:
        credential = self._credentials.get(charger_id)
        counting = credential.certificate_serials if credential is not None else ()
        is_counted = not serial_number or not counting or serial_number in counting
        return self._is_on_disk and is_counted

    def _is_safe(self, charger_id: ChargerId, salt: str, key: str) -> bool:
        credential = self._credentials.get(charger_id)
        if credential is None or not self._is_on_disk:
            return False
        hashes = {
            credential.salt: credential.key_hash,
            credential.next_salt: credential.next_key_hash,
        }
        return bool(hashes.get(salt)) and is_key(salt, hashes[salt], key)

    def take(self, payload: bytes) -> None:
        """Use a plan that came, if it is newer; `run` writes it."""
        plan = self._read(payload)
        if plan is None or plan.version <= self.version:
            return
        self._use(plan)
        self._unwritten = payload
        self._is_new.set()
        log.info("plan.taken", version=plan.version, tokens=len(plan.tokens))

    async def run(self) -> None:
        """Write plans as they come; a full disk is tried again, with the plan in use meanwhile."""
        while True:
            await self._is_new.wait()
            self._is_new.clear()
            payload = self._unwritten
            try:
                if payload is not None:
                    version = self.version
                    await asyncio.to_thread(write_whole, self._path, payload)
                    await self._note_written(version)
            except OSError as error:
                log.warning("plan.unwritten", error=str(error))
                self._is_new.set()
                await self._clock.sleep(_RETRY_S)

    async def _note_written(self, version: int) -> None:
        async with self._is_written:
            self._written_version = version
            self._is_written.notify_all()

    def _load(self) -> None:
        try:
            payload = self._path.read_bytes()
        except FileNotFoundError:
            return
        plan = self._read(payload)
        if plan is not None:
            self._use(plan)

    def _read(self, payload: bytes) -> Plan | None:
        if not payload:
            return None  # a retained plan was deleted: what we have stays
        try:
            plan = decode_plan(payload)
        except Broken as error:
            log.warning("plan.unreadable", error=str(error))
            return None
        if plan.station != self._station_id:
            log.warning("plan.foreign", station=plan.station)
            return None
        return plan

    def _use(self, plan: Plan) -> None:
        self._plan = plan
        self._orders = orders_from(plan)
        before = self._credentials
        self._credentials = {one.charger_id: one for one in plan.chargers}
        if before.keys() != self._credentials.keys():
            for watcher in self._watchers:
                watcher()


def write_whole(path: Path, content: bytes) -> None:
    """Replace a file so that a power cut leaves the old content or the new, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f"{path.name}.new")
    with new.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
