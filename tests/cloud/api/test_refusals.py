"""Every refusal has its row in the one table, and a code of its own."""

from cloud.api.errors import STATUS, status_of
from cloud.domain import errors
from cloud.domain.errors import Refused


def every_refusal(kind: type[Refused] = Refused) -> set[type[Refused]]:
    return {kind}.union(*(every_refusal(child) for child in kind.__subclasses__()))


def test_every_refusal_of_the_house_has_its_own_status():
    ours = {kind for kind in every_refusal() if kind.__module__ == errors.__name__}

    assert ours - {Refused} == set(STATUS)


def test_codes_are_stable_words_used_once():
    codes = [kind.code for kind in every_refusal() if kind is not Refused]

    assert len(codes) == len(set(codes))
    assert all(code.isidentifier() and code == code.lower() for code in codes)


def test_a_refusal_without_a_row_is_answered_as_its_parent():
    class AlreadyGone(errors.NotFound):
        pass

    assert status_of(AlreadyGone()) == 404
    assert status_of(Refused()) == 400
