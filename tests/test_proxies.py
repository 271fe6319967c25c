"""Which proxy leads to which host: one reading of the environment for the API and for storage."""

from __future__ import annotations

import sys
import traceback
from urllib import request as urllib_request

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scenario_uploads import (
    APIConnectionError,
    DefaultAsyncHttpxClient,
    DefaultHttpxClient,
    InvalidArgumentError,
    SourceError,
)
from scenario_uploads.proxies import Proxies, Proxy, is_loopback

from tests.support.clients import Connect, raises
from tests.support.server import Server
from tests.support.service import UPLOAD_ID, Service, answer_upload
from tests.support.storing import ConnectProxy, SocksProxy, make_certificate, make_tls


@pytest.fixture(autouse=True)
def _proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")


def is_direct(monkeypatch: pytest.MonkeyPatch, no_proxy: str, url: str) -> bool:
    monkeypatch.setenv("NO_PROXY", no_proxy)
    target = httpx.URL(url)
    return Proxies.read().find(target.scheme, target.raw_host.decode(), target.port) is None


@pytest.mark.parametrize(
    ("no_proxy", "url", "direct"),
    [
        ("", "https://a.example", False),
        ("*", "https://a.example", True),
        ("b.example, *", "https://a.example", True),
        # Names: themselves and what is below them.
        ("a.example", "https://a.example", True),
        ("a.example", "https://b.a.example", True),
        ("a.example", "https://ba.example", False),
        ("a.example", "https://example", False),
        (".a.example", "https://a.example", True),
        (".a.example", "https://b.a.example", True),
        ("*.a.example", "https://b.a.example", True),
        ("*a.example", "https://a.example", True),
        ("A.Example.", "https://a.EXAMPLE", True),
        ("a.example", "https://a.example.", True),
        ("b.example a.example", "https://a.example", True),
        ("b.example,,\ta.example\n", "https://a.example", True),
        (".", "https://a.example", False),
        # Names that are not ASCII, however they are written.
        ("bücher.example", "https://bücher.example", True),
        ("BÜCHER.example", "https://xn--bcher-kva.example", True),
        ("xn--bcher-kva.example", "https://www.bücher.example", True),
        ("bücher.example", "https://a.example", False),
        # Ports.
        ("a.example:8443", "https://a.example:8443", True),
        ("a.example:8443", "https://a.example", False),
        ("a.example:443", "https://a.example", True),
        ("*:8443", "https://a.example:8443", True),
        ("*:8443", "https://a.example", False),
        # Addresses and networks.
        ("10.1.2.3", "https://10.1.2.3", True),
        ("10.1.2.3", "https://10.1.2.30", False),
        ("10.0.0.0/8", "https://10.1.2.3", True),
        ("10.0.0.0/255.0.0.0", "https://10.1.2.3", True),
        ("10.1.2.3/8", "https://10.200.0.1", True),
        ("10.0.0.0/8", "https://11.1.2.3", False),
        ("10.0.0.0/8", "https://a.example", False),
        ("10.0.0.0/99", "https://10.1.2.3", False),
        ("10.0.0.0/8:8443", "https://10.1.2.3:8443", True),
        ("10.0.0.0/8:8443", "https://10.1.2.3", False),
        ("2001:db8::1", "https://[2001:db8::1]", True),
        ("[2001:db8::1]", "https://[2001:db8:0::1]", True),
        ("[2001:db8::1]:8443", "https://[2001:db8::1]:8443", True),
        ("[2001:db8::1]:8443", "https://[2001:db8::1]", False),
        ("fd07:b51a:cc66:f0::/64", "https://[fd07:b51a:cc66:f0::7]", True),
        ("[fd07:b51a:cc66:f0::]/64", "https://[fd07:b51a:cc66:f0::7]", True),
        ("fd07:b51a:cc66:f0::/64", "https://[fd07:b51a:cc66:f1::7]", False),
        ("[fd07:b51a:cc66:f0::/64]", "https://[fd07:b51a:cc66:f0::7]", True),
        ("[fd07:b51a:cc66:f0::/64]", "https://[fd07:b51a:cc66:f1::7]", False),
        ("[fd07:b51a:cc66:f0::]/64:8443", "https://[fd07:b51a:cc66:f0::7]:8443", True),
        ("[fd07:b51a:cc66:f0::/64]:8443", "https://[fd07:b51a:cc66:f0::7]:8443", True),
        ("[fd07:b51a:cc66:f0::/64]:8443", "https://[fd07:b51a:cc66:f0::7]", False),
        ("fe80::/10", "https://10.1.2.3", False),
        ("10.0.0.0/8", "https://[::ffff:10.1.2.3]", True),
        # URLs.
        ("https://a.example", "https://a.example", True),
        ("https://a.example:443/v1/", "https://a.example", True),
        ("all://a.example", "https://a.example", True),
        ("http://a.example", "https://a.example", False),
        ("https://user:word@a.example", "https://a.example", True),
        ("https://[2001:db8::1]:8443/", "https://[2001:db8::1]:8443", True),
        ("http://", "https://a.example", False),
    ],
)
def test_no_proxy_names_hosts_that_are_reached_directly(
    monkeypatch: pytest.MonkeyPatch, no_proxy: str, url: str, direct: bool
) -> None:
    assert is_direct(monkeypatch, no_proxy, url) is direct


