"""Run the client of some contract below the runtime: what does it send, and what does it make of answers?

    PYTHONPATH=<folder of the generated client>:overrides python driver.py < plan.json > results.json

A program of its own, since the generated package has the same name for every contract. It knows no contract: which
operation is meant is said by method and path, arguments by where they go in the request, and a field by its path.
Nothing is sent over a network.
"""

from __future__ import annotations

import ast
import builtins
import importlib
import inspect
import json
import logging
import re
import sys
import typing
from collections.abc import Iterator, Mapping
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

import attrs
import httpx
import stand_ins

# isort: split
from scenario_uploads import Scenario, ScenarioError, is_known
from scenario_uploads.api.exchange import Operation, fetch
from scenario_uploads.decoding.codec import Problems, find_decoder, find_json_names
from scenario_uploads.retry import Repeat

PACKAGE = stand_ins.PACKAGE
REQUEST = re.compile(r'"method": "(\w+)",\s+"url": "([^"]*)"')
SHOWN = 60


class Mark:
    """Stands in for an argument of any type, to see where in the request it comes out."""

    def __init__(self, name: str) -> None:
        self.name = name

    @property
    def value(self) -> Mark:
        """What the generated code takes of an enum."""
        return self

    def to_dict(self) -> Mark:
        """What the generated code takes of a model, and of a date."""
        return self

    isoformat = to_multipart = to_dict

    def __iter__(self) -> Iterator[Mark]:
        yield self

    def __str__(self) -> str:
        return f"\0{self.name}\0"


@attrs.frozen
class Endpoint:
    """What the generated client has for one operation."""

    module: Any
    get_request: Any
    """The generator's own seam between building a request and sending it."""
    hints: Mapping[str, Any]
    names: Mapping[tuple[str, str], str]
    """The argument for each parameter, by where it goes and what it is called there."""


def find_modules() -> dict[tuple[str, str], str]:
    """Return the name of the module of each operation, by its method and its path without names."""
    package = importlib.import_module(PACKAGE)
    root = Path(str(package.__file__)).parent
    found: dict[tuple[str, str], str] = {}
    for path in sorted((root / "api").rglob("*.py")):
        request = REQUEST.search(path.read_text(encoding="utf-8"))
        if request is not None:
            steps = path.relative_to(root).with_suffix("").parts
            found[request[1], re.sub(r"\{[^{}]*\}", "{}", request[2])] = ".".join((PACKAGE, *steps))
    return found


MODULES = find_modules()


def find_names(get_request: Any, hints: Mapping[str, Any], path: str) -> dict[tuple[str, str], str]:
    """Return which argument of an operation goes where, seen from what becomes of marks."""
    arguments = [name for name in inspect.signature(get_request).parameters if name != "body"]
    rest = {"body": Mark("body")} if "body" in hints else {}
    request = get_request(**{name: Mark(name) for name in arguments}, **rest)
    names: dict[tuple[str, str], str] = {}
    for part, key in (("query", "params"), ("header", "headers"), ("cookie", "cookies")):
        for name, value in request.get(key, {}).items():
            text = unwrap(value)
            if text[:1] == "\0" and text.strip("\0") in arguments:
                names[part, name.lower() if part == "header" else name] = text.strip("\0")
            elif part == "header" and (match := find_alike(name, arguments)):
                names[part, name.lower()] = match
    pattern = re.sub(r"\\\{[^{}]*\\\}", "(.+?)", re.escape(path))
    marks = re.fullmatch(pattern, request["url"].replace("%00", "\0"))
    for index, mark in enumerate(marks.groups() if marks else ()):
        names["path", str(index)] = mark.strip("\0")
    return names


def unwrap(value: Any) -> str:
    """Return a mark as a text; a list of marks, or of lists, is shown as such around its one item."""
    while isinstance(value, list) and value:
        value = value[0]
    return str(value)


def find_alike(name: str, arguments: list[str]) -> str | None:
    """Return the argument that is called as a header, but for its spelling."""
    plain = re.sub(r"[\W_]", "", name.lower())
    return next((argument for argument in arguments if re.sub(r"[\W_]", "", argument.lower()) == plain), None)


@cache
def find_endpoint(method: str, path: str) -> Endpoint | None:
    """Return what the generated client has for an operation, or None when it has nothing."""
    name = MODULES.get((method, re.sub(r"\{[^{}]*\}", "{}", path)))
    if name is None:
        return None
    module: Any = importlib.import_module(name)
    get_request = module._get_kwargs
    hints = typing.get_type_hints(get_request)
    return Endpoint(module, get_request, hints, find_names(get_request, hints, path))


# What an answer is read as


def matches_status(test: ast.expr, status: str) -> bool:
    """Return whether a condition of the generated code asks for a status, or for a range as `2XX`."""
    numbers = [node.value for node in ast.walk(test) if isinstance(node, ast.Constant)]
    wanted = [int(status[0]) * 100, int(status[0]) * 100 + 99] if status.upper().endswith("XX") else [int(status)]
    return numbers == wanted and "status_code" in ast.unparse(test)


