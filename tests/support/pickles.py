"""Pickling errors with all that hangs on them."""

from __future__ import annotations

import io
import pickle
from types import TracebackType
from typing import Any

from tblib.pickling_support import pickle_exception, pickle_traceback  # type: ignore[import-untyped]


class _Whole(pickle.Pickler):
    def reducer_override(self, obj: Any) -> Any:
        if isinstance(obj, BaseException):
            return pickle_exception(obj)
        return pickle_traceback(obj) if isinstance(obj, TracebackType) else NotImplemented


def pickle_whole(error: BaseException) -> bytes:
    """Pickle an error with its causes and tracebacks, as everything does once Dask has installed tblib."""
    pickled = io.BytesIO()
    _Whole(pickled).dump(error)
    return pickled.getvalue()
