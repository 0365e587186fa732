"""YAML read strictly: each value knows its place in the file, and problems are collected."""

import difflib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

import yaml

_WORDS: Final = {
    "tag:yaml.org,2002:str": "text",
    "tag:yaml.org,2002:int": "a whole number",
    "tag:yaml.org,2002:float": "a number",
    "tag:yaml.org,2002:bool": "true or false",
    "tag:yaml.org,2002:null": "nothing",
    "tag:yaml.org,2002:map": "keys with values",
    "tag:yaml.org,2002:seq": "a list",
}
_MAX_SHOWN: Final = 40


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing wrong, at a line and column counted from 1."""

    line: int
    column: int
    text: str

    def __str__(self) -> str:
        return f"{self.line}:{self.column}: {self.text}"


class Problems:
    """All that is wrong with one file."""

    def __init__(self) -> None:
        self.found: list[Problem] = []

    def add(self, mark: Any, text: str) -> None:
        """Note a problem at a PyYAML mark."""
        self.found.append(Problem(mark.line + 1, mark.column + 1, text))

    def in_order(self) -> tuple[Problem, ...]:
        """Return them as they stand in the file, each once."""
        return tuple(sorted(set(self.found)))


class Found:
    """A value in the file; a wrong one is noted, and read as something harmless."""

    def __init__(self, node: yaml.Node, path: str, problems: Problems) -> None:
        self.path = path
        self._node = node
        self._problems = problems

    @property
    def line(self) -> int:
        """Where it stands, counted from 1."""
        return int(self._node.start_mark.line) + 1

    def wrong(self, expected: str) -> None:
        """Note that this value is not what it should be."""
        self.problem(f"found {self._shown()}, expected {expected}")

    def problem(self, text: str) -> None:
        """Note what is wrong with this value."""
        self._problems.add(self._node.start_mark, f"{self.path}: {text}" if self.path else text)

    def keys(
        self, required: Iterable[str] = (), optional: Iterable[str] = ()
    ) -> dict[str, "Found"]:
        """Return the values by key; unknown, repeated and missing keys are noted."""
        if not isinstance(self._node, yaml.MappingNode):
            self.wrong("keys with values")
            return {}
        known = (*required, *optional)
        values: dict[str, Found] = {}
        for key_node, value_node in self._node.value:
            key = Found(key_node, self.path, self._problems)
            name = key_node.value if isinstance(key_node, yaml.ScalarNode) else "?"
            if name not in known:
                key.problem(f"unknown key {name!r}{suggestion(name, known)}")
            elif name in values:
                key.problem(f"key {name!r} stands here twice, first on line {values[name].line}")
            else:
                path = f"{self.path}.{name}" if self.path else name
                values[name] = Found(value_node, path, self._problems)
        for name in required:
            if name not in values:
                self.problem(f"key {name!r} is missing")
        return values

    def items(self, at_least: int = 0) -> tuple["Found", ...]:
        """Return the entries of a list."""
        if not isinstance(self._node, yaml.SequenceNode):
            self.wrong("a list: entries begin with '- '")
            return ()
        if len(self._node.value) < at_least:
            self.wrong(f"a list of at least {at_least}")
        return tuple(
            Found(node, f"{self.path}[{index}]", self._problems)
            for index, node in enumerate(self._node.value)
        )

    def text(self, is_right: Callable[[str], bool] = bool, expected: str = "text") -> str:
        """Return a text that `is_right`."""
        if self._tag() != "str":
            hint = ", in quotes" if self._tag() in {"int", "float", "bool", "timestamp"} else ""
            self.wrong(expected + hint)
        elif not is_right(self._node.value):
            self.wrong(expected)
        return self._node.value if isinstance(self._node.value, str) else ""

    def whole_number(self, low: int, high: int) -> int:
        """Return an integer in a range."""
        value = self.scalar()
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            self.wrong(f"a whole number from {low} to {high}")
            return low
        return value

    def seconds(self) -> float:
        """Return a time greater than nothing."""
        value = self.scalar()
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or not 0 < value < float("inf"):
            self.wrong("a number of seconds above 0")
            return 1.0
        return float(value)

    def scalar(self) -> Any:
        """Return text, a number, a boolean or None; None for anything else."""
        if not isinstance(self._node, yaml.ScalarNode):
            self.wrong("a single value")
            return None
        try:
            return yaml.SafeLoader("").construct_object(self._node)
        except (yaml.YAMLError, ValueError):
            return self._node.value

    def _tag(self) -> str:
        return str(self._node.tag).rpartition(":")[2]

    def _shown(self) -> str:
        kind = _WORDS.get(self._node.tag, "something else")
        if not isinstance(self._node, yaml.ScalarNode) or not self._node.value:
            return kind
        value = self._node.value
        shown = value if len(value) <= _MAX_SHOWN else f"{value[:_MAX_SHOWN]}..."
        return f"{shown!r} (text)" if kind == "text" else f"{shown} ({kind})"


def compose(text: str | bytes, problems: Problems) -> Found | None:
    """Return the file's root; None, with a problem noted, where it is not YAML."""
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problems.add(mark or _START, f"not YAML: {error.problem or error.context}")
        return None
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        problems.add(_START, f"not YAML: {error}".splitlines()[0])
        return None
    if root is None:
        problems.add(_START, "the file is empty, expected the key 'station'")
        return None
    return Found(root, "", problems)


@dataclass(frozen=True, slots=True)
class _Mark:
    line: int = 0
    column: int = 0


_START: Final = _Mark()


def suggestion(name: str, known: Iterable[str]) -> str:
    """Return the end of a sentence that says what was probably meant."""
    known = tuple(known)
    close = difflib.get_close_matches(name, known, n=1)
    if close:
        return f"; did you mean {close[0]!r}?"
    return f"; expected {', '.join(known)}" if known else ""
