"""One HTTP request to the API, built from an operation and the settings of the client."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Any

import httpx

from scenario_uploads.errors import InvalidArgumentError
from scenario_uploads.redaction import snippet
from scenario_uploads.settings.client import ClientOptions
from scenario_uploads.settings.request import merge_headers, merge_query, write_json


@cache
def user_agent() -> str:
    """Return the `User-Agent` for the API."""
    try:
        # Slow to import, and only needed with the first request.
        from importlib.metadata import version  # noqa: PLC0415

        own = version("scenario-uploads")
    except (ImportError, OSError):  # run from a source tree, or without a descriptor left to look
        own = "0"
    return f"scenario-uploads/{own} python/{platform.python_version()}"


@lru_cache(maxsize=64)
def _parse_url(url: str) -> httpx.URL:
    """Return a parsed URL, cached: parsing is a good part of the cost of a poll."""
    return httpx.URL(url)


def build_request(
    options: ClientOptions, request: Mapping[str, Any], *, timeout: httpx.Timeout | None = None
) -> httpx.Request:
    """Build an HTTP request with the client's URL, credentials, headers and timeouts."""
    headers = merge_headers(
        {"Accept": "application/json", "User-Agent": user_agent(), "Authorization": options.credentials.header},
        options.environment_headers,
        options.default_headers,
        request.get("headers", {}),
        # Only encodings that `BodyReader` unpacks within bounds.
        {"Accept-Encoding": "gzip"},
    )
    body = request.get("json")
    try:
        return httpx.Request(
            request["method"].upper(),
            _parse_url(options.base_url + request["url"]),
            params=merge_query(options.default_query, request.get("params"), request.get("extra_params")) or None,
            headers=headers,
            content=None if body is None else write_json(body),
            extensions={"timeout": (timeout or options.timeout).as_dict()},
        )
    except (httpx.InvalidURL, UnicodeError) as error:
        raise InvalidArgumentError(f"The request cannot be sent: {snippet(str(error))}.") from error
