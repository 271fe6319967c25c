"""Run old clients against new contracts: what becomes of each change of `cases.py`, in one of the four words.

The old half of all cases is one contract, of which one client is generated. Of a pool of values those go into requests
that the old contract allows, and those into answers that the new one allows. What the client sends is held against the
new contract by validators of somebody else's; of what it makes of an answer it counts what it warns of or raises.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.parse
import warnings
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import attrs
from jsonschema_path import SchemaPath
from openapi_core import V31RequestUnmarshaller
from openapi_core.testing import MockRequest
from openapi_schema_validator import OAS31Validator, oas31_format_checker

from tests.spec_diff.cases import OPERATION_CASES, SCHEMA_CASES
from tests.spec_diff.support import generate
from tests.spec_diff.test_pairs import make_contract
from tools.project import ROOT
from tools.spec_diff.policy import WORDS

DRIVER = Path(__file__).with_name("driver.py")
# The generator warns of one of their two contracts, so that no client is made from it.
LEFT_OUT = ("items added", "media type of a body", "schema of a body")

TEXTS = ["", "a", "aa", "ab", "aaaa", "aaaaa", "b", "c", "text", "2025-06-30", "2025-06-30T15:15:27.153Z"]
NUMBERS = [0, 1, 2, 4, 5, 6, 9.5, 10, 11, 12, -1, 0.25, 2**40]
ARRAYS = [[], ["text"], ["text", "text"], ["a", "b"], ["a", "b", "c", "d"], ["a", "b", "c", "d", "e", "f"], [1]]
PARTS = ["text", "a", "b", 1, None, ["text"], {"meow": "text"}, {"bark": "text"}, {"name": "text"}, {}]
OBJECTS = [
    {},
    *({"a": part} for part in PARTS),
    *({name: part} for name in "bpx" for part in ("text", 1, None)),
    *({"a": "text", "b": part} for part in ("text", 1, None)),
    *({"a": [{"b": part}]} for part in (["text"], [1])),
    *({"meow": "text"}, {"meow": "text", "b": "text"}, {"meow": "text", "b": 1}, {"bark": "text"}),
    *({"size": "text"}, {"size": 1}, {"left": {"size": "text"}}, {"left": {"size": 1}}, {"next": {"name": "text"}}),
    *({"somethingNew": "text"}, {"somethingNew": 1}, {"a": "text", "somethingNew": 1}),
    *({f"k{index}": "text" for index in range(count)} for count in (2, 4, 6)),
]
POOL: Sequence[Any] = [None, True, *TEXTS, *NUMBERS, *ARRAYS, *OBJECTS]


@attrs.frozen
class Halves:
    """The old and the new half of all cases."""

    old: Mapping[str, Any]
    new: Mapping[str, Any]


@cache
def read_halves(*, back: bool) -> Halves:
    """Return the halves of all cases of which clients can be made."""
    documents = [make_contract(side) for side in ((1, 0) if back else (0, 1))]
    for document in documents:
        for kind, cases in (("schema", SCHEMA_CASES), ("operation", OPERATION_CASES)):
            for index, case in enumerate(cases):
                if case.name in LEFT_OUT:
                    del document["paths"][f"/{kind}-{index}"]
    return Halves(*documents)


@cache
def make_validator(*, back: bool, new: bool, place: str) -> Any:
    """Return a validator for a schema of one half."""
    halves = read_halves(back=back)
    root = {**(halves.new if new else halves.old), "$ref": f"#{urllib.parse.quote(place, safe='/~')}"}
    return OAS31Validator(root, format_checker=oas31_format_checker)


def list_names(document: Mapping[str, Any], schema: Any) -> dict[str, Any]:
    """Return the properties that a schema lists."""
    if "$ref" in schema:
        return list_names(document, document["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
    found = dict(schema.get("properties", {}))
    for member in [*schema.get("allOf", ()), *schema.get("anyOf", ()), *schema.get("oneOf", ())]:
        found |= list_names(document, member)
    return found


@attrs.define
class Plan:
    """Calls of the old client, and what judges each."""

    back: bool
    operations: list[dict[str, str]] = attrs.field(factory=list)
    calls: list[dict[str, Any]] = attrs.field(factory=list)
    owners: list[tuple[str, Any]] = attrs.field(factory=list)

    def add(self, name: str, method: str, path: str, judge: Any, **call: Any) -> None:
        """Plan a call for an operation."""
        operation = {"name": name, "method": method, "path": path}
        if operation not in self.operations:
            self.operations.append(operation)
        self.calls.append({"operation": self.operations.index(operation), **call})
        self.owners.append((name, judge))

    def carry_out(self) -> dict[str, str]:
        """Let the old client make all calls; return the worst word of each operation."""
        client = generate(read_halves(back=self.back).old)
        done = subprocess.run(
            [sys.executable, str(DRIVER)],
            input=json.dumps({"operations": self.operations, "calls": self.calls}).encode(),
            env={**os.environ, "PYTHONPATH": os.pathsep.join((str(client), str(ROOT / "overrides")))},
            stdout=subprocess.PIPE,
            check=True,
        )
        words: dict[str, str] = {}
        for (name, judge), result in zip(self.owners, json.loads(done.stdout), strict=True):
            assert "failed" not in result, (name, result)
            words[name] = max(words.get(name, WORDS[0]), judge(result), key=WORDS.index)
        return words


def answer(status: int, value: Any, look: Sequence[Any] = (), kind: str = "application/json") -> dict[str, Any]:
    """Return an answer as the driver wants it."""
    headers = {"content-type": kind} if kind else {}
    return {"status": status, "headers": headers, "content": value, "json": kind.endswith("json"), "look": list(look)}


# Schemas


def plan_schemas(plan: Plan) -> None:
    """Plan the trials of each case of a schema, in requests and in answers."""
    halves = read_halves(back=plan.back)
    for index, case in enumerate(SCHEMA_CASES):
        if case.name in LEFT_OUT:
            continue
        place = f"/paths/~1schema-{index}/post/requestBody/content/application~1json/schema"
        old, new = (make_validator(back=plan.back, new=side, place=place) for side in (False, True))
        schemas = (case.new, case.old) if plan.back else (case.old, case.new)
        names = [
            list_names(document, schema) for document, schema in zip((halves.old, halves.new), schemas, strict=True)
        ]
        path = f"/schema-{index}"
        for value in POOL:
            if old.is_valid(value):
                judge = Sent(new, *names)
                plan.add(f"sent_{index}", "post", path, judge, body=value, answer=answer(200, ""))
            if new.is_valid(value):
                known = old.is_valid(value)
                looks = [[], *([key] for key in value)] if isinstance(value, dict) else [[]]
                looks += [[key] for key in names[0] if key not in names[1]] if isinstance(value, dict) else []
                for look in looks:
                    read = Read(value, look, known, *names)
                    content = answer(200, json.dumps(value), look)
                    plan.add(f"received_{index}", "get", path, read, answer=content, status="200")


@attrs.frozen
class Sent:
    """Judges what was sent."""

    validator: Any
    old: Mapping[str, Any]
    new: Mapping[str, Any]

    def __call__(self, result: Mapping[str, Any]) -> str:
        """Return what becomes of the request."""
        if "refused" in result:
            return "nothing"
        sent = json.loads(result["sent"]["content"] or "null")
        if not self.validator.is_valid(sent):
            return "broken"
        if not isinstance(sent, dict):
            return "nothing"
        unread = [name for name in sent if name in self.old and name not in self.new]
        filled = [
            name
            for name, schema in self.new.items()
            if "default" in schema and name not in sent and "default" not in self.old.get(name, {})
        ]
        return "degraded" if unread or filled else "nothing"


@attrs.frozen
class Read:
    """Judges what an answer was read as."""

    value: Any
    look: list[str]
    known: bool
    """Whether the old contract allows the value."""
    old: Mapping[str, Any]
    new: Mapping[str, Any]

    def __call__(self, result: Mapping[str, Any]) -> str:
        """Return what becomes of who reads the answer."""
        if "raised" in result:
            return "nothing" if self.known else "broken"
        if "unread" in result:
            return "nothing"
        kind, name = result["reading"]["kind"], self.look[0] if self.look else ""
        if name in self.old and name not in self.new and kind == "none" and name not in self.value:
            return "degraded"
        if kind == "extra" and name in self.new and name not in self.old:
            return "tolerated"
        if self.known:
            return "nothing"
        if result["problems"]:
            return "degraded"
        asks_null = kind == "none" and name in self.old and name in self.value
        return "tolerated" if kind == "unknown" or asks_null else "nothing"


# Operations


def plan_operations(plan: Plan) -> None:
    """Plan the trials of each case of an operation: with as little as may be given and with all of it, and answers."""
    halves = read_halves(back=plan.back)
    for index, case in enumerate(OPERATION_CASES):
        if case.name in LEFT_OUT:
            continue
        name, path = f"operation_{index}", f"/operation-{index}"
        old, new = (document["paths"][path]["post"] for document in (halves.old, halves.new))
        for scheme in ("basic", "bearer"):
            plan.add(name, "post", path, Allowed(halves, old, new, scheme), scheme=scheme, **give(old, full=False))
        for value in ("text", "a", "b", ["text", "text"]):
            judge = Requested(halves, path, old, new)
            plan.add(name, "post", path, judge, **give(old, full=True, value=value))
        plan.add(name, "post", path, Requested(halves, path, old, new), **give(old, full=False))
        read = "200" if any("json" in kind for kind in old["responses"]["200"].get("content", {})) else None
        for status, content in list_answers(new):
            judge_status = Answered(status, not {str(status), f"{status // 100}XX"}.isdisjoint(old["responses"]))
            plan.add(name, "post", path, judge_status, answer=content, status=read, **give(old, full=False))


def give(operation: Mapping[str, Any], *, full: bool, value: Any = "text") -> dict[str, Any]:
    """Return arguments for an operation: what it demands, or all that it takes."""
    parameters = []
    for parameter in operation.get("parameters", ()):
        schema = parameter["schema"]
        given = value if isinstance(value, list) == (schema.get("type") == "array") else None
        if (full or parameter.get("required")) and given is not None and OAS31Validator(schema).is_valid(given):
            name = parameter["name"]
            parameters.append([parameter["in"], name.lower() if parameter["in"] == "header" else name, given])
    body = operation.get("requestBody")
    has_body = body is not None and (full or body.get("required"))
    return {"parameters": parameters, **({"body": "text"} if has_body else {})}


def list_answers(operation: Mapping[str, Any]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield what an operation may be answered with."""
    for status, response in operation["responses"].items():
        kinds = response.get("content") or {"": {}}
        # The client asks for JSON, and gets it where there is any.
        kinds = [kind for kind in kinds if kind.endswith("json")] or [*kinds]
        for kind in kinds:
            text = '"text"' if kind.endswith("json") else "text" if kind else ""
            yield (
                (int(status) if status.isdigit() else 400),
                answer(int(status) if status.isdigit() else 400, text, (), kind),
            )


