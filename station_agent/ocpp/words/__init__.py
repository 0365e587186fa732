"""The standard's own words, one module a version: the enumerations of the `ocpp` package, without the rest.

To import `ocpp.v201.enums` is to run `ocpp.v201`, which makes a class of every message of the standard.
Nobody here uses one, and they cost a process 25 MB and half of the time it starts in.
"""

from importlib import resources
from importlib.util import module_from_spec, spec_from_file_location
from typing import Any


def words_of(version: str) -> dict[str, Any]:
    """Return the enumerations of a version, `v16`, `v201` or `v21`, by their names."""
    with resources.as_file(resources.files("ocpp") / version / "enums.py") as path:
        spec = spec_from_file_location(f"{__name__}.{version}", path)
        if spec is None or spec.loader is None:
            raise ImportError(f"the `ocpp` package has no words of {version} at {path}")
        module = module_from_spec(spec)
        spec.loader.exec_module(module)
    return {name: word for name, word in vars(module).items() if isinstance(word, type)}
