"""The settings of a client, and what a single call adds."""

from __future__ import annotations

# Otherwise loaded with the first host name, which fails when no file descriptor is left.
import encodings.idna  # noqa: F401  # pyright: ignore[reportUnusedImport]
import math
import ssl
from collections.abc import Mapping
from typing import Any

import httpx
from attrs import asdict, evolve, field, frozen

from scenario_uploads.arguments import CallOptions, Headers, NotGiven, Omit, Query, is_given
from scenario_uploads.errors import InvalidArgumentError
from scenario_uploads.retry import DEFAULT_MAX_RETRIES
from scenario_uploads.tls import check_authorities, read_trust

from .arguments import ClientArguments, ClientChanges
from .credentials import Credentials, resolve_credentials, split_credentials
from .defaults import DEFAULT_BASE_URL, resolve_timeout
from .request import add_headers, check_body, check_headers, check_query

_NO_BASE_URL = "base_url must be an http or https URL such as https://api.cloud.scenario.com/v1."
NO_HTTP_CLIENT = "A client with its own http_client cannot go to another process; leave http_client out."


def check_base_url(given: object) -> str:
    """Return the URL of the API without a final slash; it must be http or https, with a host and at most a path."""
    url = str(given)
    try:
        parts = httpx.URL(url)
        # Resolving a host with these characters, or one that the idna codec refuses, would raise elsewhere.
        usable = bool(parts.host) and not any(char <= " " or char == "\\" for char in url) and "%" not in parts.host
        parts.host.encode("idna")
    except (httpx.InvalidURL, ValueError):
        raise InvalidArgumentError(_NO_BASE_URL) from None
    if not usable or parts.scheme not in ("http", "https") or (parts.port or 0) > 65535:
        raise InvalidArgumentError(_NO_BASE_URL)
    if parts.userinfo or "?" in url or "#" in url:
        raise InvalidArgumentError("base_url must have no user name, no query and no fragment; they may be secrets.")
    return url.rstrip("/")


def check_retries(max_retries: object) -> float:
    """Return `max_retries` when it is a whole number from 0."""
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


def check_http_client(given: object, expected: type[httpx.Client | httpx.AsyncClient]) -> None:
    """Check that a given `http_client` is of the kind that this client needs."""
    if given is not None and not isinstance(given, expected):
        raise InvalidArgumentError(f"http_client must be an httpx.{expected.__name__}, not {type(given).__name__}.")


@frozen
class ClientOptions:
    """The settings of one client, checked."""

    base_url: str = field(converter=check_base_url)
    credentials: Credentials
    timeout: httpx.Timeout = field(converter=resolve_timeout)
    max_retries: float = field(default=DEFAULT_MAX_RETRIES, converter=check_retries)
    default_headers: Headers = field(factory=dict, repr=False)
    default_query: Query = field(factory=dict, repr=False)
    strict_responses: bool = field(default=False, converter=bool)
    project_id: str | None = field(default=None, converter=check_project_id)
    verify: ssl.SSLContext | None = field(default=None, converter=read_trust, repr=False)
    allow_http_storage: bool = field(default=False, converter=bool)
    trust_env: bool = field(default=True, converter=bool)
    environment_headers: Headers = field(factory=dict, repr=False)

    @property
    def all_headers(self) -> dict[str, str | Omit]:
        """The headers given for every call, in the environment or as an argument."""
        return add_headers(self.environment_headers, self.default_headers)

    def resolve_call(
        self,
        project_id: str | Omit | NotGiven | None = None,
        timeout: float | httpx.Timeout | NotGiven | None = None,
        extra_headers: object = None,
        extra_query: object = None,
        extra_body: object = None,
    ) -> CallOptions:
        """Check the options of a single call."""
        if project_id is None or isinstance(project_id, NotGiven):
            project_id = self.project_id
        return CallOptions(
            headers=check_headers("extra_headers", extra_headers),
            query=check_query("extra_query", extra_query),
            body=check_body("extra_body", extra_body),
            timeout=resolve_timeout(timeout, self.timeout),
            project_id=check_project_id(project_id),
        )


