"""What the two clients have in common besides their calls: making, showing, closing."""

import asyncio
import enum
import socket
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import httpx
import pytest
from scenario_uploads import (
    APIConnectionError,
    AsyncScenario,
    CredentialsError,
    InvalidArgumentError,
    Scenario,
    ScenarioError,
    UploadProgress,
)
from scenario_uploads.proxies import Proxies

from tests.support.clients import Connect, raises
from tests.support.service import UPLOAD_ID, Service

KINDS = [Scenario, AsyncScenario]
KEYS = {"api_key": "key_of_test", "api_secret": "s3cret-of-test"}


class TestMaking:
    @pytest.mark.parametrize("kind", KINDS)
    @pytest.mark.parametrize(
        ("arguments", "fragment"),
        [
            ({}, "SCENARIO_SDK_API_KEY"),
            ({"api_key": "k"}, "secret"),
            ({"api_secret": "s"}, "key"),
            ({**KEYS, "bearer_auth": "t"}, "not both"),
            ({"api_key": "k", "bearer_auth": "t"}, "not both"),
            ({"api_key": "k\n", "api_secret": "s3cret-of-test"}, "control"),
            ({"api_key": "k", "api_secret": "s3cret-of-test\r\nX: y"}, "control"),
            ({"bearer_auth": "s3cret-of-test\x00"}, "control"),
            ({"bearer_auth": ""}, "empty"),
            ({"api_key": "", "api_secret": ""}, "empty"),
        ],
    )
    def test_33_credentials_that_cannot_be_used_are_told_at_once(
        self, kind: Any, arguments: dict[str, Any], fragment: str
    ) -> None:
        with raises(CredentialsError, fragment) as caught:
            kind(**arguments)
        assert "s3cret" not in str(caught.error)

    @pytest.mark.parametrize("kind", KINDS)
    def test_33_half_a_pair_in_the_environment_is_told(self, kind: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("SCENARIO_SDK_API_KEY", "key")
        with raises(CredentialsError, "SCENARIO_SDK_API_SECRET"):
            kind()

    @pytest.mark.parametrize("kind", KINDS)
    @pytest.mark.parametrize(
        "arguments",
        [
            {"base_url": "ftp://x"},
            {"base_url": "nonsense"},
            {"base_url": "https://user:password@x/v1"},
            {"timeout": 0},
            {"timeout": float("inf")},
            {"max_retries": -1},
            {"max_retries": 1.5},
            {"default_headers": {"a b": "c"}},
            {"default_headers": {"a": "b\r\nc: d"}},
            {"default_query": {"a": object()}},
            {"http_client": object()},
        ],
    )
    def test_a_setting_that_cannot_be_used_is_told_at_once(self, kind: Any, arguments: dict[str, Any]) -> None:
        with raises(InvalidArgumentError):
            kind(**KEYS, **arguments)

    def test_the_http_client_of_the_other_kind_is_refused(self) -> None:
        with raises(InvalidArgumentError, "httpx.AsyncClient"), httpx.Client() as given:
            AsyncScenario(**KEYS, http_client=given)  # type: ignore[arg-type]
        with raises(InvalidArgumentError, "httpx.Client"):
            Scenario(**KEYS, http_client=httpx.AsyncClient())  # type: ignore[arg-type]

    @pytest.mark.parametrize("kind", KINDS)
    def test_nothing_is_connected_before_it_is_needed(self, kind: Any, service: Service) -> None:
        kind(**KEYS, base_url=service.url)
        assert service.server.connections == 0

    @pytest.mark.parametrize("kind", KINDS)
    def test_the_repr_names_the_service_and_no_secret(self, kind: Any) -> None:
        client = kind(**KEYS, default_headers={"X-Token": "t0ken"}, default_query={"ticket": "t1cket"})
        for shown in (repr(client), str(client), repr(client._options), repr(client.uploads)):
            assert not any(secret in shown for secret in ("key_of_test", "s3cret", "t0ken", "t1cket", "a2V5"))
        assert f"{kind.__name__}(base_url='https://api.cloud.scenario.com/v1')" == repr(client)


class TestClosing:
    def test_closing_again_changes_nothing(self, connect: Connect, service: Service) -> None:
        client = connect(service.url)
        client.uploads.upload_file(b"x", file_name="a.glb")
        client.close()
        client.close()

    def test_35_use_after_close_is_told(self, connect: Connect, service: Service) -> None:
        client = connect(service.url)
        client.uploads.retrieve(UPLOAD_ID)
        client.close()
        for call in (
            lambda: client.uploads.retrieve(UPLOAD_ID),
            lambda: client.uploads.wait(UPLOAD_ID),
            lambda: client.uploads.create(parts=1),
            lambda: client.uploads.upload_file(b"x", file_name="a.glb"),
        ):
            with raises(ScenarioError, "closed"):
                call()
        assert len(service.requests) == 1

    def test_47_a_socket_that_wraps_one_instead_of_being_one_is_closed_too(
        self, service: Service, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The sockets of eventlet are of that kind."""

        class Wrapping:
            def __init__(self, sock: socket.socket) -> None:
                self.fd = sock
                self.shutdown = sock.shutdown

            def __getattr__(self, name: str) -> Any:
                return getattr(self.fd, name)

        real = socket.create_connection
        monkeypatch.setattr(socket, "create_connection", lambda *given, **more: Wrapping(real(*given, **more)))
        with Scenario(base_url=service.url, **KEYS) as client:
            client.uploads.retrieve(UPLOAD_ID)

    def test_35_a_client_that_was_never_used_is_closed_as_well(self, connect: Connect, service: Service) -> None:
        client = connect(service.url)
        client.close()
        with raises(ScenarioError, "closed"):
            client.uploads.retrieve(UPLOAD_ID)
        assert service.requests == []

    def test_35_closing_in_the_middle_of_an_upload_ends_it_in_our_words(
        self, connect: Connect, service: Service
    ) -> None:
        client = connect(service.url)
        closing: list[object] = []

        def close(progress: UploadProgress) -> None:
            if connect.is_async:
                closing.append(asyncio.get_running_loop().create_task(client.client.close()))
            else:
                client.close()

        with pytest.raises(ScenarioError, match="closed"):
            client.uploads.upload_file(bytes(1 << 24), file_name="a.glb", on_progress=close)
        assert "complete" not in service.steps

    def test_35_a_given_http_client_that_is_closed_is_told(self, connect: Connect, service: Service) -> None:
        if connect.is_async:
            given: Any = httpx.AsyncClient()
            client = connect(service.url, http_client=given)
            connect.run(given.aclose())
        else:
            given = httpx.Client()
            client = connect(service.url, http_client=given)
            given.close()
        with raises(ScenarioError, "closed"):
            client.uploads.retrieve(UPLOAD_ID)

    def test_leaving_a_with_block_closes(self, service: Service) -> None:
        with Scenario(**KEYS, base_url=service.url) as client:
            assert client.uploads.retrieve(UPLOAD_ID).upload.id == UPLOAD_ID
        with raises(ScenarioError, "closed"):
            client.uploads.retrieve(UPLOAD_ID)

    def test_leaving_a_with_block_by_an_error_closes_and_lets_it_pass(self, service: Service) -> None:
        client = Scenario(**KEYS, base_url=service.url)

        def use() -> None:
            with client:
                client.uploads.retrieve(UPLOAD_ID)
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            use()
        with raises(ScenarioError, "closed"):
            client.uploads.retrieve(UPLOAD_ID)


FORKING = """
import os, sys, warnings
from scenario_uploads import Scenario

# The parent has no other thread; the warning is about those of others.
warnings.simplefilter("ignore", DeprecationWarning)
client = Scenario(base_url=sys.argv[1], bearer_auth="token")
client.uploads.upload_file(b"x", file_name="a.glb")
child = os.fork()
for _ in range(20):
    assert client.uploads.retrieve("upload_1").upload.id == "upload_1"
client.uploads.upload_file(b"x", file_name="a.glb")
client.close()
if child == 0:
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
print("both are well")
"""


@pytest.mark.posix
def test_35_a_fork_does_not_share_its_parents_connections(service: Service) -> None:
    """Two processes that write to one connection would mix their bytes."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", FORKING, service.url], capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr) == ("both are well\n", "")
    assert len(service.of("retrieve")) == 43
    assert len({request.connection for request in service.of("retrieve")}) == 2


