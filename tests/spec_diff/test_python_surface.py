"""What Python callers see of a change, by what the generator makes of both contracts.

All cases stand side by side in one pair of contracts, each with its own operation and schemas.
"""

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import attrs
import griffe
import pytest

from tests.spec_diff.installed.trials import read_halves
from tests.spec_diff.support import BASE, CONTRACTS, edit, generate, write
from tests.spec_diff.written import is_taken, read_written
from tests.tools.client.test_constructs import DOCUMENT
from tools.client.generate import PACKAGE
from tools.contract.document import Contract, read_contract
from tools.spec_diff.compare import compare, compare_wire
from tools.spec_diff.policy import Allowed, read_policy
from tools.spec_diff.python.callers import add_python, find_renamed
from tools.spec_diff.python.differences import compare_surfaces
from tools.spec_diff.python.surface import make_excerpts, read_surface
from tools.spec_diff.report import Change, Report

Schemas = Mapping[str, Any]
TEXT = {"type": "string"}
NUMBER = {"type": "integer"}


@attrs.frozen
class Case:
    """A change of the schema `Subject`, or of its operation, and what callers see: lines by the kind of the change."""

    name: str
    old: Schemas
    new: Schemas
    there: Mapping[str, tuple[str, ...]]
    back: Mapping[str, tuple[str, ...]]
    operation: tuple[Mapping[str, Any], Mapping[str, Any]] = ({}, {})


