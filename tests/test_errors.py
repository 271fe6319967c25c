"""What callers catch: the tree, what each error says, and that it travels without secrets."""

import copy
import pickle
import re
import subprocess
import sys
import traceback

import httpx
import pytest
import scenario_uploads
from hypothesis import given
from hypothesis import strategies as st
from scenario_uploads import errors
from scenario_uploads.api.responses import make_status_error
from scenario_uploads.errors import (
    APIConnectionError,
    APIError,
    APIResponseValidationError,
    APIStatusError,
    APITimeoutError,
    AuthenticationError,
    BadRequestError,
    ConflictError,
    CredentialsError,
    IntegrityError,
    InternalServerError,
    InvalidArgumentError,
    LedgerError,
    LedgerLockedError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    ScenarioError,
    SourceChangedError,
    SourceError,
    TransferError,
    UnprocessableEntityError,
    UploadError,
    UploadFailedError,
    UploadTimeoutError,
    UploadURLExpiredError,
)
from scenario_uploads.redaction import find_reason, find_trace_id

SECRET = "c2VjcmV0OnNlY3JldA"
PARENTS = {
    ScenarioError: Exception,
    InvalidArgumentError: ScenarioError,
    CredentialsError: InvalidArgumentError,
    SourceError: InvalidArgumentError,
    APIError: ScenarioError,
    APIConnectionError: APIError,
    APITimeoutError: APIConnectionError,
    APIStatusError: APIError,
    BadRequestError: APIStatusError,
    AuthenticationError: APIStatusError,
    PermissionDeniedError: APIStatusError,
    NotFoundError: APIStatusError,
    ConflictError: APIStatusError,
    UnprocessableEntityError: APIStatusError,
    RateLimitError: APIStatusError,
    InternalServerError: APIStatusError,
    APIResponseValidationError: APIError,
    UploadError: ScenarioError,
    UploadFailedError: UploadError,
    UploadTimeoutError: UploadError,
    LedgerError: UploadError,
    LedgerLockedError: UploadError,
    TransferError: UploadError,
    UploadURLExpiredError: TransferError,
    IntegrityError: TransferError,
    SourceChangedError: TransferError,
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["reason", "message", "error", "detail", "msg", "x"]), inner, max_size=4)
    ),
    max_leaves=20,
)


def make_response(status: int = 404, body: object = None, *, text: str | None = None) -> httpx.Response:
    request = httpx.Request(
        "POST",
        "https://api.example.com/v1/uploads",
        headers={"Authorization": f"Basic {SECRET}", "X-Team-Key": SECRET},
        json={"fileName": "a.png"},
    )
    if text is not None:
        return httpx.Response(status, text=text, request=request)
    return httpx.Response(status, json=body, request=request)


def make_error(cls: type[ScenarioError]) -> ScenarioError:
    """An error of this class with all that it can carry."""
    response = make_response(body={"reason": "no such upload", "traceId": "trace_1"})
    keywords: dict[str, object] = {"upload_id": "upload_1"}
    if issubclass(cls, APIStatusError):
        keywords |= {"response": response, "body": response.json()}
    elif issubclass(cls, APIResponseValidationError):
        keywords |= {"response": response}
    elif issubclass(cls, APIError):
        keywords |= {"request": response.request}
    elif cls is UploadFailedError:
        keywords |= {"reason": "not a GLB"}
    elif cls is UploadTimeoutError:
        keywords |= {"status": "validating"}
    return cls("It went wrong", **keywords)  # type: ignore[arg-type]


def test_the_tree_is_the_documented_one() -> None:
    """Each class of the module is exported, and derives from the parent that the documentation draws."""
    assert {cls.__name__ for cls in PARENTS} == set(errors.__all__)
    for cls, parent in PARENTS.items():
        assert cls.__bases__[0] is parent


def test_an_argument_that_cannot_be_used_is_a_value_error_as_everywhere_in_python() -> None:
    assert issubclass(InvalidArgumentError, ValueError)
    assert issubclass(SourceError, ValueError)


