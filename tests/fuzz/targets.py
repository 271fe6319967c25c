"""What is fuzzed: each target draws an input and checks that nothing comes of it but what is documented."""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import logging
import os
import pickle
import socket
import tempfile
import zlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import h11
import httpx
from attrs import evolve
from hypothesis import strategies as st
from scenario_uploads import (
    APIError,
    InvalidArgumentError,
    Scenario,
    ScenarioError,
    UploadFailedError,
    UploadTimeoutError,
)
from scenario_uploads.api.calls import create, retrieve, trigger_action, wait
from scenario_uploads.api.exchange import Api, fetch
from scenario_uploads.api.responses import BodyReader
from scenario_uploads.arguments import CallOptions
from scenario_uploads.cli import commands as cli
from scenario_uploads.decoding.codec import build_body
from scenario_uploads.models import UploadCreateParams
from scenario_uploads.sandbox.api.magic import find_content_problem
from scenario_uploads.sandbox.api.rules import read_create
from scenario_uploads.sandbox.api.wire import decode_json
from scenario_uploads.sandbox.errors import Refusal
from scenario_uploads.sandbox.storage.gate import find_header_problem
from scenario_uploads.settings.client import ClientArguments, resolve_options
from scenario_uploads.steps import Pause, Send
from scenario_uploads.transfer.connection import Connection, StorageTimeouts
from scenario_uploads.transfer.part import classify_response
from scenario_uploads.transfer.parts import Part
from scenario_uploads.transfer.sockets import Socket
from scenario_uploads.transfer.source import open_source
from scenario_uploads.upload.ledger import SUFFIX, Ledger, clean, list_entries
from starlette.datastructures import Headers

from tests.support.storing import make_body
from tools.contract.document import UnreadableError, read_contract

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SIGNATURE = "f00dfeedSignature"
PRESIGNED = f"https://bucket.example/a/b.glb?partNumber=1&X-Amz-Signature={SIGNATURE}"
UPLOAD = {
    "id": "upload_1",
    "authorId": "user_1",
    "createdAt": "2025-06-30T15:15:27.153Z",
    "fileName": "dragon.glb",
    "kind": "3d",
    "ownerId": "proj_1",
    "source": "multipart",
    "status": "pending",
    "updatedAt": "2025-06-30T15:15:27.153Z",
    "assetOptions": {"collectionIds": ["c"], "hide": True, "parentId": "p"},
    "config": {"a": [1, None, {"b": 2.5}]},
    "contentType": "model/gltf-binary",
    "entityId": "asset_1",
    "errorMessage": "none",
    "fileSize": 9437184,
    "jobId": "job_1",
    "originalFileName": "dragon.glb",
    "parts": [{"expires": "2025-07-01T15:15:27.153Z", "number": 1, "url": PRESIGNED}],
    "partsCount": 1,
    "provider": "civitai",
    "url": "https://example.com/a.glb",
}
REFUSAL = {"reason": "no", "message": "no", "error": {"message": "no"}, "detail": [{"msg": "no"}], "traceId": "1-2"}

TEXTS = st.text(st.characters(exclude_categories=[])) | st.sampled_from(
    ["", "\ud800", "\0", "\u2028", PRESIGNED, "NaN"]
)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | TEXTS | st.just(10**400)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)