def find_answer_type(module: Any, status: str) -> Any:
    """Return the type of what the generated client makes of the answer with a status, or None when it reads no body."""
    function = ast.parse(inspect.getsource(module._parse_response)).body[0]
    for statement in ast.iter_child_nodes(function):
        if isinstance(statement, ast.If) and matches_status(statement.test, status):
            return read_type(statement.body, vars(module))
    return None


def read_type(statements: list[ast.stmt], names: Mapping[str, Any]) -> Any:
    """Return the type that generated statements make of a JSON value."""
    for statement in statements:
        if isinstance(statement, ast.FunctionDef) and statement.returns is not None:
            return evaluate(statement.returns, names)
        if isinstance(statement, ast.For):
            return list.__class_getitem__(read_type(statement.body, names) or Any)
        if isinstance(statement, ast.If):
            # An optional value is read only when it is there.
            found = read_type(statement.body, names) or read_type(statement.orelse, names)
            if found is not None:
                return found
        # What begins with an underscore is a list before its items are read.
        if isinstance(statement, ast.Assign) and not ast.unparse(statement.targets[0]).startswith("_"):
            found = read_call(statement.value, names) if isinstance(statement.value, ast.Call) else None
            if found is not None:
                return found
    return None


def read_call(call: ast.Call, names: Mapping[str, Any]) -> Any:
    """Return the type that a generated call makes of a JSON value, or None when it makes none."""
    called = ast.unparse(call.func)
    if called == "cast":
        return evaluate(call.args[0], names)
    if called == "response.json":
        return Any
    if isinstance(call.func, ast.Attribute) and call.func.attr in ("from_dict", "fromisoformat"):
        return evaluate(call.func.value, names)
    kind = names.get(called)
    return kind if isinstance(kind, type) and issubclass(kind, Enum | UUID) else None


def evaluate(expression: ast.expr, names: Mapping[str, Any]) -> Any:
    """Return the type that an annotation of the generated code names, without running it as code.

    Raises:
        TypeError: When it is written in a way that annotations are not.
    """
    match expression:
        case ast.Name(id=name):
            return names[name] if name in names else vars(builtins)[name]
        case ast.Constant(value=value):
            return value
        case ast.Attribute(value=holder, attr=attribute):
            return getattr(evaluate(holder, names), attribute)
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return evaluate(left, names) | evaluate(right, names)
        case ast.Subscript(value=generic, slice=inner):
            return evaluate(generic, names)[evaluate(inner, names)]
        case ast.Tuple(elts=elements):
            return tuple(evaluate(element, names) for element in elements)
        case _:
            raise TypeError(f"no annotation: {ast.unparse(expression)}")


@cache
def find_model(module: Any, status: str) -> tuple[Any, bool]:
    """Return the model for the answers of an operation, and whether it was made here around what is no object."""
    kind = find_answer_type(module, status)
    if kind is None or (isinstance(kind, type) and attrs.has(kind)):
        return kind, False
    # The layer reads objects; of other values it knows how to read them as a field of one.

    def show(self: Any) -> dict[str, Any]:
        return {"value": self.value}

    model = attrs.make_class("Answer", {"value": attrs.field(type=kind)})
    model.to_dict = show  # type: ignore[attr-defined]
    show.__module__ = f"{PACKAGE}.models"
    return model, True


# Calls


class Warnings(logging.Handler):
    """Keeps what the layer warns of."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.found: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep what a warning says, problem by problem."""
        arguments = record.args if isinstance(record.args, tuple) else ()
        self.found += str(arguments[-1] if arguments else record.getMessage()).split("; ")


WARNINGS = Warnings()


class Wire:
    """Stands for the network: keeps what is sent and answers as it is told."""

    def __init__(self) -> None:
        self.sent: httpx.Request | None = None
        self.answer: Mapping[str, Any] = {}

    def handle(self, request: httpx.Request) -> httpx.Response:
        """Answer a request."""
        self.sent = request
        content = self.answer.get("content", "{}").encode()
        headers = {"content-type": "application/json", **self.answer.get("headers", {})}
        return httpx.Response(self.answer.get("status", 200), headers=headers, content=content)


WIRE = Wire()
CREDENTIALS: Mapping[str, dict[str, str]] = {
    "basic": {"api_key": "key", "api_secret": "secret"},
    "bearer": {"bearer_auth": "token"},
}
CLIENTS = {
    scheme: Scenario(http_client=httpx.Client(transport=httpx.MockTransport(WIRE.handle)), max_retries=0, **given)
    for scheme, given in CREDENTIALS.items()
}


