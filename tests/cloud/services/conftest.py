"""The rig, on SQLite always and on MariaDB where real servers may be started."""

import pytest

from tests.cloud.services.rig import a_rig


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
