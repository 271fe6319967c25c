"""The machine's certificates, read once and not for each of a thousand clients; nearly all tests use none."""

import os
import ssl
from functools import cache
from typing import Any

import httpx

_create = httpx.create_ssl_context


@cache
def _remember(_: tuple[str | None, ...], **options: Any) -> ssl.SSLContext:
    return _create(**options)


def create_ssl_context(**options: Any) -> ssl.SSLContext:
    """Do what `httpx.create_ssl_context` does, once for each trust that the environment and the caller name."""
    named = tuple(os.environ.get(name) for name in ("SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE"))
    return _remember(named, **options)
