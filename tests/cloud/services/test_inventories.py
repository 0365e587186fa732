"""What chargers hold is what they last said; a whole report ends what it does not name."""

from datetime import timedelta

import pytest

from cloud.domain.access import Role, Viewer
from cloud.domain.errors import NotFound
from cloud.services.chargers import ChargerService
from cloud.services.inventories import InventoryService
from contracts.events import (
    ComponentEventReported,
    InventoryEntry,
    InventoryKind,
    InventoryReported,
    JobKind,
    JobProgressed,
)
from tests.cloud.builders import CHARGER, NOON, after

STAFF = Viewer("staff", Role.MAINTENANCE)


def told(*names, kind=InventoryKind.VARIABLE, at=NOON, **more):
    entries = [InventoryEntry(key=name, body={"says": name}) for name in names]
    return InventoryReported(
        charger_id=CHARGER, inventory=kind, entries=entries, observed_at=at, **more
    )


def step(status, at, request_id=7, **more):
    return JobProgressed(
        charger_id=CHARGER,
        job=JobKind.FIRMWARE,
        request_id=request_id,
        status=status,
        observed_at=at,
        **more,
    )


def held(rig, **more):
    return [one.key for one in InventoryService(rig.open_work).items(CHARGER, STAFF, **more).items]


def jobs(rig):
    return InventoryService(rig.open_work).jobs(CHARGER, STAFF).jobs


@pytest.fixture
def later(rig):
    rig.pass_by(300)
    return rig


def test_parts_add_up_and_what_is_gone_is_gone(later):
    later.agent.tell(told("b", "a"), told("c", gone=["a"]))

    assert held(later) == ["b", "c"]


def test_the_last_part_of_a_report_ends_what_the_report_did_not_name(later):
    later.agent.tell(told("old"), told("other", kind=InventoryKind.MONITOR))
    later.agent.tell(told("a", request_id=5), told("b", request_id=5, is_whole=True))

    assert held(later, kind="variable") == ["a", "b"]
    assert held(later, kind="monitor") == ["other"]


def test_a_whole_one_in_one_part_is_all_there_is(later):
    later.agent.tell(told("a", "b"))
    later.agent.tell(told("c", is_whole=True))
    now = held(later)
    later.agent.tell(told(is_whole=True))

    assert now == ["c"]
    assert held(later) == []


def test_the_same_key_twice_in_one_part_is_its_last(later):
    first, second = (InventoryEntry(key="a", body={"says": number}) for number in (1, 2))
    fact = told()
    fact = type(fact)(
        charger_id=CHARGER,
        inventory=InventoryKind.VARIABLE,
        entries=[first, second],
        observed_at=NOON,
    )
    later.agent.tell(fact)

    items = InventoryService(later.open_work).items(CHARGER, STAFF).items
    assert [one.body for one in items] == [{"says": 2}]


def test_items_come_in_pages(later):
    later.agent.tell(told(*"edcba"))
    service = InventoryService(later.open_work)
    first = service.items(CHARGER, STAFF, limit=2)
    second = service.items(CHARGER, STAFF, limit=2, cursor=first.next_cursor)
    third = service.items(CHARGER, STAFF, limit=2, cursor=second.next_cursor)

    assert [[one.key for one in page.items] for page in (first, second, third)] == [
        ["a", "b"],
        ["c", "d"],
        ["e"],
    ]
    assert third.next_cursor is None


def test_a_job_is_its_latest_step_and_keeps_when_it_began(later):
    later.agent.tell(step("Downloading", after(1), detail={"location": "x"}))
    later.agent.tell(step("Installed", after(9), is_over=True))
    later.agent.tell(step("Downloaded", after(5)))

    assert [(one.status, one.is_over, one.detail) for one in jobs(later)] == [
        ("Installed", True, {"location": "x"})
    ]
    assert jobs(later)[0].started_at == after(1)


def test_a_job_without_a_number_of_its_own_begins_anew(later):
    later.agent.tell(step("Uploaded", after(1), request_id=0, is_over=True, detail={"file": "1"}))
    later.agent.tell(step("Uploading", after(5), request_id=0))

    assert [(one.status, one.is_over, one.detail, one.started_at) for one in jobs(later)] == [
        ("Uploading", False, {}, after(5))
    ]


def test_an_answer_that_comes_after_the_first_step_only_completes_the_job(later):
    later.agent.tell(step("Downloading", after(1)))
    later.agent.tell(step("Accepted", after(2), detail={"location": "x"}))

    assert [(one.status, one.detail) for one in jobs(later)] == [("Downloading", {"location": "x"})]


