"""Sizes, rates and times as people write them, and `config.toml`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from platformdirs import user_config_path
from scenario_uploads.cli import commands as cli
from scenario_uploads.cli.options import Options, parse_duration, parse_rate, parse_size
from scenario_uploads.client.sync_client import Scenario

from tests.support.folders import move_settings

Capture = pytest.CaptureFixture[str]


@pytest.mark.parametrize(
    ("text", "size"),
    [("7", 7), ("32MiB", 32 << 20), ("32m", 32 << 20), ("1.5 KiB", 1536), ("20MB", 20_000_000), ("5 GB", 5 * 10**9)],
)
def test_sizes(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize(("text", "rate"), [("20MB/s", 2e7), ("20mb/s", 2e7), ("500KiB/s", 512_000), ("7", 7)])
def test_rates(text: str, rate: float) -> None:
    assert parse_rate(text) == rate


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("15m", 900), ("1h30m", 5400), ("2.5 min", 150), ("250ms", 0.25)]
)
def test_times(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    ("parse", "text"),
    [
        *((parse_size, text) for text in ("", "MiB", "32Mbit", "-1", "1e3", True)),
        *((parse_rate, text) for text in ("20Mbps", "20Mbit/s", "20Mb/s", "1Gb", "fast", "20MB/h", True)),
        *((parse_duration, text) for text in ("", "15x", "m", "1h30", "-1", True)),
    ],
)
def test_what_is_none_of_these_is_named_with_the_remedy(parse: object, text: object) -> None:
    with pytest.raises(typer.BadParameter, match="give ") as raised:
        parse(text)  # type: ignore[operator]
    assert repr(text) in str(raised.value)


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where `config.toml` is, which is not there."""
    move_settings(monkeypatch, tmp_path)
    path = user_config_path("scenario-uploads", appauthor=False) / "config.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def write(file: Path, text: str) -> None:
    file.write_text(text, encoding="utf-8")
    file.chmod(0o600)


STUDIO = """
part_size = "32MiB"
timeout = "10m"
api_key = "key-of-everybody"
api_secret = "secret-of-everybody"

[profiles.studio]
bearer_auth = "token-of-the-studio"
base_url = "https://studio.example/v1"
concurrency = 4
allow_http_storage = true
"""


