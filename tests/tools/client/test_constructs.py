"""What the generator makes of constructs that our contract may come to need: they work, and are to stay so."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import cache
from typing import Any

import pytest

from tests.spec_diff.support import generate
from tools.project import ROOT

TEXT = {"type": "string"}
OK = {"description": "ok"}
DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.1",
    "info": {"title": "Constructs", "version": "1.0.0"},
    "paths": {
        "/form": {
            "post": {
                "operationId": "send_form",
                "requestBody": {
                    "content": {
                        "multipart/form-data": {
                            "schema": {
                                "type": "object",
                                "required": ["files"],
                                "properties": {
                                    "files": {"type": "array", "items": {"type": "string", "format": "binary"}},
                                    "tags": {"type": "array", "items": TEXT},
                                },
                            }
                        }
                    }
                },
                "responses": {"200": OK},
            }
        },
        "/things": {
            "get": {
                "operationId": "list_things",
                "parameters": [
                    {"name": "cursor", "in": "query", "schema": TEXT},
                    {"name": "limit", "in": "query", "schema": {"type": "integer", "default": 20}},
                    {"name": "ids", "in": "query", "schema": {"type": "array", "items": TEXT}},
                    {"name": "X-Trace", "in": "header", "schema": TEXT},
                    {"name": "session", "in": "cookie", "schema": TEXT},
                ],
                "responses": {
                    "200": {**OK, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Page"}}}}
                },
            }
        },
    },
    "components": {
        "schemas": {
            "Page": {
                "type": "object",
                "required": ["items"],
                "properties": {
                    "items": {"type": "array", "items": {"$ref": "#/components/schemas/Thing"}},
                    "nextCursor": {"type": ["string", "null"]},
                },
            },
            "Thing": {
                "type": "object",
                "properties": {
                    "level": {"type": ["string", "null"], "enum": ["LOW", "HIGH", None]},
                    "rank": {"type": "integer", "enum": [1, 2], "x-enum-varnames": ["ONE", "TWO"]},
                    "made": {"type": ["string", "null"], "format": "date-time"},
                    "day": {"type": ["string", "null"], "format": "date"},
                    "size": {"type": "integer", "default": 3},
                    "labels": {"type": "object", "additionalProperties": {"type": "integer"}},
                    "fileName": TEXT,
                    "file_name": {"type": "integer"},
                    "class": TEXT,
                },
            },
        }
    },
}
PROGRAM = """
import io, json, sys
sys.path.insert(0, sys.argv[1])
import stand_ins
from scenario_uploads_client.api.default import list_things, send_form
from scenario_uploads_client.types import File
from scenario_uploads.decoding.codec import Problems, decode
from scenario_uploads.models import Page, SendFormBody

problems = Problems()
page = decode(Page, json.loads(sys.stdin.read()), problems)
thing = page.items[0]
asked = list_things._get_kwargs(cursor="c", ids=["a", "b"], x_trace="t", session="s")
files = [File(io.BytesIO(name.encode()), name) for name in "ab"]
form = send_form._get_kwargs(body=SendFormBody(files=files, tags=["x", "y"]))
print(json.dumps({
    "again": page.to_dict(),
    "problems": str(problems),
    "level": [repr(each.level) for each in page.items],
    "rank": [type(each.rank).__name__ + str(each.rank) for each in page.items],
    "made": str(thing.made), "day": str(thing.day), "size": thing.size, "labels": thing.labels["a"],
    "names": [name for name in dir(thing) if name.lower().startswith(("file", "class"))],
    "params": asked["params"], "headers": asked["headers"], "cookies": asked["cookies"],
    "parts": [name for name, _ in form["files"]],
}))
"""
PAGE = {
    "items": [
        {
            "level": "LOW",
            "rank": 1,
            "made": "2025-06-30T15:15:27+00:00",
            "day": "2025-06-30",
            "size": 5,
            "labels": {"a": 1},
            "fileName": "a.txt",
            "file_name": 7,
            "class": "c",
        },
        {
            "level": None,
            "rank": 9,
            "made": None,
            "day": None,
            "labels": {},
            "size": 3,
            "fileName": "",
            "file_name": 0,
            "class": "",
        },
    ],
    "nextCursor": None,
}


@cache
def run() -> Any:
    """Return what the generated client makes of a page, of arguments, and of a form."""
    client = generate(DOCUMENT)
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(ROOT / "tests/spec_diff/installed")],
        input=json.dumps(PAGE).encode(),
        env={**os.environ, "PYTHONPATH": os.pathsep.join((str(client), str(ROOT / "overrides")))},
        stdout=subprocess.PIPE,
        check=True,
    )
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("problems", ""),
        ("made", "2025-06-30 15:15:27+00:00"),
        ("day", "2025-06-30"),
        ("labels", 1),
        ("params", {"cursor": "c", "limit": 20, "ids": ["a", "b"]}),
        ("headers", {"X-Trace": "t"}),
        ("cookies", {"session": "s"}),
        ("parts", ["files", "files", "tags", "tags"]),
    ],
)
def test_construct_works(name: str, expected: Any) -> None:
    """Dates, maps, parameters everywhere, and lists in forms."""
    assert run()[name] == expected


def test_nulls_and_numbers_are_values_of_enums() -> None:
    """Null is no member, and a number that is new stays one."""
    levels, ranks = run()["level"], run()["rank"]
    assert ("LOW" in levels[0], levels[1]) == (True, "None")
    assert ranks[0].endswith("1")
    assert ranks[1].endswith("9")


def test_page_goes_back_out_as_it_came() -> None:
    """Names that collide in Python are two fields still, and a default fills in what is left out."""
    again = run()["again"]
    assert again["items"][0] == PAGE["items"][0]
    assert again["nextCursor"] is None
    assert {"class_", "file_name"} <= {*run()["names"]}
