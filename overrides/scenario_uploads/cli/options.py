"""Settings: options that several commands share, and `config.toml`, which the environment and options override.

Also the formats of sizes, rates and times, and the errors of commands.
"""

from __future__ import annotations

import difflib
import logging
import os
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from contextvars import ContextVar
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from attrs import define, field, frozen

from scenario_uploads.bulk.ledger import FILE_NAME as LEDGER_NAME
from scenario_uploads.display import report
from scenario_uploads.errors import InvalidArgumentError
from scenario_uploads.redaction import redact, snippet
from scenario_uploads.settings.defaults import DEFAULT_BASE_URL


class UsageError(InvalidArgumentError):
    """An option, argument, or line of a file cannot be used. The message uses the command line's words."""

    spoken = True


@define
class UploadStoppedError(Exception):
    """An upload ended with an error, or was interrupted.

    Attributes:
        error: The cause.
        source: The path of its file, or None when there are several.
        goes_on: Whether the same command resumes it.
    """

    error: BaseException
    source: str | None
    goes_on: bool


class Terminated(KeyboardInterrupt):
    """A signal asked the command to end."""


_UNITS = {"": 1, "b": 1} | {
    f"{letter}{suffix}": base**power
    for power, letter in enumerate("kmgt", 1)
    for suffix, base in (("", 1024), ("ib", 1024), ("b", 1000))
}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([a-z]*)")
_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|min|m|h|d)\s*")


def parse_size(value: object) -> int:
    """Return a number of bytes. KiB, MiB … and bare letters are powers of 1024, kB, MB … of 1000."""
    found = _SIZE.fullmatch(str(value).strip().lower())
    size = float(found[1]) * _UNITS[found[2]] if found and found[2] in _UNITS else None
    if size is None or size != int(size) or isinstance(value, bool):
        raise typer.BadParameter(f"{value!r} is not a size; give bytes, or a size such as 32MiB or 500MB.")
    return int(size)


def parse_rate(value: object) -> float:
    """Return bytes a second."""
    text = str(value).strip()
    try:
        if re.search("bit|bps", text.lower()):
            raise typer.BadParameter("")
        return parse_size(re.sub("/[sS]$", "", text))
    except typer.BadParameter:
        raise typer.BadParameter(
            f"{value!r} is not a rate; give bytes a second (not bits), or a rate such as 20MB/s or 500KiB/s."
        ) from None


def parse_duration(value: object) -> float:
    """Return seconds."""
    text = str(value).strip().lower()
    try:
        return float(text)
    except ValueError:
        if not re.fullmatch(f"({_DURATION.pattern})+", text):
            raise typer.BadParameter(
                f"{value!r} is not a time; give seconds, or a time such as 90s, 15m or 1h30m."
            ) from None
    return sum(float(number) * _SECONDS[unit] for number, unit in _DURATION.findall(text))


AsJson = Annotated[bool, typer.Option("--json", help="Print only JSON on stdout.")]
BaseUrl = Annotated[
    str | None, typer.Option(metavar="URL", help="The URL of the API. Default: SCENARIO_BASE_URL, else production.")
]
Profile = Annotated[str | None, typer.Option(metavar="NAME", help="Profile in config.toml. Default: SCENARIO_PROFILE.")]
ProjectId = Annotated[str | None, typer.Option(metavar="ID", help="The project that owns the upload.")]
Timeout = Annotated[
    float | None,
    typer.Option(parser=parse_duration, metavar="TIME", help="How long to wait for the import, such as 10m.  [300s]"),
]
Patience = Annotated[
    float | None,
    typer.Option(
        parser=parse_duration, metavar="TIME", help="How long to retry without a connection, such as 12h.  [15m]"
    ),
]
Concurrency = Annotated[int | None, typer.Option(metavar="N", help="How many parts are sent at once, 1 to 64.  [8]")]
MaxBandwidth = Annotated[
    float | None,
    typer.Option(parser=parse_rate, metavar="RATE", help="Limit on bytes a second over all parts, such as 20MB/s."),
]
MaxSize = Annotated[
    int | None,
    typer.Option(parser=parse_size, metavar="SIZE", help="Limit on what is read from stdin, such as 50GiB.  [10GiB]"),
]
LedgerPath = Annotated[
    Path | None, typer.Option("--ledger", metavar="PATH", help="The ledger: a file that records which files are done.")
]
AllowHttpStorage = Annotated[
    bool,
    typer.Option("--allow-http-storage", help="Allow plain http for parts, for a sandbox on another machine."),
]
Collection = Annotated[
    list[str] | None,
    typer.Option(metavar="ID", help="Add the asset to this collection. Can be repeated."),
]
Parent = Annotated[str | None, typer.Option(metavar="ID", help="The parent of the asset.")]
Hide = Annotated[bool, typer.Option("--hide", help="Hide the asset.")]
NoWait = Annotated[bool, typer.Option("--no-wait", help="Do not wait for the import.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Show results and errors only.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Also show skipped files and retries.")]
UploadId = Annotated[str, typer.Argument(metavar="ID", help="The id of the upload.")]


