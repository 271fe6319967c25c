"""Compare many pairs at once: all halves stand side by side in two contracts, each pair in operations of its own."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.spec_diff.rules.kinds import Kind
from tests.spec_diff.support import write
from tools.contract.document import read_contract
from tools.spec_diff.compare import compare_wire
from tools.spec_diff.policy import read_policy
from tools.spec_diff.report import Change

OK = {"description": "ok"}
PREFIX = "#/components/schemas/"
SCHEMES = {
    "basic": {"type": "http", "scheme": "basic"},
    "bearer": {"type": "http", "scheme": "bearer"},
    "oauth": {
        "type": "oauth2",
        "flows": {"clientCredentials": {"tokenUrl": "https://t.example", "scopes": {"r": "r", "w": "w"}}},
    },
}
# A name, and an operation of the old and of the new contract.
Pair = tuple[str, Mapping[str, Any] | None, Mapping[str, Any] | None]


def place_schema(place: str, schema: Any) -> dict[str, Any]:
    """Return an operation that has a schema at a place."""
    if place.endswith("-property"):
        schema = {"type": "object", "properties": {"p": schema}}
    holder, media = place.removesuffix("-property"), {"application/json": {"schema": schema}}
    if holder in ("request-body", "request"):
        return {"requestBody": {"required": True, "content": media}, "responses": {"200": OK}}
    if holder == "request-parameter":
        return {"parameters": [{"name": "q", "in": "query", "content": media}], "responses": {"200": OK}}
    if holder == "response-header":
        return {"responses": {"200": {**OK, "headers": {"X-A": {"content": media}}}}}
    return {"responses": {"200": {**OK, "content": media}}}


def make_documents(pairs: Sequence[Pair], schemas: Sequence[Mapping[str, Any]] = ({}, {})) -> list[dict[str, Any]]:
    """Return two contracts that hold the halves of pairs; a half that is None has no operation."""
    documents: list[dict[str, Any]] = []
    for side in (0, 1):
        paths = {}
        for index, (_, *halves) in enumerate(pairs):
            half = halves[side]
            if half is not None:
                in_path = any(each["in"] == "path" for each in half.get("parameters", ()))
                paths[f"/p{index}/{{q}}" if in_path else f"/p{index}"] = {
                    "post": {"operationId": f"op_{index}", **half}
                }
        components = {"schemas": schemas[side], "securitySchemes": SCHEMES}
        info = {"title": "Pairs", "version": "1.0.0"}
        documents.append({"openapi": "3.1.1", "info": info, "paths": paths, "components": components})
    return documents


def compare_all(pairs: Sequence[Pair], schemas: Sequence[Mapping[str, Any]] = ({}, {})) -> dict[str, list[Change]]:
    """Return the changes of each pair of operations, by the name of the pair."""
    with TemporaryDirectory() as name:
        paths = write(Path(name), *make_documents(pairs, schemas))
        changes = compare_wire(*map(read_contract, paths), read_policy())
    found: dict[str, list[Change]] = {name: [] for name, *_ in pairs}
    names = {
        half.get("operationId", f"op_{index}"): name
        for index, (name, *halves) in enumerate(pairs)
        for half in halves
        if half is not None
    }
    for change in changes:
        for operation in change.operation.split(", ") if change.operation else ():
            # A callback belongs to the operation that has it.
            found[names[operation.rpartition(" ")[2]]].append(change)
    return found


def judge(changes: Sequence[Change]) -> str:
    """Return the letter for some changes."""
    return "B" if any(change.level == "breaking" for change in changes) else "n" if changes else "-"


def list_kinds(kinds: Sequence[Kind], *, back: bool) -> tuple[list[Pair], list[dict[str, Any]]]:
    """Return the pairs of operations that send and receive each kind, and the components of both contracts."""
    pairs: list[Pair] = []
    schemas: list[dict[str, Any]] = [{}, {}]
    for index, each in enumerate(kinds):
        for way, place in (("sent", "request-body"), ("received", "response-body")):
            prefix, names = f"{way}{index}_", {*each.schemas[0], *each.schemas[1]}
            old, new = (place_schema(place, rename(half, prefix, names)) for half in (each.old, each.new))
            pairs.append((f"{way} {each.name}", new, old) if back else (f"{way} {each.name}", old, new))
            for side, own in enumerate(reversed(each.schemas) if back else each.schemas):
                schemas[side] |= {prefix + name: rename(schema, prefix, names) for name, schema in own.items()}
    return pairs, schemas


def compare_kinds(kinds: Sequence[Kind], *, back: bool) -> dict[tuple[str, str], list[Change]]:
    """Return the changes of each kind, by its name and whether it is sent or received."""
    found = compare_all(*list_kinds(kinds, back=back))
    return {(name.partition(" ")[2], name.partition(" ")[0]): changes for name, changes in found.items()}


def rename(value: Any, prefix: str, names: set[str]) -> Any:
    """Return a schema whose components have names of their own."""
    if isinstance(value, dict):
        return {
            prefix + key if key in names and key[:1].isupper() else key: rename(child, prefix, names)
            for key, child in value.items()
        }
    if isinstance(value, list):
        return [rename(child, prefix, names) for child in value]
    if isinstance(value, str) and value.startswith(PREFIX):
        return PREFIX + prefix + value.removeprefix(PREFIX)
    return (
        prefix + value
        if isinstance(value, str) and value in names and value[:1].isupper()
        else json.loads(json.dumps(value))
    )