class TestTheEnvironment:
    def test_is_shut_out_entirely(
        self, connect: Connect, service: Service, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        """For programs that embed us and whose environment is not their own."""
        told = {
            "SCENARIO_SDK_API_KEY": "env_key",
            "SCENARIO_SDK_API_SECRET": "env_secret",
            "SCENARIO_SDK_JWT": "env_token",
            "SCENARIO_BASE_URL": "http://127.0.0.1:9/v1",
            "SCENARIO_CUSTOM_HEADERS": "X-Gate: open",
            "SCENARIO_LOG": "debug",
            "HTTP_PROXY": "http://127.0.0.1:9",
            "ALL_PROXY": "http://127.0.0.1:9",
            "SSL_CERT_FILE": str(tmp_path / "missing.pem"),
            "NETRC": str(tmp_path / "netrc"),
        }
        (tmp_path / "netrc").write_text("machine 127.0.0.1 login someone password else\n")
        for name, value in told.items():
            monkeypatch.setenv(name, value)
        client = connect(service.url, bearer_auth="token", trust_env=False)
        client.uploads.upload_file(b"x", file_name="a.glb")
        for request in service.of("create") + service.of("retrieve"):
            assert request.header("authorization") == "Bearer token"
            assert "x-gate" not in request.names
        storage = (client.client if connect.is_async else client)._runner.connections.to_storage()
        assert storage.network.proxies == Proxies()
        with raises(CredentialsError, "No credentials"):
            Scenario(base_url=service.url, trust_env=False)

    def test_is_read_otherwise(self, connect: Connect, service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("SCENARIO_CUSTOM_HEADERS", "X-Gate: open")
        connect(service.url).uploads.retrieve(UPLOAD_ID)
        assert service.requests[0].header("x-gate") == "open"
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
        with pytest.raises(APIConnectionError):
            connect("http://api.example/v1", max_retries=0).uploads.retrieve(UPLOAD_ID)

    @pytest.mark.parametrize("name", ["SSL_CERT_FILE", "SSL_CERT_DIR"])
    @pytest.mark.parametrize("own", [True, False])
    def test_whose_ca_files_are_gone_is_told_before_anything_is_created(
        self, connect: Connect, service: Service, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, own: bool
    ) -> None:
        monkeypatch.delenv("SSL_CERT_FILE", raising=False)
        given = {} if own else {"http_client": httpx.AsyncClient() if connect.is_async else httpx.Client()}
        before, untrusting = connect(service.url, **given), connect(service.url, trust_env=False)
        plain, distrustful = ((one.client if connect.is_async else one) for one in (before, untrusting))
        monkeypatch.setenv(name, str(tmp_path / "gone.pem"))
        plain.with_options(max_retries=0)
        # When a client is made, and for one that was made before, with its first call.
        for use in (
            lambda: connect(service.url, **given),
            lambda: distrustful.with_options(trust_env=True),
            lambda: before.uploads.upload_file(b"x", file_name="a.glb"),
        ):
            with raises(InvalidArgumentError, f"The CA files cannot be used ({name}={tmp_path}"):
                use()
        assert service.requests == []


class Two(enum.IntEnum):
    TWO = 2


def test_numbers_of_an_enum_are_numbers(connect: Connect, service: Service) -> None:
    connect(service.url).uploads.create(
        file_name="a.glb", content_type="model/gltf-binary", kind="3d", file_size=4, parts=Two.TWO
    )
    assert service.requests[-1].json["parts"] == 2


@pytest.mark.parametrize("name", ["kind", "file_name", "url", "asset_options"])
def test_a_value_that_holds_itself_is_refused(connect: Connect, service: Service, name: str) -> None:
    """Before it is walked for ever."""
    endless: dict[str, Any] = {}
    endless["hide"] = endless
    with pytest.raises(InvalidArgumentError, match="create"):
        connect(service.url).uploads.create(**{"kind": "image", "file_name": "a.png", name: endless})
    assert service.steps == []


def test_a_query_that_is_too_large_a_number_is_refused(connect: Connect, service: Service) -> None:
    with pytest.raises(InvalidArgumentError, match="extra_query: the query parameter 'a'"):
        connect(service.url).uploads.retrieve(UPLOAD_ID, extra_query={"a": 10**5000})
    assert service.steps == []


def test_an_id_of_another_type_is_named(connect: Connect, service: Service) -> None:
    with pytest.raises(InvalidArgumentError, match=r"^UUID\(.* is not an upload id"):
        connect(service.url).uploads.retrieve(uuid.UUID(int=7))
