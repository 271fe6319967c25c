"""The display of progress on stderr: bars on a terminal or in a notebook, plain lines elsewhere and without rich."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec

from .lines import Lines


def open_display() -> Lines:
    """Return bars on a terminal or in a notebook, else lines; also with `TERM=dumb` and `NO_COLOR`."""
    try:
        from .bars import Bars, Screen  # noqa: PLC0415 - rich is an extra
    except ImportError:
        return Lines()
    screen = Screen(stderr=True, soft_wrap=True)
    terminal = sys.stderr and sys.stderr.isatty() and not (screen.is_dumb_terminal or os.environ.get("NO_COLOR"))
    # In a notebook, rich uses widgets.
    notebook = screen.is_jupyter and find_spec("ipywidgets") is not None
    return Bars(screen) if terminal or notebook else Lines()
