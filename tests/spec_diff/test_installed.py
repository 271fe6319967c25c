"""What becomes of installed clients: the service's history, single changes, the real contract, an old client alive."""

import copy
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import attrs
import pytest
import yaml

from tests.spec_diff.cases import OPERATION_CASES, SCHEMA_CASES
from tests.spec_diff.installed_cases import LEFT_OUT, OPERATIONS, SCHEMAS
from tests.spec_diff.support import BASE, CONTRACTS, edit, write
from tests.spec_diff.test_main import JUNK, list_places
from tests.spec_diff.test_pairs import make_contract
from tests.support.server import Server, reply
from tests.support.service import make_upload
from tools.contract.document import Contract, UnreadableError, read_contract
from tools.contract.large import main as make_large_contract
from tools.project import ROOT
from tools.spec_diff import compare, generated, installed, wire
from tools.spec_diff.__main__ import main
from tools.spec_diff.bench import Bench, Effect, join
from tools.spec_diff.installed import add_installed
from tools.spec_diff.policy import judge, read_policy
from tools.spec_diff.report import Change
from tools.spec_diff.samples import Sampler, make_matching, make_validator
from tools.spec_diff.views import Reader

Edit = Callable[[Any], Any]


def try_all(old: Contract, new: Contract) -> list[Change]:
    """Return what is said of installed clients; what only Redocly sees is left out, being words."""
    return add_installed(judge(wire.compare(old, new, list), read_policy()), old, new)


def tell(folder: Path, old: Any, new: Any) -> dict[str, str | None]:
    """Return what is said of each change between two documents, by the words of the change."""
    changes = try_all(*map(read_contract, write(folder, old, new)))
    return {change.message.rpartition(" (")[0] or change.message: change.installed_clients for change in changes}


# The service's history


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            "1.0.0",
            "1.1.0",
            {"UploadKind": "tolerated: kind reads as the unknown value 'text' (is_known is False)"},
        ),
        ("1.1.0", "1.2.0", {"projectId": "nothing: the client does not send it"}),
        (
            "1.2.0",
            "1.3.0",
            {
                "269": "tolerated: should a 269 come unasked, it is read like the 200,"
                " with a warning: upload is missing",
                "dryRun": "nothing: the client does not send it",
            },
        ),
        (
            "1.3.0",
            "1.0.0",
            {
                "UploadKind": 'broken: the service refuses kind="text": it allows'
                ' "3d", "asset", "audio", "avatar", "image", "model", "video"',
                "projectId": "degraded: projectId is no longer read",
                "dryRun": "degraded: dryRun is no longer read",
                "269": "nothing: the client waits for no status but any 2xx",
            },
        ),
    ],
)
def test_history_of_the_service(
    capfdbinary: pytest.CaptureFixture[bytes], old: str, new: str, expected: dict[str, str]
) -> None:
    """Each step of the uploads surface does this to a client of the step before."""
    paths = [str(CONTRACTS / f"{version}.yaml") for version in (old, new)]
    assert main([*paths, "--format=json", "--fail-on=none"]) == 0
    changes = json.loads(capfdbinary.readouterr().out)["changes"]
    found = {each["message"]: each["installed_clients"] for each in changes}
    assert found.pop("the contract: description was changed") == "nothing: words do not travel over the wire"
    assert expected == {next(name for name in expected if name in message): effect for message, effect in found.items()}


# Single changes


@cache
def try_cases(*, back: bool) -> dict[str, list[Change]]:
    """Return what is said of the changes of each operation, all of which stand in one pair of contracts."""
    documents = [make_contract(0), make_contract(1)]
    for document in documents:
        for index, case in enumerate(SCHEMA_CASES):
            if case.name in LEFT_OUT:
                del document["paths"][f"/schema-{index}"]
        for index, each in enumerate(OPERATION_CASES):
            if each.name in LEFT_OUT:
                del document["paths"][f"/operation-{index}"]
    with TemporaryDirectory() as name:
        old, new = map(read_contract, write(Path(name), *(reversed(documents) if back else documents)))
        changes = add_installed(compare.compare_wire(old, new, read_policy()), old, new)
    result: dict[str, list[Change]] = {}
    for change in changes:
        for operation in change.operation.split(", "):
            result.setdefault(operation, []).append(change)
    return result


