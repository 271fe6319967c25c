"""Nothing secret is in what anybody reads: logs of every level, errors and what is under them, reprs, the terminal."""

from __future__ import annotations

import base64
import gc
import html
import json
import logging
import os
import pickle
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from scenario_uploads import APIError, Scenario, ScenarioError, redaction
from scenario_uploads.cli import commands
from scenario_uploads.logs import guard_logs

from tests.support.clients import Clock, Connect
from tests.support.pickles import pickle_whole
from tests.support.server import Answering, Exchange, encode_head, hang, lose, reply
from tests.support.service import SIGNATURE, UPLOAD_ID, Service, answer_upload, make_upload
from tests.support.storing import bucket

KEY, SECRET, TOKEN = "key/of+test", 's3cret/of"test&é', "t0ken/of+test.signed"
PAIR = base64.b64encode(f"{KEY}:{SECRET}".encode()).decode()
CREDENTIALS = [{"api_key": KEY, "api_secret": SECRET}, {"bearer_auth": TOKEN}]
PRESIGNED = f"https://bucket.s3.example/a/b.glb?partNumber=1&X-Amz-Credential=AKIA0&X-Amz-Signature={SIGNATURE}"
ROOT = Path(__file__).parents[2]


def lose_body(exchange: Exchange) -> None:
    """Break off in the middle of a body."""
    exchange.read_body()
    exchange.send(encode_head(200, [("Content-Length", "10")]) + b"{}")
    lose(exchange)


def spell(secret: str) -> set[str]:
    """Return the ways in which a secret may be written."""
    written = {secret, json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1], html.escape(secret)}
    written |= {quote(secret), quote(secret, safe=""), repr(secret)[1:-1], repr(secret.encode())[2:-1]}
    return written | {text.replace("/", "\\/") for text in written}


CLIENTS = {text for secret in (KEY, SECRET, TOKEN, PAIR) for text in spell(secret)}
SECRETS = CLIENTS | spell(SIGNATURE)


def find_secrets(text: str) -> list[str]:
    return [secret for secret in SECRETS if secret in text]


def echo(status: int, write: Any) -> Answering:
    """Answer with what was sent, as careless services and gateways do."""

    def answer(exchange: Exchange) -> None:
        header = exchange.request.header("authorization") or ""
        told = header.partition(" ")[2]
        if header.startswith("Basic"):
            key, _, secret = base64.b64decode(told).decode().partition(":")
            told = f"{told} which is {key} and {secret}"
        reply(status, write(told, header), {"X-Echo": f"authorization={header}"})(exchange)

    return answer


def write_json(told: str, header: str) -> bytes:
    return json.dumps({"reason": f"wrong: {told}", "request": {"authorization": header}}).encode()


def write_escaped(told: str, header: str) -> bytes:
    return json.dumps({"reason": f"wrong: {told}"}, ensure_ascii=False).replace("/", "\\/").encode()


def write_html(told: str, header: str) -> bytes:
    return f"<html><b>Bad gateway</b> {html.escape(told)} {html.escape(header)} {quote(told)}</html>".encode()


ECHOES = ("echo", "escaped", "html", "broken")
FAULTS: dict[str, list[Answering]] = {
    "echo": [echo(401, write_json)],
    "escaped": [echo(403, write_escaped)],
    "html": [echo(502, write_html)],
    "broken": [echo(200, write_html)],
    "redirect": [reply(307, b"", {"Location": PRESIGNED, "X-Echo": f"see {PRESIGNED}"})],
    "reason": [reply(400, {"reason": f"cannot fetch {PRESIGNED}", "traceId": PRESIGNED})],
    "no object": [reply(200, [PRESIGNED])],
    "odd": [reply(200, {"upload": PRESIGNED, PRESIGNED: [PRESIGNED]})],
    "failed": [answer_upload(status="failed", errorMessage=f"cannot fetch {PRESIGNED} with Bearer {PAIR}")],
    "wrong types": [answer_upload(status=[PRESIGNED], kind=PRESIGNED, parts=[{"url": PRESIGNED}], url=PRESIGNED)],
    "lost": [lose] * 3,
    "silent": [hang],
    "no http": [lambda exchange: exchange.send(f"{PRESIGNED} Basic {PAIR}\r\n\r\n".encode())],
    "cut": [reply(200, f'{{"upload": "{PRESIGNED}'.encode(), length=9999)] * 3,
    "packed": [reply(200, PRESIGNED.encode(), {"Content-Encoding": "gzip"})],
}


def chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and everything under it."""
    seen: list[BaseException] = []
    todo = [error]
    while todo:
        one = todo.pop()
        if one not in seen:
            seen.append(one)
            todo += [under for under in (one.__cause__, one.__context__) if under is not None]
            yield one


def show(error: BaseException) -> str:
    """Return all that people, debuggers, reports and other processes get to see of an error."""
    shown: list[str] = list(traceback.format_exception(error))
    for one in chain(error):
        shown += [str(one), repr(one), *getattr(one, "__notes__", [])]
        shown += [f"{name}={value!r}" for name, value in vars(one).items() if name != "body"]
        if isinstance(one, ScenarioError):
            # What the service said stays as it came, for programs; what it repeated of the credentials does not.
            said = (
                repr(pickle.dumps(one)) + repr(pickle_whole(one)) + getattr(getattr(one, "response", None), "text", "")
            )
            shown += [secret for secret in CLIENTS if secret in said]
    return "\n".join(shown)


@pytest.mark.parametrize(
    ("fault", "credentials"),
    # Only the echoes repeat the credentials of a request; of the others, one kind is as good as the other.
    [(fault, given) for fault in FAULTS for given in (CREDENTIALS if fault in ECHOES else CREDENTIALS[:1])],
)
def test_nothing_secret_is_shown_of_any_fault_of_the_api(
    connect: Connect,
    service: Service,
    clock: Clock,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    credentials: dict[str, str],
    fault: str,
) -> None:
    """With every logger of the process at DEBUG: ours, httpx's, httpcore's."""
    client = connect(
        service.url, timeout=httpx.Timeout(300, read=0.15 if fault == "silent" else 300), max_retries=2, **credentials
    )
    text = ""
    with caplog.at_level(logging.DEBUG):
        for step in ("create", "retrieve", "complete"):
            service.script(step, *FAULTS[fault])
        for call in (
            lambda: client.uploads.create(hugging_face_model_name="a/b"),
            lambda: client.uploads.retrieve(UPLOAD_ID),
            lambda: client.uploads.trigger_action(UPLOAD_ID, action="complete"),
            lambda: client.uploads.upload_file(b"glTF", file_name="a.glb", timeout=0),
        ):
            try:
                text += repr(call())
            except ScenarioError as error:
                text += show(error)
    text += repr(client) + repr(vars(client)) + repr(vars(client.uploads)) + caplog.text
    text += "\n".join(repr(vars(record)) for record in caplog.records)
    captured = capfd.readouterr()
    assert any(record.name.startswith("httpcore") for record in caplog.records)
    assert find_secrets(text + captured.out + captured.err) == []


@pytest.mark.parametrize("credentials", CREDENTIALS)
@pytest.mark.parametrize(
    ("step", "fields"),
    [
        ("retrieve", {"status": "failed", "errorMessage": "{}"}),
        ("retrieve", {"status": "failed", "errorMessage": "x" * 490 + " {}"}),
        ("retrieve", {"status": "{}"}),
        ("create", {"status": "pending", "parts": "{}", "fileSize": "{}", "kind": ["{}"]}),
        ("create", {"id": "{}", "status": "pending"}),
        ("create", {"id": "../{}", "status": "pending"}),
        ("complete", {"status": "failed", "errorMessage": "{}", "config": "{}"}),
    ],
)
@pytest.mark.parametrize("told", ["secret", "header"])
def test_48_nothing_that_a_success_repeats_is_shown(
    connect: Connect,
    service: Service,
    caplog: pytest.LogCaptureFixture,
    clock: Clock,
    credentials: dict[str, str],
    step: str,
    fields: dict[str, Any],
    told: str,
) -> None:
    def answer(exchange: Exchange) -> None:
        header = exchange.request.header("authorization") or ""
        told_secret = SECRET if "api_secret" in credentials else TOKEN
        text = json.dumps({"upload": make_upload(**{"entityId": None} | fields)})
        text = text.replace("{}", json.dumps(f"{header if told == 'header' else told_secret}")[1:-1])
        reply(200, text.encode())(exchange)

    service.script(step, *[answer] * 500)
    client = connect(service.url, **credentials)
    with caplog.at_level(logging.DEBUG), pytest.raises(ScenarioError) as caught:
        client.uploads.upload_file(b"x", file_name="a.glb", timeout=10, wait=step != "complete")
    error = caught.value
    # Its `upload`, `upload_id` and `status` are what the service said, for programs.
    shown = "".join(traceback.format_exception(error)) + repr([error, *chain(error)]) + caplog.text
    shown += f"{getattr(error, 'reason', None)}"
    shown += "\n".join(f"{record.msg} {record.args}" for record in caplog.records if record.name.startswith("scenario"))
    assert [secret for secret in find_secrets(shown) if secret in CLIENTS] == []


def test_the_log_holds_no_escape_sequences(connect: Connect, caplog: pytest.LogCaptureFixture) -> None:
    """Those who read it do so in a terminal."""
    connect("http://127.0.0.1:9")
    with caplog.at_level(logging.INFO):
        logging.getLogger("scenario_uploads").warning("The ledger of %s", "a\x1b]0;PWNED\x1b\\\x9b2J\u202e.glb\nforged")
    assert not any(character in caplog.messages[-1] for character in "\x1b\x9b\u202e\n")


def test_the_search_finds_what_is_there() -> None:
    """The test above can fail: every spelling of every secret is found in a text that has it."""
    for secret in (KEY, SECRET, TOKEN, PAIR, PRESIGNED):
        for text in (secret, json.dumps({"a": secret}), repr(secret.encode()), quote(secret), html.escape(secret)):
            assert find_secrets(f"before {text} after")


@pytest.mark.parametrize("logger", ["httpx", "httpcore.http11", "httpcore.connection", "httpcore.proxy"])
def test_clients_guard_the_loggers_of_httpx(
    connect: Connect, service: Service, caplog: pytest.LogCaptureFixture, logger: str
) -> None:
    """Also for those who send the parts themselves over httpx, which logs the whole URL of each request."""
    connect(service.url)
    with caplog.at_level(logging.DEBUG):
        logging.getLogger(logger).info("%s %s", PRESIGNED, f"Authorization: Basic {PAIR}")
    assert find_secrets(caplog.text) == []
    assert "b.glb?" in caplog.text


def test_sending_parts_oneself_logs_no_signature(
    connect: Connect, service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    created = connect(service.url).uploads.create(
        file_name="a.glb", content_type="model/gltf-binary", kind="3d", file_size=4, parts=1
    )
    with caplog.at_level(logging.DEBUG), httpx.Client(trust_env=False) as plain:
        assert plain.put(created.upload.parts[0].url, content=b"glTF").status_code == 200
    assert "PUT" in caplog.text
    assert find_secrets(caplog.text) == []


def test_every_logger_of_httpx_is_guarded() -> None:
    """A logger that a newer httpx or httpcore adds is noticed here."""
    guard_logs()
    names = {name for name in logging.root.manager.loggerDict if name.partition(".")[0] in ("httpx", "httpcore")}
    names -= {"httpcore"}  # nobody logs to the parent itself
    assert names >= {"httpx", "httpcore.http11", "httpcore.connection"}
    assert {name for name in names if not logging.getLogger(name).filters} == set()


Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def settings(service: Service) -> dict[str, str]:
    return {"SCENARIO_BASE_URL": service.url, "SCENARIO_SDK_API_KEY": KEY, "SCENARIO_SDK_API_SECRET": SECRET}


@pytest.fixture
def command(settings: dict[str, str], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Command:
    """Run the command line with these arguments, and other variables of the environment."""

    def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        for name, value in (settings | environment).items():
            monkeypatch.setenv(name, value)
        capfd.readouterr()
        code = commands.run(list(arguments))
        return subprocess.CompletedProcess(arguments, code, *capfd.readouterr())

    return run


class TestTheCommandLine:
    """What it writes to stdout and stderr."""

    @pytest.mark.parametrize("options", [[], ["--json"]], ids=["text", "json"])
    @pytest.mark.parametrize("fault", ["none", "echo", "html", "reason", "odd", "failed", "wrong types"])
    def test_show_no_secret(self, service: Service, command: Command, fault: str, options: list[str]) -> None:
        odd = make_upload(
            url=PRESIGNED, config={"at": [PRESIGNED]}, errorMessage=PRESIGNED, more={"x": PRESIGNED}, jobId=PRESIGNED
        )
        service.script("retrieve", *FAULTS.get(fault, [reply(200, {"upload": odd})]))
        done = command("status", UPLOAD_ID, *options)
        assert done.returncode in (0, 3, 4), done.stderr
        assert "Traceback" not in done.stderr
        assert find_secrets(done.stdout + done.stderr) == []
        if options and done.returncode == 0:
            assert json.loads(done.stdout)["id"] == UPLOAD_ID

    @pytest.mark.parametrize(
        "arguments",
        [
            ["upload", PRESIGNED],
            ["upload", __file__, "--base-url", f"https://{KEY}:{SECRET}@api.example/v1"],
            ["upload", __file__, "--base-url", PRESIGNED],
            ["upload", __file__, "--kind", PRESIGNED],
            ["upload", __file__, "--content-type", PRESIGNED],
            ["upload", __file__, "--part-size", PRESIGNED],
            ["status", PRESIGNED],
            ["wait", PRESIGNED],
            [PRESIGNED],
            [f"--{PRESIGNED}"],
        ],
        ids=lambda arguments: " ".join(arguments).replace(PRESIGNED, "URL")[:60].replace("/", "_"),
    )
    def test_a_secret_in_the_wrong_place_is_not_repeated(
        self, service: Service, command: Command, arguments: list[str]
    ) -> None:
        done = command(*arguments)
        assert done.returncode == 2, done.stdout + done.stderr
        assert find_secrets(done.stdout + done.stderr) == []
        assert service.requests == []

    def test_credentials_that_cannot_be_used_are_not_repeated(self, command: Command) -> None:
        done = command("status", "u", SCENARIO_SDK_API_SECRET=SECRET + "\n")
        assert done.returncode == 3
        assert "SCENARIO_SDK_API_SECRET" in done.stderr
        assert find_secrets(done.stdout + done.stderr) == []


def test_a_ledger_shows_nothing_but_to_its_owner(connect: Connect, service: Service, tmp_path: Path) -> None:
    """Neither its name nor what `resume` prints of it has the account, the file's bytes or the URLs."""
    file, folder = tmp_path / "dragon.glb", tmp_path / "ledgers"
    file.write_bytes(bytes(6 * 1024 * 1024))
    service.script("part 2", reply(400, b"<Error><Code>EntityTooSmall</Code></Error>"))
    client = connect(service.url, api_key=KEY, api_secret=SECRET)
    with pytest.raises(ScenarioError):
        client.uploads.upload_file(file, part_size=5 * 1024 * 1024, resume=folder, concurrency=1)
    (ledger,) = folder.iterdir()
    assert find_secrets(ledger.name) == []
    assert "dragon" not in ledger.name
    # It has the URLs, which is what it is for, but no credential.
    held = ledger.read_text()
    assert SIGNATURE in held
    assert [secret for secret in spell(SECRET) | spell(KEY) | spell(PAIR) if secret in held] == []


