"""Credentials: argument or environment, and whether a header can carry them."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping

from attrs import evolve, field, frozen

from scenario_uploads.arguments import Omit
from scenario_uploads.errors import CredentialsError
from scenario_uploads.redaction import guard_header, strip_controls


@frozen
class Credentials:
    """An `Authorization` header and what it was made from. Its `repr` shows only the scheme."""

    scheme: str
    _value: str = field(repr=False)
    api_key: str | None = field(default=None, repr=False, eq=False)
    api_secret: str | None = field(default=None, repr=False, eq=False)
    read: frozenset[str] = field(default=frozenset(), eq=False)
    """The arguments that were read from the environment."""

    def __attrs_post_init__(self) -> None:
        guard_header(self, self.header)

    @property
    def header(self) -> str:
        """The header's value, a secret."""
        return f"{self.scheme} {self._value}" if self.scheme else self._value

    @property
    def bearer_auth(self) -> str | None:
        """The bearer token, a secret; None with other credentials."""
        return self._value if self.scheme == "Bearer" else None

    @property
    def account(self) -> str:
        """An identity that stays the same when credentials are renewed: the key, or the subject of a token."""
        if self.api_key is not None:
            return self.api_key
        token = self.bearer_auth or self.header
        try:
            payload = token.split(".")[1]
            claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
            return json.dumps([claims.get("iss"), claims["sub"]])
        except (IndexError, ValueError, KeyError, TypeError, AttributeError):
            return token


def resolve_credentials(
    api_key: str | None, api_secret: str | None, bearer_auth: str | None, environ: Mapping[str, str]
) -> Credentials:
    """Choose the credentials: arguments win over the environment; in the environment, a key pair wins over a token."""
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
        pair = _basic(key, secret, key_name, "SCENARIO_SDK_API_SECRET" if api_secret is None else "api_secret")
        taken = {"api_key": api_key, "api_secret": api_secret}
        return evolve(pair, read=frozenset(name for name, value in taken.items() if value is None))
    if not given and token is not None:
        return evolve(_bearer(token, "SCENARIO_SDK_JWT"), read=frozenset({"bearer_auth"}))
    if key is not None:
        message = "There is an API key but no secret; give api_secret= or set SCENARIO_SDK_API_SECRET as well."
    elif secret is not None:
        message = "There is an API secret but no key; give api_key= or set SCENARIO_SDK_API_KEY as well."
    else:
        message = (
            "No credentials: give api_key= and api_secret= (or set SCENARIO_SDK_API_KEY and SCENARIO_SDK_API_SECRET),"
            " or give bearer_auth= (or set SCENARIO_SDK_JWT)."
        )
    # The names that Scenario's plug-ins read. Not used, since they may be for another account.
    others = [name for name in ("SCENARIO_API_KEY", "SCENARIO_API_SECRET") if environ.get(name)]
    hint = f" {' and '.join(others)} of the environment, which other tools use, are not read here." if others else ""
    raise CredentialsError(message + hint)


def _basic(key: str, secret: str, key_name: str, secret_name: str) -> Credentials:
    pair = f"{_check_secret(key_name, key)}:{_check_secret(secret_name, secret)}"
    if ":" in key:
        raise CredentialsError(f"{key_name} has a ':', which Basic authentication cannot carry; check what was pasted.")
    return Credentials("Basic", base64.b64encode(pair.encode()).decode("ascii"), key, secret)


def _bearer(token: str, name: str) -> Credentials:
    if not _check_secret(name, token).isascii() or " " in token:
        raise CredentialsError(f"{name} has characters not allowed in a token; give the bare token, without 'Bearer '.")
    return Credentials("Bearer", token)


def _check_secret(name: str, value: object) -> str:
    # Never show the value: it is a secret.
    if not isinstance(value, str):
        raise CredentialsError(f"{name} must be a string, not {type(value).__name__}.")
    if not value.strip():
        raise CredentialsError(f"{name} is empty.")
    # Environment bytes that are not UTF-8 arrive as surrogates.
    if value != strip_controls(value):
        raise CredentialsError(f"{name} has a control character, perhaps a line end from a file; strip it.")
    return value


def split_credentials(headers: dict[str, str | Omit]) -> tuple[dict[str, str | Omit], Credentials | None]:
    """Take an `Authorization` out of a caller's headers, to keep it as credentials."""
    names = [name for name in headers if name.lower() == "authorization"]
    written = [value for name in names if isinstance(value := headers[name], str)]
    if not written:
        return headers, None
    scheme, blank, value = written[-1].partition(" ")
    others = {name: value for name, value in headers.items() if name not in names}
    # Without a scheme the whole value is secret.
    return others, Credentials(scheme, value) if blank else Credentials("", scheme)
