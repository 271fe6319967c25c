"""What may be shown: presigned URLs without their query, and texts of strangers made short and safe.

Everything past the `?` of a presigned URL is a secret that lets its holder write to storage. Models, errors and logs
therefore pass through here before a person or a file sees them.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from typing import Any

# An apostrophe or a backslash ends no URL: both come up in queries, the latter where JSON writes `&` as `\u0026`. Only
# an apostrophe at the very end is the quotation's.
_URL_WITH_QUERY = re.compile(r"(https?:(?:\\?/){2}[^\s\"<>?#]+)[?#][^\s\"<>]*?(?='?(?:[\s\"<>]|\Z))", re.IGNORECASE)
_SIGNED_QUERY = re.compile(
    r"\?(?:[^\s\"<>?]*(?:[&;]|\\u0026))?(?:X-Amz-|X-Goog-|Signature=|sig=|AWSAccessKeyId=)[^\s\"<>]*", re.IGNORECASE
)
_AUTHORIZATION = re.compile(r"\b(Basic|Bearer)(\s+)[\w.~+/=-]{16,}", re.IGNORECASE)
# Besides control characters: what turns or ends a line elsewhere, and halves of characters, which no encoder takes.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]+")


def redact(text: str) -> str:
    """Return `text` with the query of every URL, and what follows `Basic` or `Bearer`, replaced by an ellipsis."""
    text = _SIGNED_QUERY.sub("?…", _URL_WITH_QUERY.sub(r"\1?…", text))
    return _AUTHORIZATION.sub(r"\1\2…", text)


def snippet(text: str, limit: int = 200) -> str:
    """Return the start of a stranger's `text` on one line of at most `limit` characters, redacted."""
    # Cut before the work: an answer may have many megabytes. Redact before the final cut, so that no URL is halved.
    line = _CONTROL.sub(" ", redact(text[: limit * 20])).strip()
    return line if len(line) <= limit else line[: limit - 1] + "…"


class SecretURL(str):
    """A URL that equals its whole text, and whose `repr` leaves out the query."""

    __slots__ = ()

    def __repr__(self) -> str:
        return repr(str(self).partition("?")[0] + "?…")


def shield(value: object) -> object:
    """Return a decoded JSON value in which every URL with a query is a `SecretURL`."""
    return replace_each(value, _shield_one) if isinstance(value, list | dict) else _shield_one(value)


def _shield_one(value: object) -> object:
    if isinstance(value, dict) and any("?" in key for key in value):
        return {_shield_one(key): item for key, item in value.items()}
    if isinstance(value, str) and "?" in value and not isinstance(value, SecretURL) and redact(value) != value:
        return SecretURL(value)
    return value


def replace_each(value: object, replace: Callable[[object], object]) -> object:
    """Return a JSON-like value, however deep, with `replace` applied to it and then to all that it holds."""
    result: list[Any] = [value]
    copies: list[Any] = [result]
    while copies:
        container = copies.pop()
        for key, item in container.items() if isinstance(container, dict) else enumerate(container):
            replaced = replace(item)
            if isinstance(replaced, list | dict):
                replaced = replaced.copy()
                copies.append(replaced)
            container[key] = replaced
    return result[0]


def redact_chain(error: BaseException) -> None:
    """Take secrets out of the texts of an error and of those under it, which may quote what a peer has sent."""
    seen: list[BaseException] = []
    todo: list[BaseException | None] = [error]
    while todo:
        one = todo.pop()
        if one is None or one in seen:
            continue
        seen.append(one)
        todo += [one.__cause__, one.__context__]
        told = tuple(redact(told) if isinstance(told, str) else told for told in one.args)
        if told != one.args:
            one.args = told


class _RedactSecrets(logging.Filter):
    """Rewrites log records of others.

    At INFO, httpx prints the whole URL of each request, presigned ones included; at DEBUG, httpcore prints the head of
    each answer, where a service may point to such a URL or repeat what it was sent.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        try:
            message = record.getMessage()
        except (TypeError, ValueError):
            # A record that nobody can format is the handlers' affair; an application does not fail over it.
            return True
        if _SIGNED_QUERY.search(message) or _AUTHORIZATION.search(message):
            record.msg, record.args = redact(message), ()
        return True


_FILTER = _RedactSecrets()
_LOGGERS = ("httpx", *(f"httpcore.{part}" for part in ("connection", "http11", "http2", "proxy", "socks")))


def guard_logs(*names: str) -> None:
    """Keep secrets out of what loggers emit: those called `names`, or else those of httpx and httpcore.

    Calling it again changes nothing.
    """
    for name in names or _LOGGERS:
        logging.getLogger(name).addFilter(_FILTER)