def build(endpoint: Endpoint, plan: Mapping[str, Any], problems: list[str]) -> dict[str, Any]:
    """Return the generated client's keyword arguments for a request, built as the layer builds them."""
    found = Problems(given=True)
    given: dict[str, Any] = {}
    for part, name, value in plan.get("parameters", ()):
        argument = endpoint.names.get((part, name))
        if argument is None:
            problems.append(f"{name} is no argument")
        elif value is None:
            given[argument] = None
        else:
            given[argument] = find_decoder(endpoint.hints[argument])(value, argument, found)
    if "body" in plan:
        hint = endpoint.hints.get("body")
        if hint is None:
            problems.append("body is no argument")
        else:
            given["body"] = find_decoder(hint, item=True)(plan["body"], "body", found)
    problems += found.shown
    for name, parameter in inspect.signature(endpoint.get_request).parameters.items():
        if parameter.default is inspect.Parameter.empty and name not in given:
            problems.append(f"{name} is missing")
    return given


def carry_out(operation: Mapping[str, Any], plan: Mapping[str, Any]) -> dict[str, Any]:
    """Make a call, answer it if the plan says how, and return what came of it.

    `refused` says that the client does not send this, `failed` that it could not be tried.
    """
    problems: list[str] = []
    WARNINGS.found, WIRE.sent, WIRE.answer = [], None, plan.get("answer", {})
    try:
        endpoint = find_endpoint(operation["method"], operation["path"])
        if endpoint is None:
            return {"failed": "the generated client does not have the operation"}
        request = endpoint.get_request(**build(endpoint, plan, problems))
        model, wrapped = (None, False) if plan.get("status") is None else find_model(endpoint.module, plan["status"])
    except Exception as error:  # noqa: BLE001 - whatever it is, it is told with what was tried
        return {"refused": "; ".join(problems)} if problems else {"failed": f"{type(error).__name__}: {error}"}
    if problems:
        return {"refused": "; ".join(problems)}
    if wrapped and WIRE.answer.get("json") and 200 <= WIRE.answer["status"] < 300:
        WIRE.answer = {**WIRE.answer, "content": f'{{"value": {WIRE.answer["content"]}}}'}
    uploads = CLIENTS[plan.get("scheme", "basic")].uploads
    call = Operation(operation["name"], model or dict, request, Repeat.NEVER)
    result: dict[str, Any] = {}
    try:
        value = uploads._runner.run(fetch(uploads._api, call, retries=0)).value
        result["reading"] = describe_reading(value, (["value"] if wrapped else []) + WIRE.answer.get("look", []))
    except Exception as error:  # noqa: BLE001 - a crash is what is looked for
        result["raised"] = {"type": type(error).__name__, "known": isinstance(error, ScenarioError), "text": str(error)}
    if WIRE.sent is None:
        return {"refused": result["raised"]["text"]}
    if model is None and 200 <= WIRE.answer.get("status", 200) < 300:
        result = {"unread": True}
    return {"sent": describe_request(WIRE.sent), "problems": WARNINGS.found, **result}


def describe_request(request: httpx.Request) -> dict[str, Any]:
    """Return what goes over the wire, as plain values."""
    return {
        "method": request.method.lower(),
        "url": str(request.url.copy_with(query=None)),
        "path": request.url.raw_path.decode("ascii").partition("?")[0],
        "query": request.url.params.multi_items(),
        "headers": {name.lower(): value for name, value in request.headers.items()},
        "content": request.content.decode("utf-8", "replace"),
    }


def describe_reading(value: Any, path: list[Any]) -> dict[str, str]:
    """Return how the value at a path reads to a user: its kind, and how it is shown."""
    extra = False
    for step in path:
        extra = False
        if attrs.has(type(value)):
            names = {key: attribute for attribute, key in find_json_names(type(value)).items()}
            extra = step not in names
            if extra:
                kept = getattr(value, "additional_properties", {})
                if step not in kept:
                    return {"kind": "absent", "text": ""}
                value = kept[step]
            else:
                value = getattr(value, names[step])
        else:
            try:
                value = value[step]
            except (LookupError, TypeError):
                return {"kind": "absent", "text": ""}
    if value is None:
        return {"kind": "none", "text": "None"}
    if extra:
        return {"kind": "extra", "text": shorten(repr(value))}
    if isinstance(value, Enum):
        return {"kind": "known" if is_known(value) else "unknown", "text": shorten(repr(value.value))}
    if attrs.has(type(value)):
        return {"kind": "model", "text": type(value).__name__}
    shown = {"dict": "an object", "list": "a list"}.get(type(value).__name__)
    return {"kind": type(value).__name__, "text": shown or shorten(repr(value))}


def shorten(text: str) -> str:
    """Return the start of a text."""
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"


def main() -> None:
    """Read the plan, carry it out, and write what came of it."""
    logger = logging.getLogger("scenario_uploads")
    logger.addHandler(WARNINGS)
    logger.propagate = False
    plan = json.load(sys.stdin)
    json.dump([carry_out(plan["operations"][call["operation"]], call) for call in plan["calls"]], sys.stdout)


if __name__ == "__main__":
    main()
