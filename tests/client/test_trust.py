"""Whom a client trusts (`verify=`), and where it sends parts over plain http (`allow_http_storage=`)."""

from __future__ import annotations

import os
import shutil
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from scenario_uploads import APIConnectionError, AsyncScenario, InvalidArgumentError, Scenario, TransferError
from scenario_uploads.tls import read_trust

from tests.support.clients import Blocking, Connect, raises
from tests.support.server import Server, reply
from tests.support.service import UPLOAD_ID, Service, answer_upload
from tests.support.storing import make_certificate, make_tls, store

HINT = "name its CA file with verify= of the client or with SSL_CERT_FILE"


@pytest.fixture
def secure() -> Iterator[Service]:
    """A service and a storage whose certificate nobody trusts unless told."""
    with Service(tls=make_tls()) as service:
        yield service


@pytest.fixture
def lend(connect: Connect) -> Iterator[Any]:
    """Make HTTP clients as callers do."""
    made: list[Any] = []

    def make(**options: Any) -> Any:
        made.append(httpx.AsyncClient(**options) if connect.is_async else httpx.Client(**options))
        return made[-1]

    yield make
    for client in made:
        if connect.is_async:
            connect.run(client.aclose())
        else:
            client.close()


def as_file(_folder: Path) -> object:
    return make_certificate()


def as_text(_folder: Path) -> object:
    return str(make_certificate())


def as_folder(folder: Path) -> object:
    shutil.copy(make_certificate(), folder / "ours.pem")
    (folder / "README").write_text("no certificate")
    return folder


def as_context(_folder: Path) -> object:
    return ssl.create_default_context(cafile=make_certificate())


