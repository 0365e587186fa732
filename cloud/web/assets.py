"""Static files: named with a hash of their content, kept by browsers for a year, sent compressed.

Modules import each other by their plain names; the hash is written into the import as they are served,
so that a changed module changes the address of all that use it.
"""

import gzip
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from fastapi import Response

STATIC: Final = Path(__file__).parent / "static"
MEDIA_TYPES: Final[dict[str, str]] = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
}
_IMPORT: Final = re.compile(r'(?<=["(])\./([\w-]+\.js)(?=")|(?<=")\.\./([\w/-]+\.\w+)(?=")')
_YEAR: Final = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class Asset:
    """A file as it is sent."""

    media_type: str
    version: str
    body: bytes
    compressed: bytes


class Assets:
    """The files under one folder, read once; others than those of MEDIA_TYPES do not exist."""

    def __init__(self, folder: Path = STATIC) -> None:
        self._folder = folder.resolve()
        self.get: Callable[[str], Asset] = cache(self._read)

    def url(self, name: str) -> str:
        """Return the address of a file, with its hash."""
        return f"/static/{name}?v={self.get(name).version}"

    def answer(self, name: str, version: str | None, accept_encoding: str) -> Response:
        """Return the file.

        Raises:
            FileNotFoundError: there is none of that name.
        """
        asset = self.get(name)
        headers = {
            "Cache-Control": _YEAR if version == asset.version else "no-cache",
            "ETag": f'"{asset.version}"',
            "Vary": "Accept-Encoding",
            "X-Content-Type-Options": "nosniff",
        }
        body = asset.body
        if "gzip" in accept_encoding:
            body, headers["Content-Encoding"] = asset.compressed, "gzip"
        return Response(body, media_type=asset.media_type, headers=headers)

    def _read(self, name: str) -> Asset:
        path = (self._folder / name).resolve()
        if not path.is_relative_to(self._folder) or path.suffix not in MEDIA_TYPES:
            raise FileNotFoundError(name)
        body = path.read_bytes()
        if path.suffix == ".js" and "vendor" not in path.parts:
            body = _IMPORT.sub(self._with_hash(Path(name).parent), body.decode()).encode()
        version = hashlib.sha256(body).hexdigest()[:12]
        return Asset(MEDIA_TYPES[path.suffix], version, body, gzip.compress(body, 9, mtime=0))

    def _with_hash(self, parent: Path) -> Callable[[re.Match[str]], str]:
        def replaced(match: re.Match[str]) -> str:
            beside, above = match.groups()
            name = str(parent / beside) if beside else above
            return f"{match[0]}?v={self.get(name).version}"

        return replaced
