"""Everything that a caller may want to catch.

    ScenarioError
    ├── InvalidArgumentError                       an argument cannot be used; nothing was sent. It is a ValueError
    │   │                                          and, since the kind of an argument may be wrong, a TypeError too
    │   ├── CredentialsError                       no credentials, half a pair, or two kinds
    │   └── SourceError                            the file cannot be sent: empty, missing, unreadable, a folder
    ├── APIError                                   a call to the API did not end in an answer of the contract
    │   ├── APIConnectionError                     no answer came
    │   │   └── APITimeoutError                    … in time
    │   ├── APIStatusError                         the API refused, see `status_code`
    │   │   ├── BadRequestError 400                ├── ConflictError 409
    │   │   ├── AuthenticationError 401            ├── UnprocessableEntityError 422
    │   │   ├── PermissionDeniedError 403          ├── RateLimitError 429
    │   │   └── NotFoundError 404                  └── InternalServerError 5xx
    │   └── APIResponseValidationError             the answer is not what the contract says
    └── UploadError                                the upload as a whole did not succeed
        ├── UploadFailedError                      the service could not import the file
        ├── UploadTimeoutError                     the service was not ready in time; it may still succeed
        ├── LedgerLockedError                      the same upload, or run on a ledger, goes on elsewhere
        ├── LedgerError                            the ledger of many files is damaged, or cannot be used
        └── TransferError                          the bytes did not reach storage
            ├── UploadURLExpiredError              the presigned URLs ran out
            ├── IntegrityError                     storage received other bytes than were sent
            └── SourceChangedError                 the file changed while it was being sent

Every error has `upload_id`, which is None until an upload exists. No message contains a key, a secret, a token or what
follows the `?` of a presigned URL.
"""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Any

from .redaction import mask_known, snippet

if TYPE_CHECKING:
    import httpx

    from .models import Upload

__all__ = [
    "APIConnectionError",
    "APIError",
    "APIResponseValidationError",
    "APIStatusError",
    "APITimeoutError",
    "AuthenticationError",
    "BadRequestError",
    "ConflictError",
    "CredentialsError",
    "IntegrityError",
    "InternalServerError",
    "InvalidArgumentError",
    "LedgerError",
    "LedgerLockedError",
    "NotFoundError",
    "PermissionDeniedError",
    "RateLimitError",
    "ScenarioError",
    "SourceChangedError",
    "SourceError",
    "TransferError",
    "UnprocessableEntityError",
    "UploadError",
    "UploadFailedError",
    "UploadTimeoutError",
    "UploadURLExpiredError",
]


def _rebuild(cls: type[BaseException], args: tuple[object, ...], state: dict[str, object]) -> BaseException:
    error = cls.__new__(cls, *args)
    error.args = args
    error.__dict__.update(state)
    return error


def _bare_request(request: httpx.Request | None) -> httpx.Request | None:
    return None if request is None else type(request)(request.method, request.url)


class ScenarioError(Exception):
    """The base of every error of this package.

    Attributes:
        message: What went wrong, in one line.
        upload_id: The upload that it concerns, or None when none exists yet.
        needs_new_upload: Whether only a new upload can succeed, since the service or storage takes nothing more for
            this one.
    """

    message: str
    upload_id: str | None
    needs_new_upload: bool = False

    def __init__(self, message: str, *, upload_id: str | None = None) -> None:
        message = mask_known(message)
        super().__init__(message)
        self.message = message
        self.upload_id = upload_id

    def __reduce__(self) -> tuple[Any, ...]:
        # Executors pickle errors; the default would call __init__ without its keyword arguments.
        return _rebuild, (type(self), self.args, self.__dict__)


class InvalidArgumentError(ScenarioError, ValueError, TypeError):
    """An argument cannot be used. Nothing was sent; the message names the value and the remedy.

    It is a `ValueError` and a `TypeError` at once: what is wrong may be the value or its type.
    """


class CredentialsError(InvalidArgumentError):
    """The credentials are missing, incomplete or contradictory."""


class SourceError(InvalidArgumentError):
    """The file cannot be sent: it is empty, missing, unreadable or not a regular file."""


class APIError(ScenarioError):
    """A call to the API did not end in an answer of the contract.

    Attributes:
        request: The request that was sent last, or None. Copies and pickles keep its method and URL alone.
        body: The answer's JSON value, or its text when it is not JSON; None when there is no answer.
    """

    request: httpx.Request | None
    body: object

    def __init__(
        self,
        message: str,
        request: httpx.Request | None = None,
        *,
        body: object = None,
        upload_id: str | None = None,
    ) -> None:
        super().__init__(message, upload_id=upload_id)
        self.request = request
        self.body = body

    def __reduce__(self) -> tuple[Any, ...]:
        # The request holds the credentials, and the response the request: pickle neither's headers.
        state: dict[str, Any] = self.__dict__ | {"request": _bare_request(self.request)}
        if (response := state.get("response")) is not None:
            state["response"] = copy(response)
            state["response"].request = state["request"]
        return _rebuild, (type(self), self.args, state)


class APIConnectionError(APIError):
    """No answer came from the API: the name did not resolve, the connection failed or broke."""

    def __init__(
        self,
        message: str = "Connection error.",
        request: httpx.Request | None = None,
        *,
        body: object = None,
        upload_id: str | None = None,
    ) -> None:
        super().__init__(message, request, body=body, upload_id=upload_id)


