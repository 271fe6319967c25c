"""Compare what two generated clients offer to Python callers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from difflib import SequenceMatcher
from typing import Literal

import attrs

from tools.spec_diff.python.surface import Argument, Enum, Model, Operation, Surface

Sort = Literal["class", "field", "member", "operation", "argument", "return"]


GIVEN, READ = frozenset({"request"}), frozenset({"response"})
BOTH, NEITHER = GIVEN | READ, frozenset[str]()


@attrs.frozen
class Difference:
    """One thing that Python callers see."""

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
        """Whether it is about an operation, or what that takes or returns."""
        return self.sort in ("operation", "argument", "return")

    @property
    def removed(self) -> bool:
        """Whether it is there in the old contract only."""
        return self.rule == "python-removed"


def normalize(*names: object) -> str:
    """Return names as one, in the form that all ways to spell them share."""
    return "".join(re.sub(r"[\W_]", "", str(name)).lower() or str(name) for name in names)


def compare_surfaces(old: Surface, new: Surface, moved: Mapping[str, str]) -> list[Difference]:
    """Return what differs between two generated clients."""
    renames = match_classes(old, new, moved)
    operations = {
        name: Operation(
            tuple(rename_argument(each, renames) for each in own.arguments), rename_choices(own.returns, renames)
        )
        for name, own in old.operations.items()
    }
    old = Surface({name: rename_shape(shape, renames) for name, shape in old.classes.items()}, operations)
    return [*compare_classes(old, new, renames), *compare_operations(old, new, moved)]


def match_classes(old: Surface, new: Surface, moved: Mapping[str, str]) -> dict[str, str]:
    """Return the new name of each class that is the same one under another name."""
    gone = [name for name in old.classes if name not in new.classes]
    come = [name for name in new.classes if name not in old.classes]
    renames: dict[str, str] = {}
    found = True
    # A class that holds another renamed one is recognised only after it.
    while found:
        found = False
        for name in [name for name in gone if name not in renames]:
            shape = rename_shape(old.classes[name], renames)
            fitting = [each for each in come if each not in renames.values() and new.classes[each] == shape]
            if not fitting:
                continue
            key = normalize(name)
            expected = {after + key[len(before) :] for before, after in moved.items() if key.startswith(before)}
            renames[name] = max(
                fitting, key=lambda each: (normalize(each) in expected, SequenceMatcher(None, name, each).ratio())
            )
            found = True
    return renames


def rename_shape(shape: Enum | Model, renames: Mapping[str, str]) -> Enum | Model:
    """Return a class as it would be with other classes renamed."""
    if isinstance(shape, Enum):
        return shape
    return Model(tuple(rename_argument(field, renames) for field in shape.fields))


def rename_argument(argument: Argument, renames: Mapping[str, str]) -> Argument:
    """Return an argument with the classes in its annotation renamed."""
    return attrs.evolve(argument, annotation=rename_choices(argument.annotation, renames))


def rename_choices(choices: frozenset[str], renames: Mapping[str, str]) -> frozenset[str]:
    """Return the choices of an annotation with classes renamed."""
    return frozenset(re.sub(r"\w+", lambda match: renames.get(match[0], match[0]), choice) for choice in choices)


def compare_classes(old: Surface, new: Surface, renames: Mapping[str, str]) -> Iterator[Difference]:
    """Return what differs between the enums and models."""
    for name, after in new.classes.items():
        if name not in old.classes and name not in renames.values():
            noun = "enum" if isinstance(after, Enum) else "model"
            yield Difference("python-added", "class", name, "", f"the {noun} {name} was added", NEITHER)
    for name, before in old.classes.items():
        noun = "enum" if isinstance(before, Enum) else "model"
        if name in renames:
            text = f"the {noun} {name} → {renames[name]}"
            yield Difference("python-renamed", "class", renames[name], "", text)
        elif name not in new.classes:
            yield Difference("python-removed", "class", name, "", f"the {noun} {name} was removed")
        else:
            after = new.classes[name]
            if isinstance(before, Enum) and isinstance(after, Enum):
                yield from compare_enums(name, before, after)
            elif isinstance(before, Model) and isinstance(after, Model):
                yield from compare_models(name, before, after)
            else:
                text = f"{name}, a model, is an enum now" if noun == "model" else f"{name}, an enum, is a model now"
                yield Difference("python-type-changed", "class", name, "", text)


def compare_enums(name: str, old: Enum, new: Enum) -> Iterator[Difference]:
    """Return what differs between two versions of an enum; a member is known by its value."""
    before, after = ({value: member for member, value in enum.members.items()} for enum in (old, new))
    for value, member in before.items():
        plain = value.strip("'\"")
        if value not in after:
            yield Difference("python-removed", "member", name, plain, f"{name}.{member} was removed")
        elif after[value] != member:
            yield Difference("python-renamed", "member", name, plain, f"{name}.{member} → {name}.{after[value]}")
    for value, member in after.items():
        if value not in before:
            text = f"{name}.{member} was added"
            yield Difference("python-added", "member", name, value.strip("'\""), text, NEITHER)


def compare_models(name: str, old: Model, new: Model) -> Iterator[Difference]:
    """Return what differs between two versions of a model: fields, their types, and the order of the constructor."""
    before, after = ({field.name: field for field in model.fields} for model in (old, new))
    gone = [field for field in before if field not in after]
    come = [field for field in after if field not in before]
    if len(gone) == len(come) == 1:
        (one,), (other,) = gone, come
        same = attrs.evolve(before[one], name=other) == after[other]
        if same and list(before).index(one) == list(after).index(other):
            text = f"{name}.{one} → {name}.{other}"
            for each in (one, other):
                yield Difference("python-renamed", "field", name, each, text)
            gone = come = []
    for field in gone:
        yield Difference("python-removed", "field", name, field, f"{name}.{field} was removed")
    for field in come:
        added = after[field]
        text = f"{name}.{field} was added ({'required' if added.required else 'optional'})"
        follower = next((each for each in list(after)[list(after).index(field) :] if each in before), None)
        if added.taken and follower is not None and after[follower].taken:
            text += f"; positional arguments of {name}() move from {follower} on"
        # Who reads a model does not make one.
        needed = added.required and added.taken
        rule = "python-required-added" if needed else "python-added"
        yield Difference(rule, "field", name, field, text, GIVEN if needed else NEITHER)
    for field, argument in before.items():
        if field in after:
            yield from compare_arguments("field", name, f"{name}.{field}", argument, after[field])
    orders = [[each for each in model if is_kept(before.get(each), after.get(each))] for model in (before, after)]
    if orders[0] != orders[1]:
        text = f"the positional arguments of {name}() were {', '.join(orders[0])} and are {', '.join(orders[1])}"
        yield Difference("python-order-changed", "class", name, "", text, NEITHER)


def is_kept(old: Argument | None, new: Argument | None) -> bool:
    """Return whether a constructor still takes an argument in the same group, the required or the optional ones."""
    return old is not None and new is not None and old.taken and new.taken and old.required == new.required


def compare_arguments(sort: Sort, owner: str, subject: str, old: Argument, new: Argument) -> Iterator[Difference]:
    """Return what differs between two versions of a field, which is given and read, or of an argument."""
    if old.annotation != new.annotation:
        text = f"{subject}: {show_type(old.annotation)} → {show_type(new.annotation)}{describe_choices(old, new, sort)}"
        breaks = find_broken(old.annotation, new.annotation) & (BOTH if sort == "field" else GIVEN)
        yield make_type_change(sort, owner, new.name, text, breaks)
    if old.required != new.required:
        text = "became required" if new.required else "became optional"
        reads = " and may read as not given" if sort == "field" and not new.required else ""
        breaks = GIVEN if new.required else READ & (BOTH if sort == "field" else GIVEN)
        yield make_type_change(sort, owner, new.name, f"{subject} {text}{reads}", breaks)


def make_type_change(sort: Sort, owner: str, name: str, text: str, breaks: frozenset[str]) -> Difference:
    """Return a difference of a type, which breaks nobody only when it widens."""
    return Difference("python-type-changed" if breaks else "python-type-widened", sort, owner, name, text, breaks)


def find_broken(old: frozenset[str], new: frozenset[str]) -> frozenset[str]:
    """Return whom another type breaks: who gives the value when it is narrower, who reads it when it is wider."""
    if "Any" in old | new:
        # What the generator does not tell apart is for the wire to judge.
        return NEITHER
    more, less = new - list_taken(old), old - list_taken(new)
    return BOTH if more and less else GIVEN if less else READ if more else NEITHER


def list_taken(choices: frozenset[str]) -> frozenset[str]:
    """Return the choices with what is taken for one of them: an int for a float."""
    return choices | {"int"} if "float" in choices else choices


def show_type(choices: frozenset[str]) -> str:
    """Return the choices of an annotation as one writes them, None at the end."""
    return " | ".join(sorted(choices, key=lambda choice: (choice == "None", choice)))


def describe_choices(old: Argument, new: Argument, sort: Sort) -> str:
    """Return what a new annotation means to those who give the value and to those who read it."""
    more, less = new.annotation - old.annotation, old.annotation - new.annotation
    if more and less:
        return ""
    if more:
        return f" (may now be {show_type(more)})" if sort == "field" else f" (now takes {show_type(more)} too)"
    return f" (no longer {'' if sort == 'field' else 'takes '}{show_type(less)})"


def compare_operations(old: Surface, new: Surface, moved: Mapping[str, str]) -> Iterator[Difference]:
    """Return what differs between the operations; an operation is its four functions."""
    before, after = ({normalize(key.partition(".")[2]): key for key in each.operations} for each in (old, new))
    for name, key in after.items():
        if name not in before and name not in moved.values():
            yield Difference("python-added", "operation", name_of(key), "", f"the operation {key} was added", NEITHER)
    for name, key in before.items():
        match = after.get(name if name in after else moved.get(name, ""))
        if match is None:
            yield Difference("python-removed", "operation", name_of(key), "", f"the operation {key} was removed")
            continue
        if key != match:
            text = f"the operation {key} → {match}"
            yield Difference("python-renamed", "operation", name_of(match), "", text)
        yield from compare_signatures(name_of(match), old.operations[key], new.operations[match])


def name_of(key: str) -> str:
    """Return the name of an operation without its tag."""
    return key.partition(".")[2]


def compare_signatures(name: str, old: Operation, new: Operation) -> Iterator[Difference]:
    """Return what differs between what two versions of an operation take and return."""
    before, after = ({argument.name: argument for argument in each.arguments} for each in (old, new))
    for argument in before:
        if argument not in after:
            yield Difference("python-removed", "argument", name, argument, f"the argument {argument} was removed")
    for argument, value in after.items():
        if argument not in before:
            need = "required" if value.required else "optional"
            text = f"the argument {argument} was added ({need})"
            rule, breaks = ("python-required-added", BOTH) if value.required else ("python-added", NEITHER)
            yield Difference(rule, "argument", name, argument, text, breaks)
        else:
            yield from compare_arguments("argument", name, f"the argument {argument}", before[argument], value)
    more, less = new.returns - old.returns, old.returns - new.returns
    if more and less:
        text = f"returned {show_type(old.returns)} and returns {show_type(new.returns)}"
    elif more:
        text = f"may now also return {show_type(more)}"
    else:
        text = f"no longer returns {show_type(less)}"
    if more or less:
        # What may come beside it, or comes no more, is judged as the answer that it is.
        yield make_type_change("return", name, "", text, BOTH if more and less else NEITHER)
