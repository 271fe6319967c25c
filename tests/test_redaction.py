"""No secret is shown, and a stranger's text is made short and safe."""

import copy
import json
import logging
import os
import pickle
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scenario_uploads.logs import guard_logs
from scenario_uploads.redaction import (
    SecretURL,
    guard_secrets,
    mask_known,
    mask_urls,
    redact,
    redact_chain,
    replace_each,
    snippet,
)
from scenario_uploads.tls import find_certificate_error

SECRET = "f00dfeed"
PRESIGNED = f"https://bucket.s3-accelerate.amazonaws.com/a/b.glb?partNumber=1&X-Amz-Signature={SECRET}"
# What may stand in a URL, with and without permission: see RFC 3986, and what browsers let pass.
URL_CHARACTERS = st.characters(min_codepoint=33, max_codepoint=126, exclude_characters='"<>?#')


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("nothing to hide", "nothing to hide"),
        ("https://example.com/a", "https://example.com/a"),
        ("GET https://example.com/a?b=c failed", "GET https://example.com/a?… failed"),
        ("HTTPS://EXAMPLE.COM/A?B", "HTTPS://EXAMPLE.COM/A?…"),
        ("https://example.com/a#token", "https://example.com/a?…"),
        ('{"url":"https://a.b/c?d=e","number":1}', '{"url":"https://a.b/c?…","number":1}'),
        ("<https://a.b/c?d> <https://a.b/e?f>", "<https://a.b/c?…> <https://a.b/e?…>"),
        ("'https://a.b/c?d=e' and 'https://a.b/f?g'", "'https://a.b/c?…' and 'https://a.b/f?…'"),
        ("why? because", "why? because"),
        ("Basic authentication is required", "Basic authentication is required"),
    ],
)
def test_only_what_follows_the_question_mark_of_a_url_is_left_out(text: str, expected: str) -> None:
    assert expected == redact(text)


@pytest.mark.parametrize(
    "text",
    [
        PRESIGNED,
        f"({PRESIGNED})",
        # File names have apostrophes, and not every signer escapes them.
        f"https://a.b/it's.glb?X-Amz-Signature={SECRET}",
        f"https://a.b/c?name=it's&X-Amz-Signature={SECRET}",
        # As JSON of other makers writes & and /.
        f'{{"url":"https://a.b/c?x=1\\u0026X-Amz-Signature={SECRET}',
        f'{{"url":"https:\\/\\/a.b\\/c?x=1&X-Amz-Signature={SECRET}',
        f"<a href='https://a.b/c?x=1&amp;X-Amz-Signature={SECRET}'>",
        # As a gateway quotes the request line.
        f"PUT /a/b.glb?partNumber=1&X-Amz-Signature={SECRET} HTTP/1.1",
        f"/a?X-Amz-Signature={SECRET}",
        f"/a?x=1&amp;X-Amz-Signature={SECRET}",
        f"/a?x=1\\u0026X-Amz-Signature={SECRET}",
        f"/container/blob?sv=2020&sig={SECRET}",
        f"Authorization: Basic {SECRET * 3}==",
        f"bearer {SECRET}.{SECRET}.{SECRET}_-",
    ],
)
def test_secrets_in_the_texts_of_others_are_left_out(text: str) -> None:
    assert SECRET not in redact(text)
    assert SECRET not in snippet(text)
    assert SECRET not in snippet(repr(text))


@given(
    before=st.text(),
    path=st.text(URL_CHARACTERS, min_size=1),
    query=st.text(URL_CHARACTERS | st.just("?") | st.just("#")),
    after=st.sampled_from(["", " and more", '"', ">", "\n"]),
)
def test_redact_never_leaves_a_query(before: str, path: str, query: str, after: str) -> None:
    """Whatever stands around it and in it, a URL loses all that follows its question mark."""
    result = redact(f"{before} https://{path}?{query}{SECRET}{after}")
    assert SECRET not in result
    assert result.endswith("?…" + after)


@given(st.text())
def test_redacting_again_changes_nothing(text: str) -> None:
    assert redact(text) == redact(redact(text))


