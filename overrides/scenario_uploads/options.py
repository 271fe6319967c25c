"""What callers pass: credentials, settings of a client, what a progress callback gets."""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Mapping
from enum import StrEnum
from typing import BinaryIO

import httpx
from attrs import field, frozen

from .errors import CredentialsError, InvalidArgumentError

DEFAULT_BASE_URL = "https://api.cloud.scenario.com/v1"
DEFAULT_MAX_RETRIES = 2
DEFAULT_TIMEOUT = httpx.Timeout(connect=10.0, read=60.0, write=60.0, pool=60.0)

MAX_CONCURRENCY = 64

# Operating systems count timeouts in a few bits; thirty years are enough.
MAX_SECONDS = 1_000_000_000

_NO_BASE_URL = "base_url must be an http or https URL such as https://api.cloud.scenario.com/v1."

# RFC 9110, 5.1 and 5.5: a token, and no control characters, or blanks at the ends. Halves of characters have no bytes.
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE = re.compile(r"(?![ \t])[^\x00-\x08\x0a-\x1f\x7f\ud800-\udfff]*(?<![ \t])")

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
        key_name = "SCENARIO_SDK_API_KEY" if api_key is None else "api_key"
        return _basic(key, secret, key_name, "SCENARIO_SDK_API_SECRET" if api_secret is None else "api_secret")
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


def _basic(key: str, secret: str, key_name: str, secret_name: str) -> Credentials:
    pair = f"{_check_secret(key_name, key)}:{_check_secret(secret_name, secret)}"
    if ":" in key:
        raise CredentialsError(f"{key_name} has a ':', which Basic authentication cannot carry; check what was pasted.")
    return Credentials("Basic", base64.b64encode(pair.encode()).decode("ascii"))


def _bearer(token: str, name: str) -> Credentials:
    if not _check_secret(name, token).isascii() or " " in token:
        raise CredentialsError(f"{name} has characters that no token has; give the bare token, without 'Bearer '.")
    return Credentials("Bearer", token)


def _check_secret(name: str, value: object) -> str:
    # The value itself must never be shown: it is a secret, or next to one.
    if not isinstance(value, str):
        raise CredentialsError(f"{name} must be a text, not {type(value).__name__}.")
    if not value.strip():
        raise CredentialsError(f"{name} is empty.")
    # Bytes of the environment that are no UTF-8 arrive as halves of characters (surrogates).
    if any(
        character < " " or "\x7f" <= character <= "\x9f" or "\ud800" <= character <= "\udfff" for character in value
    ):
        raise CredentialsError(f"{name} has a control character, perhaps a line end from a file; strip it.")
    return value


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


def _check_headers(headers: Mapping[str, str]) -> dict[str, str]:
    if not isinstance(headers, Mapping):
        raise InvalidArgumentError(f"default_headers must be a mapping, not {type(headers).__name__}.")
    for name, value in headers.items():
        if not isinstance(name, str) or not _HEADER_NAME.fullmatch(name):
            raise InvalidArgumentError(f"{name!r} is no name for a header.")
        # The value is not shown: it may be a secret.
        if not isinstance(value, str) or not _HEADER_VALUE.fullmatch(value):
            raise InvalidArgumentError(f"The value of the header {name!r} must be a text without line ends, stripped.")
    return dict(headers)


def query_strings(query: Mapping[str, object]) -> dict[str, str]:
    """Return query parameters as texts: booleans as `true` and `false`, without those that are None.

    Raises:
        InvalidArgumentError: When a value is neither a text nor a number nor a boolean.
    """
    if not isinstance(query, Mapping):
        raise InvalidArgumentError(f"default_query must be a mapping, not {type(query).__name__}.")
    result: dict[str, str] = {}
    for name, value in query.items():
        if value is None:
            continue
        if not isinstance(name, str) or not isinstance(value, str | int | float):
            raise InvalidArgumentError(
                f"The query parameter {name!r} must be a text or a number, not {type(value).__name__}."
            )
        result[name] = str(value).lower() if isinstance(value, bool) else str(value)
    return result
