"""What may be shown: presigned URLs without their query, and texts of strangers made short and safe.

Everything past the `?` of a presigned URL is a secret that lets its holder write to storage. Models, errors and logs
therefore pass through here before a person or a file sees them.
"""

from __future__ import annotations

import logging
import re

_URL_WITH_QUERY = re.compile(r"(https?://[^\s\"'<>?#\\]+)[?#][^\s\"'<>\\]*", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]+")
_SIGNED = re.compile(r"[?&](?:X-Amz-|X-Goog-|Signature=|sig=|AWSAccessKeyId=)", re.IGNORECASE)


def redact(text: str) -> str:
    """Return `text` with the query of every URL in it replaced by an ellipsis."""
    return _URL_WITH_QUERY.sub(r"\1?…", text)


def snippet(text: str, limit: int = 200) -> str:
    """Return the start of a stranger's `text` on one line of at most `limit` characters, redacted."""
    # Cut before the work: an answer may have many megabytes. Redact before the final cut, so that no URL is halved.
    line = _CONTROL.sub(" ", redact(text[: limit * 20])).strip()
    return line if len(line) <= limit else line[: limit - 1] + "…"


class SecretURL(str):
    """A URL that equals its whole text, and whose `repr` leaves out the query."""

    __slots__ = ()

    def __repr__(self) -> str:
        return repr(redact(str(self)))


def shield(value: object) -> object:
    """Return a decoded JSON value in which every URL with a query is a `SecretURL`."""
    if isinstance(value, str):
        if value[:4].lower() == "http" and "?" in value and not isinstance(value, SecretURL):
            return SecretURL(value)
        return value
    if isinstance(value, list):
        return [shield(item) for item in value]
    if isinstance(value, dict):
        return {key: shield(item) for key, item in value.items()}
    return value


class _RedactSignedURLs(logging.Filter):
    """Rewrites log records of httpx, which at INFO prints the whole URL of each request, presigned ones included."""

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        if _SIGNED.search(message):
            record.msg, record.args = redact(message), ()
        return True


_FILTER = _RedactSignedURLs()


def guard_logs(*names: str) -> None:
    """Keep presigned URLs out of what the loggers called `names` emit. Calling it again changes nothing."""
    for name in names:
        logging.getLogger(name).addFilter(_FILTER)