def find_effects(operation: str, *, back: bool) -> Any:
    changes = sorted(try_cases(back=back).get(operation, []), key=lambda change: change.kind)
    effects = tuple(change.installed_clients for change in changes)
    return effects[0] if len(effects) == 1 else effects


@pytest.mark.parametrize("back", [False, True], ids=["there", "back"])
@pytest.mark.parametrize("direction", ["sent", "received"])
@pytest.mark.parametrize("name", SCHEMAS, ids=lambda name: name.replace(" ", "-"))
def test_change_of_a_schema(name: str, direction: str, back: bool) -> None:
    """A schema that differs by one keyword does this to the client of the old one."""
    index = [case.name for case in SCHEMA_CASES].index(name)
    expected = SCHEMAS[name][back * 2 + (direction == "received")]
    assert expected == find_effects(f"{direction}_{index}", back=back)


@pytest.mark.parametrize("back", [False, True], ids=["there", "back"])
@pytest.mark.parametrize("name", OPERATIONS, ids=lambda name: name.replace(" ", "-"))
def test_change_of_an_operation(name: str, back: bool) -> None:
    """An operation that differs in one thing does this to the client of the old one."""
    index = [case.name for case in OPERATION_CASES].index(name)
    assert OPERATIONS[name][back] == find_effects(f"operation_{index}", back=back)


def test_every_change_is_in_the_table() -> None:
    """Whatever changes in a case has an expectation."""
    names = {
        f"{way}_{index}"
        for index, case in enumerate(SCHEMA_CASES)
        for way in ("sent", "received")
        if case.name in SCHEMAS
    }
    names |= {f"operation_{index}" for index, case in enumerate(OPERATION_CASES) if case.name in OPERATIONS}
    assert try_cases(back=False).keys() | try_cases(back=True).keys() == names
    assert len(SCHEMAS) + len(OPERATIONS) >= 90


# The real contract


def schemas(document: Any) -> Any:
    return document["components"]["schemas"]


def get_property(document: Any, schema: str, name: str) -> Any:
    return schemas(document)[schema]["properties"][name]


def edit_much(document: Any) -> None:
    """Change many things, each in a place of its own."""
    schemas(document)["Upload"]["required"].remove("fileName")
    get_property(document, "Upload", "id")["type"] = ["string", "null"]
    get_property(document, "Upload", "fileSize")["type"] = ["number", "null"]
    get_property(document, "Upload", "createdAt")["format"] = "date-time"
    get_property(document, "Upload", "entityId")["type"] = "string"
    schemas(document)["Upload"]["properties"]["tags"] = {"type": ["array", "null"], "items": {"type": "string"}}
    schemas(document)["UploadStatus"]["enum"].append("queued")
    schemas(document)["UploadPart"]["required"].remove("url")
    del schemas(document)["UploadPart"]["properties"]["url"]
    del schemas(document)["Error"]["properties"]["reason"]
    schemas(document)["UploadCreateParams"]["additionalProperties"] = False
    schemas(document)["UploadCreateParams"]["required"] = ["fileName"]
    get_property(document, "UploadCreateParams", "parts")["maximum"] = 1000
    get_property(document, "UploadCreateParams", "url")["format"] = "uri"
    del schemas(document)["UploadCreateParams"]["properties"]["huggingFaceModelName"]
    get_property(document, "UploadAssetOptions", "collectionIds")["maxItems"] = 3
    schemas(document)["UploadAction"]["enum"] = ["upload-complete"]
    document["components"]["parameters"]["UploadId"]["schema"]["pattern"] = "^upload_[A-Za-z0-9]{24}$"
    document["components"]["parameters"]["ProjectId"]["required"] = True
    document["security"] = [{"bearerAuth": []}]
    document["servers"][0]["url"] = "https://api.scenario.com/v2"
    responses = document["paths"]["/uploads"]["post"]["responses"]
    responses["201"] = responses.pop("200")
    responses["402"] = {"$ref": "#/components/responses/BadRequest"}


