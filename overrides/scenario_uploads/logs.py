"""The log `scenario_uploads`, and secrets kept out of the logs of httpx and httpcore."""

from __future__ import annotations

import logging
import re
from functools import cache

from .redaction import AUTHORIZATION, SIGNED_QUERY, mask_known, redact, strip_controls

NAME = "scenario_uploads"


@cache
def show_log(level: str | None) -> None:
    """Show the log, which has no secrets, at level `info` or `debug`; other levels change nothing. Idempotent."""
    name = (level or "").strip().upper()
    if name in ("INFO", "DEBUG"):
        # No effect when the program has configured logging itself.
        logging.basicConfig(format="[%(asctime)s - %(name)s:%(lineno)d - %(levelname)s] %(message)s")
        logging.getLogger(NAME).setLevel(name)


class _RedactSecrets(logging.Filter):
    """Redacts log records: httpx logs whole URLs at INFO, and httpcore the heads of responses at DEBUG."""

    def filter(self, record: logging.LogRecord) -> bool:
        try:
            message = record.getMessage()
        except (TypeError, ValueError):
            # Leave a record that cannot be formatted to the handlers.
            return True
        shown = redact(message) if _TELLING.search(message) else message
        # The log may be read in a terminal.
        shown = strip_controls(mask_known(shown))
        if shown != message:
            record.msg, record.args = shown, ()
        return True


_TELLING = re.compile(rf"{SIGNED_QUERY.pattern}|{AUTHORIZATION.pattern}|%3F", re.IGNORECASE)
_FILTER = _RedactSecrets()
_HTTPCORE = ("connection", "http11", "http2", "proxy", "socks")
_LOGGERS = (NAME, f"{NAME}.http", "httpx", *(f"httpcore.{part}" for part in _HTTPCORE))


def guard_logs(*names: str) -> None:
    """Keep secrets out of the loggers `names`, by default this package's, httpx's and httpcore's. Idempotent."""
    for name in names or _LOGGERS:
        logging.getLogger(name).addFilter(_FILTER)
