"""Credentials and settings: what is taken, from where, and what is refused before anything is sent."""

import base64
import math
import os
from collections.abc import Mapping
from typing import Any

import h11
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scenario_uploads import AsyncScenario, CredentialsError, InvalidArgumentError, Scenario
from scenario_uploads.api.exchange import Operation, build_request
from scenario_uploads.arguments import NOT_GIVEN, check_seconds
from scenario_uploads.retry import Repeat
from scenario_uploads.settings.client import (
    ClientArguments,
    ClientOptions,
    Credentials,
    resolve_credentials,
    resolve_options,
)
from scenario_uploads.settings.defaults import DEFAULT_BASE_URL, DEFAULT_TIMEOUT, resolve_timeout

GET = Operation("read", object, {"method": "get", "url": "/x"}, Repeat.SAFE)
PAIR = {"SCENARIO_SDK_API_KEY": "env_key", "SCENARIO_SDK_API_SECRET": "env_secret"}
TOKEN = {"SCENARIO_SDK_JWT": "env_token"}
HOSTILE = ["a\n", "\ra", "a\r\nX-Evil: 1", "a\x00", "a\x1b[2J", "a\x7f", "a\x85", "a\tb", "a\udcff"]


def basic(key: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{key}:{secret}".encode()).decode()


def resolve(environ: Mapping[str, str] = PAIR, *, http_client: Any = None, **arguments: Any) -> ClientOptions:
    """Options with the given arguments and the defaults of `Scenario`."""
    return resolve_options(environ, ClientArguments(**arguments), http_client)


@pytest.mark.parametrize(
    ("arguments", "environ", "expected"),
    [
        ({"api_key": "k", "api_secret": "s"}, {}, basic("k", "s")),
        ({"bearer_auth": "t"}, {}, "Bearer t"),
        ({}, PAIR, basic("env_key", "env_secret")),
        ({}, TOKEN, "Bearer env_token"),
        ({}, PAIR | TOKEN, basic("env_key", "env_secret")),
        # What is given beats the environment, whatever the kinds.
        ({"api_key": "k", "api_secret": "s"}, PAIR | TOKEN, basic("k", "s")),
        ({"bearer_auth": "t"}, PAIR, "Bearer t"),
        ({"bearer_auth": "t"}, PAIR | TOKEN, "Bearer t"),
        ({"api_key": "k", "api_secret": "s"}, TOKEN, basic("k", "s")),
        # One half given, the other in the environment.
        ({"api_key": "k"}, PAIR, basic("k", "env_secret")),
        ({"api_secret": "s"}, PAIR | TOKEN, basic("env_key", "s")),
        # Half a pair in the environment does not stand in the way of a token there.
        ({}, {"SCENARIO_SDK_API_KEY": "env_key"} | TOKEN, "Bearer env_token"),
        # A variable that is set to nothing is not set.
        ({}, {"SCENARIO_SDK_API_KEY": "", "SCENARIO_SDK_API_SECRET": ""} | TOKEN, "Bearer env_token"),
        ({}, PAIR | {"SCENARIO_SDK_JWT": ""}, basic("env_key", "env_secret")),
        ({"api_key": "ключ", "api_secret": "s:s s"}, {}, basic("ключ", "s:s s")),
    ],
)
def test_which_credentials_are_used(arguments: dict[str, str], environ: dict[str, str], expected: str) -> None:
    credentials = resolve_credentials(
        arguments.get("api_key"), arguments.get("api_secret"), arguments.get("bearer_auth"), environ
    )
    assert credentials.header == expected


@pytest.mark.parametrize(
    ("arguments", "environ", "message"),
    [
        ({}, {}, "No credentials.*SCENARIO_SDK_API_KEY.*SCENARIO_SDK_API_SECRET.*SCENARIO_SDK_JWT"),
        ({"api_key": "k"}, {}, "no secret.*api_secret= or set SCENARIO_SDK_API_SECRET"),
        ({"api_secret": "s"}, {}, "no key.*api_key= or set SCENARIO_SDK_API_KEY"),
        ({"api_key": "k"}, TOKEN, "no secret"),
        ({"api_secret": "s"}, TOKEN, "no key"),
        ({}, {"SCENARIO_SDK_API_KEY": "k"}, "no secret"),
        ({}, {"SCENARIO_SDK_API_SECRET": "s"}, "no key"),
        ({"api_key": "k", "api_secret": "s", "bearer_auth": "t"}, {}, "not both"),
        ({"api_key": "k", "bearer_auth": "t"}, {}, "not both"),
        ({"api_secret": "s", "bearer_auth": "t"}, PAIR, "not both"),
        ({"api_key": "", "api_secret": "s"}, PAIR, "api_key must be"),
        ({"api_key": "k", "api_secret": ""}, PAIR, "api_secret must be"),
        ({"bearer_auth": ""}, PAIR, "bearer_auth must be"),
        ({"bearer_auth": "  "}, {}, "bearer_auth must be"),
        ({"bearer_auth": "Bearer t"}, {}, "without 'Bearer '"),
        ({"bearer_auth": "tökén"}, {}, "not allowed in a token"),
        ({"api_key": b"k", "api_secret": "s"}, {}, "api_key must be a string"),
        ({"api_key": "k", "api_secret": 5}, {}, "api_secret must be a string"),
        ({"bearer_auth": ["t"]}, {}, "bearer_auth must be a string"),
    ],
)
def test_33_credentials_that_are_missing_half_or_double(
    arguments: dict[str, Any], environ: dict[str, str], message: str
) -> None:
    with pytest.raises(CredentialsError, match=message):
        resolve_credentials(
            arguments.get("api_key"), arguments.get("api_secret"), arguments.get("bearer_auth"), environ
        )


@pytest.mark.parametrize("hostile", HOSTILE)
@pytest.mark.parametrize("name", ["api_key", "api_secret", "bearer_auth"])
def test_33_characters_that_no_header_carries(name: str, hostile: str) -> None:
    """Given, or in the environment; the error says where, and does not repeat the secret."""
    given: dict[str, Any] = {"api_key": "k", "api_secret": "s"} if name != "bearer_auth" else {}
    variable = {
        "api_key": "SCENARIO_SDK_API_KEY",
        "api_secret": "SCENARIO_SDK_API_SECRET",
        "bearer_auth": "SCENARIO_SDK_JWT",
    }[name]
    others = PAIR if name != "bearer_auth" else {}
    for shown, arguments, environ in (
        (name, given | {name: f"f00d{hostile}"}, {}),
        (variable, {}, others | {variable: f"f00d{hostile}"}),
    ):
        with pytest.raises(CredentialsError, match=f"^{shown} must be .* without control characters") as caught:
            resolve(environ, **arguments)
        assert "f00d" not in f"{caught.value} {caught.value!r} {caught.value.__cause__} {caught.value.__context__}"


@given(st.text(), st.text())
def test_33_every_pair_makes_a_header_or_a_clear_error(key: str, secret: str) -> None:
    try:
        credentials = resolve_credentials(key, secret, None, {})
    except CredentialsError:
        return
    assert base64.b64decode(credentials.header.removeprefix("Basic ")).decode() == f"{key}:{secret}"
    assert httpx.Headers({"Authorization": credentials.header})


@given(st.text())
def test_33_every_token_makes_a_header_or_a_clear_error(token: str) -> None:
    try:
        credentials = resolve_credentials(None, None, token, {})
    except CredentialsError:
        return
    assert httpx.Headers({"Authorization": credentials.header})["authorization"] == f"Bearer {token}"


def test_no_repr_shows_a_secret() -> None:
    options = resolve(default_headers={"X-Key": "f00d"}, default_query={"key": "f00d"}, api_key="f00d")
    shown = f"{options!r} {options} {options.credentials!r} {Credentials('Bearer', 'f00d')!r}"
    assert "f00d" not in shown
    assert options.credentials.header.partition(" ")[2] not in shown


@pytest.fixture
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An environment without any variable of ours."""
    for name in os.environ:
        if name.startswith("SCENARIO"):
            monkeypatch.delenv(name)
    return monkeypatch


@pytest.mark.parametrize("client", [Scenario, AsyncScenario])
@pytest.mark.usefixtures("clean_environment")
def test_a_client_without_credentials_names_the_variables(client: Any) -> None:
    with pytest.raises(CredentialsError, match=r"SCENARIO_SDK_API_KEY.*SCENARIO_SDK_API_SECRET.*SCENARIO_SDK_JWT"):
        client()


@pytest.mark.usefixtures("clean_environment")
def test_credentials_under_the_names_of_other_tools_are_pointed_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCENARIO_API_KEY", "key_of_plugin")
    with pytest.raises(CredentialsError, match=r"SCENARIO_API_KEY of the environment, which other tools use") as caught:
        Scenario()
    monkeypatch.setenv("SCENARIO_API_SECRET", "s3cret-of-plugin")
    with pytest.raises(CredentialsError, match=r"SCENARIO_API_KEY and SCENARIO_API_SECRET of the environment"):
        Scenario()
    assert "key_of_plugin" not in str(caught.value)
    with pytest.raises(CredentialsError, match=r"SCENARIO_SDK_JWT\)\.$"):
        Scenario(trust_env=False)
    # One half under its own name, the other not.
    monkeypatch.setenv("SCENARIO_SDK_API_KEY", "key")
    with pytest.raises(CredentialsError, match=r"no secret.*SCENARIO_API_SECRET of the environment"):
        Scenario()


def ask(**arguments: Any) -> httpx.Request:
    """Return the request that a call of a client with these arguments sends."""
    requests: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(200, json={"upload": {"id": "upload_1"}})

    # The credentials of the transport are those of somebody else.
    http_client = httpx.Client(transport=httpx.MockTransport(answer), auth=("other", "pair"))
    with http_client, Scenario(**arguments, http_client=http_client) as client:
        client.uploads.retrieve("upload_1")
    (request,) = requests
    return request


def test_a_client_takes_credentials_and_address_from_the_environment(clean_environment: pytest.MonkeyPatch) -> None:
    clean_environment.setenv("SCENARIO_SDK_API_KEY", "env_key")
    clean_environment.setenv("SCENARIO_SDK_API_SECRET", "env_secret")
    clean_environment.setenv("SCENARIO_BASE_URL", "https://example.com/v7/")
    request = ask()
    assert request.headers["authorization"] == basic("env_key", "env_secret")
    assert str(request.url) == "https://example.com/v7/uploads/upload_1"


def test_an_explicit_token_is_never_overridden_by_the_environment(clean_environment: pytest.MonkeyPatch) -> None:
    """The official SDK's issue 26."""
    for name, value in (PAIR | TOKEN | {"SCENARIO_BASE_URL": "https://example.com"}).items():
        clean_environment.setenv(name, value)
    request = ask(bearer_auth="given", base_url="https://example.org/v1")
    assert request.headers["authorization"] == "Bearer given"
    assert request.url.host == "example.org"


@pytest.mark.parametrize("client", [Scenario, AsyncScenario])
def test_the_repr_of_a_client_shows_its_address_alone(client: Any, clean_environment: pytest.MonkeyPatch) -> None:
    shown = client(api_key="f00d", api_secret="f00d", base_url="https://example.com/v1")
    assert repr(shown) == str(shown) == f"{client.__name__}(base_url='https://example.com/v1')"


@pytest.mark.parametrize(
    ("given", "environ", "expected"),
    [
        (None, {}, DEFAULT_BASE_URL),
        (None, {"SCENARIO_BASE_URL": ""}, DEFAULT_BASE_URL),
        (None, {"SCENARIO_BASE_URL": "http://127.0.0.1:4010/v1"}, "http://127.0.0.1:4010/v1"),
        ("https://example.com/v1", {"SCENARIO_BASE_URL": "https://other"}, "https://example.com/v1"),
        ("https://example.com/v1/", {}, "https://example.com/v1"),
        ("https://example.com", {}, "https://example.com"),
        ("http://[::1]:4010/v1", {}, "http://[::1]:4010/v1"),
        ("https://gateway.example.com/@team/v1", {}, "https://gateway.example.com/@team/v1"),
        ("https://bücher.example/v1", {}, "https://bücher.example/v1"),
        (httpx.URL("https://example.com/v1"), {}, "https://example.com/v1"),
    ],
)
def test_where_the_api_is(given: Any, environ: dict[str, str], expected: str) -> None:
    assert resolve(PAIR | environ, base_url=given).base_url == expected


@pytest.mark.parametrize(
    "base_url",
    [
        "example.com/v1",
        "ftp://example.com",
        "file:///etc/passwd",
        "https://",
        "https:///v1",
        "//example.com",
        "https://example.com:x/v1",
        "https://example.com:99999/v1",
        "https://exa mple.com/v1",
        " https://example.com",
        "https://example.com/v1\n",
        "https://example.com\\v1",
        "https://a%2eb/v1",
        "https://a..b/v1",
        f"https://{'a' * 64}.example.com/v1",
        "https://xn--a/v1",
        "https://[::1",
        "https://user:f00d@example.com/v1",
        "https://f00d@example.com/v1",
        "https://example.com/v1?key=f00d",
        "https://example.com/v1?",
        "https://example.com/v1#f00d",
        "https://example.com/v1#",
        b"https://example.com",
        5,
    ],
)
def test_addresses_that_are_refused(base_url: Any) -> None:
    """At construction, given or in the environment, and without repeating what may be a secret."""
    with pytest.raises(InvalidArgumentError, match="base_url must") as caught:
        resolve(base_url=base_url)
    assert "f00d" not in f"{caught.value} {caught.value.__cause__}"
    if isinstance(base_url, str):
        with pytest.raises(InvalidArgumentError, match="base_url must"):
            resolve(PAIR | {"SCENARIO_BASE_URL": base_url})


@given(st.text(st.characters() | st.sampled_from("abc.:/-[]@%?#"), max_size=30))
def test_every_address_can_be_requested_or_is_refused(rest: str) -> None:
    try:
        base_url = resolve(base_url=f"https://{rest}").base_url
    except InvalidArgumentError:
        return
    assert httpx.Request("GET", base_url + "/uploads/upload_1").url.path.endswith("/uploads/upload_1")


@pytest.mark.parametrize(
    ("timeout", "expected"),
    [
        (None, DEFAULT_TIMEOUT),
        (5, httpx.Timeout(5.0)),
        (0.5, httpx.Timeout(0.5)),
        (httpx.Timeout(7.0, read=90.0), httpx.Timeout(7.0, read=90.0)),
        # What httpx would wait for without end has an end here.
        (httpx.Timeout(None), DEFAULT_TIMEOUT),
        (httpx.Timeout(7.0, read=None), httpx.Timeout(7.0, read=60.0)),
    ],
)
def test_timeouts_are_finite(timeout: Any, expected: httpx.Timeout) -> None:
    assert resolve(timeout=timeout).timeout == expected
    assert resolve_timeout(timeout) == expected


@pytest.mark.parametrize("timeout", [DEFAULT_TIMEOUT])
def test_the_default_timeouts_all_end(timeout: httpx.Timeout) -> None:
    """A slow link does not fail while bytes move, and a dead one does."""
    assert all(value is not None and 1 <= value <= 120 for value in timeout.as_dict().values())


BAD_SECONDS = [0, -1, -0.5, math.nan, math.inf, 10**400, 1e300, True, "5", None, [5], 1 + 2j]


@pytest.mark.parametrize("seconds", [value for value in BAD_SECONDS if value is not None])
def test_timeouts_that_are_refused(seconds: Any) -> None:
    with pytest.raises(InvalidArgumentError, match="timeout must be a number of seconds above 0"):
        resolve(timeout=seconds)
    if isinstance(seconds, int | float):
        with pytest.raises(InvalidArgumentError, match="timeout must be a number of seconds"):
            resolve(timeout=httpx.Timeout(5.0, read=seconds))


def test_a_wait_may_be_of_no_time() -> None:
    assert check_seconds("timeout", 0, zero=True) == 0.0
    for seconds in BAD_SECONDS[1:]:
        with pytest.raises(InvalidArgumentError, match="from 0"):
            check_seconds("timeout", seconds, zero=True)


@pytest.mark.parametrize("retries", [0, 1, 10**9, math.inf])
def test_how_often_a_call_may_be_tried_again(retries: float) -> None:
    assert resolve(max_retries=retries).max_retries == retries


@pytest.mark.parametrize("retries", [-1, 1.0, -math.inf, math.nan, True, "2", None])
def test_numbers_of_retries_that_are_refused(retries: Any) -> None:
    with pytest.raises(InvalidArgumentError, match="max_retries must be a whole number, 0 or more"):
        resolve(max_retries=retries)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Team": "meshes"},
        {"X-Empty": ""},
        {"x!#$%&'*+.^_`|~": "a \t~"},
        httpx.Headers({"X-Team": "meshes"}),
    ],
)
def test_headers_that_are_taken(headers: Mapping[str, str]) -> None:
    assert resolve(default_headers=headers).default_headers == dict(headers)


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Team": "Gewölbe"},
        {"Content-Length": "5"},
        {"transfer-Encoding": "chunked"},
        {"": "a"},
        {"X Team": "a"},
        {"X-Team:": "a"},
        {"X-Team\n": "a"},
        {"X-Téam": "a"},
        {"X(Team)": "a"},
        {5: "a"},
        {"X-Team": "f00d\n"},
        {"X-Team": "f00d\r\nX-Evil: 1"},
        {"X-Team": "f00d\x00"},
        {"X-Team": "f00d\x01"},
        {"X-Team": " f00d"},
        {"X-Team": "f00d "},
        {"X-Team": "f00d\udcff"},
        {"X-Team": b"f00d"},
        {"X-Team": None},
        {"X-Team": 5},
        [("X-Team", "f00d")],
        "X-Team: f00d",
    ],
)
def test_headers_that_are_refused(headers: Any) -> None:
    """When the client is made, not when the first call fails; and the value is not repeated."""
    with pytest.raises(InvalidArgumentError, match="header") as caught:
        resolve(default_headers=headers)
    assert "f00d" not in str(caught.value)


