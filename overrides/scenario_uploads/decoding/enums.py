"""Enums that survive new values: what the service sends tomorrow decodes today.

Python asks an enum class for values that it does not know through the documented hook `_missing_`. Giving that hook to
every enum of the generated package, found by looking and not by name, opens present and future ones alike, without a
line of the generated code changed.
"""

from __future__ import annotations

import copyreg
from enum import Enum
from types import ModuleType
from typing import Any, TypeGuard, TypeVar

from scenario_uploads_client import models
from scenario_uploads_client.types import UNSET, Unset

from scenario_uploads.redaction import mask_urls, redact

E = TypeVar("E", bound=Enum)


def is_known(value: E | Unset | None) -> TypeGuard[E]:
    """Return whether an enum value is one that the contract names, and not one that the service added later.

    Args:
        value: A value of any enum of the contract. None, and anything that is no enum value, is not known.
    """
    return isinstance(value, Enum) and type(value)._member_map_.get(value._name_) is value


def unknown_member(enum: type[E], value: object) -> E | None:
    """Return a member-like object of `enum` for a value that it does not name.

    It equals, hashes and prints like its value, pickles, copies, and is no part of the enum's iteration. None when the
    value is not of the enum's own type (text or whole number).
    """
    base = next((kind for kind in (str, int) if issubclass(enum, kind)), None)
    if base is None or type(value) is bool or not isinstance(value, base):
        return None
    # Not str(value), which for a member of somebody's own enum is the name of the member.
    plain: Any = str.__str__(value) if isinstance(value, str) else int(value)
    member: Any = base.__new__(enum, plain)  # type: ignore[type-var]
    # A service may put a presigned URL anywhere, and a `repr` shows both.
    member._name_, member._value_ = redact(str(plain)), mask_urls(plain)
    member.__dict__["__reduce_ex__"] = lambda _protocol: (restore_member, (enum, plain))
    return member  # type: ignore[no-any-return]


def open_enums(module: ModuleType) -> None:
    """Let every enum class of `module` take values that it does not name."""
    for item in vars(module).values():
        if isinstance(item, type) and issubclass(item, Enum) and issubclass(item, str | int):
            item._missing_ = classmethod(unknown_member)  # type: ignore[assignment,method-assign]
            # That of the value itself, and not always that of str, which hides nothing.
            item._value_repr_ = repr  # type: ignore[union-attr]


def open_generated() -> None:
    """Open the enums of the contract, and let copies and pickles keep the identity of what was not given.

    The generated `to_dict` knows a field that was not given by that identity. Doing this again changes nothing.
    """
    open_enums(models)
    copyreg.pickle(Unset, lambda _unset: (restore_unset, ()))


def restore_member(enum: type[E], value: object) -> E | None:
    """Unpickle a value that its enum does not name, perhaps in a process that has seen nothing else of this package."""
    open_generated()
    return unknown_member(enum, value)


def restore_unset() -> Unset:
    """Unpickle what stands for a field that was not given."""
    open_generated()
    return UNSET
