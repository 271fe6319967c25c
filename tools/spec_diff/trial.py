"""Plan what a client made from the old contract has to do, let it do all of it at once, and read what it sent.

The client runs in a process of its own (`driver.py`), with the real layer above it. Nothing goes over a network.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import urllib.parse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs

from tools.contract.document import Contract, UnreadableError
from tools.contract.operations import Operation
from tools.spec_diff.reach import ABSENT, Match, find_content, find_responses, is_json
from tools.spec_diff.views import Reader, View, freeze
from tools.spec_diff.wire import Walk

ROOT = Path(__file__).resolve().parents[2]
DRIVER = Path(__file__).with_name("driver.py")
TIMEOUT = 300.0
"""Seconds after which the client is given up; this project's takes less than one."""
KEPT = frozenset({"HOME", "LANG", "LC_ALL", "PATH", "SYSTEMROOT", "TMPDIR"})
SEPARATORS = {"form": ",", "simple": ",", "spaceDelimited": " ", "pipeDelimited": "|"}

Result = Mapping[str, Any]
"""What came of a call; `driver.carry_out` makes it."""


@attrs.frozen
class Given:
    """The arguments of a call."""

    parameters: tuple[tuple[str, str, Any], ...] = ()
    """Where each goes, what it is called there (a parameter in the path: its number), and its value."""
    body: Any = ABSENT


@attrs.frozen
class Answer:
    """What a call is answered with."""

    status: int
    content: Any = ABSENT
    headers: tuple[tuple[str, str], ...] = ()
    look: tuple[str | int, ...] = ()
    """The way to the value whose reading is asked for."""
    text: str = ""
    """The content when it is not JSON."""

    def show(self) -> dict[str, Any]:
        """Return it as the driver wants it."""
        is_value = self.content is not ABSENT
        return {
            "status": self.status,
            "headers": dict(self.headers),
            "content": json.dumps(self.content) if is_value else self.text,
            "json": is_value,
            "look": list(self.look),
        }


@attrs.define(eq=False)
class Plan:
    """Calls that a client made from the old contract has to make."""

    old: Contract
    operations: dict[str, int] = attrs.field(factory=dict)
    """The number of each operation that is called, by what changes call it."""
    matches: list[Match] = attrs.field(factory=list)
    numbers: dict[str, int] = attrs.field(factory=dict)
    """The number of each call, by what it is: equal ones are made once."""
    calls: list[dict[str, Any]] = attrs.field(factory=list)

    def add(self, match: Match, given: Given, answer: Answer | None = None, scheme: str = "basic") -> int:
        """Plan a call and return its number, which is that of its result."""
        if match.old is None:
            raise ValueError(f"{match.name} is not in the old contract")
        if match.name not in self.operations:
            self.operations[match.name] = len(self.matches)
            self.matches.append(match)
        call: dict[str, Any] = {
            "operation": self.operations[match.name],
            "scheme": scheme,
            "parameters": [list(each) for each in given.parameters],
        }
        if given.body is not ABSENT:
            call["body"] = given.body
        if answer is not None:
            call["answer"] = answer.show()
            call["status"] = find_read_status(self.old, match.old, answer.status)
        key = freeze(call)
        if key not in self.numbers:
            self.numbers[key] = len(self.calls)
            self.calls.append(call)
        return self.numbers[key]

    def carry_out(self, client: Path) -> list[Result]:
        """Let the client in a folder make all calls; return what came of each.

        Raises:
            UnreadableError: When the client cannot even be loaded.
        """
        operations = [
            {"name": each.old.name, "method": each.old.method, "path": each.old.path}
            for each in self.matches
            if each.old is not None
        ]
        plan = {"operations": operations, "calls": self.calls}
        path = os.pathsep.join((str(client), str(ROOT / "overrides")))
        # Nothing of what the caller may hold in secret, and no settings of a client.
        environment = {name: value for name, value in os.environ.items() if name in KEPT or name.startswith("COV")}
        try:
            done = subprocess.run(
                [sys.executable, "-P", str(DRIVER)],
                input=json.dumps(plan).encode(),
                env={**environment, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"},
                capture_output=True,
                check=False,
                timeout=TIMEOUT,
            )
        except subprocess.TimeoutExpired:
            raise UnreadableError(self.old.name, f"its client did not end within {TIMEOUT:.0f} s") from None
        if done.returncode != 0:
            errors = done.stderr.decode(errors="replace").strip().splitlines()
            raise UnreadableError(self.old.name, f"its client cannot be run: {errors[-1] if errors else 'no reason'}")
        results: list[Result] = json.loads(done.stdout)
        return results


def find_read_status(contract: Contract, operation: Operation, status: int) -> str | None:
    """Return by which of an operation's answers a client reads one; none when it reads no body at all.

    Its own, when the contract has that; else that of its range, or the first 2xx, as which every other 2xx is read.
    """
    read = [
        name
        for name, place in sorted(find_responses(contract, operation).items())
        if name.startswith("2") and any(map(is_json, find_content(contract, place)))
    ]
    own = [name for name in (str(status), f"{str(status)[0]}XX") if name in read]
    return next(iter(own + read), None)


# Reading what was sent, as a service would


def read_parameter(walk: Walk, contract: Contract, operation: Operation, key: tuple[str, str], sent: Result) -> Any:
    """Return the value of a parameter as a contract tells a service to read it, or ABSENT."""
    place = walk.list_parameters(contract, operation)[key]
    parameter = contract.object_at(place)
    where, name = key
    if where == "path":
        pattern = re.sub(r"\\\{[^{}]*\\\}", "([^/]*)", re.escape(operation.path))
        found = re.search(f"{pattern}$", sent["path"])
        texts = [urllib.parse.unquote(found[int(name) + 1])] if found else []
    elif where == "query":
        texts = [text for other, text in sent["query"] if other == name]
    else:
        texts = [text for other, text in sent["headers"].items() if where == "header" and other == name]
    if not texts:
        return ABSENT
    if "content" in parameter:
        try:
            return json.loads(texts[0])
        except ValueError:
            return texts[0]
    reader = walk.comparer.old if contract is walk.old else walk.comparer.new
    view = reader.read((*place, "schema")) if "schema" in parameter else None
    style = walk.describe_style(parameter)
    if view is not None and view.types is not None and "array" in view.types:
        if not style["explode"] or where in ("path", "header"):
            texts = texts[-1].split(SEPARATORS.get(str(style["style"]), ","))
        item = None if view.items is None else reader.read(view.items)
        return [read_text(reader, item, text) for text in texts]
    return read_text(reader, view, texts[-1])


def read_text(reader: Reader, view: View | None, text: str) -> Any:
    """Return the value that a text of a URL or a header stands for, by its schema."""
    if view is None:
        return text
    if view.alternatives is not None:
        values = [read_text(reader, reader.read(each), text) for each in view.alternatives]
        return next((value for value in values if not isinstance(value, str)), text)
    types = view.types or frozenset()
    if types & {"integer", "number"} and re.fullmatch(r"-?\d+", text):
        return int(text)
    if "number" in types and re.fullmatch(r"-?\d+(\.\d+)?([eE][-+]?\d+)?", text):
        return float(text)
    if "boolean" in types and text in ("true", "false"):
        return text == "true"
    return text


def read_body(sent: Result) -> Any:
    """Return the JSON value of a request's body, or ABSENT when it has none."""
    try:
        return json.loads(sent["content"]) if sent["content"] else ABSENT
    except ValueError:
        return ABSENT