@given(st.dictionaries(st.text(max_size=5) | st.just("X-Team"), st.text(max_size=5), max_size=2))
def test_every_header_can_be_sent_or_is_refused(headers: dict[str, str]) -> None:
    try:
        taken = resolve(default_headers=headers).default_headers
    except InvalidArgumentError:
        return
    # This is what HTTPX sends with, and it raises an error of its own for what it does not take.
    lines = [(name, value.encode()) for name, value in taken.items()]
    if not any(name.lower() == "host" for name in taken):
        lines.append(("Host", b"example.com"))
    sent = h11.Request(method="GET", target="/", headers=lines)
    assert len(sent.headers) == len(lines)


@pytest.mark.parametrize(
    "query", [{"a": [["f00d"]]}, {"a": b"f00d"}, {"a": {"b": b"f00d"}}, {5: "f00d"}, "a=f00d", [("a", "f00d")]]
)
def test_query_parameters_that_are_refused(query: Any) -> None:
    with pytest.raises(InvalidArgumentError, match="query") as caught:
        resolve(default_query=query)
    assert "f00d" not in str(caught.value)


def test_settings_do_not_follow_what_the_caller_changes_later() -> None:
    headers, query = {"X-Team": "meshes"}, {"projectId": "proj_1"}
    options = resolve(default_headers=headers, default_query=query)
    headers.clear()
    query.clear()
    assert options.default_headers == {"X-Team": "meshes"}
    assert options.default_query == {"projectId": "proj_1"}


