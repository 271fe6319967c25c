"""What callers pass: credentials, settings of a client, what a progress callback gets."""

from __future__ import annotations

import base64
import math
import os
from collections.abc import Mapping
from enum import StrEnum
from typing import BinaryIO
from urllib.parse import urlsplit

import httpx
from attrs import field, frozen

from .errors import CredentialsError, InvalidArgumentError

DEFAULT_BASE_URL = "https://api.cloud.scenario.com/v1"
DEFAULT_MAX_RETRIES = 2
DEFAULT_TIMEOUT = httpx.Timeout(connect=10.0, read=60.0, write=60.0, pool=60.0)
# A slow link is no failure while bytes move. After the last byte the kernel may still hold megabytes of it, so the
# answer to a part may take long.
STORAGE_TIMEOUT = httpx.Timeout(connect=10.0, read=120.0, write=60.0, pool=60.0)

MAX_CONCURRENCY = 64

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
class Credentials:
    """A value for the `Authorization` header. Its `repr` shows only the scheme."""

    scheme: str
    _value: str = field(repr=False)

    @property
    def header(self) -> str:
        """The header's value, a secret."""
        return f"{self.scheme} {self._value}"


@frozen
class ClientOptions:
    """The settings of one client, checked."""

    base_url: str
    credentials: Credentials
    timeout: httpx.Timeout
    max_retries: int
    default_headers: Mapping[str, str] = field(repr=False)
    default_query: Mapping[str, str] = field(repr=False)
    strict_responses: bool


def resolve_options(
    *,
    api_key: str | None,
    api_secret: str | None,
    bearer_auth: str | None,
    base_url: str | httpx.URL | None,
    timeout: float | httpx.Timeout | None,
    max_retries: int,
    default_headers: Mapping[str, str] | None,
    default_query: Mapping[str, object] | None,
    strict_responses: bool,
    environ: Mapping[str, str],
) -> ClientOptions:
    """Check a client's arguments and fill in what the environment gives.

    Raises:
        InvalidArgumentError: When a setting cannot be used.
        CredentialsError: When the credentials are missing, half or double.
    """
    if isinstance(max_retries, bool) or not isinstance(max_retries, int) or max_retries < 0:
        raise InvalidArgumentError(f"max_retries must be a whole number, 0 or more, not {max_retries!r}.")
    return ClientOptions(
        base_url=_check_base_url(str(base_url or environ.get("SCENARIO_BASE_URL") or DEFAULT_BASE_URL)),
        credentials=resolve_credentials(api_key, api_secret, bearer_auth, environ),
        timeout=resolve_timeout(timeout),
        max_retries=max_retries,
        default_headers=_check_headers(default_headers or {}),
        default_query=query_strings(default_query or {}),
        strict_responses=bool(strict_responses),
    )


def resolve_credentials(
    api_key: str | None, api_secret: str | None, bearer_auth: str | None, environ: Mapping[str, str]
) -> Credentials:
    """Choose the credentials: what is given beats the environment, where the key's pair comes before the token.

    Raises:
        CredentialsError: When there are none, half a pair, both kinds given, or characters that a header cannot carry.
    """
    if bearer_auth is not None:
        if api_key is not None or api_secret is not None:
            raise CredentialsError("Give either api_key and api_secret, or bearer_auth, not both.")
        return _bearer(bearer_auth, "bearer_auth")
    given = api_key is not None or api_secret is not None
    key = api_key if api_key is not None else environ.get("SCENARIO_SDK_API_KEY") or None
    secret = api_secret if api_secret is not None else environ.get("SCENARIO_SDK_API_SECRET") or None
    token = environ.get("SCENARIO_SDK_JWT") or None
    if key is not None and secret is not None:
        return _basic(key, secret)
    if not given and token is not None:
        return _bearer(token, "SCENARIO_SDK_JWT")
    if key is not None:
        raise CredentialsError(
            "There is an API key but no secret; give api_secret= or set SCENARIO_SDK_API_SECRET as well."
        )
    if secret is not None:
        raise CredentialsError("There is an API secret but no key; give api_key= or set SCENARIO_SDK_API_KEY as well.")
    raise CredentialsError(
        "No credentials: give api_key= and api_secret= (or set SCENARIO_SDK_API_KEY and SCENARIO_SDK_API_SECRET),"
        " or give bearer_auth= (or set SCENARIO_SDK_JWT)."
    )


