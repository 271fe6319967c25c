"""What is printed, without control characters: results, as text or JSON, and errors in words of the command line."""

from __future__ import annotations

import io
import json
import logging
import re
import signal
import sys
import tempfile
import threading
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

import typer
from attrs import fields_dict

from scenario_uploads import errors
from scenario_uploads.arguments import MIB
from scenario_uploads.bulk.options import BulkOptions, UploadResult, name_source
from scenario_uploads.bulk.plan import File, plan_many
from scenario_uploads.lines import report, silence
from scenario_uploads.logs import logger
from scenario_uploads.models import Upload
from scenario_uploads.progress import format_size
from scenario_uploads.redaction import explain, mask_known, redact, replace_each, snippet
from scenario_uploads.settings.client import ClientOptions

from .connect import SandboxOptions
from .options import Options, UsageError

# Ctrl-C or a signal ended the command. `--json` names it as Python does.
Interrupted = type("KeyboardInterrupt", (errors.ScenarioError,), {})
INTERRUPTED = 130
SOME_FAILED = 8
# As docs/command-line.md lists them. The first match wins.
EXIT_CODES: tuple[tuple[type[errors.ScenarioError] | tuple[type[errors.ScenarioError], ...], int], ...] = (
    ((errors.CredentialsError, errors.AuthenticationError, errors.PermissionDeniedError), 3),
    (errors.InvalidArgumentError, 2),
    ((errors.TransferError, errors.LedgerLockedError, errors.LedgerError), 5),
    (errors.UploadFailedError, 6),
    (errors.UploadTimeoutError, 7),
    (Interrupted, INTERRUPTED),
    (errors.ScenarioError, 4),
)
# Typer does not export the base class of its parser's errors.
PARSER_ERROR: Any = typer.BadParameter.__bases__[0]
GOES_ON = "The same command goes on from where it stopped."

