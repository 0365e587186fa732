"""Changes as ingest tells them, every field defaulted."""

import msgspec

from cloud.api.examples import EXAMPLES
from cloud.services.alert_views import AlertView
from cloud.services.bay_views import BayView
from cloud.services.change_views import Change, ChangeKind
from cloud.services.command_views import CommandView
from cloud.services.reservation_views import ReservationView
from cloud.services.session_views import SessionView
from cloud.services.station_views import HeardView
from tests.cloud.api.fakes import NOON

_KINDS = {
    ChangeKind.BAY: BayView,
    ChangeKind.SESSION: SessionView,
    ChangeKind.ALERT: AlertView,
    ChangeKind.COMMAND: CommandView,
    ChangeKind.RESERVATION: ReservationView,
}


def a_change(
    kind: ChangeKind = ChangeKind.BAY,
    subject: str = "greenmarket-1",
    version: int = 1,
    station_id: str = "greenmarket",
    **view,
) -> Change:
    """A change of any kind."""
    return Change(
        change=kind,
        station_id=station_id,
        subject=subject,
        version=version,
        user_id=None,
        view=_view(kind, station_id, version, view),
    )


def _view(kind: ChangeKind, station_id: str, version: int, values):
    if kind is ChangeKind.HEARD:
        return HeardView(station_id=station_id, heard_at=NOON, valid_until=NOON)
    struct = _KINDS[kind]
    plain = {**EXAMPLES[struct.__name__], "station_id": station_id, "version": version, **values}
    return msgspec.convert(plain, struct)
