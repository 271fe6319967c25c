"""Credentials: argument or environment, and whether a header can carry them."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping

from attrs import field, frozen

from scenario_uploads.arguments import Headers, Omit
from scenario_uploads.errors import CredentialsError
from scenario_uploads.redaction import CONTROLS, guard_header


@frozen
class Credentials:
    """An `Authorization` header and what it was made from. Its `repr` shows only the scheme."""

    scheme: str
    _value: str = field(repr=False)
    api_key: str | None = field(default=None, repr=False, eq=False)
    api_secret: str | None = field(default=None, repr=False, eq=False)

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
    given = api_key is not None or api_secret is not None
    if bearer_auth is not None:
        if given:
            raise CredentialsError("Give either api_key and api_secret, or bearer_auth, not both.")
        return _bearer("bearer_auth", bearer_auth)
    (key_name, key), (secret_name, secret) = (
        (name, value) if value is not None else (where := f"SCENARIO_SDK_{name.upper()}", environ.get(where) or None)
        for name, value in (("api_key", api_key), ("api_secret", api_secret))
    )
    if key is not None and secret is not None:
        pair = f"{_check_secret(key_name, key)}:{_check_secret(secret_name, secret)}"
        return Credentials("Basic", base64.b64encode(pair.encode()).decode("ascii"), key, secret)
    if not given and (token := environ.get("SCENARIO_SDK_JWT")):
        return _bearer("SCENARIO_SDK_JWT", token)
    if key is None and secret is None:
        message = (
            "No credentials: give api_key= and api_secret= (or set SCENARIO_SDK_API_KEY and SCENARIO_SDK_API_SECRET),"
            " or give bearer_auth= (or set SCENARIO_SDK_JWT)."
        )
    else:
        half, other = ("key", "secret") if secret is None else ("secret", "key")
        message = (
            f"There is an API {half} but no {other}; give api_{other}= or set SCENARIO_SDK_API_{other.upper()} as well."
        )
    # The names that Scenario's plug-ins read. Not used, since they may be for another account.
    others = [name for name in ("SCENARIO_API_KEY", "SCENARIO_API_SECRET") if environ.get(name)]
    hint = f" {' and '.join(others)} of the environment, which other tools use, are not read here." if others else ""
    raise CredentialsError(message + hint)


def _bearer(name: str, token: str) -> Credentials:
    if not _check_secret(name, token).isascii() or " " in token:
        raise CredentialsError(f"{name} has characters not allowed in a token; give the bare token, without 'Bearer '.")
    return Credentials("Bearer", token)


def _check_secret(name: str, value: object) -> str:
    # Never show the value: it is a secret. Environment bytes that are not UTF-8 arrive as surrogates.
    if not isinstance(value, str) or not value.strip() or CONTROLS.search(value):
        raise CredentialsError(f"{name} must be a string, not empty and without control characters, such as line ends.")
    return value


def read_authorization(headers: Headers) -> Credentials | None:
    written = [value for name, value in headers.items() if name.lower() == "authorization" and isinstance(value, str)]
    if not written:
        return None
    scheme, blank, value = written[-1].partition(" ")
    # Without a scheme the whole value is secret.
    return Credentials(scheme, value) if blank else Credentials("", scheme)


def drop_authorization(headers: Headers) -> dict[str, str | Omit]:
    return {name: value for name, value in headers.items() if name.lower() != "authorization"}
