"""What every answer carries, and how much a client may send."""

import json

import pytest
from fastapi import APIRouter
from structlog.testing import capture_logs

from cloud.api.app import create_app
from cloud.api.guard import MAX_BODY_BYTES, MAX_HEADERS, MAX_QUERY_BYTES
from cloud.services.ports import DatabaseAway, TransactionLost
from cloud.services.stations_admin import StationAdminService
from tests.cloud.api.house import PASSWORD, V1, Client, House, a_house, add_charger
from tests.cloud.api.listening import listening
from tests.cloud.api.test_who_may_do_what import TABLE

ALWAYS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
}
PLAIN = [row for row in TABLE if "/events" not in row[1]]


def assert_guarded(headers) -> None:
    for name, value in ALWAYS.items():
        assert headers[name] == value
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe-inline" not in policy
    assert headers["cache-control"] in {"no-store", "no-cache"}
    assert "server" not in headers


@pytest.fixture(scope="module")
def shared(migrated_file, tmp_path_factory):
    database = tmp_path_factory.mktemp("headers") / "cloud.db"
    database.write_bytes(migrated_file.read_bytes())
    with a_house(database, public_url="https://baywatt.example") as house:
        add_charger(house)
        yield house


@pytest.mark.parametrize(("method", "path", "body"), [row[:3] for row in PLAIN])
def test_every_route_carries_the_security_headers_whoever_asks(shared: House, method, path, body):
    for name in (None, "admin"):
        answer = shared.client(name).request(method, path, **({"json": body} if body else {}))

        assert_guarded(answer.headers)
        assert answer.headers["strict-transport-security"].startswith("max-age=")


@pytest.mark.parametrize("path", [row[1] for row in TABLE if "/events" in row[1]])
async def test_every_stream_carries_the_security_headers(house: House, path):
    house.hub.start()
    add_charger(house)
    headers = {"Authorization": f"Bearer {house.token('admin')}"}
    async with listening(
        house.app, *path.split("?")[:1], headers, path.partition("?")[2]
    ) as viewer:
        await viewer.begun()

    assert_guarded(viewer.headers)


def test_without_https_browsers_are_not_told_to_insist_on_it(house: House):
    assert "strict-transport-security" not in house.client().get("/livez").headers


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere", 404, "not_found"),
        ("GET", f"{V1}/nowhere", 404, "not_found"),
        ("GET", f"{V1}/stations/", 404, "not_found"),
        ("DELETE", f"{V1}/stations", 405, "method_not_allowed"),
        ("GET", f"{V1}/auth/login", 405, "method_not_allowed"),
        ("GET", f"{V1}/stations/UPPER", 404, "not_found"),
        ("GET", f"{V1}/stations/%00", 404, "not_found"),
        ("GET", f"{V1}/stations/..%2f..%2fetc", 404, "not_found"),
        ("GET", f"{V1}/stations?limit=0", 422, "wrong_fields"),
        ("GET", f"{V1}/stations?lat=nan&lon=0", 422, "wrong_fields"),
        ("GET", f"{V1}/stations?lat=1", 422, "not_valid"),
        ("GET", f"{V1}/stations?cursor=nonsense", 422, "not_valid"),
        ("GET", f"{V1}/me", 401, "not_logged_in"),
    ],
)
def test_every_error_is_a_problem_with_a_code(house: House, method, path, status, code):
    answer = house.client().request(method, path)
    body = answer.json()

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert body["status"] == status
    assert body["code"] == code
    assert body["type"] == f"urn:baywatt:problem:{code}"
    assert body["title"]
    assert body["detail"]
    assert_guarded(answer.headers)


@pytest.mark.parametrize("error", [DatabaseAway("gone"), TransactionLost("again")])
@pytest.mark.parametrize("path", [f"{V1}/stations", f"{V1}/me"])
def test_without_the_database_clients_are_told_when_to_come_again(
    house: House, monkeypatch, path, error
):
    client = house.client("admin")

    def away(*_args, **_kwargs):
        raise error

    for service in (house.services.availability, house.services.credentials):
        for name in ("stations_near", "resolve"):
            if hasattr(service, name):
                monkeypatch.setattr(type(service), name, away)
    answer = client.get(path)

    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) >= 1
    assert answer.json()["code"] == "unavailable"
    assert client.get("/livez").status_code == 200


def test_not_ready_is_said_with_a_problem(database_file):
    with a_house(database_file) as house:
        services = house.services
        object.__setattr__(services, "is_ready", lambda: False)

        answer = house.client().get("/readyz")

    assert answer.status_code == 503
    assert answer.json()["code"] == "unavailable"


def test_a_fault_says_nothing_of_itself(house: House, monkeypatch):
    def broken(*_args, **_kwargs):
        raise RuntimeError("secret inner working")

    monkeypatch.setattr(StationAdminService, "get_station", broken)
    with capture_logs() as logs:
        answer = house.client("admin").get(f"{V1}/stations/greenmarket/administration")

    assert [line["event"] for line in logs] == ["http.failed"]
    assert answer.status_code == 500
    assert answer.json()["code"] == "fault"
    assert "secret" not in answer.text
    assert_guarded(answer.headers)