class APITimeoutError(APIConnectionError):
    """No answer came from the API in time."""

    def __init__(
        self,
        message: str = "Request timed out.",
        request: httpx.Request | None = None,
        *,
        body: object = None,
        upload_id: str | None = None,
    ) -> None:
        super().__init__(message, request, body=body, upload_id=upload_id)


class APIResponseValidationError(APIError):
    """The answer is not what the contract says.

    Attributes:
        status_code: The HTTP status of the answer.
        response: The answer, with at most its first bytes.
        body: Its JSON value, or else its first bytes as text.
    """

    request: httpx.Request  # pyright: ignore[reportIncompatibleVariableOverride]
    status_code: int
    response: httpx.Response

    def __init__(
        self, message: str, *, response: httpx.Response, body: object = None, upload_id: str | None = None
    ) -> None:
        super().__init__(message, response.request, body=body, upload_id=upload_id)
        self.response = response
        self.status_code = response.status_code


class APIStatusError(APIError):
    """The API refused a call.

    Attributes:
        status_code: The HTTP status of the answer.
        response: The answer.
        reason: What the service says is wrong, whatever key it came under; None when it says nothing.
        trace_id: What Scenario's support needs to find the request; None when the service gave none.
        retry_after: Seconds that the service asks to wait before another try; None when it asks for none.
    """

    request: httpx.Request  # pyright: ignore[reportIncompatibleVariableOverride]
    status_code: int
    response: httpx.Response
    reason: str | None
    trace_id: str | None
    retry_after: float | None

    def __init__(
        self, message: str, *, response: httpx.Response, body: object = None, upload_id: str | None = None
    ) -> None:
        super().__init__(message, response.request, body=body, upload_id=upload_id)
        self.response = response
        self.status_code = response.status_code
        self.reason = find_reason(body)
        self.trace_id = find_trace_id(body)
        self.retry_after = None


class BadRequestError(APIStatusError):
    """400: the request is not valid, or not in the upload's present state."""


class AuthenticationError(APIStatusError):
    """401: the credentials are wrong."""


class PermissionDeniedError(APIStatusError):
    """403: the credentials do not allow this."""


class NotFoundError(APIStatusError):
    """404: there is no such upload."""


class ConflictError(APIStatusError):
    """409: the upload is not in a state that allows this."""


class UnprocessableEntityError(APIStatusError):
    """422: the request is well formed, but cannot be carried out."""


class RateLimitError(APIStatusError):
    """429: too many requests."""


class InternalServerError(APIStatusError):
    """5xx: the service failed."""


class UploadError(ScenarioError):
    """The upload as a whole did not succeed."""


class UploadFailedError(UploadError):
    """The service could not import the file.

    Attributes:
        reason: The service's `errorMessage`, or None when it gave none.
        upload: The upload as it was answered last, or None.
    """

    reason: str | None
    upload: Upload | None

    def __init__(
        self, message: str, *, reason: str | None = None, upload: Upload | None = None, upload_id: str | None = None
    ) -> None:
        super().__init__(message, upload_id=upload_id)
        self.reason = None if reason is None else mask_known(reason)
        self.upload = upload


class UploadTimeoutError(UploadError):
    """The service had not finished in time. The upload goes on; `client.uploads.wait(error.upload_id)` resumes waiting.

    Attributes:
        status: The last status that the service gave, or None when it gave none.
    """

    status: str | None

    def __init__(self, message: str, *, status: str | None = None, upload_id: str | None = None) -> None:
        super().__init__(message, upload_id=upload_id)
        self.status = status


class TransferError(UploadError):
    """The bytes did not reach storage. The upload was not completed."""


class LedgerError(UploadError):
    """The ledger of `upload_many` is damaged, or cannot be read or written. The message says what to do."""


class LedgerLockedError(UploadError):
    """The same upload, or a run on the same ledger, is under way in another process or another call."""


class UploadURLExpiredError(TransferError):
    """The presigned URLs ran out before every part was sent."""

    needs_new_upload = True


class IntegrityError(TransferError):
    """Storage received other bytes than were sent. The upload was not completed."""


class SourceChangedError(TransferError):
    """The file changed, grew or shrank while it was being sent. The upload was not completed."""


def find_reason(body: object) -> str | None:
    """Return what the service says is wrong, from whichever key of an error `body` it came under."""
    return snippet(text, 500) if isinstance(body, dict | list) and (text := _find_text(body)) else None


# No service nests its reason deeper.
_DEEPEST_REASON = 8


def _find_text(value: object, depth: int = 0) -> str | None:
    """Return the text in a value of an error body: itself, that under a key for reasons, or those of a list."""
    if isinstance(value, str):
        return value.strip() or None
    if depth < _DEEPEST_REASON and isinstance(value, dict):
        texts = (_find_text(value.get(key), depth + 1) for key in ("reason", "message", "error", "detail", "msg"))
        return next((text for text in texts if text), None)
    if depth < _DEEPEST_REASON and isinstance(value, list):
        return "; ".join(text for item in value[:5] if (text := _find_text(item, depth + 1))) or None
    return None


def find_trace_id(body: object) -> str | None:
    """Return the id under which the service traces the request, or None."""
    if not isinstance(body, dict):
        return None
    ids = (body.get(key) for key in ("traceId", "trace_id"))
    return next((snippet(value) for value in ids if isinstance(value, str) and value.strip()), None)


for _name in __all__:
    # The public name in tracebacks and pickles.
    globals()[_name].__module__ = __name__.partition(".")[0]
