"""What is cut out of a large contract before the generator reads it."""

import copy
from pathlib import Path
from typing import Any

from tests.spec_diff.support import BASE, write
from tools.contract.document import Contract, read_contract
from tools.contract.operations import list_operations
from tools.spec_diff.python.surface import cut, make_excerpts, read_surface


def make_contract(folder: Path) -> Contract:
    """Return a contract of two operations, whose schemas have a title, are put together, and hold each other."""
    document = copy.deepcopy(BASE)
    text: dict[str, Any] = {"type": "string"}
    document["components"]["schemas"] = {
        "Unused": {"type": "object", "properties": {"text": text}},
        "Thing": {
            "allOf": [
                {"$ref": "#/components/schemas/Common"},
                {"type": "object", "properties": {"owner": {"$ref": "#/components/schemas/Owner"}}},
            ],
        },
        "Owner": {"title": "The Owner", "type": "object", "properties": {"name": text, "size": {"type": "integer"}}},
        "Common": {"type": "object", "required": ["kind"], "properties": {"kind": text}},
    }
    return read_contract(write(folder, document, BASE)[0])


def test_names_of_classes_stay(tmp_path: Path) -> None:
    """Of what does not matter itself, its class is left, under its name; that of a part put in stays as it is."""
    whole = make_contract(tmp_path)
    (get,) = [operation for operation in list_operations(whole) if operation.method == "get"]
    part = cut(whole, {get.pointer, ("components", "schemas", "Thing")})
    assert list(part.document["paths"]["/things/{id}"]) == ["parameters", "get"]
    assert part.document["components"]["schemas"] == {
        "Unused": {"type": "object"},
        "Thing": whole.document["components"]["schemas"]["Thing"],
        "Owner": {"type": "object", "title": "The Owner"},
        "Common": whole.document["components"]["schemas"]["Common"],
    }
    (before, _), (after, _) = map(read_surface, (whole, part))
    assert before.keys() - after.keys() == {"PutThingResponse404"}
    assert before["Thing"] == after["Thing"]
    assert "TheOwner" in after


def test_path_that_is_a_component_is_put_in_its_place(tmp_path: Path) -> None:
    """An operation is found where it really is, and stands where it is called."""
    document = copy.deepcopy(BASE)
    item = document["paths"].pop("/things/{id}")
    document["components"]["pathItems"] = {"Thing": item}
    document["paths"]["/things/{id}"] = {"$ref": "#/components/pathItems/Thing"}
    whole = read_contract(write(tmp_path, document, BASE)[0])
    (put,) = [operation for operation in list_operations(whole) if operation.method == "put"]
    part = cut(whole, {put.pointer})
    assert part.document["paths"] == {"/things/{id}": {"parameters": item["parameters"], "put": item["put"]}}


def test_small_contracts_stay_whole(tmp_path: Path) -> None:
    contract = make_contract(tmp_path)
    assert make_excerpts(contract, contract) == (contract, contract)
