"""A fresh house for each test; the database is migrated once and copied."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI

from cloud.adapters.sql.engine import open_engine
from cloud.adapters.sql.migrate import migrate
from tests.cloud.api.house import House, a_house, furnish_with_users


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("api") / "template.db"
    engine = open_engine(f"sqlite:///{path}")
    migrate(engine)
    engine.dispose()
    furnish_with_users(path)
    return path


@pytest.fixture
def database_file(migrated_file: Path, tmp_path: Path) -> Path:
    return Path(shutil.copyfile(migrated_file, tmp_path / "cloud.db"))


@pytest.fixture(scope="session")
def app(migrated_file: Path) -> FastAPI:
    """Built once: FastAPI takes its time over the first request of each route."""
    with a_house(migrated_file) as built:
        return built.app


@pytest.fixture
def house(database_file: Path, app: FastAPI) -> Iterator[House]:
    with a_house(database_file, app) as built:
        yield built
