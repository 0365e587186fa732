"""A charger that speaks OCPP 1.6: what it tells. Each connector is its own; 0 is the whole charger."""

from collections.abc import Callable
from typing import Any, ClassVar, Final

from ocpp.v16.enums import (
    Action,
    ChargePointErrorCode,
    ChargePointStatus,
    ReadingContext,
    Reason,
)

from simulator.chargers import schemas, v16_answers
from simulator.chargers.charger import Charger
from simulator.chargers.evse import Evse, Reading, Session, State
from simulator.chargers.firmware import Order
from simulator.chargers.line import Call, Payload, Refusal
from simulator.chargers.spec import Cause, Change, EndCause, stamp
from simulator.chargers.v201_words import signed

STATUS: Final = {
    State.FREE: ChargePointStatus.available,
    State.PREPARING: ChargePointStatus.preparing,
    State.CHARGING: ChargePointStatus.charging,
    State.SUSPENDED_BY_CAR: ChargePointStatus.suspended_ev,
    State.SUSPENDED_BY_CHARGER: ChargePointStatus.suspended_evse,
    State.FINISHING: ChargePointStatus.finishing,
    State.RESERVED: ChargePointStatus.reserved,
    State.UNAVAILABLE: ChargePointStatus.unavailable,
    State.FAULTED: ChargePointStatus.faulted,
}
REASON: Final = {
    EndCause.LOCAL: Reason.local,
    EndCause.REMOTE: Reason.remote,
    EndCause.UNPLUGGED: Reason.ev_disconnected,
    EndCause.REFUSED: Reason.de_authorized,
    EndCause.FAULT: Reason.other,
    EndCause.POWER_LOSS: Reason.power_loss,
    EndCause.SOFT_RESET: Reason.soft_reset,
    EndCause.HARD_RESET: Reason.hard_reset,
    EndCause.UNLOCKED: Reason.unlock_command,
    EndCause.TIMEOUT: Reason.other,
    EndCause.LEFT: Reason.ev_disconnected,
    EndCause.ENERGY_ENDED: Reason.local,
    EndCause.CAR_STOPPED: Reason.other,
    EndCause.MASTER_PASS: Reason.local,
}


SAMPLE: Final = {False: ReadingContext.sample_periodic, True: ReadingContext.sample_clock}
"""How a sample is told, by whether it is aligned to the clock."""
PLAIN_FIRMWARE: Final = {
    "Downloading": "Downloading",
    "Downloaded": "Downloaded",
    "DownloadFailed": "DownloadFailed",
    "Idle": "Idle",
    "Installing": "Installing",
    "Installed": "Installed",
    "InstallVerificationFailed": "InstallationFailed",
    "InstallationFailed": "InstallationFailed",
}
"""How an update that is not signed is told of; its other steps are not."""


