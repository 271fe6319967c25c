"""The options of the commands, the settings in `config.toml`, how sizes, rates and times are written; and `command`."""

from __future__ import annotations

import inspect
import logging
import os
import re
import tomllib
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import wraps
from pathlib import Path
from typing import Any, NamedTuple, get_type_hints

import typer
from attrs import Factory, field, fields_dict, frozen
from platformdirs import user_config_path

from scenario_uploads.errors import InvalidArgumentError
from scenario_uploads.lines import report
from scenario_uploads.logs import logger
from scenario_uploads.models import UploadKind
from scenario_uploads.redaction import snippet
from scenario_uploads.settings.defaults import DEFAULT_BASE_URL


class UsageError(InvalidArgumentError):
    """An option, argument, or line of a file cannot be used. The message uses the command line's words."""


_SIZES = {"b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12} | {
    unit: 1024**power for power, letter in enumerate("kmgt", 1) for unit in (letter, f"{letter}ib")
}
_RATES = {unit + per: size for unit, size in _SIZES.items() for per in ("", "/s")}
_SECONDS = {"s": 1, "ms": 0.001, "m": 60, "min": 60, "h": 3600, "d": 86400}


def _parse(value: object, units: Mapping[str, float], what: str) -> float:
    text = str(value).strip().lower()
    # A bare number has the first unit.
    text += next(iter(units)) if re.fullmatch(r"[\d.]+", text) else ""
    amount = rf"(\d{{1,15}}(?:\.\d+)?)\s*({'|'.join(units)})(?![a-z/])\s*"
    # A rate in `Mb/s` is one of bits.
    if not re.fullmatch(f"({amount})+", text) or (units is _RATES and re.search("[KMGT]i?b", str(value))):
        raise typer.BadParameter(f"{value!r} is not {what}.")
    return sum(float(number) * units[unit] for number, unit in re.findall(amount, text))


def parse_size(value: object) -> int:
    """Return a number of bytes. KiB, MiB … and bare letters are powers of 1024, kB, MB … of 1000."""
    return int(_parse(value, _SIZES, "a size; give bytes, or a size such as 32MiB or 500MB"))


def parse_rate(value: object) -> int:
    return int(_parse(value, _RATES, "a rate; give bytes a second (not bits), or a rate such as 20MB/s or 500KiB/s"))


def parse_duration(value: object) -> float:
    return _parse(value, _SECONDS, "a time; give seconds, or a time such as 90s, 15m or 1h30m")


class Setting(NamedTuple):
    """A setting of `config.toml`: its type or parser, its environment variable, and its default as shown."""

    read: Callable[[Any], Any]
    variable: str = ""
    default: str | None = None


SETTINGS = {
    "api_key": Setting(str, "SCENARIO_SDK_API_KEY"),
    "api_secret": Setting(str, "SCENARIO_SDK_API_SECRET"),
    "bearer_auth": Setting(str, "SCENARIO_SDK_JWT"),
    "base_url": Setting(str, "SCENARIO_BASE_URL", DEFAULT_BASE_URL),
    "project_id": Setting(str),
    "allow_http_storage": Setting(bool, "SCENARIO_ALLOW_HTTP_STORAGE", "false"),
    "part_size": Setting(parse_size, default="8 MiB, or what 10,000 parts need"),
    "concurrency": Setting(int, default="8"),
    "max_bandwidth": Setting(parse_rate, default="no limit"),
    "patience": Setting(parse_duration, default="900"),
    "timeout": Setting(parse_duration, default="300"),
    "ledger": Setting(os.path.expanduser, default="files.sqlite3 in the user's state folder"),
}
_PAIR, _TOKEN = {"api_key", "api_secret"}, {"bearer_auth"}
SECRETS = _PAIR | _TOKEN


class Settings(NamedTuple):
    """The chosen profile, and each setting that the environment or `config.toml` has: its value, and where it is."""

    file: Path | None
    profile: str | None
    values: Mapping[str, tuple[Any, str]]