class TestHeadersOfTheEnvironment:
    def test_stand_on_lines_of_their_own(self) -> None:
        told = "X-Gate: open \r\n\nno header\nX-Empty:\nX-Url: http://x:1/y\n"
        expected = {"X-Gate": "open", "X-Empty": "", "X-Url": "http://x:1/y"}
        assert resolve(PAIR | {"SCENARIO_CUSTOM_HEADERS": told}).environment_headers == expected

    def test_are_replaced_by_those_that_are_given(self) -> None:
        options = resolve(PAIR | {"SCENARIO_CUSTOM_HEADERS": "X-A: 1\nX-B: 2"}, default_headers={"x-a": "3"})
        request = build_request(options, GET)
        assert (request.headers["x-a"], request.headers["x-b"]) == ("3", "2")

    def test_have_no_say_in_the_credentials(self) -> None:
        options = resolve({"SCENARIO_CUSTOM_HEADERS": "authorization: Bearer env"}, bearer_auth="given")
        assert build_request(options, GET).headers["authorization"] == "Bearer given"
        with pytest.raises(CredentialsError, match="No credentials"):
            resolve({"SCENARIO_CUSTOM_HEADERS": "authorization: Bearer env"})

    @pytest.mark.parametrize("told", ["X Y: f00d", ": f00d", "X: f00d\x01"])
    def test_are_refused_when_they_cannot_be_sent(self, told: str) -> None:
        with pytest.raises(InvalidArgumentError, match="SCENARIO_CUSTOM_HEADERS") as caught:
            resolve(PAIR | {"SCENARIO_CUSTOM_HEADERS": told})
        assert "f00d" not in str(caught.value)