@given(st.text(st.characters(min_codepoint=1, exclude_categories=["Cs"]) | st.sampled_from("abc.:-[]@%/*,0123456789")))
def test_no_text_in_no_proxy_is_a_fault(text: str) -> None:
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(urllib_request, "getproxies", lambda: {"https": "http://proxy.example", "no": text})
        for host in ("a.example", "::1", "10.1.2.3", "xn--bcher-kva.example"):
            Proxies.read().find("https", host)


@given(st.text(st.characters(min_codepoint=1, exclude_categories=["Cs"]) | st.sampled_from("abc.:-[]@%/#?0123456789")))
def test_every_text_is_a_proxy_or_a_clear_error(text: str) -> None:
    caught = None
    try:
        proxy = Proxy.parse("ALL_PROXY", f"http://user:s3cretpassword@{text}")
    except InvalidArgumentError as error:
        caught = error
    if caught is None:
        httpx.Proxy(proxy.url)
    for shown in (str(caught), repr(caught and caught.__context__), repr(proxy if caught is None else "")):
        assert "s3cret" not in shown


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("localhost", True),
        ("LOCALHOST.", True),
        ("[::1]", True),
        ("127.8.9.10", True),
        ("box.localhost", True),
        ("127.0.0.1", True),
        ("::1", True),
        ("example.com", False),
        ("notlocalhost", False),
        ("", False),
        (None, False),
    ],
)
def test_loopback_is_this_machine_and_reached_directly(host: str | None, expected: bool) -> None:
    assert is_loopback(host) is expected
    if expected and host:
        assert Proxies.read().find("https", host) is None


@pytest.mark.parametrize(
    ("text", "expected", "credentials"),
    [
        ("http://proxy.example:3128", "http://proxy.example:3128", None),
        ("proxy.example:3128", "http://proxy.example:3128", None),
        (" http://proxy.example:3128/\n", "http://proxy.example:3128", None),
        ("http://proxy.example", "http://proxy.example:80", None),
        ("HTTPS://Proxy.Example", "https://proxy.example:443", None),
        ("socks5://proxy.example", "socks5://proxy.example:1080", None),
        ("socks5h://[2001:db8::1]:9050", "socks5h://[2001:db8::1]:9050", None),
        ("http://us%65r:p%40ss:w%23rd@proxy.example", "http://proxy.example:80", ("user", "p@ss:w#rd")),
        ("http://bücher.example", "http://xn--bcher-kva.example:80", None),
    ],
)
def test_a_proxy_is_read_from_its_url(text: str, expected: str, credentials: tuple[str, str] | None) -> None:
    proxy = Proxy.parse("ALL_PROXY", text)
    assert (proxy.url, proxy.credentials) == (expected, credentials)


def test_a_password_is_masked_wherever_it_is_repeated_and_a_user_name_is_not() -> None:
    proxy = Proxy.parse("ALL_PROXY", "http://firstname.lastname:hunter2hunter2@proxy.example")
    assert (
        str(SourceError(f"/home/firstname.lastname/hunter2hunter2/{proxy.basic}")) == "/home/firstname.lastname/***/***"
    )