def test_many_changes_at_once(tmp_path: Path) -> None:
    """Each change of the real contract is tried by itself, however many others there are."""
    old = yaml.safe_load((CONTRACTS / "1.3.0.yaml").read_text(encoding="utf-8"))
    new = copy.deepcopy(old)
    edit_much(new)
    assert tell(tmp_path, old, new) == {
        "Upload: fileName became optional": "degraded: fileName reads None, with a warning",
        "Upload.id: null was added": "degraded: id reads None, with a warning",
        "Upload.fileSize: the type integer or null became number or null": "degraded: fileSize reads 0.5 as it came,"
        " with a warning",
        'Upload.createdAt: format "date-time" was added': "nothing: what comes reads as before",
        "Upload.entityId: null was removed": "nothing: what comes reads as before",
        "Upload.tags: the optional property tags was added": "tolerated: tags is kept in additional_properties",
        'UploadStatus: the value "queued" was added': "tolerated: status reads as the unknown value 'queued'"
        " (is_known is False)",
        "UploadPart.url: the required property url was removed": "degraded: url reads None, with a warning",
        "Error.reason: the optional property reason was removed": "degraded: the error has no reason",
        "UploadCreateParams: any other properties became no other properties": "nothing: the client does not send it",
        "UploadCreateParams: fileName became required": "broken: the service refuses what lacks fileName,"
        " which it demands",
        "UploadCreateParams.parts: maximum 10000 became 1000": "broken: the service refuses parts=10000:"
        " it wants maximum 1000",
        'UploadCreateParams.url: format "uri" was added': "broken: not tried, since nothing here checks the format"
        ' "uri"; look',
        "UploadCreateParams.huggingFaceModelName: the optional property huggingFaceModelName was removed": "broken:"
        " the service refuses huggingFaceModelName, which it does not know",
        "UploadAssetOptions.collectionIds: maxItems 3 was added": "broken: the service refuses"
        ' collectionIds=["text", "text", "text", "text"]: it wants maxItems 3',
        'UploadAction: the value "upload-complete" was added': "nothing: what the client sends is still allowed",
        'UploadAction: the value "complete" was removed': 'broken: the service refuses action="complete":'
        ' it allows "upload-complete"',
        'UploadId: pattern "^upload_[A-Za-z0-9]{24}$" was added': 'broken: the service refuses uploadId="text":'
        ' it wants pattern "^upload_[A-Za-z0-9]{24}$"',
        "the parameter projectId became required": "broken: the service demands the query parameter projectId,"
        " which the client may leave out",
        "basicAuth does not suffice any more": "broken: the service refuses Basic credentials",
        "the server https://api.cloud.scenario.com/v1 was removed": "broken: the client calls"
        " https://api.cloud.scenario.com/v1, unless it is given another base_url",
        "the server https://api.scenario.com/v2 was added": "nothing: the client goes on calling the address that it"
        " has",
        "the status 200 was removed": "nothing: the client waits for no status but any 2xx",
        "the status 201 was added": "tolerated: a 201 is read like the 200",
        "the status 402 was added": "tolerated: a 402 raises APIStatusError, like any error that no contract lists",
    }


def move_create(document: Any) -> None:
    document["paths"]["/v2/uploads"] = document["paths"].pop("/uploads")


