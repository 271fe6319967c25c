"""Run the client of some contract below the layer that users import: what does it send, what does it make of answers?

    PYTHONPATH=<folder of the generated client>:overrides python -P driver.py < plan.json > results.json

A program of its own, since the generated package has the same name for every contract. It knows no contract: which
operation is meant is said by method and path, arguments by where they go in the request, and a field by its path.
Nothing is sent: requests and answers are handed over where the layer would use a connection.
"""

from __future__ import annotations

import ast
import builtins
import importlib
import importlib.util
import inspect
import json
import logging
import re
import sys
import typing
from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any
from uuid import UUID

import attrs
import httpx

PACKAGE = "scenario_uploads_client"
REQUEST = re.compile(r'"method": "(\w+)",\s+"url": "([^"]*)"')
IMPORT = re.compile(rf"^ *from ({PACKAGE}[\w.]*|scenario_uploads\.models) import (?:\(([^)]*)\)|(.+))$", re.MULTILINE)
SHOWN = 60


def list_names(text: str) -> list[str]:
    """Return the names that an import brings, as they are called where they come from."""
    names = (part.split() for part in re.sub(r"#.*", "", text).split(","))
    return [words[0] for words in names if words and words[0] != "*"]


def stand_in(module_name: str, names: Iterable[str]) -> None:
    """Let a module of the generated client have `names`, whatever its contract."""
    try:
        module: Any = importlib.import_module(module_name)
    except ModuleNotFoundError:
        module = sys.modules[module_name] = ModuleType(module_name)
    for name in names:
        if not hasattr(module, name):
            try:
                importlib.import_module(f"{module_name}.{name}")
            except ModuleNotFoundError:
                setattr(module, name, type(name, (), {"__doc__": "Not in this contract."}))
                # What a star brings is what this names.
                module.__all__ = (*getattr(module, "__all__", ()), name)


def load_layer() -> Any:
    """Return the module that calls the API.

    The layer names the operations and models of the present contract. What another contract lacks gets a stand-in,
    which nothing here uses: the operations that are called come from the plan.
    """
    spec = importlib.util.find_spec("scenario_uploads")
    for folder in () if spec is None else spec.submodule_search_locations or ():
        for room in sorted(Path(folder).rglob("*.py")):
            for module, several, single in IMPORT.findall(room.read_text(encoding="utf-8")):
                name = (
                    f"{PACKAGE}.models" if module.endswith("scenario_uploads.models") or module == ".models" else module
                )
                stand_in(name, list_names(several or single))
    return importlib.import_module("scenario_uploads.api.exchange")


HTTP = load_layer()
ANSWERS: Any = importlib.import_module("scenario_uploads.api.responses")
CODEC: Any = importlib.import_module("scenario_uploads.decoding.codec")
DECODERS: Any = importlib.import_module("scenario_uploads.decoding.decoders")
ERRORS: Any = importlib.import_module("scenario_uploads.errors")
OPERATIONS: Any = importlib.import_module("scenario_uploads.api.operations")
OPTIONS: Any = importlib.import_module("scenario_uploads.settings.client")
RETRY: Any = importlib.import_module("scenario_uploads.retry")
SHAPES: Any = importlib.import_module("scenario_uploads.decoding.fields")
is_known: Any = importlib.import_module("scenario_uploads.decoding.enums").is_known
importlib.import_module("scenario_uploads.models")


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
    get_request = module._get_kwargs  # noqa: SLF001 - see above
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
    function = ast.parse(inspect.getsource(module._parse_response)).body[0]  # noqa: SLF001 - it says more than types do
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
    model.__module__ = f"{PACKAGE}.models.answer"
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


def make_api(scheme: str) -> Any:
    """Return the settings of a client as somebody has who gives nothing but credentials."""
    given: dict[str, Any] = dict.fromkeys(
        ("api_key", "api_secret", "bearer_auth", "base_url", "timeout", "default_headers", "default_query")
    )
    given |= {"bearer_auth": "token"} if scheme == "bearer" else {"api_key": "key", "api_secret": "secret"}
    options = OPTIONS.resolve_options(**given, max_retries=0, strict_responses=False, environ={})
    return HTTP.Api(options)