@pytest.mark.parametrize(
    "text",
    [
        "ftp://bob:hunter2@proxy.example:21",
        "socks4://bob:hunter2@proxy.example",
        "http://bob:hunter2#1@proxy.example:3128",
        "http://bob:hun/ter2@proxy.example:3128",
        "http://bob:hunter2?@proxy.example:3128",
        "http://bob:hunter2[1]@proxy.example:3128",
        "http://bob:hunter2@proxy.example:port",
        "http://bob:hunter2@proxy.example:99999",
        "http://bob:hunter2@[::1:3128",
        "http://bob:hunter2@",
        "http://bob:hunter2@pro xy.example",
        "http://bob:hunter2@a..b",
    ],
)
def test_what_is_no_proxy_is_a_clear_error_without_the_password(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("HTTPS_PROXY", text)
    with raises(InvalidArgumentError, "HTTPS_PROXY must be the URL of an http, https or socks5 proxy", "%23") as caught:
        Proxies.read()
    shown = "".join(traceback.format_exception(caught.error)) + repr(caught.error.__context__)
    assert "hunter2" not in shown
    monkeypatch.setenv("NO_PROXY", "*")
    assert Proxies.read() == Proxies()


def test_a_proxy_that_nothing_leads_to_is_not_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """As GNOME sets them: one for each scheme, and a SOCKS4 proxy for the rest."""
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("ALL_PROXY", "socks://proxy.example:1080")
    assert {"http://proxy.example:3128"} == {proxy.url for proxy in Proxies.read().by_scheme.values()}


def test_where_the_environment_says_nothing_the_system_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on Windows and macOS."""
    monkeypatch.delenv("HTTPS_PROXY")
    monkeypatch.setattr(urllib_request, "getproxies", lambda: {"https": "http://proxy.example"})
    monkeypatch.setattr(urllib_request, "proxy_bypass", lambda host: host == "direct.example")
    proxies = Proxies.read()
    assert proxies.find("https", "direct.example") is None
    assert proxies.find("https", "a.example") is not None


@pytest.mark.parametrize("make", [DefaultHttpxClient, DefaultAsyncHttpxClient])
def test_what_httpx_cannot_read_is_a_clear_error_of_ours(monkeypatch: pytest.MonkeyPatch, make: type) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://bob:hunter2#1@proxy.example:3128")
    with raises(InvalidArgumentError, "HTTPS_PROXY", "trust_env=False") as caught:
        make()
    assert "hunter2" not in "".join(traceback.format_exception(caught.error))
    make(trust_env=False)


class TestTheAPI:
    """The same reading, for what httpx carries."""

    @pytest.fixture
    def trusted(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("SSL_CERT_FILE", str(make_certificate()))

    @pytest.mark.usefixtures("trusted")
    @pytest.mark.parametrize("tls", [True, False])
    def test_is_reached_through_a_tunnel(self, connect: Connect, monkeypatch: pytest.MonkeyPatch, tls: bool) -> None:
        proxy_tls = make_tls() if tls else None
        with Server(answer_upload(), tls=make_tls()) as server, ConnectProxy(tls=proxy_tls) as proxy:
            monkeypatch.setenv("HTTPS_PROXY", f"http{'s' * tls}://user:word@localhost:{proxy.port}")
            connect(f"https://storage.example:{server.port}/v1").uploads.retrieve(UPLOAD_ID)
        (head,) = proxy.heads
        assert head.startswith("CONNECT storage.example:")
        assert "\r\nUser-Agent: scenario-uploads/" in head
        assert "Proxy-Authorization: Basic dXNlcjp3b3Jk\r\n" in head
        assert server.requests[0].header("proxy-authorization") is None

    @pytest.mark.usefixtures("trusted")
    def test_and_storage_go_the_same_way(self, connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
        with Service(tls=make_tls()) as service, ConnectProxy(tls=make_tls()) as proxy:
            service.part_url = f"https://storage.example:{service.server.port}/bucket/part-{{number}}?sig=1"
            monkeypatch.setenv("ALL_PROXY", f"https://localhost:{proxy.port}")
            monkeypatch.delenv("HTTPS_PROXY")
            client = connect(f"https://storage.example:{service.server.port}/v1")
            client.uploads.upload_file(b"x", file_name="a.glb")
        assert len(proxy.heads) == 2
        assert all("User-Agent: scenario-uploads/" in head for head in proxy.heads)

    @pytest.mark.parametrize("no_proxy", ["::1", "[::1]", "fd07:b51a:cc66:f0::/64", "fe80::/10", "bücher.example"])
    def test_is_reached_whatever_no_proxy_holds(
        self, connect: Connect, service: Service, monkeypatch: pytest.MonkeyPatch, no_proxy: str
    ) -> None:
        monkeypatch.setenv("NO_PROXY", no_proxy)
        assert connect(service.url).uploads.retrieve(UPLOAD_ID).upload.id == UPLOAD_ID

    def test_is_told_nothing_of_a_proxy_that_repeats_its_password(
        self, connect: Connect, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        answer = b"HTTP/1.1 407 for dXNlcjpwYXNzdzByZA== alias passw0rd\r\nContent-Length: 0\r\n\r\n"
        with ConnectProxy(answer) as proxy:
            monkeypatch.setenv("HTTPS_PROXY", f"http://user:passw0rd@127.0.0.1:{proxy.port}")
            with raises(APIConnectionError, "407") as caught:
                connect("https://storage.example/v1", max_retries=0).uploads.retrieve(UPLOAD_ID)
        shown = "".join(traceback.format_exception(caught.error))
        assert "passw0rd" not in shown
        assert "dXNlcjpwYXNzdzByZA" not in shown

    def test_behind_a_socks_proxy_needs_httpx_s_extra(self, connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "socksio", None)
        monkeypatch.setenv("HTTPS_PROXY", "socks5://user:passw0rd@127.0.0.1:9")
        with raises(InvalidArgumentError, "pip install 'httpx[socks]'", "socks5://127.0.0.1:9") as caught:
            connect("https://storage.example/v1").uploads.upload_file(b"x", file_name="a.glb")
        assert "passw0rd" not in "".join(traceback.format_exception(caught.error))

    @pytest.mark.usefixtures("trusted")
    def test_is_reached_through_socks(self, connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
        with Service(tls=make_tls()) as service, SocksProxy(("user", "word")) as proxy:
            service.part_url = f"https://storage.example:{service.server.port}/bucket/part-{{number}}?sig=1"
            monkeypatch.setenv("HTTPS_PROXY", f"socks5h://user:word@127.0.0.1:{proxy.port}")
            connect(f"https://storage.example:{service.server.port}/v1").uploads.upload_file(b"x", file_name="a.glb")
            assert [f"storage.example:{service.server.port}"] * 2 == proxy.asked
