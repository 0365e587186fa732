"""Chargers' certificates: signed as chargers ask, delivered until they take them, renewed in time (A02, A03)."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

import structlog

from cloud.domain.access import Role, Viewer
from cloud.domain.certificates import (
    CHARGING_STATION,
    MOST_DELIVERED,
    Certificate,
    Happening,
    Status,
    advance,
    renewal_at,
)
from cloud.domain.errors import NotAllowed
from cloud.services.admin_ports import ChargerPlace
from cloud.services.chargers import seen
from cloud.services.commands import SENT, WAITING, new_command
from cloud.services.fact_ports import Deadline, DeadlineKind
from cloud.services.ports import Clock, OpenWork, UnitOfWork
from cloud.services.retrying import retried
from cloud.services.security_ports import AuthorityAway, CertificateAuthority, CsrRefused
from contracts.commands import DeliverCertificate, Request, TriggerMessage
from contracts.events import CommandOutcome

log = structlog.get_logger(__name__)

TRIGGERS: Final = {
    CHARGING_STATION: "SignChargingStationCertificate",
    "V2GCertificate": "SignV2GCertificate",
    "": "SignCombinedCertificate",
}
"""What to have a charger send for a certificate of this purpose."""

_LASTS: Final = timedelta(seconds=60)
_LATE: Final = timedelta(seconds=5)
_AGAIN_AFTER: Final = timedelta(minutes=1)
_RENEW_AGAIN_AFTER: Final = timedelta(days=1)
_BATCH: Final = 20
_SHOWN: Final = 50
_NOBODY: Final = "system"
_MAX_WHY: Final = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateView:
    """A certificate a charger asked for, as those see it who look after the charger."""

    certificate_id: str
    purpose: str
    status: str
    """requested signed installed refused rejected replaced"""
    chain: str | None
    serial_number: str
    valid_until: datetime | None
    used_at: datetime | None
    """When the charger first logged in by it; those before the newest that was used count no more."""
    why: str
    requested_at: datetime
    changed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateList:
    """A charger's certificates, newest first, and the roots they are signed under."""

    certificates: list[CertificateView]
    roots: dict[str, str]
    """PEM, by OCPP's name for a root of that use: to be installed at chargers, and trusted by agents."""


@dataclass(frozen=True, slots=True)
class CertificateService:
    """`sign_waiting` asks the authority, between transactions; the rest is the clock's and the API's."""

    open_work: OpenWork
    clock: Clock
    authority: CertificateAuthority

    def of_charger(self, viewer: Viewer, charger_id: str) -> CertificateList:
        """Return the certificates a charger asked for.

        Raises:
            NotFound: there is no such charger, or it is not the viewer's to see.
            NotAllowed: drivers look after none.
        """
        if viewer.role is Role.DRIVER:
            raise NotAllowed(viewer.user_id)
        with self.open_work(is_read_only=True) as work:
            seen(work, charger_id, viewer)
            found = work.certificates.of_charger(charger_id, _SHOWN)
        return CertificateList(
            certificates=[_view(one) for one in found], roots=self.authority.roots()
        )

    def sign_waiting(self) -> int:
        """Have signed what chargers asked for; returns how many requests were settled."""
        with self.open_work(is_read_only=True) as work:
            waiting = work.certificates.unsigned(_BATCH)
            names = {one.charger_id: _names(work, one.charger_id) for one in waiting}
        done = 0
        for certificate in waiting:
            try:
                settled = self._signed(certificate, names[certificate.charger_id])
            except AuthorityAway as error:
                log.warning("certificates.authority_away", error=str(error))
                break
            self._store(settled)
            done += 1
        return done

    def tend(self, work: UnitOfWork, charger_id: str, now: datetime) -> None:
        """See Certifying.tend."""
        place = work.stations_admin.charger_place(charger_id)
        if place is None:
            return
        due: list[datetime] = []
        for certificate in work.certificates.of_charger(charger_id, _SHOWN):
            if certificate.status is Status.SIGNED:
                due.append(_deliver(work, certificate, place, now))
            elif certificate.status is Status.INSTALLED:
                due += _renew(work, certificate, place, now)
        if due:
            work.deadlines.set([Deadline(DeadlineKind.CERTIFICATE, charger_id, min(due))])

    def _signed(self, certificate: Certificate, names: list[str]) -> Certificate:
        now = self.clock.now()
        try:
            signed = self.authority.sign(certificate.csr, names, certificate.purpose)
        except CsrRefused as refused:
            after = advance(certificate, Happening.REFUSED, now)
            return replace(after, why=str(refused)[:_MAX_WHY])
        return replace(
            advance(certificate, Happening.SIGNED, now),
            chain=signed.chain,
            serial_number=signed.serial_number,
            valid_until=signed.valid_until,
        )

    @retried
    def _store(self, settled: Certificate) -> None:
        now = self.clock.now()
        with self.open_work() as work:
            held = work.certificates.get(settled.id)
            if held is None or held.status is not Status.REQUESTED:
                return  # somebody else was faster, or the charger has asked anew
            work.certificates.put(settled)
            _replace_older(work, settled, {Status.REQUESTED, Status.SIGNED}, now)
            if settled.status is Status.SIGNED:
                _have_counted(work, settled.charger_id)
                self.tend(work, settled.charger_id, now)
            work.commit()


