"""The exact difference of two schemas, independent of how they are written."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from functools import cached_property
from itertools import zip_longest

import attrs

from tools.contract.document import Pointer, is_array
from tools.spec_diff.wire import keywords
from tools.spec_diff.wire.keywords import Bound, Child, Direction, Found, Group, Pair, Places, Side, name_value
from tools.spec_diff.wire.places import format_place, name_place
from tools.spec_diff.wire.reading import Key, Readers, match, match_members, name_component
from tools.spec_diff.wire.views import View

SAID = ("default", "format", "pattern")
"""Keywords whose values are named, and which have rules of their own."""
DEFAULT_BOUNDS = {"minContains": Bound(Fraction(1), exclusive=False, place=(), text=None)}
# What takes no value from a schema, nor gives it one.
HARMLESS = {"property-added", "deprecated", "undeprecated", "default-added", "default-changed", "default-removed"}
OTHERS = ("no other properties", "other properties of one schema", "any other properties")
SIDES: tuple[tuple[Side, str], ...] = (("new", "added"), ("old", "removed"))
Compared = tuple[list[Found], list[Pair]]


def compare_schemas(readers: Readers, pair: Pair, direction: Direction, done: dict[Pair, Compared]) -> Compared:
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
    readers: Readers
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
            same = [index for index, value in enumerate(listed) if member in (value, keywords.freeze(value))]
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
        self.compare_children()
        self.compare_required("new", "required", self.new, self.old)
        self.compare_required("old", "optional", self.old, self.new)
        self.compare_additional()

    # Types and values

    def compare_types(self) -> bool:
        """Compare types and null; return whether nothing else is worth comparing."""
        old, new = self.old, self.new
        removed = [name for name in old.types or () if not keywords.covers(new.types, name)]
        added = [name for name in new.types or () if not keywords.covers(old.types, name)]
        message = f"the type {old.list_types()} became {new.list_types()}"
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
                self.add("enum-value-added", "new", here, f"the value {value} was added", name_value(value))
            for value in old.keys() - new.keys():
                self.add("enum-value-removed", "old", there, f"the value {value} was removed", name_value(value))
        elif new is not None:
            message = f"only {', '.join(new)} are allowed now, anything was" if new else "nothing is allowed now"
            self.add("enum-added", "new", here, message)
        elif old is not None:
            message = f"anything is allowed now, only {', '.join(old)} were" if old else "anything is allowed now"
            self.add("enum-removed", "old", there, message)

    # Bounds

    def compare_bounds(self) -> None:
        has_contains = all(("contains", "") in view.children for view in (self.old, self.new))
        for name, sign in keywords.LIMITS.items():
            old, new = (view.limits.get(name, DEFAULT_BOUNDS.get(name)) for view in (self.old, self.new))
            if old == new or (name.endswith("Contains") and not has_contains):
                continue
            is_wider = new is None or (old is not None and old.is_stricter(new, sign))
            is_narrower = old is None or (new is not None and new.is_stricter(old, sign))
            rule = "limit-widened" if is_wider else "limit-narrowed" if is_narrower else "limit-changed"
            message = keywords.describe_words(*(None if each is None else each.text for each in (old, new)))
            if new is not None and new.text is not None:
                self.add(rule, "new", new.place, message)
            elif old is not None:
                self.add(rule, "old", old.place, message)

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
                change = "changed" if is_there else keywords.name_change(name, old, new)
                rule, message = f"keyword-{change}", f"{name} was {change}"
                if name in SAID:
                    rule = f"{name}-{change}"
                    message = keywords.describe_words(keywords.show(name, old), keywords.show(name, new))
                elif name in keywords.FLAG_WORDS:
                    rule, message = keywords.FLAG_WORDS[name][new is None]
                place = before[old] if new is None else after[new]
                self.add(rule, "old" if new is None else "new", place, message)

    # Objects

    @cached_property
    def visible(self) -> set[str]:
        """The properties that exist in this direction, before or after: `access-changed` says what is hidden now."""
        flag = "readOnly" if self.direction == "request" else "writeOnly"
        return {
            name
            for view in (self.old, self.new)
            for name, places in view.properties.items()
            if not view.reader.has_flag(places, flag)
        }

    def compare_required(self, side: Side, word: str, one: View, other: View) -> None:
        # What came or went is told of by itself, and what is hidden does not exist.
        told = one.properties.keys() - other.properties.keys()
        hidden = (one.properties.keys() | other.properties.keys()) - self.visible
        for name in one.required.keys() - other.required.keys() - told - hidden:
            self.add(f"property-became-{word}", side, one.required[name][:-1], f"{name} became {word}", name)

    def say_property(self, name: str, places: Places, side: Side) -> None:
        """Note that a property came or went."""
        required = name in (self.old if side == "old" else self.new).required
        verb, closed = ("added", self.old.closed) if side == "new" else ("removed", False)
        rule = f"property-{verb}-to-closed" if closed else f"property-{verb}"
        if required and (not closed or self.direction == "request"):
            rule = f"required-property-{verb}"
        kind = "" if closed else "required " if required else "optional "
        tail = ", where no other was allowed" if closed else ""
        self.add(rule, side, places[0], f"the {kind}property {name} was {verb}{tail}")
        self.pair_with_rest("properties", places, side)

    def pair_with_rest(self, keyword: str, places: Places, side: Side) -> bool:
        """Compare what came or went with what the other contract says of all that it does not list, if anything."""
        rest = (self.old if side == "new" else self.new).children.get((keywords.RESTS.get(keyword, ""), ""))
        if rest is not None:
            self.pairs.append(Pair(rest, places) if side == "new" else Pair(places, rest))
        return rest is not None

    def compare_additional(self) -> None:
        child = ("additionalProperties", "")
        before, after = (0 if view.closed else 1 if child in view.children else 2 for view in (self.old, self.new))
        if before != after:
            rule = "additional-properties-narrowed" if after < before else "additional-properties-widened"
            self.say(rule, "additionalProperties", f"{OTHERS[before]} became {OTHERS[after]}")

    def compare_children(self) -> None:
        """Compare what is below; a schema there rules something out, and without one anything goes."""
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
            elif child[0] != "properties" or child[1] in self.visible:
                self.pairs.append(Pair(places, new[child]))
        for child, places in new.items():
            if child not in old:
                self.say_child(child, places, "new")

    def say_child(self, child: Child, places: Places, side: Side) -> None:
        """Note that something below a schema came or went."""
        keyword, name = child
        verb, own, opposite = ("added", self.new, self.old) if side == "new" else ("removed", self.old, self.new)
        # What is said of items takes them out of the reach of unevaluatedItems.
        is_freed = keyword in ("items", "prefixItems", "contains") and "unevaluatedItems" in opposite.facets
        rule, message = "keyword-changed" if is_freed else f"keyword-{verb}", f"{keyword} was {verb}"
        if keyword == "additionalProperties":
            return
        if keyword == "properties":
            if name in self.visible:
                self.say_property(name, places, side)
            return
        if keyword == "items":
            message = "items have a schema now" if side == "new" else "items have no schema any more"
        elif keyword == "discriminator":
            # An alternative that came or went is told of by itself.
            if places[0] in own.members and places[0] not in opposite.members:
                return
            rule, message = f"alternative-{verb}", f"the alternative {name} was {verb}"
        elif self.pair_with_rest(keyword, places, side):
            return
        elif keyword == "patternProperties" and opposite.closed:
            rule = f"additional-properties-{'widened' if side == 'new' else 'narrowed'}"
        elif keyword in keywords.RESTS and not is_freed and all(map(self.readers[side].is_anything, places)):
            return
        self.add(rule, side, places[0], message)

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
        self.compare_facets(keywords.ANNOTATING)
        return True

    def compare_groups(self) -> None:
        keys: tuple[Key, ...] = (
            lambda reader, group: (group.keyword, *sorted(map(reader.digest, group.members))),
            lambda _, group: group.keyword,
            lambda _reader, _group: "any",
        )
        matched, gone, come = match(self.readers, keys, self.old.groups, self.new.groups)
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
                reader = self.readers[side]
                name = name_component(reader.locate(places[0])) or reader.read(places).list_types()
                self.add(f"alternative-{verb}", side, places[0], f"the alternative {name} was {verb}")
        before, after = self.readers["old"].find_overlapping(old), self.readers["new"].find_overlapping(new)
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
