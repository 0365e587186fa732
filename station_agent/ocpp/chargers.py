"""One station's chargers at an endpoint: lets them in, keeps one connection each, carries commands to them."""

import asyncio
import uuid
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Final

import structlog

from contracts.answers import is_due_at_boot
from contracts.clock import Clock
from contracts.commands import DeliverCertificate, Request, SetChargerKey, TriggerMessage
from contracts.events import ChargerDisconnected, CommandOutcome, Event, SecurityEventReported
from contracts.ids import ChargerId
from contracts.plan import ChargerCredential, Registration
from station_agent.ocpp import metrics
from station_agent.ocpp.answering import Services, Timing
from station_agent.ocpp.connection import ChargerConnection
from station_agent.ocpp.connections import Connections
from station_agent.ocpp.displays import TariffDisplays
from station_agent.ocpp.door import ChargerSocket
from station_agent.ocpp.gateway import Gateway
from station_agent.ocpp.handshake import DOWNGRADED, REPLACED, other_than
from station_agent.ocpp.outcome import ChargerView
from station_agent.ocpp.profiles import Memory, Profiles
from station_agent.ocpp.server import ServerSettings
from station_agent.ocpp.skew import Skew
from station_agent.ocpp.throttle import OncePer
from station_agent.ports import (
    AnswerMemory,
    Authorizer,
    CommandResult,
    Credentials,
    Note,
    OutboxUnavailable,
    Promises,
    Relay,
    SessionMemory,
)
from station_agent.station_file import StationLayout

log: Final = structlog.get_logger()

_REPLACED: Final = 1008
_RESTARTS: Final = (1012, "the station restarts")
_NORMAL: Final = 1000
_NEW_KEY_WITHIN: Final = timedelta(seconds=10)
_INTRODUCED_WITHIN: Final = timedelta(seconds=15)
"""Ten seconds are left for a boot by itself, and five more for a slow one."""
_ALERTING: Final = frozenset({DOWNGRADED, REPLACED})
"""Reasons a person is told of: the charger may be locked out for good."""
_EVENT_EVERY: Final = timedelta(minutes=1)


