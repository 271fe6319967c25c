"""Judge facts: how much each one breaks, which breaks are accepted, and what version they ask for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, get_args

import attrs

from tools.contract.document import UnreadableError, find_line, is_array, is_object, read_yaml
from tools.spec_diff.report import BUMPS, Bump, Change, Level
from tools.spec_diff.wire.views import Direction
from tools.spec_diff.wire.walk import Fact

ROOT = Path(__file__).resolve().parents[2]
POLICY = ROOT / "spec-diff-policy.yaml"
ALLOW = ROOT / "spec-diff-allow.yaml"
LEVELS: tuple[Level, ...] = get_args(Level)
Section = Literal["schemas", "contract", "python"]

WORDS = ("nothing", "tolerated", "degraded", "broken")
"""What may become of an installed client, from harmless to worst."""
WHYS: Mapping[tuple[str, str], str] = {
    ("request", "nothing"): "what the client sends is still allowed",
    ("request", "degraded"): "something that the client sends is no longer read",
    ("request", "broken"): "the service may refuse what the client sends",
    ("response", "nothing"): "what comes reads as before",
    ("response", "degraded"): "a field reads None or as it came, with a warning",
    ("response", "broken"): "the call raises",
}
"""The reasons that need not be said."""
NOT_ON_THE_WIRE = "nothing: an installed client has its own names"

RULES: Mapping[Section, frozenset[str]] = {
    "schemas": frozenset(
        {
            *("type-changed", "type-narrowed", "type-widened", "null-added", "null-removed", "enum-value-added"),
            *("enum-value-removed", "enum-added", "enum-removed", "limit-narrowed", "limit-widened", "limit-changed"),
            *("pattern-added", "pattern-removed", "pattern-changed", "format-added", "format-removed"),
            *("format-changed", "format-narrowed", "format-widened", "default-added", "default-changed"),
            *("default-removed", "property-added", "property-added-to-closed", "required-property-added"),
            *("property-removed", "required-property-removed", "property-became-required"),
            *("property-became-optional", "additional-properties-narrowed", "additional-properties-widened"),
            *("access-changed", "alternative-added", "alternative-removed", "alternatives-became-exclusive"),
            *("alternatives-became-inclusive", "keyword-added", "keyword-removed", "keyword-changed"),
        }
    ),
    "contract": frozenset(
        {
            *("operation-added", "operation-removed", "operation-moved", "operationId-changed", "deprecated"),
            *("undeprecated", "parameter-added", "required-parameter-added", "parameter-removed", "parameter-moved"),
            *("parameter-became-required", "parameter-became-optional", "parameter-style-changed"),
            *("path-parameter-renamed", "body-added", "required-body-added", "body-removed", "body-became-required"),
            *("body-became-optional", "request-media-type-added", "request-media-type-removed", "encoding-changed"),
            *("success-status-added", "success-status-removed", "error-status-added", "error-status-removed"),
            *("response-media-type-added", "response-media-type-removed", "header-added", "header-removed"),
            *("header-became-required", "header-became-optional", "header-style-changed", "security-added"),
            *("security-loosened", "security-tightened", "security-scheme-changed", "security-scheme-extended"),
            *("server-added", "server-removed", "openapi-changed"),
            *("documentation-changed", "unused-component-changed", "other-added", "other-changed"),
        }
    ),
    "python": frozenset(
        {
            *("python-added", "python-required-added", "python-removed", "python-renamed", "python-type-changed"),
            *("python-type-widened", "python-order-changed"),
        }
    ),
}


WAYS: Mapping[Direction, str] = {"request": "sent", "response": "received"}


@attrs.frozen
class Policy:
    """The level of each rule, in requests and in answers, and what becomes of installed clients."""

    levels: Mapping[str, Mapping[str, Level]]
    installed: Mapping[str, Mapping[str, str]]
    """A word and its reason, by rule and direction; that of a rule without directions is under `level`."""

    def judge(self, fact: Fact) -> Level:
        """Return how much a fact breaks: the worse of its directions."""
        levels = self.levels[fact.rule]
        if "level" in levels:
            return levels["level"]
        own = {levels[direction] for direction in fact.directions}
        return next(level for level in LEVELS if level in own)

    def describe(self, fact: Fact) -> str:
        """Return the message of a fact about a schema with its direction, and the level of each where they differ."""
        if fact.rule not in RULES["schemas"]:
            return fact.message
        levels = self.levels[fact.rule]
        own = [(words, levels[direction]) for direction, words in WAYS.items() if direction in fact.directions]
        if len({level for _, level in own}) > 1:
            return f"{fact.message} ({', '.join(f'{words}: {level}' for words, level in own)})"
        return f"{fact.message} ({' and '.join(words for words, _ in own)})"

    def describe_installed(self, fact: Fact) -> str:
        """Return what becomes of a client that was made from the old contract: a word and why."""
        in_header = "/headers/" in fact.location and fact.rule in RULES["schemas"]
        effects = self.installed.get("header-style-changed" if in_header else fact.rule, {"level": NOT_ON_THE_WIRE})
        if "level" in effects:
            return effects["level"]
        own = [(effects[direction], direction) for direction in WAYS if direction in fact.directions]
        (first, _), *rest = sorted(own, key=lambda each: -WORDS.index(each[0].partition(":")[0]))
        if not rest or (rest[0][0].startswith("nothing") and not first.startswith("nothing")):
            return first
        second, direction = rest[0]
        if first.startswith("nothing"):
            return f"{own[0][0]}, and {own[1][0].partition(': ')[2]}" if own[0][0] != own[1][0] else first
        return f"{first}; in {'requests' if direction == 'request' else 'answers'} {second}"


def read_policy(path: Path = POLICY, name: str | None = None) -> Policy:
    """Return the policy that a file sets.

    Raises:
        UnreadableError: When a rule is missing, unknown, without a reason, or of no known level or word.
    """
    name = path.name if name is None else name
    document, lines = read_yaml(path, name)
    levels: dict[str, dict[str, Level]] = {}
    installed: dict[str, dict[str, str]] = {}
    for section, rules in RULES.items():
        entries = document.get(section) if is_object(document) else None
        if not is_object(entries):
            raise UnreadableError(name, f"{section!r} is missing", 1)
        for rule in sorted(rules ^ entries.keys()):
            line = None if rule in rules else find_line(lines, (section, rule))
            raise UnreadableError(name, f"the rule {rule} is {'missing' if rule in rules else 'unknown'}", line)
        for rule, entry in entries.items():
            try:
                levels[rule], effects = read_rule(section, entry)
            except ValueError as error:
                raise UnreadableError(name, f"the rule {rule} {error}", find_line(lines, (section, rule))) from None
            installed |= {rule: effects} if effects else {}
    return Policy(levels, installed)


def read_rule(section: Section, entry: Any) -> tuple[dict[str, Level], dict[str, str]]:
    """Return the levels of a rule, and what becomes of installed clients, each by direction or under `level`.

    Raises:
        ValueError: When something is missing or unknown; the message follows the rule's name.
    """
    ways = ("request", "response")
    has_ways = section == "schemas" or (section == "contract" and is_object(entry) and "level" not in entry)
    keys = ways if has_ways else ("level",)
    more = ("because",) if section == "python" else ("because", "installed")
    if not is_object(entry) or set(entry) != {*keys, *more}:
        raise ValueError(f"needs {', '.join([*keys, *more])}, and nothing else")
    if not str(entry["because"] or "").strip():
        raise ValueError("has no reason")
    for key in keys:
        if entry[key] not in LEVELS:
            raise ValueError(f"has the level {entry[key]!r}, no {LEVELS}")
    said = entry.get("installed")
    effects = {} if section == "python" else said if section == "schemas" else {"level": said}
    if not is_object(effects) or set(effects) != ({*ways} if section == "schemas" else {*effects}):
        raise ValueError(f"needs {' and '.join(ways)} under installed")
    return {key: entry[key] for key in keys}, {key: read_effect(key, str(text)) for key, text in effects.items()}


def read_effect(key: str, text: str) -> str:
    """Return what becomes of an installed client, with the reason that goes without saying filled in."""
    word, _, why = text.partition(": ")
    if word not in WORDS or not (why or (key, word) in WHYS):
        raise ValueError(f"says {text!r} of installed clients, which is no word of {WORDS} with a reason")
    return f"{word}: {why or WHYS[key, word]}"


@attrs.frozen
class Allowed:
    """A break that somebody accepted, with the reason."""

    kind: str
    location: str
    reason: str
    line: int


def read_allowed(path: Path, name: str | None = None) -> list[Allowed]:
    """Return the accepted breaks of an allow file.

    Raises:
        UnreadableError: When it cannot be read, or an entry is without a reason or otherwise incomplete.
    """
    name = path.name if name is None else name
    document, lines = read_yaml(path, name)
    entries = [] if document is None else document.get("allow") if is_object(document) else None
    if entries is None and is_object(document) and "allow" in document:
        entries = []
    if not is_array(entries) or (is_object(document) and set(document) != {"allow"}):
        raise UnreadableError(name, "should have one key, `allow`, with a list of entries", 1)
    result: list[Allowed] = []
    for index, entry in enumerate(entries):
        line = find_line(lines, ("allow", index))
        if not is_object(entry) or not entry.keys() <= {"kind", "location", "reason"}:
            raise UnreadableError(name, "an entry has kind, location and reason, and nothing else", line)
        for key in ("kind", "location", "reason"):
            if not isinstance(entry.get(key), str) or not entry[key].strip():
                raise UnreadableError(name, f"the entry has no {key}", line)
        if not any(entry["kind"] in rules for rules in RULES.values()):
            raise UnreadableError(name, f"no rule is called {entry['kind']}", line)
        result.append(Allowed(entry["kind"], entry["location"], " ".join(entry["reason"].split()), line))
    return result


def judge(facts: Iterable[Fact], policy: Policy) -> list[Change]:
    """Return facts with their levels, as changes of a report."""
    return [
        Change(
            operation=", ".join(fact.operations),
            location=fact.location,
            line=fact.line,
            kind=fact.rule,
            level=policy.judge(fact),
            message=policy.describe(fact),
            installed_clients=policy.describe_installed(fact),
            side=fact.side,
            directions=fact.directions,
        )
        for fact in facts
    ]


def accept(changes: Sequence[Change], allowed: Sequence[Allowed]) -> tuple[dict[Change, str], list[Allowed]]:
    """Return the breaking changes that are accepted, each with its reason, and the entries that accept nothing."""
    entries = {(entry.kind, entry.location): entry for entry in allowed}
    accepted = {
        change: entries[change.kind, change.location].reason
        for change in changes
        if change.level == "breaking" and (change.kind, change.location) in entries
    }
    used = {(change.kind, change.location) for change in accepted}
    return accepted, [entry for entry in allowed if (entry.kind, entry.location) not in used]


def require_bump(changes: Iterable[Change], accepted: Mapping[Change, str]) -> Bump:
    """Return the least part of the version that the changes ask to be raised."""
    needs: dict[Level, Bump] = {"breaking": "major", "non-breaking": "minor", "note": "patch"}
    found: set[Bump] = {"minor" if change in accepted else needs[change.level] for change in changes}
    for bump in reversed(BUMPS):
        if bump in found:
            return bump
    return "none"


def measure_bump(old: str, new: str) -> Bump | None:
    """Return which part of the version was raised; `none` when it was not, or was lowered, and None without one.

    A version counts when it is X.Y.Z; of any other text nobody can say what it raises.
    """
    versions = [re.match(r"(\d+)\.(\d+)\.(\d+)(?![\d.])", version) for version in (old, new)]
    if versions[0] is None or versions[1] is None:
        return None
    before, after = (tuple(map(int, version.groups())) for version in versions if version is not None)
    if after <= before:
        return "none"
    return "major" if after[0] > before[0] else "minor" if after[1] > before[1] else "patch"