class TestVerify:
    @pytest.mark.parametrize("make", [as_file, as_text, as_folder, as_context])
    @pytest.mark.parametrize("trust_env", [True, False])
    def test_holds_for_the_api_and_storage(
        self, connect: Connect, secure: Service, tmp_path: Path, make: Any, trust_env: bool
    ) -> None:
        client = connect(secure.url, verify=make(tmp_path), trust_env=trust_env)
        assert client.uploads.upload_file(b"x", file_name="a.glb").id == UPLOAD_ID
        assert len(secure.parts) == 1

    def test_beats_the_environment(
        self, connect: Connect, secure: Service, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "gone.pem"))
        client = connect(secure.url, verify=make_certificate())
        assert client.uploads.upload_file(b"x", file_name="a.glb").id == UPLOAD_ID

    def test_is_for_storage_alone_with_a_client_of_the_caller(
        self, connect: Connect, secure: Service, lend: Any
    ) -> None:
        blind = connect(secure.url, verify=make_certificate(), http_client=lend(), max_retries=0)
        with raises(APIConnectionError, HINT):
            blind.uploads.retrieve(UPLOAD_ID)
        knowing = lend(verify=ssl.create_default_context(cafile=make_certificate()))
        client = connect(secure.url, verify=make_certificate(), http_client=knowing)
        assert client.uploads.upload_file(b"x", file_name="a.glb").id == UPLOAD_ID
        with raises(TransferError, "is not trusted", HINT):
            connect(secure.url, http_client=knowing).uploads.upload_file(b"x", file_name="a.glb")

    def test_can_be_changed_in_a_copy_which_keeps_the_client_of_the_caller(
        self, connect: Connect, secure: Service, lend: Any
    ) -> None:
        knowing = lend(verify=ssl.create_default_context(cafile=make_certificate()))
        for client in (connect(secure.url), connect(secure.url, http_client=knowing)):
            own = client.client if isinstance(client, Blocking) else client
            twin = connect.adopt(own.with_options(verify=make_certificate()))
            assert twin.uploads.upload_file(b"x", file_name="a.glb").id == UPLOAD_ID
            twin.close()
            assert not own.is_closed()

    @pytest.mark.parametrize("kind", [Scenario, AsyncScenario])
    @pytest.mark.parametrize(
        ("verify", "told"),
        [
            (False, "verify=False is not supported"),
            (5, "verify must be the path of a CA file or folder, or an ssl.SSLContext, not 5"),
            ("", "verify must be the path of a CA file or folder, or an ssl.SSLContext, not ''"),
            (" ", "verify must be the path of a CA file or folder, or an ssl.SSLContext, not ' '"),
            ("gone.pem", "('gone.pem'): No such file"),
            ("no-certificate.pem", "cannot be used as a CA file or folder"),
        ],
    )
    def test_that_cannot_be_used_is_told_at_once(
        self, kind: Any, verify: Any, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        (tmp_path / "no-certificate.pem").write_text("nothing")
        with raises(InvalidArgumentError, told):
            kind(api_key="k", api_secret="s", verify=verify)
        client = Scenario(api_key="k", api_secret="s")
        with raises(InvalidArgumentError, told):
            client.copy(verify=verify)
        client.close()

    def test_a_folder_as_openssl_has_it_is_taken(self, tmp_path: Path) -> None:
        (tmp_path / "0a1b2c3d.0").write_text("")
        assert read_trust(tmp_path) is not None


class TestPlainHttp:
    """Storage of a service of the caller's own, on another machine; here its part of the network is a proxy."""

    @pytest.fixture
    def storage(self, service: Service, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
        with Server(store) as server:
            monkeypatch.setenv("HTTP_PROXY", server.origin)
            service.part_url = "http://storage.example/bucket/part-{number}?sig=1"
            yield server

    def test_is_refused_and_the_way_out_is_told(self, connect: Connect, service: Service, storage: Server) -> None:
        way_out = "allow_http_storage=True (SCENARIO_ALLOW_HTTP_STORAGE=1)"
        with raises(TransferError, "its scheme is 'http'", way_out):
            connect(service.url).uploads.upload_file(b"x", file_name="a.glb")
        assert storage.requests == []

    @pytest.mark.parametrize("how", ["argument", "environment", "copy"])
    def test_is_sent_to_when_that_is_meant(
        self, connect: Connect, service: Service, storage: Server, monkeypatch: pytest.MonkeyPatch, how: str
    ) -> None:
        if how == "environment":
            monkeypatch.setenv("SCENARIO_ALLOW_HTTP_STORAGE", "1")
        client = connect(service.url, **({"allow_http_storage": True} if how == "argument" else {}))
        if how == "copy":
            own = client.client if isinstance(client, Blocking) else client
            client = connect.adopt(own.copy(allow_http_storage=True))
        client.uploads.upload_file(b"bytes", file_name="a.glb")
        assert [b"bytes"] == [request.body for request in storage.requests]

    @pytest.mark.parametrize("value", ["0", "", "no", "false"])
    def test_is_not_meant_by_a_variable_that_says_no(
        self, connect: Connect, service: Service, storage: Server, monkeypatch: pytest.MonkeyPatch, value: str
    ) -> None:
        monkeypatch.setenv("SCENARIO_ALLOW_HTTP_STORAGE", value)
        with pytest.raises(TransferError):
            connect(service.url).uploads.upload_file(b"x", file_name="a.glb")
        monkeypatch.setenv("SCENARIO_ALLOW_HTTP_STORAGE", "1")
        for options in ({"trust_env": False}, {"allow_http_storage": False}):
            with pytest.raises(TransferError):
                connect(service.url, **options).uploads.upload_file(b"x", file_name="a.glb")

    def test_is_meant_for_what_is_resumed_too(
        self, connect: Connect, service: Service, storage: Server, tmp_path: Path
    ) -> None:
        (tmp_path / "a.glb").write_bytes(os.urandom(11 * 1024 * 1024))
        arguments: dict[str, Any] = {"part_size": 5 * 1024 * 1024, "resume": tmp_path / "ledgers", "concurrency": 1}
        service.script("retrieve", answer_upload(status="pending", entityId=None))
        storage.handle = lambda exchange: (
            reply(404, b"")(exchange) if exchange.request.path.endswith("part-3") else store(exchange)
        )
        client = connect(service.url, allow_http_storage=True)
        with pytest.raises(TransferError):
            client.uploads.upload_file(tmp_path / "a.glb", **arguments)
        storage.handle = store
        client.uploads.upload_file(tmp_path / "a.glb", **arguments)
        assert len(service.of("create")) == 1
        assert "/bucket/part-3" in {request.path for request in storage.requests[3:]}