class StationChargers:
    """Implements ChargerGateway and, for the endpoint, Household."""

    def __init__(
        self,
        *,
        recorder: Memory,
        sessions: SessionMemory,
        answers: AnswerMemory,
        authorizer: Authorizer,
        promises: Promises,
        credentials: Credentials,
        station: StationLayout,
        settings: ServerSettings,
        clock: Clock,
        relay: Relay | None = None,
    ) -> None:
        self._sessions = sessions
        self._promises = promises
        self._credentials = credentials
        self._station = station
        self._displays = TariffDisplays(recorder)
        self._settings = settings
        self._clock = clock
        displays, timing = self._displays, _timing(settings)
        self._services = Services(displays, answers, authorizer, clock, timing, relay)
        self._connections = Connections(clock, settings.silent_after_s)
        self._gateway = Gateway(self._connections, sessions, displays, clock)
        self._events = OncePer(_EVENT_EVERY.total_seconds())
        self._profiles = Profiles(recorder)
        self._skews: defaultdict[ChargerId, Skew] = defaultdict(Skew)
        self._tasks: set[asyncio.Task[None]] = set()
        self._asked_to_boot: set[ChargerId] = set()
        self._is_closed = False

    @property
    def charger_ids(self) -> list[ChargerId]:
        """The chargers of the station file."""
        return list(self._station.chargers)

    async def execute(self, request: Request, timeout_s: float) -> CommandResult:
        """See ChargerGateway.execute."""
        match request:
            case SetChargerKey():
                return await self._give_key(request, timeout_s)
            case DeliverCertificate(charger_id=charger_id, serial_number=serial_number):
                if not await self._credentials.takes_certificate(charger_id, serial_number):
                    return _unplanned("certificate")
        return await self._gateway.execute(request, timeout_s)

    async def _give_key(self, request: SetChargerKey, timeout_s: float) -> CommandResult:
        if not await self._credentials.takes(request.charger_id, request.salt, request.key):
            return _unplanned("key")
        result = await self._gateway.execute(request, timeout_s)
        connection = self._connections.get(request.charger_id)
        is_due_now = result.outcome is CommandOutcome.ACCEPTED and not is_due_at_boot(result.answer)
        if is_due_now and connection is not None:
            task = asyncio.create_task(self._have_it_come_anew(connection))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return result

    async def _have_it_come_anew(self, connection: ChargerConnection) -> None:
        """Close a connection whose charger does not by itself, to log in by its new key (A01.FR.10)."""
        await self._clock.sleep(_NEW_KEY_WITHIN.total_seconds())
        if self._connections.get(connection.charger.charger_id) is connection:
            await connection.close(_NORMAL, "log in with the new key")

    def silent_chargers(self) -> list[ChargerId]:
        """See ChargerGateway.silent_chargers."""
        return self._connections.silent_among(self._station.chargers)

    def connected_at(self, charger_id: ChargerId) -> datetime | None:
        """See ChargerGateway.connected_at."""
        return self._connections.connected_at(charger_id)

    # What the door asks.

    def name_of(self, charger_id: ChargerId) -> ChargerId:
        """See Household.name_of; of two that differ in case alone neither is meant."""
        if self.is_ours(charger_id) or self.credential_of(charger_id) is not None:
            return charger_id
        folded = charger_id.casefold()
        alike = [one for one in self._station.chargers if one.casefold() == folded]
        return alike[0] if len(alike) == 1 else charger_id

    def is_ours(self, charger_id: ChargerId) -> bool:
        """See Household.is_ours."""
        return charger_id in self._station.chargers

    def credential_of(self, charger_id: ChargerId) -> ChargerCredential | None:
        """See Household.credential_of."""
        return self._profiles.at_least(self._credentials.credential_of(charger_id))

    async def has_room_for(self, charger_id: ChargerId) -> bool:
        """See Household.has_room_for."""
        return await self._connections.has_room_for(charger_id)

    async def tell_refused(self, charger_id: ChargerId, reason: str) -> None:
        """See Household.tell_refused: a security event, once a minute."""
        if self.credential_of(charger_id) is None:
            return
        if not self._events.allows((charger_id, reason), self._clock.monotonic()):
            return
        await self._record(
            SecurityEventReported(
                charger_id=charger_id,
                event=reason if reason in _ALERTING else "login_refused",
                info=reason,
                observed_at=self._clock.now(),
            )
        )

    async def serve(self, socket: ChargerSocket) -> None:
        """See Household.serve."""
        if self._is_closed:
            await socket.close(*_RESTARTS)
            return
        connection = ChargerConnection(
            socket,
            socket.version,
            self._view(socket),
            self._services,
            other_than(socket.version),
            is_agreed=socket.subprotocol is not None,
        )
        old = self._connections.put(connection)
        if old is None:
            metrics.CONNECTED.inc()
        await self._record_login(socket, connection.connected())
        closing = asyncio.create_task(old.close(_REPLACED, "replaced")) if old else None
        asking = asyncio.create_task(self._ask_to_boot(connection.charger))
        try:
            await connection.run()
        except Exception:
            log.exception("ocpp.connection_failed", charger_id=socket.charger_id)
        finally:
            asking.cancel()
            if self._connections.remove(connection):
                metrics.CONNECTED.dec()
                await self._record(self._disconnected(socket))
            if closing is not None:
                await closing

    async def _ask_to_boot(self, charger: ChargerView) -> None:
        """Ask a charger nobody introduced since we run to boot, once (QUIRKS 12).

        One that waits to be let in is asked on each connection it does not boot on by itself: all
        else it says is refused, and it may not know why (OCPP 2.0.1 B02.FR.09).
        """
        await self._clock.sleep(_INTRODUCED_WITHIN.total_seconds())
        charger_id = charger.charger_id
        is_known = charger_id in self._services.introduced or charger_id in self._asked_to_boot
        is_lost = charger.talk.registration is None and charger.standing is Registration.PENDING
        if is_known and not is_lost:
            return
        self._asked_to_boot.add(charger_id)
        request = TriggerMessage(charger_id=charger_id, message="BootNotification")
        await self._gateway.execute(request, self._settings.call_timeout_s)

    async def close(self) -> None:
        """Send the chargers away, to come back soon; returns once all that follows is recorded."""
        self._is_closed = True
        going = [one.close(*_RESTARTS) for one in self._connections.all()]
        await asyncio.gather(*going)
        await self._connections.wait_empty()

    def _view(self, socket: ChargerSocket) -> ChargerView:
        return ChargerView(
            charger_id=socket.charger_id,
            evse_ids=self._station.evses_of(socket.charger_id),
            sessions=self._sessions,
            connected_at=self._clock.now(),
            security_profile=socket.admission.security_profile,
            key_salt=socket.admission.key_salt,
            profile_generation=socket.admission.profile_generation,
            certificate_serial=socket.admission.certificate_serial,
            common_names=socket.admission.common_names,
            heartbeat_interval_s=self._settings.heartbeat_interval_s,
            new_session_id=lambda: uuid.uuid4().hex,
            promises=self._promises,
            registration=partial(self._registration_of, socket.charger_id),
            skew=self._skews[socket.charger_id],
            shows_tariff=partial(self._displays.shows, socket.charger_id),
        )

    def _registration_of(self, charger_id: ChargerId) -> Registration:
        credential = self._credentials.credential_of(charger_id)
        return Registration.ACCEPTED if credential is None else credential.registration

    def _disconnected(self, socket: ChargerSocket) -> Event:
        code = socket.close_code
        reason = f"{code} {socket.close_reason}".strip() if code else ""
        return ChargerDisconnected(
            charger_id=socket.charger_id, reason=reason, observed_at=self._clock.now()
        )

    async def _record_login(self, socket: ChargerSocket, fact: Event) -> None:
        admission = socket.admission
        notes = self._profiles.note(
            socket.charger_id, admission.security_profile, admission.profile_generation
        )
        if await self._record(fact, notes):
            self._profiles.noted(socket.charger_id)

    async def _record(self, fact: Event, notes: Sequence[Note] = ()) -> bool:
        """Make it durable; while the disk refuses, a connection is better than its record."""
        try:
            await self._services.recorder.record([fact], notes)
        except OutboxUnavailable:
            log.warning("ocpp.not_recorded", fact=type(fact).__name__)
            return False
        return True


def _unplanned(what: str) -> CommandResult:
    why = {"description": f"the station has no plan with this {what} yet"}
    return CommandResult(CommandOutcome.FAILED, why)


def _timing(settings: ServerSettings) -> Timing:
    return Timing(
        ping_interval_s=settings.ping_interval_s,
        call_timeout_s=settings.call_timeout_s,
        max_messages_per_s=settings.max_messages_per_s,
        max_message_burst=settings.max_message_burst,
    )