def load_settings(profile: str | None = None) -> Settings:
    """Read the environment, and `config.toml` with the given profile or that of `SCENARIO_PROFILE`."""
    profile = profile or os.environ.get("SCENARIO_PROFILE") or None
    file = None
    # There is none for a user without a home folder.
    with suppress(RuntimeError):
        file = user_config_path("scenario-uploads", appauthor=False) / "config.toml"
    document = _read_file(file) if file else {}
    profiles = document.pop("profiles", {})
    if not isinstance(profiles, dict) or not all(isinstance(table, dict) for table in profiles.values()):
        raise UsageError(f"{file}: profiles are tables such as [profiles.studio].")
    tables = {str(file): document} | {f"{file} [profiles.{name}]": table for name, table in profiles.items()}
    layers = {where: _read_table(where, table) for where, table in tables.items()}
    if profile is not None and profile not in profiles:
        known = ", ".join(profiles) or "none"
        raise UsageError(f"There is no profile {snippet(profile)!r} in {file or 'any config.toml'}; it has {known}.")
    secret = any(layer.keys() & SECRETS for layer in layers.values())
    if file and secret and os.name == "posix" and file.stat().st_mode & 0o077:
        report(f"warning: others can read {file}, which has a secret; run chmod 600 on it.")
    told = {name: (os.environ.get(setting.variable), setting.variable) for name, setting in SETTINGS.items()}
    environment = {name: value for name, value in told.items() if value[0]}
    values: dict[str, tuple[Any, str]] = {}
    for layer in (layers[str(file)], layers.get(f"{file} [profiles.{profile}]", {}), environment):
        # Credentials replace those of the other kind; of both in one place, the key pair is used.
        rivals = _TOKEN if layer.keys() & _PAIR else _PAIR if layer.keys() & _TOKEN else ()
        values = {name: value for name, value in (values | layer).items() if name not in rivals}
    return Settings(file, profile, values)


