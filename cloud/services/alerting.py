"""Alerts raised outside of ingest and the clock's board, with their mails, in the caller's transaction."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from cloud.domain.alerts import Snapshot, check
from cloud.domain.alerts.rule import settle
from cloud.domain.policy import Policy
from cloud.services.alert_mails import mails
from cloud.services.alert_views import alert_view
from cloud.services.alerts import change_of
from cloud.services.change_views import Change
from cloud.services.ports import UnitOfWork
from cloud.services.settling import station_of


def _new_id() -> str:
    return uuid4().hex


@dataclass(frozen=True, slots=True)
class Alerting:
    """Has the rules judge one snapshot, whether its station is heard or not."""

    policy: Policy
    public_url: str = ""
    always_told: tuple[str, ...] = ()
    """Addresses told of every alert, beside the owners and the maintenance staff."""
    new_id: Callable[[], str] = _new_id

    def judge(self, work: UnitOfWork, snapshot: Snapshot, now: datetime) -> list[Change]:
        """Write what the rules say of a snapshot; returns what viewers must hear."""
        station_id = station_of(snapshot)
        verdicts = check(snapshot, self.policy, now)
        known = work.alerts.known([station_id], now - self.policy.flapping_within)
        happened = settle(verdicts, known, self.policy, now, self.new_id)
        if not happened:
            return []
        work.alerts.put(happened, now, "", "")
        stations = work.stations.by_ids([station_id])
        recipients = work.messages.alert_recipients(stations)
        for addresses in recipients.values():
            addresses.update(self.always_told)
        work.messages.add(mails(happened, stations, recipients, self.public_url, now))
        return [change_of(alert_view(one.alert, stations[station_id].name)) for one in happened]
