"""All errors of this package.

    ScenarioError
    ├── InvalidArgumentError                       an argument cannot be used; nothing was sent. It is a ValueError
    │   │                                          and, since the kind of an argument may be wrong, a TypeError too
    │   ├── CredentialsError                       no credentials, half a pair, or two kinds
    │   └── SourceError                            the file cannot be sent: empty, missing, unreadable, a folder
    ├── APIError                                   a call to the API failed
    │   ├── APIConnectionError                     no response came
    │   │   └── APITimeoutError                    … in time
    │   ├── APIStatusError                         the API refused, see `status_code`
    │   │   ├── BadRequestError 400                ├── ConflictError 409
    │   │   ├── AuthenticationError 401            ├── UnprocessableEntityError 422
    │   │   ├── PermissionDeniedError 403          ├── RateLimitError 429
    │   │   └── NotFoundError 404                  └── InternalServerError 5xx
    │   └── APIResponseValidationError             the response is not what the contract says
    └── UploadError                                the upload as a whole failed
        ├── UploadFailedError                      the service could not import the file
        ├── UploadTimeoutError                     the import did not finish in time, but may yet; or a deadline
        ├── LedgerLockedError                      the same upload, or a run on the ledger, is in progress
        ├── LedgerError                            the ledger of many files is damaged, or cannot be used
        └── TransferError                          the parts did not reach storage
            ├── UploadURLExpiredError              the presigned URLs expired
            ├── IntegrityError                     storage received other bytes than were sent
            └── SourceChangedError                 the file changed while it was being sent

Every error has `upload_id`, which is None until an upload exists. No message contains a key, a secret, a token or what
follows the `?` of a presigned URL.
"""

from __future__ import annotations

import copyreg
from collections.abc import Iterator
from contextlib import contextmanager
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


@contextmanager
def name_upload(upload_id: str | None) -> Iterator[None]:
    """Set `upload_id` on every ScenarioError raised in the block."""
    try:
        yield
    except ScenarioError as error:
        error.upload_id = error.upload_id or upload_id
        raise


class ScenarioError(Exception):
    """The base of every error of this package.

    Attributes:
        message: What went wrong, in one line.
        upload_id: The upload that it concerns, or None when none exists yet.
        needs_new_upload: Whether only a new upload can succeed, since the service or storage no longer accepts parts
            for this one.
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
        return copyreg.__newobj__, (type(self), *self.args), self.__dict__  # type: ignore[attr-defined]


class InvalidArgumentError(ScenarioError, ValueError, TypeError):
    """An argument cannot be used. Nothing was sent; the message names the value and the remedy.

    It is both a `ValueError` and a `TypeError`, since either the value or its type may be wrong.
    """


class CredentialsError(InvalidArgumentError):
    """The credentials are missing, incomplete or contradictory."""


class SourceError(InvalidArgumentError):
    """The file cannot be sent: it is empty, missing, unreadable or not a regular file."""


class APIError(ScenarioError):
    """A call to the API failed.

    Attributes:
        request: The last request, or None. Copies and pickles keep only its method and URL.
        body: The JSON value of the response, or its text when it is not JSON; None without a response.
    """

    request: httpx.Request | None
    body: object

    def __init__(
        self, message: str, request: httpx.Request | None = None, *, body: object = None, upload_id: str | None = None
    ) -> None:
        super().__init__(message, upload_id=upload_id)
        self.request = request
        self.body = body

    def __reduce__(self) -> tuple[Any, ...]:
        # The request holds the credentials, and the response the request: pickle neither's headers.
        bare = self.request and type(self.request)(self.request.method, self.request.url)
        state: dict[str, Any] = self.__dict__ | {"request": bare}
        if (response := state.get("response")) is not None:
            state["response"] = copy(response)
            state["response"].request = bare
        return *super().__reduce__()[:2], state


class APIConnectionError(APIError):
    """No response came from the API: the name did not resolve, the connection failed or broke."""

    _default_message = "Connection error."

    def __init__(
        self,
        message: str | None = None,
        request: httpx.Request | None = None,
        *,
        body: object = None,
        upload_id: str | None = None,
    ) -> None:
        super().__init__(self._default_message if message is None else message, request, body=body, upload_id=upload_id)


class APITimeoutError(APIConnectionError):
    """No response came from the API in time."""

    _default_message = "Request timed out."


class APIResponseValidationError(APIError):
    """The response is not what the contract says.

    Attributes:
        status_code: The HTTP status.
        response: The response, its body cut to the first bytes.
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
        status_code: The HTTP status.
        response: The response.
        reason: What the service says is wrong, or None.
        trace_id: The id by which Scenario's support finds the request, or None.
        retry_after: Seconds to wait before a retry, if the service asks for it, or None.
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
    """The upload as a whole failed."""


class UploadFailedError(UploadError):
    """The service could not import the file.

    Attributes:
        reason: The service's `errorMessage`, or None when it gave none.
        upload: The upload as last received, or None.
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
    """The import did not finish in time. It continues; `client.uploads.wait(error.upload_id)` waits again.

    Or an upload did not finish within its `deadline`; the message says whether the same call resumes it.

    Attributes:
        status: The last status received, or None.
    """

    status: str | None

    def __init__(self, message: str, *, status: str | None = None, upload_id: str | None = None) -> None:
        super().__init__(message, upload_id=upload_id)
        self.status = status


class TransferError(UploadError):
    """The parts did not reach storage. The upload was not completed."""


class LedgerError(UploadError):
    """The ledger of `upload_many` is damaged, or cannot be read or written. The message says what to do."""


class LedgerLockedError(UploadError):
    """The same upload, or a run on the same ledger, is in progress in another process or call."""


class UploadURLExpiredError(TransferError):
    """The presigned URLs expired before every part was sent."""

    needs_new_upload = True


class IntegrityError(TransferError):
    """Storage received other bytes than were sent. The upload was not completed."""


class SourceChangedError(TransferError):
    """The file changed, grew or shrank while it was being sent. The upload was not completed."""


def find_reason(body: object) -> str | None:
    """Return the reason in an error body, whichever key it is under, or None."""
    return snippet(text, 500) if isinstance(body, dict | list) and (text := _find_text(body)) else None


def _find_text(value: object, levels: int = 8) -> str | None:
    """Return the text of a string, of a known key of an object, or of the items of a list."""
    if isinstance(value, str):
        return value.strip() or None
    if isinstance(value, dict) and levels:
        texts = (_find_text(value.get(key), levels - 1) for key in ("reason", "message", "error", "detail", "msg"))
        return next((text for text in texts if text), None)
    if isinstance(value, list) and levels:
        return "; ".join(text for item in value[:5] if (text := _find_text(item, levels - 1))) or None
    return None


def find_trace_id(body: object) -> str | None:
    """Return the trace id in an error body, or None."""
    ids = [body.get(key) for key in ("traceId", "trace_id")] if isinstance(body, dict) else []
    return next((snippet(value) for value in ids if isinstance(value, str) and value.strip()), None)


for _name in __all__:
    # The public name in tracebacks and pickles.
    globals()[_name].__module__ = __name__.partition(".")[0]