APIS = {scheme: make_api(scheme) for scheme in ("basic", "bearer")}


def build(endpoint: Endpoint, plan: Mapping[str, Any], problems: list[str]) -> dict[str, Any]:
    """Return the generated client's keyword arguments for a request, built as the layer builds them."""

    def report(path: str, problem: str) -> None:
        problems.append(f"{path} {problem}")

    given: dict[str, Any] = {}
    for part, name, value in plan.get("parameters", ()):
        argument = endpoint.names.get((part, name))
        if argument is None:
            problems.append(f"{name} is no argument")
        elif value is None:
            given[argument] = None
        else:
            decode = DECODERS.find_decoder(endpoint.hints[argument], CODEC.build_arguments, new_values=False)
            given[argument] = decode(value, argument, report)
    if "body" in plan:
        hint = endpoint.hints.get("body")
        if hint is None:
            problems.append("body is no argument")
        else:
            given["body"] = DECODERS.find_item_decoder(hint, CODEC.build_arguments, new_values=False)(
                plan["body"], "body", report
            )
    for name, parameter in inspect.signature(endpoint.get_request).parameters.items():
        if parameter.default is inspect.Parameter.empty and name not in given:
            problems.append(f"{name} is missing")
    return given


def carry_out(operation: Mapping[str, Any], plan: Mapping[str, Any]) -> dict[str, Any]:
    """Make a call up to where it would be sent, and give it an answer if the plan has one; return what came of it.

    `refused` says that the client does not send this, `failed` that it could not be tried.
    """
    problems: list[str] = []
    try:
        endpoint = find_endpoint(operation["method"], operation["path"])
        if endpoint is None:
            return {"failed": "the generated client does not have the operation"}
        request = endpoint.get_request(**build(endpoint, plan, problems))
        model, wrapped = (None, False) if plan.get("status") is None else find_model(endpoint.module, plan["status"])
        if problems:
            return {"refused": "; ".join(problems)}
        call = OPERATIONS.Operation(operation["name"], model, request, RETRY.Repeat.NEVER)
        steps = HTTP.call(APIS[plan.get("scheme", "basic")], call, retries=0)
        sent = next(steps).request
    except ERRORS.ScenarioError as error:
        return {"refused": str(error)}
    except Exception as error:  # noqa: BLE001 - whatever it is, it is told with what was tried
        return {"refused": "; ".join(problems)} if problems else {"failed": f"{type(error).__name__}: {error}"}
    result: dict[str, Any] = {"sent": describe_request(sent)}
    answer = plan.get("answer")
    if answer is None:
        steps.close()
        return result
    if model is None and 200 <= answer["status"] < 300:
        steps.close()
        return result | {"unread": True}
    return result | receive(steps, sent, answer, wrapped=wrapped)


def receive(steps: Any, sent: httpx.Request, answer: Mapping[str, Any], *, wrapped: bool) -> dict[str, Any]:
    """Give a call its answer; return how it reads, what is raised, and what is warned of."""
    result: dict[str, Any] = {}
    wrapped = wrapped and answer["json"] and 200 <= answer["status"] < 300
    content = f'{{"value": {answer["content"]}}}' if wrapped else answer["content"]
    WARNINGS.found = []
    try:
        steps.send(ANSWERS.Answer(answer["status"], httpx.Headers(answer["headers"]), content.encode(), sent, 0.0))
    except StopIteration as done:
        result["reading"] = describe_reading(done.value, (["value"] if wrapped else []) + answer["look"])
    except ERRORS.ScenarioError as error:
        shown = ("reason", "trace_id", "retry_after")
        result["raised"] = {"type": type(error).__name__, "known": True, "text": str(error)}
        result["raised"] |= {name: getattr(error, name) for name in shown if hasattr(error, name)}
    except Exception as error:  # noqa: BLE001 - a crash is what is looked for
        result["raised"] = {"type": type(error).__name__, "known": False, "text": str(error)}
    result["problems"] = WARNINGS.found
    return result


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
            names = {key: attribute for attribute, key in SHAPES.json_names(type(value)).items()}
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