def test_2_certificates_are_told_without_secrets(connect: Connect, caplog: pytest.LogCaptureFixture) -> None:
    with (
        caplog.at_level(logging.DEBUG),
        bucket(tls=True) as server,
        pytest.raises(ScenarioError, match="certificate") as caught,
    ):
        connect(server.origin + "/v1", api_key=KEY, api_secret=SECRET).uploads.retrieve(UPLOAD_ID)
    assert find_secrets(show(caught.value) + caplog.text) == []


def test_a_body_that_breaks_off_while_it_is_streamed_is_told_without_secrets(
    connect: Connect, service: Service
) -> None:
    service.script("retrieve", lose_body)
    uploads = connect(service.url, api_key=KEY, api_secret=SECRET).uploads
    with uploads.with_streaming_response.retrieve(UPLOAD_ID) as response, pytest.raises(ScenarioError) as caught:
        list(response.iter_bytes())
    assert isinstance(caught.value.__cause__, httpx.RequestError)
    assert find_secrets(show(caught.value)) == []


def test_closing_the_client_during_a_call_is_told_without_secrets(service: Service) -> None:
    client = Scenario(base_url=service.url, api_key=KEY, api_secret=SECRET)

    def close(exchange: Exchange) -> None:
        client.close()
        hang(exchange)

    service.script("retrieve", close)
    with pytest.raises(ScenarioError, match="closed") as caught:
        client.uploads.retrieve(UPLOAD_ID)
    assert find_secrets(show(caught.value)) == []


