"""A body on its way from the wire to who reads it, in pieces of every size."""

import gzip
import io
import tracemalloc
from typing import Any

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scenario_uploads.client.response import PIECE, BrokenBodyError, Cut, Decode, SplitLines, Stage, Unpack, flush, push


def send_through(stages: list[Stage], pieces: list[Any]) -> list[Any]:
    return [*push(stages, pieces), *flush(stages)]


def cut_up(data: Any, sizes: list[int]) -> list[Any]:
    pieces, start = [], 0
    for size in sizes:
        pieces.append(data[start : start + size])
        start += size
    return [*pieces, data[start:]]


SIZES = st.lists(st.integers(0, 5), max_size=12)


@given(st.binary(max_size=40), SIZES)
def test_what_is_not_packed_passes(data: bytes, sizes: list[int]) -> None:
    for encoding in ("", "identity", " Identity "):
        assert b"".join(send_through([Unpack(encoding)], cut_up(data, sizes))) == data


@given(st.binary(max_size=40), SIZES)
def test_gzip_is_unpacked(data: bytes, sizes: list[int]) -> None:
    for encoding in ("gzip", "X-GZIP"):
        assert b"".join(send_through([Unpack(encoding)], cut_up(gzip.compress(data), sizes))) == data


def test_an_empty_body_may_claim_to_be_gzip() -> None:
    assert send_through([Unpack("gzip")], []) == send_through([Unpack("gzip")], [b""]) == []


@pytest.mark.parametrize(
    ("encoding", "pieces", "what"),
    [
        ("br", [b"x"], "a body packed with 'br', which was not asked for"),
        ("gzip, gzip", [b"x"], "packed with"),
        ("gzip", [b"not gzip"], "not the gzip that it claims"),
        ("gzip", [gzip.compress(b"hello")[:-4]], "ends in the middle"),
        ("gzip", [gzip.compress(b"hello") + b"more"], "goes on after its gzip"),
        ("gzip", [gzip.compress(b"hello"), b"more"], "goes on after its gzip"),
    ],
)
def test_a_body_that_is_not_what_it_claims_is_told(encoding: str, pieces: list[bytes], what: str) -> None:
    with pytest.raises(BrokenBodyError, match=what):
        send_through([Unpack(encoding)], pieces)


def test_24_a_small_body_that_unpacks_to_a_huge_one_is_given_in_pieces() -> None:
    file = io.BytesIO()
    with gzip.GzipFile(fileobj=file, mode="wb") as packer:
        for _ in range(256):
            packer.write(bytes(1 << 20))
    tracemalloc.start()
    try:
        sizes = {len(piece) for piece in push([Unpack("gzip")], [file.getvalue()])}
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert max(sizes) <= PIECE
    assert peak < 16 << 20


@given(st.binary(max_size=40) | st.text(max_size=40), SIZES, st.integers(1, 9))
def test_pieces_are_cut_to_one_size(data: Any, sizes: list[int], size: int) -> None:
    expected = [data[start : start + size] for start in range(0, len(data), size)]
    assert send_through([Cut(size)], cut_up(data, sizes)) == expected


@given(st.text(max_size=20), SIZES, st.sampled_from(["utf-8", "utf-16", "UTF-16-LE", None]))
def test_text_is_made_of_any_pieces(text: str, sizes: list[int], charset: str | None) -> None:
    data = text.encode(charset or "utf-8", "replace")
    expected = data.decode(charset or "utf-8", "replace")
    assert "".join(send_through([Decode(charset)], cut_up(data, sizes))) == expected


@pytest.mark.parametrize("charset", ["base64", "hex", "zip", "idna", "undefined", "nonsense", "\x00", "ä"])
def test_a_charset_that_is_none_is_taken_for_utf_8(charset: str) -> None:
    assert send_through([Decode(charset)], [b"caf\xc3\xa9 \xff"]) == ["café \ufffd"]


def test_what_is_no_text_is_replaced() -> None:
    assert send_through([Decode(None)], [b"a\xc3", b"b\xc3"]) == ["a", "\ufffdb", "\ufffd"]


@given(st.text("ab\r\n\u2028\x0b", max_size=30), SIZES)
@example("\r\n\n", [1, 1])
@example("a\r\n", [2])
def test_lines_are_those_that_the_whole_text_has(text: str, sizes: list[int]) -> None:
    assert send_through([SplitLines()], cut_up(text, sizes)) == text.splitlines()


@given(st.text("ab\r\n", max_size=30))
def test_lines_are_those_that_httpx_gives(text: str) -> None:
    response = httpx.Response(200, content=text.encode())
    assert send_through([Decode(None), SplitLines()], [text.encode()]) == list(response.iter_lines())
