"""Fetching the file of an import by URL: from this machine alone, so that nobody reaches others through a sandbox."""

import time
from http.client import HTTPException, HTTPMessage
from typing import IO, Final
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, ProxyHandler, Request, build_opener

from scenario_uploads.sandbox.options import is_loopback

_CHUNK_SIZE: Final = 1024 * 1024
# In seconds: what a server may be silent, and what all may take.
_TIMEOUT: Final = 10
_PATIENCE: Final = 60


class FetchError(Exception):
    """The file could not be fetched; the message says why, without the URL, which may be signed."""


def is_local(url: str) -> bool:
    """Return whether a URL leads to this machine, by the address that stands in it."""
    parts = urlsplit(url)
    return parts.scheme in {"http", "https"} and is_loopback(parts.hostname or "")


class _LocalRedirects(HTTPRedirectHandler):
    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> Request | None:
        """Follow a redirect on this machine, and no other."""
        if not is_local(newurl):
            raise FetchError("The URL redirects to another machine, and the sandbox fetches from this one alone")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def fetch(url: str, target: IO[bytes], limit: int | None) -> str:
    """Write the file at a local URL into another, and return its content type.

    Args:
        url: A URL for which `is_local` is true.
        target: Where the bytes go.
        limit: How many bytes it may have; None for as many as there are.

    Raises:
        FetchError: When the server refuses, does not answer, or sends too much.
    """
    # A proxy of the environment would ask another machine.
    opener = build_opener(ProxyHandler({}), _LocalRedirects)
    try:
        until = time.monotonic() + _PATIENCE
        with opener.open(url, timeout=_TIMEOUT) as response:
            while chunk := response.read1(_CHUNK_SIZE):
                target.write(chunk)
                if time.monotonic() > until:
                    raise FetchError(f"The file did not come within {_PATIENCE} s")
                if limit is not None and target.tell() > limit:
                    raise FetchError(f"The file is over this sandbox's limit of {limit} bytes")
            return str(response.headers.get_content_type())
    except (OSError, ValueError, HTTPException) as error:
        answered = f"the answer was {error.code}" if isinstance(error, HTTPError) else "nobody answers"
        raise FetchError(f"The URL could not be fetched: {answered}") from error
