"""An answer as it came, whichever client it came to: what it is known by, and what its body becomes."""

from __future__ import annotations

import codecs
import datetime
import zlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Generic, Protocol, TypeVar, cast, get_origin

import attrs
import httpx

from scenario_uploads.api.calls import name_upload
from scenario_uploads.api.exchange import Reply
from scenario_uploads.api.faults import classify_exception
from scenario_uploads.api.responses import Answer, BodyReader, OpenAnswer, decode_body, invalid_answer, parse_body
from scenario_uploads.errors import InvalidArgumentError, ScenarioError
from scenario_uploads.redaction import snippet
from scenario_uploads.retry import Repeat

T = TypeVar("T")


class BaseAPIResponse(Generic[T]):
    """What both kinds of answer have.

    Attributes:
        http_response: The answer as HTTPX has it. Once its body is read, it is a copy with the body unpacked.
        retries_taken: How often the request was sent again, 0 or more.
    """

    http_response: httpx.Response
    retries_taken: int

    def __init__(self, reply: Reply[T], connections: object) -> None:
        self._reply = reply
        # While an answer is read, its connection must not be closed for want of users.
        self._connections = connections
        self._answer: Answer | None = None
        self._streamed = False
        self._parsed: dict[object, Any] = {}
        self.retries_taken = reply.retries_taken
        self.http_response = reply.answer.response if isinstance(reply.answer, OpenAnswer) else self._keep(reply.answer)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} [{self.status_code}] type={self._reply.operation.model.__name__}>"

    @property
    def status_code(self) -> int:
        """The HTTP status."""
        return self.http_response.status_code

    @property
    def headers(self) -> httpx.Headers:
        """The headers of the answer."""
        return self.http_response.headers if self._answer is None else self._answer.headers

    @property
    def http_request(self) -> httpx.Request:
        """The request that was answered; its headers hold the credentials."""
        return self.http_response.request

    @property
    def method(self) -> str:
        """The method of the request."""
        return self.http_request.method

    @property
    def url(self) -> httpx.URL:
        """The URL of the request."""
        return self.http_request.url

    @property
    def http_version(self) -> str:
        """The protocol of the answer, such as `HTTP/1.1`."""
        return self.http_response.http_version

    @property
    def elapsed(self) -> datetime.timedelta:
        """The time from the request to the end of the answer; a `RuntimeError` before that."""
        return self.http_response.elapsed

    @property
    def is_closed(self) -> bool:
        """Whether the body is read or given up, and the connection free for others."""
        return self.http_response.is_closed

    @property
    def content(self) -> bytes:
        """The body, unpacked, once it is read.

        Raises:
            ScenarioError: When it is not.
        """
        if self._answer is None:
            raise ScenarioError("The body of the answer is not read yet; call read().")
        return self._check(self._answer).body

    def _keep(self, answer: Answer) -> httpx.Response:
        self._answer = answer
        return answer.response()

    def _check(self, answer: Answer) -> Answer:
        """Return a whole answer when its body is what was sent."""
        if answer.cut:
            raise self._invalid("a body that was cut short", answer)
        if answer.fault:
            raise self._invalid(answer.fault, answer)
        return answer

    def _begin(self) -> httpx.Response:
        """Return the answer whose body is to be read off the wire, for the first and only time."""
        if self._streamed:
            raise ScenarioError("The body of the answer has been streamed already; call read() before, and it is kept.")
        if self.http_response.is_closed:
            raise ScenarioError("The answer is closed, and its body was not read before, or not by read().")
        self._streamed = True
        return self.http_response

    def _reader(self, response: httpx.Response) -> BodyReader:
        limit = self._reply.answer.limit if isinstance(self._reply.answer, OpenAnswer) else 0
        return BodyReader(response, limit)

    def _finish(self, reader: BodyReader, *, cut: bool) -> None:
        """Keep what was read, the connection being free again."""
        elapsed = self.http_response.elapsed.total_seconds() if self.http_response.is_closed else 0.0
        self.http_response = self._keep(reader.finish(elapsed, cut=cut))

    def _unpacked(self, stages: list[Stage]) -> list[Stage]:
        """Return what a body goes through when it comes off the wire, where it may be packed."""
        return [Unpack(self.headers.get("content-encoding", "")), *stages]

    def _to_text(self) -> Decode:
        return Decode(self.http_response.charset_encoding)

    def _decode_text(self, body: bytes) -> str:
        stages = [self._to_text()]
        return "".join([*push(stages, [body]), *flush(stages)])

    def _decode_json(self, body: bytes) -> Any:
        try:
            return parse_body(body)
        except ValueError as error:
            raise self._invalid(str(error), self._answer) from None

    def _decode(self, body: bytes, to: Any) -> Any:
        if to in self._parsed:
            return self._parsed[to]
        answer = cast("Answer", self._answer)
        parsed: Any
        if to is None:
            with name_upload(self._reply.operation.upload_id):
                parsed = self._reply.operation.decode(answer, strict=self._reply.strict)
        elif isinstance(to, type) and attrs.has(to) and hasattr(to, "from_dict"):
            with name_upload(self._reply.operation.upload_id):
                parsed = decode_body(to, answer, self._reply.operation.name, strict=self._reply.strict)
        elif to is httpx.Response:
            parsed = self.http_response
        elif to in (str, bytes):
            parsed = body if to is bytes else self._decode_text(body)
        else:
            parsed = self._decode_value(body, to)
        self._parsed[to] = parsed
        return parsed

    def _decode_value(self, body: bytes, to: Any) -> Any:
        kind = get_origin(to) or to
        if kind not in (object, dict, list):
            raise InvalidArgumentError(
                f"An answer can be parsed to a model of the contract, dict, list, str, bytes, object or httpx.Response,"
                f" not to {to!r}."
            )
        value = self._decode_json(body)
        if not isinstance(value, kind):
            raise self._invalid(f"JSON that is no {kind.__name__}", self._answer)
        return value

    def _explain(self, error: Exception) -> ScenarioError:
        """Return our error for what broke off the body."""
        if isinstance(error, BrokenBodyError):
            return self._invalid(str(error))
        mine, _ = classify_exception(error, self._reply.operation.name, Repeat.SAFE, self.http_request)
        mine.upload_id = self._reply.operation.upload_id
        return mine

    def _invalid(self, what: str, answer: Answer | None = None) -> ScenarioError:
        response = self.http_response
        nothing = Answer(response.status_code, response.headers, b"", response.request, 0.0)
        error = invalid_answer(answer or nothing, self._reply.operation.name, what, show=answer is not None)
        error.upload_id = self._reply.operation.upload_id
        return error


