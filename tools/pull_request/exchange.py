"""Carry a report from a program that may be a stranger's to one that may write comments, as data and nothing else.

What is read here was made by the code of a pull request. It can be wrong, and cannot be more than a report: values of
known kinds within bounds, which are rendered, and so escaped, where they are read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import attrs

from tools.contract.document import is_array, is_object
from tools.spec_diff.policy import LEVELS
from tools.spec_diff.report import BUMPS, Change, Report

FORMAT = 1
MAX_BYTES = 8 * 1024 * 1024
MAX_CHANGES = 20_000
MAX_CHARACTERS = 20_000
"""How long a single text may be."""
VERSION = re.compile(r"[^\x00-\x1f\x7f]{1,100}")
KIND = re.compile(r"[A-Za-z][A-Za-z-]{0,63}")


class ExchangeError(Exception):
    """What was read is no report; the message says why, in words of this program alone."""


def dump_report(report: Report) -> str:
    """Return a report as JSON that `load_report` reads."""
    changes = [
        {
            **attrs.asdict(change),
            "python": list(change.python),
            "directions": sorted(change.directions),
            "accepted": report.accepted.get(change),
        }
        for change in report.changes
    ]
    document = {
        "format": FORMAT,
        "old": report.old,
        "new": report.new,
        "since": report.since,
        "required": report.required,
        "actual": report.actual,
        "unused": list(report.unused),
        "missing": list(report.missing),
        "changes": changes,
    }
    return json.dumps(document) + "\n"


def dump_error(message: str) -> str:
    """Return JSON that says why there is no report."""
    return json.dumps({"format": FORMAT, "error": message[:MAX_CHARACTERS]}) + "\n"


def load_report(data: bytes) -> Report | str:
    """Return the report that some JSON holds, or the message that says why there is none.

    Raises:
        ExchangeError: When it holds neither.
    """
    if len(data) > MAX_BYTES:
        raise ExchangeError(f"more than {MAX_BYTES:,} bytes")
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        raise ExchangeError("no JSON") from None
    if not is_object(document) or document.get("format") != FORMAT:
        raise ExchangeError(f"no report of format {FORMAT}")
    if "error" in document:
        return _read_text(document, "error")
    entries = document.get("changes")
    if not is_array(entries) or len(entries) > MAX_CHANGES:
        raise ExchangeError(f"changes should be a list of at most {MAX_CHANGES:,}")
    read = [_read_change(entry) for entry in entries]
    return Report(
        old=_read_match(document, "old", VERSION),
        new=_read_match(document, "new", VERSION),
        since=None if document.get("since") is None else _read_match(document, "since", VERSION),
        required=_read_choice(document, "required", BUMPS),
        actual=None if document.get("actual") is None else _read_choice(document, "actual", BUMPS),
        changes=tuple(change for change, _ in read),
        accepted={change: reason for change, reason in read if reason is not None},
        unused=_read_texts(document, "unused"),
        missing=_read_texts(document, "missing"),
    )


def _read_change(entry: Any) -> tuple[Change, str | None]:
    """Return a change, and why it is accepted if it is."""
    if not is_object(entry):
        raise ExchangeError("a change should be an object")
    line = entry.get("line")
    if not isinstance(line, int) or isinstance(line, bool) or not 0 <= line < 10**9:
        raise ExchangeError("line should be a number of a line")
    change = Change(
        operation=_read_text(entry, "operation"),
        location=_read_text(entry, "location"),
        line=line,
        kind=_read_match(entry, "kind", KIND),
        level=_read_choice(entry, "level", LEVELS),
        message=_read_text(entry, "message"),
        python=_read_texts(entry, "python"),
        installed_clients=_read_optional_text(entry, "installed_clients"),
        side=_read_choice(entry, "side", ("old", "new")),
        directions=frozenset(_read_texts(entry, "directions")) & {"request", "response"},
    )
    return change, _read_optional_text(entry, "accepted")


def _read_text(entry: Mapping[str, Any], key: str) -> str:
    value = entry.get(key)
    if not isinstance(value, str) or len(value) > MAX_CHARACTERS:
        raise ExchangeError(f"{key} should be a text of at most {MAX_CHARACTERS:,} characters")
    # A lone surrogate is a text to JSON and nothing that could be sent.
    return value.encode("utf-8", "replace").decode()


def _read_optional_text(entry: Mapping[str, Any], key: str) -> str | None:
    return None if entry.get(key) is None else _read_text(entry, key)


def _read_texts(entry: Mapping[str, Any], key: str) -> tuple[str, ...]:
    values = entry.get(key)
    if not is_array(values) or len(values) > MAX_CHANGES:
        raise ExchangeError(f"{key} should be a list of at most {MAX_CHANGES:,}")
    return tuple(_read_text({key: value}, key) for value in values)


def _read_match(entry: Mapping[str, Any], key: str, form: re.Pattern[str]) -> str:
    value = _read_text(entry, key)
    if not form.fullmatch(value):
        raise ExchangeError(f"{key} is not of the form that it should have")
    return value


def _read_choice(entry: Mapping[str, Any], key: str, choices: Any) -> Any:
    value = entry.get(key)
    if not isinstance(value, str) or value not in choices:
        raise ExchangeError(f"{key} should be one of the words that it can be")
    return value
