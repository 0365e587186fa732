"""Every CLOUD_* variable, read once."""

from datetime import timedelta
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

_FAULT = r"(late|after_charging|away|twice|out_of_order|early|declined)=(0|1|0?\.[0-9]+)"
"""See adapters.payments.sandbox.Faults."""


class Settings(BaseSettings):
    """The cloud's settings; a wrong one names itself and what is expected."""

    model_config = SettingsConfigDict(
        env_prefix="CLOUD_", frozen=True, extra="ignore", env_ignore_empty=True
    )

    data_dir: Path = Path("var/cloud")
    database_url: str = ""
    """mysql+pymysql://user:password@host:port/name, or empty: SQLite in `data_dir`."""
    broker_url: str = ""
    """mqtt://user:password@host:port or mqtts://; empty: `serve` runs an embedded broker."""
    broker_ca_file: Path | None = None
    embedded_broker_port: int = Field(default=1883, ge=0, le=65535)
    embedded_broker: Literal["auto", "mosquitto", "aedes"] = "auto"
    embedded_sensors_key: SecretStr = SecretStr("")
    """Password of the user `sensors` at the embedded broker, for bay sensors that share it
    (see adapters.broker_users.sensors_user); empty: there is no such user."""

    http_host: str = "127.0.0.1"
    http_port: int = Field(default=8000, ge=0, le=65535)
    public_url: str = "http://127.0.0.1:8000"
    upload_url: str = ""
    """Where chargers reach us to upload their logs, if not at `public_url`."""
    trusted_proxies: str = ""
    """Addresses or networks, with commas, whose X-Forwarded-For and -Proto are believed; empty:
    nobody's. Behind a proxy that is not named, all clients share one allowance of logins."""
    secret_key: SecretStr = SecretStr("")
    """Signs what leaves the house and comes back; empty: made once and kept in `data_dir`."""

    most_live_per_driver: int = Field(default=10, ge=1)
    """So many reservations one driver may have at a time, all stations together; more only where a
    station's own terms allow more. Those of series are counted apart."""
    most_live_in_series: int = Field(default=60, ge=1)
    """The same of reservations that are of a series."""

    cost_every_s: float = Field(default=60, gt=0)
    """How often a charger with a display is told what its session has cost so far."""
    stale_after_s: float = Field(default=80, gt=0, le=90)
    """News older than this is no news: the bay is UNKNOWN (P4 allows 90 s, this leaves time to tell)."""
    sweep_interval_s: float = 1
    """How often the clock looks for what nobody told it of; what is due at a time, it does then."""
    blocked_bay_alert_after_s: float = 180
    charger_offline_alert_after_s: float = 120
    station_offline_alert_after_s: float = 90
    suspect_after_contradictions: int = 3

    smtp_url: str = ""
    """smtp://user:password@host:port or smtps://; empty: mail stays in the mailbox page."""
    mail_from: str = "Baywatt <no-reply@baywatt.invalid>"
    alert_mail_to: list[str] = []
    """Also told of every alert, beside the station's owner and maintenance staff."""
    show_mailbox: bool = False
    """Show all outgoing messages on /mailbox: for demonstrations only."""
    sms_url: SecretStr = SecretStr("")
    """An Apprise address with {to} in it; empty: short messages stay in the mailbox page."""
    vapid_private_key: SecretStr = SecretStr("")
    """Signs web push: base64url, 32 bytes or DER; empty: made of the secret key."""
    lab_allow_local_webhooks: bool = False
    """Send webhooks and web push by plain http and to loopback too: only in a lab."""

    payment_gateway: Literal["sandbox", "stripe"] = "sandbox"
    """Who moves money; the sandbox is a bank in `data_dir` that moves none."""
    card_hold_days: int = Field(default=5, ge=1, le=30)
    """So long banks are trusted to keep an amount; slots further ahead are authorised again."""
    sandbox_faults: str = Field(default="", pattern=rf"^({_FAULT}(,{_FAULT})*)?$")
    """What goes wrong at the sandbox, and how often: `late=0.1,after_charging=0.1,twice=0.5`."""
    sandbox_webhooks: bool = True
    """Have the sandbox tell of what it did, at our own address, as Stripe would."""
    sandbox_webhook_url: str = ""
    """Where it reaches us, if not at `public_url`."""
    stripe_publishable_key: str = ""
    """For clients: what Stripe's own scripts ask for, to save a card."""
    stripe_secret_key: SecretStr = SecretStr("")
    stripe_webhook_secret: SecretStr = SecretStr("")
    stripe_api_url: str = ""
    """Empty: Stripe's own address."""

    influx_url: str = ""
    """InfluxDB 2 or what accepts its line protocol; empty: telemetry stays in SQL alone."""
    influx_token: SecretStr = SecretStr("")
    influx_org: str = "baywatt"
    influx_bucket: str = "baywatt"

    co2_car_wh_per_km: int = Field(default=200, ge=1, le=10_000)
    """What an electric car takes, for the CO2 a charge saved (see domain.carbon for all sources): by
    WLTP some 165 Wh/km (EEA), and about a fifth more on the road."""
    co2_combustion_g_per_km: int = Field(default=167, ge=0, le=10_000)
    """What a combustion car emits: the average car on the road (UK government, factors of 2024)."""
    co2_grid_g_per_kwh: int = Field(default=210, ge=0, le=10_000)
    """What making electricity emits: the EU's average of 2023 (EEA). Issued receipts keep theirs."""

    map_tiles_url: str = ""
    """A tile server's {z}/{x}/{y} address; empty: coastlines only, no internet needed."""
    clock: str = "system"
    log_format: Literal["console", "json"] = "console"
    log_level: str = "INFO"

    @model_validator(mode="after")
    def _has_keys_of_its_gateway(self) -> Self:
        keys = (self.stripe_secret_key, self.stripe_webhook_secret)
        if self.payment_gateway == "stripe" and not all(one.get_secret_value() for one in keys):
            raise ValueError("stripe needs CLOUD_STRIPE_SECRET_KEY and CLOUD_STRIPE_WEBHOOK_SECRET")
        return self

    @property
    def stale_after(self) -> timedelta:
        """Return `stale_after_s` as a duration."""
        return timedelta(seconds=self.stale_after_s)