def answer_with_a_table(document: Any) -> None:
    content = {"text/csv": {"schema": {"type": "string"}}}
    document["paths"]["/uploads/{uploadId}"]["get"]["responses"]["200"]["content"] = content


def take_a_form(document: Any) -> None:
    content = document["paths"]["/uploads"]["post"]["requestBody"]["content"]
    content["multipart/form-data"] = content.pop("application/json")


def drop_retrieve(document: Any) -> None:
    del document["paths"]["/uploads/{uploadId}"]


def answer_with_a_list(document: Any) -> None:
    upload = get_property(document, "UploadRetrieveResponse", "upload")
    schemas(document)["UploadRetrieveResponse"]["properties"]["upload"] = {"type": "array", "items": upload}


@pytest.mark.parametrize(
    ("change", "there", "back"),
    [
        (
            move_create,
            {"POST /uploads became POST /v2/uploads": "broken: nothing answers POST /uploads any more"},
            {"POST /v2/uploads became POST /uploads": "broken: nothing answers POST /v2/uploads any more"},
        ),
        (
            drop_retrieve,
            {"GET /uploads/{uploadId} was removed": "broken: nothing answers GET /uploads/{uploadId} any more"},
            {"GET /uploads/{uploadId} was added": "nothing: no client of the old contract calls it"},
        ),
        (
            answer_with_a_table,
            {
                "the media type application/json was removed": "broken: APIResponseValidationError:"
                " retrieve_upload was answered with status 200 and no JSON: text",
                "the media type text/csv was added": "nothing: the client goes on asking for application/json",
            },
            {
                "the media type application/json was added": "nothing: the client reads no body of this operation",
                "the media type text/csv was removed": "nothing: the client reads JSON alone",
            },
        ),
        (
            take_a_form,
            {
                "the media type application/json was removed": "broken: the client sends application/json,"
                " which the service refuses",
                "the media type multipart/form-data was added": "nothing: the client goes on sending what it sent",
            },
            {
                "the media type application/json was added": "nothing: the client goes on sending what it sent",
                "the media type multipart/form-data was removed": "nothing: the client does not send it",
            },
        ),
        (
            answer_with_a_list,
            {
                "UploadRetrieveResponse.upload: the type object became array": "degraded: there is a warning:"
                " upload should be an object and is a list"
            },
            {
                "UploadRetrieveResponse.upload: the type array became object": "degraded: upload reads an object"
                " as it came, with a warning"
            },
        ),
    ],
)
def test_change_of_the_real_contract(change: Edit, there: dict[str, str], back: dict[str, str], tmp_path: Path) -> None:
    """An operation of the real contract that changes as a whole does this to its clients."""
    old = yaml.safe_load((CONTRACTS / "1.3.0.yaml").read_text(encoding="utf-8"))
    new = copy.deepcopy(old)
    change(new)
    assert there == tell(tmp_path, old, new)
    assert back == tell(tmp_path, new, old)


# How it is tried


def test_effect_counts_for_its_own_change_alone(tmp_path: Path) -> None:
    """Of several changes at one place, each is tried with a value that only this one concerns."""

    def change(document: Any) -> None:
        schema = document["components"]["schemas"]["Thing"]
        schema["properties"]["name"] = {"type": "string", "maxLength": 5, "pattern": "^a"}

    def change_more(document: Any) -> None:
        change(document)
        name = document["components"]["schemas"]["Thing"]["properties"]["name"]
        name |= {"maxLength": 3, "pattern": "^[ab]", "type": ["string", "null"]}

    found = tell(tmp_path, edit(change), edit(change_more))
    assert found == {
        "Thing.name: maxLength 5 became 3": 'broken: the service refuses name="aaaaa": it wants maxLength 3',
        'Thing.name: pattern "^a" became "^[ab]"': "nothing: of the values that were tried none is refused; others may"
        " be, and what comes reads as before",
        "Thing.name: null was added": "tolerated: name reads None, as when it is left out",
    }


