"""The log `scenario_uploads`, for those who set `SCENARIO_LOG` instead of writing Python."""

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


class _RedactSecrets(logging.Filter):
    """Rewrites log records of others.

    At INFO, httpx prints the whole URL of each request, presigned ones included; at DEBUG, httpcore prints the head of
    each answer, where a service may point to such a URL or repeat what it was sent.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        try:
            message = record.getMessage()
        except (TypeError, ValueError):
            # A record that nobody can format is the handlers' affair; an application does not fail over it.
            return True
        shown = redact(message) if _TELLING.search(message) else message
        for secrets in list(_SECRETS.values()):
            shown = mask(shown, match_secrets(*secrets))
        if shown != message:
            record.msg, record.args = shown, ()
        return True


_TELLING = re.compile(rf"{SIGNED_QUERY.pattern}|{AUTHORIZATION.pattern}|%3F", re.IGNORECASE)
_SECRETS: dict[int, tuple[str, ...]] = {}
"""What is never to be in a log, by the objects whose secrets these are."""


def guard_secrets(holder: object, *secrets: str) -> None:
    """Keep secrets out of what `guard_logs` guards, for as long as their holder lives."""
    _SECRETS[id(holder)] = secrets
    weakref.finalize(holder, _SECRETS.pop, id(holder), None).atexit = False


_FILTER = _RedactSecrets()
_LOGGERS = ("httpx", *(f"httpcore.{part}" for part in ("connection", "http11", "http2", "proxy", "socks")))


def guard_logs(*names: str) -> None:
    """Keep secrets out of what loggers emit: those called `names`, or else those of httpx and httpcore.

    Calling it again changes nothing.
    """
    for name in names or _LOGGERS:
        logging.getLogger(name).addFilter(_FILTER)
