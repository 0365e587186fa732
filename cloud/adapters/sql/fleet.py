"""Fleet commands in SQL. The version decides who moves one: a counted update, in the wave's transaction."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    and_,
    bindparam,
    delete,
    func,
    insert,
    or_,
    select,
    tuple_,
    update,
)

from cloud.adapters.sql.tables import (
    chargers,
    commands,
    fleet_commands,
    fleet_targets,
    station_links,
    stations,
)
from cloud.domain.waves import OPEN, Candidate, Status, Tally, WavePlan
from cloud.services.fleet_ports import Count, FleetCommand, FleetTarget, Selector

_OVERDUE: Final = timedelta(seconds=60)
"""A command sent and not answered this long after the charger's time was over holds nothing up."""
_FIELDS: Final = {
    "queued": "queued",
    "sent": "under_way",
    "accepted": "accepted",
    "rejected": "failed",
    "failed": "failed",
    "timed_out": "failed",
}
"""What a command's state counts as; every other was not sent in its time."""

_ITS_COMMAND: Final = commands.c.id == fleet_targets.c.command_id
_ITS_CHARGER: Final = chargers.c.id == fleet_targets.c.charger_id


class SqlFleetCommands:
    """See FleetCommands."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def candidates(
        self, selector: Selector, owner_id: str | None, heard_since: datetime, limit: int
    ) -> list[Candidate]:
        """See FleetCommands.candidates."""
        is_heard = station_links.c.heard_at >= heard_since
        is_there = and_(chargers.c.is_connected, func.coalesce(is_heard, False))
        query = (
            select(chargers.c.id, chargers.c.station_id, is_there.label("is_there"))
            .join(stations, stations.c.id == chargers.c.station_id)
            .join(station_links, station_links.c.station_id == stations.c.id, isouter=True)
            .where(*_fitting(selector))
        )
        if owner_id is not None:
            query = query.where(stations.c.owner_id == owner_id)
        rows = self._connection.execute(query.order_by(chargers.c.id).limit(limit))
        return [Candidate(row.id, row.station_id, bool(row.is_there)) for row in rows]

    def add(self, fleet: FleetCommand, targets: Sequence[Candidate]) -> None:
        """See FleetCommands.add."""
        self._connection.execute(
            insert(fleet_commands).values(
                id=fleet.id,
                kind=fleet.kind,
                request=fleet.request,
                selector=asdict(fleet.selector),
                shares=list(fleet.plan.shares),
                settle_s=int(fleet.plan.settle.total_seconds()),
                max_failed_ratio=fleet.plan.max_failed_ratio,
                answer_within_s=fleet.answer_within_s,
                stations=fleet.stations,
                total=fleet.total,
                owner_id=fleet.owner_id,
                issued_by=fleet.issued_by,
                issued_at=fleet.issued_at,
                expires_at=fleet.expires_at,
                changed_version=fleet.version,
                **_standing(fleet),
            )
        )
        rows = [
            {
                "fleet_command_id": fleet.id,
                "position": position,
                "charger_id": one.charger_id,
                "station_id": one.station_id,
            }
            for position, one in enumerate(targets)
        ]
        self._connection.execute(insert(fleet_targets), rows)

    def get(self, fleet_command_id: str) -> FleetCommand | None:
        """See FleetCommands.get."""
        query = select(fleet_commands).where(fleet_commands.c.id == fleet_command_id)
        row = self._connection.execute(query).one_or_none()
        return None if row is None else _fleet(row)

    def page(
        self, owner_id: str | None, before: tuple[datetime, str] | None, limit: int
    ) -> list[FleetCommand]:
        """See FleetCommands.page."""
        place = (fleet_commands.c.issued_at, fleet_commands.c.id)
        query = select(fleet_commands)
        if owner_id is not None:
            query = query.where(fleet_commands.c.owner_id == owner_id)
        if before is not None:
            query = query.where(tuple_(*place) < tuple_(*before))
        newest = query.order_by(*(column.desc() for column in place)).limit(limit)
        return [_fleet(row) for row in self._connection.execute(newest)]

    def running(self, now: datetime) -> list[str]:
        """See FleetCommands.running."""
        status = fleet_commands.c.status
        is_late = and_(status.in_(sorted(OPEN)), fleet_commands.c.expires_at <= now)
        query = select(fleet_commands.c.id).where(or_(status == Status.RUNNING, is_late))
        return list(self._connection.execute(query.order_by(fleet_commands.c.issued_at)).scalars())

    def save(self, fleet: FleetCommand) -> bool:
        """See FleetCommands.save."""
        statement = update(fleet_commands).where(
            fleet_commands.c.id == fleet.id, fleet_commands.c.changed_version == fleet.version
        )
        values = _standing(fleet) | {"changed_version": fleet.version + 1}
        return self._connection.execute(statement.values(**values)).rowcount > 0

    def count(self, fleet: FleetCommand, now: datetime) -> Count:
        """See FleetCommands.count."""
        everybody: dict[str, int] = {}
        last: dict[str, int] = {}
        answered_at: datetime | None = None
        for row in self._connection.execute(_counted(fleet, now)):
            name = _FIELDS.get(row.state, "unreached")
            if row.is_overdue and name == "under_way":
                name = "unreached"
            everybody[name] = everybody.get(name, 0) + row.chargers
            if row.wave != fleet.waves:
                continue
            last[name] = last.get(name, 0) + row.chargers
            if row.is_lost and name == "accepted":
                everybody["lost"] = everybody.get("lost", 0) + row.chargers
            answered_at = max(filter(None, (answered_at, row.answered_at)), default=None)
        return Count(Tally(**everybody), Tally(**last), answered_at)

    def untried(self, fleet_command_id: str, limit: int) -> list[FleetTarget]:
        """See FleetCommands.untried."""
        query = _targets(fleet_command_id).where(fleet_targets.c.command_id.is_(None))
        return self._read(query.limit(limit))

    def forget(self, before: datetime) -> int:
        """See FleetCommands.forget."""
        ended = and_(fleet_commands.c.changed_at < before, fleet_commands.c.status.not_in(OPEN))
        oldest = select(fleet_commands.c.id).where(ended).order_by(fleet_commands.c.changed_at)
        found = self._connection.execute(oldest.limit(1)).scalar()
        if found is None:
            return 0
        gone = self._connection.execute(
            delete(commands).where(commands.c.fleet_command_id == found)
        ).rowcount
        of_it = fleet_targets.c.fleet_command_id == found
        gone += self._connection.execute(delete(fleet_targets).where(of_it)).rowcount
        self._connection.execute(delete(fleet_commands).where(fleet_commands.c.id == found))
        return gone + 1

    def ask(self, fleet_command_id: str, wave: int, asked: Sequence[tuple[int, str]]) -> None:
        """See FleetCommands.ask."""
        statement = (
            update(fleet_targets)
            .where(
                fleet_targets.c.fleet_command_id == fleet_command_id,
                fleet_targets.c.position == bindparam("at_position"),
            )
            .values(wave=wave, command_id=bindparam("its_command"))
        )
        rows = [{"at_position": position, "its_command": one} for position, one in asked]
        self._connection.execute(statement, rows)

    def targets(self, fleet_command_id: str, after: int, limit: int) -> list[FleetTarget]:
        """See FleetCommands.targets."""
        query = _targets(fleet_command_id).where(fleet_targets.c.position > after)
        return self._read(query.limit(limit))

    def cancel_queued(self, fleet_command_id: str) -> int:
        """See FleetCommands.cancel_queued."""
        statement = update(commands).where(
            commands.c.fleet_command_id == fleet_command_id, commands.c.state == "queued"
        )
        version = commands.c.changed_version + 1
        values = {"state": "cancelled", "changed_version": version}
        return self._connection.execute(statement.values(**values)).rowcount

    def _read(self, query: Select[Any]) -> list[FleetTarget]:
        return [
            FleetTarget(
                charger_id=row.charger_id,
                station_id=row.station_id,
                position=row.position,
                wave=row.wave,
                command_id=row.command_id,
                state=row.state or "untried",
            )
            for row in self._connection.execute(query)
        ]


def _fitting(selector: Selector) -> list[ColumnElement[bool]]:
    fits: list[ColumnElement[bool]] = [
        column == wanted
        for column, wanted in (
            (chargers.c.vendor, selector.vendor),
            (chargers.c.model, selector.model),
            (chargers.c.firmware_version, selector.firmware_version),
            (chargers.c.ocpp_version, selector.ocpp_version),
        )
        if wanted
    ]
    if selector.station_ids:
        fits.append(chargers.c.station_id.in_(selector.station_ids))
    if selector.charger_ids:
        fits.append(chargers.c.id.in_(selector.charger_ids))
    return fits


def _counted(fleet: FleetCommand, now: datetime) -> Select[Any]:
    patience = timedelta(seconds=fleet.answer_within_s) + _OVERDUE
    is_overdue = func.coalesce(commands.c.sent_at < now - patience, False).label("is_overdue")
    has_settled = commands.c.answered_at <= now - fleet.plan.settle
    is_lost = and_(func.coalesce(has_settled, False), ~chargers.c.is_connected).label("is_lost")
    return (
        select(
            fleet_targets.c.wave,
            commands.c.state,
            is_overdue,
            is_lost,
            func.count().label("chargers"),
            func.max(commands.c.answered_at).label("answered_at"),
        )
        .join(commands, _ITS_COMMAND)
        .join(chargers, _ITS_CHARGER)
        .where(fleet_targets.c.fleet_command_id == fleet.id)
        .group_by(fleet_targets.c.wave, commands.c.state, "is_overdue", "is_lost")
    )


def _targets(fleet_command_id: str) -> Select[Any]:
    return (
        select(fleet_targets, commands.c.state)
        .join(commands, _ITS_COMMAND, isouter=True)
        .where(fleet_targets.c.fleet_command_id == fleet_command_id)
        .order_by(fleet_targets.c.position)
    )


def _standing(fleet: FleetCommand) -> dict[str, Any]:
    return {
        "status": fleet.status,
        "reason": fleet.reason,
        "waves": fleet.waves,
        "step": fleet.step,
        "wave_at": fleet.wave_at,
        "forgiven": fleet.forgiven,
        "approved_by": fleet.approved_by,
        "approved_at": fleet.approved_at,
        "changed_at": fleet.changed_at,
    }


def _fleet(row: Row[*tuple[Any, ...]]) -> FleetCommand:
    settle = timedelta(seconds=row.settle_s)
    return FleetCommand(
        id=row.id,
        kind=row.kind,
        request=row.request,
        selector=msgspec.convert(row.selector, Selector),
        plan=WavePlan(tuple(row.shares), settle, row.max_failed_ratio),
        answer_within_s=row.answer_within_s,
        status=Status(row.status),
        reason=row.reason,
        stations=row.stations,
        total=row.total,
        waves=row.waves,
        step=row.step,
        wave_at=row.wave_at,
        forgiven=row.forgiven,
        owner_id=row.owner_id,
        issued_by=row.issued_by,
        issued_at=row.issued_at,
        expires_at=row.expires_at,
        approved_by=row.approved_by,
        approved_at=row.approved_at,
        changed_at=row.changed_at,
        version=row.changed_version,
    )
