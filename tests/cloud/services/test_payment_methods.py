"""Cards are kept by the gateway; we know a reference and a label."""

import pytest

from cloud.domain.errors import NotFound, NotValid, PaymentDeclined, Unavailable
from cloud.services.money_ports import GatewayAway
from tests.cloud.services.money import ADMIN, VIEWER, a_money


@pytest.fixture
def money(rig, tmp_path):
    return a_money(rig, tmp_path)


def labels(money) -> list[tuple[str, bool]]:
    return [(one.label, one.is_default) for one in money.methods.list(VIEWER).methods]


def test_the_first_card_is_the_default_and_the_same_card_is_there_once(money):
    money.methods.save(VIEWER, "card_ok")
    money.methods.save(VIEWER, "card_declined")

    assert sorted(labels(money)) == [("Sandbox **** 0002", False), ("Sandbox **** 4242", True)]
    assert money.methods.list(VIEWER).provider == "sandbox"


def test_one_card_is_the_default(money):
    other = money.methods.save(VIEWER, "card_declined")
    after = money.methods.set_default(VIEWER, other.method_id)

    assert after.is_default
    assert sorted(labels(money)) == [("Sandbox **** 0002", True), ("Sandbox **** 4242", False)]


def test_a_token_nobody_made_is_declined(money):
    with pytest.raises(PaymentDeclined):
        money.methods.save(VIEWER, "card_of_my_neighbour")


def test_a_gateway_that_does_not_answer_is_unavailable(money, monkeypatch):
    def away(*_):
        raise GatewayAway("gone")

    monkeypatch.setattr(money.gateway, "keep_card", away)

    with pytest.raises(Unavailable):
        money.methods.save(VIEWER, "card_declined")


def test_a_removed_card_is_gone_another_becomes_the_default_and_it_may_come_back(money):
    (first,) = money.methods.list(VIEWER).methods
    money.methods.save(VIEWER, "card_declined")
    money.methods.remove(VIEWER, first.method_id)
    gone = labels(money)
    with pytest.raises(NotFound):
        money.methods.remove(VIEWER, first.method_id)
    again = money.methods.save(VIEWER, "card_ok")

    assert gone == [("Sandbox **** 0002", True)]
    assert again.method_id == first.method_id
    assert len(labels(money)) == 2


def test_a_card_the_gateway_cannot_forget_is_gone_for_us(money, monkeypatch):
    def away(_):
        raise GatewayAway("gone")

    monkeypatch.setattr(money.gateway, "forget_card", away)
    (card,) = money.methods.list(VIEWER).methods
    money.methods.remove(VIEWER, card.method_id)

    assert labels(money) == []


def test_a_card_something_is_to_be_paid_with_stays(money):
    (card,) = money.methods.list(VIEWER).methods
    held = money.hold()
    money.pay(held)

    with pytest.raises(NotValid):
        money.methods.remove(VIEWER, card.method_id)
    money.over(held.id, 0)
    money.until_quiet()
    money.methods.remove(VIEWER, card.method_id)
    assert labels(money) == []


def test_cards_are_their_owners_own(money):
    (card,) = money.methods.list(VIEWER).methods

    for act in (money.methods.set_default, money.methods.remove):
        with pytest.raises(NotFound):
            act(ADMIN, card.method_id)
    assert money.methods.list(ADMIN).methods == []
