"""One running agent and cloud for all certification cases; each case has its own charger."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.certification.post import Post
from tests.certification.secure import Guarded, SecurePost, guard
from tests.support.fresh_chargers import FreshChargers
from tests.support.stack import Kind, Stack


def pytest_itemcollected(item: pytest.Item) -> None:
    """All cases share one stack: to start one costs more than to run a hundred of them."""
    item.add_marker(pytest.mark.xdist_group("certification"))


@dataclass
class House:
    """The stack, and the chargers that are not taken yet."""

    stack: Stack
    fresh: FreshChargers

    def post(self, version: str = "2.0.1", **more: Any) -> Post:
        """Return a charger no case had before, not yet dialled in."""
        return Post(self.stack, *self.fresh.take(), version, **more)


@pytest.fixture(scope="session")
def house(tmp_path_factory) -> Iterator[House]:
    # responders of certificates, and receivers of logs, are on this machine
    settings = {"CLOUD_LAB_ALLOW_LOCAL_WEBHOOKS": "true", "CLOUD_COST_EVERY_S": "1"}
    folder = tmp_path_factory.mktemp("certification")
    stack = Stack(folder, Kind.EMBEDDED, "", settings=settings)
    try:
        stack.start()
        yield House(stack, FreshChargers(stack, "certified", AGENT_BEAT_INTERVAL_S="3"))
    finally:
        stack.stop()


@pytest.fixture
def post_of(house: House) -> Callable[..., Post]:
    """A maker of posts, to be entered as asynchronous contexts."""
    return house.post


@pytest.fixture(scope="session")
def guarded(house: House, tmp_path_factory) -> Guarded:
    """A station served plainly and encrypted, for the cases of keys and certificates."""
    return guard(house.stack, tmp_path_factory.mktemp("guarded"))


@pytest.fixture
def post_guarded(guarded: Guarded) -> Callable[..., SecurePost]:
    """A maker of posts at the guarded station."""
    return guarded.post
