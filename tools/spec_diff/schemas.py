"""Say exactly how two schemas differ, whatever the way they are written.

Two schemas, read as `views` has them, are compared by one level; what lies below comes back as pairs to compare next.
Which rule a difference falls under says whether it narrows or widens what is accepted; whether that is breaking is for
the policy to say, which knows the direction.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from fractions import Fraction
from typing import Any

import attrs

from tools.contract.document import Pointer
from tools.spec_diff.views import (
    LIMITS,
    OTHER_KEYWORDS,
    Direction,
    Reader,
    Side,
    View,
    covers,
    freeze,
    is_number,
    is_stricter,
    list_types,
    show,
)

WIDER_FORMATS = (["int32", "int64"], ["float", "double"])


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
    """Two schemas to compare next."""

    old: Pointer
    new: Pointer


@attrs.frozen(eq=False)
class Comparer:
    """Compares schemas of two contracts."""

    old: Reader
    new: Reader

    def compare(self, pair: Pair, direction: Direction) -> tuple[list[Difference], list[Pair]]:
        """Return how two schemas differ by themselves, and the pairs below them that may differ too.

        Raises:
            UnreadableError: When one cannot be read.
        """
        comparison = _Comparison(self, self.old.read(pair.old), self.new.read(pair.new), direction)
        comparison.run()
        return comparison.differences, comparison.pairs


@attrs.define(eq=False)
class _Comparison:
    """One comparison of two views under way."""

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
        self.differences.append(Difference(rule, side, view.place_of(keyword), message, member))

    def run(self) -> None:
        if self.compare_alternatives():
            return
        if self.compare_types():
            return
        self.compare_values()
        self.compare_bounds()
        self.compare_plain()
        self.compare_properties()
        self.compare_additional()
        self.compare_items()
        self.compare_others()

    def compare_types(self) -> bool:
        """Compare types and null; return whether nothing else is worth comparing."""
        old, new = self.old, self.new
        if (old.types is None) != (new.types is None):
            rule = "type-narrowed" if old.types is None else "type-widened"
            self.say(rule, "type", f"the type {list_types(old)} became {list_types(new)}")
            return False
        removed = [name for name in old.types or () if not covers(new.types, name)]
        added = [name for name in new.types or () if not covers(old.types, name)]
        if removed or added:
            rule = "type-changed" if removed and added else "type-narrowed" if removed else "type-widened"
            self.say(rule, "type", f"the type {list_types(old)} became {list_types(new)}")
            if rule == "type-changed":
                return True
        if old.nullable != new.nullable:
            self.compare_null()
        return False

    def compare_null(self) -> None:
        rule, verb = ("null-added", "added") if self.new.nullable else ("null-removed", "removed")
        self.differences.append(Difference(rule, "new", self.new.null_place, f"null was {verb}"))

    def compare_values(self) -> None:
        old, new = self.old.values, self.new.values
        old_keyword = "enum" if "enum" in self.old.places else "const"
        new_keyword = "enum" if "enum" in self.new.places else "const"
        if old is None and new is not None:
            self.say("enum-added", new_keyword, f"only {', '.join(new)} are allowed now, anything was", side="new")
        elif old is not None and new is None:
            self.say("enum-removed", old_keyword, f"anything is allowed now, only {', '.join(old)} were", side="old")
        elif old is not None and new is not None:
            for value in new:
                if value not in old:
                    self.say("enum-value-added", new_keyword, f"the value {value} was added", json.loads(value), "new")
            for value in old:
                if value not in new:
                    message = f"the value {value} was removed"
                    self.say("enum-value-removed", old_keyword, message, json.loads(value), "old")

    def compare_bounds(self) -> None:
        for sign, old, new in ((1, self.old.lower, self.new.lower), (-1, self.old.upper, self.new.upper)):
            if (old and old.limit) == (new and new.limit):
                continue
            if new is None or (old is not None and is_stricter(old, new, sign)):
                rule = "limit-widened"
            else:
                rule = "limit-narrowed"
            common = f"{old.place[-1]} " if old is not None else ""
            message = describe_words(
                None if old is None else old.text, None if new is None else new.text, common=common
            )
            side: Side = "old" if new is None else "new"
            place = new.place if new is not None else old.place if old is not None else self.new.place
            self.differences.append(Difference(rule, side, place, message))
        for name, sign in LIMITS.items():
            before, after = self.old.keywords.get(name), self.new.keywords.get(name)
            # A bound of 0 from below is none.
            before, after = (None if sign > 0 and value == 0 else value for value in (before, after))
            if before == after or not all(value is None or is_number(value) for value in (before, after)):
                continue
            widened = after is None or (before is not None and (after - before) * sign < 0)
            message = describe_change(
                name, None if before is None else str(before), None if after is None else str(after)
            )
            self.say("limit-widened" if widened else "limit-narrowed", name, message)
        self.compare_steps()
        if bool(self.old.keywords.get("uniqueItems")) != bool(self.new.keywords.get("uniqueItems")):
            narrowed = bool(self.new.keywords.get("uniqueItems"))
            message = "items have to be unique now" if narrowed else "items need not be unique any more"
            self.say("limit-narrowed" if narrowed else "limit-widened", "uniqueItems", message)

    def compare_steps(self) -> None:
        before, after = self.old.keywords.get("multipleOf"), self.new.keywords.get("multipleOf")
        if before == after or not all(value is None or (is_number(value) and value > 0) for value in (before, after)):
            return
        message = describe_change("multipleOf", None if before is None else str(before), after and str(after))
        if after is None:
            rule = "limit-widened"
        elif before is None or (Fraction(str(after)) / Fraction(str(before))).denominator == 1:
            rule = "limit-narrowed"
        elif (Fraction(str(before)) / Fraction(str(after))).denominator == 1:
            rule = "limit-widened"
        else:
            rule = "limit-changed"
        self.say(rule, "multipleOf", message)

    def compare_plain(self) -> None:
        old, new = self.old.keywords, self.new.keywords
        for name in ("pattern", "format"):
            before, after = old.get(name), new.get(name)
            if before == after:
                continue
            change = "added" if before is None else "removed" if after is None else "changed"
            if name == "format" and change == "changed":
                if [before, after] in WIDER_FORMATS:
                    change = "widened"
                elif [after, before] in WIDER_FORMATS:
                    change = "narrowed"
            self.say(f"{name}-{change}", name, describe_change(name, before and show(before), after and show(after)))
        if ("default" in old, freeze(old.get("default"))) != ("default" in new, freeze(new.get("default"))):
            before_text = show(old["default"]) if "default" in old else None
            after_text = show(new["default"]) if "default" in new else None
            change = "added" if before_text is None else "removed" if after_text is None else "changed"
            self.say(f"default-{change}", "default", describe_change("default", before_text, after_text))
        if bool(old.get("deprecated")) != bool(new.get("deprecated")):
            is_now = bool(new.get("deprecated"))
            self.say(
                "deprecated" if is_now else "undeprecated",
                "deprecated",
                "deprecated" if is_now else "no longer deprecated",
            )
        for name in ("readOnly", "writeOnly"):
            if bool(old.get(name)) != bool(new.get(name)):
                self.say("access-changed", name, f"{'' if new.get(name) else 'no longer '}{name}")

    def hidden(self, reader: Reader, pointer: Pointer) -> bool:
        """Return whether a property does not exist in this direction."""
        flag = "readOnly" if self.direction == "request" else "writeOnly"
        return reader.read(pointer).keywords.get(flag) is True

    def compare_properties(self) -> None:
        comparer = self.comparer
        old = {name: place for name, place in self.old.properties.items() if not self.hidden(comparer.old, place)}
        new = {name: place for name, place in self.new.properties.items() if not self.hidden(comparer.new, place)}
        for name, place in new.items():
            if name in old:
                self.pairs.append(Pair(old[name], place))
            elif name in self.old.properties:
                # It was hidden in this direction before: `access-changed` says so when the two are compared.
                self.pairs.append(Pair(self.old.properties[name], place))
            elif self.old.additional is False:
                required = name in self.new.required
                rule = "required-property-added" if required else "property-added-to-closed"
                self.add_property(rule, place, f"the property {name} was added, where no other was allowed")
            elif name in self.new.required:
                self.add_property("required-property-added", place, f"the required property {name} was added")
            else:
                self.add_property("property-added", place, f"the optional property {name} was added")
        for name, place in old.items():
            if name in self.new.properties:
                if name not in new:
                    self.pairs.append(Pair(place, self.new.properties[name]))
                continue
            required = name in self.old.required
            rule = "required-property-removed" if required else "property-removed"
            message = f"the {'required' if required else 'optional'} property {name} was removed"
            self.differences.append(Difference(rule, "old", place, message))
        self.compare_required(set(old) | set(new))

    def add_property(self, rule: str, place: Pointer, message: str) -> None:
        self.differences.append(Difference(rule, "new", place, message))

    def compare_required(self, visible: set[str]) -> None:
        for name, place in self.new.required.items():
            added = name in self.new.properties and name not in self.old.properties
            if name not in self.old.required and not added and self.is_visible(name, visible):
                message = f"{name} became required"
                self.differences.append(Difference("property-became-required", "new", place[:-1], message, name))
        for name, place in self.old.required.items():
            removed = name in self.old.properties and name not in self.new.properties
            if name not in self.new.required and not removed and self.is_visible(name, visible):
                message = f"{name} became optional"
                self.differences.append(Difference("property-became-optional", "old", place[:-1], message, name))

    def is_visible(self, name: str, visible: set[str]) -> bool:
        return name in visible or (name not in self.old.properties and name not in self.new.properties)

    def compare_additional(self) -> None:
        old, new = self.old.additional, self.new.additional
        if isinstance(old, tuple) and isinstance(new, tuple):
            self.pairs.append(Pair(old, new))
            return
        ranks = {False: 0, True: 2}
        before, after = (1 if isinstance(value, tuple) else ranks[value] for value in (old, new))
        if before == after:
            return
        words = ("no other properties", "other properties of one schema", "any other properties")
        rule = "additional-properties-narrowed" if after < before else "additional-properties-widened"
        self.say(rule, "additionalProperties", f"{words[before]} became {words[after]}")

    def compare_items(self) -> None:
        if self.old.items is not None and self.new.items is not None:
            self.pairs.append(Pair(self.old.items, self.new.items))
        elif self.new.items is not None:
            self.say("keyword-added", "items", "items have a schema now", side="new")
        elif self.old.items is not None:
            self.say("keyword-removed", "items", "items have no schema any more", side="old")

    def compare_others(self) -> None:
        for name in sorted(OTHER_KEYWORDS | {"oneOf", "anyOf"}):
            has_old, has_new = name in self.old.keywords, name in self.new.keywords
            if not has_old and not has_new:
                continue
            if has_old != has_new:
                rule, verb = ("keyword-added", "added") if has_new else ("keyword-removed", "removed")
                self.say(rule, name, f"{name} was {verb}")
            elif self.comparer.old.digest_keyword(self.old, name) != self.comparer.new.digest_keyword(self.new, name):
                self.say("keyword-changed", name, f"{name} was changed")

    @staticmethod
    def name(reader: Reader, place: Pointer) -> str:
        """Return a short name of a schema that is one of several."""
        component = name_component(reader.locate(place))
        return str(component) if component else list_types(reader.read(place))

    def compare_alternatives(self) -> bool:
        """Compare the members of `oneOf` and `anyOf`; return whether nothing else is worth comparing."""
        old, new = self.old.alternatives, self.new.alternatives
        if old is None and new is None:
            return False
        wrapped = old is None or new is None
        before = (self.old.place,) if old is None else old
        after = (self.new.place,) if new is None else new
        matched, gone, come = match_members(self.comparer, before, after)
        if wrapped and not matched:
            if old is None:
                self.say("keyword-added", "alternatives", "alternatives were added", side="new")
            else:
                self.say("keyword-removed", "alternatives", "alternatives were removed", side="old")
            return False
        self.pairs += matched
        for place in come:
            self.differences.append(
                Difference(
                    "alternative-added",
                    "new",
                    place,
                    f"the alternative {self.name(self.comparer.new, place)} was added",
                )
            )
        for place in gone:
            self.differences.append(
                Difference(
                    "alternative-removed",
                    "old",
                    place,
                    f"the alternative {self.name(self.comparer.old, place)} was removed",
                )
            )
        if wrapped and self.old.nullable != self.new.nullable:
            self.compare_null()
        return wrapped


def match_members(
    comparer: Comparer, old: Iterable[Pointer], new: Iterable[Pointer]
) -> tuple[list[Pair], list[Pointer], list[Pointer]]:
    """Return which members are the same ones, in whatever order, which are gone and which have come.

    Members are the same when they are at the same component, when they say the same, or when just one of the same
    type is left on either side.
    """
    gone, come = list(old), list(new)
    pairs: list[Pair] = []
    keys: tuple[tuple[Callable[[Pointer], Any], Callable[[Pointer], Any]], ...] = (
        (
            lambda place: name_component(comparer.old.locate(place)),
            lambda place: name_component(comparer.new.locate(place)),
        ),
        (comparer.old.digest, comparer.new.digest),
        (lambda place: comparer.old.read(place).types, lambda place: comparer.new.read(place).types),
    )
    for old_key, new_key in keys:
        wanted: dict[Any, list[Pointer]] = {}
        for place in come:
            wanted.setdefault(new_key(place), []).append(place)
        for place in list(gone):
            key = old_key(place)
            if key is not None and wanted.get(key):
                match = wanted[key].pop(0)
                pairs.append(Pair(place, match))
                gone.remove(place)
                come.remove(match)
    return pairs, gone, come


def name_component(place: Pointer) -> Any:
    """Return the name of a schema that is a component; none when it stands inline."""
    return place[2] if place[:2] == ("components", "schemas") and len(place) == 3 else None


def describe_change(name: str, old: str | None, new: str | None) -> str:
    """Return in words what became of a keyword."""
    return describe_words(
        None if old is None else f"{name} {old}", None if new is None else f"{name} {new}", common=f"{name} "
    )


def describe_words(old: str | None, new: str | None, *, common: str = "") -> str:
    """Return in words what `old` became; what both begin with need not be said twice."""
    if old is None:
        return f"{new} was added"
    if new is None:
        return f"{old} was removed"
    return f"{old} became {new.removeprefix(common)}"
