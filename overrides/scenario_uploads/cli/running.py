"""Running a command: its exit code, and its error message.

An error is one line on stderr, in the words of the command line; with `--json` it is an object on stdout too.
docs/command-line.md lists the exit codes.
"""

from __future__ import annotations

import io
import logging
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import typer

from scenario_uploads.bulk.options import UploadResult
from scenario_uploads.display import report, silence
from scenario_uploads.errors import (
    APIConnectionError,
    AuthenticationError,
    CredentialsError,
    InvalidArgumentError,
    LedgerError,
    LedgerLockedError,
    PermissionDeniedError,
    ScenarioError,
    SourceChangedError,
    TransferError,
    UploadFailedError,
    UploadTimeoutError,
)
from scenario_uploads.redaction import snippet

from .options import Terminated, UploadStoppedError, UsageError, chosen_profile
from .terminal import GOES_ON, describe_result, print_json, show_name, speak, translate

# The first match wins.
EXIT_CODES: tuple[tuple[type[ScenarioError] | tuple[type[ScenarioError], ...], int], ...] = (
    ((CredentialsError, AuthenticationError, PermissionDeniedError), 3),
    (InvalidArgumentError, 2),
    ((TransferError, LedgerLockedError, LedgerError), 5),
    (UploadFailedError, 6),
    (UploadTimeoutError, 7),
    (ScenarioError, 4),
)

INTERRUPTED = 130


class _Handler(logging.Handler):
    """Writes to the current `sys.stderr`, which is above the bars while there are any."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print a record."""
        report(translate(self.format(record)))


def run_app(app: typer.Typer, arguments: list[str] | None) -> int:
    """Run the command line and return its exit code; every error is one line on stderr."""
    logger = logging.getLogger("scenario_uploads")
    handler, level = _Handler(), logger.level
    # Resumed and restarted uploads and odd responses; not the requests that an embedded sandbox serves.
    handler.addFilter(lambda record: record.name == logger.name)
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    for stream in (sys.stdout, sys.stderr):
        # A file name that the terminal cannot encode must not fail the upload.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    profile = chosen_profile.set(None)
    words = sys.argv[1:] if arguments is None else arguments
    try:
        with interrupt_on_signals() as received:
            code = _run(app, arguments, as_json="--json" in words)
        return 128 + received[0] if received and code == INTERRUPTED else code
    finally:
        chosen_profile.reset(profile)
        logger.setLevel(level)
        logger.removeHandler(handler)


@contextmanager
def interrupt_on_signals() -> Iterator[list[int]]:
    """Treat SIGTERM and SIGHUP like Ctrl-C; yield the signals received.

    So no temporary folder is left behind, and the terminal is restored.
    """
    received: list[int] = []
    # Only the main thread can handle signals.
    names = ("SIGTERM", "SIGHUP", "SIGQUIT") if threading.current_thread() is threading.main_thread() else ()
    signals = [getattr(signal, name) for name in names if hasattr(signal, name)]
    # Under nohup a terminal may be closed.
    before = {one: signal.getsignal(one) for one in signals if signal.getsignal(one) is not signal.SIG_IGN}

    def interrupt(number: int, _frame: FrameType | None) -> None:
        # A second signal would interrupt the removal.
        for one in before:
            signal.signal(one, signal.SIG_IGN)
        received.append(number)
        raise Terminated

    try:
        for one in before:
            signal.signal(one, interrupt)
        yield received
    finally:
        for one, handler in before.items():
            signal.signal(one, handler or signal.SIG_DFL)


def _run(app: typer.Typer, arguments: list[str] | None, *, as_json: bool) -> int:
    try:
        code = app(arguments, prog_name="scenario-uploads", standalone_mode=False)
        # Flush now: at exit, a full disk could not be reported.
        if sys.stdout is not None:
            sys.stdout.flush()
    except UploadStoppedError as stopped:
        return _fail(stopped.error, as_json=as_json, source=stopped.source, goes_on=stopped.goes_on)
    except (KeyboardInterrupt, typer.Abort):
        code = INTERRUPTED
    except ScenarioError as error:
        return _fail(error, as_json=as_json)
    except OSError as error:
        # The result could not be printed: a full disk or a closed pipe. Discard the rest.
        silence(1)
        report(f"error: {snippet(error.strerror or str(error))}")
        return 1
    except Exception as error:
        # The parser's own errors, from typer or click, know their message.
        format_message = getattr(error, "format_message", None)
        if format_message is None:
            raise
        return _fail(UsageError(f"{format_message()} (scenario-uploads --help explains)"), as_json=as_json)
    # The parser turns an interrupt into this code.
    return _fail(KeyboardInterrupt(), as_json=as_json) if code == INTERRUPTED else code if isinstance(code, int) else 0


def _fail(raised: BaseException, *, as_json: bool, source: str | None = None, goes_on: bool = False) -> int:
    """Print the error and what to do; return the exit code."""
    error = raised if isinstance(raised, ScenarioError) else ScenarioError("interrupted")
    text = speak(error)
    told = isinstance(error, CredentialsError | UsageError)
    if source and not told and show_name(source) not in text and show_name(Path(source).name) not in text:
        text = f"{show_name(source)}: {text}"
    if error.upload_id and error.upload_id not in text:
        text += f" (upload {snippet(error.upload_id)})"
    passing = isinstance(error, TransferError | APIConnectionError) and not isinstance(error, SourceChangedError)
    if isinstance(error, UploadTimeoutError) and error.upload_id:
        text += f" scenario-uploads wait {snippet(error.upload_id)} does that."
    elif isinstance(error, AuthenticationError):
        text += ". `scenario-uploads config show` says where the credentials come from."
    elif goes_on and (error is not raised or (passing and not error.needs_new_upload)):
        text = f"{text.rstrip('.')}. {GOES_ON}"
    report(f"error: {text}")
    if as_json:
        shown = describe_result(UploadResult(source or "", error=error))
        code = shown["code"] if error is raised else "KeyboardInterrupt"
        print_json(shown | {"source": shown["source"] or None, "code": code})
    return INTERRUPTED if error is not raised else next(code for kind, code in EXIT_CODES if isinstance(error, kind))
