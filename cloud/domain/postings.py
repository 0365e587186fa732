"""What the ledger says of each thing that happens to money. Minus is what an account gives."""

from collections.abc import Mapping
from typing import Final

from cloud.domain.ledger import Entry, Posting
from cloud.domain.payments import Ask, Method, Payment, Purpose, StepKind
from cloud.domain.reservations import Reservation

SOLD: Final = "sold"

_KINDS: Final[dict[tuple[StepKind, Purpose], str]] = {
    (StepKind.AUTHORISE, Purpose.RESERVATION): "authorised",
    (StepKind.VOID, Purpose.RESERVATION): "released",
    (StepKind.CAPTURE, Purpose.RESERVATION): "captured",
    (StepKind.CHARGE, Purpose.RESERVATION): "charged",
    (StepKind.REFUND, Purpose.RESERVATION): "refunded",
    (StepKind.CHARGE, Purpose.TOPUP): "topped_up",
    (StepKind.CHARGE, Purpose.SUBSCRIPTION): "subscribed",
    (StepKind.REFUND, Purpose.SUBSCRIPTION): "refunded",
}


REFUND_RETURNED: Final = "refund_returned"


def driver(user_id: str) -> str:
    """What a driver owes: + owes, - has paid too much."""
    return f"driver/{user_id}"


def wallet(user_id: str) -> str:
    """What we owe a wallet: - is what can be spent."""
    return f"wallet/{user_id}"


def wallet_hold(user_id: str) -> str:
    """What is kept of a wallet for open payments."""
    return f"wallet_hold/{user_id}"


def gateway(provider: str) -> str:
    """Money that is at a gateway."""
    return f"gateway/{provider}"


def station_book(station_id: str) -> str:
    """The book of what a station's reservations move."""
    return f"station/{station_id}"


def user_book(user_id: str) -> str:
    """The book of what a user's wallet and subscription move."""
    return f"user/{user_id}"


def outcome(
    before: Payment, ask: Ask, step_id: str, earned_by: str, *, is_success: bool
) -> Posting | None:
    """Return what a gateway's answer moves; None: nothing.

    Args:
        before: the payment as it was when asked.
        ask: what was asked.
        step_id: the step's, for the cause.
        earned_by: the account that what is taken is taken for.
        is_success: whether it was granted.
    """
    is_lapsed = ask.kind is StepKind.CAPTURE and not is_success
    if not is_success and not is_lapsed:
        return None
    kind = StepKind.VOID if is_lapsed else ask.kind
    return Posting(
        book=before.book,
        cause=f"step/{step_id}",
        kind=_KINDS[kind, before.purpose],
        currency=before.currency,
        entries=tuple(_lines(before, Ask(kind, ask.amount_minor), earned_by)),
        user_id=before.user_id,
        reservation_id=before.subject if before.purpose is Purpose.RESERVATION else None,
        payment_id=before.id,
    )


def undone(before: Payment, ask: Ask, step_id: str, earned_by: str) -> Posting:
    """Return what moves when a bank takes back what it had granted; see `outcome`."""
    if ask.kind is StepKind.REFUND:
        again = Ask(StepKind.CHARGE, ask.amount_minor)
        kind = REFUND_RETURNED
    else:
        again = Ask(StepKind.VOID, ask.amount_minor)
        kind = _KINDS[StepKind.VOID, before.purpose]
    return Posting(
        book=before.book,
        cause=f"undone/{step_id}",
        kind=kind,
        currency=before.currency,
        entries=tuple(_lines(before, again, earned_by)),
        user_id=before.user_id,
        reservation_id=before.subject if before.purpose is Purpose.RESERVATION else None,
        payment_id=before.id,
    )


def _lines(payment: Payment, ask: Ask, earned_by: str) -> list[Entry]:
    is_wallet = payment.method is Method.WALLET
    money = wallet(payment.user_id) if is_wallet else gateway(payment.provider)
    match ask.kind:
        case StepKind.AUTHORISE:
            return _keep(payment, ask.amount_minor)
        case StepKind.VOID:
            return _keep(payment, -payment.authorised_minor)
        case StepKind.CAPTURE:
            taken = _take(money, earned_by, ask.amount_minor)
            return [*_keep(payment, -payment.authorised_minor), *taken]
        case StepKind.CHARGE:
            return _take(money, earned_by, ask.amount_minor)
        case _:
            return _take(money, earned_by, -ask.amount_minor)


def _keep(payment: Payment, amount_minor: int) -> list[Entry]:
    user_id = payment.user_id
    if payment.method is Method.WALLET:
        places = (wallet(user_id), wallet_hold(user_id))
    else:
        # a memorandum: nobody's money has moved
        places = (f"authorised/{payment.provider}", f"promised/{user_id}")
    return _take(*places, amount_minor)


def _take(to: str, for_: str, amount_minor: int) -> list[Entry]:
    return [Entry(to, amount_minor), Entry(for_, -amount_minor)]


def lessened(shares: Mapping[str, int], total: int) -> dict[str, int]:
    """Return the shares scaled down to a total, each in proportion, to the last minor unit."""
    before = sum(shares.values())
    scaled: dict[str, int] = {}
    left, rest = total, before
    for account, share in sorted(shares.items()):
        part = left * share // rest if rest else 0
        scaled[account] = part
        left -= part
        rest -= share
    return scaled


def sale(reservation: Reservation, number: int, change: Mapping[str, int]) -> Posting:
    """Return what a driver comes to owe for a reservation, and to whom.

    Args:
        reservation: what for.
        number: how often it was settled before: a later settlement says the difference.
        change: by account, how much more (or less) it earns than before.
    """
    lines = [Entry(account, -amount) for account, amount in sorted(change.items()) if amount]
    owed = sum(change.values())
    if owed:
        lines.insert(0, Entry(driver(reservation.user_id), owed))
    return Posting(
        book=station_book(reservation.station_id),
        cause=f"{SOLD}/{reservation.id}/{number}",
        kind=SOLD,
        currency=reservation.currency,
        entries=tuple(lines),
        user_id=reservation.user_id,
        reservation_id=reservation.id,
    )
