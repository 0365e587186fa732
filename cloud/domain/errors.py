"""What the house refuses, each with a stable public code; `api/errors.py` turns them into HTTP."""


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


class Unavailable(Refused):
    """Something we need is away; try again in `retry_after_s` seconds."""

    code = "unavailable"
    sentence = "The service is not available at the moment; please try again shortly."

    def __init__(self, subject: object = "", detail: str = "", retry_after_s: int = 2) -> None:
        """See Refused; `retry_after_s` becomes Retry-After."""
        super().__init__(subject, detail)
        self.retry_after_s = retry_after_s
