"""Defaults of a client, and HTTPX clients that have them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx

from scenario_uploads.arguments import check_seconds, is_given
from scenario_uploads.errors import InvalidArgumentError

Timeout = httpx.Timeout
DEFAULT_BASE_URL = "https://api.cloud.scenario.com/v1"
DEFAULT_TIMEOUT = httpx.Timeout(connect=10.0, read=60.0, write=60.0, pool=60.0)
DEFAULT_CONNECTION_LIMITS = httpx.Limits(max_connections=100, max_keepalive_connections=20)


if TYPE_CHECKING:
    # For type checkers, they accept what httpx's clients accept.
    DefaultHttpxClient = httpx.Client
    DefaultAsyncHttpxClient = httpx.AsyncClient
else:

    class _ClientWithDefaults:
        closes_with_client = True

        def __init__(self, **settings: Any) -> None:
            try:
                super().__init__(**{"timeout": DEFAULT_TIMEOUT, "limits": DEFAULT_CONNECTION_LIMITS} | settings)
            except (httpx.InvalidURL, ImportError, OSError, ValueError) as error:
                # Its text may hold the password of a proxy.
                raise InvalidArgumentError(
                    f"httpx cannot use the proxies or CA files that it was given ({type(error).__name__}): see"
                    " HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY, SSL_CERT_FILE and SSL_CERT_DIR, or give"
                    " trust_env=False."
                ) from None

    class DefaultHttpxClient(_ClientWithDefaults, httpx.Client):
        """An `httpx.Client` for `http_client=`, with this package's timeouts and limits unless others are given.

        It is closed with the client that it is given to, unlike other HTTPX clients.
        """

        __module__ = "scenario_uploads"

    class DefaultAsyncHttpxClient(_ClientWithDefaults, httpx.AsyncClient):
        """An `httpx.AsyncClient` for `http_client=`, as `DefaultHttpxClient` is an `httpx.Client`."""

        __module__ = "scenario_uploads"


def resolve_timeout(timeout: Any, default: httpx.Timeout = DEFAULT_TIMEOUT) -> httpx.Timeout:
    """Return finite timeouts: the given ones, and the defaults where none is given."""
    if timeout is None or not is_given(timeout):
        return default
    if isinstance(timeout, httpx.Timeout):
        defaults = default.as_dict()
        chosen = {key: defaults[key] if value is None else value for key, value in timeout.as_dict().items()}
        for value in chosen.values():
            check_seconds("timeout", value)
        return httpx.Timeout(**chosen)
    return httpx.Timeout(check_seconds("timeout", timeout))