def test_every_way_to_a_schema_is_tried(tmp_path: Path) -> None:
    """Null is harmless where a field is optional and not where it is required: the worse counts."""

    def change(document: Any) -> None:
        document["components"]["schemas"]["Kind"] |= {"type": ["string", "null"], "enum": ["a", "b", None]}

    assert tell(tmp_path, BASE, edit(change)) == {"Kind: null was added": "degraded: kind reads None, with a warning"}
    # Read in the optional field alone, it would be this.
    old, new = edit(lambda document: document["components"]["schemas"]["Thing"].pop("required")), edit(change)
    new["components"]["schemas"]["Thing"].pop("required")
    assert tell(tmp_path, old, new) == {"Kind: null was added": "tolerated: kind reads None, as when it is left out"}


def test_read_only_property_comes_and_goes(tmp_path: Path) -> None:
    """What requests may not have any more is no longer read; what answers have no more reads None."""

    def have(**more: Any) -> Any:
        name = {"type": "string", **more}
        return edit(lambda document: document["components"]["schemas"]["Thing"]["properties"].update(name=name))

    hidden = tell(tmp_path, have(), have(readOnly=True))
    assert hidden == {"Thing.name: readOnly": "degraded: name is no longer read"}
    assert tell(tmp_path, have(), have(writeOnly=True)) == {
        "Thing.name: writeOnly": "degraded: name reads None, since it comes no more"
    }


def test_header_that_the_client_reads(tmp_path: Path) -> None:
    """The client waits as long as Retry-After says, so it misses that."""
    headers = {"Retry-After": {"schema": {"type": "integer"}}}
    old = edit(lambda document: document["components"]["responses"]["Missing"].update(headers=headers))
    assert tell(tmp_path, old, BASE) == {"the header retry-after was removed": "degraded: the error has no retry_after"}


def test_large_contract_is_reduced_first(tmp_path: Path) -> None:
    """Of many operations only those are generated that are tried, and a few of those that share a fact."""
    assert make_large_contract([str(tmp_path), "--operations", "60"]) == 0
    old, new = (read_contract(tmp_path / name) for name in ("old.yaml", "new.yaml"))
    changes = try_all(old, new)
    assert sorted({(change.kind, (change.installed_clients or "").partition(":")[0]) for change in changes}) == [
        ("enum-value-added", "tolerated"),
        ("limit-narrowed", "broken"),
        ("parameter-added", "nothing"),
    ]
    bench = Bench.set_up(old, new)
    installed.plan_trials(bench, [change for change in changes if change.kind != "parameter-added"])
    reduced = installed.reduce_old(bench)
    assert {match.name for match in bench.plan.matches} == {each.name for each in wire.list_operations(reduced)}
    assert len(bench.plan.matches) < 20
    properties = {name: len(schema.get("properties", ())) for name, schema in schemas(reduced.document).items()}
    assert properties["Thing50Params"] > 0
    assert properties["Thing50"] == 0
    assert "Thing51" not in properties


def test_reduced_contract_says_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """To leave out what is not tried changes no verdict."""
    paths = [CONTRACTS / f"{version}.yaml" for version in ("1.3.0", "1.0.0")]
    whole = try_all(*map(read_contract, paths))
    monkeypatch.setattr(generated, "LARGE", 0)
    assert whole == try_all(*map(read_contract, paths))