@attrs.frozen
class Requested:
    """Judges a request as a service would that follows the new contract."""

    halves: Halves
    path: str
    old: Mapping[str, Any]
    new: Mapping[str, Any]

    def __call__(self, result: Mapping[str, Any]) -> str:
        """Return what becomes of the request."""
        if "refused" in result:
            return "nothing"
        sent = result["sent"]
        bare = {**self.new, "security": [], "servers": [{"url": "https://a.example"}]}
        document = {**self.halves.new, "paths": {self.path: {"post": bare}}}
        service = V31RequestUnmarshaller(SchemaPath.from_dict(document))
        request = MockRequest(
            "https://a.example",
            "post",
            self.path,
            args=_join(sent["query"]),
            headers=sent["headers"],
            data=sent["content"].encode() or None,
            content_type=sent["headers"].get("content-type", "application/json"),
        )
        with warnings.catch_warnings():
            # That a parameter is deprecated is no news here.
            warnings.simplefilter("ignore", DeprecationWarning)
            unmarshalled = service.unmarshal(request)
        if unmarshalled.errors:
            return "broken"
        for name, texts in _join(sent["query"]).items():
            read = unmarshalled.parameters.query.get(name)
            if isinstance(read, list) and len(read) < (len(texts) if isinstance(texts, list) else 1):
                return "broken"
        declared = [{each["name"].lower() for each in side.get("parameters", ())} for side in (self.old, self.new)]
        lost = (declared[0] - declared[1]) & {name.lower() for name, _ in [*sent["query"], *sent["headers"].items()]}
        moved = {(each["in"], each["name"]) for each in self.old.get("parameters", ())} - {
            (each["in"], each["name"]) for each in self.new.get("parameters", ())
        }
        unread = sent["content"] and "requestBody" not in self.new and "requestBody" in self.old
        given = {name.lower() for name, _ in [*sent["query"], *sent["headers"].items()]}
        if lost or unread or any(name.lower() in given for _, name in moved):
            return "degraded"
        for parameter in self.new.get("parameters", ()):
            before = next((each for each in self.old.get("parameters", ()) if each["name"] == parameter["name"]), {})
            filled = "default" in parameter["schema"] and "default" not in before.get("schema", {})
            if filled and parameter["name"].lower() not in given:
                return "degraded"
        return "nothing"


