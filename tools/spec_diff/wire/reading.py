"""Read schemas into views: what is past `$ref`, in `allOf`, and behind a `oneOf` of one and null, put together."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import attrs

from tools.contract.document import Contract, Pointer, is_array, is_object, parse_reference
from tools.spec_diff.wire.digests import Digests
from tools.spec_diff.wire.views import (
    FLAGS,
    JUDGED_KEYWORDS,
    LIMITS,
    MAPS,
    MAX_LAYERS,
    OPAQUE,
    OPEN,
    SINGLE,
    TEXTS,
    WRAPPING,
    Bound,
    Child,
    Group,
    Places,
    View,
    accepts_own_null,
    freeze,
    is_number,
    join_bounds,
    join_steps,
    join_types,
    list_declared,
    list_values,
    read_bounds,
    read_type,
    round_bound,
)


@attrs.define(eq=False)
class Reader:
    """Reads the schemas of one contract into views, each one once."""

    contract: Contract
    digests: Digests = attrs.field(init=False)
    _views: dict[Places, View] = attrs.field(factory=dict)
    _heirs: dict[Pointer, list[str]] | None = None

    def __attrs_post_init__(self) -> None:
        """Make what tells schemas apart."""
        self.digests = Digests(self.contract, self.locate, JUDGED_KEYWORDS, freeze)

    def locate(self, pointer: Pointer) -> Pointer:
        """Return where a schema really is: past a `$ref` that stands alone."""
        start = pointer
        for _ in range(MAX_LAYERS):
            node = self.contract.at(pointer)
            if not is_object(node) or "$ref" not in node or len(node.keys() & JUDGED_KEYWORDS) > 1:
                return pointer
            pointer = self.contract.follow(pointer)
        raise self.contract.fail(start, "the schema leads back to itself")

    def node(self, pointer: Pointer) -> Mapping[str, Any]:
        """Return a schema as an object; true accepts anything, and false nothing."""
        node = self.contract.at(pointer)
        if isinstance(node, bool):
            return {} if node else {"enum": []}
        if not is_object(node):
            raise self.contract.fail(pointer, "a schema should be an object")
        return node

    def read(self, places: Places) -> View:
        """Return what the schemas at `places` accept together."""
        if places not in self._views:
            layers = _Layers(self)
            for place in places:
                layers.add(place, is_whole=True)
            self._views[places] = _build(self, places, layers)
        return self._views[places]

    def has_flag(self, places: Places, name: str) -> bool:
        """Return whether a flag such as `readOnly` is set; most schemas need not be put together to tell."""
        first, *more = places
        node = self.contract.at(first)
        if not more and is_object(node) and not node.keys() & WRAPPING:
            return node.get(name) is True
        return name in self.read(places).flags

    def digest(self, places: Places) -> str:
        """Return a fingerprint of schemas that hold at once."""
        return " ".join(sorted(map(self.digests.read, places)))

    def members(self, pointer: Pointer, keyword: str) -> list[Pointer]:
        """Return where the members of `allOf`, `oneOf`, `anyOf` or `prefixItems` are."""
        return [(*pointer, keyword, index) for index in range(len(self.contract.get((*pointer, keyword), list)))]

    def is_null(self, pointer: Pointer) -> bool:
        """Return whether null is all that a schema accepts."""
        node = self.node(self.locate(pointer))
        values = list_values(node) or ()
        return list_declared(node) == ["null"] or (bool(values) and all(value is None for value in values))

    def accepts_null(self, pointer: Pointer, seen: frozenset[Pointer] = frozenset()) -> bool:
        """Return whether a schema accepts null."""
        pointer = self.locate(pointer)
        if pointer in seen:
            return True
        node, seen = self.node(pointer), seen | {pointer}
        return (
            accepts_own_null(node)
            and ("$ref" not in node or self.accepts_null(self.contract.follow(pointer), seen))
            and ("allOf" not in node or all(self.accepts_null(each, seen) for each in self.members(pointer, "allOf")))
            and all(
                any(self.accepts_null(each, seen) for each in self.members(pointer, keyword))
                for keyword in ("oneOf", "anyOf")
                if keyword in node
            )
        )

    def list_heirs(self, pointer: Pointer) -> list[str]:
        """Return the names of the components that take in a schema by `allOf`, directly or by way of others."""
        if self._heirs is None:
            self._heirs = {}
            components = self.contract.document.get("components")
            schemas = components.get("schemas") if is_object(components) else None
            for name, node in schemas.items() if is_object(schemas) else ():
                for member in node.get("allOf") or () if is_object(node) and is_array(node.get("allOf")) else ():
                    if is_object(member) and isinstance(member.get("$ref"), str):
                        self._heirs.setdefault(parse_reference(member["$ref"]), []).append(name)
        found: dict[str, None] = {}
        queue = list(self._heirs.get(pointer, ()))
        while queue:
            name = queue.pop(0)
            if name not in found:
                found[name] = None
                queue += self._heirs.get(("components", "schemas", name), ())
        return list(found)


@attrs.define(eq=False)
class _Layers:
    """The schemas that hold at once where one stands: its own, what it refers to, and the members of its `allOf`."""

    reader: Reader
    nodes: dict[Pointer, Mapping[str, Any]] = attrs.field(factory=dict)
    whole: list[Pointer] = attrs.field(factory=list)
    """Those that are the schema itself and not only a part of it."""
    groups: list[Group] = attrs.field(factory=list)
    types: list[tuple[Pointer, frozenset[str]]] = attrs.field(factory=list)
    """Types that alternatives leave, which are nothing but types."""
    nullable: bool = True
    null_place: Pointer | None = None

    def add(self, pointer: Pointer, *, is_whole: bool, exempt: bool = False) -> None:
        """Add a schema and what it takes in; `exempt` when others say whether null is accepted."""
        reader = self.reader
        pointer = reader.locate(pointer)
        if pointer in self.nodes:
            # What holds already holds no more by being said again, also where a schema leads back to itself.
            return
        node = self.nodes[pointer] = reader.node(pointer)
        if len(self.nodes) > MAX_LAYERS:
            raise reader.contract.fail(pointer, f"more than {MAX_LAYERS} schemas are put together here")
        if is_whole:
            self.whole.append(pointer)
        if not exempt:
            self.nullable = self.nullable and accepts_own_null(node)
            key = next((key for key in ("type", "enum", "const", "nullable") if key in node), None)
            if key is not None and self.null_place is None:
                self.null_place = (*pointer, key)
        if "$ref" in node:
            self.add(reader.contract.follow(pointer), is_whole=False, exempt=exempt)
        members = reader.members(pointer, "allOf") if "allOf" in node else []
        alone = len(members) == 1 and node.keys() & JUDGED_KEYWORDS == {"allOf"}
        for member in members:
            self.add(member, is_whole=is_whole and alone, exempt=exempt)
        for keyword in ("oneOf", "anyOf"):
            if keyword in node:
                self.add_group(pointer, keyword, is_whole=is_whole, exempt=exempt)

    def add_group(self, pointer: Pointer, keyword: str, *, is_whole: bool, exempt: bool) -> None:
        """Add the members of `oneOf` or `anyOf`, of which null is no member but a property."""
        members, place = self.reader.members(pointer, keyword), (*pointer, keyword)
        rest = [member for member in members if not self.reader.is_null(member)]
        if not exempt:
            self.nullable = self.nullable and any(map(self.reader.accepts_null, members))
            if self.null_place is None or len(rest) < len(members):
                self.null_place = place
        if len(rest) == 1:
            self.add(rest[0], is_whole=is_whole, exempt=True)
            return
        types = [self.read_types(member) for member in rest]
        named = [name for each in types if each is not None for name in each]
        is_plain = all(types) and (
            keyword == "anyOf" or (len({*named}) == len(named) and not {"integer", "number"} <= {*named})
        )
        if is_plain or not rest:
            self.types.append((place, frozenset(named)))
        else:
            self.groups.append(Group(keyword, place, tuple((member,) for member in rest)))

    def read_types(self, pointer: Pointer) -> frozenset[str] | None:
        """Return the types of a schema that says nothing but these."""
        node = self.reader.node(self.reader.locate(pointer))
        if node.keys() & JUDGED_KEYWORDS - {"nullable"} != {"type"}:
            return None
        return frozenset(list_declared(node) or ()) - {"null"}


@attrs.define(eq=False)
class _Merged:
    """What the keywords of several schemas come to."""

    reader: Reader
    layers: _Layers
    types: frozenset[str] | None = None
    values: dict[str, Any] | None = None
    required: dict[str, Pointer] = attrs.field(factory=dict)
    flags: set[str] = attrs.field(factory=set)
    limits: dict[str, Any] = attrs.field(factory=dict)
    step: Fraction | None = None
    places: dict[str, Pointer] = attrs.field(factory=dict)
    facets: dict[str, dict[str, Pointer]] = attrs.field(factory=dict)
    children: dict[Child, list[Pointer]] = attrs.field(factory=dict)

    def add_all(self) -> None:
        """Add what each of the schemas says."""
        for place, named in self.layers.types:
            self.types = join_types(self.types, named)
            self.places["type"] = place
        for pointer, node in self.layers.nodes.items():
            for key in node:
                if key in JUDGED_KEYWORDS:
                    self.places.setdefault(key, (*pointer, key))
            self.add_values(node)
            self.add_bounds(pointer, node)
            self.add_facets(pointer, node)
            self.add_below(pointer, node)
            self.add_conditions(pointer, node)
            if is_object(node.get("discriminator")):
                self.add_discriminator(pointer, node)
        self.settle_contains()

    def add_values(self, node: Mapping[str, Any]) -> None:
        declared = list_declared(node)
        self.types = join_types(self.types, None if declared is None else frozenset(declared) - {"null"})
        listed = list_values(node)
        if listed is not None:
            own = {freeze(value): value for value in listed if value is not None}
            known = self.values
            self.values = own if known is None else {key: value for key, value in known.items() if key in own}
        self.flags |= {name for name in FLAGS if node.get(name) is True}

    def add_bounds(self, pointer: Pointer, node: Mapping[str, Any]) -> None:
        for name, sign in LIMITS.items():
            bound: Any = node.get(name)
            if is_number(bound) and (name not in self.limits or (bound - self.limits[name]) * sign > 0):
                self.limits[name], self.places[name] = bound, (*pointer, name)
        multiple: Any = node.get("multipleOf")
        if is_number(multiple) and multiple > 0:
            own = Fraction(str(multiple))
            self.step = own if self.step is None else join_steps(self.step, own)

    def add_facet(self, keyword: str, text: str, place: Pointer) -> None:
        self.facets.setdefault(keyword, {}).setdefault(text, place)

    def add_facets(self, pointer: Pointer, node: Mapping[str, Any]) -> None:
        for keyword in node.keys() & {*TEXTS}:
            self.add_facet(keyword, freeze(node[keyword]), (*pointer, keyword))
        for keyword in node.keys() & {*OPAQUE}:
            value = node[keyword]
            if not (value is True or (keyword != "not" and value == {}) or (keyword == OPEN and value is False)):
                self.add_facet(keyword, self.reader.digests.read((*pointer, keyword)), (*pointer, keyword))
        for name, others in self.get(pointer, node, "dependentRequired").items():
            for other in others if is_array(others) else ():
                self.add_facet("dependentRequired", f"{name} {other}", (*pointer, "dependentRequired"))

    def get(self, pointer: Pointer, node: Mapping[str, Any], keyword: str) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.reader.contract.get((*pointer, keyword), dict) if keyword in node else {}
        return found

    def add_child(self, keyword: str, name: str, place: Pointer) -> None:
        node = self.reader.contract.at(place)
        # A listed property counts though it may be anything.
        is_anything = node is True or (is_object(node) and not node.keys() & JUDGED_KEYWORDS)
        if keyword == "properties" or not is_anything:
            self.children.setdefault((keyword, name), []).append(place)

    def add_below(self, pointer: Pointer, node: Mapping[str, Any]) -> None:
        for index, name in enumerate(
            self.reader.contract.get((*pointer, "required"), list) if "required" in node else ()
        ):
            self.required.setdefault(str(name), (*pointer, "required", index))
        for keyword in MAPS:
            for name in self.get(pointer, node, keyword):
                self.add_child(keyword, name, (*pointer, keyword, name))
        for keyword in node.keys() & {*SINGLE}:
            if is_object(node[keyword]) or (keyword != "additionalProperties" and node[keyword] is False):
                self.add_child(keyword, "", (*pointer, keyword))
        for place in self.reader.members(pointer, "prefixItems") if "prefixItems" in node else ():
            self.add_child("prefixItems", str(place[-1]), place)

    def add_conditions(self, pointer: Pointer, node: Mapping[str, Any]) -> None:
        digest = self.reader.digests.read
        if "if" in node:
            condition = digest((*pointer, "if"))
            for keyword in node.keys() & {"then", "else"}:
                self.add_child(keyword, condition, (*pointer, keyword))
        if "contains" in node:
            if sum("contains" in each for each in self.layers.nodes.values()) == 1:
                self.add_child("contains", "", (*pointer, "contains"))
            else:
                bounds = [node.get("minContains"), node.get("maxContains")]
                self.add_facet("contains", freeze([digest((*pointer, "contains")), *bounds]), (*pointer, "contains"))

    def settle_contains(self) -> None:
        """Leave of the bounds of `contains` what means something."""
        if ("contains", "") not in self.children:
            self.limits.pop("minContains", None)
            self.limits.pop("maxContains", None)
        elif self.limits.get("minContains") == 1:
            del self.limits["minContains"]

    def add_discriminator(self, pointer: Pointer, node: Mapping[str, Any]) -> None:
        """Add the schemas that a discriminator leads to, by the value that stands for each."""
        reader, place, discriminator = self.reader, (*pointer, "discriminator"), node["discriminator"]
        self.add_facet("discriminator", freeze(discriminator.get("propertyName")), place)
        if pointer not in self.layers.whole:
            return
        leads: dict[str, Pointer] = {}
        mapping = discriminator.get("mapping")
        for value, target in mapping.items() if is_object(mapping) else ():
            text = str(target)
            leads[str(value)] = parse_reference(text) if text.startswith("#") else ("components", "schemas", text)
        members = [
            each for keyword in ("oneOf", "anyOf") if keyword in node for each in reader.members(pointer, keyword)
        ]
        targets = [reader.locate(each) for each in members]
        targets += [] if members else [("components", "schemas", name) for name in reader.list_heirs(pointer)]
        for target in targets:
            if target[:2] == ("components", "schemas") and len(target) == 3 and target not in leads.values():
                leads[str(target[2])] = target
        for value, target in leads.items():
            if reader.contract.has(target):
                self.children.setdefault(("discriminator", value), []).append(target)
            else:
                self.add_facet("discriminator", f"{value} {target}", place)

    def find_closed(self) -> bool:
        """Return whether other properties are ruled out, and note of each schema that does so which ones it knows."""
        nodes = self.layers.nodes
        closed = [(pointer, node) for pointer, node in nodes.items() if node.get("additionalProperties") is False]
        names = {name for keyword, name in self.children if keyword == "properties"}
        for pointer, node in closed:
            own = set(self.get(pointer, node, "properties"))
            if own != names:
                self.add_facet("additionalProperties", freeze(sorted(own)), (*pointer, "additionalProperties"))
        return bool(closed) or any(node.get(OPEN) is False for node in nodes.values())

    def find_bound(self, inclusive: str, exclusive: str, sign: int) -> Bound | None:
        """Return the strictest bound on one side."""
        result: Bound | None = None
        for pointer, node in self.layers.nodes.items():
            for bound in read_bounds(pointer, node, inclusive, exclusive):
                own = round_bound(bound, sign) if self.types is not None and "integer" in self.types else bound
                result = join_bounds(result, own, sign)
        return result

    def find_place(self) -> Pointer:
        """Return where the schema is that says something; a wrapper that does not is what it wraps."""
        grouped = {group.place[:-1] for group in self.layers.groups}
        own = JUDGED_KEYWORDS - WRAPPING
        nodes = self.layers.nodes
        saying = (pointer for pointer, node in nodes.items() if pointer in grouped or node.keys() & own)
        return next(saying, next(iter(nodes)))


def _build(reader: Reader, origin: Places, layers: _Layers) -> View:
    """Return what schemas that hold at once accept."""
    merged = _Merged(reader, layers)
    merged.add_all()
    values, nullable, derived = merged.values, layers.nullable, False
    if values is not None and not values and nullable:
        merged.types, values = frozenset(), None
    elif values is not None and merged.types is None:
        merged.types, derived = frozenset(map(read_type, values.values())), True
    if merged.types is not None and "number" in merged.types:
        merged.types -= {"integer"}
    closed = merged.find_closed()
    nodes = layers.nodes
    return View(
        place=merged.find_place(),
        origin=origin,
        sources=tuple(nodes),
        types=merged.types,
        derived=derived,
        nullable=nullable,
        null_place=layers.null_place or next(iter(nodes)),
        values=None if values is None else tuple(values),
        required=merged.required,
        children={child: tuple(dict.fromkeys(found)) for child, found in merged.children.items()},
        closed=closed,
        groups=tuple(layers.groups),
        lower=merged.find_bound("minimum", "exclusiveMinimum", 1),
        upper=merged.find_bound("maximum", "exclusiveMaximum", -1),
        # A bound of 0 from below is none.
        limits={
            name: bound for name, bound in merged.limits.items() if LIMITS[name] < 0 or bound or name[3:] == "Contains"
        },
        facets=merged.facets,
        flags=frozenset(merged.flags),
        step=merged.step,
        default=next((freeze(node["default"]) for node in nodes.values() if "default" in node), None),
        places=merged.places,
    )
