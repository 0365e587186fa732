"""The page about tariffs is the engine's own words, and says what it would bill."""

import runpy

import pytest

from cloud.domain.tariff_data import data_of, tariff_of
from cloud.domain.tariff_document import EXAMPLES, document
from tests.support.processes import ROOT


def test_the_page_is_what_the_engine_says():
    assert (ROOT / "docs" / "tariffs.md").read_text() == document()


def test_the_page_is_written_by_the_command_it_names(capsys):
    runpy.run_path(str(ROOT / "cloud" / "domain" / "tariff_document.py"), run_name="__main__")

    assert capsys.readouterr().out == document()


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda one: one.title)
def test_every_example_is_a_tariff_that_could_be_made(example):
    assert data_of(tariff_of(example.body, "GBP")) == example.body
