"""One agent for all abuse of a worker, before a cloud the tests play."""

from collections.abc import Iterator

import pytest

from tests.faults.abused import Abused, an_abused_agent


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What abuses an agent shares it."""
    for item in items:
        if "abused" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.xdist_group("abuse"))


@pytest.fixture(scope="session")
def abused(tmp_path_factory) -> Iterator[Abused]:
    """An agent with chargers enough for every test to have its own."""
    with an_abused_agent(tmp_path_factory.mktemp("abused")) as made:
        yield made
