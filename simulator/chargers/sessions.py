"""What begins, keeps and ends a charger's sessions, whatever its OCPP version."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Final

from simulator.chargers.cards import Cards
from simulator.chargers.evse import Evse, Reservation, Session
from simulator.chargers.limits import Limits
from simulator.chargers.line import Line
from simulator.chargers.spec import Behaviour, Cause, Change, EndCause, Point
from simulator.chargers.telling import Telling
from simulator.journal import Kind
from simulator.vehicles import Car
from simulator.world import Repeating

Verdict = Callable[[bool], None]

_ENDS_AT_A_WORD: Final = {Point.AUTHORIZED, Point.DATA_SIGNED, Point.POWER_PATH_CLOSED}
_ENDS_UNPLUGGED: Final = {Point.EV_CONNECTED, Point.ENERGY_TRANSFER, Point.POWER_PATH_CLOSED}


class Sessions(Telling):
    """The part of a charger that drivers meet; the rest of the box is Charger's."""

    behaviour: Behaviour
    evses: dict[int, Evse]
    limits: Limits
    line: Line
    cards: Cards
    local_list: dict[str, bool]
    _samplers: dict[int, Repeating]
    _physics: Repeating | None

    # --- what drivers do -------------------------------------------------------------------------

    def park(self, evse_id: int) -> None:
        """Let a car stand before an EVSE, which some chargers see for themselves."""
        evse = self.evses[evse_id]
        is_point = Point.PARKING_BAY in self.behaviour.starts_at
        if is_point and evse.session is None and not evse.fault and evse.is_available:
            self._begin(evse, "", Cause.PARKED)
            self._refresh(evse)

    def leave(self, evse_id: int) -> None:
        """Let the car be gone that stood there."""
        self._end_if_on(self.evses[evse_id], EndCause.LEFT)

    def plug_in(self, evse_id: int, car: Car) -> bool:
        """Plug a car in; False: occupied, broken, or no plug fits."""
        evse = self.evses[evse_id]
        outlet = evse.spec.outlet_for(car)
        if evse.car is not None or evse.fault or outlet is None:
            return False
        evse.car, evse.outlet, evse.had_session = car, outlet, False
        token, evse.awaited_token = evse.awaited_token, ""
        if evse.session is not None:
            evse.session.connector_id = outlet.connector_id
            self._tell_change(evse, evse.session, Change.PLUGGED_IN)
        elif token:
            self._close_path(evse, token, Cause.PLUGGED_IN)
        elif Point.EV_CONNECTED in self.behaviour.starts_at and evse.is_available:
            self._begin(evse, "", Cause.PLUGGED_IN)
        self._refresh(evse)
        return True

    def unplug(self, evse_id: int) -> Car | None:
        """Pull the cable, which mostly ends a session; return the car that was there."""
        evse = self.evses[evse_id]
        session = evse.session
        is_end = bool(self.behaviour.stops_at & _ENDS_UNPLUGGED)
        if session is not None and is_end:
            self._end(evse, EndCause.UNPLUGGED)
        car, evse.car, evse.outlet, evse.had_session = evse.car, None, None, False
        if session is not None and not is_end:
            self._tell_change(evse, session, Change.UNPLUGGED)
        self._refresh(evse)
        return car

    def present(self, evse_id: int, token: str, then: Verdict | None = None) -> None:
        """Show a token: ends the session of its own or its group, else asks to begin one.

        `then` gets the answer.
        """
        evse = self.evses[evse_id]
        answer = then or _ignore
        session = evse.session
        if session is not None and (session.is_authorized or session.was_stopped):
            self._present_again(evse, session, token, answer)
            return
        if evse.fault or not evse.is_available or not self._may_use(evse, token):
            answer(False)
            return
        self._judge(evse, token, answer)

    def _present_again(self, evse: Evse, session: Session, token: str, then: Verdict) -> None:
        if session.token.casefold() == token.casefold():
            self._stop(evse, session, EndCause.LOCAL, token)
            then(True)
            return
        if not self.cards.master_group and not self.cards.has_group(session.token):
            then(False)
            return

        def judged(is_accepted: bool | None) -> None:
            if is_accepted and self.cards.is_master(token):
                self.end_by_master(token, list(self.evses))
            elif is_accepted and self.cards.are_together(token, session.token):
                self._stop(evse, session, EndCause.LOCAL, token)
            then(evse.session is not session or session.was_stopped)

        if self.cards.takes(token):
            judged(is_accepted=True)
        else:
            self._ask(evse, token, judged)

    def end_by_master(self, token: str, evse_ids: Iterable[int]) -> None:
        """End the sessions chosen on the screen; without one all are (C16.FR.01, C16.FR.02)."""
        for evse in map(self.evses.__getitem__, evse_ids):
            if evse.session is not None:
                evse.session.stop_token = token
                self._end(evse, EndCause.MASTER_PASS)

    def start_from_afar(self, evse_id: int, token: str, remote_start_id: int | None) -> bool:
        """Begin a session as if the token had been shown, now or once a cable is plugged in."""
        evse = self.evses.get(evse_id)
        if evse is None or evse.fault or not evse.is_available or not self._may_use(evse, token):
            return False
        if evse.session is not None and (evse.session.is_authorized or evse.session.was_stopped):
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
                self.world.after(0, partial(self._stop_if_on, evse, evse.session))
                return True
        return False

    # --- beginning -------------------------------------------------------------------------------

    def _judge(
        self, evse: Evse, token: str, then: Verdict, remote_start_id: int | None = None
    ) -> None:
        def judged(is_accepted: bool | None) -> None:
            verdict = self._offline_verdict(token) if is_accepted is None else is_accepted
            if verdict and self.cards.is_master(token):
                verdict = False  # C16.FR.03: it begins nothing
            if verdict:
                self._accept(evse, token, remote_start_id)
            then(verdict)

        if self.cards.takes(token):
            judged(is_accepted=True)
        else:
            self._ask(evse, token, judged)

    def _offline_verdict(self, token: str) -> bool:
        return self.local_list.get(token.casefold(), self.behaviour.trusts_offline)

    def _accept(self, evse: Evse, token: str, remote_start_id: int | None) -> None:
        if evse.fault:
            return
        cause = Cause.TOKEN_SHOWN if remote_start_id is None else Cause.REMOTE_START
        if evse.session is not None:
            self._authorize(evse, evse.session, token, remote_start_id)
        elif evse.car is not None:
            self._close_path(evse, token, cause, remote_start_id)
        else:
            if Point.AUTHORIZED in self.behaviour.starts_at:
                self._begin(evse, token, cause, remote_start_id)
            self._await_cable(evse, token)
        self._refresh(evse)

    def _authorize(
        self, evse: Evse, session: Session, token: str, remote_start_id: int | None
    ) -> None:
        """Let a session that began without a driver have one (E01, E02)."""
        if session.is_authorized or session.was_stopped:
            return
        session.token, session.is_authorized = token, True
        session.remote_start_id = remote_start_id
        is_afar = remote_start_id is not None
        self._tell_change(evse, session, Change.STARTED_AFAR if is_afar else Change.AUTHORIZED)

    def _await_cable(self, evse: Evse, token: str) -> None:
        evse.awaited_token = token

        def give_up() -> None:
            if evse.awaited_token == token and evse.car is None:
                evse.awaited_token = ""
                self._time_out(evse)
                self._refresh(evse)

        self.world.after(self.behaviour.connection_timeout_s, give_up)

    def _time_out(self, evse: Evse) -> None:
        """Nobody plugged in: the session ends, or goes on without a driver (E03.FR.05)."""
        session = evse.session
        if session is None:
            return
        if self.behaviour.stops_at & _ENDS_AT_A_WORD:
            self._end(evse, EndCause.TIMEOUT)
            return
        session.is_authorized = False
        self._tell_change(evse, session, Change.TIMED_OUT)

    def _close_path(
        self, evse: Evse, token: str, cause: Cause, remote_start_id: int | None = None
    ) -> None:
        """Begin now that a car and a driver are there, or as soon as energy flows (E01.FR.06)."""
        points = self.behaviour.starts_at
        if points == {Point.ENERGY_TRANSFER}:
            self._begin_when_it_flows(evse, token, remote_start_id)
            return
        is_signed = Point.DATA_SIGNED in points
        self._begin(evse, token, Cause.DATA_SIGNED if is_signed else cause, remote_start_id)

    def _begin_when_it_flows(self, evse: Evse, token: str, remote_start_id: int | None) -> None:
        car = evse.car
        if car is None or evse.session is not None or evse.fault:
            return
        if car.battery.soc_pct < car.limit_pct:
            self._begin(evse, token, Cause.ENERGY_FLOWS, remote_start_id)
            self._refresh(evse)
            return
        again = partial(self._begin_when_it_flows, evse, token, remote_start_id)
        self.world.after(self.behaviour.step_s, again)

    def _begin(
        self, evse: Evse, token: str, cause: Cause, remote_start_id: int | None = None
    ) -> None:
        reading = evse.read(self.world.now())
        reservation, evse.reservation, evse.awaited_token = evse.reservation, None, ""
        session = evse.session = Session(
            ref=f"{self._names.getrandbits(128):032x}",
            token=token,
            connector_id=evse.outlet.connector_id if evse.outlet else 0,
            meter_start_wh=reading.register_wh,
            started_at=self.now(),
            transaction_id=self._transaction_id(),
            remote_start_id=remote_start_id,
            reservation_number=reservation.number if reservation else None,
            is_authorized=bool(token),
        )
        self._tell_session(Kind.SESSION_BEGUN, evse, session, reading)
        self._tell_started(evse, session, reading, cause)
        self._start_sampler(evse)
        if self._physics is None:
            self._physics = self.world.every(self.behaviour.step_s, self._let_flow)

    def _transaction_id(self) -> str:
        """Name a transaction; empty where the other side does (1.6)."""
        return ""

    # --- ending ----------------------------------------------------------------------------------

    def _stop_if_on(self, evse: Evse, session: Session) -> None:
        if evse.session is session:
            self._stop(evse, session, EndCause.REMOTE)

    def _stop(self, evse: Evse, session: Session, cause: EndCause, token: str = "") -> None:
        """A driver, or somebody afar, wants an end: of the session, or first of the flow only."""
        session.stop_token = token
        points = self.behaviour.stops_at
        if points & _ENDS_AT_A_WORD:
            self._end(evse, cause)
            return
        session.is_authorized, session.was_stopped = False, True
        is_local = cause is EndCause.LOCAL
        self._tell_change(evse, session, Change.STOPPED if is_local else Change.STOPPED_AFAR)
        if Point.ENERGY_TRANSFER in points:
            self._end(evse, EndCause.ENERGY_ENDED)
        self._refresh(evse)

    def _end_if_on(self, evse: Evse, cause: EndCause) -> None:
        if evse.session is not None:
            self._end(evse, cause)

    def _end(self, evse: Evse, cause: EndCause) -> None:
        session = evse.session
        if session is None:
            raise ValueError(f"{self.charger_id}: no session on EVSE {evse.evse_id}")
        reading = evse.read(self.world.now())
        evse.session, evse.had_session = None, evse.car is not None
        evse.power_w = 0.0
        self._samplers.pop(evse.evse_id).cancel()
        self._tell_session(Kind.SESSION_ENDED, evse, session, reading, body={"cause": cause})
        self._tell_ended(evse, session, reading, cause)
        if self.limits.end_session(evse.evse_id):
            evse.limit_w = self.limits.limit_w(evse.evse_id)
        self._refresh(evse)
        self._rest_if_idle()

    def is_idle(self) -> bool:
        """Whether no session is on."""
        return all(evse.session is None for evse in self.evses.values())

    def _rest_if_idle(self) -> None:
        if not self.is_idle():
            return
        if self._physics is not None:
            self._physics.cancel()
            self._physics = None
        self._grown_idle()

    def _grown_idle(self) -> None:
        """Do what waited for the last session to end."""

    def _refuse_session(self, session: Session) -> None:
        """The other side found the token invalid after the start."""
        if not self.behaviour.stops_refused or session.is_refused:
            return
        session.is_refused = True
        for evse in self.evses.values():
            if evse.session is session:
                self._end(evse, EndCause.REFUSED)

    # --- while it lasts --------------------------------------------------------------------------

    def _start_sampler(self, evse: Evse) -> None:
        old = self._samplers.pop(evse.evse_id, None)
        if old is not None:
            old.cancel()
        interval_s = self.behaviour.sample_s
        sampler = Repeating(self.world, interval_s, lambda: self._sample(evse))
        self._samplers[evse.evse_id] = sampler
        if interval_s > 0:
            sampler.start(interval_s)

    def _sample(self, evse: Evse, *, is_aligned: bool = False) -> None:
        session = evse.session
        if session is None:
            return
        reading = evse.read(self.world.now())
        if self.behaviour.repeats_samples:
            session.samples.append((self.now(), reading, is_aligned))
        self._tell_sample(evse, session, reading, is_aligned=is_aligned)

    def _let_flow(self) -> None:
        is_flow_what_counts = Point.ENERGY_TRANSFER in self.behaviour.stops_at
        for evse in self.evses.values():
            if evse.session is not None:
                evse.advance(self.world.now())
                if is_flow_what_counts and evse.is_full and evse.session.is_authorized:
                    self._end(evse, EndCause.CAR_STOPPED)
                self._refresh(evse)

    def _may_use(self, evse: Evse, token: str) -> bool:
        reservation: Reservation | None = evse.reservation
        return reservation is None or reservation.token.casefold() == token.casefold()

    def _refresh(self, evse: Evse) -> None:
        state, before = evse.state, evse.told
        if state is not before:
            evse.told = state
            self._tell_state_change(evse, before)


def _ignore(is_accepted: bool) -> None:
    del is_accepted
