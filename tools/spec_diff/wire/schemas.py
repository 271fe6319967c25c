"""The exact difference of two schemas, independent of how they are written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from itertools import zip_longest

import attrs

from tools.contract.document import Pointer, is_array
from tools.spec_diff.wire import views
from tools.spec_diff.wire.alternatives import find_overlapping, match_groups, match_members, name_alternative
from tools.spec_diff.wire.places import format_place, name_place
from tools.spec_diff.wire.reading import Reader
from tools.spec_diff.wire.views import Bound, Child, Direction, Found, Group, Pair, Places, Side, View

SAID = ("default", "format", "pattern")
"""Keywords whose values are named, and which have rules of their own."""
DEFAULT_BOUNDS = {"minContains": Bound(Fraction(1), exclusive=False, place=(), text=None)}
# What takes no value from a schema, nor gives it one.
HARMLESS = {"property-added", "deprecated", "undeprecated", "default-added", "default-changed", "default-removed"}
OTHERS = ("no other properties", "other properties of one schema", "any other properties")
SIDES: tuple[tuple[Side, str], ...] = (("new", "added"), ("old", "removed"))
Compared = tuple[list[Found], list[Pair]]


def compare_schemas(
    readers: Mapping[Side, Reader], pair: Pair, direction: Direction, done: dict[Pair, Compared]
) -> Compared:
    """Return how two schemas differ by themselves, and the pairs below them that may differ too.

    `done` has what was compared before in this direction.
    """
    if pair not in done:
        # Before it is known, since alternatives may lead back here.
        done[pair] = [], []
        both = readers["old"].read(pair.old), readers["new"].read(pair.new)
        _Comparison(readers, *both, direction, done, *done[pair]).run()
    return done[pair]


@attrs.define(eq=False)
class _Comparison:
    readers: Mapping[Side, Reader]
    old: View
    new: View
    direction: Direction
    done: dict[Pair, Compared]
    found: list[Found]
    pairs: list[Pair]

    def add(self, rule: str, side: Side, place: Pointer, message: str, member: str | None = None) -> None:
        """Note a difference; `member` is the one of the set at `place` that it is about."""
        reader, own = self.readers[side], (self.old if side == "old" else self.new).origin[0]
        there, contract = reader.locate(own), reader.contract
        if there != own and place[: len(there)] == there:
            # Said of the reference, since the component has not changed.
            place = own
        subject, location = name_place(contract, place), format_place(contract, place)
        if member is not None:
            location = format_place(contract, (*place, member))
            listed = contract.at(place) if is_array(contract.at(place)) else ()
            same = [index for index, value in enumerate(listed) if member in (value, views.freeze(value))]
            place = (*place, *same[:1])
        self.found.append(Found(rule, side, place, location, f"{subject}: {message}"))

    def say(self, rule: str, keyword: str, message: str) -> None:
        """Note a difference at a keyword; one that went is in the old contract, all else in the new one."""
        side: Side = "old" if keyword in self.old.places and keyword not in self.new.places else "new"
        view = self.old if side == "old" else self.new
        self.add(rule, side, view.places.get(keyword, view.place), message)

    def run(self) -> None:
        if self.compare_wrapped() or self.compare_types():
            return
        self.compare_groups()
        self.compare_values()
        self.compare_bounds()
        self.compare_facets(self.old.facets.keys() | self.new.facets.keys())
        self.compare_properties()
        self.compare_additional()
        self.compare_children()

    # Types and values

    def compare_types(self) -> bool:
        """Compare types and null; return whether nothing else is worth comparing."""
        old, new = self.old, self.new
        removed = [name for name in old.types or () if not views.covers(new.types, name)]
        added = [name for name in new.types or () if not views.covers(old.types, name)]
        message = f"the type {views.list_types(old)} became {views.list_types(new)}"
        if (old.types is None) != (new.types is None):
            # Where values are listed and no type is, the values say it.
            if not (old.derived or new.derived):
                self.say("type-narrowed" if old.types is None else "type-widened", "type", message)
                # That null went, or came, goes without saying.
                if new.nullable == (old.types is None):
                    self.compare_null()
                return False
        elif (removed or added) and not (old.derived and new.derived):
            rule = "type-changed" if removed and added else "type-narrowed" if removed else "type-widened"
            self.say(rule, "type", message)
            if rule == "type-changed":
                return True
        self.compare_null()
        return False

    def compare_null(self) -> None:
        if self.old.nullable != self.new.nullable:
            rule, verb = ("null-added", "added") if self.new.nullable else ("null-removed", "removed")
            self.add(rule, "new", self.new.null_place, f"null was {verb}")

    def compare_values(self) -> None:
        old, new = self.old.values, self.new.values
        there, here = (view.places.get("enum", view.places.get("const", view.place)) for view in (self.old, self.new))
        if old is not None and new is not None:
            for value in new.keys() - old.keys():
                self.add("enum-value-added", "new", here, f"the value {value} was added", views.name_value(value))
            for value in old.keys() - new.keys():
                self.add("enum-value-removed", "old", there, f"the value {value} was removed", views.name_value(value))
        elif new is not None:
            message = f"only {', '.join(new)} are allowed now, anything was" if new else "nothing is allowed now"
            self.add("enum-added", "new", here, message)
        elif old is not None:
            message = f"anything is allowed now, only {', '.join(old)} were" if old else "anything is allowed now"
            self.add("enum-removed", "old", there, message)

    # Bounds

    def compare_bounds(self) -> None:
        for name, sign in views.LIMITS.items():
            old, new = (view.limits.get(name, DEFAULT_BOUNDS.get(name)) for view in (self.old, self.new))
            if old == new or (name.endswith("Contains") and not self.both_have(("contains", ""))):
                continue
            is_wider = new is None or (old is not None and old.is_stricter(new, sign))
            is_narrower = old is None or (new is not None and new.is_stricter(old, sign))
            rule = "limit-widened" if is_wider else "limit-narrowed" if is_narrower else "limit-changed"
            message = views.describe_words(*(None if each is None else each.text for each in (old, new)))
            if new is not None and new.text is not None:
                self.add(rule, "new", new.place, message)
            elif old is not None:
                self.add(rule, "old", old.place, message)

    def both_have(self, child: Child) -> bool:
        return child in self.old.children and child in self.new.children

    # Texts, flags and values that only a fingerprint distinguishes

    def compare_facets(self, names: Iterable[str]) -> None:
        for name in sorted(names):
            before, after = self.old.facets.get(name, {}), self.new.facets.get(name, {})
            gone = [text for text in before if text not in after]
            come = [text for text in after if text not in before]
            pairs = list(zip_longest(gone, come))
            for old, new in pairs if name in SAID else pairs[:1]:
                # What is evaluated otherwise may be more or less.
                is_there = name.startswith("unevaluated") and name in self.old.places and name in self.new.places
                change = "changed" if is_there else views.name_change(name, old, new)
                rule, message = f"keyword-{change}", f"{name} was {change}"
                if name in SAID:
                    rule = f"{name}-{change}"
                    message = views.describe_words(views.show(name, old), views.show(name, new))
                elif name in views.FLAG_WORDS:
                    rule, message = views.FLAG_WORDS[name][new is None]
                place = before[old] if new is None else after[new]
                self.add(rule, "old" if new is None else "new", place, message)

    # Objects

    def list_visible(self, side: Side, view: View) -> dict[str, Places]:
        """Return the properties that exist in this direction."""
        flag, reader = "readOnly" if self.direction == "request" else "writeOnly", self.readers[side]
        return {name: places for name, places in view.properties.items() if not reader.has_flag(places, flag)}

    def compare_properties(self) -> None:
        all_old, all_new = self.old.properties, self.new.properties
        old, new = self.list_visible("old", self.old), self.list_visible("new", self.new)
        # One may be hidden in this direction: `access-changed` says so when the two are compared.
        self.pairs += [
            Pair(all_old[name], all_new[name]) for name in all_old if name in all_new and name in {**old, **new}
        ]
        for name in new.keys() - all_old.keys():
            required, closed = name in self.new.required, self.old.closed
            rule = "property-added-to-closed" if closed else "property-added"
            if required and (not closed or self.direction == "request"):
                rule = "required-property-added"
            kind = "" if closed else "required " if required else "optional "
            tail = ", where no other was allowed" if closed else ""
            self.add(rule, "new", new[name][0], f"the {kind}property {name} was added{tail}")
            self.pair_with_rest("properties", new[name], "new")
        for name in old.keys() - all_new.keys():
            kind = "required" if name in self.old.required else "optional"
            rule = "required-property-removed" if kind == "required" else "property-removed"
            self.add(rule, "old", old[name][0], f"the {kind} property {name} was removed")
            self.pair_with_rest("properties", old[name], "old")
        # What came or went is told of by itself, and what is hidden does not exist.
        untold = (all_old.keys() | all_new.keys()) - old.keys() - new.keys()
        self.compare_required("new", "required", self.new, self.old, untold)
        self.compare_required("old", "optional", self.old, self.new, untold)

    def compare_required(self, side: Side, word: str, one: View, other: View, untold: set[str]) -> None:
        told = one.properties.keys() - other.properties.keys()
        for name in one.required.keys() - other.required.keys() - untold - told:
            self.add(f"property-became-{word}", side, one.required[name][:-1], f"{name} became {word}", name)

    def pair_with_rest(self, keyword: str, places: Places, side: Side) -> bool:
        """Compare what came or went with what the other contract says of all that it does not list, if anything."""
        rest = (self.old if side == "new" else self.new).children.get((views.RESTS.get(keyword, ""), ""))
        if rest is not None:
            self.pairs.append(Pair(rest, places) if side == "new" else Pair(places, rest))
        return rest is not None

    def compare_additional(self) -> None:
        child = ("additionalProperties", "")
        if self.both_have(child):
            self.pairs.append(Pair(self.old.children[child], self.new.children[child]))
        before, after = (0 if view.closed else 1 if child in view.children else 2 for view in (self.old, self.new))
        if before != after:
            rule = "additional-properties-narrowed" if after < before else "additional-properties-widened"
            self.say(rule, "additionalProperties", f"{OTHERS[before]} became {OTHERS[after]}")

    def compare_children(self) -> None:
        """Compare what else is below; a schema there rules something out, and without one anything goes."""
        old, new = self.old.children, self.new.children
        limited = any(
            "maxContains" in view.limits or "unevaluatedItems" in view.facets for view in (self.old, self.new)
        )
        for child, places in old.items():
            if child not in new:
                self.say_child(child, places, "old")
            elif child[0] == "contains" and limited:
                # The fewer items count, the more or the fewer others there may be.
                if self.readers["old"].digest(places) != self.readers["new"].digest(new[child]):
                    self.add("keyword-changed", "new", new[child][0], "contains was changed")
            elif child[0] not in ("properties", "additionalProperties"):
                self.pairs.append(Pair(places, new[child]))
        for child, places in new.items():
            if child not in old:
                self.say_child(child, places, "new")

    def say_child(self, child: Child, places: Places, side: Side) -> None:
        """Note that something below a schema came or went."""
        keyword, name = child
        verb, opposite = ("added", self.old) if side == "new" else ("removed", self.new)
        # What is said of items takes them out of the reach of unevaluatedItems.
        is_freed = keyword in ("items", "prefixItems", "contains") and "unevaluatedItems" in opposite.facets
        rule, message = "keyword-changed" if is_freed else f"keyword-{verb}", f"{keyword} was {verb}"
        if keyword in ("properties", "additionalProperties"):
            return
        if keyword == "items":
            message = "items have a schema now" if side == "new" else "items have no schema any more"
        elif keyword == "discriminator":
            own, other = self.list_members(side), self.list_members("old" if side == "new" else "new")
            # An alternative that came or went is told of by itself.
            if places[0] in own and places[0] not in other:
                return
            rule, message = f"alternative-{verb}", f"the alternative {name} was {verb}"
        elif self.pair_with_rest(keyword, places, side):
            return
        elif keyword == "patternProperties" and opposite.closed:
            rule = f"additional-properties-{'widened' if side == 'new' else 'narrowed'}"
        elif keyword in views.RESTS and not is_freed and all(map(self.readers[side].is_anything, places)):
            return
        self.add(rule, side, places[0], message)

    def list_members(self, side: Side) -> set[Pointer]:
        groups = (self.old if side == "old" else self.new).groups
        return {self.readers[side].locate(each) for group in groups for member in group.members for each in member}

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
        if not match_members(self.readers, *groups)[0]:
            return False
        self.compare_members(*groups)
        self.compare_null()
        self.compare_facets(views.ANNOTATING)
        return True

    def compare_groups(self) -> None:
        matched, gone, come = match_groups(self.readers, self.old.groups, self.new.groups)
        for before, after in matched:
            self.compare_members(before, after)
        for (side, verb), groups in zip(SIDES, (come, gone), strict=True):
            for group in groups:
                self.add(f"keyword-{verb}", side, group.place, f"alternatives were {verb}")

    def compare_members(self, old: Group, new: Group) -> None:
        matched, gone, come = match_members(self.readers, old, new)
        pairs = [Pair(*pair) for pair in matched]
        self.pairs += pairs
        for (side, verb), members in zip(SIDES, (come, gone), strict=True):
            for places in members:
                message = f"the alternative {name_alternative(self.readers[side], places)} was {verb}"
                self.add(f"alternative-{verb}", side, places[0], message)
        before, after = find_overlapping(self.readers["old"], old), find_overlapping(self.readers["new"], new)
        if after and not before:
            message = "what fits several alternatives is ruled out now"
            self.add("alternatives-became-exclusive", "new", new.place, message)
        elif before and not after:
            message = "what fits several alternatives is no longer ruled out"
            self.add("alternatives-became-inclusive", "old", old.place, message)
        elif not (before.isdisjoint(gone) and after.isdisjoint(come)) or any(
            (pair.old in before or pair.new in after) and self.is_changed(pair) for pair in pairs
        ):
            message = "another number of alternatives may fit the same value, and exactly one has to"
            self.add("keyword-changed", "new", new.place, message)

    def is_changed(self, pair: Pair) -> bool:
        """Return whether two schemas accept other values, as far below as they go."""
        pairs = [pair]
        for each in pairs:
            if self.readers["old"].digest(each.old) != self.readers["new"].digest(each.new):
                found, below = compare_schemas(self.readers, each, self.direction, self.done)
                if {difference.rule for difference in found} - HARMLESS:
                    return True
                pairs += [other for other in below if other not in pairs]
        return False
