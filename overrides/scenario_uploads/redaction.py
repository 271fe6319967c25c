"""Redaction: presigned URLs without their query, and text from services as one safe line.

The query of a presigned URL is a secret that allows writing to storage. Models, errors and logs are redacted before
they are shown or written.
"""

from __future__ import annotations

import base64
import json
import re
import weakref
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache, lru_cache
from typing import Any

# A query may contain apostrophes, and backslashes where JSON writes `&` as `\u0026`. Only an apostrophe at the very end
# is a closing quote. A URL is matched as a whole, so one pass is enough for any text.
_URL = re.compile(r"(https?:(?:\\?/){2}[^\s\"<>?#]+)(?:[?#][^\s\"<>]*?('?)(?![^\s\"<>]))?", re.IGNORECASE)
_SIGNED_QUERY = re.compile(
    r"\?(?:[^\s\"<>?]*(?:[&;]|\\u0026))?(?:X-Amz-|X-Goog-|Signature=|sig=|AWSAccessKeyId=)[^\s\"<>]*", re.IGNORECASE
)
# A URL inside the query of another URL.
_ENCODED_QUERY = re.compile(r"%3F[^\s\"'<>]+", re.IGNORECASE)
_SIGNATURE = re.compile(r"X-Amz-|X-Goog-", re.IGNORECASE)
AUTHORIZATION = re.compile(r"\b(Basic|Bearer)(\s+)[\w.~+/=-]{16,}", re.IGNORECASE)
# As `html.escape` writes it, which is slow to import.
_IN_HTML = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"}
# Control characters, line separators, text-direction marks, and surrogates, which cannot be encoded.
CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]+")


def redact(text: str) -> str:
    """Replace the query of every URL, and what follows `Basic` or `Bearer`, by an ellipsis."""
    text = _URL.sub(lambda found: found[0] if found[2] is None else f"{found[1]}?…{found[2]}", text)
    return hide_signatures(text)


def hide_signatures(text: str) -> str:
    """Replace queries that sign a request, and what follows `Basic` or `Bearer`, by an ellipsis."""
    text = _SIGNED_QUERY.sub("?…", text)
    text = _ENCODED_QUERY.sub(lambda found: "%3F…" if _SIGNATURE.search(found.group()) else found.group(), text)
    return AUTHORIZATION.sub(r"\1\2…", text)


def snippet(text: str, limit: int = 200) -> str:
    """Return the start of an untrusted text as one redacted line of at most `limit` characters."""
    # Cut first, since a body may have megabytes; redact before the final cut, so that no URL is split.
    line = CONTROLS.sub(" ", redact(mask_known(text[: limit * 20]))).strip()
    return line if len(line) <= limit else line[: limit - 1] + "…"


def find_reason(body: object) -> str | None:
    """Return the reason in an error body, whichever key it is under, or None."""
    return snippet(text, 500) if isinstance(body, dict | list) and (text := _find_text(body)) else None


def _find_text(value: object, levels: int = 8) -> str | None:
    """Return the text of a string, of a known key of an object, or of the items of a list."""
    if isinstance(value, str):
        return value.strip() or None
    if isinstance(value, dict) and levels:
        texts = (_find_text(value.get(key), levels - 1) for key in ("reason", "message", "error", "detail", "msg"))
        return next((text for text in texts if text), None)
    if isinstance(value, list) and levels:
        return "; ".join(text for item in value[:5] if (text := _find_text(item, levels - 1))) or None
    return None


def find_trace_id(body: object) -> str | None:
    ids = [body.get(key) for key in ("traceId", "trace_id")] if isinstance(body, dict) else []
    return next((snippet(value) for value in ids if isinstance(value, str) and value.strip()), None)


class SecretURL(str):
    """A URL as a string, whose `repr` leaves out the query."""

    __slots__ = ()

    def __repr__(self) -> str:
        return repr(str(self).partition("?")[0] + "?…")


def mask_urls(value: object) -> object:
    """Return a JSON value in which every URL with a query is a `SecretURL`."""
    return replace_each(value, _mask_url) if isinstance(value, list | dict) else _mask_url(value)


def _mask_url(value: object) -> object:
    if isinstance(value, dict) and any("?" in key for key in value):
        return {_mask_url(key): item for key, item in value.items()}
    if isinstance(value, str) and "?" in value and not isinstance(value, SecretURL) and redact(value) != value:
        return SecretURL(value)
    return value


