"""The JSON schemas of the `ocpp` package, compiled once an action; failures told as a Fault."""

from collections.abc import Callable, Mapping
from functools import cached_property
from importlib import resources
from itertools import islice
from typing import Any, Final

import jsonschema_rs
import msgspec

from station_agent.ocpp.dialects import Fault
from station_agent.ocpp.mending import Mended, mend

_MAX_ERRORS: Final = 50

FAULT_OF: Final[Mapping[str, Fault]] = {
    "Type": Fault.TYPE,
    "Required": Fault.INCOMPLETE,
    "AdditionalProperties": Fault.MISSHAPEN,
    "MinItems": Fault.OCCURRENCE,
    "MaxItems": Fault.OCCURRENCE,
}
"""By kind of schema error; every other kind is a value its field may not have."""

_NOTHING: Final = {"type": "object", "additionalProperties": False}

# With several faults in one message the first of these is the one told.
_TELLING: Final = (Fault.INCOMPLETE, Fault.TYPE, Fault.OCCURRENCE, Fault.PROPERTY, Fault.MISSHAPEN)


class Misfit(msgspec.Struct, frozen=True):
    """Why a payload does not fit its schema."""

    fault: Fault
    description: str
    """At most 255 characters, as an error frame takes."""


class Checker:
    """One schema; `definition` is the schema itself."""

    def __init__(self, definition: dict[str, Any]) -> None:
        self.definition = definition
        # Timestamps are read leniently by the handlers (QUIRKS 37), so formats are not checked.
        self._validator = jsonschema_rs.validator_for(definition, validate_formats=False)
        self.fits = self._validator.is_valid

    @cached_property
    def _fits_at_any_length(self) -> Callable[[Any], bool]:
        boundless = _without_lengths(self.definition)
        fits: Callable[[Any], bool] = jsonschema_rs.validator_for(
            boundless, validate_formats=False
        ).is_valid
        return fits

    def forgiven(self, payload: dict[str, Any]) -> Mended | None:
        """Return the payload without nulls and fields of no such name, its texts as long as they are.

        None: something else is wrong with it as well.
        """
        mended = mend(payload, self.definition)
        is_forgiven = mended.is_soft and self._fits_at_any_length(mended.payload)
        return mended if is_forgiven else None

    def misfit(self, payload: dict[str, Any]) -> Misfit | None:
        """Return the most telling of what is wrong; None if all is well."""
        found = [self._told(error) for error in islice(self._errors(payload), _MAX_ERRORS)]
        return min(found, key=lambda one: _TELLING.index(one.fault), default=None)

    def _errors(self, payload: dict[str, Any]) -> Any:
        return self._validator.iter_errors(payload)

    @staticmethod
    def _told(error: jsonschema_rs.ValidationError) -> Misfit:
        fault = FAULT_OF.get(type(error.kind).__name__, Fault.PROPERTY)
        where = ".".join(str(step) for step in error.instance_path)
        return Misfit(fault, f"{where}: {error.message}"[:255] if where else error.message[:255])


def _without_lengths(schema: Any) -> Any:
    """Return a schema that bounds no text."""
    match schema:
        case dict():
            kept = {key: one for key, one in schema.items() if key != "maxLength"}
            return {key: _without_lengths(one) for key, one in kept.items()}
        case list():
            return [_without_lengths(one) for one in schema]
        case _:
            return schema


class Schemas:
    """All requests and responses of one version, each read when first asked for."""

    def __init__(self, version: str, request_suffix: str) -> None:
        self._folder = resources.files("ocpp") / version / "schemas"
        self._request_suffix = request_suffix
        self._requests: dict[str, Checker] = {}
        self._responses: dict[str, Checker] = {}

    @cached_property
    def actions(self) -> frozenset[str]:
        """Every action of the version that has a response."""
        names = (file.name.removesuffix(".json") for file in self._folder.iterdir())
        return frozenset(
            name.removesuffix("Response") for name in names if name.endswith("Response")
        )

    def request(self, action: str) -> Checker:
        """Return the check of an action's request."""
        if action not in self._requests:
            self._requests[action] = self._load(action + self._request_suffix, action)
        return self._requests[action]

    def response(self, action: str) -> Checker:
        """Return the check of an action's response; what is never answered has an empty one."""
        if action not in self._responses:
            name = f"{action}Response"
            is_answered = action in self.actions
            self._responses[action] = self._load(name) if is_answered else Checker(dict(_NOTHING))
        return self._responses[action]

    def _load(self, *names: str) -> Checker:
        """Read the first of these schemas there is: those of messages never answered have no suffix."""
        files = [self._folder / f"{name}.json" for name in names]
        file = next((one for one in files if one.is_file()), files[0])
        return Checker(msgspec.json.decode(file.read_text(encoding="utf-8-sig")))
