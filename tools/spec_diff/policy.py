"""Judge facts: how much each one breaks, which breaks are accepted, and what version they ask for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Literal, get_args

import attrs

from tools.contract.document import UnreadableError, find_line, is_array, is_object, read_yaml
from tools.spec_diff.report import BUMPS, Bump, Change, Level
from tools.spec_diff.wire import Fact

ROOT = Path(__file__).resolve().parents[2]
POLICY = ROOT / "spec-diff-policy.yaml"
ALLOW = ROOT / "spec-diff-allow.yaml"
LEVELS: tuple[Level, ...] = get_args(Level)
Section = Literal["schemas", "contract", "python"]

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
            *("access-changed", "alternative-added", "alternative-removed", "keyword-added", "keyword-removed"),
            "keyword-changed",
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
            *("header-became-required", "header-became-optional", "security-added", "security-loosened"),
            *("security-tightened", "security-scheme-changed", "server-added", "server-removed", "openapi-changed"),
            *("documentation-changed", "unused-component-changed", "other-added", "other-changed"),
        }
    ),
    "python": frozenset(
        {"python-added", "python-removed", "python-renamed", "python-type-changed", "python-order-changed"}
    ),
}


@attrs.frozen
class Policy:
    """The level of each rule, in requests and in answers."""

    levels: Mapping[str, Mapping[str, Level]]

    def judge(self, fact: Fact) -> Level:
        """Return how much a fact breaks: the worse of its directions."""
        levels = self.levels[fact.rule]
        if "level" in levels:
            return levels["level"]
        own = {levels[direction] for direction in fact.directions}
        return next(level for level in LEVELS if level in own)

    def describe(self, fact: Fact) -> str:
        """Return the message of a fact, with its direction, and the level of each where they differ."""
        levels = self.levels[fact.rule]
        if "level" in levels:
            return fact.message
        ways = {"request": "sent", "response": "received"}
        own = [(words, levels[direction]) for direction, words in ways.items() if direction in fact.directions]
        if len({level for _, level in own}) > 1:
            return f"{fact.message} ({', '.join(f'{words}: {level}' for words, level in own)})"
        return f"{fact.message} ({' and '.join(words for words, _ in own)})"


def read_policy(path: Path = POLICY, name: str | None = None) -> Policy:
    """Return the policy that a file sets.

    Raises:
        UnreadableError: When a rule is missing, unknown, without a reason, or of no known level.
    """
    name = path.name if name is None else name
    document, lines = read_yaml(path, name)
    levels: dict[str, dict[str, Level]] = {}
    for section, rules in RULES.items():
        entries = document.get(section) if is_object(document) else None
        if not is_object(entries):
            raise UnreadableError(name, f"{section!r} is missing", 1)
        for rule in sorted(rules ^ entries.keys()):
            line = None if rule in rules else find_line(lines, (section, rule))
            raise UnreadableError(name, f"the rule {rule} is {'missing' if rule in rules else 'unknown'}", line)
        keys = ("request", "response") if section == "schemas" else ("level",)
        for rule, entry in entries.items():
            line = find_line(lines, (section, rule))
            if not is_object(entry) or set(entry) != {*keys, "because"}:
                raise UnreadableError(
                    name, f"the rule {rule} needs {', '.join(keys)} and because, and nothing else", line
                )
            if not str(entry["because"] or "").strip():
                raise UnreadableError(name, f"the rule {rule} has no reason", line)
            for key in keys:
                if entry[key] not in LEVELS:
                    raise UnreadableError(name, f"the rule {rule} has the level {entry[key]!r}, no {LEVELS}", line)
            levels[rule] = {key: entry[key] for key in keys}
    return Policy(levels)


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
            side=fact.side,
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


def measure_bump(old: str, new: str) -> Bump:
    """Return which part of the version was raised; none when it was not, or was lowered."""
    before, after = (tuple(map(int, re.findall(r"\d+", version.split("-")[0])[:3])) for version in (old, new))
    if after <= before:
        return "none"
    return "major" if after[0] > before[0] else "minor" if after[1] > before[1] else "patch"
