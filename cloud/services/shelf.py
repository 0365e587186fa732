"""Tariffs that were read: a version is never changed, so it is read and understood once."""

import threading
from collections import OrderedDict
from collections.abc import Collection
from typing import Final

from cloud.domain.billing import simple_tariff
from cloud.domain.tariff_data import tariff_of
from cloud.domain.tariffs import Tariff
from cloud.services.ports import UnitOfWork

_MOST: Final = 2_000


class TariffShelf:
    """Bounded: what was not asked for longest goes first. Safe for several threads."""

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._kept: OrderedDict[str, Tariff] = OrderedDict()
        self._lock = threading.Lock()

    def by_ids(self, work: UnitOfWork, tariff_ids: Collection[str]) -> dict[str, Tariff]:
        """Return those there are; a price by the kilowatt-hour alone is in its id."""
        with self._lock:
            found = {one: self._kept[one] for one in tariff_ids if one in self._kept}
            for tariff_id in found:
                self._kept.move_to_end(tariff_id)
        simple = {one: simple_tariff(one) for one in tariff_ids if one not in found}
        found |= {one: tariff for one, tariff in simple.items() if tariff is not None}
        missing = sorted({one for one in tariff_ids if one and one not in found})
        if missing:
            read = {
                version.id: tariff_of(version.body, version.currency)
                for version in work.tariffs.by_ids(missing).values()
            }
            self._keep(read)
            found |= read
        return found

    def _keep(self, read: dict[str, Tariff]) -> None:
        with self._lock:
            self._kept.update(read)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
