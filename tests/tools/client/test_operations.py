"""Methods and types that are made of a contract."""

import ast
import copy
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.spec_diff.support import CONTRACTS
from tools.client import generate, operations
from tools.client.operations import TYPES, write_operations
from tools.client.unasync import PACKAGE
from tools.contract.document import Contract, UnreadableError, read_contract
from tools.project import ROOT

Edit = Callable[[Callable[[Any], object]], Contract]
METHODS = PACKAGE / "client" / "async_operations.py"
LIST = {
    "operationId": "list_uploads",
    "summary": "List uploads",
    "tags": ["library"],
    "parameters": [
        {"name": "pageSize", "in": "query", "description": "How many.", "schema": {"type": "integer"}},
        {
            "name": "kinds",
            "in": "query",
            "schema": {"type": "array", "items": {"$ref": "#/components/schemas/UploadKind"}},
        },
    ],
    "responses": {
        "200": {
            "description": "Those there are.",
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/UploadListResponse"}}},
        }
    },
}
LISTED = {
    "type": "object",
    "properties": {"uploads": {"type": "array", "items": {"$ref": "#/components/schemas/Upload"}}},
}

JSON = {"application/json": {"schema": {"type": "object"}}}

LATER = {
    "description": "Later.",
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/UploadDryRunResponse"}}},
}
BYTES = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}


@pytest.fixture(autouse=True)
def _format_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Formatting is ruff's, and takes long for this many modules."""
    monkeypatch.setattr(operations, "format_module", lambda text, _: text.encode())


@pytest.fixture
def edit(tmp_path: Path) -> Edit:
    """Return the contract with a change."""

    def edit(change: Callable[[Any], object]) -> Contract:
        document = yaml.safe_load((ROOT / "openapi.yaml").read_text(encoding="utf-8"))
        change(document)
        path = tmp_path / "openapi.yaml"
        path.write_text(json.dumps(document, indent=1), encoding="utf-8")
        return read_contract(path)

    return edit


def add_operation(document: Any) -> None:
    document["paths"]["/uploads"]["get"] = copy.deepcopy(LIST)
    document["components"]["schemas"]["UploadListResponse"] = LISTED


def add_field(document: Any, **schema: Any) -> None:
    document["components"]["schemas"]["page_size"] = {"type": "integer"}
    document["components"]["schemas"]["UploadCreateParams"]["properties"]["colourSpace"] = schema


def find_class(text: bytes, name: str) -> ast.ClassDef:
    (found,) = [node for node in ast.parse(text).body if isinstance(node, ast.ClassDef) and node.name == name]
    return found


def list_arguments(text: bytes, kind: str, method: str) -> list[list[str]]:
    """Return the names of the arguments of a method, and of its overloads before it."""
    functions = [node for node in find_class(text, kind).body if isinstance(node, ast.AsyncFunctionDef)]
    found = [node.args for node in functions if node.name == method]
    return [
        [f"{each.arg}: {ast.unparse(each.annotation or each)}" for each in (*args.args[1:], *args.kwonlyargs)][:-4]
        for args in found
    ]


def test_a_contract_says_which_arguments_there_are() -> None:
    """Of the first released version and of the third, that had the project and the dry run besides."""
    first, third = (write_operations(read_contract(CONTRACTS / f"{version}.yaml")) for version in ("1.0.0", "1.3.0"))
    (before,) = list_arguments(first[METHODS], "AsyncUploadsOperations", "create")
    *overloads, after = list_arguments(third[METHODS], "AsyncUploadsOperations", "create")
    assert after == [
        *before,
        "dry_run: UploadDryRun | str | Literal[True] | Omit | None",
        "project_id: str | Omit | None",
    ]
    assert [each[-2] for each in overloads] == ["dry_run: Omit | None", "dry_run: UploadDryRun | str | Literal[True]"]
    assert b"project_id" not in b"".join(first.values())


@pytest.mark.parametrize(
    ("schema", "taken", "held"),
    [
        ({"type": "string"}, "str", "str"),
        ({"type": ["boolean", "null"]}, "bool", "bool"),
        ({"type": "array", "items": {"type": "number"}}, "Sequence[float]", "list[float]"),
        ({"$ref": "#/components/schemas/UploadKind"}, "UploadKind | str", "str"),
        ({"$ref": "#/components/schemas/UploadPart"}, "UploadPart | Mapping[str, object]", "ColourSpace"),
        (
            {"type": "array", "items": {"$ref": "#/components/schemas/UploadPart"}},
            "Sequence[UploadPart | Mapping[str, object]]",
            "list[dict[str, object]]",
        ),
        ({"$ref": "#/components/schemas/page_size"}, "int", "int"),
        ({"type": "object", "properties": {"a": {}}}, "object", "object"),
        ({}, "object", "object"),
    ],
)
def test_a_new_field_is_an_argument(edit: Edit, schema: dict[str, Any], taken: str, held: str) -> None:
    """By itself: in the signatures, the docstring, what is sent, and the type of the keyword arguments."""
    written = write_operations(edit(lambda document: add_field(document, description="Which `colourSpace`.", **schema)))
    text = written[METHODS]
    for arguments in list_arguments(text, "AsyncUploadsOperations", "create"):
        assert f"colour_space: {taken} | Omit | None" in arguments
    assert b"            colour_space: Which `colour_space`." in text
    assert b'"colour_space": colour_space' in text
    params = find_class(written[TYPES / "upload_create_params.py"], "UploadCreateParams")
    assert f"colour_space: {held}" in [ast.unparse(each) for each in params.body]


