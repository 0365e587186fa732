"""StartTransaction (OCPP 1.6, sections 4.8 and 6.45): a session begins, perhaps hours ago."""

from contracts.ids import same_token
from station_agent.ocpp import meter
from station_agent.ocpp.fields import Index, Payload, cut_token
from station_agent.ocpp.instants import Told
from station_agent.ocpp.outcome import Answers, Ask, Context, Outcome, Reply, Route
from station_agent.ocpp.sessions import Changes, started, supersede
from station_agent.ocpp.v16.tokens import id_tag_info
from station_agent.ports import SessionRecord


class StartTransaction(Payload, frozen=True, rename="camel"):
    """What we use of it."""

    connector_id: Index
    id_tag: str = ""
    meter_start: int | None = None
    reservation_id: int | None = None
    timestamp: str | None = None

    @property
    def start_key(self) -> str:
        """Equal for every copy of the same start (QUIRKS 23)."""
        token = same_token(cut_token(self.id_tag))
        return f"{self.connector_id}|{token}|{self.timestamp!s:.64}|{self.meter_start}"


def ask(request: StartTransaction) -> Ask:
    """Return the token to decide on."""
    return Ask(cut_token(request.id_tag), request.connector_id, begins=True)


def handle(request: StartTransaction, context: Context) -> Outcome:
    """Begin a session, also for a token that is refused: the charger may have begun without us."""
    told = context.kept(request.timestamp)
    known = _known(request, told, context)
    if known is not None:
        return Outcome(_reply(int(known.transaction_id), context))
    number = context.charger.sessions.next_transaction_number()
    changes = Changes(_session(request, told, number, context))
    supersede(changes, context, is_offline=told.is_late)
    changes.keep()
    changes.facts.append(
        started(
            changes.session,
            is_authorized=bool(context.verdict and context.verdict.is_accepted),
            is_offline=told.is_late,
        )
    )
    if told.oddity:
        detail = f"StartTransaction {request.timestamp}"
        changes.facts.append(context.oddity(told.oddity, detail))
    return Outcome(_reply(number, context), changes.facts, changes.notes)


def last_resort(context: Context) -> Reply:
    """Give one that cannot be read a number, so that its stop can be told apart."""
    return _reply(context.charger.sessions.next_transaction_number(), context)


def _known(request: StartTransaction, told: Told, context: Context) -> SessionRecord | None:
    known = context.charger.sessions.by_start_key(context.charger.charger_id, request.start_key)
    # Without a clock a later start may look the same as one that is long over.
    if known is None or (known.ended_at is not None and told.oddity == "clock_unusable"):
        return None
    return known


def _session(request: StartTransaction, told: Told, number: int, context: Context) -> SessionRecord:
    token = cut_token(request.id_tag) or None
    return SessionRecord(
        session_id=context.charger.new_session_id(),
        charger_id=context.charger.charger_id,
        evse_id=request.connector_id,
        connector_id=min(request.connector_id, 1),
        transaction_id=str(number),
        start_key=request.start_key,
        token=token,
        meter_start_wh=meter.register(request.meter_start),
        started_at=told.at,
        reservation_id=context.promise_met(
            request.connector_id, token, request.reservation_id, told.at
        ),
    )


def _reply(number: int, context: Context) -> Reply:
    return {"transactionId": number, "idTagInfo": id_tag_info(context.verdict)}


ROUTE = Route(
    StartTransaction,
    handle,
    ask=ask,
    answers=Answers.KEPT,
    is_lenient=True,
    last_resort=last_resort,
)
