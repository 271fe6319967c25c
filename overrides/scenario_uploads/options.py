"""What callers pass: credentials, settings of a client, what a single call adds, what a progress callback gets."""

from __future__ import annotations

import os
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, BinaryIO

import httpx
from attrs import evolve, field, frozen

from .credentials import Credentials, resolve_credentials, split_credentials
from .defaults import DEFAULT_BASE_URL, DEFAULT_TIMEOUT
from .errors import InvalidArgumentError
from .given import NotGiven, Omit, is_given
from .params import Headers, Query, add_headers, check_body, check_headers, check_query, merge_body

MAX_CONCURRENCY = 64

# Operating systems count timeouts in a few bits; thirty years are enough.
MAX_SECONDS = 1_000_000_000

_NO_BASE_URL = "base_url must be an http or https URL such as https://api.cloud.scenario.com/v1."

FileInput = str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryIO
"""A path, the bytes themselves, or a seekable binary file object."""


class UploadPhase(StrEnum):
    """What `upload_file` is doing."""

    TRANSFERRING = "transferring"
    COMPLETING = "completing"
    WAITING = "waiting"
    DONE = "done"


@frozen
class UploadProgress:
    """Where an upload stands, as `on_progress` gets it.

    Attributes:
        phase: What is being done.
        bytes_done: Bytes sent so far. It falls only when a part is sent again.
        bytes_total: Bytes of the file.
        parts_done: Parts that storage has acknowledged.
        parts_total: Parts of the file.
        attempt: The most often that any part has been tried, from 1.
    """

    phase: UploadPhase
    bytes_done: int
    bytes_total: int
    parts_done: int
    parts_total: int
    attempt: int = 1


@frozen
class ClientOptions:
    """The settings of one client, checked."""

    base_url: str
    credentials: Credentials
    timeout: httpx.Timeout
    max_retries: int
    default_headers: Headers = field(repr=False)
    default_query: Query = field(repr=False)
    strict_responses: bool
    project_id: str | None = None
    trust_env: bool = True
    environment_headers: Headers = field(factory=dict, repr=False)