@given(st.text(st.characters()), st.integers(1, 300))
def test_a_snippet_is_one_short_line_that_every_encoder_takes(text: str, limit: int) -> None:
    result = snippet(text, limit)
    assert len(result) <= limit
    assert len(result.splitlines()) <= 1
    assert result.encode("utf-8").decode("utf-8") == result


def test_a_snippet_of_a_short_text_is_the_text() -> None:
    assert snippet("It went wrong") == "It went wrong"
    assert snippet(" two\r\nlines\n") == "two lines"
    assert snippet("a\u200fb\u061cc\u202ed") == "a b c d"
    assert snippet("abcdefgh", 5) == "abcd…"


def test_a_url_that_the_limit_cuts_shows_no_query() -> None:
    text = "x" * 50 + PRESIGNED
    for limit in range(1, 400):
        assert SECRET[:4] not in snippet(text, limit)


def test_a_secret_url_is_its_text_for_everything_but_repr() -> None:
    url = SecretURL(PRESIGNED)
    assert url == PRESIGNED
    assert hash(PRESIGNED) == hash(url)
    assert PRESIGNED == str(url) == f"{url}"
    assert json.loads(json.dumps({"url": url}))["url"] == PRESIGNED
    assert repr("https://bucket.s3-accelerate.amazonaws.com/a/b.glb?…") == repr(url)
    for twin in (copy.copy(url), copy.deepcopy(url), pickle.loads(pickle.dumps(url))):
        assert twin == PRESIGNED
        assert SECRET not in repr(twin)


@pytest.mark.parametrize("query", [f"a b {SECRET}", f"a\n{SECRET}", f'"{SECRET}', f"?{SECRET}", SECRET])
def test_the_repr_of_a_broken_secret_url_shows_no_query_either(query: str) -> None:
    assert SECRET not in repr(mask_urls(f"https://a.b/c?{query}"))


def test_shield_reaches_into_lists_and_objects_and_leaves_the_original_alone() -> None:
    data = {"a": [{"url": PRESIGNED}, PRESIGNED], "plain": "https://example.com", "number": 1, "nothing": None}
    shielded = mask_urls(data)
    assert data == shielded
    assert SECRET not in repr(shielded)
    assert SECRET in repr(data)


def test_shield_takes_what_is_nested_deeper_than_python_recurses() -> None:
    value: object = PRESIGNED
    for _ in range(sys.getrecursionlimit() * 5):
        value = [value]
    shielded = mask_urls(value)
    while isinstance(shielded, list):
        (shielded,) = shielded
    assert isinstance(shielded, SecretURL)


def test_replace_each_goes_on_into_what_was_put_in() -> None:
    def unfold(value: object) -> object:
        return list(range(value)) if isinstance(value, int) and value > 1 else value

    assert replace_each(3, unfold) == [0, 1, [0, 1]]


