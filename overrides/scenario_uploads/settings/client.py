"""The settings of a client, and what a single call adds. `make generate` writes its signatures from the fields."""

from __future__ import annotations

# Otherwise loaded with the first host name, which fails when no file descriptor is left.
import encodings.idna  # noqa: F401  # pyright: ignore[reportUnusedImport]
import math
import os
import ssl
from collections.abc import Mapping
from typing import Any

import httpx
from attrs import Factory, asdict, evolve, field, fields, frozen

from scenario_uploads.arguments import NOT_GIVEN, CallOptions, Headers, NotGiven, Omit, Query, is_given
from scenario_uploads.errors import InvalidArgumentError
from scenario_uploads.retry import DEFAULT_MAX_RETRIES
from scenario_uploads.tls import check_authorities, read_trust

from .credentials import Credentials, drop_authorization, read_authorization, resolve_credentials
from .defaults import DEFAULT_BASE_URL, resolve_timeout
from .request import check_body, check_headers, check_query, merge_headers

HttpClient = httpx.Client | httpx.AsyncClient


@frozen(kw_only=True)
class ClientArguments:
    """The arguments of `Scenario` and `AsyncScenario`, as they were given."""

    api_key: str | None = field(default=None, repr=False)
    """The API key, with `api_secret`. Default: the environment's `SCENARIO_SDK_API_KEY`."""
    api_secret: str | None = field(default=None, repr=False)
    """The API secret. Default: the environment's `SCENARIO_SDK_API_SECRET`."""
    bearer_auth: str | None = field(default=None, repr=False)
    """A bearer token instead of key and secret. Default: the environment's `SCENARIO_SDK_JWT`. What is given here wins
    over the environment."""
    base_url: str | httpx.URL | None = None
    """Where the API is. Default: the environment's `SCENARIO_BASE_URL`, or the production service."""
    timeout: float | httpx.Timeout | NotGiven | None = None
    """Seconds for connecting, reading, writing, an `httpx.Timeout`, or None for the default. Default: that of
    `http_client`, or 10 s to connect and 60 s for the rest."""
    max_retries: float = DEFAULT_MAX_RETRIES
    """Retries after a temporary failure, from 0; `math.inf` for no limit."""
    default_headers: Mapping[str, str] | None = field(default=None, repr=False)
    """Headers to send with every call to the API, besides those in the environment's `SCENARIO_CUSTOM_HEADERS`, one
    `Name: value` on each line. An `Authorization` here replaces the credentials."""
    default_query: Mapping[str, object] | None = field(default=None, repr=False)
    """Query parameters to send with every call to the API."""
    project_id: str | None = None
    """The project that owns uploads, sent with every call to assert or to set the owner. The argument of a call
    wins."""
    strict_responses: bool = False
    """Raise `APIResponseValidationError` when a response differs from the contract, instead of logging a warning."""
    verify: str | os.PathLike[str] | ssl.SSLContext | None = None
    """Trusted CAs: the path of a CA file or of a folder of them, or an `ssl.SSLContext`, for the API and storage; with
    an `http_client`, for storage alone. Default: the environment's `SSL_CERT_FILE` or `SSL_CERT_DIR`, or the CAs of
    certifi. Verification cannot be turned off."""
    allow_http_storage: bool | None = None
    """Accept presigned URLs with plain http, such as those of a sandbox on another machine. Anyone on the network path
    can then read and change the parts. Default: whether the environment's `SCENARIO_ALLOW_HTTP_STORAGE` is 1."""
    trust_env: bool = True
    """Read the environment: credentials and settings, `SCENARIO_LOG`, proxies, CA files."""


