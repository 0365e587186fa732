"""The stations' terms, in SQL: each as one JSON body."""

from collections.abc import Collection
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import IntegrityError

from cloud.adapters.sql.tables import station_terms
from cloud.domain.terms import Terms, from_plain, to_plain
from cloud.services.ports import TransactionLost

_DEFAULT: Final = Terms()


class SqlTerms:
    """See TermsStore."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def of(self, station_ids: Collection[str]) -> dict[str, Terms]:
        """See TermsStore.of."""
        query = select(station_terms.c.station_id, station_terms.c.body).where(
            station_terms.c.station_id.in_(sorted(set(station_ids)))
        )
        own = {station_id: from_plain(body) for station_id, body in self._connection.execute(query)}
        return {one: own.get(one, _DEFAULT) for one in station_ids}

    def put(self, station_id: str, terms: Terms, at: datetime) -> None:
        """See TermsStore.put."""
        values = {"body": to_plain(terms), "changed_at": at}
        changed = self._connection.execute(
            update(station_terms)
            .where(station_terms.c.station_id == station_id)
            .values(version=station_terms.c.version + 1, **values)
        )
        if changed.rowcount == 1:
            return
        try:
            self._connection.execute(
                insert(station_terms).values(station_id=station_id, version=1, **values)
            )
        except IntegrityError as error:
            raise TransactionLost("the station's terms were set by somebody else") from error
