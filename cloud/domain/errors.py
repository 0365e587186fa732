"""What the house refuses, each with a stable public code; `api/errors.py` turns them into HTTP."""

from collections.abc import Sequence


class Refused(Exception):
    """A request that is understood and not granted. `code` never changes once published."""

    code = "refused"
    sentence = "This cannot be done."

    def __init__(self, subject: object = "", detail: str = "") -> None:
        """Name what it is about; `detail` replaces the general sentence."""
        self.subject = str(subject)
        self.detail = detail or self.sentence
        super().__init__(f"{self.detail} ({subject})" if self.subject else self.detail)


class NotFound(Refused):
    """There is no such thing, or it is not the viewer's to see: the same answer for both."""

    code = "not_found"
    sentence = "There is no such thing, or it is not yours to see."


class NotAllowed(Refused):
    """The viewer is known and may not do this."""

    code = "not_allowed"
    sentence = "Your role does not allow this."


class NotLoggedIn(Refused):
    """Nobody, or nobody we know."""

    code = "not_logged_in"
    sentence = "Please log in."


class WrongLogin(Refused):
    """Unknown user, wrong password or inactive account: the same answer for all."""

    code = "wrong_login"
    sentence = "The e-mail address or the password is wrong."


class CrossSite(Refused):
    """A browser sent it from a page of somebody else, or does not say from where."""

    code = "cross_site"
    sentence = "This request came from another site's page and was not carried out."


class KeyReused(Refused):
    """The Idempotency-Key belongs to another request."""

    code = "idempotency_key_reused"
    sentence = "This Idempotency-Key was used for another request."


class TooManyAttempts(Refused):
    """Throttled; `retry_after_s` says how long."""

    code = "too_many_attempts"
    sentence = "Too many attempts; please wait a little."

    def __init__(self, subject: object = "", detail: str = "", retry_after_s: int = 60) -> None:
        """See Refused; `retry_after_s` becomes Retry-After."""
        super().__init__(subject, detail)
        self.retry_after_s = retry_after_s


class AlreadyExists(Refused):
    """The id or address is taken."""

    code = "already_exists"
    sentence = "This name is taken."


class NotValid(Refused):
    """Well formed, but not possible: a bay of another station, an unknown role."""

    code = "not_valid"
    sentence = "This does not fit together."


class AlertAlreadyHandled(Refused):
    """Somebody was faster; the detail says who did what."""

    code = "alert_already_handled"
    sentence = "Somebody else has already handled this alert."


class ChargerOffline(Refused):
    """The charger, or its station's agent, is not connected."""

    code = "charger_offline"
    sentence = "The charger is not connected."


class CommandUnanswered(Refused):
    """No answer in time; the command may still be carried out until it expires."""

    code = "command_unanswered"
    sentence = "The station has not answered in time."


class CommandSent(Refused):
    """A command that waits no more cannot be taken back."""

    code = "command_sent"
    sentence = "The command is on its way to the charger, or has ended: it cannot be taken back."


class SecondPersonNeeded(Refused):
    """Who asked for something grave may not be who agrees to it."""

    code = "second_person_needed"
    sentence = "Somebody else has to agree to this."


class Unavailable(Refused):
    """Something we need is away; try again in `retry_after_s` seconds."""

    code = "unavailable"
    sentence = "The service is not available at the moment; please try again shortly."

    def __init__(self, subject: object = "", detail: str = "", retry_after_s: int = 2) -> None:
        """See Refused; `retry_after_s` becomes Retry-After."""
        super().__init__(subject, detail)
        self.retry_after_s = retry_after_s


class IllegalTransition(Refused):
    """What is asked does not follow from where the reservation stands."""

    code = "illegal_transition"
    sentence = "The reservation does not allow this any more."


class BayAlreadyBooked(Refused):
    """Somebody was faster, or holds a part of the window; `alternatives` are options instead.

    With an `offer_id` they are those of this offer, each taken with one call.
    """

    code = "bay_already_booked"
    sentence = "This bay is taken in a part of this time."

    def __init__(
        self,
        subject: object = "",
        detail: str = "",
        alternatives: Sequence[object] = (),
        offer_id: str = "",
    ) -> None:
        """See Refused; the alternatives, and whose they are, become members of the problem."""
        super().__init__(subject, detail)
        self.alternatives = alternatives
        self.offer_id = offer_id


class NotBookable(Refused):
    """The window or the bay does not fit the station's terms; the detail says which and why."""

    code = "not_bookable"
    sentence = "This cannot be booked."


class BookingsInTheWay(Refused):
    """Bookings to come would lose their bay; `reservation_ids` are theirs."""

    code = "bookings_in_the_way"
    sentence = "There are bookings in this time that would lose their bay."

    def __init__(
        self, subject: object = "", detail: str = "", reservation_ids: Sequence[str] = ()
    ) -> None:
        """See Refused; the ids become a member of the problem."""
        super().__init__(subject, detail)
        self.reservation_ids = list(reservation_ids)


class TooManyReservations(Refused):
    """The driver has as many live reservations as one may."""

    code = "too_many_reservations"
    sentence = "You have as many reservations as one driver may have at this station."


class TooManyInAll(TooManyReservations):
    """The driver has as many live reservations as one may, all stations together."""

    code = "too_many_in_all"
    sentence = "You have as many reservations as one driver may have at a time."


class BookedElsewhere(Refused):
    """The driver has another station in a part of this time; `reservation_ids` are those there."""

    code = "booked_elsewhere"
    sentence = (
        "You have booked at another station in this time. Cancel or move that reservation first."
    )

    def __init__(
        self, subject: object = "", detail: str = "", reservation_ids: Sequence[str] = ()
    ) -> None:
        """See Refused; the ids become a member of the problem."""
        super().__init__(subject, detail)
        self.reservation_ids = list(reservation_ids)


class HoldExpired(Refused):
    """The time to confirm and pay is over; the bay was given free."""

    code = "hold_expired"
    sentence = "The time to confirm and pay is over: please choose again."


class WrongCode(Refused):
    """The one-time code is wrong; `tries_left` says how often it may be tried again."""

    code = "wrong_code"
    sentence = "This code is wrong."

    def __init__(self, subject: object = "", detail: str = "", tries_left: int = 0) -> None:
        """See Refused; the tries become a member of the problem."""
        super().__init__(subject, detail)
        self.tries_left = tries_left


class CodeLocked(Refused):
    """Tried too often, used, or too old: a new one must be asked for, or a new hold made."""

    code = "code_locked"
    sentence = "This code cannot be used any more."


class NotConfirmed(Refused):
    """The one-time code has not been given yet."""

    code = "not_confirmed"
    sentence = "Please confirm with the code we sent you first."


class PaymentDeclined(Refused):
    """The bank, or the wallet, says no; nothing was taken."""

    code = "payment_declined"
    sentence = "The payment was declined; nothing was taken."


class PaymentUnderWay(Refused):
    """It is paid for, or somebody is just asking the bank; the subject is the payment."""

    code = "payment_under_way"
    sentence = "A payment for this has been made, or is just being made."


class BadSignature(Refused):
    """A webhook that is not from whom it says, or too old; without any effect."""

    code = "bad_signature"
    sentence = "The signature of this message does not hold."


class OfferOver(Refused):
    """The offer has expired, or was answered."""

    code = "offer_over"
    sentence = "This offer is over."
