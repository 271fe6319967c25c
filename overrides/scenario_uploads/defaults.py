"""What a client does unless told otherwise, for callers who tell it only in part."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any

import httpx

Timeout = httpx.Timeout

DEFAULT_BASE_URL = "https://api.cloud.scenario.com/v1"
DEFAULT_MAX_RETRIES = 2
DEFAULT_TIMEOUT = httpx.Timeout(connect=10.0, read=60.0, write=60.0, pool=60.0)
DEFAULT_CONNECTION_LIMITS = httpx.Limits(max_connections=100, max_keepalive_connections=20)


def create_tls_context(*, trust_env: bool) -> ssl.SSLContext:
    """Return whom to trust: the environment's CA files when it is asked, else those of certifi.

    Args:
        trust_env: Whether the environment is asked; without that, it gets no keys of connections either
            (`SSLKEYLOGFILE`).
    """
    context = httpx.create_ssl_context(trust_env=trust_env)
    if not trust_env:
        context.keylog_filename = None  # type: ignore[assignment]
    return context


if TYPE_CHECKING:
    # To type checkers they take what httpx's own take.
    DefaultHttpxClient = httpx.Client
    DefaultAsyncHttpxClient = httpx.AsyncClient
else:

    class DefaultHttpxClient(httpx.Client):
        """An `httpx.Client` with this package's timeouts and limits, where no others are given, for `http_client=`.

        It is closed with the client that it is given to, unlike others.
        """

        closes_with_client = True

        def __init__(self, **settings: Any) -> None:
            super().__init__(**_DEFAULTS | settings)

    class DefaultAsyncHttpxClient(httpx.AsyncClient):
        """An `httpx.AsyncClient` with this package's timeouts and limits, where no others are given.

        It is closed with the client that it is given to, unlike others.
        """

        closes_with_client = True

        def __init__(self, **settings: Any) -> None:
            super().__init__(**_DEFAULTS | settings)


_DEFAULTS: dict[str, Any] = {"timeout": DEFAULT_TIMEOUT, "limits": DEFAULT_CONNECTION_LIMITS}
