"""Whom to trust: certificate authorities for the API and storage, and what is wrong with a certificate."""

from __future__ import annotations

import ssl

import httpx


def find_certificate_error(error: BaseException | None) -> str | None:
    """Return what is wrong with the peer's certificate, when that is what lies under `error`."""
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return error.verify_message or str(error)
        error = error.__cause__ or error.__context__
    return None


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
