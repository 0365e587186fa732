"""The words of OCPP 2.0.1."""

from typing import TYPE_CHECKING

from station_agent.ocpp.words import words_of

if TYPE_CHECKING:
    from ocpp.v201.enums import *  # noqa: F403
else:
    globals().update(words_of("v201"))
