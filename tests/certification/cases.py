"""The certification cases as a document: `python -m tests.certification.cases > docs/certification.md`.

A case is a test with its id in its name; what the document says of it is the rest of the name.
"""

import ast
import re
import sys
from collections.abc import Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import Final, NamedTuple

FOLDER: Final = Path(__file__).parent

BLOCKS: Final[Mapping[str, tuple[str, str]]] = {
    "A": ("Security", "01 02 03 04 06 07 08 09 10 11 12 13 14 19"),
    "B": (
        "Provisioning",
        "01 02 06 07 08 09 10 12 13 14 18 20 21 22 25 26 27 30 31 42 44 58",
    ),
    "C": ("Authorization", "02 06 07 08 20 37 38 39 40 43 47 48 49 50 51 52"),
    "D": ("Local authorization list", "01 02 03 04 08 09"),
    "E": (
        "Transactions",
        "01 02 03 04 07 08 09 10 11 12 14 15 16 17 19 20 21 22 26 29 30 31 33 34 38 39 53",
    ),
    "F": ("Remote control", "01 02 03 04 06 11 12 13 14 15 18 20 23 24 27"),
    "G": ("Availability", "03 04 05 06 07 08 11 14 17 20"),
    "H": ("Reservation", "01 07 08 14 15 17 19 20 22"),
    "I": ("Tariff and cost", "01 02"),
    "J": ("Meter values", "01 02 03 04 07 08 09 10 11"),
    "K": (
        "Smart charging",
        (
            "01 02 03 04 05 06 08 10 15 19 29 30 31 32 33 34 35 36 37 43 44 48 50 51 52 53 55"
            " 57 58 59 60 70"
        ),
    ),
    "L": ("Firmware", "01 02 03 04 05 06 07 08 09 10 11 13 17 19 20 21 22 23 24"),
    "M": (
        "Certificates of ISO 15118",
        "01 02 03 04 05 12 13 14 15 16 17 18 19 20 21 24 26 28",
    ),
    "N": (
        "Diagnostics",
        "01 02 03 05 08 09 16 17 18 21 24 25 27 28 29 30 31 32 34 35 36 44 46 47 48 49 50 60 62 63",
    ),
    "O": (
        "Display messages",
        "01 02 03 04 05 06 07 08 09 10 11 12 13 14 17 18 19 25 26 27 28",
    ),
    "P": ("Data transfer", "02 03"),
}
"""The cases of OCPP 2.0.1 part 6 (edition 3), part 5 and their errata whose system under test is the CSMS,
by functional block."""

OF_16: Final = (
    "001 003 004_1 004_2 005_1 007 010 011_1 011_2 012 013 014 017_1 017_2 018_1 019_1 019_2 021 023_1"
    " 023_2 023_3 024 026 028 030 031 032_1 037_1 037_3 039 040_1 040_2 042_1 042_2 043_1 043_3 043_4"
    " 043_5 044_1 044_2 044_3 045_1 045_2 046 047 048_1 048_2 048_3 048_4 049 051 052 053 054 055 056"
    " 057 059 061 064 066 067 073 074 075_1 075_2 076 077 078 079 080 081 083 085 086 087 088"
)
"""Those of the compliance tool's document for OCPP 1.6 (2025-06) whose system under test is the
central system, as public lists of it have them."""

LEFT_OUT: Final[Mapping[str, str]] = {}
"""Cases that are no tests: id to why not."""

_CASE: Final = re.compile(r"test_(TC(?:_[A-Z])?_\d+(?:_\d)?_CSMS)_?(.*)")
_SECTION: Final = re.compile(r"test_(16(?:_\d+)+)_(.*)")

_HEAD: Final = """# Certification cases

Written by `python -m tests.certification.cases`; a test compares. Each case runs over a real socket against the running agent and cloud,
with a simulated charger at one end and the API at the other, in `make test`.

"""


class Case(NamedTuple):
    """A test of a case; one case may have several."""

    id: str
    holds: str
    file: str


def ids() -> list[str]:
    """Return every case that concerns us, of 2.0.1 and of 1.6."""
    return [*_ids_201(), *_ids_16()]


def _ids_201() -> list[str]:
    return [
        f"TC_{block}_{number}_CSMS"
        for block, (_, numbers) in BLOCKS.items()
        for number in numbers.split()
    ]


def _ids_16() -> list[str]:
    return [f"TC_{number}_CSMS" for number in OF_16.split()]


def tested() -> list[Case]:
    """Return the cases that are tests, by id."""
    found = [case for file in sorted(FOLDER.glob("test_*.py")) for case in _cases_in(file)]
    return sorted(found, key=lambda case: (case.id, case.file))


def missing() -> list[str]:
    """Return the cases that are neither a test nor left out with a reason."""
    known = {case.id for case in tested()} | set(LEFT_OUT)
    return [one for one in ids() if one not in known]


def document() -> str:
    """Return the whole document."""
    cases = tested()
    of_block = {block: [one for one in cases if _block(one.id) == block] for block in BLOCKS}
    parts = [_block_part(block, of_block[block]) for block in BLOCKS]
    of_16 = [one for one in cases if _block(one.id) not in BLOCKS]
    names = {one.id for one in cases}
    summary = "\n".join(
        f"{title}: {len(names & set(listed))} of {len(listed)} cases are tests.  "
        for title, listed in (("OCPP 2.0.1, parts 5 and 6", _ids_201()), ("OCPP 1.6", _ids_16()))
    )
    return _HEAD + "\n".join([summary, "", *parts, _part("OCPP 1.6", of_16)])


def _block_part(block: str, cases: list[Case]) -> str:
    name, numbers = BLOCKS[block]
    known = {case.id for case in cases}
    rest = [
        Case(one, f"**left out**: {LEFT_OUT.get(one, 'not written yet')}", "")
        for one in (f"TC_{block}_{number}_CSMS" for number in numbers.split())
        if one not in known
    ]
    return _part(f"{block} {name}", sorted([*cases, *rest]))


def _part(title: str, cases: list[Case]) -> str:
    rows = [
        f"| {case_id} | {'<br>'.join(one.holds for one in same)} | {_files(same)} |"
        for case_id, same in ((key, list(group)) for key, group in groupby(cases, lambda c: c.id))
    ]
    return "\n".join([f"## {title}", "", "| case | holds | in |", "|---|---|---|", *rows, ""])


def _files(cases: list[Case]) -> str:
    return ", ".join(sorted({f"`{case.file}`" for case in cases if case.file}))


def _cases_in(file: Path) -> Iterator[Case]:
    for node in ast.parse(file.read_text()).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from _case(node.name, file.name)


def _case(name: str, file: str) -> Iterator[Case]:
    if found := _CASE.fullmatch(name):
        yield Case(found[1], found[2].replace("_", " "), file)
    elif found := _SECTION.fullmatch(name):
        section = found[1].removeprefix("16_").replace("_", ".")
        yield Case(f"1.6 section {section}", found[2].replace("_", " "), file)


def _block(case_id: str) -> str:
    return case_id.split("_")[1] if case_id.startswith("TC_") else ""


if __name__ == "__main__":
    sys.stdout.write(document())
