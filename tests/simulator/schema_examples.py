"""The smallest and the fullest request an OCPP schema allows, each made by rule."""

import json
from importlib import resources
from typing import Any


def examples(version: str, action: str) -> list[dict[str, Any]]:
    """Return a request with what is required alone, and one with all there can be."""
    name = action if version == "v16" else f"{action}Request"
    file = resources.files(f"ocpp.{version}") / "schemas" / f"{name}.json"
    schema = json.loads(file.read_text(encoding="utf-8-sig"))
    return [_example(schema, schema, is_full=is_full) for is_full in (False, True)]


def _example(schema: dict[str, Any], root: dict[str, Any], *, is_full: bool) -> Any:
    if "$ref" in schema:
        return _example(_followed(schema["$ref"], root), root, is_full=is_full)
    if "enum" in schema:
        return schema["enum"][-1 if is_full else 0]
    kind = schema.get("type", "object")
    if kind == "object":
        names = schema.get("properties", {}) if is_full else schema.get("required", [])
        wanted = [name for name in names if name != "customData"]
        return {
            name: _example(schema["properties"][name], root, is_full=is_full) for name in wanted
        }
    if kind == "array":
        return [_example(schema["items"], root, is_full=is_full)]
    return _scalar(kind, schema, is_full=is_full)


def _scalar(kind: str, schema: dict[str, Any], *, is_full: bool) -> Any:
    if kind in {"integer", "number"}:
        return schema.get("minimum", min(1, schema.get("maximum", 1)))
    return is_full if kind == "boolean" else _text(schema)


def _text(schema: dict[str, Any]) -> str:
    match schema.get("format"):
        case "date-time":
            return "2026-01-05T09:00:00Z"
        case "uri":
            return "https://example.org/"
    return "1"[: schema.get("maxLength", 1)]


def _followed(reference: str, root: dict[str, Any]) -> dict[str, Any]:
    return root["definitions"][reference.rsplit("/", 1)[1]]
