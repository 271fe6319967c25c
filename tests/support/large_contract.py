"""Write two versions of a large contract, to measure what comparing them takes.

    python -m tests.support.large_contract FOLDER --operations 500

The operations are like those of this project: a body, parameters, responses, and schemas that they share; about
10 kB of YAML each.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import yaml

PROPERTIES = 28


def _refer(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def _contain(name: str) -> dict[str, Any]:
    return {"application/json": {"schema": _refer(name)}}


def make_contract(operations: int) -> dict[str, Any]:
    """Return a contract with so many operations."""
    schemas: dict[str, Any] = {
        "Kind": {"type": "string", "enum": ["audio", "image", "model"], "description": "A kind."},
        "Error": {"type": "object", "properties": {"reason": {"type": ["string", "null"]}}},
    }
    paths: dict[str, Any] = {}
    errors = {status: {"description": "An error.", "content": _contain("Error")} for status in ("400", "404", "5XX")}
    for index in range(operations):
        for name in (f"Thing{index}", f"Thing{index}Params"):
            schemas[name] = make_schema(name, index)
        schemas[f"Thing{index}"]["properties"]["next"] = _refer(f"Thing{(index + 1) % operations}")
        paths[f"/things-{index}/{{id}}"] = {
            "post": {
                "operationId": f"make_thing_{index}",
                "summary": f"Make a thing {index}",
                "parameters": [
                    {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}},
                    {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": 100}},
                ],
                "requestBody": {"required": True, "content": _contain(f"Thing{index}Params")},
                "responses": {"200": {"description": "It.", "content": _contain(f"Thing{index}")}, **errors},
            }
        }
    info = {"title": "A large contract", "version": "1.0.0"}
    servers = [{"url": "https://api.example"}]
    return {"openapi": "3.1.1", "info": info, "servers": servers, "paths": paths, "components": {"schemas": schemas}}


def make_schema(name: str, index: int) -> dict[str, Any]:
    """Return an object with properties of many kinds."""
    properties: dict[str, Any] = {"kind": _refer("Kind")}
    for number in range(PROPERTIES):
        properties[f"property{number}"] = (
            {"type": "string", "maxLength": 100 + index, "description": f"The property {number} of {name}, in words."},
            {"type": ["integer", "null"], "minimum": 0, "description": "How many of them there are."},
            {"type": "array", "items": {"type": "object", "properties": {"name": {"type": "string"}}}},
            {"oneOf": [_refer("Error"), {"type": "null"}], "description": "What went wrong, or null."},
        )[number % 4]
    return {"type": "object", "required": ["kind", "property0"], "properties": properties}


def change_contract(contract: dict[str, Any]) -> None:
    """Make it the next version: each tenth operation changes, and so does a schema that all share."""
    contract["info"]["version"] = "1.1.0"
    schemas = contract["components"]["schemas"]
    schemas["Kind"]["enum"].append("text")
    for index, item in list(enumerate(contract["paths"].values()))[::10]:
        item["post"]["parameters"].append({"name": "dryRun", "in": "query", "schema": {"type": "string"}})
        schemas[f"Thing{index}Params"]["properties"]["property0"]["maxLength"] = 10


def main(argv: list[str] | None = None) -> int:
    """Run the command line; see the module's docstring."""
    parser = argparse.ArgumentParser(description="Write a large contract.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--operations", type=int, default=500)
    arguments = parser.parse_args(argv)
    arguments.folder.mkdir(parents=True, exist_ok=True)
    # Without the aliases that the YAML writer makes of values that are one object in Python.
    contract = json.loads(json.dumps(make_contract(arguments.operations)))
    for name in ("old.yaml", "new.yaml"):
        path: Path = arguments.folder / name
        path.write_text(yaml.dump(contract, Dumper=yaml.CSafeDumper, sort_keys=False), encoding="utf-8")
        print(f"{name}: {path.stat().st_size / 1e6:.1f} MB, {arguments.operations} operations")
        change_contract(contract)
    return 0


if __name__ == "__main__":
    sys.exit(main())
