"""A charger that speaks OCPP 2.0.1: what it tells."""

from collections.abc import Callable
from datetime import datetime
from functools import cached_property
from typing import Any, ClassVar

from ocpp.v201.enums import (
    Action,
    ChargingStateEnumType,
    ConnectorStatusEnumType,
    ReadingContextEnumType,
    ReasonEnumType,
    TransactionEventEnumType,
    TriggerReasonEnumType,
)

from simulator.chargers import customers, display, monitors, schemas, v201_answers
from simulator.chargers.charger import Charger
from simulator.chargers.evse import Evse, Reading, Reservation, Session, State
from simulator.chargers.firmware import Order
from simulator.chargers.line import Call, Payload, Refusal
from simulator.chargers.publishing import Publisher
from simulator.chargers.spec import Cause, Change, EndCause, stamp
from simulator.chargers.v201_words import (
    BY_TOKEN,
    CHANGE,
    CHARGING_STATE,
    ENDING,
    ENDS_AS,
    PERIODIC,
    STATUS,
    TRIGGER,
    place,
    sampled,
    signed,
)


class ChargerV201(Charger):
    """See Charger."""

    subprotocols: ClassVar[tuple[str, ...]] = ("ocpp2.0.1",)
    renews_message_ids: ClassVar = False
    schema: ClassVar = "v201"
    answers: ClassVar = v201_answers.ANSWERS

    @cached_property
    def publisher(self) -> Publisher:
        """What it is as a local controller."""
        return Publisher(self.world, self.send)

    def _answer(self, action: str, payload: Payload) -> Payload | Refusal:
        answer = self.answers.get(action)
        if answer is None:
            known = action in schemas.actions(self.schema)
            return Refusal("NotSupported" if known else "NotImplemented", action)
        fault = schemas.fault_in(self.schema, action, payload)
        return Refusal("FormatViolation", fault[:255]) if fault else answer(self, payload)

    def _transaction_id(self) -> str:
        return self.new_uuid()

    def _tell_boot(self, reason: str) -> None:
        payload = {
            "reason": reason,
            "chargingStation": {
                "vendorName": self.spec.vendor[:50],
                "model": self.spec.model[:20],
                "serialNumber": self.spec.serial,
                "firmwareVersion": self.firmware.version,
            },
        }
        self._send(
            Action.boot_notification,
            payload,
            on_answer=self._boot_answered,
            on_failure=self._boot_failed,
            is_urgent=True,
        )

    def beat(self) -> None:
        """See Charger.beat."""
        self._send(Action.heartbeat, {})

    def tell_firmware(self, status: str, order: Order | None) -> None:
        """See Dialect.tell_firmware."""
        number = {} if order is None else {"requestId": order.request_id}
        self._send(Action.firmware_status_notification, {"status": status, **number})

    def tell_security(self, event: str) -> None:
        """See Dialect.tell_security."""
        payload = {"type": event, "timestamp": stamp(self.now())}
        self._send(Action.security_event_notification, payload)

    def _ask(self, evse: Evse, token: str, then: Callable[[bool | None], None]) -> None:
        self._send(
            Action.authorize,
            {"idToken": self.id_token(token)},
            on_answer=lambda answer: then(self._noted(token, answer["idTokenInfo"])),
            on_failure=lambda _: then(None),
            evse_id=evse.evse_id,
            is_urgent=True,
        )

    def _noted(self, token: str, info: Payload) -> bool:
        """Remember what was said of a token; return whether it may charge."""
        is_accepted: bool = info["status"] == "Accepted"
        group = info.get("groupIdToken", {}).get("idToken", "")
        self.cards.note(token, is_accepted=is_accepted, group=group)
        return is_accepted

    def _tell_status(self, evse: Evse, *, is_urgent: bool = False) -> None:
        for outlet in evse.spec.outlets:
            status = str(self._outlet_status(evse, outlet.connector_id))
            if self.behaviour.tells_states_by_event:
                monitors.tell_state(self, evse.evse_id, outlet.connector_id, status)
                continue
            payload = {
                "timestamp": stamp(self.now()),
                "connectorStatus": status,
                "evseId": evse.evse_id,
                "connectorId": outlet.connector_id,
            }
            self._send(
                Action.status_notification, payload, evse_id=evse.evse_id, is_urgent=is_urgent
            )
        if evse.fault:
            self._tell_problem(evse, evse.fault, is_cleared=False)

    def _outlet_status(self, evse: Evse, connector_id: int) -> ConnectorStatusEnumType:
        """Return an outlet's status; beside the one in use the others stay available."""
        status = STATUS[evse.state]
        is_other = evse.outlet is not None and evse.outlet.connector_id != connector_id
        if is_other and status is ConnectorStatusEnumType.occupied:
            return ConnectorStatusEnumType.available
        return status

    def _tell_state_change(self, evse: Evse, before: State | None) -> None:
        now = evse.state
        if before is State.FAULTED:
            self._tell_problem(evse, "", is_cleared=True)
        if before is None or STATUS[before] is not STATUS[now]:
            self._tell_status(evse)
            monitors.notice(self, evse, str(STATUS[now]))
        session = evse.session
        if session is not None and str(self._charging_state(evse)) != session.told_as:
            self._tell_event(
                evse,
                session,
                evse.read(self.world.now()),
                event=TransactionEventEnumType.updated,
                trigger=TriggerReasonEnumType.charging_state_changed,
                context=ReadingContextEnumType.other,
            )

    def _charging_state(self, evse: Evse) -> ChargingStateEnumType:
        if evse.car is None:
            return ChargingStateEnumType.idle
        return CHARGING_STATE.get(evse.state, ChargingStateEnumType.ev_connected)

    def _tell_problem(self, evse: Evse, code: str, *, is_cleared: bool) -> None:
        """Report a fault as a NotifyEvent (N07); 2.0.1's statuses have no error codes."""
        event = {
            "eventId": evse.evse_id,
            "timestamp": stamp(self.now()),
            "trigger": "Alerting",
            "actualValue": "false" if is_cleared else "true",
            "techCode": code or "NoError",
            "techInfo": code or "Problem is gone",
            "cleared": is_cleared,
            "eventNotificationType": "HardWiredNotification",
            "component": {"name": "EVSE", "evse": {"id": evse.evse_id}},
            "variable": {"name": "Problem"},
        }
        payload = {"generatedAt": stamp(self.now()), "seqNo": 0, "tbc": False, "eventData": [event]}
        self._send(Action.notify_event, payload, evse_id=evse.evse_id)

    def _tell_started(self, evse: Evse, session: Session, reading: Reading, cause: Cause) -> None:
        extra: Payload = {}
        if session.token:
            customers.remember(self, session.token)
            extra["idToken"] = self.id_token(session.token)
        if session.reservation_number is not None:
            extra["reservationId"] = session.reservation_number
        is_somewhere = self.behaviour.knows_evse_at_start or evse.car is not None
        self._tell_event(
            evse if is_somewhere else None,
            session,
            reading if is_somewhere else None,
            event=TransactionEventEnumType.started,
            trigger=TRIGGER[cause],
            context=ReadingContextEnumType.transaction_begin,
            extra=extra,
            charging=self._charging_state(evse),
        )

    def _tell_change(self, evse: Evse, session: Session, change: Change) -> None:
        trigger, charging = CHANGE[change]
        by = {Change.AUTHORIZED: session.token, Change.STARTED_AFAR: session.token}
        token = by.get(change, session.stop_token)
        is_begin = change is Change.PLUGGED_IN and not self.behaviour.knows_evse_at_start
        self._tell_event(
            evse,
            session,
            evse.read(self.world.now()),
            event=TransactionEventEnumType.updated,
            trigger=trigger,
            context=ReadingContextEnumType.transaction_begin
            if is_begin
            else ReadingContextEnumType.other,
            extra={"idToken": self.id_token(token)} if token else {},
            charging=charging or ChargingStateEnumType(session.told_as),
        )

    def _tell_sample(
        self, evse: Evse, session: Session, reading: Reading, *, is_aligned: bool = False
    ) -> None:
        trigger, context = PERIODIC[is_aligned]
        self._tell_event(
            evse,
            session,
            reading,
            event=TransactionEventEnumType.updated,
            trigger=trigger,
            context=context,
            charging=ChargingStateEnumType(session.told_as),
        )

    def tell_idle_meter(self, evse_id: int, reading: Reading) -> None:
        """See Dialect.tell_idle_meter."""
        values = self._sampled(reading, ReadingContextEnumType.sample_clock)
        meter_value = [{"timestamp": stamp(self.now()), "sampledValue": values}]
        payload = {"evseId": evse_id, "meterValue": meter_value}
        self._send(Action.meter_values, payload, evse_id=evse_id)

    def tell_meter_now(self, evse: Evse) -> None:
        """Send what a meter shows, as asked for (F06)."""
        values = self._sampled(evse.read(self.world.now()), ReadingContextEnumType.trigger)
        meter_value = [{"timestamp": stamp(self.now()), "sampledValue": values}]
        payload = {"evseId": evse.evse_id, "meterValue": meter_value}
        self._send(Action.meter_values, payload, evse_id=evse.evse_id)

    def tell_session_now(self, evse: Evse, session: Session) -> None:
        """Send how a session is, as asked for (F06)."""
        self._tell_event(
            evse,
            session,
            evse.read(self.world.now()),
            event=TransactionEventEnumType.updated,
            trigger=TriggerReasonEnumType.trigger,
            context=ReadingContextEnumType.trigger,
        )

    def tell_state_now(self, evse: Evse) -> None:
        """Send the states of an EVSE's connectors, as asked for (F06)."""
        self._tell_status(evse)

    def _tell_ended(self, evse: Evse, session: Session, reading: Reading, cause: EndCause) -> None:
        display.transaction_ended(self, session.transaction_id)
        trigger, reason = ENDING[cause]
        token = session.stop_token or session.token
        is_by_token = cause in BY_TOKEN and bool(token)
        self._tell_event(
            evse,
            session,
            reading,
            event=TransactionEventEnumType.ended,
            trigger=trigger,
            context=ReadingContextEnumType.transaction_end,
            extra={"idToken": self.id_token(token)} if is_by_token else {},
            stopped=reason,
            charging=ENDS_AS.get(cause, ChargingStateEnumType.ev_connected),
        )

    def _tell_event(
        self,
        evse: Evse | None,
        session: Session,
        reading: Reading | None,
        *,
        event: TransactionEventEnumType,
        trigger: TriggerReasonEnumType,
        context: ReadingContextEnumType,
        extra: Payload | None = None,
        stopped: ReasonEnumType | None = None,
        charging: ChargingStateEnumType | None = None,
    ) -> None:
        at = self.now()
        if charging is None and evse is not None:
            charging = self._charging_state(evse)
        session.told_as = str(charging)
        payload: Payload = {
            "eventType": str(event),
            "timestamp": stamp(at),
            "triggerReason": str(trigger),
            "seqNo": session.seq_no,
            "offline": not self.line.is_up,
            "transactionInfo": self._transaction_info(session, stopped),
            **({"evse": place(evse, session)} if evse is not None else {}),
            **(
                {"meterValue": self._meter_values(session, reading, context, at)} if reading else {}
            ),
            **(extra or {}),
        }
        session.seq_no += 1
        token = str(payload.get("idToken", {}).get("idToken", ""))
        call = Call(
            str(Action.transaction_event),
            lambda: payload,
            is_kept=True,
            on_answer=lambda answer: self._event_answered(session, token, answer),
            evse_id=evse.evse_id if evse is not None else 0,
            session_ref=session.ref,
        )
        if event is TransactionEventEnumType.updated and reading is not None:
            call.register_wh, call.observed_at = reading.register_wh, at
        self.line.call(call)

    def _meter_values(
        self, session: Session, reading: Reading, context: ReadingContextEnumType, now_at: datetime
    ) -> list[Payload]:
        now = [{"timestamp": stamp(now_at), "sampledValue": self._sampled(reading, context)}]
        if context is not ReadingContextEnumType.transaction_end:
            return now
        before = [
            {
                "timestamp": stamp(at),
                "sampledValue": self._sampled(sample, PERIODIC[is_aligned][1]),
            }
            for at, sample, is_aligned in session.samples
        ]
        return before + now

    def _sampled(self, reading: Reading, context: str) -> list[dict[str, Any]]:
        values = sampled(reading, context)
        if self.behaviour.signs:
            values[0]["signedMeterValue"] = signed(self.charger_id, reading, context)
        return values

    def _transaction_info(self, session: Session, stopped: ReasonEnumType | None) -> Payload:
        info: Payload = {
            "transactionId": session.transaction_id,
            "timeSpentCharging": round(session.charging_s),
            "chargingState": session.told_as,
        }
        if stopped is not None:
            return info | {"stoppedReason": str(stopped)}
        if session.remote_start_id is not None:
            info["remoteStartId"] = session.remote_start_id
        return info

    def _event_answered(self, session: Session, token: str, answer: Payload) -> None:
        if "totalCost" in answer:
            self.costs[session.transaction_id] = answer["totalCost"]
        info = answer.get("idTokenInfo")
        if info is not None and not self._noted(token, info):
            self._refuse_session(session)

    def _tell_dropped(self, reservation: Reservation, why: str) -> None:
        payload = {"reservationId": reservation.number, "reservationUpdateStatus": why}
        self._send(Action.reservation_status_update, payload)

    def id_token(self, token: str) -> Payload:
        """Return a token as this version writes it."""
        return {"idToken": token, "type": self.token_types.get(token.casefold(), "ISO14443")}

    def send(self, action: str, payload: Payload) -> None:
        """Send a call whose answer is of no interest."""
        self._send(action, payload)

    def _send(
        self,
        action: str,
        payload: Payload,
        *,
        on_answer: Callable[[Payload], None] | None = None,
        on_failure: Callable[[str], None] | None = None,
        evse_id: int = 0,
        is_urgent: bool = False,
    ) -> None:
        call = Call(
            str(action),
            lambda: payload,
            on_answer=on_answer,
            on_failure=on_failure,
            evse_id=evse_id,
        )
        self.line.call(call, is_urgent=is_urgent)
