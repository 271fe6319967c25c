"""Write two versions of a large contract, to measure what comparing them takes.

    python -m tools.contract.large FOLDER --operations 500

The operations are like those of this project: a body, parameters, answers, and schemas that they share.
"""

from __future__ import annotations

import argparse
import copy
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

PROPERTIES = 28
"""How many properties each schema has; with it an operation takes about 10 kB of YAML."""


def make_contract(operations: int) -> dict[str, Any]:
    """Return a contract with so many operations."""
    paths: dict[str, Any] = {}
    schemas: dict[str, Any] = {
        "Kind": {"type": "string", "enum": ["audio", "image", "model"], "description": "A kind."},
        "Error": {"type": "object", "properties": {"reason": {"type": ["string", "null"]}}},
    }
    for index in range(operations):
        for name in (f"Thing{index}", f"Thing{index}Params"):
            schemas[name] = make_schema(name, index)
        schemas[f"Thing{index}"]["properties"]["next"] = make_reference(f"Thing{(index + 1) % operations}")
        errors = {
            status: {"description": "An error.", "content": make_content("Error")} for status in ("400", "404", "5XX")
        }
        paths[f"/things-{index}/{{id}}"] = {
            "post": {
                "operationId": f"make_thing_{index}",
                "summary": f"Make a thing {index}",
                "parameters": [
                    {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}},
                    {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": 100}},
                ],
                "requestBody": {"required": True, "content": make_content(f"Thing{index}Params")},
                "responses": {"200": {"description": "It.", "content": make_content(f"Thing{index}")}, **errors},
            }
        }
    return {
        "openapi": "3.1.1",
        "info": {"title": "A large contract", "version": "1.0.0"},
        "servers": [{"url": "https://api.example"}],
        "paths": paths,
        "components": {"schemas": schemas},
    }


def make_reference(name: str) -> dict[str, str]:
    """Return a reference to a schema."""
    return {"$ref": f"#/components/schemas/{name}"}


def make_content(name: str) -> dict[str, Any]:
    """Return what a body of one schema contains."""
    return {"application/json": {"schema": make_reference(name)}}


def make_schema(name: str, index: int) -> dict[str, Any]:
    """Return an object with properties of many kinds."""
    properties: dict[str, Any] = {"kind": make_reference("Kind")}
    for number in range(PROPERTIES):
        properties[f"property{number}"] = (
            {"type": "string", "maxLength": 100 + index, "description": f"The property {number} of {name}, in words."},
            {"type": ["integer", "null"], "minimum": 0, "description": "How many of them there are."},
            {"type": "array", "items": {"type": "object", "properties": {"name": {"type": "string"}}}},
            {"oneOf": [make_reference("Error"), {"type": "null"}], "description": "What went wrong, or null."},
        )[number % 4]
    return {"type": "object", "required": ["kind", "property0"], "properties": properties}


def change_contract(contract: Mapping[str, Any]) -> dict[str, Any]:
    """Return the next version: each tenth operation changes, and so does a schema that all share."""
    result: dict[str, Any] = copy.deepcopy(dict(contract))
    result["info"]["version"] = "1.1.0"
    result["components"]["schemas"]["Kind"]["enum"].append("text")
    for item in list(result["paths"].values())[::10]:
        item["post"]["parameters"].append({"name": "dryRun", "in": "query", "schema": {"type": "string"}})
        schema = item["post"]["requestBody"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
        result["components"]["schemas"][schema]["properties"]["property0"]["maxLength"] = 10
    return result


def main(argv: list[str] | None = None) -> int:
    """Run the command line; see the module's docstring."""
    parser = argparse.ArgumentParser(prog="python -m tools.contract.large", description="Write a large contract.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--operations", type=int, default=500)
    arguments = parser.parse_args(argv)
    folder: Path = arguments.folder
    folder.mkdir(parents=True, exist_ok=True)
    # Without the aliases that the YAML writer makes of values that are one object in Python.
    old = json.loads(json.dumps(make_contract(arguments.operations)))
    dumper: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    for name, contract in (("old.yaml", old), ("new.yaml", change_contract(old))):
        path = folder / name
        path.write_text(yaml.dump(contract, Dumper=dumper, sort_keys=False), encoding="utf-8")
        print(f"{path.name}: {path.stat().st_size / 1e6:.1f} MB, {arguments.operations} operations")
    return 0


if __name__ == "__main__":
    sys.exit(main())
