"""What facts of logins, certificates and security events do."""

from collections.abc import Iterable
from typing import Final
from uuid import uuid4

from cloud.domain.alerts.security_event import CONCERNS
from cloud.domain.alerts.snapshots import SecuritySnapshot
from cloud.domain.certificates import Certificate
from cloud.services.command_views import CommandView
from cloud.services.fact_ports import Deadline, DeadlineKind
from cloud.services.facts.board import Board, Stamp
from cloud.services.ports import UnitOfWork
from cloud.services.security_ports import Login
from contracts.events import (
    CertificateRequested,
    ChargerConnected,
    OddityObserved,
    SecurityEventReported,
)

TENDED: Final = {
    "set_charger_key": DeadlineKind.KEY_ROTATION,
    "deliver_certificate": DeadlineKind.CERTIFICATE,
    "send_local_list": DeadlineKind.LOCAL_LIST,
}
"""What the clock does at once when a command of this kind was answered."""

_MAX_PURPOSE: Final = 32


def charger_came(board: Board, fact: ChargerConnected, stamp: Stamp) -> None:
    """By which key, and how well protected: no charger goes back to less (FAULTS S03)."""
    at = stamp.seen(fact.observed_at)
    board.logins.append(
        Login(
            charger_id=fact.charger_id,
            salt=fact.key_salt,
            security_profile=fact.security_profile,
            at=at,
            profile_generation=fact.profile_generation,
            certificate_serial=fact.certificate_serial[:48],
        )
    )


def certificate_requested(board: Board, fact: CertificateRequested, stamp: Stamp) -> None:
    """A charger wants its certificate signed: whoever signs finds it."""
    if board.charger(stamp, fact.charger_id) is None:
        return
    board.csrs.append(
        Certificate(
            id=uuid4().hex,
            charger_id=fact.charger_id,
            purpose=fact.purpose[:_MAX_PURPOSE],
            csr=fact.csr,
            request_id=fact.request_id,
            requested_at=stamp.received_at,
            changed_at=stamp.received_at,
        )
    )


def security_event_reported(board: Board, fact: SecurityEventReported, stamp: Stamp) -> None:
    """A security event, for the alert rules to judge."""
    if fact.charger_id is None or board.charger(stamp, fact.charger_id) is None:
        return
    board.security.append(
        SecuritySnapshot(
            station_id=stamp.station_id,
            charger_id=fact.charger_id,
            event=fact.event,
            info=fact.info,
            at=stamp.seen(fact.observed_at),
        )
    )


def oddity_observed(board: Board, fact: OddityObserved, stamp: Stamp) -> None:
    """Kept and counted; some are security events as well: a flood (FAULTS P07)."""
    board.ignored["oddity"] += 1
    if fact.oddity in CONCERNS:
        event = SecurityEventReported(
            charger_id=fact.charger_id,
            event=fact.oddity,
            info=fact.detail,
            observed_at=fact.observed_at,
        )
        security_event_reported(board, event, stamp)


def keep(work: UnitOfWork, board: Board, answered: Iterable[CommandView]) -> None:
    """Store what was told of keys and certificates, and have the clock do what follows."""
    for command in answered:
        kind = TENDED.get(command.kind)
        if kind is not None:
            board.deadlines.append(Deadline(kind, command.charger_id, board.now))
    for certificate in board.csrs:
        work.certificates.put(certificate)
    if board.logins:
        _keep_logins(work, board)


def _keep_logins(work: UnitOfWork, board: Board) -> None:
    changing = work.key_rotations.see(board.logins)
    kind = DeadlineKind.KEY_ROTATION
    board.deadlines += [Deadline(kind, one, board.now) for one in changing]
    delivering = work.certificates.undelivered({one.charger_id for one in board.logins})
    board.deadlines += [Deadline(DeadlineKind.CERTIFICATE, one, board.now) for one in delivering]
    changed = work.stations_admin.raise_profiles(board.logins) | work.certificates.see(board.logins)
    for station_id in sorted(changed):
        work.stations_admin.bump_plan(station_id)
