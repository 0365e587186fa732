"""Offers and how they were answered, in SQL."""

from collections.abc import Collection
from typing import Final

from sqlalchemy import Connection, insert, select, update

from cloud.adapters.sql.rows import Reader
from cloud.adapters.sql.tables import offers
from cloud.services.booking_ports import Offer

_OFFER: Final = Reader(offers, Offer)
_OPEN: Final = "open"


class SqlOffers:
    """See Offers."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, offer: Offer) -> None:
        """See Offers.add."""
        self._connection.execute(
            insert(offers).values(
                id=offer.id,
                user_id=offer.user_id,
                kind=offer.kind,
                reservation_id=offer.reservation_id,
                waitlist_id=offer.waitlist_id,
                options=[dict(one) for one in offer.options],
                made_at=offer.made_at,
                expires_at=offer.expires_at,
                state=offer.state,
                changed_version=offer.changed_version,
            )
        )

    def get(self, offer_id: str) -> Offer | None:
        """See Offers.get."""
        query = select(*_OFFER.columns).where(offers.c.id == offer_id)
        return _OFFER.one(self._connection.execute(query).one_or_none())

    def by_ids(self, offer_ids: Collection[str]) -> dict[str, Offer]:
        """See Offers.by_ids."""
        if not offer_ids:
            return {}
        query = select(*_OFFER.columns).where(offers.c.id.in_(sorted(set(offer_ids))))
        return {one.id: one for one in _OFFER.all(self._connection.execute(query))}

    def open_of(self, user_id: str) -> list[Offer]:
        """See Offers.open_of."""
        query = (
            select(*_OFFER.columns)
            .where(offers.c.user_id == user_id, offers.c.state == _OPEN)
            .order_by(offers.c.made_at.desc(), offers.c.id.desc())
        )
        return _OFFER.all(self._connection.execute(query))

    def open_for(self, reservation_id: str) -> Offer | None:
        """See Offers.open_for."""
        query = (
            select(*_OFFER.columns)
            .where(offers.c.reservation_id == reservation_id, offers.c.state == _OPEN)
            .order_by(offers.c.made_at.desc(), offers.c.id.desc())
            .limit(1)
        )
        return _OFFER.one(self._connection.execute(query).one_or_none())

    def answer(self, offer: Offer, state: str) -> bool:
        """See Offers.answer."""
        answered = self._connection.execute(
            update(offers)
            .where(offers.c.id == offer.id, offers.c.state == _OPEN)
            .values(state=state, changed_version=offers.c.changed_version + 1)
        )
        return answered.rowcount == 1
