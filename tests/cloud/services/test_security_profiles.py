"""By how much a charger must prove itself: it only rises, until an administrator sets it anew (S03)."""

import pytest

from cloud.adapters.sql import tables
from cloud.domain.access import Role, Viewer
from cloud.domain.errors import NotAllowed, NotFound, NotValid
from cloud.services.plans import PlanService
from cloud.services.shelf import TariffShelf
from cloud.services.stations_admin import StationAdminService
from contracts.events import ChargerConnected
from contracts.plan import decode_plan
from tests.cloud.builders import CHARGER, STATION

ADMIN = Viewer("u-admin", Role.ADMIN)


class Keeping:
    """The rig with what sets profiles, and a charger that has a key."""

    def __init__(self, rig) -> None:
        self.rig = rig
        self.service = StationAdminService(rig.open_work, None, rig.clock)
        rig.execute(f"UPDATE chargers SET key_salt = '{'0' * 32}', key_hash = '{'f' * 64}'")

    def came(self, security_profile, **more) -> None:
        self.rig.agent.tell(
            ChargerConnected(
                charger_id=CHARGER,
                ocpp_version="1.6",
                security_profile=security_profile,
                **{"observed_at": self.rig.clock.now()} | more,
            )
        )

    def credential(self):
        rig = self.rig
        PlanService(rig.open_work, rig.broker, rig.clock, TariffShelf()).publish_changed()
        topic, body, _ = rig.broker.published[-1]
        assert topic.endswith(f"{STATION}/plan")
        return next(one for one in decode_plan(body).chargers if one.charger_id == CHARGER)

    def stands(self) -> int:
        return self.rig.row(tables.chargers, id=CHARGER).security_profile


@pytest.fixture
def keeping(rig):
    return Keeping(rig)


def test_s03_an_administrator_sets_a_charger_back_and_the_plan_says_since_when(keeping):
    keeping.came(3, profile_generation=0)
    before = keeping.credential()
    keeping.rig.pass_by(60)
    view = keeping.service.set_security_profile(ADMIN, CHARGER, 1)
    after = keeping.credential()
    row = keeping.rig.row(tables.chargers, id=CHARGER)

    assert (before.security_profile, before.profile_generation) == (3, 0)
    assert (after.security_profile, view.security_profile) == (1, 1)
    assert after.profile_generation == int(view.set_at.timestamp())
    assert (row.profile_set_by, row.profile_set_at) == ("u-admin", view.set_at)
    assert view.set_by == "u-admin"


def test_a_profile_set_twice_within_a_second_is_two_settings(keeping):
    keeping.service.set_security_profile(ADMIN, CHARGER, 2)
    first = keeping.credential().profile_generation
    keeping.service.set_security_profile(ADMIN, CHARGER, 1)

    assert keeping.credential().profile_generation == first + 1


def test_s03_logins_of_before_do_not_raise_it_again_and_those_since_do(keeping):
    keeping.came(3, profile_generation=0)
    keeping.rig.pass_by(60)
    keeping.service.set_security_profile(ADMIN, CHARGER, 1)
    generation = keeping.credential().profile_generation
    keeping.rig.pass_by(60)
    keeping.came(3, profile_generation=0)
    late = keeping.stands()
    keeping.came(2, profile_generation=generation)

    assert (late, keeping.stands()) == (1, 2)


def test_logins_at_an_agent_that_knows_of_no_settings_count_by_their_instant(keeping):
    before = keeping.rig.clock.now()
    keeping.rig.pass_by(60)
    keeping.service.set_security_profile(ADMIN, CHARGER, 1)
    keeping.came(3, observed_at=before)
    late = keeping.stands()
    keeping.rig.pass_by(1)
    keeping.came(2)

    assert (late, keeping.stands()) == (1, 2)


def test_a_profile_is_set_by_administrators_alone_and_of_chargers_there_are(keeping):
    with pytest.raises(NotAllowed):
        keeping.service.set_security_profile(Viewer("m", Role.MAINTENANCE), CHARGER, 1)
    with pytest.raises(NotFound):
        keeping.service.set_security_profile(ADMIN, "nobody", 1)
    with pytest.raises(NotValid):
        keeping.service.set_security_profile(ADMIN, CHARGER, 4)
