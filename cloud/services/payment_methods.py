"""Cards people saved: the gateway keeps them, we know a reference and a label."""

import hashlib
from dataclasses import dataclass
from datetime import datetime

import structlog

from cloud.domain.access import Viewer
from cloud.domain.errors import NotFound, NotValid, Unavailable
from cloud.domain.payments import Method
from cloud.services.money_ports import GatewayAway, PaymentGateway, SavedMethod
from cloud.services.ports import Clock, OpenWork, UnitOfWork
from cloud.services.retrying import retried
from cloud.services.till import WALLET

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentMethodView:
    """A saved card, as its owner may see it."""

    method_id: str
    provider: str
    label: str
    is_default: bool
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentMethodList:
    """Saved cards, the newest first, and where new ones are kept."""

    provider: str
    publishable_key: str
    """What the provider's own scripts ask for; empty for the sandbox."""
    methods: list[PaymentMethodView]


@dataclass(frozen=True, slots=True)
class Means:
    """What is paid with."""

    method: Method
    method_id: str | None
    provider: str


@dataclass(frozen=True, slots=True)
class PaymentMethodService:
    """The use cases of saved cards; everybody's own."""

    open_work: OpenWork
    clock: Clock
    gateway: PaymentGateway
    publishable_key: str = ""

    def list(self, viewer: Viewer) -> PaymentMethodList:
        """Return the viewer's cards."""
        with self.open_work(is_read_only=True) as work:
            found = work.payment_methods.of_user(viewer.user_id)
        return PaymentMethodList(
            provider=self.gateway.provider,
            publishable_key=self.publishable_key,
            methods=[_view(one) for one in found],
        )

    def save(self, viewer: Viewer, token: str, *, is_default: bool = False) -> PaymentMethodView:
        """Have the gateway keep the card a token of its own stands for; the same twice is one card.

        Raises:
            PaymentDeclined: there is no such token, or the card cannot be used.
            Unavailable: the gateway does not answer.
        """
        text = f"{viewer.user_id}\n{self.gateway.provider}\n{token}"
        method_id = hashlib.sha256(text.encode()).hexdigest()[:32]
        with self.open_work(is_read_only=True) as work:
            known = work.payment_methods.get(method_id)
        if known is not None and known.removed_at is None:
            return _view(known)
        # one that was removed is asked for anew: the answer to the old key holds no more
        removed_at = "" if known is None or known.removed_at is None else known.removed_at
        try:
            kept = self.gateway.keep_card(f"card/{method_id}/{removed_at}", viewer.user_id, token)
        except GatewayAway as error:
            raise Unavailable("gateway", "The bank does not answer; please try again.") from error
        method = SavedMethod(
            id=method_id,
            user_id=viewer.user_id,
            provider=self.gateway.provider,
            gateway_ref=kept.gateway_ref,
            label=kept.label,
            is_default=is_default,
            created_at=self.clock.now(),
        )
        return self._store(method)

    @retried
    def set_default(self, viewer: Viewer, method_id: str) -> PaymentMethodView:
        """Make a card the one that is used when none is named.

        Raises:
            NotFound: the viewer has no such card.
        """
        with self.open_work() as work:
            method = _own(work, viewer, method_id)
            work.payment_methods.set_default(viewer.user_id, method.id)
            after = work.payment_methods.get(method.id)
            work.commit()
        return _view(after or method)

    def remove(self, viewer: Viewer, method_id: str) -> None:
        """Forget a card.

        Raises:
            NotFound: the viewer has no such card.
            NotValid: something is to be paid with it yet.
        """
        method = self._remove(viewer, method_id)
        if method.provider != self.gateway.provider:
            return
        try:
            self.gateway.forget_card(method.gateway_ref)
        except GatewayAway as error:
            # it is ours to use no more, whatever the gateway keeps
            log.warning("payment_method.kept_by_gateway", method_id=method_id, why=str(error))

    @retried
    def _remove(self, viewer: Viewer, method_id: str) -> SavedMethod:
        with self.open_work() as work:
            method = _own(work, viewer, method_id)
            running = [
                one
                for one in work.subscriptions.of_user(viewer.user_id)
                if one.is_running and one.method_id == method_id
            ]
            if running or work.payments.of_method(method_id):
                raise NotValid(
                    "method_id", "A reservation or a subscription is paid with this card yet."
                )
            work.payment_methods.remove(method_id, self.clock.now())
            rest = work.payment_methods.of_user(viewer.user_id)
            if method.is_default and rest:
                work.payment_methods.set_default(viewer.user_id, rest[0].id)
            work.commit()
        return method

    @retried
    def _store(self, method: SavedMethod) -> PaymentMethodView:
        with self.open_work() as work:
            is_first = not work.payment_methods.of_user(method.user_id)
            if not work.payment_methods.add(method):
                work.payment_methods.restore(method)
            if is_first or method.is_default:
                work.payment_methods.set_default(method.user_id, method.id)
            kept = work.payment_methods.get(method.id)
            work.commit()
        return _view(kept or method)


def means_of(
    work: UnitOfWork, user_id: str, method: Method, method_id: str | None, provider: str
) -> Means:
    """Return what a user pays with: the wallet, the card they name, or their default one.

    Raises:
        NotValid: they have no such card, or none at all.
    """
    if method is Method.WALLET:
        return Means(method, None, WALLET)
    cards = work.payment_methods.of_user(user_id)
    usable = [one for one in cards if one.provider == provider]
    wanted = [
        one for one in usable if (one.id == method_id if method_id is not None else one.is_default)
    ]
    if not wanted:
        raise NotValid("method_id", "There is no such card; save one first.")
    return Means(method, wanted[0].id, provider)


def _own(work: UnitOfWork, viewer: Viewer, method_id: str) -> SavedMethod:
    method = work.payment_methods.get(method_id)
    if method is None or method.user_id != viewer.user_id or method.removed_at is not None:
        raise NotFound(method_id)
    return method


def _view(method: SavedMethod) -> PaymentMethodView:
    return PaymentMethodView(
        method_id=method.id,
        provider=method.provider,
        label=method.label,
        is_default=method.is_default,
        created_at=method.created_at,
    )
