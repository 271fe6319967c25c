"""A client generated from a contract of tomorrow, with every construct that the generator knows.

What the service may add is not known; that decoding, encoding and open enums need no change for it can be tested.
"""

import importlib
import sys
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import attrs
import scenario_uploads_client.types
from scenario_uploads.decoding.methods import extend_models

from tools.client import generate

PACKAGE = "tests_future_client"
CONTRACT = Path(__file__).with_name("future.yaml")

# An answer in which every field of `Everything` has a value.
SAMPLE: dict[str, Any] = {
    "id": "8a6e0804-2bd0-4672-b79d-d97027f9071a",
    "when": "2025-06-30T15:15:27.153000+00:00",
    "maybeWhen": "2025-06-30T15:15:27+02:00",
    "day": "2025-06-30",
    "level": 1,
    "levels": [2, 3],
    "colour": "red",
    "maybeColour": "blue",
    "nullColour": "green",
    "colours": ["red", "green"],
    "maybeColours": ["green"],
    "kind": "everything",
    "optKind": "everything",
    "single": "only",
    "number": 0.5,
    "flag": False,
    "leaf": {"n": 1, "colour": "red"},
    "nullLeaf": {"n": 2, "colour": "red"},
    "reqNull": {"n": 3, "colour": "red"},
    "leaves": [{"n": 4, "colour": "green"}],
    "nested": [[{"n": 5, "colour": "red"}], []],
    "matrix": [[1, 2], [3]],
    "dates": ["2025-06-30T15:15:27+00:00"],
    "days": ["2025-06-30"],
    "ids": ["8a6e0804-2bd0-4672-b79d-d97027f9071a"],
    "textOrNumber": 5,
    "leafOrTree": {"name": "root", "children": [{"name": "child", "children": []}]},
    "leafOrText": "text",
    "unionList": [{"n": 6, "colour": "red"}, "text"],
    "whenOrNumber": "2025-06-30T15:15:27+00:00",
    "whenOrText": "2025-06-30T15:15:27+00:00",
    "colourOrLevel": "red",
    "colourOrText": "red",
    "anything": {"deep": [None, {"er": 1}]},
    "anythings": [None, 1, "text"],
    "typed": {"a": "a", "more": {"n": 7, "colour": "red"}},
    "typedText": {"x": "y"},
    "typedNull": {"x": "y", "z": None},
    "typedColour": {"x": "red"},
    "typedDates": {"x": "2025-06-30T15:15:27+00:00"},
    "typedList": {"x": [{"n": 8, "colour": "red"}]},
    "closed": {"a": "a"},
    "closedNull": {"a": "a"},
    "tree": {"name": "root", "children": [{"name": "child", "children": []}]},
    "nullItems": ["a", None],
    "link": "https://example.com/a",
    "withDefault": "y",
    "defaultLevel": 8,
    "class": "c",
    "_hidden": "h",
    "3rd": "t",
    "self": "s",
    "list": "l",
    "Float": {"x": 1.5},
    "free": {"any": [1], "thing": None},
    "inline": {"deep": {"x": "y"}},
}


def load_package(package: Path, name: str) -> ModuleType:
    """Return the `models` of a generated package, imported under another name, as they are generated."""
    root = sys.modules[name] = ModuleType(name)
    root.__path__ = [str(package)]
    # As in a regenerated client, what stands for "not given" is the one that this package knows.
    sys.modules[f"{name}.types"] = scenario_uploads_client.types
    return importlib.import_module(f"{name}.models")


@cache
def _build() -> tuple[ModuleType, ModuleType]:
    with tempfile.TemporaryDirectory() as name:
        package = generate.build(Path(name), contract=CONTRACT)
        models, plain = load_package(package, PACKAGE), load_package(package, f"{PACKAGE}_plain")
    extend_models(models)
    return models, plain


def load() -> ModuleType:
    """Return the models of tomorrow, built once for a process."""
    return _build()[0]


def load_plain() -> ModuleType:
    """Return the same models without our methods."""
    return _build()[1]


def list_models(package: ModuleType) -> Iterator[type[Any]]:
    """Yield the models of a generated package, which are not its enums."""
    return (item for name in package.__all__ if attrs.has(item := getattr(package, name)))
