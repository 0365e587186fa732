"""How CO2 saved is explained: with each factor, in each language."""

import pytest
from babel.messages.pofile import read_po

from cloud.domain.carbon import Factors
from cloud.services import carbon_words
from cloud.services.carbon_views import co2_view
from cloud.services.texts import LANGUAGES, SOURCE_LANGUAGE

FACTORS = Factors(car_wh_per_km=185, combustion_g_per_km=167, grid_g_per_kwh=210)


def test_the_method_says_each_factor_and_each_step():
    said = carbon_words.method(co2_view(FACTORS, 18_500), "en")

    for words in ("with 18.5 kWh", "167 g/km", "210 g/kWh", "100.0 km", "16.7 kg", "3.9 kg"):
        assert words in said


def test_of_nothing_driven_only_the_method_is_told():
    said = carbon_words.method(co2_view(FACTORS, 0), "de")

    assert "18,5 kWh" in said
    assert said.endswith("Stroms.")


@pytest.mark.parametrize("language", [one for one in LANGUAGES if one != SOURCE_LANGUAGE])
def test_every_word_is_translated_and_nothing_else(language):
    with (carbon_words.CATALOGUES / f"{language}.po").open("rb") as source:
        catalogue = {one.id: one.string for one in read_po(source) if one.id}

    assert set(catalogue) == set(carbon_words.WORDS)
    assert all(catalogue.values())
