"""May this token charge here, by what the agent itself knows. Pure; the time is an argument."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from contracts.ids import BayId, Token, same_token
from contracts.plan import OfflinePolicy, Plan, PlannedReservation, TokenGrant


class Refusal(StrEnum):
    """Why not."""

    UNKNOWN = "unknown"
    BLOCKED = "blocked"
    EXPIRED = "expired"
    RESERVED = "reserved_for_another"
    CONCURRENT = "concurrent"
    """It runs as many sessions as it may."""


@dataclass(frozen=True, slots=True)
class Word:
    """A decision on a token; without a refusal it may charge."""

    refusal: Refusal | None = None
    parent_token: Token | None = None
    valid_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class StandingOrders:
    """A plan, indexed for the question that is asked at every charger."""

    offline_policy: OfflinePolicy = OfflinePolicy.REFUSE
    max_sessions_per_token: int = 0
    grants: dict[str, TokenGrant] = field(default_factory=dict)
    reservations: dict[BayId, tuple[PlannedReservation, ...]] = field(default_factory=dict)
    tariff_text: str = ""

    def max_sessions_of(self, token: Token) -> int:
        """Return how many sessions a token may run at the same time; 0: any number."""
        grant = self.grant_of(token)
        own = None if grant is None else grant.max_sessions
        return self.max_sessions_per_token if own is None else own

    def grant_of(self, token: Token) -> TokenGrant | None:
        """Return what the plan says of a token, however a charger wrote it."""
        return self.grants.get(same_token(token))


def orders_from(plan: Plan | None) -> StandingOrders:
    """Index a plan; without one nobody is known and nothing is promised."""
    if plan is None:
        return StandingOrders()
    by_bay: dict[BayId, tuple[PlannedReservation, ...]] = {}
    for reservation in plan.reservations:
        by_bay[reservation.bay_id] = (*by_bay.get(reservation.bay_id, ()), reservation)
    grants = {same_token(grant.token): grant for grant in plan.tokens}
    return StandingOrders(
        plan.offline_policy,
        plan.max_sessions_per_token,
        grants,
        by_bay,
        plan.tariff_text,
    )


def tariff_text(
    orders: StandingOrders, bays: Sequence[BayId], token: Token, now: datetime, said: str = ""
) -> str:
    """Return what a token is to pay: as agreed with its promise, as was `said`, or as all pay here."""
    promised = (promise_of(orders, bay, token, now) for bay in bays)
    agreed = (one.tariff_text for one in promised if one is not None and one.tariff_text)
    return next(agreed, said or orders.tariff_text)


def by_plan(
    orders: StandingOrders, token: Token, bays: Sequence[BayId], now: datetime
) -> Word | None:
    """Return the plan's word on a token; None: it does not know it.

    Who was promised one of these bays may charge while it is kept for them, early or in time, granted
    otherwise or not.
    """
    grant = orders.grant_of(token)
    if grant is None:
        ours = frozenset({same_token(token)})
        is_promised = any(_is_promised(orders, bay, ours, now) for bay in bays)
        return Word() if is_promised else None
    if not grant.is_valid:
        return Word(Refusal.BLOCKED, grant.parent_token)
    if grant.valid_until is not None and grant.valid_until <= now:
        return Word(Refusal.EXPIRED, grant.parent_token)
    return Word(None, grant.parent_token, grant.valid_until)


def by_policy(orders: StandingOrders) -> Word:
    """Return what is said to a token nobody nearer knows while the cloud is away."""
    is_lenient = orders.offline_policy is OfflinePolicy.ACCEPT
    return Word(None if is_lenient else Refusal.UNKNOWN)


def promise_of(
    orders: StandingOrders, bay: BayId, token: Token, now: datetime
) -> PlannedReservation | None:
    """Return the reservation by which this token may have the bay now, the earliest first."""
    ours = _family(orders, token, None)
    met = [one for one in _live(orders, bay, now) if ours & _family(orders, one.token, None)]
    return min(met, key=lambda one: one.starts_at, default=None)


def is_reserved_for_another(
    orders: StandingOrders,
    bays: Sequence[BayId],
    token: Token,
    parent_token: Token | None,
    now: datetime,
) -> bool:
    """Whether no bay of those the driver may mean is free for this token now.

    `bays` is one where the charger said which, else all in front of it. A reservation is met by its
    token, or by any of the same parent (OCPP 1.6 section 5.13, parentIdTag).
    """
    if not bays:
        return False
    ours = _family(orders, token, parent_token)
    return all(
        bool(_live(orders, bay, now)) and not _is_promised(orders, bay, ours, now) for bay in bays
    )


def _live(orders: StandingOrders, bay: BayId, now: datetime) -> list[PlannedReservation]:
    held = orders.reservations.get(bay, ())
    return [one for one in held if one.protected_from <= now < one.ends_at]


def _is_promised(orders: StandingOrders, bay: BayId, ours: frozenset[str], now: datetime) -> bool:
    return any(ours & _family(orders, one.token, None) for one in _live(orders, bay, now))


def _family(orders: StandingOrders, token: Token, parent_token: Token | None) -> frozenset[str]:
    grant = orders.grant_of(token)
    parent = parent_token or (grant.parent_token if grant else None)
    return frozenset({same_token(token)} | ({same_token(parent)} if parent else set()))
