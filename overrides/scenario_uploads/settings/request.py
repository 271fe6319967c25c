"""Headers, query and body of a request: checked, merged, made text. What comes later wins, and `omit` takes away."""

from __future__ import annotations

import datetime
import json
import re
import uuid
from collections.abc import Iterator, Mapping
from decimal import Decimal
from enum import Enum
from typing import Any

import httpx
from attrs import field, frozen

from scenario_uploads.errors import InvalidArgumentError
from scenario_uploads.sentinels import Omit, is_given

Headers = Mapping[str, str | Omit]
"""Names of headers and their values; `omit` for one that is not to be sent."""

Query = Mapping[str, object]
"""Names of query parameters and their values: texts, numbers, booleans, dates, and lists or mappings of these."""

# RFC 9110, 5.1 and 5.5: a token, and ASCII without control characters, or blanks at the ends.
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE = re.compile(r"(?![ \t])[\t\x20-\x7e]*(?<![ \t])")
# What tells where a request ends is the client's affair: two answers to that are two requests to some.
_FRAMING = frozenset({"content-length", "transfer-encoding"})


def check_headers(name: str, headers: object) -> dict[str, str | Omit]:
    """Return the headers that an argument called `name` gives.

    Raises:
        InvalidArgumentError: When a header could not be sent. Its value is not shown: it may be a secret.
    """
    for key, value in _check_mapping(name, headers).items():
        if not isinstance(key, str) or not _HEADER_NAME.fullmatch(key):
            raise InvalidArgumentError(f"{name}: {key!r} is no name for a header.")
        if isinstance(value, Omit):
            continue
        if key.lower() in _FRAMING:
            raise InvalidArgumentError(f"{name}: the client sets {key} itself; leave it out.")
        if not isinstance(value, str) or not _HEADER_VALUE.fullmatch(value):
            raise InvalidArgumentError(
                f"{name}: the value of the header {key!r} must be a text without line ends, all ASCII, stripped."
            )
    return dict(_check_mapping(name, headers))


def merge_headers(*groups: Headers) -> list[tuple[str, str]]:
    """Return the headers to send. Names differ in case only to people: later ones replace earlier ones all the same."""
    merged = {name.lower(): (name, value) for group in groups for name, value in group.items()}
    return [(name, value) for name, value in merged.values() if not isinstance(value, Omit)]


def add_headers(headers: Headers, more: Headers) -> dict[str, str | Omit]:
    """Return both, those of `more` instead of others of the same name."""
    names = {name.lower() for name in more}
    return {name: value for name, value in headers.items() if name.lower() not in names} | dict(more)


def check_query(name: str, query: object) -> dict[str, object]:
    """Return the query parameters that an argument called `name` gives.

    Raises:
        InvalidArgumentError: When one cannot be made text.
    """
    checked = _check_mapping(name, query)
    for key, value in checked.items():
        if not isinstance(key, str):
            raise InvalidArgumentError(f"{name}: {key!r} is no name for a query parameter.")
        try:
            list(_query_items(key, value))
        except (TypeError, ValueError, RecursionError):
            raise InvalidArgumentError(
                f"{name}: the query parameter {key!r} must be a text, a number, a date, or a list or mapping of these,"
                f" not {type(value).__name__}."
            ) from None
    return dict(checked)


def merge_query(default: Query, own: Query | None = None, extra: Query | None = None) -> tuple[tuple[str, str], ...]:
    """Return the query parameters to send: booleans as `true` and `false`, without those that are None.

    A caller's list becomes `name=1,2`, a mapping `name[key]=value`, as the API's other client sends them. A list of the
    generated client becomes `name=1&name=2`, as the contract says by leaving it at that.

    Args:
        default: Those of the client.
        own: Those that the generated client makes of a call's arguments.
        extra: Those that the caller adds to the call.
    """
    if not (default or own or extra):
        return ()
    own, extra = own or {}, extra or {}
    result: list[tuple[str, str]] = []
    for name, value in {**default, **own, **extra}.items():
        if name in own and name not in extra and isinstance(value, list | tuple):
            result += [item for each in value for item in _query_items(name, each)]
        else:
            result += _query_items(name, value)
    return tuple(result)


