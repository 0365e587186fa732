"""What every charger does whatever its OCPP version: EVSEs, sessions, samples, boot, reset.

A version says how each of these is told (`_tell_...`, `_ask`) and answers the other side's calls.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Final
from uuid import UUID

from simulator.chargers.dialect import Dialect
from simulator.chargers.evse import Evse, EvseSpec, Reading, Reservation, Session, State
from simulator.chargers.firmware import Firmware
from simulator.chargers.limits import Limits
from simulator.chargers.line import Line, Payload, Refusal
from simulator.chargers.manners import Manners
from simulator.chargers.quirks import Quirk, habits_with, manners_with
from simulator.chargers.spec import Behaviour, Cause, ChargerSpec, EndCause
from simulator.journal import Entry, Kind
from simulator.vehicles import Car
from simulator.world import Repeating, World

_BOOT_RETRY_S: Final = 15.0
_MAX_LIFETIME_WH: Final = 30_000_000

Verdict = Callable[[bool], None]


class Charger(Dialect):
    """One charger of the world."""

    def __init__(
        self,
        world: World,
        spec: ChargerSpec,
        *,
        behaviour: Behaviour | None = None,
        manners: Manners | None = None,
        quirks: Sequence[Quirk] = (),
        clock_skew: timedelta = timedelta(0),
    ) -> None:
        self.world = world
        self.spec = spec
        self.behaviour = behaviour or Behaviour()
        self.clock_skew = clock_skew
        self._chance = world.random("charger", spec.charger_id)
        self._names = world.random("names", spec.charger_id, world.born_at)
        usual = manners or Manners(renews_message_ids=self.renews_message_ids)
        offers = (one.offers for one in quirks if one.offers is not None)
        self.offers = next(offers, self.subprotocols)
        """The subprotocols it names when it dials."""
        self._quirks = tuple(quirks)
        self.habits = habits_with(quirks)
        """How it dials, for whoever owns the socket."""
        conduct = manners_with(quirks, usual)
        self.line = Line(
            world, spec.charger_id, self._answer_call, self._opened, conduct, heard=self._heard
        )
        self.evses = {one.evse_id: self._new_evse(one) for one in spec.evses}
        self.limits = Limits()
        self.firmware = Firmware(self, spec.firmware_version)
        self.local_list: dict[str, bool] = {}
        self.local_list_version = 0
        self.reboot: Callable[[float], None] = self._reboot_unplugged
        """Drops the connection for some seconds; whoever owns the socket sets it."""
        self._samplers: dict[int, Repeating] = {}
        self._physics: Repeating | None = None
        self._heartbeat: Repeating | None = None
        self._boot_reason = "PowerUp"
        self._is_reset_awaited = False
        self._held_back: list[int] = []

    # --- what the world does to it ---------------------------------------------------------------

    @property
    def charger_id(self) -> str:
        """Return its OCPP identity."""
        return self.spec.charger_id

    def now(self) -> datetime:
        """Return the time on the charger's own clock, in whole milliseconds as it writes it."""
        at = self.world.now() + self.clock_skew
        return at.replace(microsecond=at.microsecond // 1000 * 1000)

    def plug_in(self, evse_id: int, car: Car) -> bool:
        """Plug a car in; False: occupied, broken, or no plug fits."""
        evse = self.evses[evse_id]
        outlet = evse.spec.outlet_for(car)
        if evse.car is not None or evse.fault or outlet is None:
            return False
        evse.car, evse.outlet, evse.had_session = car, outlet, False
        if evse.awaited_token:
            self._begin(evse, evse.awaited_token, Cause.PLUGGED_IN)
        self._refresh(evse)
        return True

    def unplug(self, evse_id: int) -> Car | None:
        """Pull the cable, which ends a session; return the car that was there."""
        evse = self.evses[evse_id]
        if evse.session is not None:
            self._end(evse, EndCause.UNPLUGGED)
        car, evse.car, evse.outlet, evse.had_session = evse.car, None, None, False
        self._refresh(evse)
        return car

    def present(self, evse_id: int, token: str, then: Verdict | None = None) -> None:
        """Show a token: ends the token's own session, else asks to begin one; `then` gets the answer."""
        evse = self.evses[evse_id]
        answer = then or _ignore
        if evse.session is not None:
            is_own = evse.session.token.casefold() == token.casefold()
            if is_own:
                self._end(evse, EndCause.LOCAL)
            answer(is_own)
            return
        if evse.fault or not evse.is_available or not self._may_use(evse, token):
            answer(False)
            return
        self._judge(evse, token, answer)

    def break_down(self, evse_id: int, code: str) -> None:
        """Let a fault happen (one of faults.CHARGER_FAULTS); a session ends."""
        evse = self.evses[evse_id]
        if evse.session is not None:
            self._end(evse, EndCause.FAULT)
        evse.fault = code
        self._tell(Kind.FAULT, evse_id=evse_id, body={"code": code})
        self._refresh(evse)

    def repair(self, evse_id: int) -> None:
        """Let the fault be gone."""
        evse = self.evses[evse_id]
        code, evse.fault = evse.fault, ""
        self._tell(Kind.FAULT_CLEARED, evse_id=evse_id, body={"code": code})
        self._refresh(evse)

    def lose_power(self, for_s: float) -> None:
        """Cut the mains: sessions end, the charger boots afterwards."""
        self._restart(EndCause.POWER_LOSS, "PowerUp", for_s)

    # --- what the other side asks for ------------------------------------------------------------

    def start_from_afar(self, evse_id: int, token: str, remote_start_id: int | None) -> bool:
        """Begin a session as if the token had been shown, now or once a cable is plugged in."""
        evse = self.evses.get(evse_id)
        if evse is None or evse.session or evse.fault or not evse.is_available:
            return False
        if not self._may_use(evse, token):
            return False
        if self.behaviour.asks_for_remote_start:
            self.world.after(0, lambda: self._judge(evse, token, _ignore, remote_start_id))
        else:
            self.world.after(0, lambda: self._accept(evse, token, remote_start_id))
        return True

    def stop_from_afar(self, transaction_id: str) -> bool:
        """End the session called so."""
        for evse in self.evses.values():
            if evse.session is not None and evse.session.transaction_id == transaction_id:
                self.world.after(0, partial(self._end_if_on, evse, EndCause.REMOTE))
                return True
        return False

    def set_available(self, evse_id: int, *, is_available: bool) -> bool:
        """Take an EVSE (0: all) in or out of service; False: once the session is over."""
        evses = list(self.evses.values()) if evse_id == 0 else [self.evses[evse_id]]
        for evse in evses:
            evse.is_available = is_available
            self.world.after(0, partial(self._refresh, evse))
        return all(evse.session is None for evse in evses)

    def reserve(self, evse_id: int, reservation: Reservation) -> bool:
        """Keep an EVSE for a token until its time is over."""
        evse = self.evses[evse_id]
        is_same = evse.reservation is not None and evse.reservation.number == reservation.number
        if evse.state is not State.FREE and not is_same:
            return False
        evse.reservation = reservation
        self.world.at(
            reservation.until_at - self.clock_skew, lambda: self._expire(evse, reservation)
        )
        self.world.after(0, lambda: self._refresh(evse))
        return True

    def cancel_reservation(self, number: int) -> bool:
        """Undo `reserve`; False: no such reservation."""
        for evse in self.evses.values():
            if evse.reservation is not None and evse.reservation.number == number:
                self._expire(evse, evse.reservation)
                return True
        return False

    def unlock(self, evse_id: int) -> None:
        """Release the cable; a session ends first."""
        self.world.after(0, partial(self._end_if_on, self.evses[evse_id], EndCause.UNLOCKED))

    def reset(self, *, is_hard: bool) -> None:
        """Reboot now; sessions end."""
        cause = EndCause.HARD_RESET if is_hard else EndCause.SOFT_RESET
        self.world.after(0.5, lambda: self._restart(cause, "RemoteReset", self.behaviour.reboot_s))

    def reset_when_idle(self) -> bool:
        """Reboot once no session is left; True: at once."""
        if self.is_idle():
            self.reset(is_hard=False)
            return True
        self._is_reset_awaited = True
        return False

    def is_idle(self) -> bool:
        """Whether no session is on."""
        return all(evse.session is None for evse in self.evses.values())

    def hold_back(self, *, is_held: bool) -> None:
        """See firmware.Host."""
        if is_held:
            free = [one for one in self.evses.values() if one.session is None and one.is_available]
            self._held_back = [one.evse_id for one in free]
        for evse_id in self._held_back:
            self.set_available(evse_id, is_available=not is_held)
        if not is_held:
            self._held_back = []

    def reboot_updated(self) -> None:
        """See firmware.Host."""
        for_s = self.behaviour.reboot_s
        self.world.after(0.1, lambda: self._restart(EndCause.HARD_RESET, "FirmwareUpdate", for_s))

    def apply_limits(self) -> None:
        """Let changed charging profiles take effect."""
        for evse in self.evses.values():
            evse.advance(self.world.now())
            evse.limit_w = self.limits.limit_w(evse.evse_id)
            evse.advance(self.world.now())
            self._refresh(evse)

    def sample_every(self, interval_s: float) -> None:
        """Change how often sessions are sampled; 0 turns it off."""
        self.behaviour.sample_s = interval_s
        for evse in self.evses.values():
            if evse.session is not None:
                self._start_sampler(evse)

    def beat_every(self, interval_s: float) -> None:
        """Change how often the charger sends a heartbeat."""
        self.behaviour.heartbeat_s = interval_s
        if self._heartbeat is not None:
            self._heartbeat.cancel()
        if interval_s > 0:
            self._heartbeat = self.world.every(interval_s, self.beat)

    def sample_now(self, evse_id: int) -> bool:
        """Sample the session on an EVSE out of turn; False: there is none."""
        evse = self.evses.get(evse_id)
        if evse is None or evse.session is None:
            return False
        self.world.after(0, lambda: self._sample(evse))
        return True

    def tell_all_states(self) -> None:
        """Report every EVSE, ahead of whatever waits."""
        for evse in reversed(self.evses.values()):
            evse.told = evse.state
            self._tell_status(evse, is_urgent=True)

    def boot_again(self) -> None:
        """Introduce the charger once more, as when asked to."""
        self._tell_boot(self._boot_reason)

    # --- boot ------------------------------------------------------------------------------------

    def _answer_call(self, action: str, payload: Payload) -> Payload | Refusal:
        """Answer as a quirk would, else as the version does."""
        for one in self._quirks:
            answer = one.answer(self, action, payload) if one.answer is not None else None
            if answer is not None:
                return answer
        return self._answer(action, payload)

    def _heard(self, action: str, answer: Payload) -> None:
        for one in self._quirks:
            if one.heard is not None:
                one.heard(self, action, answer)

    def _opened(self) -> None:
        if not self.line.manners.boots:
            self.line.booted()
        if self.line.is_booted:
            self._tell_after_silence()
            return
        self._tell_boot(self._boot_reason)
        if not self.line.manners.waits_for_boot:
            self.tell_all_states()

    def _tell_after_silence(self) -> None:
        """Say how things are now, ahead of what was kept, and again once that is told.

        Who hears of the past afterwards might else take its last word for the present.
        """
        has_backlog = self.line.backlog > 0
        self.tell_all_states()
        if has_backlog:
            self.line.when_delivered(self.tell_all_states)

    def _boot_answered(self, answer: Payload) -> None:
        interval_s = float(answer.get("interval") or 0) or self.behaviour.heartbeat_s
        if answer.get("status") != "Accepted":
            self.world.after(interval_s, self._boot_if_needed)
            return
        self._boot_reason = "PowerUp"
        self.beat_every(interval_s)
        if not self.line.is_booted:
            self._tell_after_silence()
            self.line.booted()
            self.firmware.booted()

    def _boot_failed(self, reason: str) -> None:
        del reason
        self.world.after(_BOOT_RETRY_S, self._boot_if_needed)

    def _boot_if_needed(self) -> None:
        if self.line.is_connected and not self.line.is_booted:
            self._tell_boot(self._boot_reason)

    def _restart(self, cause: EndCause, boot_reason: str, for_s: float) -> None:
        for evse in self.evses.values():
            if evse.session is not None:
                self._end(evse, cause)
            evse.awaited_token = ""
            evse.told = None
        if self._heartbeat is not None:
            self._heartbeat.cancel()
        self._boot_reason = boot_reason
        self._is_reset_awaited = False
        self.line.must_boot()
        self.reboot(for_s)

    def _reboot_unplugged(self, for_s: float) -> None:
        """Without a socket to drop, the line just boots again."""
        self.world.after(for_s, self._boot_if_needed)

    # --- sessions --------------------------------------------------------------------------------

    def _judge(
        self, evse: Evse, token: str, then: Verdict, remote_start_id: int | None = None
    ) -> None:
        def judged(is_accepted: bool | None) -> None:
            verdict = self._offline_verdict(token) if is_accepted is None else is_accepted
            if verdict and evse.session is None:
                self._accept(evse, token, remote_start_id)
            then(verdict)

        self._ask(evse, token, judged)

    def _offline_verdict(self, token: str) -> bool:
        return self.local_list.get(token.casefold(), self.behaviour.trusts_offline)

    def _accept(self, evse: Evse, token: str, remote_start_id: int | None) -> None:
        if evse.session is not None or evse.fault:
            return
        cause = Cause.TOKEN_SHOWN if remote_start_id is None else Cause.REMOTE_START
        if evse.car is not None:
            self._begin(evse, token, cause, remote_start_id)
        else:
            self._await_cable(evse, token)
        self._refresh(evse)

    def _await_cable(self, evse: Evse, token: str) -> None:
        evse.awaited_token = token

        def give_up() -> None:
            if evse.awaited_token == token and evse.session is None:
                evse.awaited_token = ""
                self._refresh(evse)

        self.world.after(self.behaviour.connection_timeout_s, give_up)

    def _begin(
        self, evse: Evse, token: str, cause: Cause, remote_start_id: int | None = None
    ) -> None:
        if evse.outlet is None:
            raise ValueError(f"{self.charger_id}: nothing is plugged into EVSE {evse.evse_id}")
        reading = evse.read(self.world.now())
        reservation, evse.reservation, evse.awaited_token = evse.reservation, None, ""
        session = evse.session = Session(
            ref=f"{self._names.getrandbits(128):032x}",
            token=token,
            connector_id=evse.outlet.connector_id,
            meter_start_wh=reading.register_wh,
            started_at=self.now(),
            transaction_id=self._transaction_id(),
            remote_start_id=remote_start_id,
            reservation_number=reservation.number if reservation else None,
        )
        self._tell_session(Kind.SESSION_BEGUN, evse, session, reading)
        self._tell_started(evse, session, reading, cause)
        self._start_sampler(evse)
        if self._physics is None:
            self._physics = self.world.every(self.behaviour.step_s, self._let_flow)

    def _transaction_id(self) -> str:
        """Name a transaction; empty where the other side does (1.6)."""
        return ""

    def new_uuid(self) -> str:
        """Return a UUID no run of the world had before."""
        return str(UUID(int=self._names.getrandbits(128), version=4))

    def _end_if_on(self, evse: Evse, cause: EndCause) -> None:
        if evse.session is not None:
            self._end(evse, cause)

    def _end(self, evse: Evse, cause: EndCause) -> None:
        session = evse.session
        if session is None:
            raise ValueError(f"{self.charger_id}: no session on EVSE {evse.evse_id}")
        reading = evse.read(self.world.now())
        evse.session, evse.had_session = None, True
        evse.power_w = 0.0
        self._samplers.pop(evse.evse_id).cancel()
        self._tell_session(Kind.SESSION_ENDED, evse, session, reading, body={"cause": cause})
        self._tell_ended(evse, session, reading, cause)
        if self.limits.end_session(evse.evse_id):
            evse.limit_w = self.limits.limit_w(evse.evse_id)
        self._refresh(evse)
        self._rest_if_idle()

    def _rest_if_idle(self) -> None:
        if not self.is_idle():
            return
        if self._physics is not None:
            self._physics.cancel()
            self._physics = None
        if self._is_reset_awaited:
            self._is_reset_awaited = False
            self.reset(is_hard=False)

    def _refuse_session(self, session: Session) -> None:
        """The other side found the token invalid after the start."""
        if not self.behaviour.stops_refused or session.is_refused:
            return
        session.is_refused = True
        for evse in self.evses.values():
            if evse.session is session:
                self._end(evse, EndCause.REFUSED)

    def _start_sampler(self, evse: Evse) -> None:
        old = self._samplers.pop(evse.evse_id, None)
        if old is not None:
            old.cancel()
        interval_s = self.behaviour.sample_s
        sampler = Repeating(self.world, interval_s, lambda: self._sample(evse))
        self._samplers[evse.evse_id] = sampler
        if interval_s > 0:
            sampler.start(interval_s)

    def _sample(self, evse: Evse) -> None:
        if evse.session is not None:
            self._tell_sample(evse, evse.session, evse.read(self.world.now()))

    def _let_flow(self) -> None:
        for evse in self.evses.values():
            if evse.session is not None:
                evse.advance(self.world.now())
                self._refresh(evse)

    def _may_use(self, evse: Evse, token: str) -> bool:
        reservation = evse.reservation
        return reservation is None or reservation.token.casefold() == token.casefold()

    def _expire(self, evse: Evse, reservation: Reservation) -> None:
        if evse.reservation is reservation:
            evse.reservation = None
            self._refresh(evse)

    def _refresh(self, evse: Evse) -> None:
        state, before = evse.state, evse.told
        if state is not before:
            evse.told = state
            self._tell_state_change(evse, before)

    # --- the journal -----------------------------------------------------------------------------

    def _tell(self, kind: Kind, *, evse_id: int = 0, body: Payload | None = None) -> None:
        self.world.tell(
            Entry(
                at=self.world.now(),
                kind=kind,
                charger_id=self.charger_id,
                evse_id=evse_id,
                body=body or {},
            )
        )

    def _tell_session(
        self,
        kind: Kind,
        evse: Evse,
        session: Session,
        reading: Reading,
        body: Payload | None = None,
    ) -> None:
        self.world.tell(
            Entry(
                at=self.world.now(),
                kind=kind,
                charger_id=self.charger_id,
                evse_id=evse.evse_id,
                session_ref=session.ref,
                transaction_id=session.transaction_id,
                token=session.token,
                register_wh=reading.register_wh,
                meter_start_wh=session.meter_start_wh,
                observed_at=self.now(),
                body=body or {},
            )
        )

    def _new_evse(self, spec: EvseSpec) -> Evse:
        return Evse(spec, meter_wh=float(self._chance.randrange(_MAX_LIFETIME_WH)))


def _ignore(is_accepted: bool) -> None:
    del is_accepted
