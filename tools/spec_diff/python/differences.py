"""Compare what two generated clients offer to Python callers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from difflib import SequenceMatcher
from typing import Literal

import attrs

from tools.spec_diff.python.surface import Argument, Shape, Shapes, Surface

Sort = Literal["class", "field", "member", "operation", "argument", "return"]
GIVEN, READ = frozenset({"request"}), frozenset({"response"})
ARTICLES = {"enum": "an enum", "model": "a model"}
BOTH, NEITHER = GIVEN | READ, frozenset[str]()


@attrs.frozen
class Difference:
    rule: str
    """The rule of the policy that judges it when it is a change of its own."""
    sort: Sort
    owner: str
    """The class, or the operation without its tag."""
    name: str
    """The field, the member's value or the argument; empty when it is the owner as a whole."""
    text: str
    breaks: frozenset[str] = BOTH
    """In which direction it breaks callers: who gives the value (request), who reads it (response), or both."""

    @property
    def in_operation(self) -> bool:
        return self.sort in ("operation", "argument", "return")

    @property
    def side(self) -> Literal["old", "new"]:
        """The contract that it is to be looked up in."""
        return "old" if self.rule == "python-removed" else "new"


def normalize(*names: object) -> str:
    """Return names as one, in the form that all ways to spell them share."""
    return "".join(re.sub(r"[\W_]", "", str(name)).lower() or str(name) for name in names)


def compare_surfaces(old: Surface, new: Surface, moved: Mapping[str, str]) -> list[Difference]:
    renames = match_classes(old[0], new[0], moved)
    classes, operations = ({name: shape.rename(renames) for name, shape in shapes.items()} for shapes in old)
    same = {name: renames.get(name, name) for name in classes if name in renames or name in new[0]}
    # Operations are known by their names without the tag.
    before, after = ({normalize(key.partition(".")[2]): key for key in each} for each in (operations, new[1]))
    calls = {key: after.get(name if name in after else moved.get(name, "")) for name, key in before.items()}
    return [*compare_shapes("class", classes, new[0], same), *compare_shapes("operation", operations, new[1], calls)]


def match_classes(old: Shapes, new: Shapes, moved: Mapping[str, str]) -> dict[str, str]:
    """Return the new name of each class that is the same one under another name."""
    renames: dict[str, str] = {}
    found = True
    # A class that holds another renamed one is recognised only after it.
    while found:
        found = False
        for name in [name for name in old if name not in new and name not in renames]:
            come = [each for each in new if each not in old and each not in renames.values()]
            fitting = [each for each in come if new[each] == old[name].rename(renames)]
            key = normalize(name)
            expected = {after + key[len(before) :] for before, after in moved.items() if key.startswith(before)}
            if fitting:
                found = True
                renames[name] = max(
                    fitting, key=lambda each: (normalize(each) in expected, SequenceMatcher(None, name, each).ratio())
                )
    return renames


def compare_shapes(sort: Sort, old: Shapes, new: Shapes, matches: Mapping[str, str | None]) -> Iterator[Difference]:
    """Return what differs between the classes or the operations of two clients; `matches` has what each one is now."""
    for name, shape in new.items():
        if name not in matches.values():
            text = f"the {shape.noun} {name} was added"
            yield Difference("python-added", sort, name.rpartition(".")[2], "", text, NEITHER)
    for name, before in old.items():
        match = matches.get(name)
        if match is None:
            text = f"the {before.noun} {name} was removed"
            yield Difference("python-removed", sort, name.rpartition(".")[2], "", text)
            continue
        owner, after = match.rpartition(".")[2], new[match]
        if name != match:
            yield Difference("python-renamed", sort, owner, "", f"the {before.noun} {name} → {match}")
        if before.noun != after.noun:
            text = f"{owner}, {ARTICLES[before.noun]}, is {ARTICLES[after.noun]} now"
            yield Difference("python-type-changed", sort, owner, "", text)
        elif sort == "class":
            yield from compare_enums(owner, before.members, after.members)
            yield from compare_models(owner, before, after)
        else:
            yield from compare_signatures(owner, before, after)


