"""What the documents say of OCPP is what the code and the tests do."""

from station_agent.ocpp import table
from station_agent.ocpp.handshake import VERSIONS
from tests.certification import cases
from tests.support.processes import ROOT


def test_the_table_of_actions_is_the_codes_own():
    assert (ROOT / "docs" / "ocpp.md").read_text() == table.document()


def test_the_table_of_actions_has_every_action_of_every_version_in_a_direction():
    for version in VERSIONS.values():
        both = version.inbound() & table.outbound(version)

        assert version.schemas.actions <= version.inbound() | table.outbound(version)
        assert both == {"DataTransfer"}


def test_the_document_of_certification_cases_is_the_tests_own():
    assert (ROOT / "docs" / "certification.md").read_text() == cases.document()


def test_p10_every_case_of_part_6_is_a_test_or_left_out_with_a_reason():
    assert cases.missing() == []


def test_p10_no_case_is_left_out_without_need_or_named_twice():
    tested = {case.id for case in cases.tested()}

    assert set(cases.LEFT_OUT) <= set(cases.ids()) - tested
    assert len(set(cases.ids())) == len(cases.ids())