@frozen(kw_only=True)
class ClientChanges:
    """The arguments of `copy`, which change nothing by default. A text that is missing is that of `ClientArguments`."""

    api_key: str | None = None
    """Another API key; without `api_secret`, the secret stays, and the reverse."""
    api_secret: str | None = None
    bearer_auth: str | None = None
    base_url: str | httpx.URL | None = None
    timeout: float | httpx.Timeout | NotGiven | None = NOT_GIVEN
    max_retries: float | NotGiven = NOT_GIVEN
    default_headers: Mapping[str, str] | None = None
    """Headers to add to the current ones, or to replace those of the same name."""
    set_default_headers: Mapping[str, str] | None = None
    """All headers to send, instead of the current ones."""
    default_query: Mapping[str, object] | None = None
    """Query parameters to add to the current ones, or to replace those of the same name."""
    set_default_query: Mapping[str, object] | None = None
    """All query parameters to send, instead of the current ones."""
    project_id: str | Omit | None = None
    """Another project; `omit` for none."""
    strict_responses: bool | None = None
    verify: str | os.PathLike[str] | ssl.SSLContext | None = None
    allow_http_storage: bool | None = None
    trust_env: bool | None = None
    """Whether the environment's headers, proxies and CA files are used; credentials stay as they are."""


def check_base_url(given: object) -> str:
    """Return the URL of the API without a final slash; it must be http or https, with a host and at most a path."""
    url = str(given)
    try:
        parts = httpx.URL(url)
        # Resolving a host that the idna codec refuses would raise elsewhere. What is refused may be a secret.
        usable = (
            parts.scheme in ("http", "https")
            and bool(parts.host.encode("idna"))
            and (parts.port or 0) <= 65535
            and not (parts.userinfo or "%" in parts.host or any(char <= " " or char in "\\?#" for char in url))
        )
    except (httpx.InvalidURL, ValueError):
        usable = False
    if not usable:
        raise InvalidArgumentError(
            "base_url must be an http or https URL such as https://api.cloud.scenario.com/v1, without a user name, a"
            " query or a fragment."
        )
    return url.rstrip("/")


def check_retries(max_retries: object) -> float:
    if max_retries == math.inf:
        return math.inf
    if isinstance(max_retries, bool) or not isinstance(max_retries, int) or max_retries < 0:
        raise InvalidArgumentError(f"max_retries must be a whole number, 0 or more, or math.inf, not {max_retries!r}.")
    return max_retries


def check_project_id(project_id: object) -> str | None:
    """Return the id of a project, or None for `omit`."""
    if project_id is None or not is_given(project_id):
        return None
    if not isinstance(project_id, str) or not project_id.strip() or not project_id.isprintable():
        raise InvalidArgumentError(f"project_id must be the id of a project, such as 'proj_5Rt9c', not {project_id!r}.")
    return project_id


def check_http_client(given: object, expected: type[HttpClient]) -> None:
    if given is not None and not isinstance(given, expected):
        raise InvalidArgumentError(f"http_client must be an httpx.{expected.__name__}, not {type(given).__name__}.")


def _find_credentials(options: ClientOptions) -> Credentials:
    written = read_authorization(options.default_headers)
    return written or resolve_credentials(options.api_key, options.api_secret, options.bearer_auth, options.environ)


def _read_headers(options: ClientOptions) -> Headers:
    lines = options.environ.get("SCENARIO_CUSTOM_HEADERS", "").split("\n") if options.trust_env else []
    pairs = [line.partition(":") for line in lines if ":" in line]
    headers = {name.strip(): value.strip() for name, _, value in pairs}
    return drop_authorization(check_headers(headers, "SCENARIO_CUSTOM_HEADERS"))


@frozen(kw_only=True)
class ClientOptions(ClientArguments):
    """The settings of one client: its arguments, checked, with what they leave to the environment."""

    base_url: str = field(converter=check_base_url)
    timeout: httpx.Timeout = field(converter=resolve_timeout)
    max_retries: float = field(converter=check_retries)
    default_headers: Mapping[str, Any] = field(converter=check_headers, repr=False)
    default_query: Query = field(converter=check_query, repr=False)
    strict_responses: bool = field(converter=bool)
    project_id: str | None = field(converter=check_project_id)
    verify: ssl.SSLContext | None = field(converter=read_trust, repr=False)
    allow_http_storage: bool = field(converter=bool)
    trust_env: bool = field(converter=bool)
    http_client: HttpClient | None = field(default=None, repr=False)
    environ: Mapping[str, str] = field(repr=False)
    """The variables of the package, when the client was made."""
    credentials: Credentials = field(init=False, default=Factory(_find_credentials, takes_self=True))
    environment_headers: Headers = field(init=False, default=Factory(_read_headers, takes_self=True), repr=False)

    @property
    def all_headers(self) -> dict[str, str | Omit]:
        """The headers given for every call, in the environment or as an argument, without credentials."""
        return drop_authorization(merge_headers(self.environment_headers, self.default_headers))

    def resolve_call(
        self,
        project_id: str | Omit | NotGiven | None = None,
        timeout: float | httpx.Timeout | NotGiven | None = None,
        extra_headers: object = None,
        extra_query: object = None,
        extra_body: object = None,
    ) -> CallOptions:
        if project_id is None or isinstance(project_id, NotGiven):
            project_id = self.project_id
        return CallOptions(
            headers=check_headers(extra_headers, "extra_headers"),
            query=check_query(extra_query, "extra_query"),
            body=check_body(extra_body),
            timeout=resolve_timeout(timeout, self.timeout),
            project_id=check_project_id(project_id),
        )


