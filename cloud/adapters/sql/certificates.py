"""Certificates chargers asked for, in SQL."""

from collections.abc import Collection, Sequence
from dataclasses import asdict
from typing import Final

from sqlalchemy import Connection, and_, insert, select, update

from cloud.adapters.sql.rows import Reader
from cloud.adapters.sql.tables import charger_certificates as certificates
from cloud.adapters.sql.tables import chargers
from cloud.domain.certificates import Certificate, Status
from cloud.services.security_ports import Login

_READ: Final = Reader(certificates, Certificate, status=Status)


class SqlCertificates:
    """See Certificates."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def put(self, certificate: Certificate) -> None:
        """See Certificates.put."""
        values = asdict(certificate)
        if self.get(certificate.id) is None:
            self._connection.execute(insert(certificates).values(values))
        else:
            which = certificates.c.id == certificate.id
            # logins are noted by whoever hears of them, meanwhile as well
            del values["used_at"]
            self._connection.execute(update(certificates).where(which).values(values))

    def get(self, certificate_id: str) -> Certificate | None:
        """See Certificates.get."""
        query = select(*_READ.columns).where(certificates.c.id == certificate_id)
        return _READ.one(self._connection.execute(query).one_or_none())

    def unsigned(self, limit: int) -> list[Certificate]:
        """See Certificates.unsigned."""
        query = select(*_READ.columns).where(certificates.c.status == Status.REQUESTED)
        ordered = query.order_by(certificates.c.requested_at, certificates.c.id).limit(limit)
        return _READ.all(self._connection.execute(ordered))

    def undelivered(self, charger_ids: Collection[str]) -> list[str]:
        """See Certificates.undelivered."""
        query = select(certificates.c.charger_id).where(
            certificates.c.charger_id.in_(charger_ids), certificates.c.status == Status.SIGNED
        )
        return list(self._connection.execute(query.distinct()).scalars())

    def see(self, logins: Sequence[Login]) -> set[str]:
        """See Certificates.see."""
        came = {(one.charger_id, one.certificate_serial): one for one in logins}
        return {
            station_id
            for (_, serial_number), login in came.items()
            if serial_number and (station_id := self._see(login)) is not None
        }

    def _see(self, login: Login) -> str | None:
        which = and_(
            certificates.c.charger_id == login.charger_id,
            certificates.c.serial_number == login.certificate_serial,
            certificates.c.used_at.is_(None),
        )
        statement = update(certificates).where(which).values(used_at=login.at)
        if not self._connection.execute(statement).rowcount:
            return None
        query = select(chargers.c.station_id).where(chargers.c.id == login.charger_id)
        station_id: str = self._connection.execute(query).scalar_one()
        return station_id

    def of_charger(self, charger_id: str, limit: int) -> list[Certificate]:
        """See Certificates.of_charger."""
        query = select(*_READ.columns).where(certificates.c.charger_id == charger_id)
        ordered = query.order_by(certificates.c.requested_at.desc(), certificates.c.id.desc())
        return _READ.all(self._connection.execute(ordered.limit(limit)))
