"""The log `scenario_uploads`, and secrets kept out of the logs of httpx and httpcore."""

from __future__ import annotations

import logging
from functools import cache

from .redaction import CONTROLS, hide_signatures, mask_known

logger = logging.getLogger("scenario_uploads")


@cache
def show_log(level: str | None) -> None:
    """Show the log, which has no secrets, at level `info` or `debug`; other levels change nothing. Idempotent."""
    name = (level or "").strip().upper()
    if name in ("INFO", "DEBUG"):
        # No effect when the program has configured logging itself.
        logging.basicConfig(format="[%(asctime)s - %(name)s:%(lineno)d - %(levelname)s] %(message)s")
        logger.setLevel(name)


def _redact(record: logging.LogRecord) -> bool:
    """Redact a record: httpx logs whole URLs at INFO, and httpcore the heads of responses at DEBUG."""
    try:
        message = record.getMessage()
    except (TypeError, ValueError):
        # Leave a record that cannot be formatted to the handlers.
        return True
    # The log may be read in a terminal.
    shown = CONTROLS.sub(" ", mask_known(hide_signatures(message)))
    if shown != message:
        record.msg, record.args = shown, ()
    return True


_HTTPCORE = ("connection", "http11", "http2", "proxy", "socks")
_LOGGERS = (logger.name, f"{logger.name}.http", "httpx", *(f"httpcore.{part}" for part in _HTTPCORE))


def guard_logs(*names: str) -> None:
    """Keep secrets out of the loggers `names`, by default this package's, httpx's and httpcore's. Idempotent."""
    for name in names or _LOGGERS:
        logging.getLogger(name).addFilter(_redact)
