"""The arguments of a client and of `copy`, each with its text. `make generate` writes the signatures from them."""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping

import httpx
from attrs import field, frozen

from scenario_uploads.arguments import NOT_GIVEN, NotGiven, Omit
from scenario_uploads.retry import DEFAULT_MAX_RETRIES


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
    """Seconds for connecting, reading, writing, or an `httpx.Timeout`. Default: that of `http_client`, or 10 s to
    connect and 60 s for the rest."""
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
    """The arguments of `copy`."""

    api_key: str | None = None
    """Another API key; without `api_secret`, the secret stays."""
    api_secret: str | None = None
    """Another API secret; without `api_key`, the key stays."""
    bearer_auth: str | None = None
    """A bearer token instead of the present credentials."""
    base_url: str | httpx.URL | None = None
    """Where the API is."""
    timeout: float | httpx.Timeout | NotGiven | None = NOT_GIVEN
    """Seconds for connecting, reading, writing, or an `httpx.Timeout`; None for the defaults."""
    max_retries: float | NotGiven = NOT_GIVEN
    """Retries after a temporary failure, from 0; `math.inf` for no limit."""
    default_headers: Mapping[str, str] | None = None
    """Headers to send besides the present ones, or in place of them."""
    set_default_headers: Mapping[str, str] | None = None
    """All headers to send, instead of the present ones."""
    default_query: Mapping[str, object] | None = None
    """Query parameters to send besides the present ones, or in place of them."""
    set_default_query: Mapping[str, object] | None = None
    """All query parameters to send, instead of the present ones."""
    project_id: str | Omit | None = None
    """Another project; `omit` for none."""
    strict_responses: bool | None = None
    """Raise when a response differs from the contract."""
    verify: str | os.PathLike[str] | ssl.SSLContext | None = None
    """Other trusted CAs: the path of a file or folder, or an `ssl.SSLContext`."""
    allow_http_storage: bool | None = None
    """Whether parts may be sent over plain http."""
    trust_env: bool | None = None
    """Whether the environment's headers, proxies and CA files are used; credentials stay as they are."""
