"""May this token charge? Asked by agents that do not know it."""

from collections.abc import Mapping
from datetime import datetime

from cloud.domain.sessions import Session
from cloud.services.fact_ports import Grant
from contracts.batch import AuthorizeAnswer, AuthorizeAsk
from contracts.ids import StationId, same_token


def answer(
    station_id: StationId,
    ask: AuthorizeAsk,
    grants: Mapping[str, Grant],
    now: datetime,
    tariff_text: str = "",
    *,
    is_busy: bool = False,
) -> AuthorizeAnswer:
    """Return the cloud's word: yes only to a token it knows, valid now, that may begin one more.

    `tariff_text` is what it is to pay.
    """
    grant = grants.get(same_token(ask.token))
    is_accepted = grant is not None and is_good(grant, now) and not is_busy
    return AuthorizeAnswer(
        station=station_id,
        ask_id=ask.ask_id,
        is_accepted=is_accepted,
        refusal="" if grant is None or is_accepted else _refusal(grant, now),
        parent_token=grant.parent_token if grant is not None and is_accepted else None,
        valid_until=grant.valid_until if grant is not None and is_accepted else None,
        tariff_text=tariff_text if is_accepted else "",
    )


def _refusal(grant: Grant, now: datetime) -> str:
    if is_good(grant, now):
        return "concurrent"
    return "expired" if grant.is_valid else "blocked"


def limit_of(ask: AuthorizeAsk, grants: Mapping[str, Grant], any_token: int) -> int:
    """Return how many sessions may run once the one asked for has begun; 0: any number.

    `any_token` is what the station lets a token of which nobody said anything else.
    """
    grant = grants.get(same_token(ask.token))
    if ask.begins_on is None or grant is None:
        return 0
    return any_token if grant.max_sessions is None else grant.max_sessions


def is_elsewhere(session: Session, ask: AuthorizeAsk) -> bool:
    """Whether a session is none that is asked for, or that ends by its beginning."""
    is_its_charger = session.charger_id == ask.charger_id
    return not (is_its_charger and ask.begins_on in {0, session.evse_id})


def is_good(grant: Grant, now: datetime) -> bool:
    """Whether a token may charge now."""
    return grant.is_valid and (grant.valid_until is None or now < grant.valid_until)
