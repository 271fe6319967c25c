"""The check of what the client relies on in the contract: each rule catches what it is for, and nothing else."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tools.contract.check import check, main
from tools.contract.document import Contract, UnreadableError
from tools.project import ROOT


def make_contract(schema: dict[str, Any], **schemas: Any) -> Contract:
    """Return a contract whose one operation answers with `schema`."""
    content = {"application/json": {"schema": schema}}
    operation = {"operationId": "get_thing", "responses": {"200": {"description": "A thing.", "content": content}}}
    document = {"openapi": "3.1.1", "paths": {"/thing": {"get": operation}}, "components": {"schemas": schemas}}
    return Contract("contract", document)


def messages(contract: Contract) -> list[str]:
    return [finding.message for finding in check(contract)]


def answer_of(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": ["id"], "properties": properties}


def test_contract_of_this_project_passes(capsys: pytest.CaptureFixture[str]) -> None:
    """The contract holds what its client relies on."""
    assert main([str(ROOT / "openapi.yaml")]) == 0
    assert "holds" in capsys.readouterr().out


@pytest.mark.parametrize(
    "schema",
    [
        {"type": ["string", "null"]},
        {},
        {"description": "anything"},
        {"oneOf": [{"$ref": "#/components/schemas/Other"}, {"type": "null"}]},
        {"enum": ["a", None]},
        {"$ref": "#/components/schemas/Nullable"},
    ],
)
def test_optional_property_that_accepts_null_passes(schema: dict[str, Any]) -> None:
    """Null may be declared in every way that JSON Schema knows."""
    other = {"type": "object", "properties": {"name": {"type": ["string", "null"]}}}
    contract = make_contract(answer_of(thing=schema), Other=other, Nullable={"type": ["integer", "null"]})
    assert messages(contract) == []


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "string"},
        {"type": ["string", "integer"]},
        {"$ref": "#/components/schemas/Other"},
        {"enum": ["a", "b"]},
        {"type": ["string", "null"], "minLength": 1, "not": {"type": "null"}},
        {"oneOf": [{"type": "null"}, {"type": ["string", "null"]}]},
    ],
)
def test_optional_property_that_refuses_null_fails(schema: dict[str, Any]) -> None:
    """Any way of not accepting null is one way too many."""
    found = messages(make_contract(answer_of(thing=schema), Other={"type": "object"}))
    assert len(found) == 1
    assert "schema.thing is received and optional, so it has to accept null" in found[0]


@pytest.mark.parametrize("name", ["größe", "幅", "a%b c", "a~b/c"])
def test_property_may_have_any_name(name: str) -> None:
    """A validator is led to it by a reference, which is a part of a URL."""
    contract = make_contract(answer_of(**{name: {"type": "string"}}))
    assert [message.partition(" ")[0] for message in messages(contract)] == [f"schema.{name}".partition(" ")[0]]


def test_required_property_may_refuse_null() -> None:
    """What is always there needs no null."""
    assert messages(make_contract(answer_of(id={"type": "string"}))) == []


@pytest.mark.parametrize(
    "way",
    [
        {"$ref": "#/components/schemas/Inner"},
        {"type": "array", "items": {"$ref": "#/components/schemas/Inner"}},
        {"type": "object", "additionalProperties": {"$ref": "#/components/schemas/Inner"}},
        {"allOf": [{"$ref": "#/components/schemas/Inner"}]},
        {"oneOf": [{"$ref": "#/components/schemas/Inner"}, {"type": "null"}]},
        {"anyOf": [{"$ref": "#/components/schemas/Inner"}, {"type": "null"}]},
        {"prefixItems": [{"$ref": "#/components/schemas/Inner"}]},
    ],
)
def test_nested_schemas_are_reached(way: dict[str, Any]) -> None:
    """However an answer holds an object, the object's properties count; and each once."""
    inner = {
        "type": "object",
        "properties": {"deep": {"type": "string"}, "again": {"$ref": "#/components/schemas/Inner"}},
    }
    found = messages(make_contract(answer_of(id=way), Inner=inner))
    assert sorted(message.split()[0] for message in found) == ["Inner.again", "Inner.deep"]


def test_schemas_that_are_only_sent_may_refuse_null() -> None:
    """Requests are ours to shape."""
    contract = make_contract({}, Sent={"type": "object", "properties": {"name": {"type": "string"}}})
    assert messages(contract) == []


def test_error_answers_are_received_too() -> None:
    """An error body is decoded as any other answer, also when its response is shared."""
    contract = make_contract({})
    shared = {"description": "No.", "content": {"application/json": {"schema": answer_of(reason={"type": "string"})}}}
    contract.document["components"]["responses"] = {"Bad": shared}
    contract.document["paths"]["/thing"]["get"]["responses"]["400"] = {"$ref": "#/components/responses/Bad"}
    assert [message.split()[0] for message in messages(contract)] == ["schema.reason"]


