"""The public HTTP API, as far as setting up a demonstration needs it; blocking, standard library."""

import http.client
import json
from typing import Any, Self
from urllib.parse import quote


class ApiRefused(RuntimeError):
    """The API said no; the text has its problem report, `problem` what could be read of it."""

    def __init__(self, status: int, text: str, problem: dict[str, Any] | None = None) -> None:
        super().__init__(text)
        self.status = status
        self.problem = problem or {}


class Api:
    """A client with one kept-open connection."""

    def __init__(self, host: str, port: int) -> None:
        self._connection = http.client.HTTPConnection(host, port, timeout=30)
        self._token = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def log_in(self, email: str, password: str) -> None:
        """Use this user's bearer token from now on."""
        asked = {"email": email, "password": password, "label": "demo"}
        self._token = self.post("/auth/tokens", asked)["token"]

    def get(self, path: str) -> Any:
        """Read."""
        return self._ask("GET", path, None)

    def post(self, path: str, body: dict[str, Any] | None = None, *, key: str = "") -> Any:
        """Create or act; with an idempotency key once, however often it is sent."""
        return self._ask("POST", path, body, key)

    def put(self, path: str, body: dict[str, Any]) -> Any:
        """Set."""
        return self._ask("PUT", path, body)

    def close(self) -> None:
        """Hang up."""
        self._connection.close()

    def _ask(self, method: str, path: str, body: dict[str, Any] | None, key: str = "") -> Any:
        headers = {"Accept": "application/json"}
        if key:
            headers["Idempotency-Key"] = key
        data = None
        if body is not None:
            data = json.dumps(body).encode()
            headers["Content-Type"] = "application/json"
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        self._connection.request(method, f"/api/v1{path}", body=data, headers=headers)
        response = self._connection.getresponse()
        content = response.read()
        if response.status >= 400:  # noqa: PLR2004 - the class of errors
            said = content.decode(errors="replace")[:500]
            text = f"{method} {path}: {response.status} {said}"
            raise ApiRefused(response.status, text, _problem(content))
        return json.loads(content) if content else None


def _problem(content: bytes) -> dict[str, Any]:
    """Return a problem report (RFC 9457); empty if it is none."""
    try:
        read = json.loads(content)
    except ValueError:
        return {}
    return read if isinstance(read, dict) else {}


def is_ready(host: str, port: int) -> bool:
    """Whether the cloud answers that it is ready."""
    connection = http.client.HTTPConnection(host, port, timeout=2)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200  # noqa: PLR2004
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def post_once(api: Api, path: str, body: dict[str, Any]) -> Any:
    """Create; None where it is there already."""
    try:
        return api.post(path, body)
    except ApiRefused as refused:
        if refused.status != 409:  # noqa: PLR2004 - conflict
            raise
        return None


def as_segment(text: str) -> str:
    """Return text as one segment of a path."""
    return quote(text, safe="")
