"""Show what changed: as text, Markdown, JSON or annotations of a pull request."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import Literal, get_args

Level = Literal["breaking", "non-breaking", "note"]
Bump = Literal["none", "patch", "minor", "major"]
BUMPS: tuple[Bump, ...] = get_args(Bump)
NAMED_OPERATIONS = 4
"""How many operations a heading names."""


@dataclass(frozen=True)
class Change:
    operation: str
    """The operationIds that it concerns, joined by commas; empty when it concerns the contract as a whole."""
    location: str
    """Where it is, as a JSON pointer; members of a set are named by their value, a parameter by where and name."""
    line: int
    kind: str
    """The rule of spec-diff-policy.yaml that judges it."""
    level: Level
    message: str
    python: tuple[str, ...] = ()
    """What Python callers see of it."""
    installed_clients: str | None = None
    """What becomes of clients that were generated from the old contract."""
    side: Literal["old", "new"] = "new"
    """Which contract `line` counts in; what was removed is in the old one."""
    directions: frozenset[str] = frozenset()
    """Whether it is about requests, answers, or both; empty when that is not known."""
    accepted: str | None = None
    """Why it is accepted though it is breaking, as the allow file says; None when it is not."""

    @property
    def is_uncovered(self) -> bool:
        return self.level == "breaking" and self.accepted is None


@dataclass(frozen=True)
class Report:
    old: str
    """The version of the old contract, `info.version`."""
    new: str
    changes: tuple[Change, ...]
    required: Bump
    """The bump that the changes ask for; an accepted break asks for no more than a minor one."""
    actual: Bump | None
    """The bump that there is; none is demanded when it is None, as the versions are not X.Y.Z."""
    unused: tuple[str, ...] = ()
    """Entries of the allow file that accept nothing."""
    file: str | None = None
    """The new contract's path in the repository, for annotations."""
    missing: tuple[str, ...] = ()
    """Which parts of the comparison could not be made, and why."""
    since: str | None = None
    """The released version that the bump is measured from, when the old contract was itself in work."""

    @property
    def breaking(self) -> bool:
        return any(change.level == "breaking" for change in self.changes)

    @property
    def covered(self) -> bool:
        if self.actual is None:
            return not self.uncovered_break
        return BUMPS.index(self.actual) >= BUMPS.index(self.required)

    @property
    def uncovered_break(self) -> bool:
        """Whether a breaking change is neither accepted nor covered by a major version."""
        return any(change.is_uncovered for change in self.changes) and self.actual != "major"

    def split(self) -> tuple[list[Change], list[Change]]:
        breaking = [change for change in self.changes if change.level == "breaking"]
        return breaking, [change for change in self.changes if change.level != "breaking"]


def describe_operation(operation: str) -> str:
    names = operation.split(", ")
    if len(names) > NAMED_OPERATIONS:
        return f"{', '.join(names[:NAMED_OPERATIONS])} and {len(names) - NAMED_OPERATIONS} more"
    return operation or "The contract as a whole"


def describe_verdict(report: Report) -> str:
    """Return in a line whether the change is breaking, which bump it needs and which one it has."""
    if not report.changes:
        return f"Nothing changed ({report.old} → {report.new})."
    breaking = sum(change.level == "breaking" for change in report.changes)
    accepted = breaking - sum(change.is_uncovered for change in report.changes)
    verdict = f"Breaking{', accepted' if breaking == accepted else ''} ({count(breaking, 'breaking change')})"
    if not breaking:
        verdict = "Not breaking"
    elif 0 < accepted < breaking:
        verdict += f", {accepted} accepted"
    if report.actual is None:
        return f"{verdict}. {report.old} → {report.new}: no X.Y.Z, so no bump is demanded."
    actual = "none" if report.actual == "none" else f"{report.actual}, {report.since or report.old} → {report.new}"
    tail = "" if report.covered else ": not enough"
    return f"{verdict}. Required bump: {report.required}. Actual: {actual}{tail}."


def count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def describe_place(change: Change) -> str:
    """Return the line of a change, and of which contract when it is not the new one."""
    return f"line {change.line}{' of the old contract' if change.side == 'old' else ''}"


def list_lines(change: Change) -> list[str]:
    lines = [f"Python: {line}" for line in change.python]
    if change.installed_clients is not None:
        lines.append(f"installed clients: {change.installed_clients}")
    if change.accepted is not None:
        lines.append(f"accepted: {change.accepted}")
    return lines


CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ud800-\udfff\ufeff]")
"""Control characters, and other characters that end or turn a line."""