@pytest.mark.parametrize(
    ("enum", "expected"),
    [
        ({"enum": ["image", "model"]}, []),
        ({"enum": ["text to image", "text-to-video", "3d"], "x-enum-varnames": ["IMAGE", "VIDEO", "THREE_D"]}, []),
        ({"enum": ["text to image", "text-to-video"]}, []),
        ({"enum": ["3d"]}, ["'3d' needs a name in UPPER_SNAKE_CASE in x-enum-varnames, not '3D'"]),
        ({"enum": ["a/b"]}, ["'a/b' needs a name in UPPER_SNAKE_CASE in x-enum-varnames, not 'A/B'"]),
        ({"enum": [""]}, ["'' needs a name in UPPER_SNAKE_CASE in x-enum-varnames, not ''"]),
        (
            {"enum": ["a"], "x-enum-varnames": ["a"]},
            ["'a' needs a name in UPPER_SNAKE_CASE in x-enum-varnames, not 'a'"],
        ),
        ({"enum": ["a", "A"]}, ["two values have the same Python name; name them in x-enum-varnames"]),
        ({"enum": ["a", "b"], "x-enum-varnames": ["A"]}, ["1 names for 2 values"]),
        ({"enum": [1, 2]}, []),
        ({"enum": [1, 2], "x-enum-varnames": ["ONE", "TWO"]}, []),
        ({"enum": [1.5]}, ["the decoder keeps unknown values of texts or of whole numbers, and 1.5 is none"]),
        ({"enum": [1, "a"]}, ["the decoder keeps unknown values of texts or of whole numbers, and 'a' is none"]),
        ({"enum": ["on", False]}, ["the decoder keeps unknown values of texts or of whole numbers, and False is none"]),
    ],
)
def test_enum_names(enum: dict[str, Any], expected: list[str]) -> None:
    """Each value of an enum becomes a Python name of its own."""
    assert messages(make_contract({}, Kind=enum)) == expected


