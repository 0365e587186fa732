"""What the repository may not hold: addresses of registries, paths of one machine, foreign code."""

import json
import re
import subprocess
import tomllib

import pytest
from packaging.requirements import Requirement

from tests.support.processes import ROOT

# spelled in two parts, so that this file does not name what it forbids
REGISTRIES = re.compile(
    "|".join(
        re.escape(first + second)
        for first, second in [
            ("pypi", ".org"),
            ("python", "hosted.org"),
            ("registry.npm", "js"),
            ("npmmirror", ".com"),
            ("index", "-url"),
            ("proxy.go", "lang"),
            ("unpkg", ".com"),
            ("jsdelivr", ".net"),
            ("cdn", "js."),
        ]
    )
)
MACHINE_PATHS = re.compile(
    "(?<![\\w.:$}/])/(" + "|".join(["wo" + "rk", "ro" + "ot", "ho" + "me/"]) + ")\\b"
)
LOCKS = ["requirements.lock", "requirements-dev.lock", "requirements-node.lock"]


# what .gitignore names: an exported tree has no git to ask
CACHES = {".hypothesis", ".pytest_cache", ".mypy_cache", ".ruff_cache", "__pycache__"}
MADE = CACHES | {".venv", "build", "node_modules", "vendor", "var", ".git"}


def files():
    if not (ROOT / ".git").exists():
        return [one for one in ROOT.rglob("*") if one.is_file() and not MADE & set(one.parts)]
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    paths = [ROOT / name for name in listed.stdout.decode().split("\0") if name]
    return [path for path in paths if path.is_file()]


def lines_with(pattern):
    found = []
    for path in files():
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            continue
        for number, line in enumerate(text.splitlines(), 1):
            if pattern.search(line):
                found.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}")
    return found


def test_no_file_names_a_registry():
    # `make lock` tells uv to leave the address out; that is the one mention
    assert [one for one in lines_with(REGISTRIES) if "--no-emit-" not in one] == []


def test_no_file_names_a_path_of_one_machine():
    assert lines_with(MACHINE_PATHS) == []


@pytest.mark.parametrize("name", LOCKS)
def test_every_locked_package_has_hashes_and_no_address(name):
    text = (ROOT / name).read_text().replace("\\\n", " ")
    pinned = [
        line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")
    ]

    assert pinned
    assert [line for line in pinned if "--hash=sha256:" not in line or "==" not in line] == []
    assert "://" not in text


def test_the_javascript_lock_has_hashes_and_no_addresses():
    packages = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    fetched = {name: one for name, one in packages.items() if name}

    assert fetched
    assert [name for name, one in fetched.items() if "integrity" not in one] == []
    assert [name for name, one in fetched.items() if "resolved" in one] == []


@pytest.mark.parametrize("name", ["requirements", "requirements-dev", "requirements-node"])
def test_every_required_package_is_locked(name):
    wanted = [
        Requirement(line).name
        for line in (ROOT / f"{name}.in").read_text().splitlines()
        if line and not line.startswith(("#", "-"))
    ]
    locked = (ROOT / f"{name}.lock").read_text()

    assert [
        one
        for one in wanted
        if not re.search(rf"^{one}(\[.*\])?==", locked, re.MULTILINE | re.IGNORECASE)
    ] == []


def test_no_third_party_code_is_in_the_repository():
    kept = [str(path.relative_to(ROOT)) for path in files()]

    assert [name for name in kept if re.search(r"(^|/)(vendor|node_modules|\.venv)/", name)] == []
    assert [name for name in kept if name.endswith((".min.js", ".min.css", ".whl", ".tgz"))] == []


def test_every_lint_exception_has_its_reason_beside_it():
    lines = (ROOT / "pyproject.toml").read_text().splitlines()
    codes = [line for line in lines if re.match(r'\s+"[A-Z]+\d*",', line)]

    assert codes
    assert [line for line in codes if "#" not in line] == []


def test_the_version_is_said_once():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

    assert project["name"] == "baywatt"
    assert project["requires-python"] == ">=3.11"
    assert f"## {project['version']}" in (ROOT / "CHANGELOG.md").read_text()
