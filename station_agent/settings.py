"""Every AGENT_* variable, read once."""

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """The agent's settings; a wrong one names itself and what is expected."""

    model_config = SettingsConfigDict(
        env_prefix="AGENT_", frozen=True, extra="ignore", env_ignore_empty=True
    )

    station_file: Path = Path("station.yaml")
    stations_dir: Path | None = None
    """Many stations in one process: `<station>.yaml` and `<station>.key` of each; instead of the file."""
    processes: int = Field(default=1, ge=1, le=64)
    """Of many stations: how many processes share them out, side by side on one port."""
    data_dir: Path = Path("var/agent")
    """With `stations_dir` there is a folder in it for each station."""

    broker_url: str = "mqtt://localhost:1883"
    """The cloud's broker: mqtt:// or mqtts://; user name is the station id."""
    broker_key: SecretStr = SecretStr("")
    """The station's key, shown once when the station was made in the cloud."""
    broker_ca_file: Path | None = None
    sensor_broker_url: str = ""
    """The station's local broker; empty: the file's `sensor_broker`, else the cloud's."""

    ocpp_host: str = "0.0.0.0"
    ocpp_port: int = Field(default=9000, ge=0, le=65535)
    """0 lets the system choose; the log says which."""
    ocpp_tls_port: int | None = Field(default=None, ge=0, le=65535)
    """Where chargers are served encrypted, with `ocpp_port` left plain, for as long as some of them have
    not moved over to security profile 2 or 3; empty: with certificates `ocpp_port` is encrypted."""
    tls_cert_files: list[Path] = []
    """PEM files of chain and key, e.g. one ECDSA and one RSA; empty: plain WebSocket."""
    tls_client_ca_file: Path | None = None
    """Trust anchor of the chargers' certificates (security profile 3)."""
    trusted_proxies: str = ""
    """Addresses or networks, with commas, whose X-Forwarded-For and -Proto are believed."""
    lab_allow_unauthenticated: bool = False
    """Security profile 0: only for a lab."""
    ping_interval_s: float = 20
    heartbeat_interval_s: int = 300
    """What BootNotification tells chargers."""
    charger_silent_after_s: float = 60
    call_timeout_s: float = 30

    beat_interval_s: float = 15
    authorize_wait_s: float = 2
    reserve_at_chargers: bool = True
    """Tell chargers of the plan's reservations (ReserveNow); other tokens are refused either way."""
    outbox_max_mb: int = 2048
    """Above this the oldest telemetry is dropped, transactions never."""
    uplink_window: int = 4
    """Batches in flight before an acknowledgement is waited for."""
    uplink_timeout_s: float = 5

    clock: str = "system"
    metrics_port: int = 0
    """0: none. Prometheus metrics on loopback."""
    log_format: Literal["console", "json"] = "console"
    log_level: str = "INFO"