def _read_file(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise UsageError(f"{file} is not valid TOML: {error}.") from None


def _read_table(where: str, table: Mapping[str, Any]) -> dict[str, tuple[Any, str]]:
    values = {}
    for name, value in table.items():
        if name not in SETTINGS:
            raise UsageError(f"{where} has no setting {name!r}; there are {', '.join(SETTINGS)} and profiles.")
        read = SETTINGS[name].read
        if isinstance(read, type) and type(value) is not read:
            raise UsageError(f"{where}: {name} must be of type {read.__name__}, not {type(value).__name__}.")
        try:
            values[name] = read(value), where
        except (typer.BadParameter, TypeError) as error:
            raise UsageError(f"{where}: {name}: {error}") from None
    return values


_PARSERS: dict[str | None, Callable[[object], float]] = {"SIZE": parse_size, "RATE": parse_rate, "TIME": parse_duration}
ASSET_COLUMNS = ("collection_ids", "parent_id", "hide")
MANIFEST_COLUMNS = ("file", "kind", "file_name", "content_type", *ASSET_COLUMNS)


def option(text: str, metavar: str | None = None, *names: str, default: Any = None) -> Any:
    """Return a field for an option; its metavar tells how its value is written."""
    info = typer.Option(default, *names, metavar=metavar, help=text, parser=_PARSERS.get(metavar))
    return field(default=default, metadata={"option": info})


def flag(text: str, *names: str) -> Any:
    """Return a field for an option without a value."""
    return option(text, None, *names, default=False)


@frozen(kw_only=True)
class Options:
    """The options of `upload`, in the order of its help; other commands have some of them."""

    recursive: bool = flag("Upload the files in folders.", "--recursive", "-r")
    include: list[str] | None = option("Upload only matching files.", "GLOB")
    exclude: list[str] | None = option("Skip matching files.", "GLOB")
    manifest: Path | None = option(f"A .csv or .jsonl file with a row per file: {', '.join(MANIFEST_COLUMNS)}.", "FILE")
    ledger: Path | None = option("The ledger: a file that records which files are done.", "PATH")
    no_ledger: bool = flag("Keep no ledger.", "--no-ledger")
    dry_run: bool = flag("Show what would be uploaded and skipped; make no request.", "--dry-run")
    force: bool = flag("Upload files again that are already done.", "--force")
    dask: str | None = option("Send with a Dask cluster, whose workers see the files at the same paths.", "tcp://HOST")
    fail_fast: bool = flag("Stop at the first file that fails.", "--fail-fast")
    kind: UploadKind | None = option("The kind of file. Default: inferred from its name.")
    content_type: str | None = option("The MIME type. Default: inferred from the file's name.", "TYPE")
    file_name: str | None = option("The name to upload it under.", "NAME")
    max_size: int | None = option("Limit on what is read from stdin, such as 50GiB.  [10GiB]", "SIZE")
    collection: list[str] | None = option("Add the asset to this collection. Can be repeated.", "ID")
    parent: str | None = option("The parent of the asset.", "ID")
    hide: bool = flag("Hide the asset.", "--hide")
    project_id: str | None = option("The project that owns the upload.", "ID")
    part_size: int | None = option("The size of a part, such as 32MiB; 5 MiB to 5 GiB.", "SIZE")
    concurrency: int | None = option("How many parts are sent at once, 1 to 64.  [8]", "N")
    max_bandwidth: float | None = option("Limit on bytes a second over all parts, such as 20MB/s.", "RATE")
    integrity: bool = option("Compare checksums with what storage received.", default=True)
    resume: bool | None = option("Resume an interrupted upload where possible; --resume fails where another runs.")
    wait: bool = option("Wait for the import.", default=True)
    timeout: float | None = option("How long to wait for the import, such as 10m.  [300s]", "TIME")
    patience: float | None = option("How long to retry without a connection, such as 12h.  [15m]", "TIME")
    as_json: bool = flag("Print only JSON on stdout.", "--json")
    quiet: bool = flag("Show results and errors only.", "--quiet", "-q")
    verbose: bool = flag("Also show skipped files and retries.", "--verbose", "-v")
    profile: str | None = option("Profile in config.toml. Default: SCENARIO_PROFILE.", "NAME")
    base_url: str | None = option("The URL of the API. Default: SCENARIO_BASE_URL, else production.", "URL")
    allow_http_storage: bool | None = option(
        "Allow plain http for parts, for a sandbox on another machine.", None, "--allow-http-storage"
    )
    sandbox: bool = flag("Use a sandbox that runs for this command; needs no account.", "--sandbox")
    settings: Settings = field(default=Factory(lambda self: load_settings(self.profile), takes_self=True))

    def pick(self, *names: str) -> dict[str, Any]:
        """Return the values of these names that are given as options or in `config.toml`."""
        given = {name: value for name in names if (value := getattr(self, name, None)) is not None}
        known = [(name, *self.settings.values[name]) for name in names if name in self.settings.values]
        return {name: value for name, value, origin in known if origin != SETTINGS[name].variable} | given

    @property
    def progress(self) -> bool:
        return not (self.as_json or self.quiet)

    @property
    def asset_options(self) -> dict[str, Any] | None:
        asked = {"collection_ids": self.collection, "parent_id": self.parent, "hide": self.hide}
        return {name: value for name, value in asked.items() if value} or None


def command(
    app: typer.Typer, *examples: str, name: str | None = None, options: str | None = None
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Make a function a command, whose parameter `options` stands for these fields of its class, or for all of them."""

    def add(function: Callable[..., None]) -> Callable[..., None]:
        own = dict(inspect.signature(function, eval_str=True).parameters)
        first = own.pop("options")
        known, types = fields_dict(first.annotation), get_type_hints(first.annotation)
        shared = {
            option: inspect.Parameter(option, inspect.Parameter.KEYWORD_ONLY, default=info, annotation=types[option])
            for option in (known if options is None else options.split())
            if (info := known[option].metadata.get("option"))
        }

        @wraps(function)
        def run(context: typer.Context, **given: Any) -> None:
            chosen = {option: given.pop(option) for option in shared}
            if "profile" in chosen:
                chosen["profile"] = chosen["profile"] or context.obj
            quiet, verbose = chosen.get("quiet"), chosen.get("verbose")
            logger.setLevel(logging.ERROR if quiet else logging.DEBUG if verbose else logging.INFO)
            function(**given, options=first.annotation(**chosen))

        context = first.replace(name="context", annotation=typer.Context)
        run.__signature__ = inspect.Signature([context, *own.values(), *shared.values()])  # type: ignore[attr-defined]
        epilog = "\b\nExamples:\n" + "\n".join(f"  scenario-uploads {example}" for example in examples)
        return app.command(name, epilog=epilog)(run)

    return add
