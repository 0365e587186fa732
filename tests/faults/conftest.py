"""One agent for all abuse of a worker, before a cloud the tests play."""

from collections.abc import Iterator

import pytest

from tests.faults.abused import Abused, an_abused_agent


def pytest_itemcollected(item: pytest.Item) -> None:
    """What abuses an agent shares it."""
    if "abused" in getattr(item, "fixturenames", ()):
        item.add_marker(pytest.mark.xdist_group("abuse"))


@pytest.fixture(scope="session")
def abused(tmp_path_factory) -> Iterator[Abused]:
    """An agent with chargers enough for every test to have its own."""
    with an_abused_agent(tmp_path_factory.mktemp("abused")) as made:
        yield made
