"""Say what Python callers see of a change: names, arguments, fields and types of the generated client."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tools.contract.document import Contract, format_pointer
from tools.contract.operations import list_operations, match_operations
from tools.spec_diff.policy import Policy
from tools.spec_diff.python.causes import Clue, Places, find_causes, make_clue
from tools.spec_diff.python.differences import Difference, compare_surfaces, normalize
from tools.spec_diff.python.excerpt import is_same, make_excerpts
from tools.spec_diff.python.surface import read_surface
from tools.spec_diff.report import Change, describe_operation


def find_renamed(old: Contract, new: Contract) -> dict[str, str]:
    """Return the new name, in normal form, of each operation that has another one at the same address."""
    matches = match_operations(list_operations(old), list_operations(new))
    names = {normalize(before.name): normalize(after.name) for before, after in matches.items()}
    return {before: after for before, after in names.items() if before != after}


def add_python(changes: Sequence[Change], old: Contract, new: Contract, policy: Policy) -> list[Change]:
    """Return the changes with what Python callers see of them, and what they see beyond them as changes of its own."""
    if is_same(old.document, new.document):
        return list(changes)
    before, after = map(read_surface, make_excerpts(old, new))
    places = {"old": Places(old), "new": Places(new)}
    clues = [make_clue(change, places[change.side]) for change in changes]
    differences = compare_surfaces(before, after, find_renamed(old, new))
    found = [(difference, find_causes(difference, clues, places)) for difference in differences]
    # A renamed field is one removed and one added; report the break once.
    told = {each.text for each, causes in found if any(clue.change.level == "breaking" for clue in causes)}
    # What is said below each change, with the operations that it is said of.
    lines: dict[Change, dict[tuple[str, str], list[str]]] = {change: {} for change in changes}
    own: dict[tuple[str, str, str], Change] = {}
    for difference, near in found:
        causes = near
        if breaks_callers(difference, near):
            # Words are no cause, and something that breaks callers is not hidden below what does not break.
            causes = [clue for clue in near if clue.change.level != "note" and difference.text in told]
        elif difference.rule not in ("python-added", "python-type-widened"):
            causes = [clue for clue in near if clue.change.kind != "documentation-changed"]
        for clue in causes:
            group = lines[clue.change].setdefault((difference.sort, difference.text), [])
            if difference.sort in ("argument", "return") and difference.owner not in group:
                group.append(difference.owner)
        if not causes:
            change = make_change(difference, places[difference.side])
            key = (change.kind, change.message, "" if change.kind == "python-type-changed" else change.location)
            known = own.setdefault(key, change)
            users = dict.fromkeys(name for each in (known, change) for name in each.operation.split(", ") if name)
            own[key] = replace(known, operation=", ".join(users))
    said = [
        replace(
            change,
            python=tuple(
                f"{describe_operation(', '.join(operations))}: {text}" if operations else text
                for (_, text), operations in lines[change].items()
            ),
        )
        for change in changes
    ]
    return said + [replace(policy.judge(change), python=(change.message,)) for change in own.values()]


def breaks_callers(difference: Difference, causes: Sequence[Clue]) -> bool:
    """Return whether a difference breaks those who give or read the value, as far as its causes say who does."""
    ways = {way for clue in causes for way in clue.change.directions}
    return bool(difference.breaks & ways if ways and difference.sort == "field" else difference.breaks)


def make_change(difference: Difference, places: Places) -> Change:
    """Return a difference that comes from no change of the wire as a change of its own."""
    place = places.find(difference)
    operations = list_operations(places.contract)
    if difference.in_operation:
        users = [difference.owner]
    elif place[:1] == ("components",):
        users = [each.name for each in operations if place[:3] in places.reach(each.pointer)]
    else:
        users = [each.name for each in operations if each.pointer == place[:3]]
    return Change(
        operation=", ".join(users),
        location=format_pointer((*place, difference.name) if difference.sort == "member" else place),
        line=places.contract.find_line(place),
        kind=difference.rule,
        level="note",
        message=difference.text,
        side=difference.side,
    )
