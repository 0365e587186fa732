"""What another database could do otherwise: races, collations, bytes; on a real MariaDB."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select

from cloud.adapters.sql import tables
from tests.cloud.api import test_abuse, test_administration
from tests.cloud.api.house import V1, House, a_house, furnish_with_users
from tests.cloud.api.test_who_may_do_what import CELLS, Asked, ask, furnish, reset_token

pytestmark = [pytest.mark.real, pytest.mark.xdist_group("api on mariadb")]

AT_ONCE = 20


@pytest.fixture(scope="module")
def house(databases, app):
    url = databases.mariadb()
    furnish_with_users(url)
    with a_house(url, app) as built:
        furnish(built)
        yield built


@pytest.fixture(scope="module")
def admin(house: House):
    return house.client("admin")


@pytest.mark.parametrize(("path", "body"), test_administration.CREATING)
def test_twenty_of_the_same_at_once_have_one_effect_and_one_answer(house, path, body):
    clients = [house.client("admin") for _ in range(AT_ONCE)]
    headers = {"Idempotency-Key": f"key for {path}".replace(" ", "-")}
    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = list(pool.map(lambda c: c.post(path, json=body, headers=headers), clients))

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1


def test_twenty_who_put_the_same_token_at_once_leave_one(house, admin):
    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = list(pool.map(lambda _: admin.put(f"{V1}/tokens/RACE", json={}), range(AT_ONCE)))

    with house.engine.connect() as connection:
        kept = connection.execute(select(tables.charging_tokens)).all()
    assert {answer.status_code for answer in answers} <= {200, 503}
    assert [row.token for row in kept] == ["race"]


def test_twenty_who_make_the_same_user_at_once_make_one(admin):
    body = {"email": "race@example.org", "role": "driver"}
    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = list(pool.map(lambda _: admin.post(f"{V1}/users", json=body), range(AT_ONCE)))

    statuses = sorted(answer.status_code for answer in answers)
    assert statuses == [201] + [409] * (AT_ONCE - 1)


# who is turned away is so before any database is asked
LET_IN = [one for one in CELLS if one.status == 200 and "/events" not in one.path]


@pytest.mark.parametrize("asked", LET_IN, ids=str)
def test_each_asker_is_answered_as_the_table_says(house, asked: Asked):
    if "/tokens/OLD" in asked.path:
        reset_token(house)
    status = ask(house, asked).status_code

    assert status < 500 or status == 504
    assert status not in {401, 403, 404}


@pytest.mark.parametrize("text", test_abuse.INJECTIONS)
def test_an_injection_anywhere_is_only_text(house, admin, text):
    test_abuse.test_an_injection_in_a_header_is_only_text(house, text)
    test_abuse.test_an_injection_in_an_address_finds_nothing(admin, text)
    test_abuse.test_an_injection_in_a_query_is_only_text(admin, text)
    test_abuse.test_an_injection_in_a_body_is_only_text(admin, text)