def spell_every_character(secret: str) -> dict[str, str]:
    """Return a secret with none of its characters as it is, in each of the ways that readers of such texts undo."""
    return {
        "json": "".join(f"\\u{ord(character):04X}" for character in secret),
        "json in json": "".join(f"\\\\u{ord(character):04x}" for character in secret),
        "url": "".join(f"%{byte:02x}" for byte in secret.encode()),
        "html": "".join(f"&#{ord(character)};" for character in secret),
        "html, hexadecimal": "".join(f"&#x{ord(character):X};" for character in secret),
    }


@pytest.mark.parametrize("form", list(spell_every_character("")))
@pytest.mark.parametrize("secret", [KEY, SECRET, PAIR])
def test_secrets_are_known_however_they_are_spelt(connect: Connect, service: Service, secret: str, form: str) -> None:
    written = spell_every_character(secret)[form]
    service.script("retrieve", reply(401, f'{{"reason": "wrong: {written}"}}'.encode(), {"X-Echo": written}))
    with pytest.raises(APIError) as caught:
        connect(service.url, api_key=KEY, api_secret=SECRET).uploads.retrieve(UPLOAD_ID)
    response: Any = caught.value.response  # type: ignore[attr-defined]
    assert caught.value.body == {"reason": "wrong: ***"}
    assert "wrong: ***" in str(caught.value)
    assert written not in response.text + str(response.headers)