def test_words_need_no_client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is generated or run for what no client can see."""
    monkeypatch.setattr(generated, "wait_for", pytest.fail)
    changes = [
        Change("get_thing", "#/x", 1, "documentation-changed", "note", "m"),
        Change("get_thing", "#/x", 1, "enum-value-added", "note", "m", installed_clients="tolerated: known already"),
        Change("get_thing", "#/x", 1, "no-rule-of-the-wire", "note", "m"),
    ]
    contract = read_contract(write(tmp_path, BASE, BASE)[0])
    assert [change.installed_clients for change in add_installed(changes, contract, contract)] == [
        "nothing: words do not travel over the wire",
        "tolerated: known already",
        None,
    ]


def test_worse_direction_comes_first() -> None:
    """One line tells of both directions, and leaves out the one in which all is well."""
    fine, mild, bad = Effect("nothing", "a"), Effect("tolerated", "b"), Effect("broken", "c")
    assert str(join([("request", fine), ("request", bad), ("response", mild)])) == "broken: c; in answers tolerated: b"
    assert str(join([("request", mild), ("response", bad)])) == "broken: c; in requests tolerated: b"
    assert str(join([("request", fine), ("response", bad)])) == "broken: c"
    assert str(join([("response", fine), ("request", fine)])) == "nothing: a"


@pytest.mark.parametrize("side", [0, 1])
def test_samples_are_valid(side: int) -> None:
    """Every value that is tried is allowed by its schema, as a validator of somebody else's sees it."""
    with TemporaryDirectory() as name:
        contract = read_contract(write(Path(name), make_contract(side), {})[0])
    sampler = Sampler(Reader(contract))
    for index, case in enumerate(SCHEMA_CASES):
        place = ("paths", f"/schema-{index}", "post", "requestBody", "content", "application/json", "schema")
        values = [value for value in sampler.list_values(place) if sampler.allows(place, value)]
        # What a view does not hold, such as `not`, is for the validator alone to see.
        assert values, case.name
        view = sampler.reader.read(place)
        if not view.keywords.keys() & {"not", "patternProperties"}:
            assert values == sampler.list_values(place), case.name
            assert all(not sampler.refuse(view, value) for value in values)


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("^upload_[A-Za-z0-9]{4}$", "upload_aaaa"),
        (r"^\d{4}-\d{2}$", "0000-00"),
        (r"^[^/\\a]+\.(glb|obj)$", " .glb"),
        ("^a?b*$", "ab"),
        (r"^(?P<x>ab)(?P=x)$", None),
        ("[", None),
        ("((a{1000}){1000}){1000}", None),
    ],
)
def test_text_for_a_pattern(pattern: str, expected: str | None) -> None:
    """A text that matches is found, or none; whatever the pattern, it is not a huge one."""
    assert make_matching(pattern, "a") == expected


def test_bounds_beyond_reason_are_not_tried(tmp_path: Path) -> None:
    """A contract that asks for a text of a gigabyte gets none, and a word that nothing was tried."""

    def change(least: int) -> Edit:
        return lambda document: document["components"]["schemas"]["Thing"]["properties"].update(
            name={"type": "string", "minLength": least}, names={"type": "array", "minItems": least}
        )

    found = tell(tmp_path, edit(change(10**9)), edit(change(2 * 10**9)))
    assert {line.partition(",")[0] for line in found.values() if line} == {"broken: not tried"}
    assert len(found) == 2


def test_long_enum_is_tried_to_its_end(tmp_path: Path) -> None:
    """A value counts, however many stand before it."""

    def change(*values: str) -> Edit:
        names = [f"value{index}" for index in range(60)]
        return lambda document: document["components"]["schemas"]["Kind"].update(enum=[*names, *values])

    (line,) = tell(tmp_path, edit(change("last")), edit(change())).values()
    assert (line or "").startswith('broken: the service refuses kind="last": ')
    assert tell(tmp_path, edit(change()), edit(change("last"))) == {
        'Kind: the value "last" was added': "tolerated: kind reads as the unknown value 'last' (is_known is False)"
    }


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({"pattern": "^[A-Z]+$"}, {"pattern": "^[A-M]+$"}),
        ({"pattern": "^[a-z0-9]+$"}, {"pattern": "^[a-z]+$"}),
        ({}, {"pattern": "^[a-z]*$"}),
    ],
)
def test_pattern_is_tried_with_many_texts(old: Any, new: Any, tmp_path: Path) -> None:
    """A pattern that the plainest texts match may refuse others."""

    def have(keywords: Any) -> Any:
        name = {"type": "string", **keywords}
        return edit(lambda document: document["components"]["schemas"]["Thing"]["properties"].update(name=name))

    (line,) = tell(tmp_path, have(old), have(new)).values()
    assert (line or "").startswith("broken: the service refuses name=")