def test_redocly_checks_examples_and_names_of_operations(tmp_path: Path) -> None:
    """An example is what the documentation and the tests show, an operationId the name that callers type."""
    spoiled = (ROOT / "openapi.yaml").read_text(encoding="utf-8")
    edits = {
        "operationId: retrieve_upload": "operationId: retrieveUpload",
        "      example: model\n": "      example: 5\n",
        "kind: 3d\n": "kind: nope\n",
        "        example: upload_": "        example: [1] #",
    }
    for old, new in edits.items():
        assert old in spoiled
        spoiled = spoiled.replace(old, new, 1)
    (tmp_path / "openapi.yaml").write_text(spoiled, encoding="utf-8")
    shutil.copy(ROOT / "redocly.yaml", tmp_path)
    result = subprocess.run(
        [ROOT / "node_modules" / ".bin" / "redocly", "lint", "openapi.yaml", "--format=json"],
        cwd=tmp_path,
        env=os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    problems = json.loads(result.stdout)["problems"]
    assert result.returncode == 1
    assert {problem["severity"] for problem in problems} == {"error"}
    assert {problem["ruleId"] for problem in problems} == {
        "no-invalid-schema-examples",
        "no-invalid-media-type-examples",
        "rule/operation-ids-are-names-of-python",
    }


def test_properties_named_like_keywords_are_not_keywords() -> None:
    """A property may be called `example`, `schema`, `enum` or `items`."""
    names = ("default", "enum", "example", "examples", "items", "properties", "schema", "value")
    properties = {name: {"type": ["string", "null"]} for name in names}
    contract = make_contract({"$ref": "#/components/schemas/Thing"}, Thing={"type": "object", "properties": properties})
    assert messages(contract) == []
    properties["default"] = {"type": ["string", "null"], "enum": ["3d", None]}
    assert len(messages(contract)) == 1


@pytest.mark.parametrize("reference", ["#/components/schemas/None", "other.yaml#/Thing", "#/components/schemas/Loop"])
def test_reference_that_leads_nowhere_is_an_error(reference: str) -> None:
    """The check does not pass over what it cannot see."""
    contract = make_contract({"$ref": reference}, Loop={"$ref": "#/components/schemas/Loop"})
    with pytest.raises(UnreadableError):
        check(contract)


def test_findings_are_printed_with_their_lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A finding can be jumped to."""
    path = tmp_path / "contract.yaml"
    text = (ROOT / "openapi.yaml").read_text(encoding="utf-8")
    spoiled = text.replace("enum: [3d, asset, ", "enum: [3d, a/b, ").replace("[THREE_D, ASSET, ", "[THREE_D, a/b, ")
    path.write_text(spoiled, encoding="utf-8")
    line = spoiled[: spoiled.index("a/b")].count("\n") + 1
    assert main([str(path)]) == 1
    assert f"{path}:{line}: 'a/b' needs a name in UPPER_SNAKE_CASE" in capsys.readouterr().out


@pytest.mark.parametrize(
    "text",
    [
        "[1, 2]",
        "",
        "openapi: 3.1.1",
        "{",
        "openapi: 3.1.1\ninfo: {version: 1.0.0}\npaths: {/a: {get: {responses: {'200': {$ref: '#/x'}}}}}",
    ],
)
def test_a_file_that_is_no_contract_is_an_error(text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A broken input is neither fine nor a finding."""
    path = tmp_path / "contract.yaml"
    path.write_text(text)
    assert main([str(path)]) == 2
    assert "cannot be checked" in capsys.readouterr().err


def test_a_missing_file_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """So is no input."""
    assert main([str(tmp_path / "none.yaml")]) == 2
    assert "cannot be checked" in capsys.readouterr().err


@pytest.mark.parametrize(
    "name", ["to_dict", "toDict", "from_dict", "additionalProperties", "field_dict", "d", "cls", "to_json"]
)
def test_name_that_generated_classes_need(name: str) -> None:
    """A property would take the place of a method, or of a variable of one."""
    (message,) = messages(make_contract(answer_of(id={}, **{name: {}})))
    assert message == f"the property {name!r} would take the place of what generated classes need; rename it"


@pytest.mark.parametrize("name", ["UploadProgress", "upload_progress", "Timeout", "NotFoundError", "Client", "Any"])
def test_schema_that_is_called_as_something_else(name: str) -> None:
    """Nobody could import both, and one of two that are called alike cannot be pickled."""
    (message,) = messages(make_contract(answer_of(id={}), **{name: {"type": "object"}}))
    assert message == f"the schema {name!r} would take the place of what generated code or the package has; rename it"
    assert messages(make_contract(answer_of(id={}), File={}, UploadPart={}, Progress={}, Anything={})) == []


def test_names_that_only_look_alike_pass() -> None:
    """What the generator gives a name of its own, or nobody needs."""
    names = ("self", "src_dict", "prop_name", "Any", "class", "items", "keys", "d1", "to_dict2")
    assert messages(make_contract(answer_of(id={}, **{name: {} for name in names}))) == []


def kind_of(*values: str, required: bool = True, **more: Any) -> dict[str, Any]:
    schema: dict[str, Any] = {"const": values[0]} if len(values) == 1 else {"enum": list(values)} if values else {}
    return {
        "type": "object",
        "required": ["kind"] * required,
        "properties": {"kind": {"type": "string", **schema, **more}},
    }


@pytest.mark.parametrize(
    ("cat", "dog", "wrong"),
    [
        (kind_of("cat"), kind_of("dog"), []),
        ({"allOf": [kind_of("cat"), {"type": "object"}]}, kind_of("dog"), []),
        (kind_of("cat", "kitten"), kind_of("dog"), []),
        (kind_of(), kind_of("dog"), ["Cat"]),
        (kind_of(), kind_of(), ["Cat", "Dog"]),
        (kind_of("cat"), kind_of("cat"), ["Dog"]),
        (kind_of("cat", required=False), kind_of("dog"), ["Cat"]),
    ],
)
def test_members_of_a_discriminator_say_which_they_are(cat: Any, dog: Any, wrong: list[str]) -> None:
    """The generated code takes the first member that fits, so that each has to rule out the others."""
    members = [{"$ref": "#/components/schemas/Cat"}, {"$ref": "#/components/schemas/Dog"}, {"type": "null"}]
    pet = {"oneOf": members, "discriminator": {"propertyName": "kind"}}
    found = messages(make_contract({**answer_of(id={}, pet=pet), "required": ["id", "pet"]}, Cat=cat, Dog=dog))
    assert [message.partition(" ")[0] for message in found if "which one" in message] == wrong


def test_property_that_another_member_demands_may_refuse_null() -> None:
    """An allOf is one schema: what one member demands is no optional property of another."""
    base = {"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}}}
    whole = {
        "allOf": [{"$ref": "#/components/schemas/Base"}, {"type": "object", "properties": {"id": {"minLength": 1}}}]
    }
    assert messages(make_contract(whole, Base=base)) == []
    other = {
        "allOf": [{"$ref": "#/components/schemas/Base"}, {"type": "object", "properties": {"a": {"type": "string"}}}]
    }
    assert ["a is received and optional" in message for message in messages(make_contract(other, Base=base))] == [True]