# Phrases of error messages for programmers, and what to say on the command line instead.
_WORDS = {
    "give api_key= and api_secret= (or set SCENARIO_SDK_API_KEY and SCENARIO_SDK_API_SECRET), or give bearer_auth="
    " (or set SCENARIO_SDK_JWT).": "set SCENARIO_SDK_API_KEY and SCENARIO_SDK_API_SECRET, or SCENARIO_SDK_JWT, or write"
    " them into the file that `scenario-uploads config show` names.",
    "give api_secret= or ": "",
    "give api_key= or ": "",
    ", or give trust_env=False": "",
    "with verify= of the client or with SSL_CERT_FILE": "with SSL_CERT_FILE",
    "import_url(url, kind=...)": "scenario-uploads import URL",
}
_NAMES = fields_dict(Options) | fields_dict(SandboxOptions)
_OPTION, _LONG = "|".join(_NAMES), "|".join(name for name in _NAMES if "_" in name)
_SPOKEN = re.compile(
    # Quoted values stay as they are.
    r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|"""
    + "|".join(map(re.escape, _WORDS))
    + rf"|\b(?P<option>{_OPTION})=(?P<value>True|False|)|^(?P<subject>{_OPTION})(?= must| is)|\b(?P<name>{_LONG})\b"
)


def speak(error: errors.ScenarioError) -> str:
    return snippet(error.message if isinstance(error, UsageError) else translate(error.message), 1000)


def translate(text: str) -> str:
    return _SPOKEN.sub(_say, text)


def _say(found: re.Match[str]) -> str:
    name = found["option"] or found["subject"] or found["name"]
    if name is None:
        return _WORDS.get(found.group(), found.group())
    said = f"--{'no-' * (found['value'] == 'False')}{name.replace('_', '-')}"
    has_value = found["value"] == "" and found.string[found.end() :][:1].strip(" ,.;)")
    return f"{said} " if has_value else said


def show_name(source: object) -> str:
    return snippet(name_source(source), 4096)


def print_json(value: object) -> None:
    """Print one line of JSON, without secrets."""
    print(json.dumps(replace_each(value, _mask)), flush=True)


def _mask(value: object) -> object:
    if isinstance(value, dict):
        return {_mask(key): item for key, item in value.items()}
    return mask_known(redact(value)) if isinstance(value, str) else value


def to_json(upload: Upload) -> dict[str, Any]:
    # A part's URL allows writing to storage, and output ends up in logs.
    return {name: value for name, value in upload.to_dict(exclude_none=True).items() if name != "parts"}


def describe_result(result: UploadResult) -> dict[str, Any]:
    """Return the `--json` object of a file, or of a command that failed."""
    upload, error = result.upload, result.error
    return {
        "source": name_source(result.source) or None,
        "id": upload.id if upload else None,
        "status": str(upload.status) if upload else None,
        "entityId": result.entity_id,
        "skipped": result.skipped,
        "upload": to_json(upload) if upload else None,
        "error": speak(error) if error else None,
        "code": type(error).__name__ if error else None,
        "upload_id": error.upload_id if error else upload.id if upload else None,
    }


def print_fields(values: Mapping[str, object], indent: str = "") -> None:
    """Print values with their names, one on a line, those of a mapping indented."""
    for name, value in values.items():
        if isinstance(value, Mapping):
            print(f"{indent}{snippet(name)}:")
            print_fields(value, f"{indent}  ")
        elif value is not None:
            print(f"{indent}{snippet(name)}: {snippet(str(value), 4096)}")


def print_upload(upload: Upload, options: Options, source: str | None = None) -> None:
    if options.as_json:
        print_json(to_json(upload))
        return
    name = source or upload.original_file_name
    values = {"upload": upload.id, "status": upload.status, "entityId": upload.entity_id, "error": upload.error_message}
    print_fields({"file": name_source(name) if name else None} | values)


def print_result(result: UploadResult, options: Options, *, named: bool = False) -> None:
    name, error = show_name(result.source), result.error
    if options.as_json:
        print_json(describe_result(result))
    elif error:
        report(f"error: {name}: {speak(error)}")
    elif result.skipped in (None, "done"):
        became = result.entity_id or (result.upload.id if result.upload else "")
        print(f"{name}: {snippet(became)}{' (done before)' if result.skipped else ''}", flush=True)
    elif named or options.verbose or options.dry_run:
        print(f"{name}: skipped ({result.skipped})", flush=True)


@contextmanager
def label_errors(source: str | None, *, goes_on: bool = False) -> Iterator[None]:
    """Note for `fail`, with an error or an interrupt, its file and whether the same command resumes it."""
    try:
        yield
    except (errors.ScenarioError, KeyboardInterrupt) as raised:
        # The parser would turn an interrupt into an exit code.
        error = Interrupted("interrupted") if isinstance(raised, KeyboardInterrupt) else raised
        error.__dict__.setdefault("label", (source or "", goes_on))
        raise error  # noqa: B904 - the same one, or that of an interrupt


def tell(results: Iterable[UploadResult], options: Options, paths: list[str], *, goes_on: bool, single: bool) -> int:
    """Print each result and a summary; return the exit code. Raises the error of a single file."""
    counts, stopped, named = Counter[str](), False, frozenset(paths)
    try:
        for result in results:
            if single and result.error:
                with label_errors(name_source(result.source), goes_on=goes_on):
                    raise result.error
            counts["failed" if result.error else result.skipped or "uploaded"] += 1
            stopped = stopped or isinstance(result.error, errors.TransferError | errors.APIConnectionError)
            print_result(result, options, named=isinstance(result.source, str) and result.source in named)
    finally:
        uploaded, failed = counts.pop("uploaded", 0), counts.pop("failed", 0)
        if not (single or options.as_json or options.quiet):
            reasons = ", ".join(f"{count:,} {reason}" for reason, count in counts.items())
            skipped = f"{counts.total():,} skipped{reasons and f' ({reasons})'}"
            report(f"{uploaded:,} uploaded, {skipped}, {failed:,} failed")
    if stopped and goes_on and not options.quiet:
        report(GOES_ON)
    return SOME_FAILED if failed else 0


def plan(sources: Any, bulk: BulkOptions, service: ClientOptions | None, options: Options) -> int:
    """Print which files would be sent or skipped, without a request; return the exit code."""
    kinds: dict[str, Counter[str]] = defaultdict(Counter)
    skipped: Counter[str] = Counter()
    with tempfile.SpooledTemporaryFile(MIB, "w+") as left_out:
        for result in plan_many(sources, bulk, service):
            if isinstance(result, File):
                kind, size = str(result.options.kind), result.plan.size
                kinds[kind].update(files=1, bytes=size)
                if options.verbose and not options.as_json:
                    print(f"{show_name(result.source)}: {kind}, {format_size(size)}")
                continue
            skipped[result.skipped or "failed"] += 1
            with redirect_stdout(left_out if options.as_json else sys.stdout):
                print_result(result, options)
        failed, whole = skipped.pop("failed", 0), sum(kinds.values(), Counter[str]())
        if options.as_json:
            sums = {"dryRun": True, "files": whole["files"], "bytes": whole["bytes"], "kinds": kinds}
            print(json.dumps(sums | {"skipped": skipped, "failed": failed, "notSent": []})[:-2], end="")
            left_out.seek(0)
            for number, line in enumerate(left_out):
                print(", " * (number > 0), line.rstrip(), sep="", end="")
            print("]}")
    if not options.as_json:
        for text, sizes in (*((f"{kind}:", kinds[kind]) for kind in sorted(kinds)), ("would upload", whole)):
            count = sizes["files"]
            print(f"{text} {count:,} file{'' if count == 1 else 's'}, {format_size(sizes['bytes'])}")
        reasons = ", ".join(f"{count:,} {reason}" for reason, count in skipped.items())
        print(f"skip {skipped.total():,}{reasons and f' ({reasons})'}{f'; {failed:,} would fail' if failed else ''}")
    return SOME_FAILED if failed else 0


def fail(raised: BaseException, *, as_json: bool) -> int:
    """Print an error, or that the command was interrupted, and what to do; return the exit code."""
    source, goes_on = getattr(raised, "label", ("", False))
    error = raised if isinstance(raised, errors.ScenarioError) else Interrupted("interrupted")
    name, text = show_name(source), speak(error)
    if not isinstance(error, errors.CredentialsError | UsageError) and Path(name).name not in text:
        text = f"{name}: {text}"
    if error.upload_id and error.upload_id not in text:
        text += f" (upload {snippet(error.upload_id)})"
    passing = isinstance(error, Interrupted | errors.TransferError | errors.APIConnectionError)
    if goes_on and passing and not error.needs_new_upload and not isinstance(error, errors.SourceChangedError):
        text = f"{text.rstrip('.')}. {GOES_ON}"
    report(f"error: {text}")
    if as_json:
        print_json(describe_result(UploadResult(source, error=error)))
    return next(code for kind, code in EXIT_CODES if isinstance(error, kind))


def run_app(app: typer.Typer, arguments: list[str] | None) -> int:
    """Run the command line and return its exit code; every error is one line on stderr."""
    handler, level = _Handler(), logger.level
    logger.addHandler(handler)
    for stream in (sys.stdout, sys.stderr):
        # A file name that the terminal cannot encode must not fail the upload.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    words = sys.argv[1:] if arguments is None else arguments
    try:
        with interrupt_on_signals() as received:
            code = _run(app, arguments, as_json="--json" in words)
        return 128 + received[0] if received and code == INTERRUPTED else code
    finally:
        logger.setLevel(level)
        logger.removeHandler(handler)


class _Handler(logging.Handler):
    """Writes to the current `sys.stderr`, which is above the bars while there are any."""

    def emit(self, record: logging.LogRecord) -> None:
        # Of requests only that the service is away, and nothing of an embedded sandbox.
        if record.name == logger.name or (record.name.endswith(".http") and record.levelno > logging.INFO):
            report(translate(self.format(record)))


@contextmanager
def interrupt_on_signals() -> Iterator[list[int]]:
    """Treat signals that end a process like Ctrl-C, so that nothing is left behind; yield the signals received."""
    received: list[int] = []

    def interrupt(number: int, _frame: object) -> None:
        received.append(number)
        # A second signal would interrupt the removal.
        if len(received) == 1:
            raise KeyboardInterrupt

    # Only the main thread can handle signals.
    names = ("SIGTERM", "SIGHUP", "SIGQUIT") if threading.current_thread() is threading.main_thread() else ()
    signals = [getattr(signal, name) for name in names if hasattr(signal, name)]
    # Under nohup a terminal may be closed.
    before = {one: signal.signal(one, interrupt) for one in signals if signal.getsignal(one) is not signal.SIG_IGN}
    try:
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
    except (errors.ScenarioError, KeyboardInterrupt, typer.Abort) as error:
        return fail(error, as_json=as_json)
    except OSError as error:
        # The result could not be printed: a full disk or a closed pipe. Discard the rest.
        silence(1)
        report(f"error: {explain(error)}")
        return 1
    except PARSER_ERROR as error:
        return fail(UsageError(f"{error.format_message()} (scenario-uploads --help explains)"), as_json=as_json)
    # The parser turns an interrupt into this code.
    return fail(KeyboardInterrupt(), as_json=as_json) if code == INTERRUPTED else code or 0