def reveal(text: str) -> str:
    """Return a text whose control characters are shown as escapes of JSON and not obeyed."""
    return CONTROLS.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def render_text(report: Report) -> str:
    lines = [describe_verdict(report), *report.missing]
    for changes in report.split():
        for operation, own in groupby(changes, attrgetter("operation")):
            lines += ["", describe_operation(operation)]
            for change in own:
                lines.append(f"  {change.level:<12}  {change.message}")
                lines.append(f"{'':16}{change.kind} at {change.location}, {describe_place(change)}")
                lines += [f"{'':16}{line}" for line in list_lines(change)]
    if report.unused:
        lines += ["", *report.unused]
    return "\n".join(map(reveal, lines)) + "\n"


def escape(text: str) -> str:
    """Return a text that Markdown shows as it is, in one line."""
    text = re.sub(f"{CONTROLS.pattern}+", " ", text)
    # Entities, since a backslash is itself shown in some places.
    text = re.sub(r"[\\&<>`*_\[\]|#@~!$]", lambda match: f"&#{ord(match[0])};", text)
    # GitHub looks for these when entities are characters again; a space without width is what it does not look past.
    text = re.sub(r"&#(?:35|64);", r"\g<0>&#8203;", text)
    return re.sub(r"(?i):(?=//)|\bwww(?=\.)|\bgh(?=-\d)", r"\g<0>&#8203;", text)


def render_markdown(report: Report) -> str:
    """Return the report for a comment on a pull request: breaking changes in view, the rest folded."""
    mark = "🔴" if report.uncovered_break else "🟡" if report.breaking or not report.covered else "🟢"
    lines = [f"{mark} **{escape(describe_verdict(report))}**"]
    for line in report.missing:
        lines += ["", escape(line)]
    breaking, rest = report.split()
    lines += list_markdown(breaking)
    if rest:
        plain = sum(change.level == "non-breaking" for change in rest)
        counted = {f"{plain} non-breaking": plain, count(len(rest) - plain, "note"): len(rest) - plain}
        summary = ", ".join(words for words, number in counted.items() if number)
        lines += ["", "<details>", f"<summary>{summary}</summary>", *list_markdown(rest), "", "</details>"]
    if report.unused:
        lines += ["", *(f"- {escape(line)}" for line in report.unused)]
    return "\n".join(lines) + "\n"


def list_markdown(changes: Sequence[Change]) -> list[str]:
    lines: list[str] = []
    for operation, own in groupby(changes, attrgetter("operation")):
        lines += ["", f"**{escape(describe_operation(operation))}**", ""]
        for change in own:
            mark = "🔴 **breaking** " if change.level == "breaking" else "note: " if change.level == "note" else ""
            lines.append(f"- {mark}{escape(change.message)} — {escape(change.kind)}, {describe_place(change)}")
            lines += [f"  - {escape(line)}" for line in list_lines(change)]
    return lines


def render_json(report: Report) -> str:
    hidden = ("side", "directions", "accepted")
    document = {
        "old": report.old,
        "new": report.new,
        "bump": report.required,
        "breaking": report.breaking,
        "missing": list(report.missing),
        "changes": [{key: value for key, value in vars(each).items() if key not in hidden} for each in report.changes],
    }
    # Escapes of JSON, so that a terminal obeys nothing and a reader gets what there was.
    text = json.dumps(document, indent=2, ensure_ascii=False)
    return re.sub(f"(?!\\n){CONTROLS.pattern}", lambda match: f"\\u{ord(match[0]):04x}", text) + "\n"


def escape_command(text: str, *, is_property: bool = False) -> str:
    """Return a text that a workflow command carries as it is."""
    text = "\n".join(map(reveal, text.split("\n"))).replace("%", "%25").replace("\n", "%0A")
    return text.replace(":", "%3A").replace(",", "%2C") if is_property else text


def render_github(report: Report) -> str:
    """Return the report as workflow commands, which annotate the lines of a pull request."""
    lines = [f"::warning title=Contract::{escape_command(line)}" for line in report.missing]
    if report.changes:
        command = "error" if report.uncovered_break else "notice"
        lines.insert(0, f"::{command} title=Contract::{escape_command(describe_verdict(report))}")
    for change in report.changes:
        if change.level == "note":
            continue
        is_bad = change.is_uncovered and report.uncovered_break
        command = "notice" if change.level == "non-breaking" else "error" if is_bad else "warning"
        # A line of the old contract is none of the new one.
        line, words = (None, [f"({describe_place(change)})"]) if change.side == "old" else (str(change.line), [])
        where = {"file": report.file, "line": line if report.file else None, "title": f"{change.level}: {change.kind}"}
        shown = ",".join(f"{key}={escape_command(value, is_property=True)}" for key, value in where.items() if value)
        message = "\n".join(map(reveal, [change.message, *list_lines(change), *words]))
        lines.append(f"::{command} {shown}::{escape_command(message)}")
    return "".join(f"{line}\n" for line in lines)


FORMATS: Mapping[str, Callable[[Report], str]] = {
    "text": render_text,
    "markdown": render_markdown,
    "json": render_json,
    "github": render_github,
}
