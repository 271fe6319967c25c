"""scenario-sdk, imported with the first use: its models take most of a second, in each process that collects tests."""

from importlib import import_module
from typing import Any


def __getattr__(name: str) -> Any:
    return getattr(import_module("scenario_sdk"), name)