@pytest.mark.parametrize("line", ["{}\r\n\r\n", "HTTP/1.1 200 OK\r\nX Echo: {}\r\n\r\n"])
@pytest.mark.parametrize("secret", [KEY, PAIR, "s3cret-of-ASCII"])
def test_secrets_in_an_answer_that_is_no_http_are_not_repeated(
    connect: Connect, service: Service, clock: Clock, caplog: pytest.LogCaptureFixture, line: str, secret: str
) -> None:
    service.script("retrieve", *[lambda exchange: exchange.send(line.format(secret).encode())] * 3)
    credentials = {"api_key": KEY, "api_secret": "s3cret-of-ASCII"}
    if secret == PAIR:
        credentials = {"api_key": KEY, "api_secret": SECRET}
    with caplog.at_level(logging.DEBUG), pytest.raises(APIError) as caught:
        connect(service.url, **credentials).uploads.retrieve(UPLOAD_ID)
    assert "no response from 127.0.0.1" in str(caught.value)
    assert secret not in show(caught.value) + caplog.text


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        ("200 OK", f"X-Echo: {KEY}"),
        ("200 OK", f"X-Echo: Token {PAIR}"),
        ("200 OK", f'X-Echo: {{"authorization": "{PAIR}"}}'),
        (f"200 {PAIR}", "X-Echo: nothing"),
        ("200 OK", "Location: /login?next=" + quote(PRESIGNED, safe="")),
    ],
    ids=["key", "token", "json", "reason", "location"],
)
def test_logs_of_httpx_do_not_repeat_what_a_service_repeats(
    connect: Connect, service: Service, caplog: pytest.LogCaptureFixture, status: str, headers: str
) -> None:
    body = json.dumps({"upload": make_upload()})
    answer = f"HTTP/1.1 {status}\r\n{headers}\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()
    service.script("retrieve", lambda exchange: exchange.send(answer))
    with caplog.at_level(logging.DEBUG):
        connect(service.url, api_key=KEY, api_secret=SECRET).uploads.retrieve(UPLOAD_ID)
    assert "receive_response_headers.complete" in caplog.text
    assert find_secrets(caplog.text) == []


def test_secrets_of_those_who_are_gone_are_forgotten() -> None:
    """What guards the logs holds nothing for longer than its client."""
    gc.collect()
    before = len(redaction._KNOWN)
    client = Scenario(api_key=KEY, api_secret=SECRET)
    assert len(redaction._KNOWN) == before + 1
    client.close()
    del client
    gc.collect()
    assert len(redaction._KNOWN) == before


class TestTheTerminal:
    """What a service says cannot write what the command line did not mean to say."""

    def test_no_line_is_forged(self, service: Service, command: Command) -> None:
        service.script("retrieve", answer_upload(status="\x1b]0;pwn\x07\x1b[2Jimported\nentityId: evil", entityId=None))
        done = command("status", UPLOAD_ID)
        assert done.stdout == f"upload: {UPLOAD_ID}\nstatus: ]0;pwn [2Jimported entityId: evil\n"

    def test_no_url_is_shown_with_its_signature(self, service: Service, command: Command) -> None:
        service.script("retrieve", answer_upload(status=PRESIGNED, entityId=PRESIGNED, id=PRESIGNED))
        done = command("status", UPLOAD_ID)
        assert done.stdout.count("?…") == 3
        assert find_secrets(done.stdout + done.stderr) == []

    @pytest.mark.parametrize("encoding", ["ascii", "utf-8"])
    def test_what_it_cannot_show_is_no_crash(self, service: Service, settings: dict[str, str], encoding: str) -> None:
        service.script("retrieve", answer_upload(entityId="a\ud800é"))
        done = subprocess.run(
            [sys.executable, "-m", "scenario_uploads", "status", UPLOAD_ID],
            env=os.environ | settings | {"PYTHONIOENCODING": encoding},
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")
        assert "entityId: a" in done.stdout
