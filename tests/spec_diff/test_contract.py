"""Changes of a contract as a whole, and facts that several operations share."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.spec_diff.support import BASE, edit, find_changes

Edit = Callable[[Any], Any]
BOTH = "get_thing, put_thing"


def move_path(document: Any, path: str) -> None:
    document["paths"][path] = document["paths"].pop("/things/{id}")


def rename_parameter(document: Any) -> None:
    move_path(document, "/things/{thing}")
    document["paths"]["/things/{thing}"]["parameters"][0]["name"] = "thing"


def add_operation(document: Any) -> None:
    document["paths"]["/more"] = {"get": {"operationId": "get_more", "responses": {"200": {"description": "x"}}}}


def rename_component(document: Any) -> None:
    schemas = document["components"]["schemas"]
    schemas["Sort"] = schemas.pop("Kind")
    for name in ("kind", "other"):
        schemas["Thing"]["properties"][name] = {"$ref": "#/components/schemas/Sort"}


def share_parameter(document: Any) -> None:
    document["paths"]["/things/{id}"]["parameters"].append({"name": "q", "in": "query", "schema": {"type": "string"}})


def inline_answer(document: Any) -> None:
    responses = document["paths"]["/things/{id}"]["get"]["responses"]
    responses["404"] = document["components"]["responses"]["Missing"]


CASES: list[tuple[str, Edit, list[tuple[str, ...]], list[tuple[str, ...]]]] = [
    (
        "operation",
        add_operation,
        [("get_more", "operation-added", "non-breaking", "GET /more was added")],
        [("get_more", "operation-removed", "breaking", "GET /more was removed")],
    ),
    (
        "path moved",
        lambda document: move_path(document, "/v2/{id}"),
        [
            ("get_thing", "operation-moved", "breaking", "GET /things/{id} became GET /v2/{id}"),
            ("put_thing", "operation-moved", "breaking", "PUT /things/{id} became PUT /v2/{id}"),
        ],
        [
            ("get_thing", "operation-moved", "breaking", "GET /v2/{id} became GET /things/{id}"),
            ("put_thing", "operation-moved", "breaking", "PUT /v2/{id} became PUT /things/{id}"),
        ],
    ),
    (
        "path parameter renamed",
        rename_parameter,
        [(BOTH, "path-parameter-renamed", "note", "id became thing")],
        [(BOTH, "path-parameter-renamed", "note", "thing became id")],
    ),
    (
        "operationId",
        lambda document: document["paths"]["/things/{id}"]["get"].update(operationId="fetch_thing"),
        [("fetch_thing", "operationId-changed", "breaking", "operationId get_thing became fetch_thing")],
        [("get_thing", "operationId-changed", "breaking", "operationId fetch_thing became get_thing")],
    ),
    (
        "parameter of a path",
        share_parameter,
        [(BOTH, "parameter-added", "non-breaking", "the optional query parameter q was added")],
        [(BOTH, "parameter-removed", "breaking", "the query parameter q was removed")],
    ),
    (
        "server",
        lambda document: document["servers"].append({"url": "https://b.example"}),
        [(BOTH, "server-added", "non-breaking", "the server https://b.example was added")],
        [(BOTH, "server-removed", "breaking", "the server https://b.example was removed")],
    ),
    (
        "security",
        lambda document: document["security"].append({"bearer": []}),
        [(BOTH, "security-added", "non-breaking", "bearer may be used now")],
        [(BOTH, "security-tightened", "breaking", "bearer does not suffice any more")],
    ),
    (
        "security scheme",
        lambda document: document["components"]["securitySchemes"]["basic"].update(scheme="digest"),
        [(BOTH, "security-scheme-changed", "breaking", "the scheme of the security scheme basic was changed")],
        [(BOTH, "security-scheme-changed", "breaking", "the scheme of the security scheme basic was changed")],
    ),
    (
        "value that is sent and received",
        lambda document: document["components"]["schemas"]["Kind"]["enum"].append("c"),
        [
            (
                BOTH,
                "enum-value-added",
                "breaking",
                'Kind: the value "c" was added (sent: non-breaking, received: breaking)',
            )
        ],
        [
            (
                BOTH,
                "enum-value-removed",
                "breaking",
                'Kind: the value "c" was removed (sent: breaking, received: non-breaking)',
            )
        ],
    ),
    (
        "shared answer",
        lambda document: document["components"]["responses"]["Missing"]["content"]["application/json"]["schema"].update(
            required=["reason"]
        ),
        [(BOTH, "property-became-required", "non-breaking", "Missing: reason became required (received)")],
        [(BOTH, "property-became-optional", "breaking", "Missing: reason became optional (received)")],
    ),
    ("answer inline", inline_answer, [], []),
    ("component renamed", rename_component, [], []),
    (
        "words",
        lambda document: document["info"].update(description="After."),
        [("", "documentation-changed", "note", "the contract: description was changed")],
        [("", "documentation-changed", "note", "the contract: description was changed")],
    ),
    (
        "component that nothing leads to",
        lambda document: document["components"]["schemas"].update(Unused={"type": "string"}),
        [("", "unused-component-changed", "note", "Unused: Unused was added")],
        [("", "unused-component-changed", "note", "Unused: Unused was removed")],
    ),
]


@pytest.mark.parametrize("back", [False, True], ids=["there", "back"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case[0].replace(" ", "-"))
def test_change_of_the_contract(case: Any, back: bool, tmp_path: Path) -> None:
    """A contract that differs in one thing gives one entry for each fact, with the operations that it concerns."""
    _, change, there, return_ = case
    old, new = (edit(change), BASE) if back else (BASE, edit(change))
    changes = find_changes(tmp_path, old, new)
    assert sorted(return_ if back else there) == sorted((c.operation, c.kind, c.level, c.message) for c in changes)


def test_line_is_that_of_the_fact(tmp_path: Path) -> None:
    """What is added has its line in the new contract, what is removed in the old one."""
    old = BASE
    new = edit(lambda document: document["components"]["schemas"]["Kind"].update(enum=["z", "a"]))
    changes = {change.message.split('"')[1]: change for change in find_changes(tmp_path, old, new)}
    files = {side: (tmp_path / f"{side}.json").read_text(encoding="utf-8").splitlines() for side in ("old", "new")}
    assert {name: files[change.side][change.line - 1].strip(' ",') for name, change in changes.items()} == {
        "z": "z",
        "b": "b",
    }
    assert {change.location for change in changes.values()} == {
        "#/components/schemas/Kind/enum/z",
        "#/components/schemas/Kind/enum/b",
    }


def test_read_only_property_is_no_part_of_a_request(tmp_path: Path) -> None:
    """A required property that only answers have breaks no request."""

    def change(document: Any) -> None:
        schema = document["components"]["schemas"]["Thing"]
        schema["required"] = ["kind", "id"]
        schema["properties"]["id"] = {"type": "string", "readOnly": True}

    changes = find_changes(tmp_path, BASE, edit(change))
    assert [(each.kind, each.level, each.operation) for each in changes] == [
        ("required-property-added", "non-breaking", "get_thing")
    ]
