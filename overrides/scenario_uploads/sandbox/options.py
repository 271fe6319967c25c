"""The options of a sandbox and what makes sense of them. Pure."""

import ipaddress
import math
import re
from pathlib import Path
from typing import Final

import attrs

from scenario_uploads.sandbox.errors import SandboxError

_MAX_URL_LIFETIME: Final = 7 * 24 * 3600
_BUCKET_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]")
_VISIBLE: Final = re.compile(r"[!-~]+")


@attrs.frozen(kw_only=True)
class Options:
    """What `Sandbox` was given, with the same names.

    Raises:
        SandboxError: When an option makes no sense.
    """

    host: str
    port: int
    storage_port: int
    allow_remote: bool
    folder: Path | None
    api_key: str = attrs.field(repr=False)
    api_secret: str = attrs.field(repr=False)
    bearer_token: str = attrs.field(repr=False)
    url_lifetime: int
    step_delay: float
    s3_endpoint: str | None
    s3_bucket: str
    max_file_size: int | None
    max_stored: int | None

    def __attrs_post_init__(self) -> None:
        _check_host(self.host, allow_remote=self.allow_remote)
        rules = {
            "port must be from 0 to 65535": 0 <= self.port <= 65535,
            "storage_port must be from 0 to 65535": 0 <= self.storage_port <= 65535,
            f"url_lifetime must be from 1 to {_MAX_URL_LIFETIME} seconds": 1 <= self.url_lifetime <= _MAX_URL_LIFETIME,
            "step_delay must be 0 or more seconds": self.step_delay >= 0 and math.isfinite(self.step_delay),
            "max_file_size must be at least 1 byte": self.max_file_size is None or self.max_file_size >= 1,
            "max_stored must be at least 1 byte": self.max_stored is None or self.max_stored >= 1,
            "s3_bucket must be 3 to 63 lower-case letters, digits or hyphens": _BUCKET_NAME.fullmatch(self.s3_bucket),
            "api_key must be visible ASCII characters": _VISIBLE.fullmatch(self.api_key),
            "api_key must not have a colon, which ends it in HTTP Basic (RFC 7617)": ":" not in self.api_key,
            "api_secret must be visible ASCII characters": _VISIBLE.fullmatch(self.api_secret),
        }
        for rule, holds in rules.items():
            if not holds:
                raise SandboxError(rule)


def is_loopback(host: str) -> bool:
    """Return whether a host is reached from this machine alone."""
    address = _read_address(host)
    return address is not None and address.is_loopback


def _read_address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address("127.0.0.1" if host == "localhost" else host)
    except ValueError:
        return None


def _check_host(host: str, *, allow_remote: bool) -> None:
    address = _read_address(host)
    if address is not None and address.is_unspecified:
        raise SandboxError(f"host {host} cannot be part of a URL; give the address that clients connect to")
    if not allow_remote and not is_loopback(host):
        raise SandboxError(f"host {host} is not loopback: others could reach the sandbox; allow_remote=True lets them")
