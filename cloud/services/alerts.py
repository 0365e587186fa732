"""What maintenance must know, and what they do about it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cloud.domain.access import Role, Viewer
from cloud.domain.alerts.handling import acknowledged, resolved
from cloud.domain.alerts.rule import Alert, Happened, Happening
from cloud.domain.errors import AlertAlreadyHandled, NotAllowed, NotFound
from cloud.services.alert_views import (
    AlertDetail,
    AlertList,
    AlertView,
    alert_view,
    log_view,
)
from cloud.services.change_views import Change, ChangeKind
from cloud.services.cursors import seal, unseal
from cloud.services.fact_ports import AlertPage, LogEntry
from cloud.services.ports import Clock, OpenWork, UnitOfWork
from cloud.services.publishing import Publisher
from cloud.services.retrying import retried

MAX_LIMIT: Final = 500
ACTIVE: Final = frozenset({"open", "acknowledged"})


@dataclass(frozen=True, slots=True)
class _Handling:
    alert_id: str
    viewer: Viewer
    step: Callable[[Alert, str, datetime], Alert]
    happening: Happening
    note: str = ""
    version: int | None = None


@dataclass(frozen=True, slots=True)
class AlertService:
    """For maintenance and administrators; for owners at their own stations."""

    open_work: OpenWork
    clock: Clock
    publisher: Publisher

    def list(
        self,
        viewer: Viewer,
        *,
        status: str | None = None,
        station_id: str | None = None,
        limit: int = 100,
        cursor: str | None = None,
    ) -> AlertList:
        """Return alerts, newest first.

        Args:
            viewer: who asks.
            status: `open`, `acknowledged`, `resolved`, `active` (the first two); null: all.
            station_id: only this station's.
            limit: at most so many, never more than 500.
            cursor: of the page before.

        Raises:
            NotAllowed: drivers have no alerts.
            NotValid: a cursor of another list.
        """
        _refuse_drivers(viewer)
        limit = max(1, min(limit, MAX_LIMIT))
        page = AlertPage(
            statuses=ACTIVE if status == "active" else frozenset({status} if status else ()),
            owner_id=None if viewer.is_staff else viewer.user_id,
            station_id=station_id,
            before=None if cursor is None else _place(cursor),
            limit=limit + 1,
        )
        with self.open_work(is_read_only=True) as work:
            found = work.alerts.page(page)
            stations = work.stations.by_ids({one.station_id for one in found})
        shown = found[:limit]
        is_more = len(found) > limit
        return AlertList(
            as_of=self.clock.now(),
            alerts=[alert_view(one, stations[one.station_id].name) for one in shown],
            next_cursor=seal(shown[-1].opened_at, shown[-1].id) if is_more else None,
        )

    def get(self, alert_id: str, viewer: Viewer) -> AlertDetail:
        """Return an alert with its log.

        Raises:
            NotFound: there is none, or it is not the viewer's to see.
            NotAllowed: drivers have no alerts.
        """
        with self.open_work(is_read_only=True) as work:
            alert, station_name = _load(work, alert_id, viewer)
            log = work.alerts.log(alert_id)
        return AlertDetail(
            alert=alert_view(alert, station_name), log=[log_view(entry) for entry in log]
        )

    def acknowledge(
        self, alert_id: str, viewer: Viewer, *, note: str = "", version: int | None = None
    ) -> AlertView:
        """Say that somebody sees to it.

        Args:
            alert_id: which.
            viewer: who says so.
            note: for the log, at most 1,000 characters.
            version: what the viewer has seen; another one by now is refused. Null: any.

        Raises:
            NotFound: there is none, or it is not the viewer's to see.
            AlertAlreadyHandled: it is acknowledged or over; the detail says by whom.
            NotAllowed: drivers have no alerts.
        """
        step, what = acknowledged, Happening.ACKNOWLEDGED
        return self._handle(_Handling(alert_id, viewer, step, what, note=note, version=version))

    def resolve(
        self, alert_id: str, viewer: Viewer, *, note: str = "", version: int | None = None
    ) -> AlertView:
        """Say that it is over; a condition that lasts opens a new one. See `acknowledge`."""
        step, what = resolved, Happening.RESOLVED
        return self._handle(_Handling(alert_id, viewer, step, what, note=note, version=version))

    def _handle(self, asked: _Handling) -> AlertView:
        view = self._stored(asked)
        self.publisher.publish([change_of(view)])
        return view

    @retried
    def _stored(self, asked: _Handling) -> AlertView:
        now, actor = self.clock.now(), asked.viewer.user_id
        with self.open_work() as work:
            alert, station_name = _load(work, asked.alert_id, asked.viewer)
            if asked.version not in {None, alert.changed_version}:
                last = work.alerts.log(alert.id)[-1:]
                raise AlertAlreadyHandled(alert.id, _who(last))
            after = asked.step(alert, actor, now)
            work.alerts.put([Happened(asked.happening, after)], now, actor, asked.note[:1000])
            work.commit()
        return alert_view(after, station_name)


def change_of(view: AlertView) -> Change:
    """Return the change that tells who watches."""
    return Change(
        change=ChangeKind.ALERT,
        station_id=view.station_id,
        subject=view.alert_id,
        version=view.version,
        user_id=None,
        view=view,
    )


def _load(work: UnitOfWork, alert_id: str, viewer: Viewer) -> tuple[Alert, str]:
    _refuse_drivers(viewer)
    alert = work.alerts.get(alert_id)
    if alert is None:
        raise NotFound(alert_id)
    station = work.stations.by_ids([alert.station_id])[alert.station_id]
    if not viewer.may_watch(station.owner_id):
        raise NotFound(alert_id)
    return alert, station.name


def _refuse_drivers(viewer: Viewer) -> None:
    if viewer.role is Role.DRIVER:
        raise NotAllowed(viewer.user_id)


def _who(last: list[LogEntry]) -> str:
    if not last:
        return AlertAlreadyHandled.sentence
    actor = last[0].actor or "nobody: it happened by itself"
    return f"It has changed meanwhile: {last[0].what} by {actor}."


def _place(cursor: str) -> tuple[datetime, str]:
    at, alert_id = unseal(cursor, (datetime, str))
    return at, alert_id
