"""Try facts about schemas in requests: can the old client send what the new contract refuses?"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from openapi_schema_validator import oas31_format_checker

from tools.contract.document import Pointer
from tools.spec_diff.bench import (
    MAX_VALUES,
    NOT_SENT,
    SENT_AS_BEFORE,
    Bench,
    Effect,
    Judge,
    find_keywords,
    judge_unsent,
)
from tools.spec_diff.reach import ABSENT, Match, Way, embed, find_value
from tools.spec_diff.samples import EXTRA, TEXT, NoSampleError
from tools.spec_diff.schemas import Difference, Pair
from tools.spec_diff.trial import Result
from tools.spec_diff.views import View, list_types, show

NOT_TRIED = Effect("broken", "not tried, since no value was found that only the old contract allows; look")
SHOWN = 40
"""How much of a value is shown."""
JSON_ALONE = Effect("nothing", "the client writes JSON alone")
NOT_REFUSED = Effect("nothing", "of the values that were tried none is refused; others may be")
OPEN_RULES = frozenset({"pattern-changed", "format-changed", "limit-changed"})
"""Of these the new one may allow all that the old one allowed."""
NARROWING = frozenset(
    {
        *("type-changed", "type-narrowed", "null-removed", "enum-value-removed", "enum-added", "limit-narrowed"),
        *("limit-changed", "pattern-added", "pattern-changed", "format-added", "format-changed", "format-narrowed"),
        *("alternative-removed", "keyword-added", "keyword-changed", "required-property-added"),
        *("property-became-required", "property-removed", "required-property-removed"),
        "additional-properties-narrowed",
    }
)
"""By these the new contract may refuse what the old one allowed."""
REMOVED = frozenset({"property-removed", "required-property-removed"})


def get_old(pair: Pair) -> Pointer:
    """Return where a schema is in the old contract."""
    return pair.old


def try_request(bench: Bench, difference: Difference, way: Way) -> list[Judge]:
    """Plan requests that show what a difference means at the end of a way; return what judges them."""
    if len(way.root.part) != {"body": 1, "parameter": 3}[way.root.part[0]]:
        return [settle(JSON_ALONE)]
    rule = difference.rule
    if rule.startswith("default-"):
        return try_default(bench, way)
    if rule == "access-changed":
        return try_access(bench, way)
    values = (make_objects if "propert" in rule else choose_values)(bench, difference, way)
    numbers = [number for value in values if (number := send(bench, way, value)) is not None]
    if not numbers:
        return [settle(describe_untried(bench, difference, way))]
    return [partial(judge_sent, bench, difference, way, number) for number in numbers]


def describe_untried(bench: Bench, difference: Difference, way: Way) -> Effect:
    """Return what is said where no request was found that shows a difference."""
    old, new = bench.old.reader.read(way.target.old), bench.new.reader.read(way.target.new)
    if difference.rule not in NARROWING or old.values is not None:
        return SENT_AS_BEFORE
    if difference.rule in OPEN_RULES and can_judge(difference, old, new) and bench.list_candidates(way, old=True):
        return NOT_REFUSED
    name = bench.new.reader.read(way.target.new).keywords.get("format")
    if difference.rule.startswith("format-") and name is not None:
        return Effect("broken", f"not tried, since nothing here checks the format {show(name)}; look")
    return NOT_TRIED


def settle(effect: Effect) -> Judge:
    """Return a judge that has nothing to look at."""
    return lambda _results: effect


def send(bench: Bench, way: Way, value: Any) -> int | None:
    """Plan a request with a value at the end of a way; return its number, or None when it cannot be made."""
    operation = bench.matches[way.root.operation].old
    if operation is None:
        return None
    try:
        whole = embed(bench.old, way, value, get_old)
        return bench.plan.add(bench.matches[way.root.operation], bench.give(operation, way.root.part, whole))
    except NoSampleError:
        return None


def choose_values(bench: Bench, difference: Difference, way: Way) -> list[Any]:
    """Return values that the old contract allows and the new one refuses for the difference.

    When the new one refuses nothing for it, they are some that both allow.
    """
    rule = difference.rule
    new = bench.new.reader.read(way.target.new)
    if rule == "enum-value-removed":
        return [difference.member]
    values = bench.old.list_values(difference.place, new) if rule == "alternative-removed" else []
    values = values or bench.list_candidates(way, old=True)
    wanted = find_keywords(difference)
    if rule not in NARROWING:
        return [value for value in values if not bench.new.refuse(new, value)][:MAX_VALUES]
    if wanted:
        refused = [value for value in values if bench.new.refuse(new, value) & wanted]
    else:
        refused = [value for value in values if not bench.new.allows(way.target.new, value)]
    # A value that is refused for this reason alone shows what it comes to.
    return sorted(refused, key=lambda value: len(bench.new.refuse(new, value) - wanted))[:MAX_VALUES]


def can_judge(difference: Difference, old: View, new: View) -> bool:
    """Return whether anybody here knows what the new contract refuses by a keyword."""
    if not difference.rule.startswith("format-"):
        return True
    names = [view.keywords.get("format") for view in (old, new)]
    return all(name is None or str(name) in oas31_format_checker.checkers for name in names)


def make_objects(bench: Bench, difference: Difference, way: Way) -> list[Any]:
    """Return objects that the old contract allows and that show what became of their properties."""
    view = bench.old.reader.read(way.target.old)
    rule, name = difference.rule, name_property(difference)
    try:
        if rule in ("required-property-added", "property-became-required"):
            return [bench.old.make_required(view, without=name)]
        least = bench.old.make_required(view)
        if rule in REMOVED:
            return [{**least, name: bench.old.make_plain(view.properties[name])}]
        if rule == "additional-properties-narrowed":
            place = view.additional
            extras = bench.old.list_values(place) if isinstance(place, tuple) else [TEXT, 1]
            return [{**least, EXTRA: value} for value in extras[:MAX_VALUES]]
        return [bench.old.make_full(way.target.old), least]
    except NoSampleError:
        return []


def name_property(difference: Difference) -> str:
    """Return the property that a difference is about."""
    return str(difference.place[-1] if difference.member is None else difference.member)


def judge_sent(bench: Bench, difference: Difference, way: Way, number: int, results: Sequence[Result]) -> Effect:
    """Return what becomes of a request that was planned to show a difference."""
    result, match = results[number], bench.matches[way.root.operation]
    if "sent" not in result:
        return judge_unsent(result)
    before = bench.read(bench.walk.old, match, way.root.part, result)
    after = bench.read(bench.walk.new, match, way.root.part, result)
    value = find_value(after, way.keys)
    if value is ABSENT:
        return NOT_SENT
    keywords = find_refusals(difference)
    if keywords is None:
        return SENT_AS_BEFORE
    if lacks(difference, value):
        return NOT_SENT
    new = bench.new.reader.read(way.target.new)
    errors = bench.new.find_errors(way.root.pair.new, after)
    if errors and bench.old.allows(way.root.pair.old, before):
        refused = bench.new.refuse(new, value) & keywords
        if refused:
            return refuse(way, value, new, min(refused))
        if not keywords and any(path[: len(way.keys)] == tuple(way.keys) for path in errors):
            return Effect("broken", f"the service refuses {name_value(way, value)}: {difference.message}")
    if difference.rule in REMOVED:
        return Effect("degraded", f"{name_property(difference)} is no longer read")
    return SENT_AS_BEFORE


def find_refusals(difference: Difference) -> frozenset[str] | None:
    """Return the keywords by which the new contract may refuse what a difference is about.

    It is empty when only a validator can tell, and None when what was allowed still is.
    """
    rule, name = difference.rule, name_property(difference)
    if rule in ("required-property-added", "property-became-required"):
        return frozenset({f"required:{name}"})
    if rule in REMOVED:
        return frozenset({f"closed:{name}"})
    if rule == "additional-properties-narrowed":
        return frozenset()
    return find_keywords(difference) if rule in NARROWING else None


def lacks(difference: Difference, value: Any) -> bool:
    """Return whether an object that was sent lacks the property that it was sent for."""
    if difference.rule == "additional-properties-narrowed":
        return find_value(value, [EXTRA]) is ABSENT
    return difference.rule in REMOVED and find_value(value, [name_property(difference)]) is ABSENT


def name_value(way: Way, value: Any) -> str:
    """Return a value with its name."""
    text = show(value)
    text = text if len(text) <= SHOWN else f"{text[: SHOWN - 3]}..."
    return f"{way.name}={text}" if way.keys or way.root.part[0] == "parameter" else f"the body {text}"


def refuse(way: Way, value: Any, view: View, keyword: str) -> Effect:
    """Return that a value is refused, and by what."""
    kind, _, name = keyword.partition(":")
    if kind == "required":
        missing = f"{name}, which it demands" if way.root.part[0] == "body" else name
        return Effect("broken", f"the service refuses what lacks {missing}")
    if kind == "closed":
        return Effect("broken", f"the service refuses {name}, which it does not know")
    reasons = {
        "type": f"it wants {list_types(view)}",
        "null": "it does not allow null",
        "enum": f"it allows {', '.join(view.values or ())}",
        "lower": f"it wants {view.lower.text if view.lower else ''}",
        "upper": f"it wants {view.upper.text if view.upper else ''}",
        "uniqueItems": "its items have to be unique",
        "alternatives": "it is none of the alternatives",
    }
    reason = reasons.get(kind, f"it wants {kind} {show(view.keywords.get(kind))}")
    return Effect("broken", f"the service refuses {name_value(way, value)}: {reason}")


# What is left out, and what is hidden


def try_default(bench: Bench, way: Way) -> list[Judge]:
    """Plan a request without a value that has another default now."""
    match = bench.matches[way.root.operation]
    number: int | None = None
    if way.steps:
        number = send(bench, way, ABSENT)
    elif way.root.part[0] == "parameter" and match.old is not None:
        try:
            number = bench.plan.add(match, bench.give(match.old, way.root.part, ABSENT))
        except NoSampleError:
            number = None
    if number is None:
        return [settle(Effect("nothing", "the client does not leave it out"))]
    return [partial(judge_default, bench, way, number)]


def judge_default(bench: Bench, way: Way, number: int, results: Sequence[Result]) -> Effect:
    """Return what becomes of a request that leaves out what has another default now."""
    result, match = results[number], bench.matches[way.root.operation]
    if "failed" in result:
        return judge_unsent(result)
    if "sent" not in result:
        return Effect("nothing", "the client does not leave it out")
    value = find_value(bench.read(bench.walk.new, match, way.root.part, result), way.keys)
    if value is not ABSENT:
        return Effect("nothing", f"the client sends its own default, {name_value(way, value)}")
    views = bench.old.reader.read(way.target.old), bench.new.reader.read(way.target.new)
    old, new = (show(view.keywords["default"]) if "default" in view.keywords else None for view in views)
    if new is None:
        return Effect("degraded", f"to leave out {way.name} means {old} no longer")
    return Effect("degraded", f"to leave out {way.name} means {new} now{'' if old is None else f', no longer {old}'}")


def try_access(bench: Bench, way: Way) -> list[Judge]:
    """Plan a request with a property that requests may not have any more."""
    views: tuple[View, View] = (bench.old.reader.read(way.target.old), bench.new.reader.read(way.target.new))
    hidden = [view.keywords.get("readOnly") is True for view in views]
    if hidden[0] or not hidden[1]:
        return [settle(SENT_AS_BEFORE)]
    try:
        number = send(bench, way, bench.old.make_plain(way.target.old))
    except NoSampleError:
        number = None
    return [settle(NOT_TRIED) if number is None else partial(judge_access, bench, way, number)]


def judge_access(bench: Bench, way: Way, number: int, results: Sequence[Result]) -> Effect:
    """Return what becomes of a request with a property that requests may not have any more."""
    match: Match = bench.matches[way.root.operation]
    if "sent" not in results[number]:
        return judge_unsent(results[number])
    whole = bench.read(bench.walk.old, match, way.root.part, results[number])
    return NOT_SENT if find_value(whole, way.keys) is ABSENT else Effect("degraded", f"{way.name} is no longer read")
