"""Let the runtime be imported above the generated client of any contract.

The runtime names operations and models of the present contract. What another contract lacks gets a stand-in, which
nothing uses. Import this first; the generated client and `overrides` have to be on the path.
"""

from __future__ import annotations

import importlib
import importlib.util
import re
import sys
from collections.abc import Iterable
from enum import Enum
from pathlib import Path
from types import ModuleType
from typing import Any

PACKAGE = "scenario_uploads_client"
ATTRIBUTE = re.compile(r"(?<![\w.])models\.([A-Z]\w+)")
IMPORT = re.compile(rf"^ *from ({PACKAGE}[\w.]*|[\w.]*\.models) import (?:\(([^)]*)\)|(.+))$", re.MULTILINE)


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
                # As an enum it can stand for one as well as for a model.
                setattr(module, name, Enum(name, {"NOT_IN_THIS_CONTRACT": ""}))
                # What a star brings is what this names.
                module.__all__ = (*getattr(module, "__all__", ()), name)


def complete() -> None:
    """Put a stand-in wherever the runtime imports what the generated client does not have."""
    spec = importlib.util.find_spec("scenario_uploads")
    for folder in () if spec is None else spec.submodule_search_locations or ():
        for room in sorted(Path(folder).rglob("*.py")):
            text = room.read_text(encoding="utf-8")
            stand_in(f"{PACKAGE}.models", ATTRIBUTE.findall(text))
            for module, several, single in IMPORT.findall(text):
                name = module if module.startswith(PACKAGE) else f"{PACKAGE}.models"
                stand_in(name, list_names(several or single))


complete()