def compare_enums(name: str, old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[Difference]:
    """Return what differs between two versions of an enum; a member is known by its value."""
    for value in dict.fromkeys([*old, *new]):
        before, after, plain = old.get(value), new.get(value), value.strip("'\"")
        if after is None:
            yield Difference("python-removed", "member", name, plain, f"{name}.{before} was removed")
        elif before is None:
            yield Difference("python-added", "member", name, plain, f"{name}.{after} was added", NEITHER)
        elif before != after:
            yield Difference("python-renamed", "member", name, plain, f"{name}.{before} → {name}.{after}")


def compare_models(name: str, old: Shape, new: Shape) -> Iterator[Difference]:
    """Return what differs between two versions of a model: fields, their types, and the order of the constructor."""
    before, after = ({field.name: field for field in model.arguments} for model in (old, new))
    gone, come = before.keys() - after.keys(), after.keys() - before.keys()
    if len(gone) == len(come) == 1:
        (one,), (other,) = gone, come
        is_same = attrs.evolve(before[one], name=other) == after[other]
        if is_same and list(before).index(one) == list(after).index(other):
            for each in (one, other):
                yield Difference("python-renamed", "field", name, each, f"{name}.{one} → {name}.{other}")
            del before[one], after[other]
    yield from compare_named("field", name, f"{name}.", before, after)
    orders = [[each for each in model if is_kept(before.get(each), after.get(each))] for model in (before, after)]
    if orders[0] != orders[1]:
        text = f"the positional arguments of {name}() were {', '.join(orders[0])} and are {', '.join(orders[1])}"
        yield Difference("python-order-changed", "class", name, "", text, NEITHER)


def compare_named(
    sort: Sort, owner: str, head: str, old: Mapping[str, Argument], new: Mapping[str, Argument]
) -> Iterator[Difference]:
    """Return what differs between the fields of a model or the arguments of an operation; `head` goes before a name."""
    for name in [name for name in old if name not in new]:
        yield Difference("python-removed", sort, owner, name, f"{head}{name} was removed")
    for name in [name for name in new if name not in old]:
        added = new[name]
        text = f"{head}{name} was added ({'required' if added.required else 'optional'})"
        follower = next((each for each in list(new)[list(new).index(name) :] if each in old), None)
        if sort == "field" and added.taken and follower is not None and new[follower].taken:
            text += f"; positional arguments of {owner}() move from {follower} on"
        # Who reads a model does not make one.
        needed = added.required and added.taken
        rule = "python-required-added" if needed else "python-added"
        yield Difference(rule, sort, owner, name, text, GIVEN if needed else NEITHER)
    for name in [name for name in old if name in new]:
        yield from compare_arguments(sort, owner, f"{head}{name}", old[name], new[name])


def is_kept(old: Argument | None, new: Argument | None) -> bool:
    """Return whether a constructor still takes an argument in the same group, the required or the optional ones."""
    return old is not None and new is not None and old.taken and new.taken and old.required == new.required


def compare_arguments(sort: Sort, owner: str, subject: str, old: Argument, new: Argument) -> Iterator[Difference]:
    ways = BOTH if sort == "field" else GIVEN
    if old.annotation != new.annotation:
        words = describe_choices(old.annotation, new.annotation, sort)
        text = f"{subject}: {show_type(old.annotation)} → {show_type(new.annotation)}{words}"
        yield make_type_change(sort, owner, new.name, text, find_broken(old.annotation, new.annotation) & ways)
    if new.required and not old.required:
        yield make_type_change(sort, owner, new.name, f"{subject} became required", GIVEN)
    elif old.required and not new.required:
        reads = " and may read as not given" if sort == "field" else ""
        yield make_type_change(sort, owner, new.name, f"{subject} became optional{reads}", READ & ways)


def make_type_change(sort: Sort, owner: str, name: str, text: str, breaks: frozenset[str]) -> Difference:
    """Return a difference of a type, which breaks nobody only when it widens."""
    return Difference("python-type-changed" if breaks else "python-type-widened", sort, owner, name, text, breaks)


def find_broken(old: frozenset[str], new: frozenset[str]) -> frozenset[str]:
    """Return whom another type breaks: who gives the value when it is narrower, who reads it when it is wider."""
    if "Any" in old | new:
        # What the generator does not tell apart is for the wire to judge.
        return NEITHER
    # An int is taken for a float.
    old_taken, new_taken = (each | {"int"} if "float" in each else each for each in (old, new))
    return (GIVEN if old - new_taken else NEITHER) | (READ if new - old_taken else NEITHER)


def show_type(choices: frozenset[str]) -> str:
    """Return the choices of an annotation as one writes them, None at the end."""
    return " | ".join(sorted(choices, key=lambda choice: (choice == "None", choice)))


def describe_choices(old: frozenset[str], new: frozenset[str], sort: Sort) -> str:
    """Return what a new annotation means to those who give the value and to those who read it."""
    more, less = new - old, old - new
    if more and less:
        return ""
    if more:
        return f" (may now be {show_type(more)})" if sort == "field" else f" (now takes {show_type(more)} too)"
    return f" (no longer {'' if sort == 'field' else 'takes '}{show_type(less)})"


def compare_signatures(name: str, old: Shape, new: Shape) -> Iterator[Difference]:
    before, after = ({argument.name: argument for argument in each.arguments} for each in (old, new))
    yield from compare_named("argument", name, "the argument ", before, after)
    more, less = new.returns - old.returns, old.returns - new.returns
    if more and less:
        text = f"returned {show_type(old.returns)} and returns {show_type(new.returns)}"
        yield make_type_change("return", name, "", text, BOTH)
    elif more or less:
        # What may come beside it, or comes no more, is judged as the answer that it is.
        text = f"may now also return {show_type(more)}" if more else f"no longer returns {show_type(less)}"
        yield make_type_change("return", name, "", text, NEITHER)
