"""Which sessions pass a filter, and what they come to, in SQL."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select, true

from cloud.adapters.sql.tables import sessions, stations
from cloud.domain.carbon import Rate
from cloud.services.session_ports import SessionFilter, ZoneSpan


def passes(wanted: SessionFilter) -> Iterator[ColumnElement[bool]]:
    """Return what a session must be."""
    if wanted.user_id is not None:
        yield sessions.c.user_id == wanted.user_id
    if wanted.owner_id is not None:
        own = select(stations.c.id).where(stations.c.owner_id == wanted.owner_id)
        yield sessions.c.station_id.in_(own)
    if wanted.station_id is not None:
        yield sessions.c.station_id == wanted.station_id
    if wanted.is_live is not None:
        is_open = sessions.c.ended_at.is_(None)
        yield is_open if wanted.is_live else ~is_open
    if wanted.state is not None:
        yield sessions.c.state == wanted.state
    if wanted.spans:
        yield _in_any(wanted.spans)


def _in_any(spans: tuple[ZoneSpan, ...]) -> ColumnElement[bool]:
    """Return the spans zone by zone, and around them the one that an index can be walked by."""
    since, until = [one.since for one in spans], [one.until for one in spans]
    around = _between(
        min((one for one in since if one), default=None) if all(since) else None,
        max((one for one in until if one), default=None) if all(until) else None,
    )
    if len({(one.since, one.until) for one in spans}) == 1:
        return around
    at_each = [
        and_(
            sessions.c.station_id.in_(
                select(stations.c.id).where(stations.c.timezone == one.timezone)
            ),
            _between(one.since, one.until),
        )
        for one in spans
    ]
    return and_(around, or_(*at_each))


def _between(since: datetime | None, until: datetime | None) -> ColumnElement[bool]:
    bounds = [] if since is None else [sessions.c.started_at >= since]
    bounds += [] if until is None else [sessions.c.started_at < until]
    return and_(true(), *bounds)


def sums_of(wanted: SessionFilter, rate: Rate) -> Select[Any]:
    """Return the query for what the sessions come to, by currency. See SessionSum."""
    kept = sessions.c.energy_wh - sessions.c.export_wh
    driven = case((kept > 0, kept), else_=0)
    return (
        select(
            sessions.c.currency,
            func.count().label("count"),
            func.sum(sessions.c.energy_wh).label("energy_wh"),
            func.sum(sessions.c.export_wh).label("export_wh"),
            func.sum(driven).label("driven_wh"),
            func.sum(sessions.c.cost_minor).label("cost_minor"),
            func.sum(_saved(driven, rate)).label("saved_g"),
        )
        .where(*passes(wanted))
        .group_by(sessions.c.currency)
        .order_by(sessions.c.currency)
    )


def _saved(driven: ColumnElement[int], rate: Rate) -> ColumnElement[int]:
    """Return `carbon.saved_g` of a session: the same integers, so that rows add up to their total."""
    part, whole = 2 * driven * abs(rate.grams) + rate.per_wh, 2 * rate.per_wh
    # taken to a multiple first: MySQL divides to decimals of limited length
    grams = (part - part % whole) // whole
    return -grams if rate.grams < 0 else grams