def resolve_options(
    environ: Mapping[str, str], given: ClientArguments, http_client: HttpClient | None = None
) -> ClientOptions:
    """Check the arguments of a client, and fill in the environment's."""
    environ = _read_environment(environ, given.verify) if given.trust_env else {}
    values = asdict(given, recurse=False)
    values["base_url"] = given.base_url or environ.get("SCENARIO_BASE_URL") or DEFAULT_BASE_URL
    chosen = given.timeout is not None and is_given(given.timeout)
    # HTTPX's own default was not chosen by the caller.
    if http_client and not chosen and http_client.timeout != httpx.Timeout(5.0):
        values["timeout"] = http_client.timeout
    if given.allow_http_storage is None:
        switch = environ.get("SCENARIO_ALLOW_HTTP_STORAGE", "").strip().lower()
        values["allow_http_storage"] = switch in ("1", "true", "yes", "on")
    return ClientOptions(**values, environ=environ, http_client=http_client)


def change_options(
    environ: Mapping[str, str], options: ClientOptions, given: ClientChanges, http_client: HttpClient | None
) -> ClientOptions:
    """Return the settings of a copy: those of the client, changed by the arguments."""
    changed: dict[str, Any] = {
        each.name: value
        for each in fields(ClientChanges)
        if (value := getattr(given, each.name)) is not each.default and not isinstance(value, NotGiven)
    }
    changed["base_url"] = given.base_url or options.base_url
    headers = options.default_headers
    if not changed.keys().isdisjoint(("api_key", "api_secret", "bearer_auth")):
        headers = drop_authorization(headers)
        # A token replaces a pair, and the reverse.
        replaced = ("api_key", "api_secret") if "bearer_auth" in changed else ("bearer_auth",)
        changed = dict.fromkeys(replaced) | changed
    for name in ("default_headers", "default_query"):
        if name in changed and f"set_{name}" in changed:
            raise InvalidArgumentError(f"The `{name}` and `set_{name}` arguments are mutually exclusive")
    more_headers = check_headers(changed.get("default_headers"))
    more_query = check_query(changed.get("default_query"))
    changed["default_headers"] = changed.pop("set_default_headers", merge_headers(headers, more_headers))
    changed["default_query"] = changed.pop("set_default_query", {**options.default_query, **more_query})
    if given.trust_env and not options.trust_env:
        changed["environ"] = _read_environment(environ, changed.get("verify", options.verify))
    return evolve(options, **changed, http_client=http_client or options.http_client)


def list_arguments(options: ClientOptions) -> dict[str, Any]:
    """Return the arguments for the same client in another process, which reads its environment's secrets itself."""
    verify = getattr(options.verify, "path", None)
    if options.http_client or (options.verify and not verify):
        raise InvalidArgumentError(
            "An http_client or an ssl.SSLContext cannot go to another process: leave http_client= out, and give the"
            " path of the CA file as verify=."
        )
    return {each.name: getattr(options, each.name) for each in fields(ClientArguments)} | {"verify": verify}


def _read_environment(environ: Mapping[str, str], verify: object) -> dict[str, str]:
    """Return the variables of the package; the CA files that others name must be there unless `verify` is given."""
    if verify is None:
        check_authorities()
    return {name: value for name, value in environ.items() if name.startswith("SCENARIO_")}
