"""What every page is made with: the reader, their language, the template, the headers."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cache, partial
from gettext import NullTranslations
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import uuid4

from fastapi import Request, Response
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from cloud.api.guard import cookie_name, is_https
from cloud.domain.errors import NotAllowed, NotLoggedIn
from cloud.services import carbon_words
from cloud.settings import Settings
from cloud.web import bays, formats, texts, words
from cloud.web.assets import Assets
from cloud.web.parts import Parts, Reader
from cloud.web.standing import refunds

_NO_STORE: Final = "private, no-store"


@dataclass(frozen=True, slots=True)
class Site:
    """The parts of a page that do not differ from page to page."""

    parts: Parts
    settings: Settings
    assets: Assets
    spoken: dict[str, "Spoken"]

    @classmethod
    def build(cls, parts: Parts, settings: Settings) -> "Site":
        """Compile the catalogues and prepare the templates."""
        spoken = {language: _spoken(language) for language in texts.LANGUAGES}
        return cls(parts, settings, _assets(), spoken)

    def reader(self, request: Request) -> Reader | None:
        """Return who looks, if they signed in; looked up once a request."""
        if not hasattr(request.state, "reader"):
            secret = request.cookies.get(cookie_name(self.settings))
            login = self.parts.credentials.resolve(secret) if secret else None
            request.state.reader = Reader(login) if login else None
        reader: Reader | None = request.state.reader
        return reader

    def signed_in(self, request: Request) -> Reader:
        """Return who looks.

        Raises:
            NotLoggedIn: nobody we know.
        """
        reader = self.reader(request)
        if reader is None:
            raise NotLoggedIn
        return reader

    def with_faults(self, request: Request) -> Reader:
        """Return who looks, if the fault queue is theirs to see.

        Raises:
            NotLoggedIn: nobody we know.
            NotAllowed: another role.
        """
        reader = self.signed_in(request)
        if not reader.may_see_faults:
            raise NotAllowed(detail="This page is for maintenance staff and owners.")
        return reader

    def zones(self, station_ids: Iterable[str]) -> dict[str, str]:
        """Return the time zones of these stations."""
        found = self.parts.availability.stations(sorted(set(station_ids)))
        return {detail.station.station_id: detail.station.timezone for detail in found}

    def language(self, request: Request) -> str:
        """Return the reader's language: by address, by cookie, by their browser."""
        wanted = request.query_params.get("lang") or request.cookies.get("lang")
        return texts.choose(wanted, request.headers.get("accept-language", ""))

    def page(
        self, request: Request, template: str, status: int = 200, **context: object
    ) -> Response:
        """Render a page for this reader, now."""
        language = self.language(request)
        spoken = self.spoken[language]
        reader = self.reader(request) if status < HTTPStatus.INTERNAL_SERVER_ERROR else None
        shown = {
            "request": request,
            "path": request.url.path,
            "reader": reader,
            "unread": self.parts.notices.unread(reader.viewer).unread if reader else 0,
            "now": self.parts.clock.now(),
            "settings": self.settings,
            "language": language,
            "texts": spoken.script_texts,
            **context,
        }
        body = spoken.environment.get_template(template).render(shown)
        response = Response(body, status, media_type="text/html; charset=utf-8")
        self._set_headers(response)
        if request.query_params.get("lang") in texts.LANGUAGES:
            response.set_cookie(
                "lang", language, max_age=31_536_000, secure=is_https(self.settings), samesite="lax"
            )
        return response

    def _set_headers(self, response: Response) -> None:
        headers = response.headers
        headers["Cache-Control"] = _NO_STORE
        headers["Content-Security-Policy"] = content_policy(self.settings.map_tiles_url)
        headers["X-Content-Type-Options"] = "nosniff"
        headers["X-Frame-Options"] = "DENY"
        # not no-referrer: forms would then be sent with Origin: null
        headers["Referrer-Policy"] = "same-origin"
        headers["Permissions-Policy"] = "geolocation=(self), camera=(), microphone=()"
        headers["Vary"] = "Cookie, Accept-Language"
        if is_https(self.settings):
            headers["Strict-Transport-Security"] = "max-age=31536000"


