"""TLS: trusted certificate authorities, and what is wrong with a certificate."""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from .arguments import check_path
from .errors import InvalidArgumentError
from .redaction import explain, iter_chain, snippet

_VARIABLES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE")
_REMEDY = "name its CA file with verify= of the client or with SSL_CERT_FILE"


def find_certificate_error(error: BaseException | None) -> str | None:
    """Return why the peer's certificate is not trusted, and the remedy, when that is the cause of `error`."""
    for one in iter_chain(error):
        if isinstance(one, ssl.SSLCertVerificationError):
            reason = getattr(one, "verify_message", "") or str(one)
            return f"{reason}; if a proxy or a server of your own signed it, {_REMEDY}"
    return None


def is_tls_refusal(error: BaseException | None) -> bool:
    """Return whether the peer refused TLS, rather than closing the connection."""
    # A reset or a timeout while a handshake waits has the wait as its context.
    waits = ssl.SSLWantReadError | ssl.SSLWantWriteError
    faults = [one for one in iter_chain(error) if isinstance(one, ssl.SSLError) and not isinstance(one, waits)]
    return bool(faults) and not any(isinstance(one, ssl.SSLEOFError | ssl.SSLZeroReturnError) for one in faults)


def read_trust(verify: Any) -> ssl.SSLContext | None:
    """Return the TLS context for a client's `verify=`; None leaves it to the environment."""
    if verify is None or verify is True:
        return None
    if verify is False:
        raise InvalidArgumentError(
            "verify=False is not supported: anyone on the network path could read and change everything. Give"
            " the path of the CA file that the certificate is signed with, or an ssl.SSLContext."
        )
    if isinstance(verify, ssl.SSLContext):
        return verify
    check_path("verify", verify, "the path of a CA file or folder, or an ssl.SSLContext")
    try:
        path = Path(verify).absolute()
        context = ssl.create_default_context(capath=path)
        # OpenSSL itself only finds the files of a folder that are named by their hash.
        for file in path.iterdir() if path.is_dir() else [path]:
            if file == path or file.suffix in (".pem", ".crt", ".cer"):
                context.load_verify_locations(file)
    except (OSError, ValueError) as error:
        message = f"verify cannot be used as a CA file or folder ({verify!r}): {explain(error)}"
        raise InvalidArgumentError(message) from error
    # A context cannot be pickled; another process reads the files again.
    context.path = path  # type: ignore[attr-defined]
    return context


def check_authorities() -> None:
    """Raise InvalidArgumentError when the CA files that the environment names are gone."""
    file, folders = os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")
    with _name_variables():
        if file:
            Path(file).stat()
        # OpenSSL treats a missing folder as an empty one, and then trusts no certificate.
        elif folders and not any(Path(folder).is_dir() for folder in folders.split(os.pathsep)):
            raise NotADirectoryError("there is no such folder")


def create_tls_context(*, trust_env: bool) -> ssl.SSLContext:
    """Return a context with the environment's CA files, or with certifi's and no SSLKEYLOGFILE."""
    if trust_env:
        check_authorities()
    with _name_variables():
        context = httpx.create_ssl_context(trust_env=trust_env)
    if not trust_env:
        context.keylog_filename = None  # type: ignore[assignment]
    return context


@contextmanager
def _name_variables() -> Iterator[None]:
    """Turn errors of CA files into an InvalidArgumentError that names the variables."""
    try:
        yield
    except (OSError, ValueError) as error:
        named = [f"{name}={snippet(value)}" for name in _VARIABLES if (value := os.environ.get(name))]
        what = ", ".join(named) or "certifi's"
        raise InvalidArgumentError(f"The CA files cannot be used ({what}): {explain(error)}") from error
