"""The log `scenario_uploads`, and secrets kept out of the logs of httpx and httpcore."""

from __future__ import annotations

import logging
import re
import weakref
from functools import cache

from .redaction import AUTHORIZATION, SIGNED_QUERY, mask, match_secrets, redact

NAME = "scenario_uploads"
_LEVELS = {"info": logging.INFO, "debug": logging.DEBUG}


@cache
def show_log(level: str | None) -> None:
    """Show the log, which has no secrets, at level `info` or `debug`; other levels change nothing. Idempotent."""
    chosen = _LEVELS.get((level or "").strip().lower())
    if chosen is None:
        return
    # A no-op when the program has configured logging itself.
    logging.basicConfig(
        format="[%(asctime)s - %(name)s:%(lineno)d - %(levelname)s] %(message)s", datefmt="%Y-%m-%d %H:%M:%S"
    )
    logging.getLogger(NAME).setLevel(chosen)


class _RedactSecrets(logging.Filter):
    """Redacts log records: httpx logs whole URLs at INFO, and httpcore the heads of responses at DEBUG."""

    def filter(self, record: logging.LogRecord) -> bool:
        try:
            message = record.getMessage()
        except (TypeError, ValueError):
            # Leave a record that cannot be formatted to the handlers.
            return True
        shown = redact(message) if _TELLING.search(message) else message
        for secrets in list(_SECRETS.values()):
            shown = mask(shown, match_secrets(*secrets))
        if shown != message:
            record.msg, record.args = shown, ()
        return True


_TELLING = re.compile(rf"{SIGNED_QUERY.pattern}|{AUTHORIZATION.pattern}|%3F", re.IGNORECASE)
_SECRETS: dict[int, tuple[str, ...]] = {}
"""Secrets by the id of their holder."""


def guard_secrets(holder: object, *secrets: str) -> None:
    """Keep secrets out of guarded logs for as long as their holder lives."""
    _SECRETS[id(holder)] = secrets
    weakref.finalize(holder, _SECRETS.pop, id(holder), None).atexit = False


_FILTER = _RedactSecrets()
_LOGGERS = ("httpx", *(f"httpcore.{part}" for part in ("connection", "http11", "http2", "proxy", "socks")))


def guard_logs(*names: str) -> None:
    """Keep secrets out of the loggers `names`; default those of httpx and httpcore. Idempotent."""
    for name in names or _LOGGERS:
        logging.getLogger(name).addFilter(_FILTER)
