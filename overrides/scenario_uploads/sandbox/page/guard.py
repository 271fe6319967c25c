"""Who may read the page: a browser on this machine that was not sent by another site. Pure."""

import secrets
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import Scope

from scenario_uploads.sandbox.options import is_loopback

HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; connect-src 'self';"
        " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    # Not `no-referrer`, with which the Origin of a form is null.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""Of every response of the page."""
FILE_POLICY: Final = "sandbox; default-src 'none'; media-src 'self'; img-src 'self'; style-src 'unsafe-inline'"
"""The Content-Security-Policy of an uploaded file: nothing in it runs, even where it is opened by itself."""


def find_refusal(scope: Scope) -> str | None:
    """Return why a request may not have the page, or None when it may."""
    headers, client = Headers(scope=scope), scope.get("client")
    is_forwarded = "x-forwarded-for" in headers or "forwarded" in headers
    if client is None or not is_loopback(client[0]) or is_forwarded:
        return "The page is shown on the machine of the sandbox alone."
    hosts = headers.getlist("host")
    if len(hosts) != 1 or not _is_own(hosts[0]):
        # A foreign name for this machine is how DNS rebinding reads what is on loopback.
        return "The page is at the loopback address of the sandbox alone, such as 127.0.0.1 or localhost."
    origins = headers.getlist("origin")
    is_foreign = any(origin != f"http://{hosts[0]}" for origin in origins)
    # Browsers say so of what they load for another site, such as an image. A link from elsewhere may be followed.
    is_embedded = headers.get("sec-fetch-mode", "navigate") != "navigate" or "iframe" in headers.get(
        "sec-fetch-dest", ""
    )
    if is_foreign or (is_embedded and headers.get("sec-fetch-site", "") in {"cross-site", "same-site"}):
        return "The page is not for other sites."
    return None


def _is_own(host: str) -> bool:
    try:
        return is_loopback(urlsplit(f"//{host}").hostname or "")
    except ValueError:
        return False


def is_token(given: object, token: str) -> bool:
    """Return whether what came with a request is the page's token, in a time that does not tell how wrong it is."""
    return isinstance(given, str) and secrets.compare_digest(given.encode(), token.encode())
