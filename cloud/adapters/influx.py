"""Telemetry to InfluxDB 2, synchronously: written is what the server has said 204 to."""

from typing import Final

from influxdb_client import InfluxDBClient
from influxdb_client.client.write_api import SYNCHRONOUS
from influxdb_client.domain.write_precision import WritePrecision
from influxdb_client.rest import ApiException
from urllib3.exceptions import HTTPError

from cloud.services.telemetry import TelemetryAway, TelemetryRefused

_TIMEOUT_MS: Final = 10_000
_REFUSED: Final = frozenset({400, 413, 422})


class InfluxTelemetry:
    """See Telemetry. The same point written twice is one point."""

    def __init__(self, url: str, token: str, org: str, bucket: str) -> None:
        self._client = InfluxDBClient(url=url, token=token, org=org, timeout=_TIMEOUT_MS)
        self._writer = self._client.write_api(write_options=SYNCHRONOUS)
        self._org = org
        self._bucket = bucket

    def write(self, lines: str) -> None:
        """See Telemetry.write."""
        try:
            self._writer.write(
                self._bucket,
                self._org,
                record=lines.encode(),
                write_precision=WritePrecision.US,  # type: ignore[arg-type]  # its words are plain text
            )
        except ApiException as error:
            kind = TelemetryRefused if error.status in _REFUSED else TelemetryAway
            raise kind(f"{error.status} {error.reason}") from error
        except (HTTPError, OSError) as error:
            raise TelemetryAway(str(error)) from error

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()  # type: ignore[no-untyped-call]