def content_policy(tiles_url: str = "") -> str:
    """Return the Content-Security-Policy: nothing inline, nothing foreign but the map's tiles."""
    tiles = urlsplit(tiles_url)
    tiles_origin = f" {tiles.scheme}://{tiles.netloc}".replace("{s}", "*") if tiles.netloc else ""
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; "
        f"img-src 'self' data:{tiles_origin}; connect-src 'self'; font-src 'self'; "
        "manifest-src 'self'; worker-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    )


def script_texts(catalogue: NullTranslations) -> dict[str, dict[str, str]]:
    """Return the texts that scripts show, translated."""
    say = catalogue.gettext
    tables = {
        "status": words.STATUS,
        "says": words.SAYS,
        "witness": words.WITNESS,
        "session": words.SESSION_STATE,
        "age": words.AGE,
        "live": words.LIVE,
        "booking": words.BOOKING,
    }
    tables["reason"] = {said: said for said in words.REASONS if say(said) != said}
    return {name: {key: say(text) for key, text in table.items()} for name, table in tables.items()}


@dataclass(frozen=True, slots=True)
class Spoken:
    """The templates in one language, and the texts of the scripts."""

    environment: Environment
    script_texts: dict[str, dict[str, str]]


@cache
def _assets() -> Assets:
    return Assets()


@cache
def _spoken(language: str) -> Spoken:
    catalogue = texts.load(language)
    return Spoken(_environment(language, catalogue, _assets()), script_texts(catalogue))


def _environment(language: str, catalogue: NullTranslations, assets: Assets) -> Environment:
    environment = Environment(
        loader=PackageLoader("cloud.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    install: Any = environment.install_gettext_translations  # type: ignore[attr-defined]
    install(catalogue, newstyle=True)
    environment.globals |= {
        "asset": assets.url,
        "words": words,
        "nothing": formats.NOTHING,
        "languages": texts.LANGUAGES,
        "scene": bays.scene,
        "new_key": _new_key,
        "refunds": refunds,
        "word": partial(_word, catalogue.gettext),
        "age_tag": partial(_age_tag, catalogue.gettext),
        "co2_label": partial(carbon_words.saved, language),
        "co2_method": partial(carbon_words.method, language=language),
    }
    shown = formats.Formats(language)
    environment.filters |= {
        "power": shown.power,
        "energy": shown.energy,
        "mass": shown.mass,
        "money": shown.money,
        "distance": shown.distance,
        "file_size": shown.file_size,
        "clock": shown.clock,
        "seconds": shown.seconds,
        "day": shown.day,
        "moment": shown.moment,
        "duration": formats.duration,
        "until": formats.until,
        "slot": shown.slot,
        "weekday": partial(formats.weekday, language),
        "day_month": partial(formats.day_month, language),
        "whole_day": partial(formats.whole_day, language),
        "day_at": formats.day_at,
        "iso": _iso,
        "number": formats.number,
        "said": partial(_said, catalogue.gettext),
        "standard": partial(_word, catalogue.gettext, words.STANDARD),
    }
    return environment


def _new_key() -> str:
    """Return by what a form is known again when it is sent twice."""
    return uuid4().hex


def _word(say: Callable[[str], str], table: dict[str, str], code: str) -> str:
    """Return the word for a code; the code itself, made readable, where a newer peer sent one."""
    if code in table:
        return say(table[code])
    return code.replace("_", " ").capitalize()


def _said(say: Callable[[str], str], sentence: str) -> str:
    """Return a sentence of the services in the reader's language, where the catalogue has it."""
    return say(sentence) if sentence else ""


def _age_tag(
    say: Callable[[str], str], at: datetime | None, now: datetime, css: str = ""
) -> Markup:
    """Return how long ago, as an element that scripts keep ticking."""
    unit, count = formats.age(at, now)
    text = say(words.AGE[unit])
    text = text % count if "%s" in text else text
    return Markup('<time class="age {}" data-age datetime="{}">{}</time>').format(
        css, _iso(at), text
    )


def _iso(at: datetime | None) -> str:
    return at.isoformat().replace("+00:00", "Z") if at else ""
