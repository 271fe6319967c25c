"""Changes of a contract as a whole, and facts that several operations share."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.spec_diff.support import BASE, edit, find_changes, write
from tools.contract.document import read_contract
from tools.spec_diff.policy import read_policy
from tools.spec_diff.report import Change
from tools.spec_diff.wire.operations import compare

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


def rename_scheme(document: Any) -> None:
    schemes = document["components"]["securitySchemes"]
    schemes["other"] = schemes.pop("basic")
    document["security"] = [{"other": []}]


def add_oauth(document: Any, **scopes: str) -> None:
    flows = {"implicit": {"authorizationUrl": "https://a.example", "scopes": scopes}}
    document["components"]["securitySchemes"]["oauth"] = {"type": "oauth2", "flows": flows}
    document["security"].append({"oauth": ["read"]})


def add_webhook(document: Any) -> None:
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Kind"}}}
    document["webhooks"] = {"done": {"post": {"requestBody": {"content": content}, "responses": {}}}}


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
    (
        "scheme renamed",
        rename_scheme,
        [],
        [],
    ),
    (
        "scope of a scheme",
        lambda document: add_oauth(document, read="all of it", write="it"),
        [
            (BOTH, "security-added", "non-breaking", "oauth (read) may be used now"),
        ],
        [
            (BOTH, "security-tightened", "breaking", "oauth (read) does not suffice any more"),
        ],
    ),
    (
        "webhook",
        add_webhook,
        [("POST webhook done", "operation-added", "non-breaking", "POST webhook done was added")],
        [("POST webhook done", "operation-removed", "breaking", "POST webhook done was removed")],
    ),
    ("slash after a server", lambda document: document["servers"][0].update(url="https://a.example/"), [], []),
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


SEEN_BY_REDOCLY = ("words", "component that nothing leads to")
"""What no walk finds, so that Redocly has to be asked, which is a process."""


def walk_alone(folder: Path, old: Any, new: Any) -> list[Change]:
    """Return the changes that are found without Redocly, which is a process."""
    changes = compare(*map(read_contract, write(folder, old, new)), list)
    return [*map(read_policy().judge, changes)]


@pytest.mark.parametrize("back", [False, True], ids=["there", "back"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case[0].replace(" ", "-"))
def test_change_of_the_contract(case: Any, back: bool, tmp_path: Path) -> None:
    """A contract that differs in one thing gives one entry for each fact, with the operations that it concerns."""
    name, change, there, return_ = case
    old, new = (edit(change), BASE) if back else (BASE, edit(change))
    changes = (find_changes if name in SEEN_BY_REDOCLY else walk_alone)(tmp_path, old, new)
    assert sorted(return_ if back else there) == sorted((c.operation, c.kind, c.level, c.message) for c in changes)


def test_line_is_that_of_the_fact(tmp_path: Path) -> None:
    """What is added has its line in the new contract, what is removed in the old one."""
    old = BASE
    new = edit(lambda document: document["components"]["schemas"]["Kind"].update(enum=["z", "a"]))
    changes = {change.message.split('"')[1]: change for change in walk_alone(tmp_path, old, new)}
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

    changes = walk_alone(tmp_path, BASE, edit(change))
    assert [(each.kind, each.level, each.operation) for each in changes] == [
        ("required-property-added", "non-breaking", "get_thing")
    ]


def test_what_a_webhook_shares_is_received(tmp_path: Path) -> None:
    """A value that is sent by us alone may be added, and not where the service sends it too."""

    def send_kind(document: Any) -> None:
        del document["paths"]["/things/{id}"]["get"]
        content = {"application/json": {"schema": {"$ref": "#/components/schemas/Kind"}}}
        document["paths"]["/things/{id}"]["put"]["requestBody"] = {"content": content}

    def add_value(document: Any) -> None:
        send_kind(document)
        document["components"]["schemas"]["Kind"]["enum"].append("c")

    def compare_both(*changes: Edit) -> list[tuple[str, str]]:
        documents = [edit(lambda document, own=own: [change(document) for change in own]) for own in changes]
        return [(change.operation, change.level) for change in walk_alone(tmp_path, *documents)]

    assert compare_both((send_kind,), (add_value,)) == [("put_thing", "non-breaking")]
    assert compare_both((send_kind, add_webhook), (add_value, add_webhook)) == [
        ("put_thing, POST webhook done", "breaking")
    ]


def test_scopes_of_a_scheme_that_is_used(tmp_path: Path) -> None:
    """A description is words, a scope more is something new, and one that went cannot be asked for any more."""
    scopes: list[dict[str, str]] = [{"read": "r"}, {"read": "all"}, {"read": "r", "write": "w"}]
    documents = [edit(lambda document, own=own: add_oauth(document, **own)) for own in scopes]

    def compare_two(old: int, new: int) -> list[tuple[str, str]]:
        return [(change.kind, change.level) for change in walk_alone(tmp_path, documents[old], documents[new])]

    assert compare_two(0, 1) == [("documentation-changed", "note")]
    assert compare_two(0, 2) == [("security-scheme-extended", "non-breaking")]
    assert compare_two(2, 0) == [("security-scheme-changed", "breaking")]


def test_scheme_that_is_still_asked_for_and_no_longer_there(tmp_path: Path) -> None:
    """How to authenticate is not said any more."""

    def remove(document: Any) -> None:
        del document["components"]["securitySchemes"]["basic"]

    assert judge_edits(tmp_path, lambda _: None, remove) == [(BOTH, "security-scheme-changed", "breaking")]
    restored = judge_edits(tmp_path, remove, lambda document: document["components"].update(BASE["components"]))
    assert restored == [(BOTH, "security-scheme-extended", "non-breaking")]


def test_component_that_goes_with_its_user_is_no_second_fact(tmp_path: Path) -> None:
    """What led to it has been told of with all that it says."""

    def use(document: Any) -> None:
        parameter = {"name": "q", "in": "query", "schema": {"type": "string"}}
        document["components"]["parameters"] = {"Q": parameter}
        document["paths"]["/things/{id}"]["parameters"].append({"$ref": "#/components/parameters/Q"})

    changes = find_changes(tmp_path, edit(use), BASE)
    assert [(change.kind, change.level) for change in changes] == [("parameter-removed", "breaking")]


def test_tag_is_named(tmp_path: Path) -> None:
    """Not by its number in the list."""
    changes = find_changes(tmp_path, BASE, edit(lambda document: document["tags"].append({"name": "more"})))
    assert [(change.kind, change.message) for change in changes] == [
        ("documentation-changed", "the tag more was added")
    ]


def judge_edits(folder: Path, base: Edit, change: Edit) -> list[tuple[str, str, str]]:
    """Return what a change of an edited contract gives: operation, kind and level."""
    old = edit(base)
    new = copy.deepcopy(old)
    change(new)
    return [(change.operation, change.kind, change.level) for change in walk_alone(folder, old, new)]


@pytest.mark.parametrize("in_component", [False, True])
def test_reference_into_a_path_is_followed(in_component: bool, tmp_path: Path) -> None:
    """What one operation answers and another one is sent is judged in both directions."""
    target = {"$ref": "#/paths/~1things~1{id}/get/responses/200/content/application~1json/schema"}
    schema = {"type": "object", "properties": {"of": target}}

    def refer(document: Any) -> None:
        if in_component:
            document["components"]["schemas"]["Holder"] = schema
        own = {"$ref": "#/components/schemas/Holder"} if in_component else schema
        path = document["paths"]["/things/{id}"]
        path["put"]["requestBody"]["content"] = {"application/json": {"schema": own}}
        answer = {"type": "string", "enum": ["a", "b"]}
        path["get"]["responses"]["200"]["content"]["application/json"]["schema"] = answer

    def remove_value(document: Any) -> None:
        answer = document["paths"]["/things/{id}"]["get"]["responses"]["200"]
        answer["content"]["application/json"]["schema"]["enum"].pop()

    assert judge_edits(tmp_path, refer, remove_value) == [(BOTH, "enum-value-removed", "breaking")]


def test_paths_that_differ_by_the_names_of_parameters_alone(tmp_path: Path) -> None:
    """Each is compared with itself."""

    def add_paths(document: Any) -> None:
        for name in ("a", "b"):
            own = {"operationId": f"get_{name}", "responses": {"200": {"description": "x"}}}
            document["paths"][f"/x/{{{name}}}"] = {"get": own}

    def demand(document: Any) -> None:
        parameter = {"name": "q", "in": "query", "required": True, "schema": {"type": "string"}}
        document["paths"]["/x/{a}"]["get"]["parameters"] = [parameter]

    assert judge_edits(tmp_path, add_paths, demand) == [("get_a", "required-parameter-added", "breaking")]


@pytest.mark.parametrize(
    ("change", "kinds"),
    [
        # What OpenAPI 3.0 passes over holds from 3.1 on.
        (
            lambda document: document.update(openapi="3.1.1"),
            {"openapi-changed", "enum-value-removed", "keyword-removed"},
        ),
        (
            lambda document: document["components"]["schemas"]["Thing"]["properties"]["other"].update(enum=["b"]),
            {"keyword-changed"},
        ),
    ],
)
def test_what_stands_beside_a_reference(change: Edit, kinds: set[str], tmp_path: Path) -> None:
    """It means nothing to OpenAPI 3.0, and who changes it is told all the same."""

    def write_30(document: Any) -> None:
        document["openapi"] = "3.0.3"
        document["components"]["schemas"]["Thing"]["properties"]["other"]["enum"] = ["a"]

    assert {kind for _, kind, _ in judge_edits(tmp_path, write_30, change)} == kinds


def test_extension_among_paths_is_no_path(tmp_path: Path) -> None:
    """Its value may be anything."""
    assert judge_edits(tmp_path, lambda document: document["paths"].update({"x-a": 1}), lambda _: None) == []


@pytest.mark.parametrize(("key", "values"), [("example", [{"a": 1}, {"a": 2}]), ("x-a", [["a"], ["b"]])])
def test_contracts_that_differ_only_in_what_redocly_does_not_look_into(key: str, values: Any, tmp_path: Path) -> None:
    """Of examples and extensions that are objects or lists it is said that they changed, and not that nothing did."""
    documents = [
        BASE,
        *(
            edit(lambda document, own=own: document["components"]["schemas"]["Kind"].update({key: own}))
            for own in values
        ),
    ]
    for old, new, verb in ((0, 1, "added"), (1, 2, "changed"), (2, 0, "removed")):
        changes = walk_alone(tmp_path, documents[old], documents[new])
        assert [(change.kind, change.message) for change in changes] == [
            ("documentation-changed", f"Kind: {key} was {verb}")
        ]


THING = ("paths", "/things/{id}")
OK = (*THING, "get", "responses", "200")


@pytest.mark.parametrize(
    ("place", "key", "name"),
    [
        ((*THING, "get"), "requestbody", "GET /things/{id}"),
        (THING, "gett", "path /things/{id}"),
        ((*THING, "parameters", 0), "Schema", "parameter id"),
        ((*THING, "put", "requestBody"), "contents", "body"),
        (OK, "header", "answer 200"),
        ((*OK, "content", "application/json"), "schemas", "answer 200"),
        (("components",), "schema", "the contract"),
        (("servers", 0), "variable", "the contract"),
        ((), "webhook", "the contract"),
        ((), "info-more", "the contract"),
    ],
)
def test_what_stands_under_an_unknown_key_is_told(place: tuple[Any, ...], key: str, name: str, tmp_path: Path) -> None:
    """A key that is misspelt means nothing to programs, and the person who wrote it meant something."""

    def put(value: Any) -> Edit:
        def change(document: Any) -> None:
            for step in place:
                document = document[step]
            document[key] = value

        return change

    documents = [BASE, edit(put({"a": {}})), edit(put([{"b": 1}])), edit(put(["c"]))]
    for old, new in ((0, 1), (1, 2), (2, 3), (3, 0)):
        changes = find_changes(tmp_path, documents[old], documents[new])
        assert [(change.kind, change.message) for change in changes] == [
            ("other-changed", f"{name}: {key} was changed")
        ]
