"""What every charger does whatever its OCPP version: EVSEs, sessions, samples, boot, reset.

A version says how each of these is told (`_tell_...`, `_ask`) and answers the other side's calls.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from simulator.chargers.cards import Cards
from simulator.chargers.device import Device, Fetched
from simulator.chargers.evse import Evse, EvseSpec, Reservation, State
from simulator.chargers.firmware import Firmware
from simulator.chargers.limits import Limits
from simulator.chargers.line import Line, Payload, Refusal
from simulator.chargers.manners import Manners
from simulator.chargers.quirks import Quirk, habits_with, manners_with
from simulator.chargers.safe import Safe
from simulator.chargers.sessions import Sessions
from simulator.chargers.spec import Behaviour, ChargerSpec, EndCause
from simulator.journal import Kind
from simulator.vehicles import Standard
from simulator.world import Repeating, World

_BOOT_RETRY_S: Final = 15.0
_SAYS_WITHIN: Final = timedelta(seconds=5)
"""How long a restart waits for what is still to be said."""
_MAX_LIFETIME_WH: Final = 30_000_000


class Charger(Sessions):
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
        self.cards = Cards()
        self.device = Device()
        self.safe = Safe()
        self.token_types: dict[str, str] = {}
        """By token: what its reader calls it, where that is no card."""
        self.local_list: dict[str, bool] = {}
        self.local_list_version = 0
        self.costs: dict[str, float] = {}
        """By transaction: what its display says it has cost."""
        self.reboot: Callable[[float], None] = self._reboot_unplugged
        """Drops the connection for some seconds; whoever owns the socket sets it."""
        self._samplers: dict[int, Repeating] = {}
        self._physics: Repeating | None = None
        self._heartbeat: Repeating | None = None
        self._aligned: Repeating | None = None
        self._boot_reason = "PowerUp"
        self._is_reset_awaited = False
        self._held_back: list[int] = []

    # --- what the world does to it ---------------------------------------------------------------

    def break_down(self, evse_id: int, code: str) -> None:
        """Let a fault happen (one of faults.CHARGER_FAULTS); a session ends."""
        evse = self.evses[evse_id]
        if evse.session is not None:
            self._end(evse, EndCause.FAULT)
        evse.fault = code
        self._tell(Kind.FAULT, evse_id=evse_id, body={"code": code})
        reservation, evse.reservation = evse.reservation, None
        self._refresh(evse)
        if reservation is not None:
            self._tell_dropped(reservation, "Removed")

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
            reservation.until_at - self.clock_skew, lambda: self._run_out(evse, reservation)
        )
        self.world.after(0, lambda: self._refresh(evse))
        return True

    def free_evse(self, plug: Standard | None = None) -> int:
        """Return the first EVSE that is free, and has such a plug; 0: none."""
        for evse in self.evses.values():
            has_plug = plug is None or any(one.standard is plug for one in evse.spec.outlets)
            if evse.state is State.FREE and evse.reservation is None and has_plug:
                return evse.evse_id
        return 0

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

    def reset(self, *, is_hard: bool, reason: str = "RemoteReset") -> None:
        """Reboot now; sessions end."""
        cause = EndCause.HARD_RESET if is_hard else EndCause.SOFT_RESET
        self.world.after(0.5, lambda: self._restart(cause, reason, self.behaviour.reboot_s))

    def end_by_reset(self, evse_id: int) -> None:
        """End the session of an EVSE that is reset at once."""
        self.world.after(0, partial(self._end_if_on, self.evses[evse_id], EndCause.HARD_RESET))

    def reset_when_idle(self) -> bool:
        """Reboot once no session is left; True: at once."""
        if self.is_idle():
            self.reset(is_hard=False)
            return True
        self._is_reset_awaited = True
        return False

    def _grown_idle(self) -> None:
        if self._is_reset_awaited:
            self._is_reset_awaited = False
            self.reset(is_hard=False, reason="ScheduledReset")

    def hold_back(self, *, is_held: bool) -> None:
        """See firmware.Host."""
        if is_held:
            free = [one for one in self.evses.values() if one.session is None and one.is_available]
            self._held_back = [one.evse_id for one in free]
        for evse_id in self._held_back:
            self.set_available(evse_id, is_available=not is_held)
        if not is_held:
            self._held_back = []

    def fetch(self, location: str, fetched: Fetched) -> None:
        """See firmware.Host."""
        if self.device.fetch is None:
            fetched(b"")
        else:
            self.device.fetch(location, fetched)

    def reboot_updated(self) -> None:
        """See firmware.Host."""
        self._restart_once_said(self.world.now() + _SAYS_WITHIN)

    def _restart_once_said(self, latest: datetime) -> None:
        if self.line.is_quiet or self.world.now() >= latest:
            self._restart(EndCause.HARD_RESET, "FirmwareUpdate", self.behaviour.reboot_s)
        else:
            self.world.after(0.1, lambda: self._restart_once_said(latest))

    def apply_limits(self) -> None:
        """Let changed charging profiles take effect."""
        for evse in self.evses.values():
            evse.advance(self.world.now())
            limit_w = self.limits.limit_w(evse.evse_id)
            evse.limit_w = limit_w if self.behaviour.obeys_profiles else None
            evse.advance(self.world.now())
            self._refresh(evse)

    def sample_every(self, interval_s: float) -> None:
        """Change how often sessions are sampled; 0 turns it off."""
        self.behaviour.sample_s = interval_s
        for evse in self.evses.values():
            if evse.session is not None:
                self._start_sampler(evse)

    def align_every(self, interval_s: float) -> None:
        """Change how often all meters are told of by the clock; 0 turns it off."""
        self.behaviour.aligned_s = interval_s
        if self._aligned is not None:
            self._aligned.cancel()
        self._aligned = self.world.every(interval_s, self._tell_meters) if interval_s else None

    def _tell_meters(self) -> None:
        """Tell what every meter shows (J01.FR.01): of sessions in theirs, of the others apart."""
        total_wh = 0
        for evse in self.evses.values():
            reading = evse.read(self.world.now())
            total_wh += reading.register_wh
            if evse.session is not None:
                self._sample(evse, is_aligned=True)
            else:
                self.tell_idle_meter(evse.evse_id, reading)
        self.tell_idle_meter(0, replace(reading, register_wh=total_wh))

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
        self._tell_boot("Triggered")

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
        if self.behaviour.aligned_s and self._aligned is None:
            self.align_every(self.behaviour.aligned_s)
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
        self.safe.go_over()
        self.reboot(for_s)

    def _reboot_unplugged(self, for_s: float) -> None:
        """Without a socket to drop, the line just boots again."""
        self.world.after(for_s, self._boot_if_needed)

    def _run_out(self, evse: Evse, reservation: Reservation) -> None:
        if evse.reservation is reservation:
            self._expire(evse, reservation)
            self._tell_dropped(reservation, "Expired")

    def _expire(self, evse: Evse, reservation: Reservation) -> None:
        if evse.reservation is reservation:
            evse.reservation = None
            self._refresh(evse)

    def _new_evse(self, spec: EvseSpec) -> Evse:
        return Evse(spec, meter_wh=float(self._chance.randrange(_MAX_LIFETIME_WH)))