# What cannot be tried


def test_contract_without_a_client_cannot_be_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What the generator warns of stops the comparison with the contract's name and the generator's words."""

    def change(document: Any) -> None:
        content = document["paths"]["/things/{id}"]["put"]["requestBody"]["content"]
        content["text/plain"] = {"schema": {"type": "string"}}

    def change_more(document: Any) -> None:
        change(document)
        document["components"]["schemas"]["Kind"]["enum"].append("c")

    old, new = write(tmp_path, edit(change), edit(change_more))
    assert main([str(old), str(new), "--fail-on=none"]) == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.startswith(f"{old}: no client can be generated from it: ")
    assert "Unsupported content type text/plain" in output.err
    assert "Traceback" not in output.err
    assert "spec-diff-client" not in output.err


def test_layer_loads_above_any_contract(tmp_path: Path) -> None:
    """Whatever the layer names of the present contract, it can be run above a client that has nothing of it."""
    old, _ = write(tmp_path, BASE, BASE)
    client = generated.wait_for(read_contract(old))
    package = ROOT / "overrides/scenario_uploads"
    rooms = sorted(
        ".".join(path.relative_to(package).with_suffix("").parts)
        for path in package.rglob("[!_]*.py")
        if "sandbox" not in path.parts
    )
    program = "from tools.spec_diff import driver\nimport importlib, sys\n"
    program += "for room in sys.argv[1:]: importlib.import_module(f'scenario_uploads.{room}')\n"
    program += "import scenario_uploads_client.models as models\nprint(models.__file__, driver.MODULES)"
    done = subprocess.run(
        [sys.executable, "-c", program, *rooms],
        env={**os.environ, "PYTHONPATH": os.pathsep.join((str(client), str(ROOT / "overrides"), str(ROOT)))},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert str(client) in done.stdout
    assert "('put', '/things/{}')" in done.stdout


def test_client_that_cannot_be_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that does not even load is an error of its contract and no verdict."""
    package = tmp_path / "client" / "scenario_uploads_client"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise RuntimeError('broken')\n", encoding="utf-8")
    monkeypatch.setattr(generated, "wait_for", lambda _contract: package.parent)
    with pytest.raises(UnreadableError, match=r"old\.json: its client cannot be run: RuntimeError: broken"):
        tell(tmp_path, BASE, edit(lambda document: document["components"]["schemas"]["Kind"]["enum"].append("c")))


def test_contract_with_nonsense_in_it(tmp_path: Path) -> None:
    """Whatever stands where something else should in the new contract, there is a verdict or a clear error."""
    random = Random(20)
    places = [place for place in list_places(BASE) if place and place[0] in ("paths", "components", "security")]
    tried = 0
    while tried < 10:
        *path, last = random.choice(places)
        document = copy.deepcopy(BASE)
        holder: Any = document
        for step in path:
            holder = holder[step]
        holder[last] = random.choice(JUNK)
        try:
            lines = tell(tmp_path, BASE, document).values()
        except UnreadableError:
            continue
        tried += bool(lines)
        assert all(line and line.split(":")[0] in ("nothing", "tolerated", "degraded", "broken") for line in lines)


# Generated aside


