"""An answer as it came, whichever client it came to: what it is known by, and what its body becomes."""

from __future__ import annotations

import datetime
from typing import Any, Generic, TypeVar, cast, get_origin

import attrs
import httpx

from .answers import Answer, BodyReader, OpenAnswer, decode_body, invalid_answer, parse_body
from .errors import InvalidArgumentError, ScenarioError
from .faults import judge_exception
from .flow import name_upload
from .http import Reply
from .retry import Repeat
from .streaming import BrokenBodyError, Decode, Stage, Unpack, flush, push

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
        mine, _ = judge_exception(error, self._reply.operation.name, Repeat.SAFE, self.http_request)
        mine.upload_id = self._reply.operation.upload_id
        return mine

    def _invalid(self, what: str, answer: Answer | None = None) -> ScenarioError:
        response = self.http_response
        nothing = Answer(response.status_code, response.headers, b"", response.request, 0.0)
        error = invalid_answer(answer or nothing, self._reply.operation.name, what, show=answer is not None)
        error.upload_id = self._reply.operation.upload_id
        return error
