"""Single changes of a contract, there and back, in requests and in answers: which level and which text each one has.

All changes of a kind stand side by side in one pair of contracts, since starting Redocly takes longer than all else.
"""

import json
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from tests.spec_diff.cases import COMPONENTS, OPERATION_CASES, SCHEMA_CASES, OperationCase, SchemaCase
from tools.contract.document import read_contract
from tools.spec_diff.compare import compare_wire
from tools.spec_diff.policy import read_policy
from tools.spec_diff.report import Change

# Words and deprecation are the same to both sides.
UNDIRECTED = ("documentation-changed", "deprecated", "undeprecated")
SCHEMES = {
    "basic": {"type": "http", "scheme": "basic"},
    "bearer": {"type": "http", "scheme": "bearer"},
    "oauth": {
        "type": "oauth2",
        "flows": {"clientCredentials": {"tokenUrl": "https://t.example", "scopes": {"read": "r", "write": "w"}}},
    },
}


def make_contract(side: int) -> dict[str, Any]:
    """Return the contract that holds the old (0) or the new (1) half of every case."""
    paths: dict[str, Any] = {}
    schemas = dict(COMPONENTS)
    for index, case in enumerate(SCHEMA_CASES):
        content = {"application/json": {"schema": (case.old, case.new)[side]}}
        ok = {"description": "ok"}
        paths[f"/schema-{index}"] = {
            "post": {
                "operationId": f"sent_{index}",
                "requestBody": {"required": True, "content": content},
                "responses": {"200": ok},
            },
            "get": {"operationId": f"received_{index}", "responses": {"200": {**ok, "content": content}}},
        }
        schemas |= case.components[side]
    for index, each in enumerate(OPERATION_CASES):
        operation = (each.old, each.new)[side]
        paths[f"/operation-{index}"] = {"post": {"operationId": f"operation_{index}", **operation}}
    return {
        "openapi": "3.1.1",
        "info": {"title": "Cases", "version": "1.0.0"},
        "servers": [{"url": "https://a.example"}],
        "security": [{"basic": []}],
        "paths": paths,
        "components": {"schemas": schemas, "securitySchemes": SCHEMES},
    }


@cache
def compare_cases(*, back: bool) -> dict[str, list[Change]]:
    """Return the changes of each operation; those of several are listed under each."""
    documents = [make_contract(0), make_contract(1)]
    with TemporaryDirectory() as name:
        paths = [Path(name) / "old.json", Path(name) / "new.json"]
        for path, document in zip(paths, reversed(documents) if back else documents, strict=True):
            path.write_text(json.dumps(document), encoding="utf-8")
        changes = compare_wire(*map(read_contract, paths), read_policy())
    result: dict[str, list[Change]] = {}
    for change in changes:
        for operation in change.operation.split(", "):
            result.setdefault(operation, []).append(change)
    return result


def find_changes(operation: str, *, back: bool) -> list[tuple[str, str, str]]:
    return sorted((each.kind, each.level, each.message) for each in compare_cases(back=back).get(operation, []))


@pytest.mark.parametrize("case", SCHEMA_CASES, ids=lambda case: case.name.replace(" ", "-"))
def test_change_of_a_schema(case: SchemaCase) -> None:
    """A schema that differs by one keyword gives exactly these changes, there and back, sent and received."""
    index = SCHEMA_CASES.index(case)
    for way, subject in (("sent", "body"), ("received", "answer 200")):
        # A component is one fact, whichever direction one looks from.
        suffix = way if case.components == ({}, {}) else "sent and received"
        for back, own in ((False, case.there), (True, case.back)):
            expected = sorted(
                (
                    kind,
                    levels[way == "received"],
                    text.replace("{}", subject) + ("" if kind in UNDIRECTED else f" ({suffix})"),
                )
                for kind, levels, text in own
            )
            assert expected == find_changes(f"{way}_{index}", back=back)


@pytest.mark.parametrize("case", OPERATION_CASES, ids=lambda case: case.name.replace(" ", "-"))
def test_change_of_an_operation(case: OperationCase) -> None:
    """An operation that differs in one thing gives exactly these changes, there and back."""
    index = OPERATION_CASES.index(case)
    for back, own in ((False, case.there), (True, case.back)):
        expected = sorted((kind, level, text.replace("{}", f"POST /operation-{index}")) for kind, level, text in own)
        assert expected == find_changes(f"operation_{index}", back=back)


@pytest.mark.parametrize("back", [False, True], ids=["there", "back"])
def test_no_change_is_outside_of_the_cases(back: bool) -> None:
    """Whatever is found belongs to a case: nothing is said of what did not change."""
    names = {f"{word}_{index}" for word in ("sent", "received") for index in range(len(SCHEMA_CASES))}
    names |= {f"operation_{index}" for index in range(len(OPERATION_CASES))}
    assert {name: changes for name, changes in compare_cases(back=back).items() if name not in names} == {}


def test_there_are_enough_cases() -> None:
    """The suite covers what the contract uses, and what a near future one would."""
    assert len(SCHEMA_CASES) + len(OPERATION_CASES) >= 100
    assert len({case.name for case in [*SCHEMA_CASES, *OPERATION_CASES]}) == len(SCHEMA_CASES) + len(OPERATION_CASES)