def test_a_profile_is_over_what_holds_always_and_the_environment_over_both(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(file, STUDIO)
    assert Options().pick("api_key", "part_size", "base_url") == {"api_key": "key-of-everybody", "part_size": 32 << 20}
    monkeypatch.setenv("SCENARIO_PROFILE", "studio")
    monkeypatch.setenv("SCENARIO_BASE_URL", "https://another.example/v1")
    options = Options()
    # Credentials of the other kind go with what they stand below.
    assert options.pick("api_key", "api_secret", "bearer_auth") == {"bearer_auth": "token-of-the-studio"}
    assert options.pick("timeout", "concurrency", "base_url") == {"timeout": 600, "concurrency": 4}
    assert Options(concurrency=7).pick("concurrency") == {"concurrency": 7}
    monkeypatch.setenv("SCENARIO_SDK_API_KEY", "key-of-mine")
    assert Options(profile="studio").pick("bearer_auth") == {}


def test_a_ledger_may_be_in_the_home_folder(file: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    write(file, 'ledger = "~/files.sqlite3"')
    assert Options().pick("ledger") == {"ledger": f"{tmp_path}/files.sqlite3"}


def test_config_show_says_where_each_setting_comes_from_and_masks_secrets(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    write(file, STUDIO)
    monkeypatch.setenv("SCENARIO_BASE_URL", "https://another.example/v1")
    assert cli.run(["config", "show", "--profile", "studio"]) == 0
    told = capsys.readouterr()
    lines = {line.split()[0]: line.split(None, 1)[1] for line in told.out.splitlines()}
    assert lines["file:"] == str(file)
    assert lines["bearer_auth"].split() == ["***", str(file), "[profiles.studio]"]
    assert lines["base_url"].split() == ["https://another.example/v1", "SCENARIO_BASE_URL"]
    assert lines["part_size"].split() == ["33554432", str(file)]
    assert lines["api_key"].split() == ["-", "not", "set"]
    assert told.err == ""
    monkeypatch.setenv("SCENARIO_SDK_API_KEY", "key-of-mine")
    monkeypatch.setenv("SCENARIO_SDK_API_SECRET", "secret-of-mine")
    monkeypatch.setenv("SCENARIO_SDK_JWT", "token-of-mine")
    # Before the command, too.
    assert cli.run(["--profile", "studio", "config", "show", "--json"]) == 0
    out = capsys.readouterr().out
    shown = json.loads(out)
    assert shown["profile"] == "studio"
    assert shown["settings"]["api_key"] == {"value": "***", "origin": "SCENARIO_SDK_API_KEY"}
    assert shown["settings"]["bearer_auth"]["value"] is None
    assert "-of-mine" not in out


def test_config_show_masks_what_may_be_a_password(file: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.setenv("SCENARIO_BASE_URL", "https://me:pass@word@a.example/v1?key=secret")
    assert cli.run(["config", "show"]) == 0
    out = capsys.readouterr().out
    assert "https://***@a.example/v1?…" in out
    assert "pass" not in out


def test_config_show_needs_no_file(file: Path, capsys: Capture) -> None:
    assert cli.run(["config", "show"]) == 0
    out = capsys.readouterr().out
    assert out.startswith(f"file: {file} (not there)\nprofile: none\n")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('api_kee = "x"', "has no setting 'api_kee'; there are api_key, "),
        ("[profiles.a]\ncolour = 5", "[profiles.a] has no setting 'colour'; "),
        ("profiles = 5", "profiles are tables such as [profiles.studio]"),
        ("api_secret = my-secret", "is not valid TOML: Invalid value (at line 1, column"),
        ("api_secret = 5", "api_secret must be of type str, not int."),
        ('part_size = "many"', "part_size: 'many' is not a size"),
        ("ledger = 5", "ledger: expected str"),
        ("concurrency = true", "concurrency must be of type int, not bool."),
        ('allow_http_storage = "yes"', "allow_http_storage must be of type bool, not str."),
        ("[profiles.a]\n[profiles.b]", "There is no profile 'studios' in {file}; it has a, b."),
        ("", "There is no profile 'studios' in {file}; it has none."),
        (None, "There is no profile 'studios' in {file}; it has none."),
    ],
)
def test_what_cannot_be_meant_is_an_error(text: str | None, words: str, file: Path, capsys: Capture) -> None:
    if text is not None:
        write(file, text)
    assert cli.run(["status", "upload_1", "--profile", "studios"]) == 2
    error = capsys.readouterr().err
    assert words.format(file=file) in error
    assert error.count("\n") == 1
    assert "my-secret" not in error


@pytest.mark.parametrize("kind", ["a folder", pytest.param("a link to itself", marks=pytest.mark.posix)])
def test_a_file_that_cannot_be_read_is_an_error(file: Path, capsys: Capture, kind: str) -> None:
    if kind == "a folder":
        file.mkdir()
    else:
        file.symlink_to(file)
    assert cli.run(["config", "show"]) == 2
    assert f"{file} cannot be read" in capsys.readouterr().err


@pytest.mark.posix
def test_a_secret_that_others_can_read_gets_a_warning(file: Path, capsys: Capture) -> None:
    write(file, STUDIO)
    file.chmod(0o644)
    assert cli.run(["config", "show"]) == 0
    assert capsys.readouterr().err.startswith(f"warning: others can read {file}, which has a secret")


def test_a_client_gets_the_settings(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(file, f"project_id = 'proj_1'\n{STUDIO}")
    seen: list[Scenario] = []
    monkeypatch.setattr("scenario_uploads.cli.commands.print_upload", None)

    def create(**settings: object) -> Scenario:
        seen.append(Scenario(**settings))  # type: ignore[arg-type]
        raise KeyboardInterrupt

    monkeypatch.setattr("scenario_uploads.cli.connect.Scenario", create)
    assert cli.run(["status", "upload_1", "--profile", "studio", "--base-url", "https://option.example"]) == 130
    (client,) = seen
    assert (client.bearer_auth, client.project_id) == ("token-of-the-studio", "proj_1")
    assert str(client.base_url) == "https://option.example/"
