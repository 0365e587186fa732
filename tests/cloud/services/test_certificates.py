"""A certificate a charger asks for is signed once, delivered until it is taken, and renewed in time."""

from dataclasses import replace
from datetime import timedelta

import pytest

from cloud.domain.access import Role, Viewer
from cloud.domain.certificates import MOST_DELIVERED
from cloud.domain.errors import NotAllowed, NotFound
from cloud.services.certificates import CertificateService
from cloud.services.commands import CommandService
from cloud.services.plans import PlanService
from cloud.services.security_ports import AuthorityAway, CsrRefused, Signed
from cloud.services.shelf import TariffShelf
from cloud.services.stations_admin import StationAdminService
from contracts.commands import DeliverCertificate, TriggerMessage, decode_command
from contracts.events import (
    CertificateRequested,
    ChargerConnected,
    ChargerDisconnected,
    CommandAnswered,
    CommandOutcome,
)
from contracts.plan import decode_plan
from tests.cloud.builders import CHARGER, STATION

STAFF = Viewer("staff", Role.MAINTENANCE)
OWN = "ChargingStationCertificate"


class Authority:
    """Signs by counting."""

    def __init__(self, clock) -> None:
        self.clock = clock
        self.signed: list[tuple[str, ...]] = []
        self.problem: Exception | None = None

    def sign(self, csr, names, purpose) -> Signed:
        if self.problem is not None:
            raise self.problem
        self.signed.append((csr, *names, purpose))
        number = len(self.signed)
        return Signed(f"chain {number}", f"{number}f", self.clock.now() + timedelta(days=90))

    def roots(self) -> dict[str, str]:
        return {"CSMSRootCertificate": "root"}


class Chain:
    """The rig with the services certificates need."""

    def __init__(self, rig) -> None:
        self.rig = rig
        self.authority = Authority(rig.clock)
        self.service = CertificateService(rig.open_work, rig.clock, self.authority)
        rig.pass_by(300)
        self.came()

    def came(self, serial="") -> None:
        fact = ChargerConnected(
            charger_id=CHARGER,
            ocpp_version="2.0.1",
            security_profile=3 if serial else 1,
            certificate_serial=serial,
            observed_at=self.rig.clock.now(),
        )
        self.rig.agent.tell(fact)

    def counting(self) -> list[str]:
        """Return the serial numbers of the newest plan that was sent."""
        rig = self.rig
        PlanService(rig.open_work, rig.broker, rig.clock, TariffShelf()).publish_changed()
        sent = self.rig.broker.published
        plans = [body for topic, body, _ in sent if topic.endswith(f"{STATION}/plan")]
        return decode_plan(plans[-1]).chargers[0].certificate_serials

    def left(self) -> None:
        now = self.rig.clock.now()
        self.rig.agent.tell(ChargerDisconnected(charger_id=CHARGER, observed_at=now))

    def asks(self, csr="csr", purpose=OWN, **more) -> None:
        fact = CertificateRequested(
            charger_id=CHARGER,
            csr=csr,
            purpose=purpose,
            observed_at=self.rig.clock.now(),
            **more,
        )
        self.rig.agent.tell(fact)
        self.service.sign_waiting()

    def tick(self) -> None:
        rig = self.rig
        replace(rig.deadlines, certifying=self.service).do_due()
        commands = CommandService(rig.open_work, rig.broker, rig.clock, rig.policy.stale_after)
        commands.hand_over_unsent()
        commands.expire_overdue()

    def sent(self, kind=DeliverCertificate) -> list:
        published = self.rig.broker.published
        found = {
            command.id: command
            for topic, body, _ in published
            if topic.endswith("/commands")
            for command in [decode_command(body)]
        }
        return [one for one in found.values() if isinstance(one.request, kind)]

    def answered(self, outcome, **answer) -> None:
        fact = CommandAnswered(
            command_id=self.sent()[-1].id,
            outcome=outcome,
            answer=answer,
            observed_at=self.rig.clock.now(),
        )
        self.rig.agent.tell(fact)
        self.tick()

    def stands(self) -> list[str]:
        found = self.service.of_charger(STAFF, CHARGER).certificates
        return [one.status for one in found]


@pytest.fixture
def chain(rig):
    return Chain(rig)


def test_a_request_is_signed_and_delivered(chain):
    chain.asks(request_id=4)
    chain.tick()
    (command,) = chain.sent()
    chain.answered(CommandOutcome.ACCEPTED, status="Accepted")

    assert chain.authority.signed[0][:2] == ("csr", CHARGER)
    assert command.request == DeliverCertificate(
        charger_id=CHARGER, chain="chain 1", purpose=OWN, request_id=4, serial_number="1f"
    )
    assert chain.stands() == ["installed"]
    assert chain.service.of_charger(STAFF, CHARGER).roots == {"CSMSRootCertificate": "root"}


def test_a_request_the_authority_refuses_says_why(chain):
    chain.authority.problem = CsrRefused("has a key that is too short")
    chain.asks()
    (shown,) = chain.service.of_charger(STAFF, CHARGER).certificates

    assert (shown.status, shown.why) == ("refused", "has a key that is too short")
    assert chain.sent() == []