@pytest.mark.parametrize("cls", PARENTS)
def test_every_error_pickles_with_what_it_carries(cls: type[ScenarioError]) -> None:
    error = make_error(cls)
    data = pickle.dumps(error)
    check_twin(error, pickle.loads(data))
    assert SECRET.encode() not in data


@pytest.mark.parametrize("cls", PARENTS)
def test_every_error_copies_with_what_it_carries(cls: type[ScenarioError]) -> None:
    error = make_error(cls)
    check_twin(error, copy.copy(error))
    check_twin(error, copy.deepcopy(error))


def check_twin(error: ScenarioError, twin: ScenarioError) -> None:
    assert type(error) is type(twin)
    assert str(error) == str(twin) == twin.message == "It went wrong"
    assert repr(error) == repr(twin)
    assert error.args == twin.args
    assert twin.upload_id == "upload_1"
    for name in ("status_code", "body", "reason", "trace_id", "retry_after", "status", "upload"):
        assert getattr(error, name, None) == getattr(twin, name, None)
    if isinstance(error, APIError) and isinstance(twin, APIError):
        assert error.request is not None
        assert twin.request is not None
        assert (error.request.method, error.request.url) == (twin.request.method, twin.request.url)
        assert "authorization" in error.request.headers
        assert SECRET not in str(twin.request.headers.multi_items())
    if isinstance(error, APIStatusError | APIResponseValidationError):
        assert isinstance(twin, APIStatusError | APIResponseValidationError)
        assert error.response.json() == twin.response.json()
        assert error.response.status_code == twin.response.status_code
        assert SECRET not in str(twin.response.request.headers.multi_items())
        # The one that was raised keeps what it had.
        assert error.response.request.headers["authorization"] == f"Basic {SECRET}"


def test_an_error_without_a_request_pickles_too() -> None:
    assert pickle.loads(pickle.dumps(APIConnectionError("It went wrong"))).request is None


def test_an_error_keeps_its_notes_on_its_way() -> None:
    error = TransferError("It went wrong")
    error.add_note("on the third try")
    assert pickle.loads(pickle.dumps(error)).__notes__ == ["on the third try"]


def test_an_error_pickles_into_a_new_process() -> None:
    """As from a worker of an executor, whose parent may have imported nothing of this package yet."""
    error = make_status_error(make_response(429, {}), {"reason": "slow down"}, operation="create_upload")
    program = "import pickle, sys; e = pickle.load(sys.stdin.buffer); print(type(e).__name__, e.reason, e.response)"
    result = subprocess.run(
        [sys.executable, "-c", program], input=pickle.dumps(error), capture_output=True, check=True
    ).stdout.decode()
    assert result.strip() == "RateLimitError slow down <Response [429 Too Many Requests]>"


@pytest.mark.parametrize("cls", PARENTS)
def test_no_error_shows_a_credential(cls: type[ScenarioError]) -> None:
    error = make_error(cls)
    shown = [str(error), repr(error), *traceback.format_exception(error)]
    shown += [repr(value) for value in vars(error).values()]
    assert SECRET not in "".join(shown)