def model(required: tuple[str, ...] = (), /, **properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": list(required), "properties": properties}


def ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


# In texts, `Subject` stands for the model and `send` for the operation.
CASES = [
    Case(
        "optional field at the end",
        {"Subject": model(a=TEXT)},
        {"Subject": model(a=TEXT, b=TEXT)},
        {"property-added": ("Subject.b was added (optional)",)},
        {"property-removed": ("Subject.b was removed",)},
    ),
    Case(
        "optional field before others",
        {"Subject": model(b=TEXT)},
        {"Subject": model(a=TEXT, b=TEXT)},
        {"property-added": ("Subject.a was added (optional); positional arguments of Subject() move from b on",)},
        {"property-removed": ("Subject.a was removed",)},
    ),
    Case(
        "required field",
        {"Subject": model(a=TEXT)},
        {"Subject": model(("b",), a=TEXT, b=TEXT)},
        {
            "required-property-added": (
                "Subject.b was added (required); positional arguments of Subject() move from a on",
            )
        },
        {"required-property-removed": ("Subject.b was removed",)},
    ),
    Case(
        "field that became required",
        {"Subject": model(a=TEXT)},
        {"Subject": model(("a",), a=TEXT)},
        {"property-became-required": ("Subject.a became required",)},
        {"property-became-optional": ("Subject.a became optional and may read as not given",)},
    ),
    Case(
        "null",
        {"Subject": model(fileName=TEXT)},
        {"Subject": model(fileName={"type": ["string", "null"]})},
        {"null-added": ("Subject.file_name: str → str | None (may now be None)",)},
        {"null-removed": ("Subject.file_name: str | None → str (no longer None)",)},
    ),
    Case(
        "another type",
        {"Subject": model(a=TEXT)},
        {"Subject": model(a=NUMBER)},
        {"type-changed": ("Subject.a: str → int",)},
        {"type-changed": ("Subject.a: int → str",)},
    ),
    Case(
        "type of the items",
        {"Subject": model(a={"type": "array", "items": TEXT})},
        {"Subject": model(a={"type": "array", "items": NUMBER})},
        {"type-changed": ("Subject.a: list[str] → list[int]",)},
        {"type-changed": ("Subject.a: list[int] → list[str]",)},
    ),
    Case(
        "limit, which Python does not see",
        {"Subject": model(a={"type": "string", "maxLength": 5})},
        {"Subject": model(a={"type": "string", "maxLength": 9})},
        {"limit-widened": ()},
        {"limit-narrowed": ()},
    ),
    Case(
        "order of the fields",
        {"Subject": model(a=TEXT, b=TEXT)},
        {"Subject": model(b=TEXT, a=TEXT)},
        {"python-order-changed": ("the positional arguments of Subject() were a, b and are b, a",)},
        {"python-order-changed": ("the positional arguments of Subject() were b, a and are a, b",)},
    ),
    Case(
        "value of an enum",
        {"Subject": model(kind=ref("SubjectKind")), "SubjectKind": {"type": "string", "enum": ["a"]}},
        {"Subject": model(kind=ref("SubjectKind")), "SubjectKind": {"type": "string", "enum": ["a", "b"]}},
        {"enum-value-added": ("SubjectKind.B was added",)},
        {"enum-value-removed": ("SubjectKind.B was removed",)},
    ),
    Case(
        "value of an enum within a schema",
        {"Subject": model(kind={"type": "string", "enum": ["a"]})},
        {"Subject": model(kind={"type": "string", "enum": ["a", "3d"]})},
        {"enum-value-added": ("SubjectKind.VALUE_1 was added",)},
        {"enum-value-removed": ("SubjectKind.VALUE_1 was removed",)},
    ),
    Case(
        "name of a value, which the wire does not see",
        {
            "Subject": model(kind=ref("SubjectKind")),
            "SubjectKind": {"type": "string", "enum": ["3d"], "x-enum-varnames": ["THREE_D"]},
        },
        {
            "Subject": model(kind=ref("SubjectKind")),
            "SubjectKind": {"type": "string", "enum": ["3d"], "x-enum-varnames": ["MESH"]},
        },
        {"python-renamed": ("SubjectKind.THREE_D → SubjectKind.MESH",)},
        {"python-renamed": ("SubjectKind.MESH → SubjectKind.THREE_D",)},
    ),
    Case(
        "name of a schema, which the wire does not see",
        {"Subject": model(part=ref("SubjectPart")), "SubjectPart": model(url=TEXT)},
        {"Subject": model(part=ref("SubjectPiece")), "SubjectPiece": model(url=TEXT)},
        {"python-renamed": ("the model SubjectPart → SubjectPiece",)},
        {"python-renamed": ("the model SubjectPiece → SubjectPart",)},
    ),
    Case(
        "names of schemas that hold one another",
        {
            "Subject": model(outer=ref("SubjectOuter")),
            "SubjectOuter": model(inner=ref("SubjectInner")),
            "SubjectInner": model(x=NUMBER),
        },
        {
            "Subject": model(outer=ref("SubjectShell")),
            "SubjectShell": model(inner=ref("SubjectCore")),
            "SubjectCore": model(x=NUMBER),
        },
        {
            "python-renamed": (
                "the model SubjectOuter → SubjectShell",
                "the model SubjectInner → SubjectCore",
            )
        },
        {
            "python-renamed": (
                "the model SubjectShell → SubjectOuter",
                "the model SubjectCore → SubjectInner",
            )
        },
    ),
    Case(
        "name of a field",
        {"Subject": model(a=TEXT, oldName=NUMBER)},
        {"Subject": model(a=TEXT, newName=NUMBER)},
        {
            "property-removed": ("Subject.old_name → Subject.new_name",),
            "property-added": ("Subject.old_name → Subject.new_name",),
        },
        {
            "property-removed": ("Subject.new_name → Subject.old_name",),
            "property-added": ("Subject.new_name → Subject.old_name",),
        },
    ),
    Case(
        "field with a model of its own",
        {"Subject": model(a=TEXT)},
        {"Subject": model(a=TEXT, b=ref("SubjectMore")), "SubjectMore": model(x=TEXT)},
        {"property-added": ("the model SubjectMore was added", "Subject.b was added (optional)")},
        {"property-removed": ("the model SubjectMore was removed", "Subject.b was removed")},
    ),
    Case(
        "component without a class",
        {"Subject": model(id=ref("SubjectId")), "SubjectId": TEXT},
        {"Subject": model(id=ref("SubjectId")), "SubjectId": NUMBER},
        {"type-changed": ("Subject.id: str → int",)},
        {"type-changed": ("Subject.id: int → str",)},
    ),
    Case(
        "part of an allOf",
        {"Subject": {"allOf": [ref("SubjectBase"), model(b=TEXT)]}, "SubjectBase": model(a=TEXT)},
        {"Subject": {"allOf": [ref("SubjectBase"), model(b=TEXT)]}, "SubjectBase": model(a=NUMBER)},
        {"type-changed": ("Subject.a: str → int", "SubjectBase.a: str → int")},
        {"type-changed": ("Subject.a: int → str", "SubjectBase.a: int → str")},
    ),
    Case(
        "other fields of one type",
        {"Subject": model(a=TEXT) | {"additionalProperties": TEXT}},
        {"Subject": model(a=TEXT) | {"additionalProperties": NUMBER}},
        {"type-changed": ("Subject.additional_properties: dict[str, str] → dict[str, int]",)},
        {"type-changed": ("Subject.additional_properties: dict[str, int] → dict[str, str]",)},
    ),
    Case(
        "field with fields",
        {"Subject": model(inner=model(a=TEXT))},
        {"Subject": model(inner=model(a=NUMBER))},
        {"type-changed": ("SubjectInner.a: str → int",)},
        {"type-changed": ("SubjectInner.a: int → str",)},
    ),
    Case(
        "argument",
        {"Subject": model()},
        {"Subject": model()},
        {"parameter-added": ("send: the argument project_id was added (optional)",)},
        {"parameter-removed": ("send: the argument project_id was removed",)},
        ({}, {"parameters": [{"name": "projectId", "in": "query", "schema": TEXT}]}),
    ),
    Case(
        "argument that became required",
        {"Subject": model()},
        {"Subject": model()},
        {"parameter-became-required": ("send: the argument q became required",)},
        {"parameter-became-optional": ("send: the argument q became optional",)},
        (
            {"parameters": [{"name": "q", "in": "query", "schema": TEXT}]},
            {"parameters": [{"name": "q", "in": "query", "required": True, "schema": TEXT}]},
        ),
    ),
    Case(
        "argument of another type",
        {"Subject": model()},
        {"Subject": model()},
        {"type-changed": ("send: the argument q: str → int",)},
        {"type-changed": ("send: the argument q: int → str",)},
        (
            {"parameters": [{"name": "q", "in": "query", "schema": TEXT}]},
            {"parameters": [{"name": "q", "in": "query", "schema": NUMBER}]},
        ),
    ),
    Case(
        "answer of another status",
        {"Subject": model()},
        {"Subject": model(), "SubjectCost": model(cost=NUMBER)},
        {"success-status-added": ("the model SubjectCost was added", "send: may now also return SubjectCost")},
        {"success-status-removed": ("the model SubjectCost was removed", "send: no longer returns SubjectCost")},
        (
            {},
            {
                "responses": {
                    "200": {"description": "ok", "content": {"application/json": {"schema": ref("Subject")}}},
                    "269": {"description": "cost", "content": {"application/json": {"schema": ref("SubjectCost")}}},
                }
            },
        ),
    ),
    Case(
        "name of an operation",
        {"Subject": model()},
        {"Subject": model()},
        {"operationId-changed": ("the operation default.send → default.send_new",)},
        {"operationId-changed": ("the operation default.send_new → default.send",)},
        ({}, {"operationId": "send_new"}),
    ),
    Case(
        "tag of an operation, which the wire does not see",
        {"Subject": model()},
        {"Subject": model()},
        {"documentation-changed": (), "python-renamed": ("the operation default.send → files.send",)},
        {"documentation-changed": (), "python-renamed": ("the operation files.send → default.send",)},
        ({}, {"tags": ["files"]}),
    ),
]


def name_all(value: Any, index: int) -> Any:
    """Return a value with the names that every case has made those of one case."""
    if isinstance(value, dict):
        return {name_all(key, index): name_all(item, index) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(name_all(item, index) for item in value)
    letter = chr(ord("A") + index)
    # Names that sort and abbreviate like the ones in the cases.
    return (
        value.replace("Subject", f"Case{letter}x").replace("send", f"call_{letter.lower()}x")
        if isinstance(value, str)
        else value
    )


def make_contract(side: int) -> dict[str, Any]:
    """Return the contract that holds the old (0) or the new (1) half of every case."""
    paths: dict[str, Any] = {}
    schemas: dict[str, Any] = {}
    for index, case in enumerate(CASES):
        content = {"application/json": {"schema": ref("Subject")}}
        operation = {
            "operationId": "send",
            "requestBody": {"required": True, "content": content},
            "responses": {"200": {"description": "ok", "content": content}},
            **case.operation[side],
        }
        paths[f"/case-{index}"] = {"post": name_all(operation, index)}
        schemas |= name_all((case.old, case.new)[side], index)
    info = {"title": "Cases", "version": "1.0.0"}
    return {"openapi": "3.1.1", "info": info, "paths": paths, "components": {"schemas": schemas}}


def find(*paths: Path) -> list[Change]:
    """Return what changes between two files, on the wire and for callers."""
    old, new = map(read_contract, paths)
    return add_python(compare_wire(old, new, read_policy()), old, new, read_policy())


@cache
def find_all(back: bool) -> list[Change]:
    """Return what changes between the halves of all cases."""
    with TemporaryDirectory() as folder:
        old, new = (make_contract(side) for side in ((1, 0) if back else (0, 1)))
        return find(*write(Path(folder), old, new))


@pytest.mark.parametrize("back", [False, True], ids=["there", "back"])
@pytest.mark.parametrize("index", range(len(CASES)), ids=[case.name.replace(" ", "-") for case in CASES])
def test_callers_see(index: int, back: bool) -> None:
    """A change of the wire says what Python callers see of it; what only they see is a change of its own."""
    case = CASES[index]
    marks = [str(name_all(name, index)) for name in ("Subject", "send")]
    own = [change for change in find_all(back) if any(mark in repr(change) for mark in marks)]
    seen: dict[str, tuple[str, ...]] = {}
    for change in own:
        seen[change.kind] = tuple(sorted({*seen.get(change.kind, ()), *change.python}))
    expected = {
        kind: tuple(sorted(name_all(lines, index))) for kind, lines in (case.back if back else case.there).items()
    }
    assert expected == {kind: lines for kind, lines in seen.items() if kind != "unused-component-changed"}


class AttrsFields(griffe.Extension):
    """Gives each class of attrs the `__init__` that attrs makes for it."""

    def on_class_members(self, *, cls: griffe.Class, **kwargs: Any) -> None:
        """Add `__init__` to a class whose fields were read."""
        if not any("define" in str(decorator.value) for decorator in cls.decorators) or "__init__" in cls.members:
            return
        parameters = [griffe.Parameter("self", kind=griffe.ParameterKind.positional_or_keyword)]
        for name, member in cls.members.items():
            if isinstance(member, griffe.Attribute) and member.annotation is not None and is_taken(member):
                kind = griffe.ParameterKind.positional_or_keyword
                parameters.append(griffe.Parameter(name, annotation=member.annotation, kind=kind, default=member.value))
        cls.set_member(
            "__init__", griffe.Function("__init__", parameters=griffe.Parameters(*parameters), returns="None")
        )


@pytest.mark.parametrize("back", [False, True], ids=["there", "back"])
def test_no_break_that_griffe_finds_is_left_out(back: bool) -> None:
    """What griffe itself calls a breakage of an operation, an enum or a model is told of as well."""
    halves = [make_contract(side) for side in ((1, 0) if back else (0, 1))]
    lines = " ".join(line for change in find_all(back) for line in change.python)
    packages = [
        griffe.load(PACKAGE, search_paths=[str(generate(half))], extensions=griffe.load_extensions(AttrsFields))
        for half in halves
    ]
    seen = 0
    for breakage in griffe.find_breaking_changes(*packages):
        path = breakage.obj.canonical_path
        _, room, *rest = path.split(".")
        if room not in ("models", "api") or not rest[1:] or rest[0] == "api":
            continue
        # models.MODULE.CLASS.MEMBER, or api.TAG.MODULE.FUNCTION
        if any(part.startswith("_") for part in rest[1:]) or (rest[-1] in ("T", "to_dict", "from_dict")):
            continue
        seen += 1
        assert rest[1] in lines, (breakage.kind, path)
    assert seen > 10


# What the generator writes from: the cases here, those of schemas and operations, and what else it can write.
WRITTEN: Mapping[str, Callable[[], Any]] = {
    "cases before": lambda: make_contract(0),
    "cases after": lambda: make_contract(1),
    "schemas before": lambda: read_halves(back=False).old,
    "schemas after": lambda: read_halves(back=False).new,
    "constructs": lambda: DOCUMENT,
    "this contract": lambda: read_contract(CONTRACTS / "1.4.0.yaml").document,
}


@pytest.mark.parametrize("name", WRITTEN)
def test_what_is_compared_is_what_the_generator_writes(name: str) -> None:
    """The classes, fields, types and arguments are those of the written client, in the same order."""
    document = WRITTEN[name]()
    surface, written = read_surface(Contract(name, document)), read_written(generate(document))
    assert surface == written
    assert [list(shapes) for shapes in surface] == [list(shapes) for shapes in written]


@pytest.mark.parametrize("back", [False, True], ids=["there", "back"])
def test_excerpts_differ_by_as_much(back: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is left out of large contracts before the generator reads them makes no difference."""
    monkeypatch.setattr("tools.spec_diff.python.surface.LARGE", 20)
    halves = [make_contract(side) for side in ((1, 0) if back else (0, 1))]
    old, new = map(read_contract, write(tmp_path, halves[0], halves[1]))
    moved = find_renamed(old, new)
    excerpts = make_excerpts(old, new)
    whole, parts = ([read_surface(contract) for contract in pair] for pair in ((old, new), excerpts))
    assert compare_surfaces(whole[0], whole[1], moved) == compare_surfaces(parts[0], parts[1], moved)
    assert len(excerpts[1].document["paths"]) < len(new.document["paths"])


def compare_edit(folder: Path, change: Callable[[Any], Any], *, back: bool = False) -> list[Change]:
    old, new = (edit(change), BASE) if back else (BASE, edit(change))
    return find(*write(folder, old, new))


def share_parameter(document: Any) -> None:
    document["paths"]["/things/{id}"]["parameters"].append({"name": "q", "in": "query", "schema": {"type": "string"}})


def test_operations_that_see_the_same_share_a_line(tmp_path: Path) -> None:
    """A parameter of a path is one change with one line, however many operations and functions take it."""
    (change,) = compare_edit(tmp_path, share_parameter)
    assert change.python == ("get_thing, put_thing: the argument q was added (optional)",)


def rename_component(document: Any) -> None:
    schemas = document["components"]["schemas"]
    schemas["Sort"] = schemas.pop("Kind")
    for name in ("kind", "other"):
        schemas["Thing"]["properties"][name] = {"$ref": "#/components/schemas/Sort"}


def test_change_that_only_callers_see_is_one_of_its_own(tmp_path: Path) -> None:
    """It has a place in the contract, the operations that lead to it, and a level from the policy."""
    (change,) = compare_edit(tmp_path, rename_component)
    assert change.location == "#/components/schemas/Sort"
    assert change.operation == "get_thing, put_thing"
    assert change.level == "breaking"
    assert (
        (tmp_path / "new.json").read_text(encoding="utf-8").splitlines()[change.line - 1].strip().startswith('"Sort"')
    )


def test_change_that_only_callers_see_can_be_accepted(tmp_path: Path) -> None:
    """An entry of the allow file accepts it like any other."""
    old, new = map(read_contract, write(tmp_path, BASE, edit(rename_component)))
    allowed = [Allowed("python-renamed", "#/components/schemas/Sort", "Nobody uses it.", "allow.yaml:1")]
    report: Report = compare(old, new, read_policy(), allowed, parts=["wire", "python"])
    assert (report.required, report.unused) == ("minor", ())


def test_equal_contracts_are_not_read_for_callers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The generator is not asked when nothing differs."""
    monkeypatch.setattr("tools.spec_diff.python.callers.read_surface", None)
    old, new = map(read_contract, write(tmp_path, BASE, BASE))
    assert add_python([], old, new, read_policy()) == []


@pytest.mark.parametrize(
    ("schema", "reason"),
    [
        ({"type": "string", "enum": ["a", "A"]}, "ValueError Duplicate key A in enum"),
        ({"enum": ["a", 1]}, "WARNING parsing PUT /things/{id}"),
        ({"type": "object", "properties": 5}, "Failed to parse OpenAPI document"),
    ],
)
def test_what_the_generator_stumbles_over_is_said(schema: Any, reason: str, tmp_path: Path) -> None:
    """An error of its own, one of its parser, and one that it cannot handle are each a line of the report."""

    def put(document: Any) -> None:
        document["paths"]["/things/{id}"]["put"]["requestBody"]["content"] = {"application/json": {"schema": schema}}

    old, new = map(read_contract, write(tmp_path, BASE, edit(put)))
    report = compare(old, new, read_policy(), parts=["python"])
    assert [line.partition("new contract: ")[2][: len(reason)] for line in report.missing] == [reason]


# How much it breaks

HALVES: dict[str, tuple[Any, Any]] = {
    "SentWithId": (model(a=TEXT), {**model(a=TEXT, id={**TEXT, "readOnly": True}), "required": ["id"]}),
    "SentWithKind": (model(kind={"type": "string", "enum": ["x"]}), model(kind=TEXT)),
    "SentWider": (model(a=NUMBER), model(a={"type": "number"})),
    "SentLess": ({**model(a=TEXT), "required": ["a"]}, model(a=TEXT)),
    "ReadClosed": (model(a=TEXT), {**model(a=TEXT), "additionalProperties": False}),
    "ReadNarrower": (model(a={"type": ["string", "null"]}), model(a=TEXT)),
    "ReadMore": (model(a=TEXT), {**model(a=TEXT, b=TEXT), "required": ["b"]}),
    "ReadOrdered": (model(a=TEXT, b=NUMBER), model(b=NUMBER, a=TEXT)),
    "ReadInserted": (model(a=TEXT, c=TEXT), model(a=TEXT, b=TEXT, c=TEXT)),
}


@cache
def judge_halves() -> dict[str, list[Change]]:
    """Return what changes in each schema, some of which are sent and some received."""
    documents = []
    for side in (0, 1):
        paths: dict[str, Any] = {}
        for name in HALVES:
            content = {"content": {"application/json": {"schema": ref(name)}}}
            ok = {"200": {"description": "ok", **(content if name.startswith("Read") else {})}}
            sent = {"requestBody": {"required": True, **content}} if name.startswith("Sent") else {}
            paths[f"/{name}"] = {"post": {"operationId": f"do_{name.lower()}", "responses": ok, **sent}}
        info, schemas = {"title": "Halves", "version": "1.0.0"}, {name: pair[side] for name, pair in HALVES.items()}
        documents.append({"openapi": "3.1.1", "info": info, "paths": paths, "components": {"schemas": schemas}})
    with TemporaryDirectory() as folder:
        changes = find(*write(Path(folder), *documents))
    return {name: [each for each in changes if each.operation == f"do_{name.lower()}"] for name in HALVES}


@pytest.mark.parametrize(
    ("name", "kind", "line"),
    [
        ("SentWithId", "python-required-added", "SentWithId.id was added (required)"),
        ("SentWithKind", "python-removed", "the enum SentWithKindKind was removed"),
        ("ReadClosed", "python-removed", "ReadClosed.additional_properties was removed"),
    ],
)
def test_break_for_callers_is_one_whatever_its_cause(name: str, kind: str, line: str) -> None:
    """A required argument, a class or an attribute that went: on the wire none of these breaks anybody."""
    changes = judge_halves()[name]
    assert [change.message.partition(";")[0] for change in changes if change.kind == kind] == [line]
    assert {change.level for change in changes if change.kind.startswith("python-")} == {"breaking"}
    assert "breaking" not in {change.level for change in changes if not change.kind.startswith("python-")}


@pytest.mark.parametrize("name", ["SentWider", "SentLess", "ReadNarrower", "ReadMore"])
def test_what_breaks_no_caller_stays_below_its_cause(name: str) -> None:
    """Who gives a value may give more, who reads one gets less, and nobody makes what is only read."""
    changes = judge_halves()[name]
    assert {change.level for change in changes} == {"non-breaking"}
    assert any(change.python for change in changes)


def test_order_has_one_level() -> None:
    """Another order, and a field between others, move positional arguments alike."""
    (ordered,) = judge_halves()["ReadOrdered"]
    (inserted,) = judge_halves()["ReadInserted"]
    assert (ordered.kind, ordered.level) == ("python-order-changed", "note")
    assert (inserted.kind, inserted.level) == ("property-added", "non-breaking")
    assert "positional arguments" in inserted.python[0]
