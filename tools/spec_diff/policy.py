"""Judge facts: how much each one breaks, which breaks are accepted, and what version they ask for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import get_args

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

    levels: dict[str, Mapping[str, Level]]
    installed: dict[str, Mapping[str, str]]
    """A word and its reason, by rule and direction; that of a rule without directions is under `level`."""

    def judge(self, change: Change) -> Change:
        """Return a change with its level, the worse of its directions, and with what becomes of installed clients."""
        levels = self.levels[change.kind]
        own = [(WAYS.get(way, way), level) for way, level in levels.items() if way in (*change.directions, "level")]
        level = min((level for _, level in own), key=LEVELS.index)
        message = change.message
        # Rules about schemas alone tell directions apart in words.
        if "request" in self.installed[change.kind]:
            is_mixed = len({level for _, level in own}) > 1
            words = [f"{words}: {level}" for words, level in own] if is_mixed else [words for words, _ in own]
            message += f" ({(', ' if is_mixed else ' and ').join(words)})"
        effect = self.describe_installed(change)
        return replace(change, level=level, message=message, installed_clients=effect)

    def describe_installed(self, change: Change) -> str:
        """Return what becomes of a client that was made from the old contract: a word and why."""
        effects = self.installed[change.kind]
        if "level" in effects:
            return effects["level"]
        if "/headers/" in change.location:
            return self.installed["header-style-changed"]["level"]
        own = [(effects[direction], direction) for direction in WAYS if direction in change.directions]
        (first, _), *rest = sorted(own, key=lambda each: -WORDS.index(each[0].partition(":")[0]))
        if not rest or (rest[0][0].startswith("nothing") and not first.startswith("nothing")):
            return first
        second, direction = rest[0]
        if first.startswith("nothing"):
            return f"{own[0][0]}, and {own[1][0].partition(': ')[2]}" if own[0][0] != own[1][0] else first
        return f"{first}; in {'requests' if direction == 'request' else 'answers'} {second}"


def read_policy() -> Policy:
    """Return the policy of this project; a test holds its file to what is read here."""
    document = read_yaml(POLICY, POLICY.name)
    policy = Policy({}, {})
    for rule, entry in [item for rules in document.values() for item in rules.items()]:
        policy.levels[rule] = {key: entry[key] for key in ("level", *WAYS) if key in entry}
        said = entry.get("installed", NOT_ON_THE_WIRE)
        effects = said if is_object(said) else {"level": said}
        policy.installed[rule] = {key: add_reason(key, text) for key, text in effects.items()}
    return policy


def add_reason(key: str, text: str) -> str:
    """Return what becomes of an installed client, with the reason that goes without saying filled in."""
    return text if ": " in text else f"{text}: {WHYS[key, text]}"


@attrs.frozen
class Allowed:
    kind: str
    location: str
    reason: str
    line: int


def read_allowed(path: Path) -> list[Allowed]:
    document = read_yaml(path, path.name)
    document = {"allow": []} if document is None else document
    entries = document["allow"] or [] if is_object(document) and set(document) == {"allow"} else None
    if not is_array(entries):
        raise UnreadableError(path.name, "should have one key, `allow`, with a list of entries", 1)
    rules = read_policy().levels
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
        result.append(Allowed(entry["kind"], entry["location"], " ".join(entry["reason"].split()), line))
    return result


def accept(changes: Sequence[Change], allowed: Sequence[Allowed]) -> tuple[list[Change], list[Allowed]]:
    """Return the changes, the accepted ones with the reason, and the entries that accept nothing."""
    reasons = {(entry.kind, entry.location): entry.reason for entry in allowed}
    keys = [(change.kind, change.location) if change.level == "breaking" else None for change in changes]
    judged = [
        replace(change, accepted=reasons.get(key)) if key else change for key, change in zip(keys, changes, strict=True)
    ]
    return judged, [entry for entry in allowed if (entry.kind, entry.location) not in keys]


def require_bump(changes: Iterable[Change]) -> Bump:
    """Return the least part of the version that the changes ask to be raised."""
    needs: dict[Level, Bump] = {"breaking": "major", "non-breaking": "minor", "note": "patch"}
    asked: set[Bump] = {"minor" if change.accepted is not None else needs[change.level] for change in changes}
    asked.add("none")
    return max(asked, key=BUMPS.index)


def measure_bump(old: str, new: str) -> Bump | None:
    """Return which part of the version was raised; `none` when it was not, or was lowered, and None without one."""
    versions = [re.match(r"(\d+)\.(\d+)\.(\d+)(?![\d.])", version) for version in (old, new)]
    if versions[0] is None or versions[1] is None:
        return None
    before, after = (tuple(map(int, version.groups())) for version in versions if version is not None)
    if after <= before:
        return "none"
    return "major" if after[0] > before[0] else "minor" if after[1] > before[1] else "patch"
