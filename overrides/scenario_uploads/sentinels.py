"""Stand-ins for arguments that are not given, where None has a meaning of its own.

The names are those of scenario-sdk. Both are false in a condition.
"""

from __future__ import annotations

from typing import Final, Literal


class _Sentinel:
    _name = ""

    def __bool__(self) -> Literal[False]:
        return False

    def __repr__(self) -> str:
        return self._name


class NotGiven(_Sentinel):
    """The type of `NOT_GIVEN`, which as an argument means the same as leaving it out."""

    __module__ = "scenario_uploads"
    _name = "NOT_GIVEN"


class Omit(_Sentinel):
    """The type of `omit`: an argument that is left out; a header or a query parameter that is not sent even by default.

    `client.uploads.create(url=url, kind=kind or omit)` leaves out a kind that is empty.
    """

    __module__ = "scenario_uploads"
    _name = "omit"


NOT_GIVEN: Final = NotGiven()
not_given: Final = NOT_GIVEN
omit: Final = Omit()


def is_given(value: object) -> bool:
    """Return whether an argument is neither `NOT_GIVEN` nor `omit`."""
    return not isinstance(value, NotGiven | Omit)