def alter(sample: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Objects like a sample, in which any field is as it was, or anything, or absent, and with others besides."""
    some = st.fixed_dictionaries({}, optional={key: st.just(value) | JSON for key, value in sample.items()})
    return st.builds(lambda more, known: more | known, st.dictionaries(TEXTS, JSON, max_size=2), some)


@st.composite
def break_bytes(draw: st.DrawFn, whole: st.SearchStrategy[bytes]) -> bytes:
    """Bytes as they should be, or cut, or with something put in or doubled."""
    data = draw(whole)
    changes = draw(st.integers(0, 3))
    if changes:
        # Half a URL cannot be known for one, so it may not hold what is looked for.
        data = data.replace(SIGNATURE.encode(), b"gone")
    for _ in range(changes):
        at, end = sorted((draw(st.integers(0, len(data))), draw(st.integers(0, len(data)))))
        put = draw(st.binary(max_size=20) | st.just(data[at:end] * 2) | st.just(b""))
        data = data[:at] + put + data[end:]
    return data


def to_text(value: object) -> bytes:
    return json.dumps(value).encode()


BODIES = break_bytes(
    st.builds(lambda upload, more: to_text(more | {"upload": upload}), alter(UPLOAD), st.just({}) | alter({"x": 1}))
    | alter(REFUSAL).map(to_text)
    | JSON.map(to_text)
    | st.binary()
    | st.sampled_from([b"[" * 3000, b'{"upload":' * 3000, b'{"upload": {"fileSize": ' + b"9" * 5000 + b"}}"])
)
STATUSES = st.sampled_from([200, 201, 204, 206, 226, 269, 299, 300, 307, 400, 401, 403, 404, 409, 422, 429, 500, 503])
HEADER_VALUES = st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=40)
HEADERS = st.dictionaries(
    st.sampled_from(["Retry-After", "Date", "Location", "Content-Type", "Content-Encoding", "ETag", "X-Other"]),
    HEADER_VALUES | st.sampled_from(["1", "-1", "1e400", "Wed, 21 Oct 2015 07:28:00 GMT", "br", "gzip", PRESIGNED]),
    max_size=3,
)
PACKINGS: st.SearchStrategy[Callable[[bytes], bytes]] = st.sampled_from([bytes, gzip.compress, zlib.compress])


def check_shown(*texts: str) -> None:
    """What is shown is a short line, and has no secret in it."""
    for text in texts:
        assert len(text) < 6000, len(text)
        assert SIGNATURE not in text


@contextlib.contextmanager
def collect_logs() -> Iterator[list[str]]:
    """Gather what the package logs."""
    told: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: told.append(record.getMessage())  # type: ignore[method-assign]
    logger = logging.getLogger("scenario_uploads")
    before = logger.propagate
    logger.propagate = False
    logger.addHandler(handler)
    try:
        yield told
    finally:
        logger.removeHandler(handler)
        logger.propagate = before


def make_api(*, strict: bool) -> Api:
    arguments = ClientArguments(
        api_key="key_of_test",
        api_secret="s3cret-of-test",
        timeout=1.0,
        base_url="http://api.example/v1",
        max_retries=1,
        strict_responses=strict,
    )
    options = resolve_options({}, arguments)
    return Api(options, draw=lambda: 0.0, clock=lambda: 0.0, now=lambda: NOW)


OPERATIONS: list[Callable[[], Any]] = [
    lambda: create(CallOptions(), {"hugging_face_model_name": "a/b"}),
    lambda: retrieve(CallOptions(), "upload_1"),
    lambda: trigger_action(CallOptions(), "upload_1"),
]


def fuzz_answer(data: st.DataObject) -> None:
    """From the bytes of an answer to a model or one of our errors, whatever the bytes, the status and the headers."""
    api, operation = make_api(strict=data.draw(st.booleans())), data.draw(st.sampled_from(OPERATIONS))()
    steps = fetch(api, operation)
    with collect_logs() as logged:
        try:
            step = next(steps)
            while True:
                step = steps.send(_answer(data, step) if isinstance(step, Send) else None)
                assert isinstance(step, Send | Pause)
        except StopIteration as end:
            model = end.value.value
            check_shown(repr(model)[:5000])
            pickle.loads(pickle.dumps(model))
            model.to_json()
        except ScenarioError as error:
            check_shown(str(error), repr(error), error.message)
            assert len(error.message.splitlines()) == 1
            assert "s3cret-of-test" not in repr(pickle.dumps(error))
            assert str(pickle.loads(pickle.dumps(error))) == str(error)
    check_shown(*logged)


def _answer(data: st.DataObject, step: Send) -> Any:
    body, pack = data.draw(BODIES), data.draw(PACKINGS)
    packed = data.draw(break_bytes(st.just(pack(body)))) if pack is not bytes else body
    headers = data.draw(HEADERS)
    if pack is gzip.compress and data.draw(st.booleans()):
        headers |= {"Content-Encoding": "gzip"}
    response = httpx.Response(data.draw(STATUSES), headers=to_headers(headers), request=step.request)
    reader = BodyReader(response, step.limit)
    size = data.draw(st.integers(1, 500))
    for at in range(0, len(packed), size):
        if not reader.feed(packed[at : at + size]):
            break
    answer = reader.finish(0.0, cut=data.draw(st.booleans()))
    assert len(answer.content) <= step.limit + 1
    return answer


KNOWN_STATUSES = st.sampled_from(["pending", "validating", "validated", "complete", "imported", "failed", "archived"])
FAULTS: list[Callable[[httpx.Request], Exception]] = [
    lambda request: httpx.ReadTimeout("late", request=request),
    lambda request: httpx.ConnectError("refused", request=request),
    lambda request: httpx.RemoteProtocolError("no http", request=request),
    lambda request: OSError("broken"),
]


def fuzz_wait(data: st.DataObject) -> None:
    """Whatever the service answers, and however late: an end, no later than the last look after the deadline."""
    seconds = 0.0
    api = evolve(make_api(strict=data.draw(st.booleans())), clock=lambda: seconds, draw=lambda: 1.0)
    timeout = data.draw(st.floats(0, 30))
    steps = wait(api, "upload_1", timeout, CallOptions())
    outcome: Any = None
    try:
        step = next(steps)
        while True:
            if isinstance(step, Pause):
                assert step.seconds >= 0
                seconds += step.seconds
                step = steps.send(None)
                continue
            assert isinstance(step, Send)
            allowed = step.request.extensions["timeout"]["read"]
            assert 0 < allowed <= max(1.0, timeout - seconds)
            seconds += allowed * data.draw(st.sampled_from([0.01, 0.5, 1.0]))
            if data.draw(st.booleans()):
                step = steps.throw(data.draw(st.sampled_from(FAULTS))(step.request))
            else:
                body = {"upload": UPLOAD | {"entityId": None, "status": data.draw(KNOWN_STATUSES)}}
                code = data.draw(st.sampled_from([200] * 4 + [404, 429, 503]))
                headers = to_headers(data.draw(HEADERS) | {"Content-Encoding": "identity"})
                answer = httpx.Response(code, headers=headers, content=to_text(body), request=step.request)
                answer.elapsed = timedelta()
                step = steps.send(answer)
    except StopIteration as end:
        outcome = end.value.status
    except ScenarioError as error:
        outcome = error
        assert error.upload_id == "upload_1"
    assert outcome == "imported" or isinstance(outcome, APIError | UploadFailedError | UploadTimeoutError)
    # The last look has a second of its own.
    assert seconds <= timeout + 1.001
    if isinstance(outcome, UploadTimeoutError):
        assert seconds >= timeout


HEADS = st.sampled_from(
    [
        b'HTTP/1.1 200 OK\r\nContent-Length: 0\r\nETag: "0"\r\n\r\n',
        b"HTTP/1.1 403 Forbidden\r\nDate: Wed, 21 Oct 2015 07:28:00 GMT\r\nContent-Length: 40\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 503 Slow Down\r\nRetry-After: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.0 200 OK\r\n\r\n",
    ]
)
ERRORS = st.sampled_from(
    [
        b"",
        b"<Error><Code>SlowDown</Code><RequestId>R/1=</RequestId></Error>",
        f"<Error><Code>ExpiredToken</Code><Message>expired {PRESIGNED}</Message></Error>".encode(),
        b"5\r\n<Erro\r\n0\r\n\r\n",
    ]
)
TARGET = Part(1, 0, 4, PRESIGNED, "2025-07-01T15:15:27.153Z")


def fuzz_storage(data: st.DataObject) -> None:
    """From the bytes that storage sends to a verdict, or to what the engine takes for a broken connection."""
    sent = data.draw(break_bytes(st.builds(lambda head, body: head + body, HEADS, ERRORS)) | st.binary())
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(sent)
        theirs.shutdown(socket.SHUT_WR)
        connection = Connection(Socket(ours), StorageTimeouts(connect=1, write=1, read=1), [], forwarded=False)
        try:
            answer = connection.put("http://storage.example/x?sig=1", make_body(open_source(b"glTF")))
        except (OSError, h11.RemoteProtocolError):
            return
        finally:
            connection.close()
    error, _ = classify_response(answer, TARGET, now=NOW)
    if error is None:
        assert 200 <= answer.status < 300
        assert answer.whole
        assert b"<Error" not in answer.body
    else:
        check_shown(str(error), repr(error))


def fuzz_ledger(data: st.DataObject) -> None:
    """Whatever a ledger holds, it is an entry or damaged."""
    head = {
        "upload_id": "upload_1",
        "file": "/data/a.glb",
        "state": {"size": 20, "mtime_ns": 7, "device": 1, "inode": 2, "ctime_ns": 8},
        "part_size": 10,
        "parts": [[PRESIGNED, "2025-07-01"], [PRESIGNED, ""]],
        "version": 2,
        "begun": 0.5,
    }
    lines = st.builds(
        lambda head, parts: b"".join(to_text(line) + b"\n" for line in [head, *parts]),
        st.just(head) | alter(head),
        st.lists(st.just({"part": 1}) | alter({"part": 2, "md5": "0" * 32}) | JSON, max_size=3),
    )
    content = data.draw(break_bytes(lines) | st.binary())
    with tempfile.TemporaryDirectory() as name, collect_logs() as logged:
        folder = Path(name)
        with contextlib.closing(Ledger(folder / f"key{SUFFIX}")) as ledger:
            ledger.path.write_bytes(content)
            read = ledger.read()
        listed = [entry for _, entry in list_entries(folder)]
        assert listed == ([] if read is None else [read])
        if read is not None:
            assert set(read.done) <= set(range(1, len(read.parts) + 1))
            assert SIGNATURE not in repr(read)
        # One without a whole line is as good as empty, and is not left behind.
        assert clean(folder) == (b"\n" in content)
    check_shown(*logged)


WORDS = st.sampled_from(
    [
        *["upload", "status", "wait", "resume", "--help", "--version", "--json", "--clean", "--no-wait", "--sandbox"],
        *["--kind", "--content-type", "--file-name", "--part-size", "--concurrency", "--max-bandwidth", "--timeout"],
        *["--integrity", "--no-integrity", "--resume", "--no-resume", "--base-url", "--", "-", "--nonsense"],
        *["image", "3d", "model/gltf-binary", "5242880", "0", "1", "-1", "1e9", "nan", "inf", "99999999999999999999"],
        *["http://api.example", "https://u:p@h/", "http://[", "upload_1", "..", "a/b", "%2e", PRESIGNED],
        *["FILE", "EMPTY", "FOLDER", "MISSING", "PIPE", "CSV", "JSONL"],
        *[
            "complete",
            "config",
            "show",
            "-r",
            "--include",
            "--manifest",
            "--dry-run",
            "--no-ledger",
            "--collection",
            "--hide",
        ],
        *["--patience", "--profile", "-q", "-v", "-h", "--all", "20MB/s", "32MiB", "15m", "*.glb"],
    ]
)
MANIFESTS = st.text(max_size=60) | st.lists(
    st.sampled_from(
        ["file", "kind", ",", ";", "\n", '"', "a.glb", "3d", '{"file": "a.glb"}', "{}", "hide", "\ufeff", "\0"]
    )
).map("".join)
NO_NUL = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
ARGUMENTS = st.lists(WORDS | NO_NUL, max_size=8)
CODES = {0, 1, 2, 3, 4, 5, 6, 7, 8, 130}


class _Captured(io.StringIO):
    def fileno(self) -> int:
        raise OSError("this is no file")


def fuzz_command_line(data: st.DataObject) -> None:
    """Whatever the arguments and the answers: a documented exit code, one line for an error, JSON when asked for."""
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        (folder / "a.glb").write_bytes(b"glTF")
        (folder / "empty.glb").write_bytes(b"")
        (folder / "list.csv").write_text(data.draw(MANIFESTS), encoding="utf-8")
        (folder / "list.jsonl").write_text(data.draw(MANIFESTS), encoding="utf-8")
        places = {
            "FILE": folder / "a.glb",
            "EMPTY": folder / "empty.glb",
            "FOLDER": folder,
            "MISSING": folder / "none",
            "PIPE": Path(os.devnull),
            "CSV": folder / "list.csv",
            "JSONL": folder / "list.jsonl",
        }
        arguments = [str(places.get(word, word)) for word in data.draw(ARGUMENTS)]
        status, body, headers = data.draw(STATUSES), data.draw(BODIES), data.draw(HEADERS)
        # No part is ever sent: where it would go is up to the answer.
        transport = httpx.MockTransport(
            lambda request: httpx.Response(
                400 if request.method == "POST" else status,
                content=body,
                headers=to_headers(headers | {"Content-Encoding": "identity"}),
            )
        )

        def connect(**options: Any) -> Scenario:
            given: Any = options | {"api_key": "key_of_test", "api_secret": "s3cret-of-test"}
            client = stack.enter_context(httpx.Client(transport=transport))
            return Scenario(**given, http_client=client, max_retries=0)

        output, errors = _Captured(), _Captured()
        for target, replacement in {
            "scenario_uploads.cli.connect.Scenario": connect,
            "scenario_uploads.cli.connect.open_sandbox": mock.Mock(side_effect=InvalidArgumentError("no sandbox here")),
            "scenario_uploads.cli.commands.find_state_folder": lambda: folder / "ledgers",
            "scenario_uploads.upload.prepare.find_state_folder": lambda: folder / "ledgers",
            "scenario_uploads.bulk.ledger.find_state_folder": lambda: folder / "ledgers",
            "scenario_uploads.lines.os.dup2": mock.Mock(side_effect=AssertionError("stdout could not be written")),
            "scenario_uploads.api.calls.check_seconds": lambda *_, **__: 0.0,
        }.items():
            stack.enter_context(mock.patch(target, replacement))
        stack.enter_context(contextlib.redirect_stdout(output))
        stack.enter_context(contextlib.redirect_stderr(errors))
        code = cli.run(arguments)
        out, err = output.getvalue(), errors.getvalue()
        assert code in CODES - {1}, (code, arguments)
        assert SIGNATURE not in out + err
        assert "s3cret-of-test" not in out + err
        assert "Traceback" not in err
        if code:
            told = [line for line in err.splitlines() if line.startswith("error: ")]
            # Several files have a line each.
            assert code == 8 or bool(told) != out.startswith("Usage: "), err
            assert " uploaded, " in err or "dry-run" in str(arguments) or len(told) <= 1, err
        if "--json" in arguments and not {"--help", "-h", "--version"} & set(arguments) and "Usage: " not in out:
            assert all(isinstance(json.loads(line), dict) for line in out.splitlines())


def to_headers(headers: dict[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]


CREATE = {
    "fileName": "a.glb",
    "contentType": "model/gltf-binary",
    "fileSize": 4,
    "parts": 1,
    "kind": "3d",
    "url": "https://example.com/a.png",
    "huggingFaceModelName": "a/b",
    "civitaiModelUrl": "https://civitai.com/models/1",
    "assetOptions": {"hide": True},
}
ARGUMENT_NAMES = {
    "file_name": "a.glb",
    "content_type": "image/png",
    "file_size": 4,
    "parts": 1,
    "kind": "3d",
    "url": "https://example.com",
    "asset_options": {"hide": True},
}


def fuzz_arguments(data: st.DataObject) -> None:
    """Whatever Python values a caller gives: a body, or an error that names what is wrong."""
    given = data.draw(alter(ARGUMENT_NAMES))
    try:
        params = build_body(UploadCreateParams, "create", given)
    except InvalidArgumentError as error:
        assert len(str(error).splitlines()) == 1
    else:
        json.dumps(params.to_dict())


def fuzz_sandbox(data: st.DataObject) -> None:
    """Whatever a request says, the sandbox refuses it or knows what is asked; whatever a file holds, it is judged."""
    body = data.draw(break_bytes(alter(CREATE).map(to_text)))
    head = data.draw(st.binary(max_size=200))
    with contextlib.suppress(Refusal):
        value = decode_json(body)
        known = {name: item for name, item in (value or {}).items() if type(item) is type(CREATE.get(name))}
        asked = read_create(known)
        assert not set(asked.file_name) & set("/\\\0")
        find_content_problem(
            kind=asked.kind,
            content_type=asked.content_type,
            file_name=asked.file_name,
            head=head,
            size=len(head) + data.draw(st.integers(0, 10)),
        )
    names = st.sampled_from(["content-length", "authorization", "x-amz-meta", "content-md5", "host"])
    pairs = data.draw(st.dictionaries(names, HEADER_VALUES, max_size=4))
    if "content-length" in pairs:
        # uvicorn lets nothing else through.
        pairs["content-length"] = str(data.draw(st.integers(0, 10**30)))
    query = data.draw(st.dictionaries(st.sampled_from(["X-Amz-Signature", "X-Amz-SignedHeaders"]), HEADER_VALUES))
    find_header_problem(Headers(pairs), query)


def fuzz_contract(data: st.DataObject) -> None:
    """Whatever a stranger's contract holds, it is read, or it is said which line cannot be."""
    sample = (
        b"openapi: 3.1.1\ninfo: {title: x, version: 1.0.0}\npaths:\n  /a:\n    get: &g {operationId: a}\n  /b: *g\n"
    )
    content = data.draw(break_bytes(st.just(sample) | JSON.map(to_text)) | st.binary())
    with tempfile.TemporaryDirectory() as name:
        path = Path(name, "openapi.yaml")
        path.write_bytes(content)
        try:
            read_contract(path)
        except UnreadableError as error:
            assert str(error).startswith(str(path))


TARGETS: dict[str, Callable[[st.DataObject], None]] = {
    "answer": fuzz_answer,
    "wait": fuzz_wait,
    "storage": fuzz_storage,
    "ledger": fuzz_ledger,
    "command-line": fuzz_command_line,
    "arguments": fuzz_arguments,
    "sandbox": fuzz_sandbox,
    "contract": fuzz_contract,
}