Piece = TypeVar("Piece", bytes, str)

# How much one stage hands on at once, in bytes: a few kilobytes may unpack to gigabytes.
PIECE = 64 * 1024

# Python knows more, and some of them make no text, or fail on what they do not like.
_CHARSETS = frozenset({"utf-8", "ascii", "iso8859-1", "iso8859-15", "cp1252", "utf-16", "utf-16-le", "utf-16-be"})


class BrokenBodyError(Exception):
    """A body is not what its headers say; the message says what it is."""


class Stage(Protocol):
    """One stage of the way."""

    def feed(self, piece: Any, /) -> Iterator[Any]:
        """Take a piece and give what is ready."""
        ...

    def end(self) -> Iterator[Any]:
        """Give what is left."""
        ...


def push(stages: Sequence[Stage], pieces: Iterable[Any]) -> Iterator[Any]:
    """Send pieces through the stages, each only when the one before it is used up."""
    for stage in stages:
        pieces = _pass(stage, pieces)
    yield from pieces


def _pass(stage: Stage, pieces: Iterable[Any]) -> Iterator[Any]:
    for piece in pieces:
        yield from stage.feed(piece)


def flush(stages: Sequence[Stage]) -> Iterator[Any]:
    """Give what the stages still hold."""
    for index, stage in enumerate(stages):
        yield from push(stages[index + 1 :], stage.end())


