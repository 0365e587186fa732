"""The cashier's loop: what is due is carried out, and one that fails holds up no other."""

import pytest

from cloud.domain.payments import Method
from cloud.domain.reservations import Status
from cloud.services.payments import PayBy
from cloud.services.ports import DatabaseAway
from cloud.workers.cashier import Cashier
from tests.cloud.services.money import VIEWER, a_money
from tests.cloud.services.rig import a_rig


@pytest.fixture
def money(databases, tmp_path):
    rig = a_rig(databases.sqlite())
    yield a_money(rig, tmp_path)
    rig.engine.dispose()


def start(money, card: str):
    held = money.hold()
    by = PayBy(method=Method.CARD, method_id=money.save_card(card))
    money.payments.pay_reservation(VIEWER, held.id, by)
    return held.id


def test_what_was_written_is_carried_out_until_nothing_is_due(money):
    held = [start(money, "card_ok") for _ in range(10)]
    worker, rounds = Cashier(money.cashier), 0
    while worker.step():
        rounds += 1

    assert {money.reservation(one).status for one in held} == {Status.BOOKED}
    assert rounds == 3
    assert not worker.step()


def test_a_step_that_fails_here_is_put_off_and_the_others_go_on(money, monkeypatch):
    poisoned, good = start(money, "card_declined"), start(money, "card_ok")
    real = money.gateway.authorise

    def authorise(key, amount_minor, currency, card):
        if card == "card_declined":
            raise KeyError("a bug")
        return real(key, amount_minor, currency, card)

    monkeypatch.setattr(money.gateway, "authorise", authorise)
    worker = Cashier(money.cashier)
    worker.step()

    assert money.reservation(good).status is Status.BOOKED
    assert money.reservation(poisoned).status is Status.HELD
    (waiting,) = money.open()
    assert waiting.next_attempt_at > money.clock.now()
    assert "log" in waiting.last_error


def test_a_database_that_is_away_ends_the_round_after_all_had_their_turn(money, monkeypatch):
    start(money, "card_ok")
    start(money, "card_ok")
    tried = []

    def away(self, step):
        tried.append(step.id)
        raise DatabaseAway("gone")

    monkeypatch.setattr(type(money.cashier), "carry_out", away)

    with pytest.raises(DatabaseAway):
        Cashier(money.cashier).step()
    assert len(tried) == 2
