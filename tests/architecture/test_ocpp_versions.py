"""OCPP versions are spelled in two folders only: elsewhere a session is a session."""

import re

from tests.architecture.sources import is_within, sources

# the cast of a story says which version each of its chargers speaks: data, nothing branches on it
CASTS = ("simulator.scenarios.stations", "simulator.demo.city")
HOMES = ("station_agent.ocpp", "simulator.chargers", "benchmarks", *CASTS)
SPELLED = re.compile(
    r"ocpp ?(1\.[2-6]|2\.\d)|^(1\.6|2\.0\.1|2\.1)$|\bv(16|201|21)\b", re.IGNORECASE
)
IMPORTED = re.compile(r"^ocpp(\.|$)")


def outside():
    return [one for one in sources() if not is_within(one.module, *HOMES)]


def test_no_version_is_spelled_outside_its_folders():
    found = [
        f"{source.path.name}:{node.lineno} {node.value!r}"
        for source in outside()
        for node in source.strings()
        if SPELLED.search(node.value)
    ]

    assert found == []


def test_nothing_of_the_ocpp_package_is_imported_outside_its_folders():
    found = [
        f"{source.module} imports {name}"
        for source in outside()
        for name in source.imports()
        if IMPORTED.match(name)
    ]

    assert found == []


def test_the_agent_takes_the_words_of_the_ocpp_package_and_no_more():
    agents = [one for one in sources() if is_within(one.module, "station_agent")]
    found = {one.module for one in agents if any(map(IMPORTED.match, one.imports()))}

    assert all(is_within(module, "station_agent.ocpp.words") for module in found)


def test_the_search_finds_what_it_is_for():
    spelled = ["ocpp1.6", "ocpp2.0.1", "1.6", "2.0.1", "ocpp.v16", "v201", "OCPP 2.1"]
    innocent = ["0.1.6.2", "version 1.60", "2.0.11", "v1", "", "3.1.6 MB"]

    assert all(SPELLED.search(text) for text in spelled)
    assert not any(SPELLED.search(text) for text in innocent)