class ChargerV16(Charger):
    """See Charger."""

    subprotocols: ClassVar = ("ocpp1.6",)
    renews_message_ids: ClassVar = True
    answers: ClassVar = v16_answers.ANSWERS

    def _answer(self, action: str, payload: Payload) -> Payload | Refusal:
        answer = self.answers.get(action)
        if answer is None:
            code = "NotSupported" if action in schemas.actions("v16") else "NotImplemented"
            return Refusal(code, action)
        fault = schemas.fault_in("v16", action, payload)
        return Refusal("FormationViolation", fault[:255]) if fault else answer(self, payload)

    def _tell_boot(self, reason: str) -> None:
        del reason
        payload = {
            "chargePointVendor": self.spec.vendor[:20],
            "chargePointModel": self.spec.model[:20],
            "chargePointSerialNumber": self.spec.serial,
            "firmwareVersion": self.firmware.version,
            "meterType": "Virtual meter",
        }
        self._send(
            Action.boot_notification,
            lambda: payload,
            on_answer=self._boot_answered,
            on_failure=self._boot_failed,
            is_urgent=True,
        )

    def beat(self) -> None:
        """See Charger.beat."""
        self._send(Action.heartbeat, dict)

    def tell_firmware(self, status: str, order: Order | None) -> None:
        """See Dialect.tell_firmware."""
        if order is not None and order.request_id is not None:
            told = {"status": status, "requestId": order.request_id}
            self._send("SignedFirmwareStatusNotification", lambda: told)
        elif status in PLAIN_FIRMWARE:
            plain = {"status": PLAIN_FIRMWARE[status]}
            self._send(Action.firmware_status_notification, lambda: plain)

    def tell_security(self, event: str) -> None:
        """See Dialect.tell_security."""
        payload = {"type": event, "timestamp": stamp(self.now())}
        self._send("SecurityEventNotification", lambda: payload)

    def _ask(self, evse: Evse, token: str, then: Callable[[bool | None], None]) -> None:
        self._send(
            Action.authorize,
            lambda: {"idTag": token},
            on_answer=lambda answer: then(self._noted(token, answer["idTagInfo"])),
            on_failure=lambda _: then(None),
            evse_id=evse.evse_id,
            is_urgent=True,
        )

    def _noted(self, token: str, info: Payload) -> bool:
        """Remember what was said of a tag; return whether it may charge."""
        is_accepted: bool = info["status"] == "Accepted"
        self.cards.note(token, is_accepted=is_accepted, group=info.get("parentIdTag", ""))
        return is_accepted

    def tell_all_states(self) -> None:
        """See Charger.tell_all_states; ends with the charger as a whole, which is told first."""
        super().tell_all_states()
        payload = {"connectorId": 0, **_status(State.FREE, ""), "timestamp": stamp(self.now())}
        self._send(Action.status_notification, lambda: payload, is_urgent=True)

    def _tell_status(self, evse: Evse, *, is_urgent: bool = False) -> None:
        payload = {
            "connectorId": evse.evse_id,
            **_status(evse.state, evse.fault),
            "timestamp": stamp(self.now()),
        }
        self._send(
            Action.status_notification,
            lambda: payload,
            evse_id=evse.evse_id,
            is_urgent=is_urgent,
        )

    def _tell_state_change(self, evse: Evse, before: State | None) -> None:
        del before
        self._tell_status(evse)

    def _tell_started(self, evse: Evse, session: Session, reading: Reading, cause: Cause) -> None:
        del cause
        payload: Payload = {
            "connectorId": evse.evse_id,
            "idTag": session.token,
            "meterStart": reading.register_wh,
            "timestamp": stamp(session.started_at),
        }
        if session.reservation_number is not None:
            payload["reservationId"] = session.reservation_number

        def begun(answer: Payload) -> None:
            session.transaction_id = str(answer["transactionId"])
            if not self._noted(session.token, answer["idTagInfo"]):
                self._refuse_session(session)

        self._keep(Action.start_transaction, lambda: payload, evse, session, on_answer=begun)

    def _tell_sample(
        self, evse: Evse, session: Session, reading: Reading, *, is_aligned: bool = False
    ) -> None:
        at = self.now()
        sample = {
            "timestamp": stamp(at),
            "sampledValue": self._sampled(reading, SAMPLE[is_aligned]),
        }
        call = self._transaction_call(
            Action.meter_values,
            lambda: {
                "connectorId": evse.evse_id,
                "transactionId": _number(session),
                "meterValue": [sample],
            },
            evse,
            session,
        )
        call.register_wh, call.observed_at = reading.register_wh, at
        self.line.call(call)

    def _tell_change(self, evse: Evse, session: Session, change: Change) -> None:
        """Say nothing: 1.6 has statuses only, which follow by themselves."""

    def tell_idle_meter(self, evse_id: int, reading: Reading) -> None:
        """See Dialect.tell_idle_meter."""
        values = self._sampled(reading, ReadingContext.sample_clock)
        meter_value = [{"timestamp": stamp(self.now()), "sampledValue": values}]
        payload = {"connectorId": evse_id, "meterValue": meter_value}
        self._send(Action.meter_values, lambda: payload, evse_id=evse_id)

    def tell_meter_now(self, evse: Evse) -> None:
        """Send what a meter shows, as asked for (section 5.17)."""
        values = self._sampled(evse.read(self.world.now()), ReadingContext.trigger)
        meter_value = [{"timestamp": stamp(self.now()), "sampledValue": values}]
        payload: Payload = {"connectorId": evse.evse_id, "meterValue": meter_value}
        if evse.session is not None and evse.session.transaction_id:
            payload["transactionId"] = _number(evse.session)
        self._send(Action.meter_values, lambda: payload, evse_id=evse.evse_id)

    def tell_state_now(self, evse: Evse) -> None:
        """Send a connector's state, as asked for (section 5.17)."""
        self._tell_status(evse)

    def _sampled(self, reading: Reading, context: str) -> list[dict[str, Any]]:
        values = sampled(reading, context)
        if self.behaviour.signs:
            data = signed(self.charger_id, reading, context)["signedMeterData"]
            values.append(values[0] | {"value": data, "format": "SignedData"})
        return values

    def _tell_ended(self, evse: Evse, session: Session, reading: Reading, cause: EndCause) -> None:
        at = stamp(self.now())
        values = [
            {"timestamp": stamp(when), "sampledValue": self._sampled(one, SAMPLE[is_aligned])}
            for when, one, is_aligned in session.samples
        ]
        last = self._sampled(reading, ReadingContext.transaction_end)
        values.append({"timestamp": at, "sampledValue": last})

        def payload() -> Payload:
            told: Payload = {
                "transactionId": _number(session),
                "meterStop": reading.register_wh,
                "timestamp": at,
                "reason": REASON[cause],
                "transactionData": values,
            }
            if cause in (EndCause.LOCAL, EndCause.REMOTE, EndCause.MASTER_PASS):
                told["idTag"] = session.stop_token or session.token
            return told

        self._keep(Action.stop_transaction, payload, evse, session)

    def _keep(
        self,
        action: str,
        payload: Callable[[], Payload],
        evse: Evse,
        session: Session,
        on_answer: Callable[[Payload], None] | None = None,
    ) -> None:
        call = self._transaction_call(action, payload, evse, session)
        call.on_answer = on_answer
        self.line.call(call)

    def _transaction_call(
        self, action: str, payload: Callable[[], Payload], evse: Evse, session: Session
    ) -> Call:
        """Return a kept call; its payload is made when it is sent, as 1.6 names transactions late."""
        return Call(
            str(action), payload, is_kept=True, evse_id=evse.evse_id, session_ref=session.ref
        )

    def _send(
        self,
        action: str,
        payload: Callable[[], Payload],
        *,
        on_answer: Callable[[Payload], None] | None = None,
        on_failure: Callable[[str], None] | None = None,
        evse_id: int = 0,
        is_urgent: bool = False,
    ) -> None:
        call = Call(
            str(action), payload, on_answer=on_answer, on_failure=on_failure, evse_id=evse_id
        )
        self.line.call(call, is_urgent=is_urgent)


def sampled(reading: Reading, context: str) -> list[dict[str, Any]]:
    """Return a reading as 1.6 writes it: every value as text."""
    rows: list[tuple[str, object, str, str]] = [
        ("Energy.Active.Import.Register", reading.register_wh, "Wh", "Outlet"),
        ("Power.Active.Import", reading.power_w, "W", "Outlet"),
        ("Current.Import", reading.current_a, "A", "Outlet"),
        ("Voltage", reading.voltage_v, "V", "Outlet"),
        ("Temperature", reading.temperature_c, "Celsius", "Body"),
    ]
    if reading.soc_pct is not None:
        rows.append(("SoC", reading.soc_pct, "Percent", "EV"))
    return [
        {
            "value": str(value),
            "context": str(context),
            "measurand": measurand,
            "location": location,
            "unit": unit,
        }
        for measurand, value, unit, location in rows
    ]


def _status(state: State, fault: str) -> Payload:
    return {
        "status": str(STATUS[state]),
        "errorCode": str(ChargePointErrorCode(fault or ChargePointErrorCode.no_error)),
    }


def _number(session: Session) -> int:
    return int(session.transaction_id or -1)
