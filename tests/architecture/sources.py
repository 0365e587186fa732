"""The project's own Python files, and what each of them imports."""

import ast
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

from tests.support.processes import ROOT

PACKAGES = ("contracts", "cloud", "station_agent", "simulator", "firmware_bridge", "benchmarks")


@dataclass(frozen=True)
class Source:
    """One module: its dotted name, and where it is."""

    module: str
    path: Path

    @cached_property
    def tree(self) -> ast.Module:
        """Return the syntax tree; read when first asked for."""
        return ast.parse(self.path.read_text())

    def imports(self) -> set[str]:
        """Return the dotted names of all modules it imports, wherever in the file."""
        return {name for node in ast.walk(self.tree) for name in _imported(node)}

    def strings(self) -> list[ast.Constant]:
        """Return the string constants that are not docstrings."""
        docs = {id(node.value) for node in ast.walk(self.tree) if isinstance(node, ast.Expr)}
        return [
            node
            for node in ast.walk(self.tree)
            if isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in docs
        ]


@cache
def sources() -> tuple[Source, ...]:
    """Return every module of the packages."""
    return tuple(
        Source(_module_of(path), path)
        for package in PACKAGES
        for path in sorted((ROOT / package).rglob("*.py"))
    )


def is_within(module: str, *prefixes: str) -> bool:
    """Whether a module is one of these, or inside one."""
    return any(module == prefix or module.startswith(f"{prefix}.") for prefix in prefixes)


def _module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _imported(node: ast.AST) -> list[str]:
    match node:
        case ast.Import(names=names):
            return [one.name for one in names]
        case ast.ImportFrom(module=str(module), names=names, level=0):
            # `from cloud import domain` imports cloud.domain: judge the longer name
            return [module, *(f"{module}.{one.name}" for one in names)]
    return []
