"""A client of the pages, with fakes behind them."""

from collections.abc import Callable, Iterator

import pytest
from fastapi.testclient import TestClient

from cloud.settings import Settings
from tests.cloud.web.fakes import PASSWORD, FakeFeed, FakeParts, app_of


@pytest.fixture
def parts() -> FakeParts:
    return FakeParts.dundee()


@pytest.fixture
def client(parts: FakeParts) -> Iterator[TestClient]:
    settings = Settings(public_url="http://testserver", show_mailbox=True, _env_file=None)
    with TestClient(app_of(parts, settings, FakeFeed()), follow_redirects=False) as made:
        yield made


@pytest.fixture
def signed_in(client: TestClient) -> Callable[[str], TestClient]:
    """Return a function that signs the client in with a role."""

    def sign_in(role: str) -> TestClient:
        form = {"email": f"{role}@baywatt.example", "password": PASSWORD}
        assert client.post("/login", data=form).status_code == 303
        return client

    return sign_in
