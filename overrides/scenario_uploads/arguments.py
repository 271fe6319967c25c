"""The arguments of single calls, as the models that the contract has for them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from .codec import build_arguments
from .errors import InvalidArgumentError
from .given import is_given
from .models import Upload, UploadCreateParams, UploadDryRun
from .plan import MAX_FILE_SIZE, MAX_PARTS

T = TypeVar("T")

_RANGES = {"file_size": (1, MAX_FILE_SIZE), "parts": (1, MAX_PARTS)}


def build_create(arguments: Mapping[str, Any]) -> UploadCreateParams:
    """Return the body of a create from a caller's keyword arguments.

    Raises:
        InvalidArgumentError: When one cannot be used.
    """
    params = build_body(UploadCreateParams, "create", arguments)
    for name, (least, most) in _RANGES.items():
        value = getattr(params, name)
        if isinstance(value, int) and not least <= value <= most:
            raise InvalidArgumentError(f"create: {name} must be from {least:,} to {most:,}, not {value:,}.")
    return params


def build_body(model: type[T], operation: str, arguments: Mapping[str, Any]) -> T:
    """Return the body of an operation from a caller's keyword arguments.

    Raises:
        InvalidArgumentError: When one cannot be used; all that is wrong is told at once.
    """
    problems: list[str] = []
    given = {name: value for name, value in arguments.items() if is_given(value)}
    params = build_arguments(model, given, lambda name, problem: problems.append(f"{name} {problem}"))
    if problems:
        raise InvalidArgumentError(f"{operation}: {'; '.join(problems)}.")
    return params


def check_dry_run(dry_run: object) -> UploadDryRun | None:
    """Return how to ask for the cost alone; None when that is not asked for.

    Raises:
        InvalidArgumentError: When it is no way that the contract knows.
    """
    if dry_run is None or not is_given(dry_run):
        return None
    for choice in UploadDryRun:
        if isinstance(dry_run, str) and choice == dry_run:
            return choice
    known = " or ".join(repr(choice.value) for choice in UploadDryRun)
    raise InvalidArgumentError(f"dry_run must be {known}, not {dry_run!r}.")


def find_id(upload: object) -> object:
    """Return the id of what a caller waits for: an id, an upload, or an answer with one in it."""
    holder = upload if isinstance(upload, Upload) else getattr(upload, "upload", None)
    return holder.id if isinstance(holder, Upload) else upload
