"""Telemetry is written when the server has said so, and not before."""

import gzip
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from cloud.adapters.influx import InfluxTelemetry
from cloud.services.telemetry import TelemetryAway, TelemetryRefused
from tests.support.ports import free_port


class Server(ThreadingHTTPServer):
    """Takes `/api/v2/write`; answers as told."""

    def __init__(self):
        self.status, self.taken = 204, []
        super().__init__(("127.0.0.1", 0), Handler)


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        self.server.taken.append((self.path, self.headers["Authorization"], body))
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args):
        """Say nothing."""


@pytest.fixture
def server():
    made = Server()
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield made
    made.shutdown()
    thread.join()
    made.server_close()


@pytest.fixture
def telemetry(server):
    made = InfluxTelemetry(f"http://127.0.0.1:{server.server_port}", "tok", "bays", "meters")
    yield made
    made.close()


def test_lines_are_written_as_they_are(server, telemetry):
    telemetry.write("meter,station=a energy_wh=1i 1772366400000000")
    ((path, authorization, body),) = server.taken

    assert path.startswith("/api/v2/write?")
    assert "precision=us" in path
    assert "bucket=meters" in path
    assert authorization == "Token tok"
    assert body == b"meter,station=a energy_wh=1i 1772366400000000"


@pytest.mark.parametrize("status", [401, 404, 429, 500, 503])
def test_a_server_that_cannot_is_asked_again_later(server, telemetry, status):
    server.status = status
    with pytest.raises(TelemetryAway):
        telemetry.write("m v=1 1")


@pytest.mark.parametrize("status", [400, 413, 422])
def test_a_server_that_will_never_is_not_asked_again(server, telemetry, status):
    server.status = status
    with pytest.raises(TelemetryRefused):
        telemetry.write("m v=1 1")


def test_a_server_that_is_away_is_asked_again_later():
    telemetry = InfluxTelemetry(f"http://127.0.0.1:{free_port()}", "t", "o", "b")
    with pytest.raises(TelemetryAway):
        telemetry.write("m v=1 1")
    telemetry.close()
