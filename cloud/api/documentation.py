"""The OpenAPI description: FastAPI's, with our problems in place of its own, and examples."""

from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from cloud.api.examples import EXAMPLES
from cloud.api.problems import FieldError, Problem, described

_ABOUT: Final = """\
Which charging bay is really free: OCPP chargers and bay sensors, held against each other.

Every status carries its situation, its reason, who witnessed it and until when it holds
(`valid_until`): after that, show UNKNOWN. What is not yours answers like what is not there: 404.
Errors are problem details (RFC 9457) with a stable `code`. Live streams are server-sent events:
a `snapshot`, then changes; come back with `Last-Event-ID`, and after `resync` start afresh.
"""

_REFERENCE: Final = "#/components/schemas/{model}"
_FOREIGN: Final = "#/components/schemas/HTTPValidationError"


def describe(app: FastAPI) -> dict[str, Any]:
    """Return the whole description."""
    schema = get_openapi(
        title=app.title,
        version=app.version,
        openapi_version="3.1.0",
        description=_ABOUT,
        routes=app.routes,
        servers=[{"url": app.state.settings.public_url}],
    )
    for path in schema["paths"].values():
        for operation in path.values():
            _mend_responses(operation["responses"])
    parts = schema["components"]["schemas"]
    for name in ("HTTPValidationError", "ValidationError"):
        parts.pop(name, None)
    for model in (FieldError, Problem):
        parts[model.__name__] = _plain(model.model_json_schema(ref_template=_REFERENCE))
    for name, example in EXAMPLES.items():
        parts[name]["examples"] = [example]
    return schema


def _mend_responses(responses: dict[str, Any]) -> None:
    """Drop FastAPI's own 422, which ours never is; say that anything may end in a problem."""
    content = responses.get("422", {}).get("content", {})
    foreign = content.get("application/json", {}).get("schema", {}).get("$ref")
    if foreign == _FOREIGN:
        del responses["422"]
    responses["default"] = described(500)[500] | {"description": "A problem."}


def _plain(schema: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in schema.items() if key != "$defs"}
