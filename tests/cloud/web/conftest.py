"""A client of the pages, with fakes behind them."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from cloud.settings import Settings
from tests.cloud.web.fakes import PASSWORD, FakeFeed, FakeParts, app_of


@pytest.fixture
def parts() -> FakeParts:
    return FakeParts.dundee()


class Turn:
    """Stands for what the test whose turn it is has."""

    def __init__(self) -> None:
        self.now: Any = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self.now, name)


PARTS, FEED = Turn(), Turn()


@pytest.fixture(scope="session")
def app() -> FastAPI:
    """Built once, for FastAPI takes its time over each route; asks whose turn it is."""
    settings = Settings(public_url="http://testserver", show_mailbox=True, _env_file=None)
    return app_of(PARTS, settings, FEED)


@pytest.fixture
def client(app: FastAPI, parts: FakeParts) -> Iterator[TestClient]:
    PARTS.now, FEED.now = parts, FakeFeed()
    with TestClient(app, follow_redirects=False) as made:
        yield made


@pytest.fixture
def signed_in(client: TestClient) -> Callable[[str], TestClient]:
    """Return a function that signs the client in with a role."""

    def sign_in(role: str) -> TestClient:
        form = {"email": f"{role}@baywatt.example", "password": PASSWORD}
        assert client.post("/login", data=form).status_code == 303
        return client

    return sign_in
