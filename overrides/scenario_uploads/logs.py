"""The log `scenario_uploads`, for those who set `SCENARIO_LOG` instead of writing Python."""

from __future__ import annotations

import logging
from functools import cache

NAME = "scenario_uploads"
_LEVELS = {"info": logging.INFO, "debug": logging.DEBUG}


@cache
def show_log(level: str | None) -> None:
    """Show the package's log on stderr, or wherever the program's logging leads; doing it again changes nothing.

    The log has no key, no token, no header, no body and no query at any level. The logs of HTTPX and of what is below
    it, which show whole URLs, are left as they are.

    Args:
        level: `"info"` for what is answered, tried again and resumed, `"debug"` for every request as
            well. Anything else changes nothing.
    """
    chosen = _LEVELS.get((level or "").strip().lower())
    if chosen is None:
        return
    # No more than this, so that the program's own settings hold where it has any.
    logging.basicConfig(
        format="[%(asctime)s - %(name)s:%(lineno)d - %(levelname)s] %(message)s", datefmt="%Y-%m-%d %H:%M:%S"
    )
    logging.getLogger(NAME).setLevel(chosen)