def _join(query: Sequence[Sequence[str]]) -> dict[str, Any]:
    texts: dict[str, list[str]] = {}
    for name, text in query:
        texts.setdefault(name, []).append(text)
    return {name: each if len(each) > 1 else each[0] for name, each in texts.items()}


@attrs.frozen
class Allowed:
    """Judges whether credentials suffice that did before."""

    halves: Halves
    old: Mapping[str, Any]
    new: Mapping[str, Any]
    scheme: str

    def __call__(self, result: Mapping[str, Any]) -> str:
        """Return what becomes of a request with one kind of credentials."""
        if "refused" in result:
            return "nothing"
        # A token has the scopes that the old contract asked for.
        scopes = {scope for way in self.list_ways(self.old) for own in way.values() for scope in own}
        before, after = (
            any(self.suffices(way, scopes) for way in self.list_ways(side)) for side in (self.old, self.new)
        )
        return "broken" if before and not after else "nothing"

    def list_ways(self, operation: Mapping[str, Any]) -> list[Mapping[str, list[str]]]:
        """Return the ways to authenticate."""
        return operation.get("security", self.halves.old["security"]) or [{}]

    def suffices(self, way: Mapping[str, list[str]], scopes: set[str]) -> bool:
        """Return whether the credentials are all that a way asks for."""
        schemes = self.halves.old["components"]["securitySchemes"]
        kinds = {"bearer" if "flows" in schemes[name] else schemes[name]["scheme"] for name in way}
        return kinds <= {self.scheme} and all({*wanted} <= scopes for wanted in way.values())


@attrs.frozen
class Answered:
    """Judges an answer as a whole."""

    status: int
    known: bool

    def __call__(self, result: Mapping[str, Any]) -> str:
        """Return what becomes of the call."""
        if "refused" in result:
            return "nothing"
        if "raised" in result and (self.status < 300 or not result["raised"]["known"]):
            return "broken"
        return "nothing" if self.known else "tolerated"


@cache
def run_all(*, back: bool) -> dict[str, str]:
    """Return what becomes of the old client with the change of each operation of the cases."""
    plan = Plan(back)
    plan_schemas(plan)
    plan_operations(plan)
    return plan.carry_out()
