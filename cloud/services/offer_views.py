"""How offers are kept and shown."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from cloud.services.booking_ports import Offer
from cloud.services.collaborators import Option


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferView:
    """What a driver may take with one call, until it expires."""

    offer_id: str
    kind: str
    """`reschedule`: instead of a reservation. `waitlist`: what was waited for."""
    reservation_id: str | None
    waitlist_id: str | None
    state: str
    """open accepted declined expired"""
    options: list[Option]
    """The best first; taken by their place in this list, from 0."""
    made_at: datetime
    expires_at: datetime
    server_now: datetime
    """Our clock, to count down by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferList:
    """What a driver may take now, the newest first."""

    server_now: datetime
    offers: list[OfferView]


def to_plain(option: Option) -> dict[str, Any]:
    """Return an option as plain JSON data; `from_plain` reads it back."""
    instants = {"starts_at": option.starts_at, "ends_at": option.ends_at}
    return asdict(option) | {name: at.isoformat() for name, at in instants.items()}


def from_plain(data: Mapping[str, Any]) -> Option:
    """Read an option that was kept."""
    instants = {name: datetime.fromisoformat(data[name]) for name in ("starts_at", "ends_at")}
    return Option(**{**data, **instants})


def options_of(offer: Offer) -> list[Option]:
    """Return what an offer offers."""
    return [from_plain(one) for one in offer.options]


def offer_view(offer: Offer, now: datetime) -> OfferView:
    """Return the offer as it leaves the house; one whose time is over is `expired`."""
    is_over = offer.state == "open" and offer.expires_at <= now
    return OfferView(
        offer_id=offer.id,
        kind=offer.kind,
        reservation_id=offer.reservation_id,
        waitlist_id=offer.waitlist_id,
        state="expired" if is_over else offer.state,
        options=options_of(offer),
        made_at=offer.made_at,
        expires_at=offer.expires_at,
        server_now=now,
    )