def _query_items(name: str, value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _query_items(f"{name}[{key}]", item)
    elif isinstance(value, list | tuple):
        yield name, ",".join(_query_text(item) for item in value if item is not None)
    elif value is not None and is_given(value):
        yield name, _query_text(value)


def _query_text(value: object) -> str:
    if isinstance(value, Enum):
        value = value.value
    # Dates and the like as scenario-sdk sends them, which is as Python writes them.
    if not isinstance(value, str | int | float | datetime.date | datetime.time | uuid.UUID | Decimal):
        raise TypeError
    return str(value).lower() if isinstance(value, bool) else str(value)


def check_body(name: str, body: object) -> dict[str, object]:
    """Return the fields that an argument called `name` adds to the body of a request.

    Raises:
        InvalidArgumentError: When they are no mapping with texts for keys, or cannot be written as JSON.
    """
    checked = dict(_check_mapping(name, body))
    for key in checked:
        if not isinstance(key, str):
            raise InvalidArgumentError(f"{name}: {key!r} is no name for a field.")
    try:
        write_json({key: value for key, value in checked.items() if is_given(value)})
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidArgumentError(f"{name} cannot be written as JSON: {type(error).__name__}.") from error
    return checked


def merge_body(body: Mapping[str, Any], extra: Mapping[str, object]) -> dict[str, Any]:
    """Return the body with the fields of `extra` in it."""
    return {key: value for key, value in {**body, **extra}.items() if is_given(value)}


def write_json(value: object) -> bytes:
    """Return a JSON value as compact bytes.

    Raises:
        TypeError: When something in it is of no type that JSON knows.
        ValueError: When a number is not finite, it holds itself, or a text has halves of characters.
        RecursionError: When it is too deep.
    """
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_to_json)
    return text.encode()


def _to_json(value: object) -> object:
    if callable(to_dict := getattr(value, "to_dict", None)):
        return to_dict()
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, uuid.UUID):
        return str(value)
    raise TypeError


def _check_mapping(name: str, value: object) -> Mapping[Any, Any]:
    if not isinstance(value, Mapping):
        raise InvalidArgumentError(f"{name} must be a mapping, not {type(value).__name__}.")
    return value


@frozen
class CallOptions:
    """What one call is about besides its own arguments, checked.

    Attributes:
        headers: Headers to send besides the client's, or in place of them.
        query: Query parameters to send besides the client's, or in place of them.
        body: Fields to put into the body, where the call has one.
        timeout: The timeouts; None for the client's.
        project_id: The project that owns the upload, the client's or that of the call; None for none.
    """

    headers: Headers = field(factory=dict, repr=False)
    query: Query = field(factory=dict, repr=False)
    body: Mapping[str, object] = field(factory=dict, repr=False)
    timeout: httpx.Timeout | None = None
    project_id: str | None = None

    def add_to(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Return a request of the generated client with what is added here."""
        added = dict(request)
        if self.headers:
            added["headers"] = {**request.get("headers", {}), **self.headers}
        if self.query:
            added["extra_params"] = self.query
        # A GET has no body; there `extra_body` changes nothing.
        if self.body and "json" in request:
            added["json"] = merge_body(request["json"], self.body)
        return added


def check_project_id(project_id: object) -> str | None:
    """Return the id of a project; None for none, which `omit` asks for.

    Raises:
        InvalidArgumentError: When it is empty or no text that can be sent.
    """
    if project_id is None or not is_given(project_id):
        return None
    if not isinstance(project_id, str) or not project_id.strip() or not project_id.isprintable():
        raise InvalidArgumentError(f"project_id must be the id of a project, such as 'proj_5Rt9c', not {project_id!r}.")
    return project_id


def or_empty(given: object) -> object:
    """Return what an argument gives, which for one that is not given is nothing."""
    return {} if given is None or not is_given(given) else given
