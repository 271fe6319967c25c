"""Open enums: values that the contract does not name decode to member-like objects.

Python calls the hook `_missing_` for an unknown value. It is set on every enum of the generated package, so new enums
are open too and the generated code stays unedited.
"""

from __future__ import annotations

from enum import Enum
from typing import Any, TypeGuard, TypeVar

from scenario_uploads_client.types import Unset

from scenario_uploads.redaction import mask_urls, redact

E = TypeVar("E", bound=Enum)


def is_known(value: E | Unset | None) -> TypeGuard[E]:
    """Return whether an enum value is named by the contract, rather than one that the service added later.

    Args:
        value: A value of any enum of the contract. False for None and for anything else that is not an enum value.
    """
    return isinstance(value, Enum) and type(value)._member_map_.get(value._name_) is value


def make_unknown_member(enum: type[E], value: object) -> E | None:
    """Return a member-like object for an unknown value of `enum`; None if the value has the wrong type."""
    base = next((kind for kind in (str, int) if issubclass(enum, kind)), None)
    if base is None or type(value) is bool or not isinstance(value, base):
        return None
    # Not str(value): that may be the name of a member of another str enum.
    plain: Any = str.__str__(value) if isinstance(value, str) else int(value)
    member: Any = base.__new__(enum, plain)  # type: ignore[type-var]
    # `repr` shows both, and the value may be a presigned URL.
    member._name_, member._value_ = redact(str(plain)), mask_urls(plain)
    return member  # type: ignore[no-any-return]


def open_enum(enum: type[Enum]) -> None:
    """Let an enum accept unknown values. Idempotent."""
    enum._missing_ = classmethod(make_unknown_member)  # type: ignore[assignment,method-assign]
    # Some versions of Python pickle members by name, which unknown ones lack.
    enum.__reduce_ex__ = lambda self, _protocol: (type(self), (self._value_,))  # type: ignore[method-assign,assignment]
    # The value's own repr, so that a SecretURL stays hidden.
    enum._value_repr_ = repr  # type: ignore[attr-defined]
