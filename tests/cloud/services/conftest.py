"""The rig, on MariaDB, where transactions meet; `make faults` plays all of it on SQLite as well."""

from collections.abc import Iterator

import pytest

from tests.cloud.services.rig import a_rig

# the tests of the API and of the adapters, the demonstration and every embedded stack are on SQLite
ON = [
    pytest.param("sqlite", marks=pytest.mark.faults),
    pytest.param("mariadb", marks=pytest.mark.real),
]


@pytest.fixture(params=ON)
def database_url(request: pytest.FixtureRequest, databases) -> Iterator[str]:
    """A fresh migrated database."""
    with databases.lent(request.param) as url:
        yield url


@pytest.fixture
def rig(database_url):
    made = a_rig(database_url)
    yield made
    made.engine.dispose()


@pytest.fixture
def big_rig(database_url):
    made = a_rig(database_url, stations=3)
    yield made
    made.engine.dispose()