def test_client_is_generated_once(tmp_path: Path) -> None:
    """Whoever asks for the clients of two contracts gets the same folders, each with the client of its contract."""
    old, new = map(read_contract, write(tmp_path, BASE, edit(add_value)))
    with generated.generated_clients(old, new) as first:
        texts = [(folder / "scenario_uploads_client/models/kind.py").read_text(encoding="utf-8") for folder in first]
    again = read_contract(old.path)
    with generated.generated_clients(again, new) as second:
        assert first == second
    assert ["C = " in text for text in texts] == [False, True]


def test_client_is_removed_at_the_end(tmp_path: Path) -> None:
    """The process that generated clients leaves nothing behind."""
    old, new = write(tmp_path, BASE, edit(add_value))
    subprocess.run(
        [sys.executable, "-m", "tools.spec_diff", str(old), str(new), "--fail-on=none"],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdout=subprocess.DEVNULL,
        check=True,
    )
    assert not any(path.name.startswith("spec-diff") for path in tmp_path.iterdir())


def add_value(document: Any) -> None:
    document["components"]["schemas"]["Kind"]["enum"].append("c")


# An old client alive


@pytest.fixture
def service() -> Iterator[Server]:
    """A service that answers as contract 1.3.0 says, with all that 1.0.0 does not know."""
    upload = make_upload(kind="text", url=None, config={"new": True}) | {"checksum": {"md5": "0"}}
    dry_run = {"creativeUnitsCost": 5, "creativeUnitsDiscount": 0.5, "costDetails": {}}
    contract = read_contract(CONTRACTS / "1.3.0.yaml")
    for name, value in (("UploadRetrieveResponse", {"upload": upload}), ("UploadDryRunResponse", dry_run)):
        assert list(make_validator(contract, ("components", "schemas", name)).iter_errors(value)) == []

    def answer(exchange: Any) -> None:
        exchange.read_body()
        is_dry = exchange.request.method == "POST" and b"https:" in exchange.request.body
        reply(*((269, dry_run) if is_dry else (200, {"upload": upload})))(exchange)

    with Server(answer) as server:
        yield server


def test_client_of_1_0_0_survives_a_service_of_1_3_0(service: Server) -> None:
    """Unknown values, fields and statuses cost the oldest client no more than a warning; what it sends is right."""
    old, new = (read_contract(CONTRACTS / f"{version}.yaml") for version in ("1.0.0", "1.3.0"))
    client = generated.wait_for(old)
    done = subprocess.run(
        [sys.executable, str(ROOT / "tests/spec_diff/old_client.py"), f"{service.origin}/v1"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join((str(client), str(ROOT / "overrides"), str(ROOT)))},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    create, retrieve, action, dry_run = json.loads(done.stdout)
    for read, model in ((create, "Create"), (retrieve, "Retrieve"), (action, "TriggerAction")):
        assert read == {
            "model": f"Upload{model}Response",
            "status": "imported",
            "kind": "text",
            "is_known": False,
            "extra": {"checksum": {"md5": "0"}},
            "warnings": [],
        }
    # A dry run that it did not ask for has no upload in it.
    assert (dry_run["model"], dry_run["kind"]) == ("UploadCreateResponse", None)
    assert dry_run["warnings"] == ["upload is missing"]
    bodies = {"create_upload": "UploadCreateParams", "trigger_upload_action": "UploadTriggerActionParams"}
    for request in service.requests:
        assert request.query == []
        if request.method == "POST":
            name = bodies["trigger_upload_action" if request.path.endswith("/action") else "create_upload"]
            validator = make_validator(new, ("components", "schemas", name))
            assert list(validator.iter_errors(request.json)) == []
    assert [request.method for request in service.requests] == ["POST", "GET", "POST", "POST"]


def test_verdicts_are_part_of_the_report() -> None:
    """What is added leaves all else as it was."""
    old, new = (read_contract(CONTRACTS / f"{version}.yaml") for version in ("1.0.0", "1.1.0"))
    before = judge(wire.compare(old, new, list), read_policy())
    after = add_installed(before, old, new)
    assert [attrs.evolve(change, installed_clients=None) for change in after] == before