def test_a_new_operation_is_a_method(edit: Edit) -> None:
    """With a class for its tag, its raw and streamed forms, and its types."""
    written = write_operations(edit(add_operation))
    text = written[METHODS]
    assert list_arguments(text, "AsyncLibraryOperations", "list_uploads") == [
        ["page_size: int | Omit | None", "kinds: Sequence[UploadKind | str] | Omit | None"]
    ]
    for kind in ("AsyncLibraryWithRawResponse", "AsyncLibraryWithStreamingResponse"):
        assert "self.list_uploads = " in ast.unparse(find_class(text, kind))
    assert find_class(written[TYPES / "upload_list_params.py"], "UploadListParams")
    models = "Upload, UploadAssetOptions, UploadListResponse, UploadPart"
    assert f"import {models}\n".encode() in written[TYPES / "upload_list_response.py"]
    assert b"from .upload_list_response import UploadListResponse" in written[TYPES / "__init__.py"]


@pytest.mark.parametrize("words", ['"""C:\\new"""', 'a "name"', "a\\", "{{ tag }} {% raw %}"])
def test_descriptions_are_words_and_no_code(edit: Edit, words: str) -> None:
    """Whatever is in them."""
    text = write_operations(edit(lambda document: add_field(document, description=words)))[METHODS]
    kind = find_class(text, "AsyncUploadsOperations")
    *_, method = [each for each in kind.body if isinstance(each, ast.AsyncFunctionDef) and each.name == "create"]
    shown = "colour_space: " + words.replace(chr(34) * 3, chr(39) * 3)
    assert shown in [line.strip() for line in (ast.get_docstring(method) or "").splitlines()]


def test_a_method_is_not_called_as_a_keyword(edit: Edit) -> None:
    def rename(document: Any) -> None:
        document["paths"]["/uploads/{uploadId}"]["get"]["operationId"] = "import_upload"

    assert list_arguments(write_operations(edit(rename))[METHODS], "AsyncUploadsOperations", "import_")


def test_a_success_without_a_body_adds_nothing_to_one_with(edit: Edit) -> None:
    def add(document: Any) -> None:
        document["paths"]["/uploads/{uploadId}"]["get"]["responses"]["204"] = {"description": "Nothing new."}

    assert write_operations(edit(add)) == write_operations(edit(lambda document: None))


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda operation: operation["parameters"][0].update({"in": "header"}), "path or the query can be an argument"),
        (lambda operation: operation["responses"]["200"]["content"].update(JSON), "whose name is that of its model"),
        (lambda operation: operation.update(responses={"400": {"description": "No."}}), "needs a success"),
        (lambda operation: operation.update(responses={"204": {"description": "Done."}}), "success with a body"),
        (lambda operation: operation["responses"]["200"].update(content=BYTES), "bodies of application/json alone"),
        (lambda operation: operation.update(requestBody={"content": BYTES}), "bodies of application/json alone"),
        (lambda operation: operation["responses"].update({"202": LATER}), "need a parameter .* that asks for one"),
        (lambda operation: operation.pop("summary"), "nothing is at .*summary"),
        (lambda operation: operation["parameters"][0].update(name="timeout"), "two arguments .* called 'timeout'"),
        (lambda operation: operation["parameters"][0].update(name="kinds"), "two arguments .* called 'kinds'"),
    ],
    ids=[
        "header",
        "schema without a name",
        "no success",
        "no body",
        "bytes",
        "a form",
        "two models",
        "no summary",
        "taken name",
        "same name",
    ],
)
def test_what_cannot_be_written_is_refused(edit: Edit, change: Callable[[Any], object], problem: str) -> None:
    """With its line in the contract."""

    def add(document: Any) -> None:
        add_operation(document)
        change(document["paths"]["/uploads"]["get"])

    with pytest.raises(UnreadableError, match=rf"openapi\.yaml:\d+: .*{problem}"):
        write_operations(edit(add))


def test_what_the_contract_has_no_more_goes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The types of an operation that is gone are named by the check, and removed."""
    shutil.copytree(ROOT / PACKAGE, tmp_path / PACKAGE, ignore=shutil.ignore_patterns("__pycache__", "sandbox"))
    stray = tmp_path / TYPES / "upload_delete_params.py"
    stray.touch()
    target = ["--target", str(tmp_path / "generated_client")]
    assert generate.main(["--check", *target]) == 1
    assert f"stray file, not from the contract: {stray.relative_to(tmp_path).as_posix()}" in capsys.readouterr().out
    assert generate.main(target) == 0
    assert not stray.exists()
    assert generate.main(["--check", *target]) == 0
