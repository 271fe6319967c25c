"""Try facts about schemas in answers: what does the old client make of what only the new contract allows?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from tools.spec_diff.bench import MAX_VALUES, READ_AS_BEFORE, Bench, Effect, Judge, find_keywords, judge_unsent
from tools.spec_diff.reach import ABSENT, Part, Way, embed, find_value, name_keys
from tools.spec_diff.samples import EXTRA, TEXT, NoSampleError
from tools.spec_diff.schemas import Difference
from tools.spec_diff.trial import Answer, Result
from tools.spec_diff.try_requests import get_old, name_property, settle

NOT_TRIED = Effect("degraded", "not tried, since no value was found that only the new contract allows; look")
JSON_ALONE = Effect("nothing", "the client reads JSON alone")
READ_HEADERS = frozenset({"retry-after"})
WIDENING = frozenset(
    {
        *("type-changed", "type-widened", "null-added", "enum-value-added", "enum-removed", "alternative-added"),
        *("required-property-removed", "property-removed", "property-added-to-closed", "property-became-optional"),
        "additional-properties-widened",
    }
)
"""What a decoder could stumble over; it reads no bounds, patterns and the like."""
HARMLESS = frozenset(
    {
        *("type-narrowed", "null-removed", "enum-value-removed", "enum-added", "limit-narrowed", "pattern-added"),
        *("format-added", "format-narrowed", "alternative-removed", "keyword-added"),
    }
)
"""What comes was allowed before."""


def try_answer(bench: Bench, difference: Difference, way: Way) -> list[Judge]:
    """Plan answers that show what a difference means at the end of a way; return what judges them."""
    part = way.root.part
    if part[0] == "header":
        return [settle(describe_header(part))]
    if len(part) > 2:
        return [settle(JSON_ALONE)]
    if difference.rule.startswith("default-"):
        return [settle(Effect("nothing", "the client fills nothing in"))]
    try:
        trials = make_values(bench, difference, way)
    except NoSampleError:
        trials = []
    judges: list[Judge] = []
    for control, value, keys in trials:
        numbers = [receive(bench, way, each, keys) for each in (control, value)]
        if numbers[0] is not None and numbers[1] is not None:
            shown = find_value(value, keys[len(way.keys) :])
            judges.append(partial(judge_read, numbers[0], numbers[1], name_keys(keys, way.root.label), shown))
    if not judges:
        judges.append(settle(NOT_TRIED if difference.rule in WIDENING else READ_AS_BEFORE))
    return judges


def describe_header(part: Part) -> Effect:
    """Return what becomes of a client when a header of an answer has another schema."""
    if part[2] in READ_HEADERS:
        return Effect("degraded", f"not tried; the client reads the header {part[2]}")
    return Effect("nothing", f"the client does not read the header {part[2]}")


def make_values(bench: Bench, difference: Difference, way: Way) -> list[tuple[Any, Any, list[str | int]]]:
    """Return pairs of values, one that both contracts may send and one that the new one may, and where to look.

    Raises:
        NoSampleError: When no value is found.
    """
    rule, place = difference.rule, way.target.old
    if rule == "access-changed":
        return make_access(bench, way)
    if "propert" not in rule:
        control = bench.old.make_plain(place)
        return [(control, value, way.keys) for value in choose_values(bench, difference, way)]
    name = name_property(difference)
    look = [*way.keys, name]
    if rule in ("property-removed", "required-property-removed", "property-became-optional"):
        # Nothing beside it that could stand in for it.
        view = bench.old.reader.read(place)
        least = bench.old.make_required(view, without=name)
        own = view.properties.get(name)
        return [({**least, name: TEXT if own is None else bench.old.make_plain(own)}, least, look)]
    full = bench.old.make_full(place)
    if rule in ("property-added", "required-property-added", "property-added-to-closed"):
        values = bench.new.list_values(difference.place)[:2] or [TEXT]
        return [(full, {**full, name: value}, look) for value in values]
    if rule == "additional-properties-widened":
        extra = bench.new.reader.read(way.target.new).additional
        values = bench.new.list_values(extra)[:MAX_VALUES] if isinstance(extra, tuple) else [TEXT, 1, {}]
        return [(full, {**full, EXTRA: value}, [*way.keys, EXTRA]) for value in values]
    return [(full, full, way.keys)]


def make_access(bench: Bench, way: Way) -> list[tuple[Any, Any, list[str | int]]]:
    """Return the values for a property that comes into answers or goes out of them."""
    views = bench.old.reader.read(way.target.old), bench.new.reader.read(way.target.new)
    hidden = [view.keywords.get("writeOnly") is True for view in views]
    if hidden[1] and not hidden[0]:
        return [(bench.old.make_plain(way.target.old), ABSENT, way.keys)]
    value = bench.new.make_plain(way.target.new)
    return [(ABSENT if hidden[0] else bench.old.make_plain(way.target.old), value, way.keys)]


def choose_values(bench: Bench, difference: Difference, way: Way) -> list[Any]:
    """Return values that the new contract allows and the old one refused for the difference, if there are such.

    Else they are some that both allow.
    """
    rule = difference.rule
    if rule == "enum-value-added":
        return [difference.member]
    old = bench.old.reader.read(way.target.old)
    values = bench.new.list_values(difference.place, old) if rule == "alternative-added" else []
    values = values or bench.list_candidates(way, old=False)
    wanted = find_keywords(difference)
    if rule in HARMLESS:
        fresh = []
    elif wanted:
        fresh = [value for value in values if bench.old.refuse(old, value) & wanted]
    else:
        fresh = [value for value in values if not bench.old.allows(way.target.old, value)]
    fresh.sort(key=lambda value: len(bench.old.refuse(old, value) - wanted))
    return (fresh or [value for value in values if not bench.old.refuse(old, value)])[:MAX_VALUES]


def receive(bench: Bench, way: Way, value: Any, keys: Sequence[str | int]) -> int | None:
    """Plan a call that is answered with a value at the end of a way; return its number, or None."""
    match = bench.matches[way.root.operation]
    if match.old is None:
        return None
    try:
        whole = embed(bench.old, way, value, get_old)
        answer = Answer(choose_status(way.root.part[1]), whole, (("content-type", "application/json"),), tuple(keys))
        return bench.plan.add(match, bench.give(match.old), answer)
    except NoSampleError:
        return None


def choose_status(status: str) -> int:
    """Return a status for one that a contract lists, which may be a range."""
    if status.isdigit():
        return int(status)
    return int(status[0]) * 100 + (99 if status[0] == "2" else 0) if status.endswith("XX") else 500


def judge_read(control: int, number: int, name: str, value: Any, results: Sequence[Result]) -> Effect:
    """Return what the client made of an answer, where it did not make that of the control."""
    before, after = results[control], results[number]
    if "sent" not in after:
        return judge_unsent(after)
    if after.get("unread"):
        return Effect("nothing", "the client reads no body of this operation")
    if "raised" in after:
        return judge_raised(before, after["raised"])
    fresh = [problem for problem in after["problems"] if problem not in before.get("problems", ())]
    if fresh:
        return describe_problem(name, after["reading"], fresh)
    return describe_reading(name, before.get("reading", after["reading"]), after["reading"], value)


def describe_reading(name: str, before: Mapping[str, str], after: Mapping[str, str], value: Any) -> Effect:
    """Return what somebody sees of an answer that the client read without a word."""
    if after["kind"] == "unknown":
        return Effect("tolerated", f"{name} reads as the unknown value {after['text']} (is_known is False)")
    if after["kind"] == "extra" and before["kind"] != "extra":
        return Effect("tolerated", f"{name} is kept in additional_properties")
    if after["kind"] != "none" or before["kind"] == "none":
        return READ_AS_BEFORE
    if value is ABSENT:
        return Effect("degraded", f"{name} reads None, since it comes no more")
    return Effect("tolerated", f"{name} reads None, as when it is left out")


def describe_problem(name: str, reading: Mapping[str, str], problems: Sequence[str]) -> Effect:
    """Return what somebody sees of an answer that the client warned of."""
    kind = reading["kind"]
    if kind == "none":
        return Effect("degraded", f"{name} reads None, with a warning")
    if kind == "absent":
        return Effect("degraded", f"{name} is passed over, with a warning")
    if kind in ("model", "list"):
        return Effect("degraded", f"there is a warning: {problems[0]}")
    return Effect("degraded", f"{name} reads {reading['text']} as it came, with a warning")


def judge_raised(before: Result, raised: Mapping[str, Any]) -> Effect:
    """Return what becomes of a call that ends in an error, where it did not end so with the control."""
    control = before.get("raised")
    if control is None or not raised["known"]:
        return Effect("broken", f"{raised['type']}: {raised['text']}")
    if control["type"] != raised["type"]:
        return Effect("degraded", f"the error is {raised['type']} and not {control['type']}")
    lost = [name for name in ("reason", "trace_id", "retry_after") if control.get(name) and not raised.get(name)]
    if lost:
        return Effect("degraded", f"the error has no {' and no '.join(lost)}")
    return READ_AS_BEFORE
