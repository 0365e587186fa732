"""What the database holds of a station, as the simulator's checker takes it."""

from typing import Final

from sqlalchemy import Engine, create_engine, select

from cloud.adapters.sql.tables import event_log, session_samples, sessions
from simulator.check import Difference, SampleRow, SessionRow, StatusRow, compare
from simulator.journal import Entry

_STATE: Final = "connector_state_reported"


class Ledger:
    """Reads one station's sessions and log."""

    def __init__(self, database_url: str, station_id: str) -> None:
        self._engine: Engine = create_engine(database_url, pool_pre_ping=True)
        self._station_id = station_id

    def close(self) -> None:
        """Let the connections go."""
        self._engine.dispose()

    def differences(self, entries: list[Entry]) -> list[Difference]:
        """Return what is not as the journal says: lost, doubled, or of another energy."""
        return compare(entries, self.sessions(), self.samples(), statuses=self.statuses())

    def sessions(self) -> list[SessionRow]:
        """Return all sessions."""
        wanted = (
            sessions.c.id,
            sessions.c.charger_id,
            sessions.c.transaction_id,
            sessions.c.started_at,
            sessions.c.ended_at,
            sessions.c.energy_wh,
            sessions.c.meter_start_wh,
        )
        query = select(*wanted).where(sessions.c.station_id == self._station_id)
        with self._engine.connect() as connection:
            return [SessionRow(*row) for row in connection.execute(query)]

    def samples(self) -> list[SampleRow]:
        """Return the points of all curves."""
        query = (
            select(
                session_samples.c.session_id,
                session_samples.c.observed_at,
                # kept is the register, as the meter showed it
                session_samples.c.energy_wh - sessions.c.meter_start_wh,
            )
            .join(sessions, sessions.c.id == session_samples.c.session_id)
            .where(sessions.c.station_id == self._station_id)
        )
        with self._engine.connect() as connection:
            return [SampleRow(*row) for row in connection.execute(query)]

    def statuses(self) -> list[StatusRow]:
        """Return what connectors said, as it was kept."""
        query = select(event_log.c.charger_id, event_log.c.body, event_log.c.observed_at).where(
            event_log.c.station_id == self._station_id, event_log.c.kind == _STATE
        )
        with self._engine.connect() as connection:
            return [
                StatusRow(charger, body.get("evse_id", 0), at)
                for charger, body, at in connection.execute(query)
            ]
