"""How CO2 saved is explained to who reads it: on pages, receipts and statements in the same words."""

from collections.abc import Callable
from functools import cache
from typing import Final

from cloud.domain.carbon import combustion_g, driven_m, grid_g
from cloud.services.carbon_views import Co2View
from cloud.services.formats import Formats
from cloud.services.texts import LOCALES, load
from cloud.services.texts import mark as _

SAVED: Final = _("CO\u2082 saved")
METHOD: Final = _(
    "CO\u2082 saved: with %(consumption)s an electric car drives 100 km. On the way a combustion car "
    "emits %(combustion)s, and making the electricity %(grid)s, which is taken off."
)
REASONING: Final = _("%(energy)s take it %(distance)s: %(avoided)s less %(made)s.")
CATALOGUES: Final = LOCALES / "carbon"
WORDS: Final = (SAVED, METHOD, REASONING)
"""What a catalogue must have."""


def saved(language: str) -> str:
    """Return what the figure is called."""
    return _say(language)(SAVED)


def method(co2: Co2View, language: str) -> str:
    """Return how the figure came about, with each factor, in whole sentences."""
    say, formats, factors = _say(language), Formats(language), co2.factors
    text = say(METHOD) % {
        "consumption": formats.amount(factors.car_wh_per_km * 100),
        "combustion": f"{factors.combustion_g_per_km} g/km",
        "grid": f"{factors.grid_g_per_kwh} g/kWh",
    }
    if not co2.driven_wh:
        return text
    here = say(REASONING) % {
        "energy": formats.amount(co2.driven_wh),
        "distance": formats.distance(driven_m(factors, co2.driven_wh)),
        "avoided": formats.mass(combustion_g(factors, co2.driven_wh)),
        "made": formats.mass(grid_g(factors, co2.driven_wh)),
    }
    return f"{text} {here}"


@cache
def _say(language: str) -> Callable[[str], str]:
    return load(language, CATALOGUES).gettext
