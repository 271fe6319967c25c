"""Methods added to the generated models: conversion to dicts and JSON, and telling null from absent.

The generated classes are not edited; `extend_models` adds these methods to every one of them.
"""

from __future__ import annotations

import datetime
import json
import uuid
from collections.abc import Mapping
from enum import Enum
from types import ModuleType
from typing import TYPE_CHECKING, Any, Literal, Self

import attrs
from scenario_uploads_client.types import Unset

from scenario_uploads.redaction import replace_each

from .codec import Problems, decode, find_json_names, list_fields
from .enums import open_enum


class ModelMethods:
    def to_dict(
        self,
        *,
        mode: Literal["json", "python"] = "json",
        use_api_names: bool = True,
        exclude_unset: bool = True,
        exclude_defaults: bool = False,
        exclude_none: bool = False,
        warnings: bool = True,
    ) -> dict[str, Any]:
        """Return the model as a dict of what the service sent, presigned URLs included.

        Args:
            mode: `"json"` converts timestamps and UUIDs to strings, `"python"` keeps them.
            use_api_names: Whether keys are named as in JSON (`entityId`) or as in Python (`entity_id`).
            exclude_unset: Leave out fields that were neither sent nor given.
            exclude_defaults: Leave out optional fields that are None.
            exclude_none: Leave out every field that is None.
            warnings: Ignored; for compatibility with pydantic.
        """
        del warnings
        return _dump(self, mode == "json", use_api_names, exclude_unset, exclude_defaults, exclude_none)

    def to_json(
        self,
        *,
        indent: int | None = 2,
        use_api_names: bool = True,
        exclude_unset: bool = True,
        exclude_defaults: bool = False,
        exclude_none: bool = False,
        warnings: bool = True,
    ) -> str:
        """Return the model as JSON with `indent` spaces per level, or on one line; for the rest, see `to_dict`."""
        del warnings
        value = _dump(self, True, use_api_names, exclude_unset, exclude_defaults, exclude_none)
        separators = (",", ":") if indent is None else None
        text = json.dumps(value, indent=indent, ensure_ascii=False, separators=separators)
        # Half of a surrogate pair, from a truncated text, can only be written as an escape.
        return text.encode(errors="backslashreplace").decode()

    def model_dump(
        self,
        *,
        mode: Literal["json", "python"] = "python",
        by_alias: bool = False,
        exclude_unset: bool = False,
        exclude_defaults: bool = False,
        exclude_none: bool = False,
    ) -> dict[str, Any]:
        """Return the model as a dict with pydantic's defaults: Python names and all fields; see `to_dict`."""
        return _dump(self, mode == "json", by_alias, exclude_unset, exclude_defaults, exclude_none)

    def model_dump_json(
        self,
        *,
        indent: int | None = None,
        by_alias: bool = False,
        exclude_unset: bool = False,
        exclude_defaults: bool = False,
        exclude_none: bool = False,
    ) -> str:
        """Return the model as JSON with pydantic's defaults; see `model_dump` and `to_json`."""
        return ModelMethods.to_json(
            self,
            indent=indent,
            use_api_names=by_alias,
            exclude_unset=exclude_unset,
            exclude_defaults=exclude_defaults,
            exclude_none=exclude_none,
        )

    @property
    def model_fields_set(self) -> set[str]:
        """The names of the fields that were sent or given, null or not."""
        return {field.name for field in list_fields(type(self)) if not _is_unset(self, field.name)}

    @property
    def model_extra(self) -> dict[str, Any]:
        """The fields that the contract does not define; the same as `additional_properties`."""
        extra: dict[str, Any] = getattr(self, "additional_properties", {})
        return extra

    if not TYPE_CHECKING:  # type checkers know the generated `from_dict`, and should report misspelt names

        @classmethod
        def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
            """Return the model of a dict from `to_dict`, as tolerantly as for a response."""
            return decode(cls, src_dict, Problems())

        def __getattr__(self, name: str) -> Any:
            if not name.startswith("__") and name != "additional_properties":
                extra = getattr(self, "additional_properties", {})
                if name in extra:
                    return extra[name]
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")


def extend_models(module: ModuleType) -> None:
    """Add these methods to every model class of `module`, and open its enums. Idempotent."""
    # What `help` shows as a default, and the name to pickle and copy it by, so that it stays one object.
    Unset.__repr__ = Unset.__reduce__ = lambda _unset: "UNSET"  # type: ignore[method-assign,assignment]
    # An argument that was not given equals a field that a response lacks.
    Unset.__eq__ = lambda _unset, other: other is None or isinstance(other, Unset)  # type: ignore[method-assign]
    Unset.__hash__ = lambda _unset: hash(None)  # type: ignore[method-assign,assignment]
    kinds: list[Any] = [item for item in vars(module).values() if isinstance(item, type)]
    for kind in kinds:
        if issubclass(kind, Enum):
            open_enum(kind)
        elif hasattr(kind, "to_dict"):
            if "_generated_to_dict" not in vars(kind):
                kind._generated_to_dict = kind.to_dict  # noqa: SLF001
            for name, method in vars(ModelMethods).items():
                if (name == "__getattr__" or not name.startswith("__")) and name not in attrs.fields_dict(kind):
                    setattr(kind, name, method)


def _dump(
    model: object, as_json: bool, api_names: bool, exclude_unset: bool, exclude_defaults: bool, exclude_none: bool
) -> dict[str, Any]:
    def flatten(value: object) -> object:
        if attrs.has(type(value)):
            return flatten_model(value)
        if isinstance(value, Enum):
            return value.value
        if as_json and isinstance(value, datetime.date):
            return value.isoformat()
        return str(value) if as_json and isinstance(value, uuid.UUID) else value

    def flatten_model(model: object) -> dict[str, object]:
        names = find_json_names(type(model))  # type: ignore[arg-type]  # mypy has no hash for types
        shown: dict[str, object] = {}
        for field in list_fields(type(model)):
            unset, optional = _is_unset(model, field.name), field.default is not attrs.NOTHING
            value = None if unset else getattr(model, field.name)
            if value is not None or not ((exclude_unset and unset) or (exclude_defaults and optional)):
                shown[names[field.name] if api_names else field.name] = value
        shown |= getattr(model, "additional_properties", {})
        return {name: value for name, value in shown.items() if value is not None or not exclude_none}

    flat: Any = replace_each(model, flatten)
    return flat  # type: ignore[no-any-return]


def _is_unset(model: object, name: str) -> bool:
    value = getattr(model, name)
    absent = getattr(getattr(model, "additional_properties", None), "absent", ())
    return isinstance(value, Unset) or (value is None and name in absent)
