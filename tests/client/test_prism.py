"""The client against a service that others made from the same contract: Prism, a mock server from npm.

The sandbox is ours, and might share our misreading of `openapi.yaml`. Prism checks each request against the contract
and answers with its examples, or with what it makes up from the schemas.
"""

from __future__ import annotations

import copy
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from scenario_uploads import APIStatusError, InternalServerError
from scenario_uploads.api.responses import STATUS_ERRORS
from scenario_uploads.decoding.codec import find_json_names
from scenario_uploads.models import UploadCreateParams

from tests.support.clients import Connect
from tests.support.server import until

ROOT = Path(__file__).parents[2]
PRISM = ROOT / "node_modules" / ".bin" / "prism"
UPLOAD_ID = "upload_ZJvXr7nTqXUBNgL6wEAhyPqT"


@cache
def read_contract() -> Any:
    return yaml.safe_load((ROOT / "openapi.yaml").read_text(encoding="utf-8"))


def resolve(node: Any) -> Any:
    """Return what a node says, or what its `$ref` says."""
    while "$ref" in node:
        target = read_contract()
        for step in node["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        node = target
    return node


def list_operations() -> Iterator[tuple[str, Any]]:
    for item in read_contract()["paths"].values():
        for node in item.values():
            if "operationId" in node:
                yield node["operationId"], node


def list_answers() -> Iterator[tuple[str, int, str | None, Any]]:
    """Yield operation, status, the name of an example if it has one, and its value."""
    for operation, node in list_operations():
        for status, answer in node["responses"].items():
            content = resolve(answer)["content"]["application/json"]
            code = int(status.replace("XX", "03"))
            if "example" in content:
                yield operation, code, None, content["example"]
            for name, example in content.get("examples", {}).items():
                yield operation, code, name, resolve(example)["value"]


def list_requests() -> Iterator[tuple[str, str, Any]]:
    """Yield operation, name and value of each example of a body."""
    for operation, node in list_operations():
        content = node.get("requestBody", {}).get("content", {}).get("application/json", {})
        for name, example in content.get("examples", {}).items():
            yield operation, name, resolve(example)["value"]


ANSWERS = [answer for answer in list_answers() if answer[1] < 300]
REFUSALS = [answer for answer in list_answers() if answer[1] >= 300]
REQUESTS = list(list_requests())


@pytest.fixture(scope="module")
def prism(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a Prism that serves the contract."""
    assert PRISM.exists(), "run: make setup-node"
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    folder = tmp_path_factory.mktemp("prism")
    log, contract = folder / "log", copy.deepcopy(read_contract())
    # Prism would make up ten thousand parts, and take a minute over it.
    contract["components"]["schemas"]["Upload"]["properties"]["parts"]["maxItems"] = 3
    (folder / "openapi.yaml").write_text(yaml.safe_dump(contract, sort_keys=False), encoding="utf-8")
    with (
        log.open("w") as output,
        subprocess.Popen(
            [PRISM, "mock", folder / "openapi.yaml", "--host", "127.0.0.1", "--port", "0"],
            env=os.environ | {"PATH": path, "NO_COLOR": "1"},
            stdout=output,
            stderr=output,
            # A group of its own: what is started is a program of Python that starts Node.
            process_group=0,
        ) as process,
    ):

        def find_address() -> str | None:
            assert process.poll() is None, log.read_text()
            found = re.search(r"listening on (http://127\.0\.0\.1:\d+)", log.read_text())
            return found and found.group(1)

        try:
            until(find_address, 60)
            yield find_address() or ""
        finally:
            # It takes long over ending by itself.
            os.killpg(process.pid, signal.SIGKILL)


Calling = Callable[..., Any]


@pytest.fixture
def call(connect: Connect, prism: str) -> Iterator[Calling]:
    """Call an operation as `Prefer` says; every request has to be valid by the contract."""
    given: list[Any] = []
    violations: list[str] = []

    def check(response: httpx.Response) -> None:
        violations.extend(response.headers.get_list("sl-violations"))

    async def check_async(response: httpx.Response) -> None:
        check(response)

    def run(operation: str, prefer: str, **arguments: Any) -> Any:
        hooks = {"response": [check_async if connect.is_async else check]}
        made: Any = httpx.AsyncClient if connect.is_async else httpx.Client
        given.append(made(event_hooks=hooks, trust_env=False))
        client = connect(
            prism,
            default_headers={"Prefer": prefer},
            strict_responses=True,
            max_retries=0,
            http_client=given[-1],
        )
        match operation:
            case "create_upload":
                return client.uploads.create(**arguments or {"hugging_face_model_name": "a/b"})
            case "retrieve_upload":
                return client.uploads.retrieve(UPLOAD_ID)
            case "trigger_upload_action":
                return client.uploads.trigger_action(UPLOAD_ID, action="complete")
        raise AssertionError(f"this test knows no {operation}")

    yield run
    for client in given:
        if connect.is_async:
            connect.run(client.aclose())
        else:
            client.close()
    assert violations == []


def drop_null(value: Any) -> Any:
    """Return a JSON value without the fields that are null; to the client they are absent."""
    if isinstance(value, dict):
        return {key: drop_null(item) for key, item in value.items() if item is not None}
    return [drop_null(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize(
    ("operation", "status", "name", "value"), ANSWERS, ids=[f"{answer[0]}-{answer[2]}" for answer in ANSWERS]
)
def test_each_example_of_an_answer_is_read_whole(
    call: Calling, operation: str, status: int, name: str | None, value: Any
) -> None:
    """Under `strict_responses`, so that nothing in it is a surprise."""
    asked = {} if status == 200 else {"hugging_face_model_name": "a/b", "dry_run": "true"}
    prefer = f"code={status}" + (f", example={name}" if name else "")
    assert drop_null(value) == call(operation, prefer, **asked).to_dict(exclude_none=True)
    assert status in (200, 269)


@pytest.mark.parametrize(
    ("operation", "status", "name", "value"), REFUSALS, ids=[f"{answer[0]}-{answer[1]}" for answer in REFUSALS]
)
def test_each_example_of_a_refusal_is_its_error(
    call: Calling, operation: str, status: int, name: str | None, value: Any
) -> None:
    with pytest.raises(APIStatusError) as caught:
        call(operation, f"code={status}" + (f", example={name}" if name else ""))
    error = caught.value
    assert (error.status_code, error.body) == (status, value)
    assert type(error) is STATUS_ERRORS.get(status, InternalServerError)
    assert error.reason == next(value[key] for key in ("reason", "message", "error", "detail") if key in value)
    assert error.trace_id == value.get("traceId", value.get("trace_id"))


@pytest.mark.parametrize(
    ("operation", "name", "value"), REQUESTS, ids=[f"{request[0]}-{request[1]}" for request in REQUESTS]
)
def test_each_example_of_a_request_can_be_made(call: Calling, operation: str, name: str, value: Any) -> None:
    """From Python's names, and accepted by Prism's own check."""
    attributes = {key: attribute for attribute, key in find_json_names(UploadCreateParams).items()}
    arguments = {attributes[key]: item for key, item in value.items()} if operation == "create_upload" else {}
    answer = call(operation, "code=200", **arguments)
    assert answer.upload.id


@pytest.mark.parametrize("operation", [operation for operation, _ in list_operations()])
def test_what_is_made_up_from_the_schemas_is_read_without_surprise(call: Calling, operation: str) -> None:
    """Values of all kinds in every field, nulls and fields that the contract does not name."""
    seen = {repr(call(operation, "code=200, dynamic=true").to_dict()) for _ in range(20)}
    assert len(seen) > 10


def test_prism_would_object(prism: str) -> None:
    """The tests above can fail: what breaks the contract is seen."""
    with httpx.Client(base_url=prism, trust_env=False, auth=("key", "secret")) as client:
        answer = client.post("/uploads", json={"kind": "nonsense", "parts": 0})
        assert answer.status_code == 422
        assert "allowed values" in answer.headers["sl-violations"]
