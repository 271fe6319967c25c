"""The entry of CHANGELOG.md for a version of the contract: whether there is one, and a draft of it."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from typing import Literal, get_args

from tools.contract.document import UnreadableError
from tools.contract.operations import list_operations
from tools.project import Project
from tools.release.released import Step, raise_version
from tools.spec_diff.policy import LEVELS
from tools.spec_diff.report import Change

HEADING = "## Contract"
WIDTH = 120
Section = Literal["Added", "Changed", "Deprecated", "Removed"]
# Rules whose names end in these words and still narrow or widen something that was there before.
CONDITIONS = ("limit", "pattern", "format", "default", "enum", "null", "keyword", "additional-properties")

# Rules that are about an operation and not about something in it, at least most of the time.
OF_OPERATIONS = ("operation-added", "operation-removed", "operation-moved", "deprecated", "undeprecated")


def find_section(kind: str) -> Section:
    """Return the section of Keep a Changelog that a kind of change belongs to."""
    if kind == "deprecated":
        return "Deprecated"
    subject, _, change = kind.removesuffix("-to-closed").rpartition("-")
    if change in ("added", "removed") and subject not in CONDITIONS:
        return "Added" if change == "added" else "Removed"
    return "Changed"


def quote(text: str) -> str:
    """Return a text that Markdown shows as it is."""
    return re.sub(r"([\\`*<])", r"\\\1", text).replace("](", "]\\(")


def join_names(names: Sequence[str]) -> str:
    """Return names as code, in a list of words."""
    quoted = [f"`{name}`" for name in names]
    return " and ".join([", ".join(quoted[:-1]), quoted[-1]] if len(quoted) > 1 else quoted)


def describe_change(change: Change, operations: Sequence[str]) -> str:
    """Return a change in a sentence that names the operations that it concerns, out of all of the contract."""
    names = change.operation.split(", ") if change.operation else []
    where = "" if not names else "In all operations, " if {*names} >= {*operations} else f"In {join_names(names)}, "
    if names and change.kind in OF_OPERATIONS:
        where = f"{join_names(names)}: "
    message = change.message if where else re.sub(r"^the\b", "The", change.message)
    sentence = f"{where}{quote(message)}."
    if change.level == "breaking":
        sentence = f"**breaking** {sentence}"
        if change.installed_clients:
            sentence += f" Installed clients: {quote(change.installed_clients)}."
    if change.accepted is not None:
        sentence += f" Accepted: {quote(change.accepted)}"
    return sentence


def draft_entry(step: Step) -> str:
    """Return the entry of the present contract, without a line end."""
    operations = [operation.name for operation in list_operations(step.new)]
    sections: dict[Section, list[str]] = {}
    if step.report is None:
        sections["Added"] = [
            f"The first version, with {join_names(operations)}." if operations else "The first version."
        ]
    else:
        if not step.report.changes:
            sections["Changed"] = ["Nothing but the number."]
        for change in sorted(step.report.changes, key=lambda each: LEVELS.index(each.level)):
            sentence = describe_change(change, operations)
            sections.setdefault(find_section(change.kind), []).append(sentence)
    lines = [f"### [{step.new.version}]"]
    for section in get_args(Section):
        if section in sections:
            lines += ["", f"#### {section}", "", *map(wrap_item, sections[section])]
    return "\n".join(lines)


def wrap_item(sentence: str) -> str:
    """Return a sentence as an item of a list."""
    return textwrap.fill(
        sentence, WIDTH, initial_indent="- ", subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
    )


def read_changelog(project: Project) -> str:
    """Return the changelog."""
    try:
        return project.changelog.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or "not UTF-8"
        raise UnreadableError(project.changelog.name, reason) from None


def find_contract_lines(text: str) -> range | None:
    """Return the lines below the heading of the contract, by index; None when there is no such heading."""
    start = None
    lines = text.splitlines()
    for index, line in enumerate(lines):
        if start is not None and re.match(r"##? ", line):
            return range(start, index)
        if line.rstrip() == HEADING:
            start = index + 1
    return None if start is None else range(start, len(lines))


def find_entry(text: str, version: str) -> int | None:
    """Return the line, from 1, of the entry of a version of the contract; None when there is none, or it is empty."""
    lines = text.splitlines()
    section = find_contract_lines(text) or range(0)
    for index in section:
        if re.match(rf"### \[{re.escape(version)}\](\s|$)", lines[index]):
            rest = (lines[after] for after in range(index + 1, section.stop))
            said = next((line for line in rest if line.strip() and not line.startswith("####")), "###")
            return None if said.startswith("###") else index + 1
    return None


def insert_entry(text: str, entry: str, name: str) -> str:
    """Return the changelog with an entry above the older ones of the contract."""
    section = find_contract_lines(text)
    if section is None:
        raise UnreadableError(name, f"no heading `{HEADING}`, under which the entry belongs")
    lines = text.splitlines()
    place = next((index for index in section if lines[index].startswith("### ")), section.stop)
    before, after = lines[:place], lines[place:]
    while before and not before[-1].strip():
        before.pop()
    return "\n".join([*before, "", entry, *(["", *after] if after else [])]) + "\n"


def find_obstacle(step: Step, text: str, name: str) -> str | None:
    """Return why no entry can be written, with the remedy; None when one can."""
    version = step.new.version
    line = find_entry(text, version)
    if line is not None:
        again = "make changelog-entry CHANGELOG_ARGS=--print"
        return f"{name}:{line}: there is an entry for {version} already; `{again}` shows another draft."
    if step.is_broken_promise and step.report is not None:
        least = raise_version(version, step.report.required)
        return f"{version} is released; raise info.version in {step.new.name} to {least} or above first."
    return None
