"""The proxies of the environment, read once and used for the API and storage alike.

As with curl: `HTTPS_PROXY` and `HTTP_PROXY` by the scheme of a URL, `ALL_PROXY` for the rest, and `NO_PROXY` for hosts
to reach directly. Loopback hosts are always reached directly.
"""

from __future__ import annotations

import base64
import ipaddress
import re
import ssl
from importlib.util import find_spec
from typing import Self
from urllib.parse import unquote, urlsplit

import httpx
from attrs import field, frozen

from .errors import InvalidArgumentError
from .redaction import guard_secrets
from .tls import create_tls_context

_PORTS = {"http": 80, "https": 443, "socks5": 1080, "socks5h": 1080}


@frozen
class Proxy:
    """A proxy: `http`, `https`, `socks5` or `socks5h`; host without brackets; credentials, a secret, or None."""

    scheme: str
    host: str
    port: int
    credentials: tuple[str, str] | None = field(default=None, repr=False)

    def __attrs_post_init__(self) -> None:
        # A proxy may echo them, and errors and logs of httpx quote it. A user's name may be that of a folder.
        guard_secrets(self, self.basic or "", *(self.credentials or ())[1:])

    @classmethod
    def parse(cls, name: str, text: str) -> Self:
        """Read a proxy's URL, by default http. Errors name the variable, not the value: it may hold a password."""
        text = text.strip()
        try:
            parts = urlsplit(text if "://" in text else f"http://{text}")
            host, port = _canonical(parts.hostname or ""), parts.port or _PORTS.get(parts.scheme, 0)
            # Connecting would do the same: the codec raises on empty or long labels.
            host.encode("idna")
        except ValueError:
            # Raised below, without the ValueError, which may show the password.
            parts, host, port = urlsplit(""), "", 0
        surplus = parts.path.strip("/") or parts.query or parts.fragment
        if parts.scheme not in _PORTS or not port or not re.fullmatch("[!-~]+", host) or surplus:
            raise InvalidArgumentError(
                f"{name} must be the URL of an http, https or socks5 proxy, such as http://user:password@host:3128."
                " Write # / ? @ [ ] in a user name or password as %23 %2F %3F %40 %5B %5D."
            )
        pair = None if parts.username is None else (unquote(parts.username), unquote(parts.password or ""))
        proxy = cls(parts.scheme, host, port, pair)
        if proxy.scheme.startswith("socks") and find_spec("socksio") is None:
            message = f"The proxy {proxy.url} needs a package: pip install 'httpx[socks]'; or set NO_PROXY=*."
            raise InvalidArgumentError(message)
        return proxy

    @property
    def url(self) -> str:
        """The URL without credentials."""
        return f"{self.scheme}://{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"

    @property
    def basic(self) -> str | None:
        """Its credentials for Basic authentication, a secret, or None."""
        return self.credentials and base64.b64encode(":".join(self.credentials).encode()).decode("ascii")


@frozen
class Proxies:
    """The proxies of the environment, by scheme and host."""

    by_scheme: dict[str, Proxy] = field(factory=dict)
    _direct: tuple[str, ...] = ()

    @classmethod
    def read(cls) -> Self:
        """Read the environment, or else the system's settings. An error shows no password."""
        from urllib import request  # noqa: PLC0415 - slow to import, and needed only with the first connection

        urls = request.getproxies()
        entries = urls.get("no", "").replace(",", " ").lower().split()
        if "*" in entries:
            return cls()
        proxies = {}
        for scheme in ("http", "https"):
            if name := next((name for name in (scheme, "all") if urls.get(name, "").strip()), None):
                proxies[scheme] = Proxy.parse(f"{name.upper()}_PROXY", urls[name])
        return cls(proxies, tuple(entries))

    def find(self, scheme: str, host: str, port: int | None = None) -> Proxy | None:
        """Return the proxy for a host, or None to connect directly."""
        proxy = self.by_scheme.get(scheme)
        if proxy is None or is_loopback(host):
            return None
        from urllib import request  # noqa: PLC0415 - see above

        host, port = _canonical(host), port or _PORTS[scheme]
        direct = any(_names(entry, scheme, host, port) for entry in self._direct)
        # The system's own exceptions, where its settings count.
        return None if direct or request.proxy_bypass(host) else proxy


def _names(entry: str, scheme: str, host: str, port: int) -> bool:
    """Return whether an entry of NO_PROXY names a host: as a network, or as a name with its subdomains."""
    wanted, _, rest = entry.rpartition("://")
    # Drop a path, but not the prefix length of a network, which may be in the brackets or after them.
    rest = re.sub(r"/(?![\d.]+\]?(?::\d+)?$).*", "", re.sub(r"\](/[\d.]+)", r"\1]", rest.rpartition("@")[2]))
    found = re.fullmatch(r"(\[.*\]|[^:]*):(\d+)", rest)
    name, wanted_port = found.groups() if found else (rest, str(port))
    if wanted not in ("", "all", scheme) or wanted_port != str(port):
        return False
    try:
        network = ipaddress.ip_network(re.sub(r"[\[\]]", "", name), strict=False)
    except ValueError:
        suffix = _canonical(name.removeprefix("*").strip("."))
        return f".{host}".endswith(f".{suffix}") if suffix else "*" in name
    address = _parse_address(host)
    return address is not None and address in network


@frozen
class Network:
    """How to reach hosts of the API and of storage: trusted certificates and proxies."""

    tls: ssl.SSLContext
    proxies: Proxies

    @classmethod
    def read(cls, *, trust_env: bool = True, tls: ssl.SSLContext | None = None) -> Self:
        """Read proxies and CA files from the environment if `trust_env`; `tls` replaces the CA files."""
        return cls(tls or create_tls_context(trust_env=trust_env), Proxies.read() if trust_env else Proxies())


def is_loopback(host: str | None) -> bool:
    """Return whether `host` is this machine: `localhost` or a loopback address."""
    host = _canonical(host or "")
    address = _parse_address(host)
    return f".{host}".endswith(".localhost") or (address is not None and address.is_loopback)


def _parse_address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _canonical(host: str) -> str:
    """Return a host name in lower case and ASCII (IDNA), without a final dot."""
    host = host.lower().removesuffix(".")
    if host.isascii():
        return host
    try:
        return httpx.URL(scheme="http", host=host).raw_host.decode("ascii")
    except httpx.InvalidURL:
        return host
