"""Judge facts: how much each one breaks, which breaks are accepted, and what version they ask for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import attrs

from tools.contract.document import UnreadableError, is_array, is_object, read_yaml
from tools.project import ROOT
from tools.spec_diff.report import BUMPS, Bump, Change, Level

POLICY = ROOT / "spec-diff-policy.yaml"
ALLOW = ROOT / "spec-diff-allow.yaml"
LEVELS: tuple[Level, ...] = get_args(Level)

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

WAYS: Mapping[str, str] = {"request": "sent", "response": "received"}


@attrs.frozen
class Policy:
    """The level of each rule, in requests and in answers, and what becomes of installed clients."""

    rules: Mapping[str, Mapping[str, Any]]

    def judge(self, change: Change) -> Change:
        """Return a change with its level, the worse of its directions, and with what becomes of installed clients."""
        rule = self.rules[change.kind]
        own = {way: rule[way] for way in ("level", *WAYS) if way in rule and way in ("level", *change.directions)}
        message = change.message
        # Rules about schemas alone tell directions apart in words.
        if is_object(rule.get("installed")):
            is_mixed = len(set(own.values())) > 1
            words = [f"{WAYS[way]}: {level}" if is_mixed else WAYS[way] for way, level in own.items()]
            message += f" ({(', ' if is_mixed else ' and ').join(words)})"
        level = min(own.values(), key=LEVELS.index)
        return replace(change, level=level, message=message, installed_clients=self.describe_installed(change))

    def describe_installed(self, change: Change) -> str:
        """Return what becomes of a client that was made from the old contract: a word and why."""
        effects = self.rules[change.kind].get("installed", NOT_ON_THE_WIRE)
        if is_object(effects) and "/headers/" in change.location:
            effects = self.rules["header-style-changed"]["installed"]
        if not is_object(effects):
            return str(effects)
        own = [(way, effects[way]) for way in WAYS if way in change.directions]
        said = [text if ": " in text else f"{text}: {WHYS[way, text]}" for way, text in own]
        first, *rest = sorted(said, key=lambda text: -WORDS.index(text.partition(":")[0]))
        if not rest or (rest[0].startswith("nothing") and not first.startswith("nothing")):
            return first
        if first.startswith("nothing"):
            return f"{said[0]}, and {said[1].partition(': ')[2]}" if said[0] != said[1] else first
        return f"{first}; in {'answers' if first == said[0] else 'requests'} {rest[0]}"


def read_policy() -> Policy:
    """Return the policy of this project; a test holds its file to what is read here."""
    document = read_yaml(POLICY, POLICY.name)
    return Policy({rule: entry for rules in document.values() for rule, entry in rules.items()})


@attrs.frozen
class Allowed:
    kind: str
    location: str
    reason: str
    place: str
    """The line where it is written, as `file:line`."""


def read_allowed(path: Path) -> list[Allowed]:
    document = read_yaml(path, path.name)
    document = {"allow": []} if document is None else document
    entries = document["allow"] or [] if is_object(document) and set(document) == {"allow"} else None
    if not is_array(entries):
        raise UnreadableError(path.name, "should have one key, `allow`, with a list of entries", 1)
    rules = read_policy().rules
    result: list[Allowed] = []
    for index, entry in enumerate(entries):
        line = getattr(entries, "lines", {})[index]
        if not is_object(entry) or not entry.keys() <= {"kind", "location", "reason"}:
            raise UnreadableError(path.name, "an entry has kind, location and reason, and nothing else", line)
        for key in ("kind", "location", "reason"):
            if not isinstance(entry.get(key), str) or not entry[key].strip():
                raise UnreadableError(path.name, f"the entry has no {key}", line)
        if entry["kind"] not in rules:
            raise UnreadableError(path.name, f"no rule is called {entry['kind']}", line)
        result.append(
            Allowed(entry["kind"], entry["location"], " ".join(entry["reason"].split()), f"{path.name}:{line}")
        )
    return result


def accept(changes: Sequence[Change], allowed: Sequence[Allowed]) -> tuple[list[Change], list[Allowed]]:
    """Return the changes, the accepted ones with the reason, and the entries that accept nothing."""
    reasons = {(entry.kind, entry.location): entry.reason for entry in allowed}
    breaks = {change: (change.kind, change.location) for change in changes if change.level == "breaking"}
    judged = [replace(each, accepted=reasons.get(breaks[each])) if each in breaks else each for each in changes]
    return judged, [entry for entry in allowed if (entry.kind, entry.location) not in breaks.values()]


def require_bump(changes: Iterable[Change]) -> Bump:
    """Return the least part of the version that the changes ask to be raised."""
    needs: dict[Level, Bump] = {"breaking": "major", "non-breaking": "minor", "note": "patch"}
    asked: list[Bump] = ["minor" if change.accepted is not None else needs[change.level] for change in changes]
    return max(["none", *asked], key=BUMPS.index)


def measure_bump(old: str, new: str) -> Bump | None:
    """Return which part of the version was raised; `none` when it was not, or was lowered, and None without one."""
    versions = [re.match(r"(\d+)\.(\d+)\.(\d+)(?![\d.])", version) for version in (old, new)]
    if versions[0] is None or versions[1] is None:
        return None
    before, after = (tuple(map(int, version.groups())) for version in versions if version is not None)
    if after <= before:
        return "none"
    return "major" if after[0] > before[0] else "minor" if after[1] > before[1] else "patch"