class Unpack:
    """Unpacks a body as its `Content-Encoding` says: gzip, or not at all.

    Raises:
        BrokenBodyError: In `feed` and `end`, when it is packed otherwise, damaged, or ends in the middle.
    """

    def __init__(self, content_encoding: str) -> None:
        packing = content_encoding.strip().lower()
        if packing not in ("", "identity", "gzip", "x-gzip"):
            raise BrokenBodyError(f"a body packed with {snippet(packing, 20)!r}, which was not asked for")
        self._unpack = zlib.decompressobj(wbits=31) if "gzip" in packing else None
        self._begun = False

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """Take bytes off the wire and give them unpacked."""
        if self._unpack is None:
            yield piece
            return
        while piece and not self._unpack.eof:
            self._begun = True
            try:
                unpacked = self._unpack.decompress(piece, PIECE)
            except zlib.error:
                raise BrokenBodyError("a body that is not the gzip that it claims to be") from None
            piece = self._unpack.unconsumed_tail
            if unpacked:
                yield unpacked
        if piece or (self._unpack.eof and self._unpack.unused_data):
            raise BrokenBodyError("a body that goes on after its gzip")

    def end(self) -> Iterator[bytes]:
        """Give nothing, if the body has come to its end."""
        if self._unpack is not None and self._begun and not self._unpack.eof:
            raise BrokenBodyError("a body that ends in the middle")
        yield from ()


class Cut:
    """Cuts bytes or text into pieces of one size; the last may be shorter."""

    def __init__(self, size: int) -> None:
        if isinstance(size, bool) or not isinstance(size, int) or size < 1:
            raise InvalidArgumentError(f"chunk_size must be a whole number from 1, or None, not {size!r}.")
        self._size = size
        self._rest: Any = None

    def feed(self, piece: Piece) -> Iterator[Piece]:
        """Take a piece of any size and give those that are full."""
        whole: Piece = piece if self._rest is None else self._rest + piece
        end = len(whole) - len(whole) % self._size
        self._rest = whole[end:]
        for start in range(0, end, self._size):
            yield whole[start : start + self._size]

    def end(self) -> Iterator[Any]:
        """Give the last piece."""
        if self._rest:
            yield self._rest


class Decode:
    """Makes text of bytes; what cannot be text becomes U+FFFD.

    Args:
        charset: As the answer names it; one that is not known here is taken for UTF-8.
    """

    def __init__(self, charset: str | None) -> None:
        try:
            name = codecs.lookup(charset or "utf-8").name
        except (LookupError, ValueError):
            name = "utf-8"
        self._decoder = codecs.getincrementaldecoder(name if name in _CHARSETS else "utf-8")(errors="replace")

    def feed(self, piece: bytes) -> Iterator[str]:
        """Take bytes and give the text that is whole."""
        if text := self._decoder.decode(piece):
            yield text

    def end(self) -> Iterator[str]:
        """Give what half a character at the end comes to."""
        if text := self._decoder.decode(b"", final=True):
            yield text


class SplitLines:
    """Splits text into lines, as `str.splitlines` does, without their ends."""

    def __init__(self) -> None:
        self._rest: list[str] = []
        self._after_return = False

    def feed(self, piece: str) -> Iterator[str]:
        """Take a text and give the lines that are whole."""
        if self._after_return and piece.startswith("\n"):
            piece = piece[1:]
        # Half of a line end: the other half would be a line of its own.
        self._after_return = piece.endswith("\r")
        for line in piece.splitlines(keepends=True):
            (content,) = line.splitlines()
            self._rest.append(content)
            if len(content) < len(line):
                yield "".join(self._rest)
                self._rest.clear()

    def end(self) -> Iterator[str]:
        """Give the last line, when nothing ends it."""
        if self._rest:
            yield "".join(self._rest)
