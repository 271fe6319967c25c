"""Copies of a client: what changes, what stays, and whose connections they use."""

import asyncio
import base64
import gc
import pickle
import ssl
from typing import Any

import certifi
import httpx
import pytest
from scenario_uploads import (
    DEFAULT_TIMEOUT,
    AsyncScenario,
    CredentialsError,
    DefaultAsyncHttpxClient,
    DefaultHttpxClient,
    InvalidArgumentError,
    Scenario,
    ScenarioError,
)

from tests.support.clients import Blocking, Connect, raises
from tests.support.service import UPLOAD_ID, Service

KEYS = {"api_key": "key_of_test", "api_secret": "s3cret-of-test"}
HEADERS = {"X-Team": "meshes", "X-Shift": "night"}


def basic(key: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{key}:{secret}".encode()).decode()


def bare(client: Any) -> Any:
    return client.client if isinstance(client, Blocking) else client


@pytest.fixture(params=["copy", "with_options"])
def change(request: pytest.FixtureRequest, connect: Connect) -> Any:
    """Copy a client by either name, in the same clothes as the original."""

    def change(client: Any, **options: Any) -> Any:
        twin = getattr(bare(client), request.param)(**options)
        assert type(twin) is type(bare(client))
        return connect.adopt(twin)

    return change


class TestSettings:
    def test_what_is_not_changed_stays(self, connect: Connect, service: Service, change: Any) -> None:
        client = connect(service.url, default_headers=HEADERS, default_query={"q": 1}, timeout=7, max_retries=1)
        change(client).uploads.retrieve(UPLOAD_ID)
        (request,) = service.requests
        assert request.header("authorization") == basic("key_of_test", "s3cret-of-test")
        assert (request.header("x-team"), request.header("x-shift")) == ("meshes", "night")
        assert request.query == [("q", "1")]
        assert (bare(change(client)).timeout, bare(change(client)).max_retries) == (httpx.Timeout(7), 1)

    def test_the_original_keeps_its_own(self, connect: Connect, service: Service, change: Any) -> None:
        client = connect(service.url)
        change(client, default_headers=HEADERS, default_query={"q": 1}, bearer_auth="t", timeout=1, max_retries=9)
        client.uploads.retrieve(UPLOAD_ID)
        (request,) = service.requests
        assert request.header("authorization") == basic("key_of_test", "s3cret-of-test")
        assert (request.header("x-team"), request.query) == (None, [])
        assert (bare(client).max_retries, bare(client).timeout.connect) == (2, 10.0)

    def test_headers_and_query_are_added_to(self, connect: Connect, service: Service, change: Any) -> None:
        client = connect(service.url, default_headers=HEADERS, default_query={"a": 1, "b": 2})
        change(client, default_headers={"x-team": "images"}, default_query={"b": 3}).uploads.retrieve(UPLOAD_ID)
        (request,) = service.requests
        assert (request.header("x-team"), request.header("x-shift")) == ("images", "night")
        assert request.query == [("a", "1"), ("b", "3")]

    def test_headers_and_query_are_replaced(self, connect: Connect, service: Service, change: Any) -> None:
        client = connect(service.url, default_headers=HEADERS, default_query={"a": 1, "b": 2})
        change(client, set_default_headers={"X-New": "1"}, set_default_query={"c": 3}).uploads.retrieve(UPLOAD_ID)
        (request,) = service.requests
        assert (request.header("x-team"), request.header("x-new"), request.query) == (None, "1", [("c", "3")])

    @pytest.mark.parametrize("name", ["default_headers", "default_query"])
    def test_headers_or_query_are_not_both_added_to_and_replaced(
        self, connect: Connect, change: Any, name: str
    ) -> None:
        expected = f"The `{name}` and `set_{name}` arguments are mutually exclusive"
        with raises(InvalidArgumentError, expected):
            change(connect("http://127.0.0.1:9"), **{name: {"A": "1"}, f"set_{name}": {"B": "2"}})

    @pytest.mark.parametrize(
        ("given", "expected"),
        [
            ({"bearer_auth": "other"}, "Bearer other"),
            ({"api_key": "k", "api_secret": "s"}, basic("k", "s")),
            ({"api_secret": "s"}, basic("key_of_test", "s")),
            ({"api_key": "k"}, basic("k", "s3cret-of-test")),
            ({"default_headers": {"authorization": "Token x"}}, "Token x"),
            ({"set_default_headers": {"authorization": "x"}}, "x"),
            ({}, basic("key_of_test", "s3cret-of-test")),
        ],
    )
    def test_credentials_are_replaced(
        self, connect: Connect, service: Service, change: Any, given: dict[str, Any], expected: str
    ) -> None:
        client = change(connect(service.url), **given)
        client.uploads.retrieve(UPLOAD_ID)
        assert service.requests[0].header("authorization") == expected
        assert not {"s3cret", "other", "Token"} & set(repr(bare(client)._options).split())

    def test_half_a_pair_after_a_token_is_told(self, connect: Connect, change: Any) -> None:
        with raises(CredentialsError, "no secret"):
            change(connect("http://127.0.0.1:9", bearer_auth="token"), api_key="k")

    def test_credentials_of_the_environment_come_not_in_between(
        self, connect: Connect, service: Service, change: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("SCENARIO_SDK_API_KEY", "env_key")
        monkeypatch.setenv("SCENARIO_SDK_API_SECRET", "env_secret")
        change(connect(service.url, bearer_auth="token"), timeout=3).uploads.retrieve(UPLOAD_ID)
        assert service.requests[0].header("authorization") == "Bearer token"

    def test_a_copy_may_speak_to_another_service(self, connect: Connect, service: Service, change: Any) -> None:
        change(connect("http://127.0.0.1:9/v1"), base_url=service.url + "/").uploads.retrieve(UPLOAD_ID)
        assert service.steps == ["retrieve"]

    def test_a_copy_may_be_strict(self, connect: Connect, change: Any) -> None:
        client = change(connect("http://127.0.0.1:9"), strict_responses=True)
        assert bare(client)._options.strict_responses
        assert bare(change(client))._options.strict_responses

    @pytest.mark.parametrize(
        "given",
        [
            {"timeout": 0},
            {"max_retries": -1},
            {"max_retries": None},
            {"base_url": "ftp://x"},
            {"default_headers": {"A": 1}},
            {"set_default_headers": "A: 1"},
            {"default_query": {"a": object()}},
            {"set_default_query": "a=1"},
            {"http_client": object()},
        ],
    )
    def test_what_cannot_be_used_is_told(self, connect: Connect, change: Any, given: dict[str, Any]) -> None:
        with raises(InvalidArgumentError):
            change(connect("http://127.0.0.1:9"), **given)

    def test_no_timeout_means_the_default_ones(self, connect: Connect, change: Any) -> None:
        client = change(connect("http://127.0.0.1:9", timeout=3), timeout=None)
        assert bare(client).timeout == httpx.Timeout(60, connect=10)

    def test_a_subclass_is_copied_with_all_that_it_has(self) -> None:
        class Mine(Scenario):
            def __init__(self, label: str) -> None:
                super().__init__(**KEYS)
                self.label = label

        with Mine("x") as client:
            twin = client.with_options(timeout=1)
            assert isinstance(twin, Mine)
            assert twin.label == "x"


class TestConnections:
    def test_are_shared(self, connect: Connect, service: Service, change: Any) -> None:
        client = connect(service.url)
        client.uploads.retrieve(UPLOAD_ID)
        change(client, timeout=3).uploads.retrieve(UPLOAD_ID)
        change(change(client, timeout=3), max_retries=0).uploads.upload_file(b"x", file_name="a.glb")
        client.uploads.upload_file(b"x", file_name="a.glb")
        assert service.server.connections == 2  # one for the API, one for storage

    def test_stay_open_when_a_copy_is_closed(self, connect: Connect, service: Service, change: Any) -> None:
        client = connect(service.url)
        twin = change(client)
        client.uploads.retrieve(UPLOAD_ID)
        twin.close()
        assert bare(twin).is_closed()
        assert not bare(client).is_closed()
        with raises(ScenarioError, "closed"):
            twin.uploads.retrieve(UPLOAD_ID)
        client.uploads.retrieve(UPLOAD_ID)
        assert service.server.connections == 1

    def test_end_with_the_client_that_opened_them(self, connect: Connect, service: Service, change: Any) -> None:
        client = connect(service.url)
        twin = change(client)
        twin.uploads.retrieve(UPLOAD_ID)
        client.close()
        assert bare(twin).is_closed()
        for one in (client, twin, change(twin)):
            with raises(ScenarioError, "closed"):
                one.uploads.retrieve(UPLOAD_ID)

    def test_are_left_open_by_a_copy_that_is_closed(self, connect: Connect, service: Service, change: Any) -> None:
        client = connect(service.url)
        twin = change(client)
        twin.uploads.retrieve(UPLOAD_ID)
        twin.close()
        assert bare(twin).is_closed()
        client.uploads.retrieve(UPLOAD_ID)
        assert service.server.connections == 1

    def test_of_a_given_http_client_are_shared_and_left_open(
        self, connect: Connect, service: Service, change: Any
    ) -> None:
        given: Any = httpx.AsyncClient() if connect.is_async else httpx.Client()
        client = connect("http://127.0.0.1:9", timeout=3)
        twin = change(client, http_client=given, base_url=service.url)
        twin.uploads.retrieve(UPLOAD_ID)
        change(twin).uploads.retrieve(UPLOAD_ID)
        assert service.server.connections == 1
        client.close()
        assert not bare(twin).is_closed()
        twin.close()
        assert not given.is_closed
        connect.run(given.aclose()) if connect.is_async else given.close()

    def test_of_a_default_http_client_are_closed_with_the_client(
        self, connect: Connect, service: Service, change: Any
    ) -> None:
        given: Any = DefaultAsyncHttpxClient() if connect.is_async else DefaultHttpxClient()
        client = connect(service.url, http_client=given)
        client.uploads.retrieve(UPLOAD_ID)
        change(client).close()
        assert not given.is_closed
        client.close()
        assert given.is_closed

    @pytest.mark.parametrize("kind", [DefaultHttpxClient, DefaultAsyncHttpxClient])
    def test_of_a_default_http_client_have_our_settings_or_those_given(self, kind: Any) -> None:
        assert kind().timeout == DEFAULT_TIMEOUT
        assert kind(timeout=3).timeout == httpx.Timeout(3)
        assert not kind().follow_redirects

    def test_a_client_knows_that_its_given_http_client_is_closed(self) -> None:
        with httpx.Client() as given:
            client = Scenario(**KEYS, http_client=given)
            assert not client.is_closed()
        assert client.is_closed()

    def test_are_closed_when_nobody_has_the_client_any_more(self, service: Service) -> None:
        client = Scenario(**KEYS, base_url=service.url).with_options(timeout=5)
        client.uploads.upload_file(b"x", file_name="a.glb")
        api, storage = client._runner.connections._own, client._runner.connections._storage
        assert api is not None
        assert storage is not None
        del client
        gc.collect()
        assert api.is_closed
        assert storage.closed

    def test_are_closed_when_nobody_has_the_asynchronous_client_any_more(self, service: Service) -> None:
        async def use() -> httpx.AsyncClient:
            client = AsyncScenario(**KEYS, base_url=service.url)
            await client.uploads.retrieve(UPLOAD_ID)
            api = client._runner.connections._own
            assert api is not None
            return api

        async def run() -> None:
            api = await use()
            gc.collect()
            for _ in range(100):
                if api.is_closed:
                    return
                await asyncio.sleep(0)
            pytest.fail("the connections stay open")

        asyncio.run(run())


class TestAttributes:
    @pytest.mark.parametrize("kind", [Scenario, AsyncScenario])
    def test_say_how_the_client_is_set(self, kind: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("SCENARIO_CUSTOM_HEADERS", "X-Gate: open\nX-Team: nobody")
        client = kind(**KEYS, base_url="http://x/v1", timeout=3, max_retries=5, default_headers=HEADERS)
        assert (client.api_key, client.api_secret, client.bearer_auth) == ("key_of_test", "s3cret-of-test", None)
        assert client.base_url == httpx.URL("http://x/v1/")
        assert (client.timeout, client.max_retries) == (httpx.Timeout(3), 5)
        assert client.default_headers == {"X-Gate": "open", **HEADERS}
        assert client.default_query == {}

    @pytest.mark.parametrize("kind", [Scenario, AsyncScenario])
    def test_say_which_token_there_is(self, kind: Any) -> None:
        client = kind(bearer_auth="token", default_query={"a": [1]})
        assert (client.api_key, client.api_secret, client.bearer_auth) == (None, None, "token")
        assert client.default_query == {"a": [1]}

    @pytest.mark.parametrize("name", ["api_key", "base_url", "timeout", "max_retries", "default_headers"])
    def test_are_changed_in_a_copy_and_not_in_place(self, name: str) -> None:
        with pytest.raises(AttributeError):
            setattr(Scenario(**KEYS), name, None)


class TestTrustInTheEnvironment:
    """`copy(trust_env=)`."""

    def test_a_copy_without_it_has_connections_of_its_own(
        self, connect: Connect, service: Service, change: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("SCENARIO_CUSTOM_HEADERS", "X-Shift: night")
        client = connect(service.url)
        twin = change(client, trust_env=False)
        for name in ("http_proxy", "all_proxy"):
            monkeypatch.setenv(name, "http://127.0.0.1:9")
        twin.uploads.retrieve(UPLOAD_ID)
        assert service.requests[0].header("x-shift") is None
        assert service.requests[0].header("authorization") == basic("key_of_test", "s3cret-of-test")
        client.close()
        twin.uploads.retrieve(UPLOAD_ID)

    def test_a_copy_with_it_reads_the_environment(
        self, connect: Connect, service: Service, change: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        client = connect(service.url, trust_env=False)
        monkeypatch.setenv("SCENARIO_CUSTOM_HEADERS", "X-Shift: night")
        change(client, trust_env=True).uploads.retrieve(UPLOAD_ID)
        client.uploads.retrieve(UPLOAD_ID)
        assert [request.header("x-shift") for request in service.requests] == ["night", None]

    def test_the_same_as_before_shares_the_connections(self, connect: Connect, service: Service, change: Any) -> None:
        client = connect(service.url)
        twin = change(client, trust_env=True)
        client.close()
        with raises(ScenarioError, "closed"):
            twin.uploads.retrieve(UPLOAD_ID)


@pytest.mark.parametrize("kind", [Scenario, AsyncScenario])
class TestPickles:
    """A client goes to another process without its connections, and without what the environment gave it."""

    def test_keep_the_settings_that_were_given(self, kind: Any) -> None:
        client = kind(**KEYS, base_url="https://api.test/v1", default_headers=HEADERS, max_retries=7, project_id="p")
        twin = pickle.loads(pickle.dumps(client.with_options(timeout=3, default_query={"q": 1})))
        assert type(twin) is kind
        assert (twin.api_key, twin.api_secret) == tuple(KEYS.values())
        assert (str(twin.base_url), twin.default_headers) == ("https://api.test/v1/", HEADERS)
        assert (twin.max_retries, twin.project_id, twin.timeout.read, twin.default_query) == (7, "p", 3, {"q": 1})
        assert "s3cret" not in repr(twin)
        upload_file = pickle.loads(pickle.dumps(client.uploads.upload_file))
        assert upload_file.__self__._api.options.base_url == "https://api.test/v1"

    @pytest.mark.parametrize(
        "given", [{"bearer_auth": "t0ken"}, {"default_headers": {"Authorization": "Custom s3cret"}}], ids=str
    )
    def test_keep_other_credentials(self, kind: Any, given: dict[str, Any]) -> None:
        client = kind(**given)
        twin = pickle.loads(pickle.dumps(client))
        assert twin._options.credentials == client._options.credentials

    @pytest.mark.parametrize("given", [{}, {"api_key": "given"}], ids=str)
    def test_hold_nothing_that_the_environment_gave(
        self, kind: Any, given: dict[str, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        names = {"API_KEY": "key_1", "API_SECRET": "s3cret_1"}
        for name, value in names.items():
            monkeypatch.setenv(f"SCENARIO_SDK_{name}", value)
        monkeypatch.setenv("SCENARIO_CUSTOM_HEADERS", "X-Token: t0ken_1")
        monkeypatch.setenv("SCENARIO_BASE_URL", "https://api.test/v1")
        pickled = pickle.dumps(kind(**given))
        assert not [value for value in (*names.values(), "t0ken_1") if value.encode() in pickled]
        for name in names:
            monkeypatch.setenv(f"SCENARIO_SDK_{name}", "there")
        monkeypatch.setenv("SCENARIO_CUSTOM_HEADERS", "X-Token: there")
        monkeypatch.delenv("SCENARIO_BASE_URL")
        twin = pickle.loads(pickled)
        assert (twin.api_key, twin.api_secret) == (given.get("api_key", "there"), "there")
        assert (twin.default_headers, str(twin.base_url)) == ({"X-Token": "there"}, "https://api.test/v1/")

    def test_read_certificates_again_where_they_were_read(self, kind: Any) -> None:
        twin = pickle.loads(pickle.dumps(kind(**KEYS, verify=certifi.where())))
        assert len(twin._options.verify.get_ca_certs()) > 50

    def test_are_refused_where_something_cannot_go(self, kind: Any) -> None:
        given = httpx.Client() if kind is Scenario else httpx.AsyncClient()
        for client in (kind(**KEYS, http_client=given), kind(**KEYS, verify=ssl.create_default_context())):
            with pytest.raises(InvalidArgumentError, match=r"http_client|verify="):
                pickle.dumps(client)
