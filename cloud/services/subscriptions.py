"""Subscriptions: plans, who pays for them month by month, and what that takes off."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import uuid4

from cloud.domain import postings
from cloud.domain import subscriptions as rules
from cloud.domain.access import Role, Viewer
from cloud.domain.errors import AlreadyExists, NotAllowed, NotFound, NotValid
from cloud.domain.notices import NoticeKind
from cloud.domain.payments import Method, Purpose, StepKind
from cloud.domain.subscriptions import (
    COMPONENTS,
    Due,
    Subscription,
    SubscriptionPlan,
    SubscriptionState,
)
from cloud.services.collaborators import Notice, Telling
from cloud.services.fact_ports import Deadline, DeadlineKind
from cloud.services.idempotency import Once, do_once
from cloud.services.payment_methods import means_of
from cloud.services.payments import PayBy
from cloud.services.ports import Clock, OpenWork, UnitOfWork
from cloud.services.retrying import retried
from cloud.services.till import WALLET, Opening, TillService

_MOST_PCT: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanView:
    """What can be subscribed to."""

    plan_id: str
    name: str
    currency: str
    monthly_minor: int
    discounts: dict[str, int]
    """Percent off, by tariff component (OCPI's words): `{"ENERGY": 10}`."""
    is_offered: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanList:
    """Plans, by name."""

    plans: list[PlanView]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPlan:
    """A plan to be made."""

    name: str
    currency: str
    monthly_minor: int
    discounts: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionView:
    """Somebody's plan, and until when it is paid for."""

    subscription_id: str
    plan: PlanView
    state: str
    """`pending`, `active`, `declined`, `canceled`, `unpaid`."""
    method: str
    method_id: str | None
    started_at: datetime
    paid_until: datetime | None
    is_ending: bool
    """Canceled: it ends with the month that is paid for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionList:
    """A user's subscriptions, newest first."""

    subscriptions: list[SubscriptionView]


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscribed:
    """A subscription whose first month is being paid for."""

    subscription_id: str
    payment_id: str


def _new_id() -> str:
    return uuid4().hex


@dataclass(frozen=True, slots=True)
class SubscriptionMonths:
    """See till.Months."""

    telling: Telling

    def account(self, work: UnitOfWork, subject: str) -> str:
        """See Months.account."""
        return f"subscription/{_of(work, subject).plan_id}"

    def paid(self, work: UnitOfWork, subject: str, amount_minor: int, now: datetime) -> bool:
        """See Months.paid."""
        subscription = _of(work, subject)
        if not subscription.is_running:
            return False
        after = rules.paid(subscription)
        self._put(work, after, now)
        until = "" if after.paid_until is None else after.paid_until.isoformat()
        data = {"amount_minor": amount_minor, "paid_until": until}
        self._tell(work, after, NoticeKind.SUBSCRIPTION_RENEWED, data, now)
        return True

    def refused(self, work: UnitOfWork, subject: str, now: datetime) -> None:
        """See Months.refused."""
        subscription = _of(work, subject)
        if not subscription.is_running:
            return
        after = rules.refused(subscription)
        self._put(work, after, now)
        if after.state is SubscriptionState.UNPAID:
            plan = _plan(work, after.plan_id)
            data = {"amount_minor": plan.monthly_minor}
            self._tell(work, after, NoticeKind.SUBSCRIPTION_UNPAID, data, now)

    def _put(self, work: UnitOfWork, subscription: Subscription, now: datetime) -> None:
        work.subscriptions.put(subscription)
        set_deadline(work, subscription, now)

    def _tell(
        self,
        work: UnitOfWork,
        subscription: Subscription,
        kind: NoticeKind,
        data: Mapping[str, object],
        now: datetime,
    ) -> None:
        plan = _plan(work, subscription.plan_id)
        known = {"plan_name": plan.name, "currency": plan.currency}
        cause = f"{kind}/{subscription.id}/{subscription.months}"
        notice = Notice(
            user_id=subscription.user_id, kind=kind, cause=cause, data={**known, **data}
        )
        self.telling.tell(work, notice, now)


@dataclass(frozen=True, slots=True)
class SubscriptionService:
    """Plans are administrators' to make; subscriptions everybody's own."""

    open_work: OpenWork
    clock: Clock
    till: TillService
    provider: str
    new_id: Callable[[], str] = field(default=_new_id)

    # --- plans ------------------------------------------------------------------------------------

    def plans(self, viewer: Viewer | None = None) -> PlanList:
        """Return what is offered; to administrators also what is not any more."""
        is_admin = viewer is not None and viewer.role is Role.ADMIN
        with self.open_work(is_read_only=True) as work:
            found = work.subscriptions.plans(is_offered=None if is_admin else True)
        return PlanList(plans=[_plan_view(one) for one in found])

    @retried
    def add_plan(self, viewer: Viewer, asked: NewPlan, once: Once | None = None) -> PlanView:
        """Make a plan; its price never changes: another price is another plan.

        Raises:
            NotAllowed: the viewer is no administrator.
            NotValid: a discount on what there is not, or of more than all.
        """
        _demand_admin(viewer)
        wrong = set(asked.discounts) - COMPONENTS
        if wrong or any(not 0 <= one <= _MOST_PCT for one in asked.discounts.values()):
            raise NotValid("discounts", "Percent (0 to 100) by ENERGY, TIME, PARKING_TIME or FLAT.")
        if asked.monthly_minor <= 0:
            raise NotValid("monthly_minor", "A plan has a price.")
        now = self.clock.now()

        def add() -> PlanView:
            plan = SubscriptionPlan(
                id=self.new_id(),
                name=asked.name,
                currency=asked.currency,
                monthly_minor=asked.monthly_minor,
                discounts=dict(asked.discounts),
                created_at=now,
            )
            work.subscriptions.add_plan(plan)
            return _plan_view(plan)

        with self.open_work() as work:
            made = do_once(work, once, now, add, PlanView)
            work.commit()
        return made

    @retried
    def offer_plan(self, viewer: Viewer, plan_id: str, *, is_offered: bool) -> PlanView:
        """Offer a plan to new subscribers, or do so no more; who has it keeps it.

        Raises:
            NotAllowed: the viewer is no administrator.
            NotFound: there is no such plan.
        """
        _demand_admin(viewer)
        with self.open_work() as work:
            _plan(work, plan_id)
            work.subscriptions.offer_plan(plan_id, is_offered=is_offered)
            after = _plan(work, plan_id)
            work.commit()
        return _plan_view(after)

    # --- subscriptions ----------------------------------------------------------------------------

    def mine(self, viewer: Viewer) -> SubscriptionList:
        """Return the viewer's subscriptions."""
        with self.open_work(is_read_only=True) as work:
            found = work.subscriptions.of_user(viewer.user_id)
            return SubscriptionList(subscriptions=[_view(work, one) for one in found])

    def get(self, viewer: Viewer, subscription_id: str) -> SubscriptionView:
        """Return a subscription.

        Raises:
            NotFound: the viewer has no such subscription.
        """
        with self.open_work(is_read_only=True) as work:
            return _view(work, _own(work, viewer, subscription_id))

    @retried
    def subscribe(
        self, viewer: Viewer, plan_id: str, by: PayBy, once: Once | None = None
    ) -> Subscribed:
        """Write a subscription and the charge of its first month; it counts once that is paid.

        Raises:
            NotFound: no such plan is offered.
            AlreadyExists: the viewer has a subscription that runs.
            NotValid: there is no such card.
        """
        now = self.clock.now()

        def start() -> Subscribed:
            plan = _plan(work, plan_id)
            if not plan.is_offered:
                raise NotFound(plan_id)
            means = means_of(work, viewer.user_id, by.method, by.method_id, self.provider)
            subscription = Subscription(
                id=self.new_id(),
                user_id=viewer.user_id,
                plan_id=plan_id,
                method=means.method,
                method_id=means.method_id,
                started_at=now,
            )
            if not work.subscriptions.add(subscription):
                raise AlreadyExists(plan_id, "You have a subscription; it must end first.")
            payment_id = self._charge(work, subscription, 0, means.provider, now)
            return Subscribed(subscription_id=subscription.id, payment_id=payment_id)

        with self.open_work() as work:
            started = do_once(work, once, now, start, Subscribed)
            work.commit()
        return started

    @retried
    def cancel(self, viewer: Viewer, subscription_id: str) -> SubscriptionView:
        """End a subscription with the month that is paid for; doing so again changes nothing.

        Raises:
            NotFound: the viewer has no such subscription.
            NotValid: it does not run.
        """
        now = self.clock.now()
        with self.open_work() as work:
            subscription = _own(work, viewer, subscription_id)
            if subscription.state is not SubscriptionState.ACTIVE:
                raise NotValid("subscription_id", "This subscription does not run.")
            after = rules.canceled(subscription, now)
            if after != subscription:
                work.subscriptions.put(after)
                set_deadline(work, after, now)
            view = _view(work, after)
            work.commit()
        return view

    def renew(self, work: UnitOfWork, subscription_id: str, now: datetime) -> None:
        """Do what is due for a subscription, in the caller's transaction; see collaborators.Renewing."""
        subscription = work.subscriptions.get(subscription_id)
        if subscription is None:
            return
        match rules.due(subscription, now):
            case Due.CHARGE:
                self._charge_next(work, subscription, now)
            case Due.END:
                work.subscriptions.put(rules.ended(subscription))
            case Due.WAIT:
                set_deadline(work, subscription, now)

    def _charge_next(self, work: UnitOfWork, subscription: Subscription, now: datetime) -> None:
        known = work.payments.of_subject(Purpose.SUBSCRIPTION, _month(subscription))
        # one that is under way brings the next deadline with its outcome
        if all(one.is_over for one in known):
            card = work.payment_methods.get(subscription.method_id or "")
            provider = WALLET if card is None else card.provider
            self._charge(work, subscription, len(known), provider, now)

    def _charge(
        self,
        work: UnitOfWork,
        subscription: Subscription,
        number: int,
        provider: str,
        now: datetime,
    ) -> str:
        plan = _plan(work, subscription.plan_id)
        opening = Opening(
            purpose=Purpose.SUBSCRIPTION,
            subject=_month(subscription),
            book=postings.user_book(subscription.user_id),
            user_id=subscription.user_id,
            method=Method(subscription.method),
            method_id=subscription.method_id,
            provider=provider,
            currency=plan.currency,
            amount_minor=plan.monthly_minor,
            number=number,
        )
        return self.till.open(work, opening, StepKind.CHARGE, now).payment.id


def set_deadline(work: UnitOfWork, subscription: Subscription, now: datetime) -> None:
    """Have the clock look at a subscription when something is due, if ever."""
    at = rules.look_again_at(subscription, now)
    if at is not None:
        work.deadlines.set([Deadline(DeadlineKind.SUBSCRIPTION, subscription.id, at)])


def _month(subscription: Subscription) -> str:
    return f"{subscription.id}/{subscription.months + 1}"


def _of(work: UnitOfWork, subject: str) -> Subscription:
    subscription = work.subscriptions.get(subject.partition("/")[0])
    if subscription is None:
        raise NotFound(subject)
    return subscription


def _own(work: UnitOfWork, viewer: Viewer, subscription_id: str) -> Subscription:
    subscription = work.subscriptions.get(subscription_id)
    if subscription is None or subscription.user_id != viewer.user_id:
        raise NotFound(subscription_id)
    return subscription


def _plan(work: UnitOfWork, plan_id: str) -> SubscriptionPlan:
    plan = work.subscriptions.plan(plan_id)
    if plan is None:
        raise NotFound(plan_id)
    return plan


def _view(work: UnitOfWork, one: Subscription) -> SubscriptionView:
    return SubscriptionView(
        subscription_id=one.id,
        plan=_plan_view(_plan(work, one.plan_id)),
        state=one.state,
        method=one.method,
        method_id=one.method_id,
        started_at=one.started_at,
        paid_until=one.paid_until,
        is_ending=one.canceled_at is not None and one.is_running,
    )


def _plan_view(plan: SubscriptionPlan) -> PlanView:
    return PlanView(
        plan_id=plan.id,
        name=plan.name,
        currency=plan.currency,
        monthly_minor=plan.monthly_minor,
        discounts=dict(plan.discounts),
        is_offered=plan.is_offered,
    )


def _demand_admin(viewer: Viewer) -> None:
    if viewer.role is not Role.ADMIN:
        raise NotAllowed(viewer.user_id)