@frozen
class CallOptions:
    """What a caller adds to a single call, checked.

    Attributes:
        headers: Headers to send besides the client's, or in place of them.
        query: Query parameters to send besides the client's, or in place of them.
        body: Fields to put into the body, where the call has one.
        timeout: Instead of the client's.
    """

    headers: Headers = field(factory=dict, repr=False)
    query: Query = field(factory=dict, repr=False)
    body: Mapping[str, object] = field(factory=dict, repr=False)
    timeout: float | httpx.Timeout | None = None

    def add_to(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Return a request of the generated client with what is added here."""
        if self is NOTHING_ADDED:
            return dict(request)
        added = dict(request)
        if self.headers:
            added["headers"] = {**request.get("headers", {}), **self.headers}
        if self.query:
            added["extra_params"] = self.query
        # A GET has no body; there `extra_body` changes nothing.
        if self.body and "json" in request:
            added["json"] = merge_body(request["json"], self.body)
        return added


NOTHING_ADDED = CallOptions()


def resolve_call(
    extra_headers: object, extra_query: object, extra_body: object, timeout: float | httpx.Timeout | NotGiven | None
) -> CallOptions:
    """Check what a caller adds to a single call.

    Raises:
        InvalidArgumentError: When one of the arguments cannot be used.
    """
    if extra_headers is extra_query is extra_body is timeout is None:
        return NOTHING_ADDED
    wanted = None if isinstance(timeout, NotGiven) else timeout
    resolve_timeout(wanted)
    return CallOptions(
        headers=check_headers("extra_headers", _or_empty(extra_headers)),
        query=check_query("extra_query", _or_empty(extra_query)),
        body=check_body("extra_body", _or_empty(extra_body)),
        timeout=wanted,
    )


def resolve_options(
    *,
    api_key: str | None,
    api_secret: str | None,
    bearer_auth: str | None,
    base_url: str | httpx.URL | None,
    timeout: float | httpx.Timeout | NotGiven | None,
    max_retries: int,
    default_headers: Mapping[str, str] | None,
    default_query: Mapping[str, object] | None,
    strict_responses: bool,
    environ: Mapping[str, str],
    project_id: str | Omit | None = None,
    trust_env: bool = True,
    http_client: httpx.Client | httpx.AsyncClient | None = None,
) -> ClientOptions:
    """Check a client's arguments and fill in what the environment gives.

    Raises:
        InvalidArgumentError: When a setting cannot be used.
        CredentialsError: When the credentials are missing, half or double.
    """
    if not trust_env:
        environ = {}
    headers, credentials = split_credentials(check_headers("default_headers", default_headers or {}))
    if timeout is None or isinstance(timeout, NotGiven):
        timeout = _timeout_of(http_client)
    return ClientOptions(
        base_url=_check_base_url(str(base_url or environ.get("SCENARIO_BASE_URL") or DEFAULT_BASE_URL)),
        credentials=credentials or resolve_credentials(api_key, api_secret, bearer_auth, environ),
        timeout=resolve_timeout(timeout),
        max_retries=_check_retries(max_retries),
        default_headers=headers,
        default_query=check_query("default_query", default_query or {}),
        strict_responses=bool(strict_responses),
        project_id=check_project_id(project_id),
        trust_env=bool(trust_env),
        environment_headers=_read_custom_headers(environ),
    )


def check_project_id(project_id: object) -> str | None:
    """Return the id of a project; None for none, which `omit` asks for.

    Raises:
        InvalidArgumentError: When it is empty or no text that can be sent.
    """
    if project_id is None or not is_given(project_id):
        return None
    if not isinstance(project_id, str) or not project_id.strip() or not project_id.isprintable():
        raise InvalidArgumentError(f"project_id must be the id of a project, such as 'proj_5Rt9c', not {project_id!r}.")
    return project_id


def change_options(
    options: ClientOptions,
    *,
    api_key: str | None,
    api_secret: str | None,
    bearer_auth: str | None,
    base_url: str | httpx.URL | None,
    timeout: float | httpx.Timeout | NotGiven | None,
    max_retries: int | NotGiven,
    default_headers: Mapping[str, str] | None,
    set_default_headers: Mapping[str, str] | None,
    default_query: Mapping[str, object] | None,
    set_default_query: Mapping[str, object] | None,
    strict_responses: bool | None,
    project_id: str | Omit | None = None,
) -> ClientOptions:
    """Return the settings of a copy: those of the client, but for what is given.

    Raises:
        InvalidArgumentError: When a setting cannot be used, or would be both added to and replaced.
        CredentialsError: When credentials are half or double.
    """
    for name, added, replaced in (
        ("default_headers", default_headers, set_default_headers),
        ("default_query", default_query, set_default_query),
    ):
        if added is not None and replaced is not None:
            raise InvalidArgumentError(f"The `{name}` and `set_{name}` arguments are mutually exclusive")
    headers, credentials = dict(options.default_headers), options.credentials
    if (api_key, api_secret, bearer_auth) != (None, None, None):
        present = {
            "SCENARIO_SDK_API_KEY": credentials.api_key or "",
            "SCENARIO_SDK_API_SECRET": credentials.api_secret or "",
        }
        credentials = resolve_credentials(api_key, api_secret, bearer_auth, present)
    for name, given in (("default_headers", default_headers), ("set_default_headers", set_default_headers)):
        if given is not None:
            checked, written = split_credentials(check_headers(name, given))
            headers = checked if name.startswith("set_") else add_headers(headers, checked)
            credentials = written or credentials
    query = dict(options.default_query)
    if default_query is not None:
        query |= check_query("default_query", default_query)
    if set_default_query is not None:
        query = check_query("set_default_query", set_default_query)
    return evolve(
        options,
        base_url=_check_base_url(str(base_url)) if base_url else options.base_url,
        credentials=credentials,
        timeout=options.timeout if isinstance(timeout, NotGiven) else resolve_timeout(timeout),
        max_retries=options.max_retries if isinstance(max_retries, NotGiven) else _check_retries(max_retries),
        default_headers=headers,
        default_query=query,
        strict_responses=options.strict_responses if strict_responses is None else bool(strict_responses),
        project_id=options.project_id if project_id is None else check_project_id(project_id),
    )


def _read_custom_headers(environ: Mapping[str, str]) -> dict[str, str | Omit]:
    """Return the headers in `SCENARIO_CUSTOM_HEADERS`, one `Name: value` on each line.

    An `Authorization` among them is left out: the environment does not override credentials.
    """
    lines = [line.partition(":") for line in environ.get("SCENARIO_CUSTOM_HEADERS", "").split("\n") if ":" in line]
    headers = {name.strip(): value.strip() for name, _, value in lines}
    return {
        name: value
        for name, value in check_headers("SCENARIO_CUSTOM_HEADERS", headers).items()
        if name.lower() != "authorization"
    }


def _timeout_of(http_client: httpx.Client | httpx.AsyncClient | None) -> httpx.Timeout | None:
    """Return the timeout that a caller gave to their own HTTPX client; None when it is HTTPX's default."""
    if http_client is None or http_client.timeout == httpx.Timeout(5.0):
        return None
    return http_client.timeout


def check_http_client(given: object, expected: type[httpx.Client | httpx.AsyncClient]) -> None:
    """Check what a caller gives to carry the calls to the API.

    Raises:
        InvalidArgumentError: When it is not of the kind that this client needs.
    """
    if given is not None and not isinstance(given, expected):
        raise InvalidArgumentError(f"http_client must be an httpx.{expected.__name__}, not {type(given).__name__}.")


def _check_retries(max_retries: object) -> int:
    if isinstance(max_retries, bool) or not isinstance(max_retries, int) or max_retries < 0:
        raise InvalidArgumentError(f"max_retries must be a whole number, 0 or more, not {max_retries!r}.")
    return max_retries


def resolve_timeout(timeout: float | httpx.Timeout | None, default: httpx.Timeout = DEFAULT_TIMEOUT) -> httpx.Timeout:
    """Return finite timeouts: the given ones, with the defaults where none is given.

    Raises:
        InvalidArgumentError: When a timeout is not a number of seconds above 0.
    """
    if timeout is None:
        return default
    if isinstance(timeout, httpx.Timeout):
        defaults = default.as_dict()
        chosen = {key: defaults[key] if value is None else value for key, value in timeout.as_dict().items()}
        for value in chosen.values():
            check_seconds("timeout", value)
        return httpx.Timeout(**chosen)
    check_seconds("timeout", timeout)
    return httpx.Timeout(timeout)


def _or_empty(given: object) -> object:
    """Return what an argument gives, which for one that is not given is nothing."""
    return {} if given is None or not is_given(given) else given


def check_seconds(name: str, value: object, *, zero: bool = False) -> float:
    """Return `value` when it is a number of seconds above 0 (or from 0) that can be waited for.

    Raises:
        InvalidArgumentError: When it is not.
    """
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not 0 <= value <= MAX_SECONDS or (value == 0 and not zero):  # type: ignore[operator]
        raise InvalidArgumentError(
            f"{name} must be a number of seconds {'from' if zero else 'above'} 0 to {MAX_SECONDS:,}, not {value!r}."
        )
    return float(value)  # type: ignore[arg-type]


def _check_base_url(url: str) -> str:
    try:
        parts = httpx.URL(url)
        # No name has these, and none has labels that this codec refuses: asking for their address would crash.
        usable = bool(parts.host) and not any(char <= " " or char == "\\" for char in url) and "%" not in parts.host
        parts.host.encode("idna")
    except (httpx.InvalidURL, ValueError):
        raise InvalidArgumentError(_NO_BASE_URL) from None
    if not usable or parts.scheme not in ("http", "https") or (parts.port or 0) > 65535:
        raise InvalidArgumentError(_NO_BASE_URL)
    if parts.userinfo or "?" in url or "#" in url:
        raise InvalidArgumentError("base_url must have no user name, no query and no fragment; they may be secrets.")
    return url.rstrip("/")
