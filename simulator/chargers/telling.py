"""What a charger writes into the world's journal, by its own clock and in names of its own."""

from datetime import datetime, timedelta
from random import Random
from uuid import UUID

from simulator.chargers.dialect import Dialect
from simulator.chargers.evse import Evse, Reading, Session
from simulator.chargers.line import Payload
from simulator.chargers.spec import ChargerSpec
from simulator.journal import Entry, Kind
from simulator.world import World


class Telling(Dialect):
    """A charger, as far as it has a name, a clock and a journal."""

    world: World
    spec: ChargerSpec
    clock_skew: timedelta
    _names: Random

    @property
    def charger_id(self) -> str:
        """Return its OCPP identity."""
        return self.spec.charger_id

    def now(self) -> datetime:
        """Return the time on the charger's own clock, in whole milliseconds as it writes it."""
        at = self.world.now() + self.clock_skew
        return at.replace(microsecond=at.microsecond // 1000 * 1000)

    def _tell(self, kind: Kind, *, evse_id: int = 0, body: Payload | None = None) -> None:
        self.world.tell(
            Entry(
                at=self.world.now(),
                kind=kind,
                charger_id=self.charger_id,
                evse_id=evse_id,
                body=body or {},
            )
        )

    def _tell_session(
        self,
        kind: Kind,
        evse: Evse,
        session: Session,
        reading: Reading,
        body: Payload | None = None,
    ) -> None:
        self.world.tell(
            Entry(
                at=self.world.now(),
                kind=kind,
                charger_id=self.charger_id,
                evse_id=evse.evse_id,
                session_ref=session.ref,
                transaction_id=session.transaction_id,
                token=session.token,
                register_wh=reading.register_wh,
                meter_start_wh=session.meter_start_wh,
                observed_at=self.now(),
                body=body or {},
            )
        )

    def new_uuid(self) -> str:
        """Return a UUID no run of the world had before."""
        return str(UUID(int=self._names.getrandbits(128), version=4))
