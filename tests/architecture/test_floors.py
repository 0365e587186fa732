"""Imports point down only (STYLE, "Floors").

    apps      cloud/{api,web,workers,live}   station_agent/{ocpp,sensors,uplink,...}   simulator
    adapters  cloud/{adapters,embedded}      station_agent/outbox       firmware_bridge/vendors
    use cases cloud/services
    ground    cloud/domain                   station_agent/domain
    language  contracts

`wiring` (a module or a package), `programs.py` and `__main__.py` know all floors of their package.
"""

import ast
import sys

import pytest

from tests.architecture.sources import PACKAGES, Source, is_within, sources

ANY_FLOOR = ("wiring", "programs", "__main__")

SERVICES = ("cloud.domain", "cloud.services", "contracts")
STORED = ("contracts", "station_agent.domain", "station_agent.ports")

# module prefix -> what of ours it may import beside itself
OURS = {
    "contracts": (),
    "cloud.domain": (),
    "cloud.services": ("cloud.domain", "contracts"),
    "cloud.adapters": SERVICES,
    "cloud.embedded": (),
    "cloud.viewers": (),
    "cloud.live": (*SERVICES, "cloud.viewers"),
    "cloud.api": (*SERVICES, "cloud.live", "cloud.viewers", "cloud.settings"),
    "cloud.web": (*SERVICES, "cloud.live", "cloud.settings", "cloud.api"),
    "cloud.workers": (*SERVICES, "cloud.settings"),
    "cloud.settings": (),
    "cloud.logs": (),
    "station_agent.domain": ("contracts",),
    "station_agent.ports": ("contracts", "station_agent.domain"),
    "station_agent.settings": (),
    "station_agent.outbox": STORED,
    "station_agent": ("contracts", "firmware_bridge.vendors"),
    "firmware_bridge.vendors": (),
    "simulator": ("contracts",),
}

# module prefix -> the only third-party packages it may import; others are free
THIRD_PARTY = {
    "contracts": {"msgspec"},
    "cloud.domain": set(),
    "station_agent.domain": set(),
}

# what use cases may never touch, however it is called
EDGES = {"sqlalchemy", "pymysql", "paho", "fastapi", "starlette", "influxdb_client", "aiosmtplib"}


def offences(source: Source, imported: set[str]) -> list[str]:
    return sorted(f"{source.module} imports {name}" for name in imported)


def rule_of(module: str) -> str | None:
    fitting = [prefix for prefix in OURS if is_within(module, prefix)]
    return max(fitting, key=len, default=None)


def knows_all_floors(module: str) -> bool:
    """Whether it is one of ANY_FLOOR, or a part of one that is a package."""
    inside = module.split(".")[1:]
    return bool(inside) and inside[0] in ANY_FLOOR


def allowed_to(module: str) -> tuple[str, ...]:
    """Return the prefixes of ours a module may import."""
    package = module.partition(".")[0]
    if package == "benchmarks":
        return PACKAGES
    if knows_all_floors(module):
        return (package, *OURS.get(package, ("contracts",)))
    rule = rule_of(module)
    return (rule, *OURS[rule]) if rule else (module,)


@pytest.mark.parametrize("source", sources(), ids=lambda one: one.module)
def test_a_module_imports_only_what_its_floor_may_see(source):
    allowed = allowed_to(source.module)
    wrong = {
        name
        for name in source.imports()
        if is_within(name, *PACKAGES) and name not in PACKAGES and not is_within(name, *allowed)
    }

    assert offences(source, wrong) == []


def test_every_module_stands_on_a_floor():
    floorless = [
        one.module
        for one in sources()
        if "." in one.module
        and rule_of(one.module) is None
        and not knows_all_floors(one.module)
        and not is_within(one.module, "benchmarks", "firmware_bridge")
    ]

    assert floorless == []


@pytest.mark.parametrize("prefix", list(THIRD_PARTY))
def test_the_ground_needs_little_more_than_the_standard_library(prefix):
    wrong = [
        f"{source.module} imports {name}"
        for source in sources()
        if is_within(source.module, prefix)
        for name in source.imports()
        if not is_within(name, *PACKAGES)
        if name.split(".")[0] not in sys.stdlib_module_names | THIRD_PARTY[prefix]
    ]

    assert wrong == []


def test_use_cases_reach_the_world_through_ports_only():
    wrong = [
        f"{source.module} imports {name}"
        for source in sources()
        if is_within(source.module, "cloud.services")
        for name in source.imports()
        if name.split(".")[0] in EDGES
    ]

    assert wrong == []


def test_no_import_is_relative():
    wrong = [
        f"{source.module}:{node.lineno}"
        for source in sources()
        for node in ast.walk(source.tree)
        if isinstance(node, ast.ImportFrom) and node.level
    ]

    assert wrong == []


def test_every_rule_here_is_about_something():
    names = [source.module for source in sources()]

    assert [prefix for prefix in OURS if not any(is_within(one, prefix) for one in names)] == []
