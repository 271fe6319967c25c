"""The operations of a contract, and what one is known by."""

from __future__ import annotations

import re
from collections.abc import Mapping

import attrs

from tools.contract.document import Contract, Pointer, is_object

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


@attrs.frozen
class Operation:
    """An operation of one contract."""

    pointer: Pointer
    path: str
    method: str
    name: str


def list_operations(contract: Contract) -> list[Operation]:
    """Return the operations of a contract, in its order."""
    result: list[Operation] = []
    for path in contract.get(("paths",), dict) if "paths" in contract.document else ():
        place = contract.resolve(("paths", path))
        item = contract.at(place)
        if not is_object(item):
            raise contract.fail(place, "a path should be an object")
        for method in METHODS:
            if method in item:
                value = contract.at((*place, method))
                if not is_object(value):
                    raise contract.fail((*place, method), "an operation should be an object")
                name = str(value.get("operationId") or f"{method.upper()} {path}")
                result.append(Operation((*place, method), path, method, name))
    return result


def normalize_path(path: str) -> str:
    """Return a path without the names of its parameters, which nobody sees on the wire."""
    return re.sub(r"\{[^{}]*\}", "{}", path)


def find_covering(responses: Mapping[str, Pointer], status: str) -> Pointer | None:
    """Return the answer that stands for a status: its own, its range's, or the default."""
    for key in (status, f"{status[:1]}XX", "DEFAULT"):
        if key in responses and not (key == "DEFAULT" and status.startswith("2")):
            return responses[key]
    return None
