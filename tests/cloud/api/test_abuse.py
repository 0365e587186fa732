"""Whatever is sent, by whomever: no fault, no rows of others, nothing that lasts."""

import json
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.cloud.api.house import V1, Client, House, a_house
from tests.cloud.api.test_who_may_do_what import TABLE, furnish

INJECTIONS = [
    "' OR '1'='1",
    "'; DROP TABLE users; --",
    '" OR ""="',
    "1 UNION SELECT password_hash FROM users",
    "1) OR SLEEP(5)--",
    "\\'; SELECT pg_sleep(5); --",
    "%27%20OR%201=1",
    "%",
    "_",
    "\\",
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "javascript:alert(1)",
    "{{7*7}}",
    "${7*7}",
    "../../../etc/passwd",
    "=cmd|' /C calc'!A0",
    "\x00",
    "a\r\nSet-Cookie: x=y",
    "\u202e\u0000\ufeff",
    "\U0001f50c" * 20,
    "9" * 400,
    "-1",
    "1e309",
    "NaN",
    "null",
    "[]",
    "A" * 3_000,
]
FEW = INJECTIONS[::4]
"""Here; all of them are tried on a real MariaDB, see test_api_on_mariadb.py."""
PLAIN = [row for row in TABLE if "/events" not in row[1] and "/auth/" not in row[1]]
PATHS = sorted({(row[0], row[1].partition("?")[0]) for row in PLAIN})
TAKEN = {
    "stations": ("lat", "radius_m", "standard", "min_power_w", "free_now", "q", "limit", "cursor"),
    "sessions": ("live", "period", "from", "to", "state", "station_id", "limit", "cursor"),
    "sessions.csv": ("period", "from", "to", "state", "station_id"),
    "alerts": ("status", "station_id", "limit", "cursor"),
    "chargers": ("station_id", "limit", "cursor"),
    "users": ("limit", "cursor"),
    "tokens": ("limit", "cursor"),
}
QUERIES = sorted({name for names in TAKEN.values() for name in names})
BODIES = [(row[0], row[1], row[2]) for row in PLAIN if row[2]]


@pytest.fixture(scope="module")
def house(migrated_file, tmp_path_factory):
    database = tmp_path_factory.mktemp("abuse") / "cloud.db"
    database.write_bytes(migrated_file.read_bytes())
    with a_house(database) as built:
        furnish(built)
        yield built


@pytest.fixture(scope="module")
def admin(house: House) -> Client:
    return house.client("admin")


def assert_harmless(answer, sent: str = "") -> None:
    assert answer.status_code < 500 or answer.status_code == 504, answer.text
    if answer.status_code >= 400:
        assert answer.headers["content-type"] == "application/problem+json"
    if "<" in sent and answer.status_code >= 400:
        assert sent not in answer.text
    assert "set-cookie" not in answer.headers


def timed(client, method, path, **kwargs):
    # who waited does so each time; who was only kept from running does not
    for _ in range(4):
        began = time.perf_counter()
        answer = client.request(method, path, **kwargs)
        if time.perf_counter() - began < 4:
            return answer
    raise AssertionError("something was waited for")


@pytest.mark.parametrize("text", FEW)
def test_an_injection_in_an_address_finds_nothing(admin: Client, text):
    for pattern in ("stations/{}", "sessions/{}", "alerts/{}", "chargers/{}", "users/{}"):
        path = f"{V1}/{pattern.format(quoted(text))}"
        answer = timed(admin, "GET", path)

        assert_harmless(answer, text)
        assert answer.status_code in {404, 405, 414, 200 if text in {".", ""} else 404}


@pytest.mark.parametrize("text", FEW)
def test_an_injection_in_a_query_is_only_text(admin: Client, text):
    for path, names in TAKEN.items():
        for name in names:
            assert_harmless(timed(admin, "GET", f"{V1}/{path}", params={name: text}), text)


@pytest.mark.parametrize("text", FEW)
def test_an_injection_in_a_body_is_only_text(admin: Client, text):
    for method, path, body in BODIES:
        for name in body:
            answer = timed(admin, method, path, json={**body, name: text})
            assert_harmless(answer, text)


@pytest.mark.parametrize("text", FEW)
def test_an_injection_in_a_header_is_only_text(house: House, text):
    value = text.encode().replace(b"\r", b"").replace(b"\n", b"").replace(b"\x00", b"")
    for name in ("Authorization", "Cookie", "If-None-Match", "Idempotency-Key", "Last-Event-ID"):
        headers = {name: value if name != "Cookie" else b"baywatt=" + value}
        answer = timed(house.client(), "GET", f"{V1}/stations", headers=headers)
        assert_harmless(answer, text)
        assert_harmless(timed(house.client(), "GET", f"{V1}/me", headers=headers), text)


def quoted(text: str) -> str:
    return "".join(f"%{byte:02x}" for byte in text.encode()) or "%20"


ANY_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(st.characters(), max_size=30)
    | st.sampled_from(INJECTIONS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner),
    max_leaves=8,
)


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_no_body_whatever_is_a_fault(admin: Client, data):
    method, path, body = data.draw(st.sampled_from(BODIES))
    changed = dict(body)
    for name in data.draw(st.sets(st.sampled_from([*body, "extra"]), max_size=3)):
        changed[name] = data.draw(ANY_JSON)
    sent = data.draw(st.sampled_from([changed, changed, changed, data.draw(ANY_JSON)]))
    content = json.dumps(sent).encode()
    headers = {"Content-Type": "application/json"}

    assert_harmless(admin.request(method, path, content=content, headers=headers))


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    path=st.sampled_from(PATHS),
    query=st.dictionaries(
        st.sampled_from(QUERIES), st.text(st.characters(codec="utf-8"), max_size=40), max_size=4
    ),
)
def test_no_query_whatever_is_a_fault(admin: Client, path, query):
    if path[0] != "GET":
        return
    assert_harmless(admin.request("GET", path[1], params=query))


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(cursor=st.binary(max_size=60) | st.sampled_from(["forged"]))
def test_no_cursor_whatever_is_a_fault(admin: Client, cursor):
    from base64 import urlsafe_b64encode  # noqa: PLC0415

    forged = [
        b'["2026-01-01T00:00:00","x"]',
        b'["0001-01-01T00:00:00+23:59","x"]',
        b'["9999-12-31T23:59:59-23:59","x"]',
        b'["2026-01-01T00:00:00Z",99999999999999999999,1]',
        b'[1e308,"x"]',
        b'["\\ud800"]',
    ]
    for raw in forged if cursor == "forged" else [cursor]:
        text = urlsafe_b64encode(raw).decode().rstrip("=")
        for path in ("stations", "sessions", "alerts", "users", "tokens", "chargers/GREEN-1/log"):
            answer = admin.get(f"{V1}/{path}", params={"cursor": text})
            assert_harmless(answer)