chosen_profile: ContextVar[str | None] = ContextVar("chosen_profile", default=None)
"""The profile given before the name of a command."""


def _read_path(value: object) -> str:
    # No shell has expanded it, and `Path.expanduser` fails without a home.
    return os.path.expanduser(_read_text(value))  # noqa: PTH111


def _read_text(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise typer.BadParameter(f"{type(value).__name__} is not a text in quotes, or it is empty.")
    return value


def _read_exact(kind: type, what: str, value: object) -> object:
    # In Python, True is an int.
    if type(value) is not kind:
        raise typer.BadParameter(f"{value!r} is {what}.")
    return value


@frozen
class Setting:
    """A setting.

    Attributes:
        read: Converts the value in the file, or raises.
        variable: The environment variable for the same setting.
        default: The default, as shown.
        secret: Whether to mask it.
    """

    read: Callable[[Any], Any]
    variable: str | None = None
    default: str | None = None
    secret: bool = False


SETTINGS = {
    "api_key": Setting(_read_text, "SCENARIO_SDK_API_KEY", secret=True),
    "api_secret": Setting(_read_text, "SCENARIO_SDK_API_SECRET", secret=True),
    "bearer_auth": Setting(_read_text, "SCENARIO_SDK_JWT", secret=True),
    "base_url": Setting(_read_text, "SCENARIO_BASE_URL", DEFAULT_BASE_URL),
    "project_id": Setting(_read_text),
    "allow_http_storage": Setting(
        partial(_read_exact, bool, "neither true nor false"), "SCENARIO_ALLOW_HTTP_STORAGE", "false"
    ),
    "part_size": Setting(parse_size, default="8 MiB, or what 10,000 parts need"),
    "concurrency": Setting(partial(_read_exact, int, "not a whole number"), default="8"),
    "max_bandwidth": Setting(parse_rate, default="no limit"),
    "patience": Setting(parse_duration, default="900"),
    "timeout": Setting(parse_duration, default="300"),
    "ledger": Setting(_read_path, default=f"{LEDGER_NAME} in the user's state folder"),
}


@frozen
class Value:
    """A value, and where it comes from."""

    value: Any
    origin: str


@frozen
class Settings:
    """The settings of the file that the environment does not override.

    Attributes:
        file: The path of `config.toml`, whether there is one or not; None for users without a home folder.
        profile: The chosen profile.
    """

    file: Path | None
    profile: str | None
    _values: Mapping[str, Value] = field(factory=dict, repr=False)

    def get(self, name: str, given: Any = None) -> Any:
        """Return the value of an option, else that of the file, else None."""
        found = self._values.get(name)
        return given if given is not None else found.value if found else None

    def show(self) -> dict[str, Value]:
        """Return the effective value of each setting, secrets masked."""
        shown: dict[str, Value] = {}
        for name, setting in SETTINGS.items():
            text = os.environ.get(setting.variable or "")
            found = Value(text, str(setting.variable)) if text else self._values.get(name)
            if name == "bearer_auth" and "api_secret" in shown and shown["api_secret"].value:
                # If the environment has both, the key pair is used.
                found = None
            found = found or Value(setting.default, "default" if setting.default else "not set")
            if found.value is not None and (setting.secret or name == "base_url"):
                # Even an invalid URL may hold a password.
                text = "***" if setting.secret else re.sub("//[^/]*@", "//***@", redact(found.value))
                found = Value(text, found.origin)
            shown[name] = found
        return shown


def load_settings(profile: str | None = None) -> Settings:
    """Read `config.toml` with the given profile, or that of `SCENARIO_PROFILE`.

    Raises:
        UsageError: When it cannot be read, has an unknown setting, or lacks the profile.
    """
    profile = profile or chosen_profile.get() or os.environ.get("SCENARIO_PROFILE") or None
    file = _find_file()
    document = _read_file(file) if file else {}
    profiles = document.pop("profiles", {})
    if not isinstance(profiles, dict) or not all(isinstance(table, dict) for table in profiles.values()):
        raise UsageError(f"{file}: profiles are tables such as [profiles.studio].")
    common = _read_table(document, str(file), (*SETTINGS, "profiles"))
    named = {name: _read_table(table, f"{file} [profiles.{name}]", SETTINGS) for name, table in profiles.items()}
    if profile is not None and profile not in profiles:
        known = suggest(profile, profiles) or (f"; there are {', '.join(profiles)}." if profiles else ".")
        raise UsageError(f"There is no profile {snippet(profile)!r} in {file or 'any config.toml'}{known}")
    secret = any(SETTINGS[name].secret for table in (common, *named.values()) for name in table)
    if file and secret and os.name == "posix" and file.stat().st_mode & 0o077:
        report(f"warning: others can read {file}, which has a secret; run chmod 600 on it.")
    values: dict[str, Value] = {}
    for table in (common, named[profile] if profile else {}):
        values = _lay_over(values, table) | table
    told = {name: None for name, setting in SETTINGS.items() if os.environ.get(setting.variable or "")}
    values = {name: value for name, value in _lay_over(values, told).items() if name not in told}
    return Settings(file, profile, values)


def _lay_over(below: Mapping[str, Value], above: Iterable[str]) -> dict[str, Value]:
    """Return the lower settings without credentials that conflict with those above."""
    pair, token = {"api_key", "api_secret"} & {*above}, "bearer_auth" in above
    gone = ({"bearer_auth"} if pair else set()) | ({"api_key", "api_secret"} if token and not pair else set())
    return {name: value for name, value in below.items() if name not in gone}


def _find_file() -> Path | None:
    from platformdirs import user_config_path  # noqa: PLC0415 - as the state folder's

    try:
        folder = user_config_path("scenario-uploads", appauthor=False)
    except RuntimeError:
        return None
    return folder / "config.toml" if folder.is_absolute() else None


def _read_file(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror or error}.") from error
    except ValueError as error:
        # Without the text of the error, which may quote a line with a secret.
        _, found, place = str(error).rpartition("(at line")
        where = f" {found}{place}" if found else ""
        raise UsageError(f"{file} is not valid TOML{where}; strings are in quotes.") from None


def _read_table(table: Mapping[str, Any], where: str, known: Iterable[str]) -> dict[str, Value]:
    values = {}
    for name, value in table.items():
        if name not in SETTINGS:
            raise UsageError(f"{where} has no setting {name!r}{suggest(name, known) or '.'}")
        try:
            values[name] = Value(SETTINGS[name].read(value), where)
        except typer.BadParameter as error:
            raise UsageError(f"{where}: {name}: {error.message}") from None
    return values


def suggest(name: str, known: Iterable[str]) -> str:
    """Return a hint at the closest name for an error message, or an empty string."""
    near = difflib.get_close_matches(name, [*known], n=1, cutoff=0.5)
    return f"; did you mean {near[0]!r}?" if near else ""


def give_examples(*commands: str) -> str:
    """Return the examples that end a help text."""
    return "\b\nExamples:\n" + "\n".join(f"  scenario-uploads {command}" for command in commands)


def set_log(*, quiet: bool, verbose: bool) -> None:
    """Show less of the log, or more."""
    if quiet and verbose:
        raise UsageError("Give -q or -v, not both.")
    if quiet or verbose:
        logging.getLogger("scenario_uploads").setLevel(logging.ERROR if quiet else logging.DEBUG)


def gather_asset_options(collection: list[str] | None, parent: str | None, *, hide: bool) -> dict[str, Any] | None:
    """Return the asset options, or None without any."""
    asked = {"collection_ids": collection, "parent_id": parent, "hide": hide or None}
    return {name: value for name, value in asked.items() if value} or None


def pick(settings: Settings, **given: Any) -> dict[str, Any]:
    """Return the settings that are given, as options or in the file."""
    found = {name: settings.get(name, value) for name, value in given.items()}
    return {name: value for name, value in found.items() if value is not None}