class TestCredentialsInAHeader:
    @pytest.mark.parametrize("value", ["Bearer t0ken", "Token  x y", "t0ken"])
    def test_replace_the_others_and_are_kept_as_secret(self, value: str) -> None:
        for arguments in ({}, {"bearer_auth": "other"}, {"api_key": "k", "api_secret": "s"}):
            options = resolve({}, default_headers={"AUTHORIZATION": value}, **arguments)
            assert options.credentials.header == value
            assert options.all_headers == {}
            assert "t0ken" not in repr(options)

    def test_may_be_a_bearer_token(self) -> None:
        assert resolve({}, default_headers={"Authorization": "Bearer t"}).credentials.bearer_auth == "t"


class TestAnEnvironmentThatIsNotTrusted:
    EVERYTHING = PAIR | TOKEN | {"SCENARIO_BASE_URL": "http://env.example/v1", "SCENARIO_CUSTOM_HEADERS": "X-A: 1"}

    def test_is_not_read(self) -> None:
        options = resolve(self.EVERYTHING, bearer_auth="given", trust_env=False)
        assert options.base_url == DEFAULT_BASE_URL
        assert options.credentials.header == "Bearer given"
        assert options.environment_headers == {}
        assert not options.trust_env

    def test_gives_no_credentials(self) -> None:
        with pytest.raises(CredentialsError, match="No credentials"):
            resolve(self.EVERYTHING, trust_env=False)


@pytest.mark.parametrize("kind", [httpx.Client, httpx.AsyncClient])
def test_the_timeout_of_a_given_http_client_holds_unless_another_is_given(kind: Any) -> None:
    given = kind(timeout=httpx.Timeout(7, read=None))
    assert resolve(http_client=given).timeout == httpx.Timeout(7, read=60)
    assert resolve(http_client=given, timeout=NOT_GIVEN).timeout == httpx.Timeout(7, read=60)
    assert resolve(http_client=given, timeout=3).timeout == httpx.Timeout(3)
    assert resolve(http_client=kind()).timeout == DEFAULT_TIMEOUT
