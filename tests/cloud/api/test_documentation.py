"""The API's description: complete, consistent, and true of the routes."""

from collections.abc import Iterator
from typing import Any

import pytest

from cloud.api.problems import MEDIA_TYPE
from tests.cloud.api.house import House
from tests.cloud.api.test_who_may_do_what import ADMIN, TABLE, matches

WITHOUT_LOGIN = [(row[0], row[1]) for row in TABLE if row[3][None] != 401]


@pytest.fixture
def described(house: House) -> dict[str, Any]:
    return house.client().get("/openapi.json").json()


def operations(described) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in described["paths"].items():
        for method, operation in item.items():
            yield method.upper(), path, operation


def references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        for key, value in part.items():
            if key == "$ref":
                yield value
            else:
                yield from references(value)
    elif isinstance(part, list):
        for value in part:
            yield from references(value)


def test_it_is_openapi_3_1(described):
    assert described["openapi"] == "3.1.0"
    assert described["info"]["title"] == "Baywatt"


def test_every_reference_leads_somewhere(described):
    names = {reference.removeprefix("#/components/schemas/") for reference in references(described)}

    assert names <= set(described["components"]["schemas"])


def test_every_operation_has_a_readable_name_of_its_own(described):
    ids = [operation["operationId"] for _, _, operation in operations(described)]

    assert len(ids) == len(set(ids))
    assert all(name.isalpha() and name[0].islower() for name in ids)


def test_every_operation_says_what_it_does_and_how_it_may_fail(described):
    for method, path, operation in operations(described):
        assert operation["description"], (method, path)
        assert MEDIA_TYPE in operation["responses"]["default"]["content"]
        for status, response in operation["responses"].items():
            if status.isdigit() and int(status) >= 400:
                assert list(response["content"]) == [MEDIA_TYPE], (method, path, status)


def test_every_body_has_an_example(described):
    for method, path, operation in operations(described):
        if "requestBody" not in operation:
            continue
        content = operation["requestBody"]["content"]["application/json"]
        schema = content["schema"].get("$ref", "").removeprefix("#/components/schemas/")
        parts = described["components"]["schemas"]
        assert "example" in content or "example" in parts[schema], (method, path)


def test_routes_that_need_a_login_say_so(described):
    for method, path, operation in operations(described):
        is_open = any(asked == method and matches(path, known) for asked, known in WITHOUT_LOGIN)
        assert ("security" in operation) is not is_open, (method, path)
        assert is_open or "401" in operation["responses"], (method, path)


def test_routes_of_one_role_say_that_others_are_refused(described):
    admins = [(row[0], row[1]) for row in TABLE if row[3] is ADMIN]
    for method, path, operation in operations(described):
        if any(asked == method and matches(path, known) for asked, known in admins):
            assert "403" in operation["responses"], (method, path)


def test_every_row_of_the_table_is_described_or_left_out_for_a_reason(described):
    hidden = {"/metrics", "/openapi.json", "/api/v1/mailbox"}
    known = [(method, path) for method, path, _ in operations(described)]
    for method, asked, _, _ in TABLE:
        is_known = any(method == one and matches(path, asked) for one, path in known)
        is_hidden = asked in hidden or asked.startswith("/uploads/")
        assert is_known or is_hidden, (method, asked)


@pytest.mark.parametrize("name", ["BayView", "StationDetail", "SessionView", "AlertView"])
def test_answers_have_examples_that_fit_them(described, name):
    schema = described["components"]["schemas"][name]

    for example in schema["examples"]:
        assert set(example) == set(schema["properties"])
        assert set(schema["required"]) <= set(example)
