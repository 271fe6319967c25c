"""What a client does unless told otherwise, for callers who tell it only in part."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx

Timeout = httpx.Timeout

DEFAULT_BASE_URL = "https://api.cloud.scenario.com/v1"
DEFAULT_MAX_RETRIES = 2
DEFAULT_TIMEOUT = httpx.Timeout(connect=10.0, read=60.0, write=60.0, pool=60.0)
DEFAULT_CONNECTION_LIMITS = httpx.Limits(max_connections=100, max_keepalive_connections=20)

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