def test_a_refused_field_is_named_and_never_repeated(house: House):
    body = {"email": "driver@example.org", "password": PASSWORD, "is_admin": True, "label": 7}
    answer = house.client().post(f"{V1}/auth/tokens", json=body)

    assert answer.status_code == 422
    assert {error["field"] for error in answer.json()["errors"]} == {"body.is_admin", "body.label"}
    assert PASSWORD not in answer.text


def test_a_body_over_64_kib_is_refused_unread(house: House):
    answer = house.client().post(f"{V1}/auth/login", content=b"x" * (MAX_BODY_BYTES + 1))

    assert answer.status_code == 413
    assert answer.json()["code"] == "body_too_large"


def test_a_body_of_unsaid_length_is_refused_when_it_has_come_too_far(house: House):
    async def chunks():
        for _ in range(100):
            yield b"x" * 1024

    headers = {"Content-Type": "application/json"}
    answer = house.client().post(f"{V1}/auth/tokens", content=chunks(), headers=headers)

    assert answer.status_code == 413
    assert answer.json()["code"] == "body_too_large"


@pytest.mark.parametrize(
    "headers",
    [
        {f"x-{number}": "1" for number in range(MAX_HEADERS + 1)},
        {"x-long": "y" * (17 * 1024)},
    ],
    ids=["many", "long"],
)
def test_headers_are_bounded(house: House, headers):
    assert house.client().get("/livez", headers=headers).status_code == 431


@pytest.mark.parametrize(
    "query", ["&".join("q=1" for _ in range(200)), "q=" + "x" * MAX_QUERY_BYTES]
)
def test_queries_are_bounded(house: House, query):
    assert house.client().get(f"{V1}/stations?{query}").status_code == 414


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b'"text"',
        b"\xff\xfe",
        b"\xef\xbb\xbf{}",
        b"[" * 60_000,
        b'{"email":' * 6_000,
        b'{"email":"\\ud800","password":"x"}',
        b'{"email":"a@b","password":"\\udfff"}',
        b'{"email":"a\\u0000@b","password":"x"}',
        b'{"email":1e999,"password":NaN}',
        b'{"email":"a@b","email":"c@d","password":' + b"9" * 5_000 + b"}",
    ],
)
def test_bytes_that_are_no_body_are_the_clients_mistake(house: House, content):
    headers = {"Content-Type": "application/json"}
    answer = house.client().post(f"{V1}/auth/tokens", content=content, headers=headers)

    assert answer.status_code in {400, 401, 422}
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "media_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""]
)
def test_a_form_of_another_site_is_no_json_body(house: House, media_type):
    body = json.dumps({"email": "driver@example.org", "password": PASSWORD})
    headers = {"Content-Type": media_type} if media_type else {}
    answer = house.client().post(f"{V1}/auth/tokens", content=body, headers=headers)

    assert answer.status_code == 422


def test_pages_bring_their_own_policy_and_error_pages(house: House):
    pages = APIRouter()

    @pages.get("/hello")
    def hello():
        return {"hello": "page"}

    def error_page(request, status, code, detail):
        from starlette.responses import HTMLResponse  # noqa: PLC0415

        return HTMLResponse(f"<h1>{status} {code}</h1>", status)

    app = create_app(house.services, house.hub, house.settings, pages, error_page)
    client = Client(app)

    shown = client.get("/nowhere", headers={"Accept": "text/html"})

    assert client.get("/hello").json() == {"hello": "page"}
    assert shown.text == "<h1>404 not_found</h1>"
    assert shown.status_code == 404
    assert_guarded(shown.headers)
    html = {"Accept": "text/html"}
    assert client.get(f"{V1}/nowhere", headers=html).json()["code"] == "not_found"
    assert client.get("/nowhere").json()["code"] == "not_found"


def test_long_answers_are_compressed_for_who_takes_it(house: House):
    client = house.client()

    assert client.get("/openapi.json").headers["content-encoding"] == "gzip"
    plain = client.get("/openapi.json", headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers


def test_requests_are_counted_by_route_and_never_by_id(house: House):
    client = house.client()
    client.get(f"{V1}/stations/some-secret-station")

    text = client.get("/metrics").text

    assert 'route="/api/v1/stations/{station_id}"' in text
    assert "some-secret-station" not in text


def test_when_there_is_no_room_requests_are_sent_away_and_health_is_not(house: House, monkeypatch):
    monkeypatch.setattr("cloud.api.admission.AT_ONCE", 0)
    monkeypatch.setattr("cloud.api.admission.PATIENCE_S", 0.01)
    app = create_app(house.services, house.hub, house.settings)
    client = Client(app)

    answer = client.get(f"{V1}/stations")

    assert answer.status_code == 503
    assert "retry-after" in answer.headers
    assert client.get("/livez").status_code == 200
    assert client.get("/readyz").status_code == 200
