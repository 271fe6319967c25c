"""The exact difference of two schemas, independent of how they are written."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import zip_longest
from typing import Any

import attrs

from tools.contract.document import Pointer
from tools.spec_diff.wire.reading import Reader
from tools.spec_diff.wire.views import (
    LIMITS,
    Child,
    Direction,
    Group,
    Places,
    Side,
    View,
    covers,
    is_stricter,
    list_types,
    show,
)

RESTS = {"properties": "additionalProperties", "patternProperties": "additionalProperties", "prefixItems": "items"}
"""Which keyword speaks of what another does not list."""
WIDER_FORMATS = (('"int32"', '"int64"'), ('"float"', '"double"'))


@attrs.frozen
class Difference:
    """One fact about two schemas."""

    rule: str
    side: Side
    """In which contract `place` is."""
    place: Pointer
    message: str
    member: str | None = None
    """Which member of the set at `place` it is about."""


@attrs.frozen(cache_hash=True)
class Pair:
    """Two schemas to compare next; of each, the places that hold at once."""

    old: Places
    new: Places


@attrs.frozen(eq=False)
class Comparer:
    """Compares schemas of two contracts."""

    old: Reader
    new: Reader

    def compare(self, pair: Pair, direction: Direction) -> tuple[list[Difference], list[Pair]]:
        """Return how two schemas differ by themselves, and the pairs below them that may differ too."""
        comparison = _Comparison(self, self.old.read(pair.old), self.new.read(pair.new), direction)
        comparison.run()
        return comparison.differences, comparison.pairs


@attrs.define(eq=False)
class _Comparison:
    """The state of one comparison of two views."""

    comparer: Comparer
    old: View
    new: View
    direction: Direction
    differences: list[Difference] = attrs.field(factory=list)
    pairs: list[Pair] = attrs.field(factory=list)

    def say(self, rule: str, keyword: str, message: str, member: str | None = None, side: Side | None = None) -> None:
        """Note a difference at a keyword; a removed one is in the old contract, all else in the new one."""
        if side is None:
            side = "old" if keyword in self.old.places and keyword not in self.new.places else "new"
        view = self.old if side == "old" else self.new
        self.add(rule, side, view.place_of(keyword), message, member)

    def add(self, rule: str, side: Side, place: Pointer, message: str, member: str | None = None) -> None:
        """Note a difference at a place."""
        self.differences.append(Difference(rule, side, place, message, member))

    def run(self) -> None:
        if self.compare_wrapped() or self.compare_types():
            return
        self.compare_groups()
        self.compare_values()
        self.compare_bounds()
        self.compare_texts()
        self.compare_flags()
        self.compare_properties()
        self.compare_additional()
        self.compare_children()

    # Types and values

    def compare_types(self) -> bool:
        """Compare types and null; return whether nothing else is worth comparing."""
        old, new = self.old, self.new
        if (old.types is None) != (new.types is None):
            # Where values are listed and no type is, the values say it.
            if not (old.derived or new.derived):
                rule = "type-narrowed" if old.types is None else "type-widened"
                self.say(rule, "type", f"the type {list_types(old)} became {list_types(new)}")
            elif old.nullable != new.nullable:
                self.compare_null()
            return False
        removed = [name for name in old.types or () if not covers(new.types, name)]
        added = [name for name in new.types or () if not covers(old.types, name)]
        if (removed or added) and not (old.derived and new.derived):
            rule = "type-changed" if removed and added else "type-narrowed" if removed else "type-widened"
            self.say(rule, "type", f"the type {list_types(old)} became {list_types(new)}")
            if rule == "type-changed":
                return True
        if old.nullable != new.nullable:
            self.compare_null()
        return False

    def compare_null(self) -> None:
        rule, verb = ("null-added", "added") if self.new.nullable else ("null-removed", "removed")
        self.add(rule, "new", self.new.null_place, f"null was {verb}")

    def compare_values(self) -> None:
        old, new = self.old.values, self.new.values
        if old is None and new is None:
            return
        keywords = ["enum" if "enum" in view.places else "const" for view in (self.old, self.new)]
        if old is None and new is not None:
            message = f"only {', '.join(new)} are allowed now, anything was" if new else "nothing is allowed now"
            self.say("enum-added", keywords[1], message, side="new")
        elif new is None and old is not None:
            message = f"anything is allowed now, only {', '.join(old)} were" if old else "anything is allowed now"
            self.say("enum-removed", keywords[0], message, side="old")
        elif old is not None and new is not None:
            for value in new.keys() - old.keys():
                self.say("enum-value-added", keywords[1], f"the value {value} was added", name_value(value), "new")
            for value in old.keys() - new.keys():
                self.say("enum-value-removed", keywords[0], f"the value {value} was removed", name_value(value), "old")

    # Bounds

    def compare_bounds(self) -> None:
        for sign, old, new in ((1, self.old.lower, self.new.lower), (-1, self.old.upper, self.new.upper)):
            if (old and old.limit) == (new and new.limit):
                continue
            is_wider = new is None or (old is not None and is_stricter(old, new, sign))
            texts = (None if each is None else each.text for each in (old, new))
            message = describe_words(*texts, common="" if old is None else f"{old.place[-1]} ")
            place = new.place if new is not None else old.place if old is not None else ()
            side: Side = "old" if new is None else "new"
            self.add("limit-widened" if is_wider else "limit-narrowed", side, place, message)
        for name, sign in LIMITS.items():
            before, after = self.old.limits.get(name), self.new.limits.get(name)
            if before == after or (name.endswith("Contains") and not self.both_have(("contains", ""))):
                continue
            # Without a word, one is wanted.
            low, high = (1 if value is None and name == "minContains" else value for value in (before, after))
            is_wider = high is None or (low is not None and (high - low) * sign < 0)
            self.say("limit-widened" if is_wider else "limit-narrowed", name, describe_change(name, before, after))
        self.compare_steps()

    def both_have(self, child: Child) -> bool:
        """Return whether both schemas have something below."""
        return child in self.old.children and child in self.new.children

    def compare_steps(self) -> None:
        before, after = self.old.step, self.new.step
        if before == after:
            return
        if after is None or (before is not None and (before / after).denominator == 1):
            rule = "limit-widened"
        else:
            is_finer = before is None or (after / before).denominator == 1
            rule = "limit-narrowed" if is_finer else "limit-changed"
        self.say(rule, "multipleOf", describe_change("multipleOf", *map(show_number, (before, after))))

    # Texts, flags and values that only a fingerprint distinguishes

    def compare_texts(self) -> None:
        for name in sorted(self.old.facets.keys() | self.new.facets.keys()):
            before, after = self.old.facets.get(name, {}), self.new.facets.get(name, {})
            gone = [text for text in before if text not in after]
            come = [text for text in after if text not in before]
            if name in ("pattern", "format"):
                for old, new in zip_longest(gone, come):
                    change = self.name_change(name, old, new)
                    place = before[old] if new is None else after[new]
                    message = describe_change(name, show_json(old), show_json(new))
                    self.add(f"{name}-{change}", "old" if new is None else "new", place, message)
            elif gone or come:
                verb = "changed" if gone and come else "added" if come else "removed"
                place = after[come[0]] if come else before[gone[0]]
                self.add(f"keyword-{verb}", "new" if come else "old", place, f"{name} was {verb}")
        old, new = self.old.default, self.new.default
        if old != new:
            message = describe_change("default", show_json(old), show_json(new))
            self.say(f"default-{self.name_change('default', old, new)}", "default", message)

    @staticmethod
    def name_change(name: str, old: str | None, new: str | None) -> str:
        """Return the change of a keyword, from its values as JSON."""
        if old is None or new is None:
            return "added" if old is None else "removed"
        if name == "format" and (old, new) in WIDER_FORMATS:
            return "widened"
        return "narrowed" if name == "format" and (new, old) in WIDER_FORMATS else "changed"

    def compare_flags(self) -> None:
        for name in sorted(self.old.flags ^ self.new.flags):
            has = name in self.new.flags
            if name == "uniqueItems":
                message = "items have to be unique now" if has else "items need not be unique any more"
                self.say("limit-narrowed" if has else "limit-widened", name, message)
            elif name == "deprecated":
                self.say("deprecated" if has else "undeprecated", name, "deprecated" if has else "no longer deprecated")
            else:
                self.say("access-changed", name, f"{'' if has else 'no longer '}{name}")

    # Objects

    def is_hidden(self, reader: Reader, places: Places) -> bool:
        """Return whether a property does not exist in this direction."""
        return reader.has_flag(places, "readOnly" if self.direction == "request" else "writeOnly")

    def compare_properties(self) -> None:
        all_old, all_new = self.old.properties, self.new.properties
        old = {name: places for name, places in all_old.items() if not self.is_hidden(self.comparer.old, places)}
        new = {name: places for name, places in all_new.items() if not self.is_hidden(self.comparer.new, places)}
        for name, places in new.items():
            if name in all_old:
                # It may have been hidden in this direction: `access-changed` says so when the two are compared.
                self.pairs.append(Pair(all_old[name], places))
                continue
            required, closed = name in self.new.required, self.old.closed
            rule = "property-added-to-closed" if closed else "property-added"
            if required and (not closed or self.direction == "request"):
                rule = "required-property-added"
            kind = "" if closed else "required " if required else "optional "
            tail = ", where no other was allowed" if closed else ""
            self.add(rule, "new", places[0], f"the {kind}property {name} was added{tail}")
            self.pair_with_rest("properties", places, "new")
        for name, places in old.items():
            if name in all_new:
                if name not in new:
                    self.pairs.append(Pair(places, all_new[name]))
                continue
            required = name in self.old.required
            rule = "required-property-removed" if required else "property-removed"
            message = f"the {'required' if required else 'optional'} property {name} was removed"
            self.add(rule, "old", places[0], message)
            self.pair_with_rest("properties", places, "old")
        # What came or went is told of by itself, and what is hidden does not exist.
        hidden = (all_old.keys() | all_new.keys()) - old.keys() - new.keys()
        for name in self.new.required.keys() - self.old.required.keys() - hidden - (all_new.keys() - all_old.keys()):
            place = self.new.required[name][:-1]
            self.add("property-became-required", "new", place, f"{name} became required", name)
        for name in self.old.required.keys() - self.new.required.keys() - hidden - (all_old.keys() - all_new.keys()):
            place = self.old.required[name][:-1]
            self.add("property-became-optional", "old", place, f"{name} became optional", name)

    def pair_with_rest(self, keyword: str, places: Places, side: Side) -> bool:
        """Compare what came or went with what the other contract says of all that it does not list, if anything."""
        rest = (self.old if side == "new" else self.new).children.get((RESTS.get(keyword, ""), ""))
        if rest is not None:
            self.pairs.append(Pair(rest, places) if side == "new" else Pair(places, rest))
        return rest is not None

    def compare_additional(self) -> None:
        child = ("additionalProperties", "")
        if not (self.old.closed or self.new.closed) and self.both_have(child):
            self.pairs.append(Pair(self.old.children[child], self.new.children[child]))
            return
        before, after = (0 if view.closed else 1 if child in view.children else 2 for view in (self.old, self.new))
        if before == after:
            return
        words = ("no other properties", "other properties of one schema", "any other properties")
        rule = "additional-properties-narrowed" if after < before else "additional-properties-widened"
        self.say(rule, "additionalProperties", f"{words[before]} became {words[after]}")

    def compare_children(self) -> None:
        """Compare what else is below; a schema there rules something out, and without one anything goes."""
        old, new = self.old.children, self.new.children
        for child, places in old.items():
            sides = self.old, self.new
            limited = any("maxContains" in view.limits or "unevaluatedItems" in view.facets for view in sides)
            if child in new and child[0] == "contains" and limited:
                # The fewer items count, the more or the fewer others there may be.
                if self.comparer.old.digest(places) != self.comparer.new.digest(new[child]):
                    self.add("keyword-changed", "new", new[child][0], "contains was changed")
            elif child in new and child[0] not in ("properties", "additionalProperties"):
                self.pairs.append(Pair(places, new[child]))
            elif child not in new:
                self.say_child(child, places, "old")
        for child, places in new.items():
            if child not in old:
                self.say_child(child, places, "new")

    def say_child(self, child: Child, places: Places, side: Side) -> None:
        """Note that something below a schema came or went."""
        keyword, name = child
        verb = "added" if side == "new" else "removed"
        reader, opposite = (self.comparer.new, self.old) if side == "new" else (self.comparer.old, self.new)
        # What is said of items takes them out of the reach of unevaluatedItems.
        is_freed = keyword in ("items", "prefixItems", "contains") and "unevaluatedItems" in opposite.facets
        rule = "keyword-changed" if is_freed else f"keyword-{verb}"
        if keyword == "items":
            message = "items have a schema now" if side == "new" else "items have no schema any more"
            self.add(rule, side, places[0], message)
        elif keyword == "discriminator":
            sides = ((self.comparer.old, self.old), (self.comparer.new, self.new))
            members = [list_members(reader, view) for reader, view in sides]
            own, other = members if side == "old" else reversed(members)
            # An alternative that came or went is told of by itself.
            if places[0] not in own or places[0] in other:
                self.add(f"alternative-{verb}", side, places[0], f"the alternative {name} was {verb}")
        elif keyword not in ("properties", "additionalProperties") and not self.pair_with_rest(keyword, places, side):
            if keyword == "patternProperties" and opposite.closed:
                rule = f"additional-properties-{'widened' if side == 'new' else 'narrowed'}"
            elif keyword in RESTS and not is_freed and all(map(reader.is_anything, places)):
                return
            self.add(rule, side, places[0], f"{keyword} was {verb}")

    # Alternatives

    def compare_wrapped(self) -> bool:
        """Compare a schema with one that has it as one of its alternatives; return whether this is so."""
        if bool(self.old.groups) == bool(self.new.groups):
            return False
        wrapper, other = (self.old, self.new) if self.old.groups else (self.new, self.old)
        if len(wrapper.groups) > 1 or not wrapper.is_bare:
            return False
        single = Group("anyOf", other.place, (other.origin,))
        groups = (self.old.groups[0], single) if self.old.groups else (single, self.new.groups[0])
        if not match_members(self.comparer, groups[0].members, groups[1].members)[0]:
            return False
        self.compare_members(*groups)
        if self.old.nullable != self.new.nullable:
            self.compare_null()
        return True

    def compare_groups(self) -> None:
        """Compare the sets of alternatives, of which each has to be met."""
        gone, come = list(self.old.groups), list(self.new.groups)
        for key in (self.name_group, lambda _reader, group: group.keyword, lambda _reader, _group: ""):
            for group in list(gone):
                text = key(self.comparer.old, group)
                match = next((each for each in come if key(self.comparer.new, each) == text), None)
                if match is not None:
                    self.compare_members(group, match)
                    gone.remove(group)
                    come.remove(match)
        for group in come:
            self.add("keyword-added", "new", group.place, "alternatives were added")
        for group in gone:
            self.add("keyword-removed", "old", group.place, "alternatives were removed")

    @staticmethod
    def name_group(reader: Reader, group: Group) -> str:
        """Return a text that groups share that say the same."""
        return " ".join([group.keyword, *sorted(map(reader.digest, group.members))])

    def compare_members(self, old: Group, new: Group) -> None:
        """Compare two sets of alternatives."""
        matched, gone, come = match_members(self.comparer, old.members, new.members)
        self.pairs += matched
        for places in come:
            message = f"the alternative {name_alternative(self.comparer.new, places)} was added"
            self.add("alternative-added", "new", places[0], message)
        for places in gone:
            message = f"the alternative {name_alternative(self.comparer.old, places)} was removed"
            self.add("alternative-removed", "old", places[0], message)
        before, after = is_exclusive(self.comparer.old, old), is_exclusive(self.comparer.new, new)
        if after and not before:
            message = "what fits several alternatives is ruled out now"
            self.add("alternatives-became-exclusive", "new", new.place, message)
        elif before and not after:
            message = "what fits several alternatives is no longer ruled out"
            self.add("alternatives-became-inclusive", "old", old.place, message)


def is_exclusive(reader: Reader, group: Group) -> bool:
    """Return whether a set of alternatives rules out what fits several of them, and something could."""
    if group.keyword == "anyOf" or "discriminator" in reader.node(group.place[:-1]):
        return False
    views = [reader.read(member) for member in group.members]
    return any(may_overlap(reader, one, other) for index, one in enumerate(views) for other in views[index + 1 :])


def may_overlap(reader: Reader, one: View, other: View) -> bool:
    """Return whether a value could fit both schemas, as far as their types and listed values tell."""
    if one.nullable and other.nullable:
        return True
    if one.types is not None and other.types is not None:
        common = [name for name in one.types if covers(other.types, name)]
        common += [name for name in other.types if covers(one.types, name)]
        if not common:
            return False
    if one.values is not None and other.values is not None:
        return not {*one.values}.isdisjoint(other.values)
    properties = one.properties, other.properties
    for name in one.required.keys() & other.required.keys() & properties[0].keys() & properties[1].keys():
        values = [reader.read(own[name]).values for own in properties]
        if values[0] is not None and values[1] is not None and {*values[0]}.isdisjoint(values[1]):
            return False
    return True


def list_members(reader: Reader, view: View) -> set[Pointer]:
    """Return where the alternatives of a schema are."""
    return {reader.locate(place) for group in view.groups for member in group.members for place in member}


def name_alternative(reader: Reader, places: Places) -> str:
    """Return a short name of a schema that is one of several."""
    component = name_component(reader.locate(places[0]))
    return str(component) if component else list_types(reader.read(places))


def match_members(
    comparer: Comparer, old: Sequence[Places], new: Sequence[Places]
) -> tuple[list[Pair], list[Places], list[Places]]:
    """Return which members are the same ones, in whatever order, which are gone and which have come."""
    gone, come = list(old), list(new)
    pairs: list[Pair] = []
    keys: tuple[Callable[[Reader, Places], Any], ...] = (
        lambda reader, places: name_component(reader.locate(places[0])),
        lambda reader, places: reader.digest(places),
        lambda reader, places: reader.read(places).types,
    )
    for key in keys:
        wanted: dict[Any, list[Places]] = {}
        for places in come:
            wanted.setdefault(key(comparer.new, places), []).append(places)
        for places in list(gone):
            text = key(comparer.old, places)
            if text is not None and wanted.get(text):
                match = wanted[text].pop(0)
                pairs.append(Pair(places, match))
                gone.remove(places)
                come.remove(match)
    return pairs, gone, come


def name_component(place: Pointer) -> Any:
    """Return the name of a schema that is a component; none when it stands inline."""
    return place[2] if place[:2] == ("components", "schemas") and len(place) == 3 else None


def name_value(text: str) -> str:
    """Return a listed value, given as JSON, as a step of a location."""
    value = json.loads(text)
    return value if isinstance(value, str) else text


def show_number(value: Fraction | None) -> str | None:
    """Return a fraction as one writes it."""
    return None if value is None else str(value.numerator) if value.denominator == 1 else str(float(value))


def show_json(text: str | None) -> str | None:
    """Return a value, given as JSON, within bounds."""
    return None if text is None else show(json.loads(text))


def describe_change(name: str, old: Any, new: Any) -> str:
    """Return the change of a keyword in words."""
    texts = [None if value is None else f"{name} {value}" for value in (old, new)]
    return describe_words(*texts, common=f"{name} ")


def describe_words(old: str | None, new: str | None, *, common: str = "") -> str:
    """Return in words what `old` became; what both begin with need not be said twice."""
    if old is None:
        return f"{new} was added"
    return f"{old} was removed" if new is None else f"{old} became {new.removeprefix(common)}"
