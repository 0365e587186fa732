"""What the documents say is so: links lead somewhere, named files and tests exist, tables are current."""

import ast
import re

import pytest

from cloud.domain.truth_table import document
from contracts import topics
from tests.architecture.walk import walk
from tests.support.processes import ROOT

DOCUMENTS = [
    ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/ARCHITECTURE.md")
] + sorted((ROOT / "docs" / "adr").glob("*.md"))
ARCHITECTURE = (ROOT / "docs" / "ARCHITECTURE.md").read_text()
# `path/like/this.py` or `path/like/this/`, and nothing with blanks or placeholders in it
PATHS = re.compile(r"`((?:[\w.-]+/)+[\w.-]*|[\w-]+\.(?:py|yml|toml|md))`")


def names_of(document):
    return document.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", DOCUMENTS, ids=names_of)
def test_every_link_leads_somewhere(path):
    links = re.findall(r"\]\(([^)#]+)\)", path.read_text())

    assert [one for one in links if not (path.parent / one).exists()] == []


def functions_in(file: str) -> set[str]:
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    tree = ast.parse((ROOT / file).read_text())
    return {node.name for node in ast.walk(tree) if isinstance(node, kinds)}


def test_every_step_of_the_walk_is_a_function_of_that_file():
    steps = walk()

    assert [one.number for one in steps] == list(range(1, len(steps) + 1))
    assert len(steps) >= 12
    assert [one for one in steps if not (ROOT / one.file).is_file()] == []
    assert [one for one in steps if one.function not in functions_in(one.file)] == []


def test_every_promise_names_tests_that_exist():
    named = re.findall(r"^\| P\d \|.*?\|(.*)\|$", ARCHITECTURE, re.MULTILINE)
    files = [file for row in named for file in re.findall(r"`(tests/[\w/.]+)`", row)]

    assert len(named) == 8
    assert all(re.search(r"`tests/", row) for row in named)
    assert [file for file in files if not (ROOT / file).exists()] == []


def test_every_topic_is_in_the_table():
    spelled = {
        spell("{s}")
        for spell in (
            topics.events,
            topics.acks,
            topics.link,
            topics.commands,
            topics.plan,
            topics.availability,
            topics.changes,
        )
    }
    told = set(re.findall(r"^\| `(baywatt/[^`]+)` \|", ARCHITECTURE, re.MULTILINE))

    assert told == spelled


def test_the_truth_table_is_the_codes_own():
    assert (ROOT / "docs" / "truth-table.md").read_text() == document()


def test_every_decision_is_listed_and_has_its_four_parts():
    folder = ROOT / "docs" / "adr"
    records = sorted(folder.glob("0*.md"))
    listed = re.findall(r"\((\d{4}-[\w-]+\.md)\)", (folder / "README.md").read_text())

    assert listed == [one.name for one in records]
    for record in records:
        heads = re.findall(r"^## (.+)$", record.read_text(), re.MULTILINE)
        assert heads == ["Context", "Decision", "Consequences", "Alternatives"], record.name


def test_contributing_says_how_to_add_each_kind_of_thing():
    heads = re.findall(r"^### (.+)$", (ROOT / "CONTRIBUTING.md").read_text(), re.MULTILINE)

    assert len(heads) >= 12
    assert all(head.startswith("... ") for head in heads)


@pytest.mark.parametrize("path", DOCUMENTS, ids=names_of)
def test_every_file_that_is_named_exists(path):
    text = re.sub(r"```.*?```", "", path.read_text(), flags=re.DOTALL)
    named = {one for one in PATHS.findall(text) if "/" in one}
    roots = [ROOT, ROOT / "cloud", ROOT / "station_agent", ROOT / "contracts"]
    missing = [one for one in named if not any((root / one).exists() for root in roots)]

    # what is said of things to come, of topics and of generated folders
    assert [one for one in missing if not ALLOWED.search(one)] == []


ALLOWED = re.compile(r"^(baywatt/|cloud/adapters/payments|v201|tests/golden/ocpp|s/)")


def test_the_readme_has_the_two_commands_first():
    commands = re.findall(r"^ {4}(make \w+)", (ROOT / "README.md").read_text(), re.MULTILINE)

    assert commands[:2] == ["make demo", "make test"]
