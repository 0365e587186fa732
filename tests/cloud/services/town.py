"""A town of charging stations on a real database: bays that are free unless a test says otherwise."""

from datetime import timedelta
from itertools import count

from cloud.adapters.sql import tables
from cloud.domain.reservations import Status
from cloud.services.booking_ports import Told
from tests.cloud.builders import NOON, a_reservation
from tests.cloud.services.rig import DRIVER, Rig

CENTRE = (51.5, -0.12)
# far from the station of the rig
CCS, TYPE_2 = "IEC_62196_T2_COMBO", "IEC_62196_T2"
METRES_PER_DEGREE = 111_195


class Town:
    """Stations by their distance north of the centre."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self._numbers = count(1)

    def station(self, station_id: str, *, away_m: float = 0, bays=1, price=50, **more) -> str:
        """Build a station whose bays are named after it: `near-1`, `near-2` ..."""
        self.rig.insert(
            tables.stations,
            {
                "id": station_id,
                "name": station_id.title(),
                "city": "Dundee",
                "latitude": CENTRE[0] + away_m / METRES_PER_DEGREE,
                "longitude": CENTRE[1],
                "owner_id": "u-owner",
                "price_per_kwh_minor": price,
                "created_at": NOON,
                **more,
            },
        )
        self.rig.insert(
            tables.station_links,
            {"station_id": station_id, "heard_at": self.rig.clock.now(), "is_silent": False},
        )
        self.rig.insert(tables.chargers, {"id": f"C-{station_id}", "station_id": station_id})
        for _ in range(bays):
            self.bay(station_id)
        return station_id

    def bay(self, station_id: str, *, power_w=50_000, standard=CCS, **more) -> str:
        """Add a bay to a station."""
        number = 1 + sum(one.station_id == station_id for one in self.rig.rows(tables.bays))
        known = {
            "id": f"{station_id}-{number}",
            "station_id": station_id,
            "name": str(number),
            "charger_id": f"C-{station_id}",
            "evse_id": number,
            "max_power_w": power_w,
            "status": "AVAILABLE",
            "situation": "free",
        }
        self.rig.insert(tables.bays, known | more)
        self.rig.insert(
            tables.connectors,
            {
                "charger_id": f"C-{station_id}",
                "evse_id": number,
                "connector_id": 1,
                "standard": standard,
                "power_type": "DC" if standard == CCS else "AC_3_PHASE",
                "max_power_w": power_w,
            },
        )
        return f"{station_id}-{number}"

    def plug(self, station_id: str, number: int, *, standard, power_w) -> None:
        """Add a second plug to a bay."""
        self.rig.insert(
            tables.connectors,
            {
                "charger_id": f"C-{station_id}",
                "evse_id": number,
                "connector_id": 2,
                "standard": standard,
                "power_type": "AC_3_PHASE",
                "max_power_w": power_w,
            },
        )

    def pass_by(self, duration: timedelta) -> None:
        """Let time pass, with news of all stations."""
        self.rig.clock.pass_by(duration)
        with self.rig.engine.begin() as connection:
            heard_at = self.rig.clock.now()
            connection.execute(tables.station_links.update().values(heard_at=heard_at))

    def is_now(self, bay_id: str, status: str, **more) -> None:
        """Have a bay another status."""
        with self.rig.engine.begin() as connection:
            connection.execute(
                tables.bays.update().where(tables.bays.c.id == bay_id).values(status=status, **more)
            )

    def terms(self, station_id: str, terms) -> None:
        """Set a station's terms."""
        with self.rig.open_work() as work:
            work.terms.put(station_id, terms, NOON)
            work.commit()

    def book(self, bay_id: str, start_h: float, end_h: float, **more):
        """Store a paid reservation, by hours after noon."""
        number = next(self._numbers)
        starts_at = NOON + timedelta(hours=start_h)
        known = {
            "id": f"r-{number}",
            "number": number,
            "user_id": DRIVER,
            "station_id": bay_id.rpartition("-")[0],
            "bay_id": bay_id,
            "starts_at": starts_at,
            "ends_at": NOON + timedelta(hours=end_h),
            "status": Status.BOOKED,
        }
        reservation = a_reservation(**(known | more))
        with self.rig.open_work() as work:
            work.reservations.claim(reservation, Told("held"))
            work.commit()
        return reservation