@pytest.mark.parametrize(
    ("status", "cls"),
    [
        (400, BadRequestError),
        (401, AuthenticationError),
        (403, PermissionDeniedError),
        (404, NotFoundError),
        (409, ConflictError),
        (422, UnprocessableEntityError),
        (429, RateLimitError),
        (500, InternalServerError),
        (502, InternalServerError),
        (520, InternalServerError),
        (599, InternalServerError),
        (307, APIStatusError),
        (402, APIStatusError),
        (408, APIStatusError),
        (499, APIStatusError),
    ],
)
def test_each_status_has_its_class(status: int, cls: type[APIStatusError]) -> None:
    error = make_status_error(make_response(status, {}), {}, operation="retrieve_upload")
    assert type(error) is cls
    assert error.status_code == status == error.response.status_code
    assert str(status) in str(error)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"reason": "No"}, "No"),
        ({"message": "No"}, "No"),
        ({"error": "No"}, "No"),
        ({"detail": "No"}, "No"),
        ({"reason": "No", "message": "Other", "error": "Other"}, "No"),
        ({"reason": None, "message": "", "error": "  ", "detail": "No"}, "No"),
        ({"reason": 5, "error": {}, "message": [], "detail": "No"}, "No"),
        ({"error": {"message": "No"}}, "No"),
        ({"error": {"code": 7, "error": {"detail": "No"}}}, "No"),
        ({"error": {"code": 7}, "detail": "No"}, "No"),
        ({"detail": ["No", "Never"]}, "No; Never"),
        ({"detail": [{"loc": ["body", "kind"], "msg": "field required"}, {"loc": []}]}, "field required"),
        ({"detail": [None, {}, [], 3]}, None),
        ({"message": [{"reason": "No"}, ["Never"]]}, "No; Never"),
        ([{"reason": "No"}], "No"),
        ({"reason": "two\nlines\x07"}, "two lines"),
        ({"Reason": "No"}, None),
        ({}, None),
        ([], None),
        (None, None),
        ("No", None),
        (3, None),
    ],
)
def test_the_reason_is_found_under_whichever_key_it_came(body: object, expected: str | None) -> None:
    assert find_reason(body) == expected
    error = make_status_error(make_response(400, body), body, operation="create_upload")
    assert error.reason == expected
    if expected:
        assert str(error) == f"create_upload was answered with status 400: {expected}"


def test_a_text_that_is_no_json_is_shown_in_short() -> None:
    page = f"<html>\n<h1>Bad gateway</h1> see https://a.b/c?X-Amz-Signature={SECRET} {'x' * 10_000}"
    error = make_status_error(make_response(502, text=page), page, operation="create_upload")
    assert "<h1>Bad gateway</h1> see https://a.b/c?… xxx" in str(error)
    assert len(str(error)) < 300
    assert error.reason is None
    assert error.body == page


@pytest.mark.parametrize("body", [{}, [], None, "", " \n", {"reason": None}])
def test_an_answer_without_a_reason_says_so(body: object) -> None:
    error = make_status_error(make_response(500, body), body, operation="create_upload")
    assert str(error) == "create_upload was answered with status 500: no reason given"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"traceId": "1-67"}, "1-67"),
        ({"trace_id": "1-67"}, "1-67"),
        ({"traceId": None, "trace_id": "1-67"}, "1-67"),
        ({"traceId": " ", "trace_id": ""}, None),
        ({"traceId": ["1-67"]}, None),
        ([], None),
        ("", None),
    ],
)
def test_the_trace_id_is_found_and_shown(body: object, expected: str | None) -> None:
    assert find_trace_id(body) == expected
    error = make_status_error(make_response(500, body), body, operation="create_upload")
    assert error.trace_id == expected
    assert str(error).endswith("(trace id 1-67)" if expected else "no reason given")


def test_a_reason_that_repeats_secrets_is_shown_without_them() -> None:
    body = {"reason": f"bad header Basic {SECRET}", "traceId": f"https://a.b/?X-Amz-Signature={SECRET}"}
    error = make_status_error(make_response(401, body), body, operation="create_upload")
    assert SECRET not in f"{error} {error!r} {error.reason} {error.trace_id}"


@given(JSON)
def test_no_body_is_too_odd(body: object) -> None:
    """Whatever the service answers with becomes an error with one short line."""
    error = make_status_error(make_response(500, None), body, operation="create_upload")
    assert re.fullmatch(r"create_upload was answered with status 500: [^\n\r]{1,520}", str(error))


@pytest.mark.parametrize("wrap", [lambda body: {"error": body}, lambda body: {"error": [body]}])
def test_a_body_nested_deeper_than_python_recurses_is_survived(wrap: object) -> None:
    body: object = "No"
    for _ in range(sys.getrecursionlimit() * 3):
        body = wrap(body)  # type: ignore[operator]
    assert find_reason(body) is None


def test_every_error_is_importable_from_the_package() -> None:
    for name in errors.__all__:
        assert getattr(scenario_uploads, name) is getattr(errors, name)
