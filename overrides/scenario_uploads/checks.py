"""Single values that callers pass, checked before anything is sent: what is wrong, and what to give instead."""

from __future__ import annotations

import unicodedata

import httpx

from .defaults import DEFAULT_TIMEOUT
from .errors import InvalidArgumentError
from .given import is_given
from .redaction import snippet

# Operating systems count timeouts in a few bits; thirty years are enough.
MAX_SECONDS = 1_000_000_000

_NO_BASE_URL = "base_url must be an http or https URL such as https://api.cloud.scenario.com/v1."

# Control characters, halves of characters, and Unicode's own line ends. Unusual spaces are welcome: macOS puts one into
# the name of each screenshot.
_NOT_IN_NAMES = frozenset({"Cc", "Cs", "Zl", "Zp"})


def check_base_url(url: str) -> str:
    """Return the address of the API, without a slash at its end.

    Raises:
        InvalidArgumentError: When it is no http or https URL of a host, or holds more than that and a path.
    """
    try:
        parts = httpx.URL(url)
        # No name has these, and none has labels that this codec refuses: asking for their address would crash.
        usable = bool(parts.host) and not any(char <= " " or char == "\\" for char in url) and "%" not in parts.host
        parts.host.encode("idna")
    except (httpx.InvalidURL, ValueError):
        raise InvalidArgumentError(_NO_BASE_URL) from None
    if not usable or parts.scheme not in ("http", "https") or (parts.port or 0) > 65535:
        raise InvalidArgumentError(_NO_BASE_URL)
    if parts.userinfo or "?" in url or "#" in url:
        raise InvalidArgumentError("base_url must have no user name, no query and no fragment; they may be secrets.")
    return url.rstrip("/")


def check_retries(max_retries: object) -> int:
    """Return how often a call may be sent again.

    Raises:
        InvalidArgumentError: When it is no whole number from 0.
    """
    if isinstance(max_retries, bool) or not isinstance(max_retries, int) or max_retries < 0:
        raise InvalidArgumentError(f"max_retries must be a whole number, 0 or more, not {max_retries!r}.")
    return max_retries


def check_seconds(name: str, value: object, *, zero: bool = False) -> float:
    """Return `value` when it is a number of seconds above 0 (or from 0) that can be waited for.

    Raises:
        InvalidArgumentError: When it is not.
    """
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not 0 <= value <= MAX_SECONDS or (value == 0 and not zero):  # type: ignore[operator]
        raise InvalidArgumentError(
            f"{name} must be a number of seconds {'from' if zero else 'above'} 0 to {MAX_SECONDS:,}, not {value!r}."
        )
    return float(value)  # type: ignore[arg-type]


def resolve_timeout(timeout: float | httpx.Timeout | None, default: httpx.Timeout = DEFAULT_TIMEOUT) -> httpx.Timeout:
    """Return finite timeouts: the given ones, with the defaults where none is given.

    Raises:
        InvalidArgumentError: When a timeout is not a number of seconds above 0.
    """
    if timeout is None:
        return default
    if isinstance(timeout, httpx.Timeout):
        defaults = default.as_dict()
        chosen = {key: defaults[key] if value is None else value for key, value in timeout.as_dict().items()}
        for value in chosen.values():
            check_seconds("timeout", value)
        return httpx.Timeout(**chosen)
    check_seconds("timeout", timeout)
    return httpx.Timeout(timeout)


def check_http_client(given: object, expected: type[httpx.Client | httpx.AsyncClient]) -> None:
    """Check what a caller gives to carry the calls to the API.

    Raises:
        InvalidArgumentError: When it is not of the kind that this client needs.
    """
    if given is not None and not isinstance(given, expected):
        raise InvalidArgumentError(f"http_client must be an httpx.{expected.__name__}, not {type(given).__name__}.")


def check_project_id(project_id: object) -> str | None:
    """Return the id of a project; None for none, which `omit` asks for.

    Raises:
        InvalidArgumentError: When it is empty or no text that can be sent.
    """
    if project_id is None or not is_given(project_id):
        return None
    if not isinstance(project_id, str) or not project_id.strip() or not project_id.isprintable():
        raise InvalidArgumentError(f"project_id must be the id of a project, such as 'proj_5Rt9c', not {project_id!r}.")
    return project_id


def check_upload_id(upload_id: object) -> str:
    """Return `upload_id` when it can stand in a path as one segment.

    Raises:
        InvalidArgumentError: When it is empty, no text, or could leave its place in the path.
    """
    if upload_id and not isinstance(upload_id, str):
        raise InvalidArgumentError(f"upload_id must be a text, not {snippet(repr(upload_id))}; give `upload.id`.")
    if not isinstance(upload_id, str) or not upload_id:
        raise InvalidArgumentError(f"Expected a non-empty value for `upload_id` but received {upload_id!r}")
    if upload_id in (".", "..") or any(character in "/\\?#%" or not character.isprintable() for character in upload_id):
        raise InvalidArgumentError(f"{upload_id!r} is no upload id; use the `id` of the upload that create returned.")
    return upload_id


def check_file_name(name: str | None) -> str:
    """Return the name to upload under.

    Raises:
        InvalidArgumentError: When there is none, or it has control characters.
    """
    if name is None:
        raise InvalidArgumentError("What is uploaded has no name; give file_name=, such as 'dragon.glb'.")
    if not isinstance(name, str) or not name.strip() or any(unicodedata.category(c) in _NOT_IN_NAMES for c in name):
        raise InvalidArgumentError(f"file_name must be a name without control characters, not {name!r}.")
    return name
