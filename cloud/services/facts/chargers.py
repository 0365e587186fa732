"""What facts of chargers and their connectors do."""

from dataclasses import replace

from cloud.domain.alerts.snapshots import ComponentSnapshot
from cloud.domain.bays import Connector
from cloud.services.facts.board import Board, Stamp
from cloud.services.facts.security import charger_came
from contracts.events import (
    AgentStarted,
    ChargerBooted,
    ChargerConnected,
    ChargerDisconnected,
    ComponentEventReported,
    ConnectorStateReported,
)


def agent_started(board: Board, fact: AgentStarted, stamp: Stamp) -> None:
    """A new agent holds no connections: its chargers come back one by one."""
    at = stamp.seen(fact.observed_at)
    for charger in list(board.chargers.values()):
        is_own = charger.station_id == stamp.station_id
        changed_at = charger.connection_changed_at
        if is_own and charger.is_connected and changed_at is not None and changed_at <= at:
            board.put_charger(replace(charger, is_connected=False, connection_changed_at=at))


def charger_connected(board: Board, fact: ChargerConnected, stamp: Stamp) -> None:
    """The charger can be heard, and so can what it says of its connectors."""
    charger = board.charger(stamp, fact.charger_id)
    if charger is None:
        return
    board.put_charger(
        replace(
            charger,
            is_connected=True,
            connection_changed_at=stamp.seen(fact.observed_at),
            silent_since=None,
            ocpp_version=fact.ocpp_version[:8],
        )
    )
    charger_came(board, fact, stamp)
    _heard(board, stamp, charger.id)


def charger_disconnected(board: Board, fact: ChargerDisconnected, stamp: Stamp) -> None:
    """The charger cannot be heard; what it said before is no news any more."""
    charger = board.charger(stamp, fact.charger_id)
    if charger is not None:
        at = stamp.seen(fact.observed_at)
        board.put_charger(replace(charger, is_connected=False, connection_changed_at=at))


def charger_booted(board: Board, fact: ChargerBooted, stamp: Stamp) -> None:
    """Who the charger says it is. Its clock may have started anew: what follows counts as later."""
    charger = board.charger(stamp, fact.charger_id)
    if charger is None:
        return
    board.put_charger(
        replace(
            charger,
            vendor=fact.vendor[:255],
            model=fact.model[:255],
            serial=fact.serial[:255],
            firmware_version=fact.firmware_version[:255],
            booted_at=stamp.seen(fact.observed_at),
            state_at=None,
        )
    )
    for connector in board.connectors_of(charger.id):
        board.put_connector(replace(connector, state_at=None))
    _heard(board, stamp, charger.id)


def connector_state_reported(board: Board, fact: ConnectorStateReported, stamp: Stamp) -> None:
    """A connector's word, or with EVSE 0 the whole charger's; an older one than held is history."""
    charger = board.charger(stamp, fact.charger_id)
    if charger is None:
        return
    at = stamp.seen(fact.observed_at)
    if fact.evse_id == 0:
        if charger.state_at is None or at >= charger.state_at:
            code = fact.error_code[:64]
            board.put_charger(replace(charger, state=fact.state, error_code=code, state_at=at))
        return
    key = (fact.charger_id, fact.evse_id, fact.connector_id or 1)
    held = board.connectors.get(key) or Connector(
        charger_id=key[0], evse_id=key[1], connector_id=key[2]
    )
    if held.state_at is not None and at < held.state_at:
        board.ignored["older_than_held"] += 1
        return
    is_same = held.state == fact.state and held.state_since is not None
    board.put_connector(
        replace(
            held,
            state=fact.state,
            error_code=fact.error_code[:64],
            vendor_error_code=fact.vendor_error_code[:64],
            info=fact.info[:255],
            state_at=at,
            state_since=held.state_since if is_same else at,
        )
    )


def component_event_reported(board: Board, fact: ComponentEventReported, stamp: Stamp) -> None:
    """A 2.0.1 component's word, for the alert rules to judge."""
    if board.charger(stamp, fact.charger_id) is None:
        return
    board.components.append(
        ComponentSnapshot(
            station_id=stamp.station_id,
            charger_id=fact.charger_id,
            evse_id=fact.evse_id,
            component=fact.component,
            variable=fact.variable,
            value=fact.value[:100],
            trigger=fact.trigger,
            severity=_severity(board, fact),
            is_cleared=fact.is_cleared,
            at=stamp.seen(fact.observed_at),
        )
    )


def _severity(board: Board, fact: ComponentEventReported) -> int | None:
    """2.1 says it with the event; of 2.0.1 the monitor that saw it was told it (N04)."""
    if fact.severity is not None:
        return fact.severity
    return board.severities.get((fact.charger_id, str(fact.monitor_id)))


def _heard(board: Board, stamp: Stamp, charger_id: str) -> None:
    link = board.links[stamp.station_id]
    if charger_id in link.silent_chargers:
        board.put_link(replace(link, silent_chargers=link.silent_chargers - {charger_id}))
