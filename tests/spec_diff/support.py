"""Contracts and comparisons for the tests of the comparison."""

import atexit
import copy
import json
import shutil
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tools.client.generate import build
from tools.contract.document import read_contract
from tools.project import ROOT
from tools.spec_diff.compare import compare_wire
from tools.spec_diff.policy import POLICY, read_policy
from tools.spec_diff.report import Change

RULES = {section: {*rules} for section, rules in yaml.safe_load(POLICY.read_text(encoding="utf-8")).items()}
"""The rules of the policy, by section."""

CONTRACTS = ROOT / "contracts"
"""Every version of the contract that was released."""

BASE: dict[str, Any] = {
    "openapi": "3.1.1",
    "info": {"title": "Things", "version": "1.0.0", "description": "Before."},
    "servers": [{"url": "https://a.example"}],
    "security": [{"basic": []}],
    "tags": [{"name": "things"}],
    "paths": {
        "/things/{id}": {
            "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}],
            "get": {
                "operationId": "get_thing",
                "responses": {
                    "200": {
                        "description": "It.",
                        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}},
                    },
                    "404": {"$ref": "#/components/responses/Missing"},
                },
            },
            "put": {
                "operationId": "put_thing",
                "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}}},
                "responses": {"200": {"description": "Done."}, "404": {"$ref": "#/components/responses/Missing"}},
            },
        }
    },
    "components": {
        "securitySchemes": {
            "basic": {"type": "http", "scheme": "basic"},
            "bearer": {"type": "http", "scheme": "bearer"},
        },
        "responses": {
            "Missing": {
                "description": "Nothing.",
                "content": {
                    "application/json": {"schema": {"type": "object", "properties": {"reason": {"type": "string"}}}}
                },
            }
        },
        "schemas": {
            "Thing": {
                "type": "object",
                "required": ["kind"],
                "properties": {
                    "kind": {"$ref": "#/components/schemas/Kind"},
                    "other": {"$ref": "#/components/schemas/Kind"},
                },
            },
            "Kind": {"type": "string", "enum": ["a", "b"]},
        },
    },
}


def generate(document: Any) -> Path:
    """Return the folder that holds the generated client of a contract, made once in a session."""
    return _build(json.dumps(document))


@cache
def _build(text: str) -> Path:
    folder = Path(tempfile.mkdtemp(prefix="client-")).resolve()
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    contract, client = folder / "openapi.json", folder / "client"
    contract.write_text(text, encoding="utf-8")
    client.mkdir()
    build(client, contract=contract)
    return client


def edit(change: Callable[[Any], Any], version: str = "1.0.0") -> dict[str, Any]:
    """Return the base contract with a change."""
    document = copy.deepcopy(BASE)
    document["info"]["version"] = version
    change(document)
    return document


def write(folder: Path, old: Any, new: Any) -> tuple[Path, Path]:
    """Write two contracts with a line for each value and return where they are."""
    paths = folder / "old.json", folder / "new.json"
    for path, document in zip(paths, (old, new), strict=True):
        path.write_text(json.dumps(document, indent=1), encoding="utf-8")
    return paths


def find_changes(folder: Path, old: Any, new: Any) -> list[Change]:
    """Return the changes between two contracts."""
    return compare_wire(*map(read_contract, write(folder, old, new)), read_policy())