def _basic(key: str, secret: str) -> Credentials:
    for name, value in (("api_key", key), ("api_secret", secret)):
        _check_secret(name, value)
    if ":" in key:
        raise CredentialsError("api_key has a ':', which Basic authentication cannot carry; check what was pasted.")
    return Credentials("Basic", base64.b64encode(f"{key}:{secret}".encode()).decode("ascii"))


def _bearer(token: str, name: str) -> Credentials:
    _check_secret(name, token)
    if not token.isascii() or " " in token:
        raise CredentialsError(f"{name} has characters that no token has; give the bare token, without 'Bearer '.")
    return Credentials("Bearer", token)


def _check_secret(name: str, value: object) -> None:
    # The value itself must never be shown: it is a secret, or next to one.
    if not isinstance(value, str):
        raise CredentialsError(f"{name} must be a text, not {type(value).__name__}.")
    if not value.strip():
        raise CredentialsError(f"{name} is empty.")
    if any(character < " " or "\x7f" <= character <= "\x9f" for character in value):
        raise CredentialsError(f"{name} has a control character, perhaps a line end from a file; strip it.")


def resolve_timeout(timeout: float | httpx.Timeout | None) -> httpx.Timeout:
    """Return finite timeouts: the given ones, with the defaults where none is given.

    Raises:
        InvalidArgumentError: When a timeout is not a number of seconds above 0.
    """
    if timeout is None:
        return DEFAULT_TIMEOUT
    if isinstance(timeout, httpx.Timeout):
        default = DEFAULT_TIMEOUT.as_dict()
        chosen = {key: default[key] if value is None else value for key, value in timeout.as_dict().items()}
        for value in chosen.values():
            check_seconds("timeout", value)
        return httpx.Timeout(**chosen)
    check_seconds("timeout", timeout)
    return httpx.Timeout(timeout)


def check_seconds(name: str, value: object, *, zero: bool = False) -> float:
    """Return `value` when it is a finite number of seconds above 0 (or from 0).

    Raises:
        InvalidArgumentError: When it is not.
    """
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not math.isfinite(value) or value < 0 or (value == 0 and not zero):  # type: ignore[arg-type,operator]
        raise InvalidArgumentError(f"{name} must be a finite number of seconds above 0, not {value!r}.")
    return float(value)  # type: ignore[arg-type]


def _check_base_url(url: str) -> str:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host, parts = None, urlsplit("")
    if parts.scheme not in ("http", "https") or not host or any(character <= " " for character in url):
        raise InvalidArgumentError("base_url must be an http or https URL such as https://api.cloud.scenario.com/v1.")
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise InvalidArgumentError("base_url must have no user name, no query and no fragment; they may be secrets.")
    return url.rstrip("/")


def _check_headers(headers: Mapping[str, str]) -> dict[str, str]:
    for name, value in headers.items():
        if not isinstance(name, str) or not isinstance(value, str):
            raise InvalidArgumentError(f"The header {name!r} must have a text as its value.")
        if not name or any(character <= " " or character in ":\x7f" for character in name) or not name.isascii():
            raise InvalidArgumentError(f"{name!r} is no name for a header.")
        if any(character in "\r\n\x00" for character in value):
            raise InvalidArgumentError(f"The value of the header {name!r} has a line end or a null; strip it.")
    return dict(headers)


def query_strings(query: Mapping[str, object]) -> dict[str, str]:
    """Return query parameters as texts: booleans as `true` and `false`, without those that are None.

    Raises:
        InvalidArgumentError: When a value is neither a text nor a number nor a boolean.
    """
    result: dict[str, str] = {}
    for name, value in query.items():
        if value is None:
            continue
        if not isinstance(value, str | int | float):
            raise InvalidArgumentError(f"The query parameter {name!r} must be a text or a number, not {value!r}.")
        result[name] = str(value).lower() if isinstance(value, bool) else str(value)
    return result