def test_an_authority_that_is_away_is_asked_again(chain):
    chain.authority.problem = AuthorityAway("no route")
    chain.asks()
    waiting = chain.stands()
    chain.authority.problem = None
    chain.service.sign_waiting()

    assert waiting == ["requested"]
    assert chain.stands() == ["signed"]


def test_the_newest_request_of_a_purpose_takes_the_place_of_those_before(chain):
    chain.asks("first")
    chain.rig.pass_by(1)
    chain.asks("of another purpose", "V2GCertificate")
    chain.rig.pass_by(1)
    chain.asks("second")

    assert chain.stands() == ["signed", "signed", "replaced"]


def test_a_charger_that_is_away_gets_its_certificate_when_it_comes(chain):
    chain.left()
    chain.asks()
    chain.tick()
    before = chain.sent()
    chain.rig.pass_by(1)
    chain.came()
    chain.tick()

    assert before == []
    assert len(chain.sent()) == 1


def test_a_lost_delivery_is_tried_again_and_given_up_in_the_end(chain):
    chain.asks()
    for _ in range(MOST_DELIVERED + 1):
        chain.tick()
        chain.rig.pass_by(70, is_heard=True)
        chain.tick()
        chain.rig.pass_by(70, is_heard=True)

    assert len(chain.sent()) == MOST_DELIVERED
    assert chain.stands() == ["rejected"]


def test_a_certificate_the_charger_rejects_is_over(chain):
    chain.asks()
    chain.tick()
    chain.answered(CommandOutcome.REJECTED, status="Rejected")
    (shown,) = chain.service.of_charger(STAFF, CHARGER).certificates

    assert (shown.status, shown.why) == ("rejected", "the charger did not take it")


def test_a_certificate_is_renewed_before_its_end_and_asked_for_daily_until_it_is(chain):
    chain.asks()
    chain.tick()
    chain.answered(CommandOutcome.ACCEPTED, status="Accepted")
    early = len(chain.sent(TriggerMessage))
    chain.rig.pass_by(60 * 86_400, is_heard=True)
    chain.tick()
    once = chain.sent(TriggerMessage)
    chain.rig.pass_by(86_400, is_heard=True)
    chain.tick()
    twice = chain.sent(TriggerMessage)
    chain.asks("renewed")
    chain.tick()
    chain.answered(CommandOutcome.ACCEPTED, status="Accepted")

    assert early == 0
    assert [one.request.message for one in once] == ["SignChargingStationCertificate"]
    assert len(twice) == 2
    assert chain.stands() == ["installed", "replaced"]


@pytest.fixture
def keyed(chain):
    chain.rig.execute(f"UPDATE chargers SET key_salt = '{'0' * 32}', key_hash = '{'f' * 64}'")
    return chain


def renewed(chain, csr) -> None:
    chain.rig.pass_by(60, is_heard=True)
    chain.asks(csr)
    chain.tick()
    chain.answered(CommandOutcome.ACCEPTED, status="Accepted")


def test_s03_a_certificate_counts_until_the_charger_comes_by_a_newer_one(keyed):
    keyed.counting()
    renewed(keyed, "first")
    unused = keyed.counting()
    keyed.came("1f")
    first = keyed.counting()
    keyed.rig.pass_by(60, is_heard=True)
    keyed.asks("second")
    both = keyed.counting()
    keyed.came("1f")
    still_both = keyed.counting()
    keyed.came("2f")

    assert (unused, first) == ([], ["1f"])
    assert both == still_both == ["2f", "1f"]
    assert keyed.counting() == ["2f"]


def test_s03_one_that_was_given_up_counts_too_for_the_charger_may_have_it(keyed):
    renewed(keyed, "first")
    keyed.came("1f")
    keyed.rig.pass_by(60, is_heard=True)
    keyed.asks("second")
    keyed.tick()
    keyed.answered(CommandOutcome.REJECTED, status="Rejected")

    assert keyed.stands() == ["rejected", "installed"]
    assert keyed.counting() == ["2f", "1f"]


def test_s03_what_was_issued_elsewhere_or_for_cars_is_not_held_against_a_charger(keyed):
    keyed.counting()
    keyed.asks("for cars", "V2GCertificate")
    keyed.came("1f")
    keyed.came("cafe")

    assert keyed.counting() == []


def test_s03_a_profile_set_anew_lets_another_box_come_by_its_own_certificate(keyed):
    renewed(keyed, "first")
    keyed.came("1f")
    before = keyed.counting()
    keyed.rig.pass_by(60, is_heard=True)
    admin = StationAdminService(keyed.rig.open_work, None, keyed.rig.clock)
    admin.set_security_profile(Viewer("u-admin", Role.ADMIN), CHARGER, 3)

    assert (before, keyed.counting()) == (["1f"], [])


def test_drivers_and_strangers_see_no_certificates(chain):
    with pytest.raises(NotAllowed):
        chain.service.of_charger(Viewer("d", Role.DRIVER), CHARGER)
    with pytest.raises(NotFound):
        chain.service.of_charger(STAFF, "CP-OF-NOBODY")