def test_a_job_that_takes_anothers_place_cancels_it(later):
    later.agent.tell(step("Downloading", after(1)), step("Installed", after(1), 6, is_over=True))
    later.agent.tell(step("AcceptedCanceled", after(2), request_id=8))

    assert {one.request_id: (one.status, one.is_over) for one in jobs(later)} == {
        6: ("Installed", True),
        7: ("Canceled", True),
        8: ("AcceptedCanceled", False),
    }


@pytest.mark.parametrize(
    ("ordered", "kept"),
    [({"location": "ftp://x", "checksum": "a1"}, ["a1"]), ({"location": "ftp://x"}, [])],
)
def test_published_firmware_is_held_by_the_checksum_of_its_order(later, ordered, kept):
    def publishing(status, at, **more):
        return JobProgressed(
            charger_id=CHARGER,
            job=JobKind.PUBLISH_FIRMWARE,
            request_id=4,
            status=status,
            observed_at=at,
            **more,
        )

    later.agent.tell(publishing("Accepted", after(1), detail=ordered))
    later.agent.tell(publishing("ChecksumVerified", after(2)))
    there = {"published_at": ["http://10.0.0.2/fw"]}
    later.agent.tell(publishing("Published", after(3), is_over=True, detail=there))

    items = InventoryService(later.open_work).items(CHARGER, STAFF, kind="firmware").items
    assert [one.key for one in items] == kept
    assert all(one.body == {"location": "ftp://x", "request_id": 4} | there for one in items)


def test_a_charger_of_nobody_we_know_holds_nothing(later):
    fact = InventoryReported(
        charger_id="STRANGER", inventory=InventoryKind.VARIABLE, observed_at=NOON
    )
    later.agent.tell(fact)

    with pytest.raises(NotFound):
        InventoryService(later.open_work).items("STRANGER", STAFF)


def test_other_owners_see_nothing_of_it(later):
    later.agent.tell(told("a"))

    with pytest.raises(NotFound):
        InventoryService(later.open_work).items(CHARGER, Viewer("somebody", Role.OWNER))


def test_a_value_alone_leaves_the_rest_that_is_known_of_a_variable(later):
    def variable(**attribute):
        entry = InventoryEntry(
            key="a", body={"variableAttribute": [attribute], "value": attribute["value"]}
        )
        return type(told())(
            charger_id=CHARGER,
            inventory=InventoryKind.VARIABLE,
            entries=[entry],
            observed_at=NOON,
        )

    later.agent.tell(variable(value="1", mutability="ReadOnly"))
    later.agent.tell(variable(value="2"))
    (item,) = InventoryService(later.open_work).items(CHARGER, STAFF).items

    assert item.body["variableAttribute"] == [{"value": "2", "mutability": "ReadOnly"}]


def test_a_customers_data_is_shown_for_a_day_and_never_logged(later):
    def customer(at):
        return JobProgressed(
            charger_id=CHARGER,
            job=JobKind.CUSTOMER_INFORMATION,
            request_id=3,
            status="Reported",
            is_over=True,
            detail={"parts": 1, "data_0": "N. N."},
            observed_at=at,
        )

    later.agent.tell(customer(later.clock.now()))
    shown = jobs(later)[0].detail
    log = ChargerService(later.open_work).log(CHARGER, STAFF)
    with later.open_work() as work:
        early = work.jobs.forget_customers(later.clock.now() - timedelta(hours=1), 10)
        late = work.jobs.forget_customers(later.clock.now() + timedelta(seconds=1), 10)
        again = work.jobs.forget_customers(later.clock.now() + timedelta(seconds=1), 10)
        work.commit()

    assert shown["data_0"] == "N. N."
    assert "N. N." not in str(log)
    assert (early, late, again) == (0, 1, 0)
    assert jobs(later)[0].detail == {"parts": 1}
    assert jobs(later)[0].status == "Forgotten"


@pytest.mark.parametrize(("severity", "is_told"), [(2, True), (8, False), (None, True)])
def test_what_a_monitor_sees_is_as_severe_as_it_was_told(later, severity, is_told):
    monitor = InventoryEntry(key="7", body={"id": 7, "severity": severity})
    held = InventoryReported(
        charger_id=CHARGER, inventory=InventoryKind.MONITOR, entries=[monitor], observed_at=NOON
    )
    event = ComponentEventReported(
        charger_id=CHARGER,
        component="Heater",
        variable="Temperature",
        value="81",
        trigger="Alerting",
        monitor_id=7,
        observed_at=later.clock.now(),
    )
    later.agent.tell(held)
    later.agent.tell(event)

    assert any("Heater" in key for key in later.open_alerts()) is is_told