def replace_each(value: object, replace: Callable[[object], object]) -> object:
    """Return a copy of a JSON-like value of any depth, with `replace` applied to it and its items."""
    result: list[Any] = [value]
    copies: list[Any] = [result]
    # A value may contain itself. Originals are kept, so that their ids stay unique.
    known: dict[int, tuple[Any, Any]] = {}
    while copies:
        container = copies.pop()
        for key, item in container.items() if isinstance(container, dict) else enumerate(container):
            if id(item) not in known:
                replaced = replace(item)
                if isinstance(replaced, list | dict):
                    replaced = replaced.copy()
                    copies.append(replaced)
                known[id(item)] = item, replaced
            container[key] = known[id(item)][1]
    return result[0]


def redact_chain(error: BaseException) -> bool:
    """Redact in place an error and its causes, which may quote the peer; return whether that leaves no secret."""
    for one in iter_chain(error):
        # An error of httpx has its request, and tblib, which Dask installs, lets causes be pickled too.
        if type(request := vars(one).get("_request")).__module__ == "httpx":
            one.request = strip_request(request)  # type: ignore[attr-defined]
        told = tuple(mask_known(redact(told)) if isinstance(told, str) else told for told in one.args)
        if told != one.args:
            one.args = told
    # Some errors say more than their arguments.
    return all(mask_known(redact(text)) == text for text in map(_say, iter_chain(error)))


def strip_request(request: Any) -> Any:
    """Return a copy of a request without headers, which hold the credentials, and body."""
    return type(request)(request.method, request.url)


def _say(error: BaseException) -> str:
    # A caller's own class may fail.
    with suppress(Exception):
        return str(error)
    return ""


def explain(error: BaseException) -> str:
    """Return why something failed, in a few words."""
    return snippet(str(getattr(error, "strerror", None) or _say(error) or type(error).__name__)).rstrip(".")


def iter_chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error, its causes and those of a group, each once: a chain may have a cycle."""
    seen: set[int] = set()
    todo = [error]
    while todo:
        one = todo.pop()
        if one is not None and id(one) not in seen:
            seen.add(id(one))
            group = one.exceptions if isinstance(one, BaseExceptionGroup) else ()
            todo += [one.__context__, one.__cause__, *group]
            yield one


_KNOWN: dict[int, tuple[str, ...]] = {}  # secrets to mask everywhere, by the object that holds them


def guard_secrets(holder: object, *secrets: str) -> None:
    """Mask secrets in errors and logs as long as their holder lives: a service may echo them."""
    _KNOWN[id(holder)] = secrets
    weakref.finalize(holder, _KNOWN.pop, id(holder), None).atexit = False


def guard_header(holder: object, authorization: str) -> None:
    """Guard the secrets in an `Authorization` header: all but the scheme, and a decoded Basic pair."""
    scheme, _, credentials = authorization.partition(" ")
    secrets = [credentials or scheme]
    if scheme == "Basic":
        with suppress(ValueError):
            secrets += base64.b64decode(credentials).decode().split(":", 1)
    # A header may show UTF-8 decoded as Latin-1.
    guard_secrets(holder, *secrets, *(secret.encode().decode("latin-1") for secret in secrets))


def mask_known(text: str) -> str:
    """Return a text with all guarded secrets masked, however JSON, URLs or HTML spell them."""
    for secrets in set(_KNOWN.values()):
        if pattern := _match_secrets(*secrets):
            text = pattern.sub("***", text)
    return text


@lru_cache(maxsize=256)
def _match_secrets(*secrets: str) -> re.Pattern[str] | None:
    # Shorter secrets might match ordinary words. Longest first, since one may be the prefix of another.
    known = sorted({secret for secret in secrets if len(secret) >= 8}, key=len, reverse=True)
    return re.compile("|".join(map(_match_secret, known))) if known else None


def _match_secret(secret: str) -> str:
    # A long token takes too long to compile: match its start, and mask the rest.
    long = len(secret) > 64 and re.fullmatch(r"[\w.~+/=-]+", secret, re.ASCII)
    return "".join(map(_match_character, secret[:64] if long else secret)) + (r"[^\s\"'<>]*" if long else "")


@cache
def _match_character(character: str) -> str:
    forms = (character, _IN_HTML.get(character, character), json.dumps(character)[1:-1])
    spellings = {re.escape(form) for form in forms}
    spellings |= {rf"\\+{re.escape(character)}"} if character in "\"'/\\" else set()
    units = re.findall(r"\\u(....)", json.dumps(character)) or [f"{ord(character):04x}"]
    spellings.add("".join(rf"\\+u(?i:{unit})" for unit in units))
    spellings.add("".join(f"%(?i:{byte:02x})" for byte in character.encode()))
    spellings.add(rf"&#(?:0*{ord(character)}|[xX]0*(?i:{ord(character):x}));")
    return f"(?:{'|'.join(sorted(spellings, key=len, reverse=True))})"
