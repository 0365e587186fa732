"""What everything else stands on: settings, time, secrets, the database."""

from datetime import timedelta
from functools import cached_property
from typing import Final

from sqlalchemy import Engine, text

from cloud.adapters.secret_key import kept_secret
from cloud.adapters.sql.engine import open_engine
from cloud.adapters.sql.migrate import is_current, migrate
from cloud.adapters.sql.unit_of_work import work_opener
from cloud.domain.carbon import Factors
from cloud.domain.policy import Policy
from cloud.services.ports import OpenWork
from cloud.settings import Settings
from contracts.clock import Clock, clock_from

_MIGRATION_S: Final = 300.0


class Ground:
    """What every program needs."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @cached_property
    def clock(self) -> Clock:
        """What time it is."""
        return clock_from(self.settings.clock)

    @cached_property
    def policy(self) -> Policy:
        """How patient we are."""
        return policy_of(self.settings)

    @cached_property
    def factors(self) -> Factors:
        """What the CO2 of charges is reckoned by."""
        settings = self.settings
        return Factors(
            car_wh_per_km=settings.co2_car_wh_per_km,
            combustion_g_per_km=settings.co2_combustion_g_per_km,
            grid_g_per_kwh=settings.co2_grid_g_per_kwh,
        )

    @cached_property
    def secret(self) -> bytes:
        """The house's secret; each purpose takes its own key of it."""
        named = self.settings.secret_key.get_secret_value()
        return kept_secret(named, self.settings.data_dir.resolve())

    @cached_property
    def database_url(self) -> str:
        """Where the database is: SQLite in the data folder unless one is named."""
        if self.settings.database_url:
            return self.settings.database_url
        folder = self.settings.data_dir.resolve()
        folder.mkdir(parents=True, exist_ok=True)
        return f"sqlite:///{folder / 'baywatt.db'}"

    @cached_property
    def engine(self) -> Engine:
        """The database."""
        return open_engine(self.database_url)

    @cached_property
    def open_work(self) -> OpenWork:
        """How to begin a transaction."""
        return work_opener(self.engine)

    def migrate(self) -> None:
        """Bring the database to the newest schema."""
        engine = open_engine(self.database_url, pool_size=1, timeout_s=_MIGRATION_S)
        try:
            migrate(engine)
        finally:
            engine.dispose()

    def is_ready(self) -> bool:
        """Whether the database answers and has our schema; fails within 5 s."""
        try:
            with self.engine.connect() as connection:
                connection.execute(text("SELECT 1"))
                return is_current(connection)
        except Exception:  # noqa: BLE001 - not ready, for whatever reason
            return False


def policy_of(settings: Settings) -> Policy:
    """Return the patience the settings ask for."""
    return Policy(
        stale_after=settings.stale_after,
        suspect_after=settings.suspect_after_contradictions,
        blocked_alert_after=timedelta(seconds=settings.blocked_bay_alert_after_s),
        charger_offline_alert_after=timedelta(seconds=settings.charger_offline_alert_after_s),
        station_offline_alert_after=timedelta(seconds=settings.station_offline_alert_after_s),
    )
