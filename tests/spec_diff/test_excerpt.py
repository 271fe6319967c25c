"""What is cut out of a large contract before a client is generated from it."""

import copy
from pathlib import Path
from typing import Any

from tests.spec_diff.support import BASE, write
from tools.contract.document import Contract, read_contract
from tools.contract.operations import list_operations
from tools.spec_diff.python.clients import generate_clients
from tools.spec_diff.python.excerpt import cut


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
    part = cut(whole, [get.pointer], {("components", "schemas", "Thing")})
    assert list(part.document["paths"]["/things/{id}"]) == ["parameters", "get"]
    assert part.document["components"]["schemas"] == {
        "Thing": whole.document["components"]["schemas"]["Thing"],
        "Owner": {"type": "object", "title": "The Owner"},
        "Common": whole.document["components"]["schemas"]["Common"],
    }
    before, after = generate_clients(whole, part)
    models = [{path.name for path in folder.rglob("models/*.py")} for folder in (before, after)]
    assert models[0] - models[1] == {"unused.py", "put_thing_response_404.py"}
    (thing, excerpt) = (next(folder.rglob("models/thing.py")).read_text("utf-8") for folder in (before, after))
    assert thing == excerpt
    assert "TheOwner" in thing


def test_path_that_is_a_component_is_put_in_its_place(tmp_path: Path) -> None:
    """An operation is found where it really is, and stands where it is called."""
    document = copy.deepcopy(BASE)
    item = document["paths"].pop("/things/{id}")
    document["components"]["pathItems"] = {"Thing": item}
    document["paths"]["/things/{id}"] = {"$ref": "#/components/pathItems/Thing"}
    whole = read_contract(write(tmp_path, document, BASE)[0])
    (put,) = [operation for operation in list_operations(whole) if operation.method == "put"]
    part = cut(whole, [put.pointer], ())
    assert part.document["paths"] == {"/things/{id}": {"parameters": item["parameters"], "put": item["put"]}}
    assert "pathItems" not in part.document["components"]


def test_what_is_wanted_though_nothing_leads_to_it(tmp_path: Path) -> None:
    whole = make_contract(tmp_path)
    part = cut(
        whole,
        [],
        {("components", "schemas", "Owner")},
        [("components", "schemas", "Owner"), ("components", "schemas", "Nobody")],
    )
    assert part.document["paths"] == {}
    assert list(part.document["components"]["schemas"]) == ["Owner"]
    assert part.document["components"]["securitySchemes"] == BASE["components"]["securitySchemes"]
