"""All errors of this package, which derive from `ScenarioError`; docs/errors.md says when each is raised.

No message contains a key, a secret, a token or what follows the `?` of a presigned URL.
"""

from __future__ import annotations

import copyreg
from copy import copy
from typing import TYPE_CHECKING, Any

from .redaction import find_reason, find_trace_id, mask_known, strip_request

if TYPE_CHECKING:
    import httpx

    from .models import Upload


class ScenarioError(Exception):
    """The base of every error of this package.

    Attributes:
        message: What went wrong, in one line.
        upload_id: The upload that it concerns, or None when none exists yet.
        needs_new_upload: Whether only a new upload can succeed, since this one accepts no more parts.
    """

    needs_new_upload = False

    def __init__(self, message: str, *, upload_id: str | None = None) -> None:
        self.message, self.upload_id = mask_known(message), upload_id
        super().__init__(self.message)

    def extend(self, text: str) -> None:
        """Add to the message, in place of a dot at its end."""
        self.message = self.message.rstrip(".") + text
        self.args = (self.message,)

    def __reduce__(self) -> tuple[Any, ...]:
        # Executors pickle errors; the default would call __init__ without its keyword arguments.
        return copyreg.__newobj__, (type(self), *self.args), self.__dict__  # type: ignore[attr-defined]


class InvalidArgumentError(ScenarioError, ValueError, TypeError):
    """An argument cannot be used, by its value or its type. Nothing was sent; the message says what to do."""


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

    _default_message = "The call failed."

    def __init__(
        self,
        message: str | None = None,
        request: httpx.Request | None = None,
        *,
        body: object = None,
        upload_id: str | None = None,
    ) -> None:
        super().__init__(self._default_message if message is None else message, upload_id=upload_id)
        self.request, self.body = request, body

    def __reduce__(self) -> tuple[Any, ...]:
        # The request holds the credentials, and the response the request: pickle neither's headers.
        bare = self.request and strip_request(self.request)
        state: dict[str, Any] = self.__dict__ | {"request": bare}
        if (response := state.get("response")) is not None:
            state["response"] = copy(response)
            state["response"].request = bare
        return *super().__reduce__()[:2], state


class APIConnectionError(APIError):
    """No response came from the API: the name did not resolve, the connection failed or broke."""

    _default_message = "Connection error."


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

    def __init__(
        self, message: str, *, response: httpx.Response, body: object = None, upload_id: str | None = None
    ) -> None:
        super().__init__(message, response.request, body=body, upload_id=upload_id)
        self.response, self.status_code = response, response.status_code


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
    retry_after: float | None = None

    def __init__(
        self, message: str, *, response: httpx.Response, body: object = None, upload_id: str | None = None
    ) -> None:
        super().__init__(message, response.request, body=body, upload_id=upload_id)
        self.response, self.status_code = response, response.status_code
        self.reason, self.trace_id = find_reason(body), find_trace_id(body)


class BadRequestError(APIStatusError):
    """400: the request is invalid, or not allowed in the upload's state."""


class AuthenticationError(APIStatusError):
    """401: the credentials are wrong."""


class PermissionDeniedError(APIStatusError):
    """403: the credentials do not allow this."""


class NotFoundError(APIStatusError):
    """404: there is no such upload."""


class ConflictError(APIStatusError):
    """409: the upload is not in a state that allows this."""


class UnprocessableEntityError(APIStatusError):
    """422: the request is well formed, but cannot be processed."""


class RateLimitError(APIStatusError):
    """429: too many requests, or a limit of the plan."""


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


if not TYPE_CHECKING:
    __all__ = [name for name, value in globals().items() if isinstance(value, type) and issubclass(value, Exception)]
    for _name in __all__:
        # The public name in tracebacks and pickles.
        globals()[_name].__module__ = __name__.partition(".")[0]
