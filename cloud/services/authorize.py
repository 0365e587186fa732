"""May this token charge? Asked by agents that do not know it."""

from collections.abc import Mapping
from datetime import datetime

from cloud.services.fact_ports import Grant
from contracts.batch import AuthorizeAnswer, AuthorizeAsk
from contracts.ids import StationId, same_token


def answer(
    station_id: StationId,
    ask: AuthorizeAsk,
    grants: Mapping[str, Grant],
    now: datetime,
    tariff_text: str = "",
) -> AuthorizeAnswer:
    """Return the cloud's word: yes only to a token it knows, valid now, and what it is to pay."""
    grant = grants.get(same_token(ask.token))
    is_accepted = grant is not None and is_good(grant, now)
    return AuthorizeAnswer(
        station=station_id,
        ask_id=ask.ask_id,
        is_accepted=is_accepted,
        refusal="" if grant is None or is_accepted else _refusal(grant),
        parent_token=grant.parent_token if grant is not None and is_accepted else None,
        valid_until=grant.valid_until if grant is not None and is_accepted else None,
        tariff_text=tariff_text if is_accepted else "",
    )


def _refusal(grant: Grant) -> str:
    return "expired" if grant.is_valid else "blocked"


def is_good(grant: Grant, now: datetime) -> bool:
    """Whether a token may charge now."""
    return grant.is_valid and (grant.valid_until is None or now < grant.valid_until)