@pytest.fixture
def records(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """What a logger of its own emits, once it is guarded."""
    logger = logging.getLogger("probe_of_redaction")
    guard_logs(logger.name)
    guard_logs(logger.name)
    with caplog.at_level(logging.DEBUG, logger.name):
        yield caplog
    for item in list(logger.filters):
        logger.removeFilter(item)


def test_guarded_loggers_emit_no_signature(records: pytest.LogCaptureFixture) -> None:
    """Neither the text nor the arguments of the record hold it, whatever a handler prints."""
    logging.getLogger("probe_of_redaction").info('HTTP Request: %s %s "%s"', "PUT", PRESIGNED, "HTTP/1.1 200 OK")
    (record,) = records.records
    assert (
        record.getMessage()
    ) == 'HTTP Request: PUT https://bucket.s3-accelerate.amazonaws.com/a/b.glb?… "HTTP/1.1 200 OK"'
    assert SECRET not in str(record.__dict__)


def test_guarded_loggers_leave_other_records_as_they_are(records: pytest.LogCaptureFixture) -> None:
    logging.getLogger("probe_of_redaction").info("HTTP Request: %s", "GET https://example.com/?page=2")
    assert records.records[0].args == ("GET https://example.com/?page=2",)


def test_a_record_that_cannot_be_formatted_breaks_nothing_here(caplog: pytest.LogCaptureFixture) -> None:
    """It is passed on, as without the guard, to the handlers, which know what to do with it."""
    guard_logs("probe_of_redaction")
    logger = logging.getLogger("probe_of_redaction")
    logger.propagate = False
    try:
        logger.warning("%d", "no number")
    finally:
        logger.propagate = True
        logger.filters.clear()


def test_a_presigned_url_inside_a_longer_text_is_shielded_too() -> None:
    message = f"cannot read https://storage.example/a.glb?X-Amz-Signature={SECRET} any more"
    shielded = mask_urls({"errorMessage": message})
    assert shielded == {"errorMessage": message}
    assert SECRET not in repr(shielded)
    assert "storage.example" in repr(shielded)


def test_no_text_takes_more_than_one_pass() -> None:
    """A stranger's megabyte of beginnings of URLs: to look from each of them to the end would take hours."""
    for text in ("http://" * 200_000 + " ?", "%3F" * 400_000, "?&" * 500_000, "%3F%26" * 200_000, "Basic " * 200_000):
        assert redact(text) == text
        assert mask_urls(text) == text


def test_a_value_that_holds_itself_is_copied_as_such() -> None:
    value: dict[str, Any] = {"url": "https://a.example/b?c=d", "list": []}
    value["list"] += [value, value]
    copied: Any = mask_urls(value)
    assert type(copied["url"]) is SecretURL
    assert copied["list"][0]["list"] is copied["list"]


def test_a_signature_in_the_query_of_another_url_is_hidden() -> None:
    text = "Location: /login?next=https%3A%2F%2Fb.example%2Fa%3Fx%3D1%26X-Amz-Signature%3Dabc HTTP/1.1"
    assert redact(text) == "Location: /login?next=https%3A%2F%2Fb.example%2Fa%3F… HTTP/1.1"


def test_a_chain_of_errors_that_leads_back_to_its_beginning_is_walked_once() -> None:
    """A mock that raises the same instance within `except` makes one."""
    url = "https://bucket.example/x?X-Amz-Signature=5ecre7"
    first, second, third = OSError(f"no {url}"), OSError(f"nor {url}"), ssl.SSLCertVerificationError("self-signed")
    first.__context__, second.__context__, second.__cause__, third.__context__ = second, first, third, third
    assert find_certificate_error(first)
    redact_chain(first)
    assert "5ecre7" not in f"{first} {second}"
    third.__context__ = second.__cause__ = None
    assert find_certificate_error(first) is None


OUT_OF_DESCRIPTORS = """
import os, resource
from scenario_uploads.errors import ScenarioError
from scenario_uploads.redaction import guard_secrets

class Holder: ...

holder = Holder()
guard_secrets(holder, "s3cret-of-t\\u00e9st\\U0001f600")
resource.setrlimit(resource.RLIMIT_NOFILE, (32, 32))
try:
    while True:
        os.open(os.devnull, os.O_RDONLY)
except OSError:
    os.write(1, str(ScenarioError("it said s3cret-of-t\\u00e9st\\U0001f600")).encode())
"""


def test_an_error_without_secrets_needs_no_free_descriptor() -> None:
    """It may have to say that there is none."""
    pytest.importorskip("resource")
    # Nothing that is measured could be written at the end.
    env = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}
    done = subprocess.run([sys.executable, "-c", OUT_OF_DESCRIPTORS], env=env, capture_output=True, check=False)
    assert (done.stdout, done.stderr) == (b"it said ***", b"")


@pytest.mark.parametrize("spell", [str, quote_plus, lambda text: json.dumps(text).replace("/", "\\/")])
def test_a_long_token_is_left_out_to_its_end(spell: Callable[[str], str]) -> None:
    token, holder = "eyJhbGciOi/J9." * 100, threading.Event()
    guard_secrets(holder, token)
    assert mask_known(f"a {spell(token)} b").replace('"', "") == "a *** b"