def _have_counted(work: UnitOfWork, charger_id: str) -> None:
    """Have the station take it before the charger has it."""
    place = work.stations_admin.charger_place(charger_id)
    if place is not None:
        work.stations_admin.bump_plan(place.station_id)


def _deliver(
    work: UnitOfWork, certificate: Certificate, place: ChargerPlace, now: datetime
) -> datetime:
    """Bring it, or see what became of that; returns when to look again."""
    command = work.commands.get(certificate.command_id) if certificate.command_id else None
    if command is not None:
        if command.state in WAITING and now < command.expires_at + _LATE:
            return command.expires_at + _LATE
        if command.state == CommandOutcome.ACCEPTED:
            return _installed(work, certificate, now)
        if command.state == CommandOutcome.REJECTED or certificate.delivered >= MOST_DELIVERED:
            after = advance(certificate, Happening.NOT_TAKEN, now)
            why = "the charger did not take it" if command.answer else "it could not be delivered"
            work.certificates.put(replace(after, why=why))
            return now + _RENEW_AGAIN_AFTER
    if not place.is_connected:
        return now + _RENEW_AGAIN_AFTER
    if command is not None and now < command.issued_at + _AGAIN_AFTER:
        return command.issued_at + _AGAIN_AFTER
    request = DeliverCertificate(
        charger_id=certificate.charger_id,
        chain=certificate.chain or "",
        purpose=certificate.purpose,
        request_id=certificate.request_id,
        serial_number=certificate.serial_number,
    )
    command_id = _issue(work, place, request, now)
    work.certificates.put(
        replace(certificate, command_id=command_id, delivered=certificate.delivered + 1)
    )
    return now + _LASTS + _LATE


def _installed(work: UnitOfWork, certificate: Certificate, now: datetime) -> datetime:
    after = advance(certificate, Happening.TAKEN, now)
    work.certificates.put(after)
    _replace_older(work, after, {Status.INSTALLED}, now)
    return renewal_at(after) or now + _RENEW_AGAIN_AFTER


def _renew(
    work: UnitOfWork, certificate: Certificate, place: ChargerPlace, now: datetime
) -> list[datetime]:
    """Have the charger ask for a new one in time; it is triggered again every day until it did."""
    renew_at = renewal_at(certificate)
    if renew_at is None:
        return []
    if now < renew_at:
        return [renew_at]
    if place.is_connected:
        message = TRIGGERS.get(certificate.purpose, TRIGGERS[CHARGING_STATION])
        request = TriggerMessage(charger_id=certificate.charger_id, message=message)
        _issue(work, place, request, now)
    return [now + _RENEW_AGAIN_AFTER]


def _issue(work: UnitOfWork, place: ChargerPlace, request: Request, now: datetime) -> str:
    command = new_command(place.station_id, _NOBODY, request, now, now + _LASTS)
    work.commands.add(replace(command, state=SENT, sent_at=now))
    return command.command_id


def _replace_older(
    work: UnitOfWork, newest: Certificate, among: set[Status], now: datetime
) -> None:
    is_its: Callable[[Certificate], bool] = lambda one: (  # noqa: E731 - read with the loop below
        one.id != newest.id and one.purpose == newest.purpose and one.status in among
    )
    for older in filter(is_its, work.certificates.of_charger(newest.charger_id, _SHOWN)):
        if older.requested_at <= newest.requested_at:
            work.certificates.put(advance(older, Happening.REPLACED, now))


def _names(work: UnitOfWork, charger_id: str) -> list[str]:
    found = work.chargers.get(charger_id)
    serial = "" if found is None else found[0].serial
    return [charger_id, *([serial] if serial else [])]


def _view(certificate: Certificate) -> CertificateView:
    return CertificateView(
        certificate_id=certificate.id,
        purpose=certificate.purpose,
        status=certificate.status,
        chain=certificate.chain,
        serial_number=certificate.serial_number,
        valid_until=certificate.valid_until,
        used_at=certificate.used_at,
        why=certificate.why,
        requested_at=certificate.requested_at,
        changed_at=certificate.changed_at,
    )
