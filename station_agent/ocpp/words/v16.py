"""The words of OCPP 1.6."""

from typing import TYPE_CHECKING

from station_agent.ocpp.words import words_of

if TYPE_CHECKING:
    from ocpp.v16.enums import *  # noqa: F403
else:
    globals().update(words_of("v16"))