def resolve_options(
    environ: Mapping[str, str], given: ClientArguments, http_client: httpx.Client | httpx.AsyncClient | None = None
) -> ClientOptions:
    """Check the arguments of a client, and fill in the environment's."""
    if not given.trust_env:
        environ = {}
    elif given.verify is None:
        check_authorities()
    headers, written = split_credentials(check_headers("default_headers", given.default_headers))
    timeout = given.timeout
    # HTTPX's own default was not chosen by the caller.
    if (timeout is None or not is_given(timeout)) and http_client and http_client.timeout != httpx.Timeout(5.0):
        timeout = http_client.timeout
    return ClientOptions(
        base_url=given.base_url or environ.get("SCENARIO_BASE_URL") or DEFAULT_BASE_URL,
        credentials=written or resolve_credentials(given.api_key, given.api_secret, given.bearer_auth, environ),
        timeout=timeout,
        max_retries=given.max_retries,
        default_headers=headers,
        default_query=check_query("default_query", given.default_query),
        strict_responses=given.strict_responses,
        project_id=given.project_id,
        verify=given.verify,
        allow_http_storage=_read_switch(environ, "SCENARIO_ALLOW_HTTP_STORAGE", given.allow_http_storage),
        trust_env=given.trust_env,
        environment_headers=_read_custom_headers(environ),
    )


def change_options(environ: Mapping[str, str], options: ClientOptions, given: ClientChanges) -> ClientOptions:
    """Return the settings of a copy: those of the client, changed by the arguments."""
    wanted = {
        name: value
        for name, value in asdict(given, recurse=False).items()
        if value is not None and not isinstance(value, NotGiven)
    }
    for name in ("default_headers", "default_query"):
        if name in wanted and f"set_{name}" in wanted:
            raise InvalidArgumentError(f"The `{name}` and `set_{name}` arguments are mutually exclusive")
    simple = ("base_url", "timeout", "max_retries", "strict_responses", "project_id", "verify", "allow_http_storage")
    changed = {name: wanted[name] for name in simple if name in wanted}
    # None means the default timeouts, and no number of retries.
    changed |= {name: None for name in ("timeout", "max_retries") if getattr(given, name) is None}
    credentials = options.credentials
    if not wanted.keys().isdisjoint(("api_key", "api_secret", "bearer_auth")):
        key, secret = credentials.api_key or "", credentials.api_secret or ""
        present = {"SCENARIO_SDK_API_KEY": key, "SCENARIO_SDK_API_SECRET": secret}
        new = resolve_credentials(given.api_key, given.api_secret, given.bearer_auth, present)
        credentials = evolve(new, read=new.read & credentials.read)
    for name, headers in (("default_headers", options.default_headers), ("set_default_headers", {})):
        if name in wanted:
            checked, written = split_credentials(check_headers(name, wanted[name]))
            changed["default_headers"] = add_headers(headers, checked)
            credentials = written or credentials
    for name, query in (("default_query", options.default_query), ("set_default_query", {})):
        if name in wanted:
            changed["default_query"] = {**query, **check_query(name, wanted[name])}
    trust_env = given.trust_env
    if trust_env is not None and bool(trust_env) is not options.trust_env:
        if trust_env and "verify" not in wanted and options.verify is None:
            check_authorities()
        environment_headers = _read_custom_headers(environ) if trust_env else {}
        changed |= {"trust_env": trust_env, "environment_headers": environment_headers}
    return evolve(options, credentials=credentials, **changed)


def list_arguments(options: ClientOptions) -> dict[str, Any]:
    """Return the arguments for the same client in another process, which reads its environment's secrets itself."""
    credentials, verify = options.credentials, getattr(options.verify, "path", None)
    if options.verify is not None and verify is None:
        raise InvalidArgumentError(
            "An ssl.SSLContext cannot go to another process; give the path of the CA file as verify=."
        )
    given = {
        name: value
        for name in ("api_key", "api_secret", "bearer_auth")
        if name not in credentials.read and (value := getattr(credentials, name)) is not None
    }
    written = {} if given or credentials.read else {"Authorization": credentials.header}
    names = ("base_url", "timeout", "max_retries", "strict_responses", "project_id", "allow_http_storage", "trust_env")
    return {
        **{name: getattr(options, name) for name in names},
        **given,
        "default_headers": {**options.default_headers, **written},
        "default_query": options.default_query,
        "verify": verify,
    }


def _read_switch(environ: Mapping[str, str], name: str, given: bool | None) -> bool:
    """Return the argument if given, else whether a variable is set to 1, true, yes or on."""
    return environ.get(name, "").strip().lower() in ("1", "true", "yes", "on") if given is None else given


def _read_custom_headers(environ: Mapping[str, str]) -> dict[str, str | Omit]:
    """Return the headers in `SCENARIO_CUSTOM_HEADERS`, one per line; `Authorization` is ignored."""
    lines = [line.partition(":") for line in environ.get("SCENARIO_CUSTOM_HEADERS", "").split("\n") if ":" in line]
    headers = {name.strip(): value.strip() for name, _, value in lines}
    return {
        name: value
        for name, value in check_headers("SCENARIO_CUSTOM_HEADERS", headers).items()
        if name.lower() != "authorization"
    }
