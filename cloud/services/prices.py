"""What charges would cost by the kilowatt-hour alone."""

from collections.abc import Sequence
from datetime import datetime

from cloud.domain.tariffs import cost_minor
from cloud.services.collaborators import PriceAsk
from cloud.services.ports import UnitOfWork


class PlainPricing:
    """See Pricing; by the stations' price of energy."""

    def prices(
        self, work: UnitOfWork, asks: Sequence[PriceAsk], now: datetime
    ) -> list[tuple[int, str]]:
        """See Pricing.prices."""
        del work, now
        return [
            (cost_minor(one.energy_wh, one.station.price_per_kwh_minor), one.station.currency)
            for one in asks
        ]
