"""The OCPP schemas, for checking what the other side asks; compiled when first needed."""

import json
from functools import cache
from importlib import resources
from typing import Any

import jsonschema_rs


@cache
def _validator(version: str, name: str) -> Any:
    folder = resources.files(f"ocpp.{version}") / "schemas"
    text = (folder / f"{name}.json").read_text(encoding="utf-8-sig")
    return jsonschema_rs.validator_for(json.loads(text))


@cache
def actions(version: str) -> frozenset[str]:
    """Return every action of a version (`v16`, `v201`, `v21`)."""
    folder = resources.files(f"ocpp.{version}") / "schemas"
    names = (entry.name.removesuffix(".json") for entry in folder.iterdir())
    return frozenset(
        name.removesuffix("Request") for name in names if not name.endswith("Response")
    )


def fault_in(version: str, action: str, payload: dict[str, Any]) -> str:
    """Return what is wrong with a request; empty: nothing."""
    return _fault(_validator(version, action if version == "v16" else f"{action}Request"), payload)


def fault_in_answer(version: str, action: str, payload: dict[str, Any]) -> str:
    """Return what is wrong with an answer; empty: nothing."""
    return _fault(_validator(version, f"{action}Response"), payload)


def _fault(validator: Any, payload: dict[str, Any]) -> str:
    error = next(iter(validator.iter_errors(payload)), None)
    return "" if error is None else str(error.message)
