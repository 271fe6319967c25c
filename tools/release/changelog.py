"""The entry of CHANGELOG.md for a version of the contract: whether there is one, and a draft of it."""

import re
import textwrap
from collections.abc import Sequence

from tools.contract.document import UnreadableError
from tools.contract.operations import list_operations
from tools.project import Project
from tools.release.released import Step, find_version_problem
from tools.spec_diff.policy import LEVELS
from tools.spec_diff.report import Change

HEADING = "## Contract"
ITEM = textwrap.TextWrapper(
    120, initial_indent="- ", subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
)
SECTIONS = ("Added", "Changed", "Deprecated", "Removed")
# Rules whose names end in these words and still narrow or widen something that was there before.
CONDITIONS = ("limit", "pattern", "format", "default", "enum", "null", "keyword", "additional-properties")

# Rules that are about an operation and not about something in it, at least most of the time.
OF_OPERATIONS = ("operation-added", "operation-removed", "operation-moved", "deprecated", "undeprecated")


def find_section(kind: str) -> str:
    """Return the section of Keep a Changelog that a kind of change belongs to."""
    subject, _, change = kind.removesuffix("-to-closed").rpartition("-")
    return change.capitalize() if change.capitalize() in SECTIONS and subject not in CONDITIONS else "Changed"


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
    message = quote(change.message)
    if not names:
        sentence = f"{re.sub(r'^the', 'The', message)}."
    elif change.kind in OF_OPERATIONS:
        sentence = f"{join_names(names)}: {message}."
    else:
        sentence = f"In {'all operations' if {*names} >= {*operations} else join_names(names)}, {message}."
    if change.level == "breaking":
        sentence = f"**breaking** {sentence}"
        if change.installed_clients:
            sentence += f" Installed clients: {quote(change.installed_clients)}."
    return sentence if change.accepted is None else f"{sentence} Accepted: {quote(change.accepted)}"


def draft_entry(step: Step) -> str:
    """Return the entry of the present contract, without a line end."""
    operations = [operation.name for operation in list_operations(step.new)]
    sections: dict[str, list[str]] = {}
    if step.report is None:
        sections["Added"] = [f"The first version, with {join_names(operations)}."]
    elif not step.report.changes:
        sections["Changed"] = ["Nothing but the number."]
    for change in sorted(step.report.changes if step.report else (), key=lambda each: LEVELS.index(each.level)):
        sections.setdefault(find_section(change.kind), []).append(describe_change(change, operations))
    lines = [f"### [{step.new.version}]"]
    for section in filter(sections.__contains__, SECTIONS):
        lines += ["", f"#### {section}", "", *map(ITEM.fill, sections[section])]
    return "\n".join(lines)


def read_changelog(project: Project) -> str:
    try:
        return project.changelog.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or "not UTF-8"
        raise UnreadableError(project.changelog.name, reason) from None


def find_entry(text: str, version: str) -> int | None:
    """Return the line, from 1, of the entry of a version of the contract; None when there is none, or it is empty."""
    section = re.search(rf"^{HEADING}\s*\n(.*?)(?=^##? |\Z)", text, re.MULTILINE | re.DOTALL)
    entry = section and re.search(
        rf"^### \[{re.escape(version)}\](?=\s)[^\n]*\n+(?:####[^\n]*\n+)*(?!#)\S", section[1], re.MULTILINE
    )
    return text.count("\n", 0, section.start(1) + entry.start()) + 1 if section and entry else None


def insert_entry(text: str, entry: str, name: str) -> str:
    """Return the changelog with an entry above the older ones of the contract."""
    head, *others = re.split(rf"^{HEADING} *$", text, maxsplit=1, flags=re.MULTILINE)
    if not others:
        raise UnreadableError(name, f"no heading `{HEADING}`, under which the entry belongs")
    before, *after = re.split(r"^(?=##?#? )", others[0], maxsplit=1, flags=re.MULTILINE)
    return "\n".join([f"{head}{HEADING}{before.rstrip()}", "", entry, "", *after]).rstrip("\n") + "\n"


def find_problems(project: Project, step: Step) -> list[str]:
    """Return what keeps a contract from being released, each with the remedy."""
    problem, version, name = find_version_problem(step), step.new.version, project.changelog.name
    found = [] if problem is None else [problem]
    if find_entry(read_changelog(project), version) is None:
        found.append(f"{name}: no entry `### [{version}]` under `## Contract`; `make changelog-entry` drafts it.")
    return found
