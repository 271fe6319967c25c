"""Headers, query and body of a request: checked, merged, written. Later values win; `omit` removes."""

from __future__ import annotations

import datetime
import json
import re
import uuid
from collections.abc import Iterator, Mapping
from decimal import Decimal
from enum import Enum
from typing import Any

from scenario_uploads.arguments import Headers, Omit, Query, is_given
from scenario_uploads.errors import InvalidArgumentError

# RFC 9110, 5.1 and 5.5: a token; ASCII without control characters or surrounding blanks.
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE = re.compile(r"(?![ \t])[\t\x20-\x7e]*(?<![ \t])")
# Only the client may frame a request: a second, different length allows request smuggling.
_FRAMING = frozenset({"content-length", "transfer-encoding"})


def check_headers(headers: object, name: str = "default_headers") -> dict[str, str | Omit]:
    """Return the headers of the argument `name`. An error shows no value, which may be a secret."""
    checked = _check_mapping(headers, name)
    for key, value in checked.items():
        sent = isinstance(value, str) and _HEADER_VALUE.fullmatch(value) and key.lower() not in _FRAMING
        if not _HEADER_NAME.fullmatch(key) or not (sent or isinstance(value, Omit)):
            raise InvalidArgumentError(
                f"{name}: the header {key!r} cannot be sent. A value is ASCII without line ends or surrounding blanks,"
                " and the client itself says how long a request is."
            )
    return checked


def merge_headers(*groups: Headers) -> dict[str, str | Omit]:
    """Return all headers. Names ignore case, and later groups win."""
    return dict({name.lower(): (name, value) for group in groups for name, value in group.items()}.values())


def check_query(query: object, name: str = "default_query") -> dict[str, object]:
    checked: dict[str, object] = _check_mapping(query, name)
    for key, value in checked.items():
        try:
            list(_build_query_items(key, value))
        except (TypeError, ValueError, RecursionError):
            raise InvalidArgumentError(
                f"{name}: the query parameter {key!r} must be a text, a number, a date, or a list or mapping of these."
            ) from None
    return checked


def merge_query(default: Query, own: Query | None = None, extra: Query | None = None) -> tuple[tuple[str, str], ...]:
    """Return the query. A caller's list becomes `name=1,2`, as in scenario-sdk; a generated one `name=1&name=2`."""
    own = own or {}
    return tuple(
        item
        for name, value in {**default, **own, **(extra or {})}.items()
        for each in (value if isinstance(value, list) and value is own.get(name) else [value])
        for item in _build_query_items(name, each)
    )


def _build_query_items(name: str, value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _build_query_items(f"{name}[{key}]", item)
    elif isinstance(value, list | tuple):
        yield name, ",".join(_format_query_value(item) for item in value if item is not None)
    elif value is not None and is_given(value):
        yield name, _format_query_value(value)


def _format_query_value(value: object) -> str:
    if isinstance(value, Enum):
        value = value.value
    # Dates and the like as scenario-sdk sends them, which is as Python writes them.
    if not isinstance(value, str | int | float | datetime.date | datetime.time | uuid.UUID | Decimal):
        raise TypeError
    return str(value).lower() if isinstance(value, bool) else str(value)


def check_body(body: object) -> dict[str, object]:
    """Return the additional fields of a body, which must be a mapping that JSON can hold."""
    checked: dict[str, object] = _check_mapping(body, "extra_body")
    try:
        list(map(write_json, merge_body({}, checked).items()))
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidArgumentError(f"extra_body cannot be written as JSON: {type(error).__name__}.") from error
    return checked


def merge_body(body: Mapping[str, Any], extra: Mapping[str, object]) -> dict[str, Any]:
    return {key: value for key, value in {**body, **extra}.items() if is_given(value)}


def write_json(value: object) -> bytes:
    """Return compact JSON; TypeError, ValueError or RecursionError for what JSON cannot hold."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_to_json)
    return text.encode()


def _to_json(value: Any) -> object:
    """Return what stands for a model, a member of an enum or a date."""
    for convert in ("to_dict", "isoformat"):
        if callable(method := getattr(value, convert, None)):
            return method()
    if isinstance(value, Enum):
        return value.value
    raise TypeError


def _check_mapping(value: object, name: str) -> dict[str, Any]:
    if value is None or not is_given(value):
        return {}
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise InvalidArgumentError(f"{name} must be a mapping whose keys are strings.")
    return dict(value)
