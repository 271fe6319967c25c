"""The contract, `openapi.yaml`: which operations there are, and whether a request or an answer fits it."""

import json
import threading
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any, Final, Self
from urllib.parse import urlsplit

import attrs
import yaml
from openapi_core import OpenAPI
from openapi_core.datatypes import RequestParameters
from openapi_core.exceptions import OpenAPIError
from openapi_core.templating.media_types.exceptions import MediaTypeNotFound
from openapi_core.validation.request.exceptions import MissingRequiredRequestBody, ParameterValidationError
from openapi_core.validation.schemas import oas31_schema_validators_factory
from openapi_core.validation.schemas.exceptions import InvalidSchemaValue

from scenario_uploads.sandbox.errors import ContractBreach, Refusal, SandboxError

_METHODS: Final = ("get", "put", "post", "delete", "patch")
_MAX_MESSAGE: Final = 200


@attrs.frozen
class Operation:
    """One operation of the contract."""

    id: str
    method: str
    """In lower case, as the contract has it."""
    path: str
    """Such as `/uploads/{uploadId}`, without the prefix of the server."""


@attrs.define(kw_only=True)
class _Message:
    """A request, or a request and its answer, in the form that openapi-core asks for."""

    host_url: str
    path: str
    path_pattern: str
    method: str
    parameters: RequestParameters
    content_type: str
    body: bytes | None = None
    status_code: int = 0
    headers: Mapping[str, Any] = attrs.field(factory=dict)
    data: bytes | None = None


@attrs.frozen
class _Schemas:
    """The schemas of one operation, ready to compare values with.

    openapi-core makes these anew for each message, which takes most of the time of a small upload. It is asked when
    something does not fit, or is not of the kind that is looked at here, and says what is wrong.
    """

    path: Mapping[str, Any]
    body: Any
    answers: Mapping[str, Any]

    @classmethod
    def of(cls, contract: Any, operation: Operation) -> Self:
        """Return the schemas of an operation of a contract, as openapi-core has it."""
        item = contract / "paths" / operation.path
        method = item / operation.method

        def ready(schema: Any) -> Any:
            return oas31_schema_validators_factory.create(contract, schema).validator

        def read_json(place: Any) -> Any:
            return ready(place / "content" / "application/json" / "schema")

        parameters = [each for place in (item, method) if "parameters" in place for each in place / "parameters"]
        return cls(
            {each["name"]: ready(each / "schema") for each in parameters if each["in"] == "path"},
            read_json(method / "requestBody") if "requestBody" in method else None,
            {status: read_json(answer) for status, answer in (method / "responses").items() if "content" in answer},
        )

    def accept_request(self, path: Mapping[str, str], query: Mapping[str, str], content_type: str, body: bytes) -> bool:
        """Return whether a request without a query certainly fits."""
        if query or path.keys() != self.path.keys() or (self.body is None) == bool(body):
            return False
        if not all(self.path[name].is_valid(value) for name, value in path.items()):
            return False
        return self.body is None or (content_type == "application/json" and _is_valid(self.body, body))

    def accept_answer(self, status: int, body: bytes) -> bool:
        """Return whether a JSON answer certainly fits."""
        schema = self.answers.get(str(status))
        return schema is not None and _is_valid(schema, body)


class Contract:
    """The contract and its validators, safe to use from any thread.

    Args:
        document: The decoded OpenAPI document.
    """

    def __init__(self, document: dict[str, Any]) -> None:
        self.document: Mapping[str, Any] = document
        self._openapi = OpenAPI.from_dict(document)
        # openapi-core fills its caches while it validates.
        self._lock = threading.Lock()
        self._server = document["servers"][0]["url"]
        self.prefix = urlsplit(self._server).path
        """The path before every operation's own, such as `/v1`."""
        self.operations = [
            Operation(item[method]["operationId"], method, path)
            for path, item in document["paths"].items()
            for method in _METHODS
            if method in item
        ]
        self._schemas = {each.id: _Schemas.of(self._openapi.spec, each) for each in self.operations}

    @classmethod
    def load(cls) -> Self:
        """Return the contract that belongs to this version of the package.

        Raises:
            SandboxError: When the contract is not where the package has it.
        """
        installed = resources.files("scenario_uploads.sandbox") / "openapi.yaml"
        checkout = Path(__file__).parents[4] / "openapi.yaml"
        for place in (installed, checkout):
            if place.is_file():
                return cls(yaml.safe_load(place.read_text(encoding="utf-8")))
        raise SandboxError("openapi.yaml, the contract of the sandbox, is missing from the installation")

    def check_request(
        self,
        operation: Operation,
        *,
        path_parameters: Mapping[str, str],
        query: Mapping[str, str],
        headers: Mapping[str, str],
        body: bytes,
    ) -> None:
        """Check that a request fits the contract.

        Raises:
            Refusal: With 400 and a reason that names the field.
        """
        if self._schemas[operation.id].accept_request(path_parameters, query, headers.get("content-type", ""), body):
            return
        message = self._message(operation, body=body or None, content_type=headers.get("content-type", ""))
        message.parameters = RequestParameters(path=dict(path_parameters), query=query, header=headers)
        try:
            with self._lock:
                self._openapi.validate_request(message)
        except OpenAPIError as error:
            raise Refusal(400, _describe(error)) from error

    def check_answer(self, operation: Operation, status: int, body: bytes) -> None:
        """Check that a JSON answer fits the contract.

        Raises:
            ContractBreach: When it does not, which is a bug of the sandbox.
        """
        if self._schemas[operation.id].accept_answer(status, body):
            return
        request = self._message(operation)
        answer = self._message(operation, status_code=status, data=body, content_type="application/json")
        try:
            with self._lock:
                self._openapi.validate_response(request, answer)
        except OpenAPIError as error:
            raise ContractBreach(f"{operation.id} answers {status}: {_describe(error)}") from error

    def _message(self, operation: Operation, *, content_type: str = "", **fields: Any) -> _Message:
        split = urlsplit(self._server)
        path = self.prefix + operation.path
        return _Message(
            host_url=f"{split.scheme}://{split.netloc}",
            path=path,
            path_pattern=path,
            method=operation.method,
            parameters=RequestParameters(),
            content_type=content_type,
            **fields,
        )


def _is_valid(schema: Any, body: bytes) -> bool:
    try:
        return bool(schema.is_valid(json.loads(body)))
    except (ValueError, RecursionError):
        return False


def _describe(error: OpenAPIError) -> str:
    cause = error.__cause__
    if isinstance(cause, InvalidSchemaValue):
        # A ValidationError of jsonschema, which has no types.
        problem: Any = next(iter(cause.schema_errors))
        field = ".".join(str(step) for step in problem.absolute_path) or "body"
        place = error.name if isinstance(error, ParameterValidationError) else field
        # The message quotes the value, which may be as large as the body.
        text = (
            problem.message
            if len(problem.message) <= _MAX_MESSAGE
            else f"breaks {problem.validator}: {problem.validator_value}"
        )
        return f"{place}: {text}"
    if isinstance(error, MissingRequiredRequestBody):
        return "A JSON body is required"
    if isinstance(cause, MediaTypeNotFound):
        return f"Content-Type must be {', '.join(cause.availableMimetypes)}"
    return str(error)
