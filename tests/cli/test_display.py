"""Bars on a terminal and lines elsewhere, as a person sees them."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from scenario_uploads import lines
from scenario_uploads.bars import Bars, Screen
from scenario_uploads.display import open_display
from scenario_uploads.lines import Gauge, Lines
from scenario_uploads.progress import BulkProgress, UploadPhase, UploadProgress, format_duration, format_size

from tests.cli.conftest import Compare
from tests.support.terminal import Terminal

MIB = 1024 * 1024
LONG = "a-very-long-name-of-a-scan-of-the-large-dragon-of-Bern-in-full-resolution.glb"


class Clock:
    """Seconds that pass when a test says so."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(autouse=True)
def _no_looks_but_the_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "INTERVAL", 1e6)


def make_bars(terminal: Terminal, clock: Clock | None = None) -> Bars:
    return Bars(Screen(file=terminal.file, soft_wrap=True), clock or Clock())


def look(display: Lines, clock: Clock, seconds: float) -> None:
    """Let time pass, with a look every quarter of a second."""
    for _ in range(int(seconds * 4)):
        clock.now += 0.25
        display.look()


def tell(done: int, total: int = 1000, *, phase: UploadPhase = UploadPhase.TRANSFERRING, attempt: int = 1) -> Any:
    return UploadProgress(phase, done * MIB, total * MIB, done // 100, total // 100, attempt)


@pytest.mark.parametrize("columns", [80, 40])
def test_one_file(columns: int, compare: Compare, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    clock, frames = Clock(), []
    with Terminal(columns) as terminal:
        bars = make_bars(terminal, clock)

        def show(seconds: float, event: Any = None) -> None:
            look(bars, clock, seconds)
            if event:
                file(event)
            bars.look()
            frames.append(terminal.screen())

        with bars:
            file = bars.follow("dragon.glb")
            show(0, tell(0))
            show(2, tell(100))
            show(4)
            show(8)
            show(1, tell(50))
            show(1, tell(50, attempt=3))
            show(2, tell(400, attempt=3))
            show(0, tell(1000, phase=UploadPhase.COMPLETING))
            show(60, tell(1000, phase=UploadPhase.WAITING))
        assert terminal.screen().strip() == ""
    compare(f"one-file-{columns}", "".join(frames))


@pytest.mark.parametrize("columns", [80, 40])
def test_many_files(columns: int, compare: Compare, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    clock, frames = Clock(), []
    with Terminal(columns) as terminal:
        monkeypatch.setattr(sys, "stdout", terminal.file)
        with make_bars(terminal, clock) as bars:
            done = 0

            def show(files: int, *, complete: bool = False) -> None:
                bars.tell(BulkProgress(345, files, 3, 1 if complete else 0, 3500 * MIB, done * MIB, complete))
                bars.look()
                frames.append(terminal.screen())

            show(0)
            names = ("dragon.glb", LONG, "龍" * 40 + ".png", *(f"{number}.png" for number in range(7)))
            files = [bars.follow(name) for name in names]
            for number, file in enumerate(files):
                file(tell(0, 10 * (number + 1)))
            look(bars, clock, 2)
            done = 50
            for file in files:
                file(tell(5, 100))
            show(12)
            print(f"refs/{LONG}: asset_1234567890")
            look(bars, clock, 2)
            done = 150
            for file in files:
                file(tell(15, 100))
            show(13, complete=True)
            files[0](tell(100, 100, phase=UploadPhase.COMPLETING))
            for file in files[2:]:
                file.end()
                file.end()
            look(bars, clock, 13)
            show(21, complete=True)
    compare(f"many-files-{columns}", "".join(frames))


def test_what_is_printed_never_goes_through_the_bars(monkeypatch: pytest.MonkeyPatch) -> None:
    begun, drawn = threading.Event(), threading.Event()

    class Message:
        """One that is drawn while somebody else would like to draw."""

        def __rich_console__(self, *_: object) -> Iterator[str]:
            begun.set()
            drawn.wait(0.2)
            yield "a message"

    def draw() -> None:
        bars.look()
        drawn.set()

    monkeypatch.setenv("COLUMNS", "80")
    with Terminal(80) as terminal:
        screen = Screen(file=terminal.file, soft_wrap=True)
        with Bars(screen) as bars:
            bars.tell(BulkProgress(3))
            threads = [threading.Thread(target=screen.print, args=(Message(),)), threading.Thread(target=draw)]
            threads[0].start()
            begun.wait()
            threads[1].start()
            for thread in threads:
                thread.join()
            assert terminal.screen() == "a message\n0/3+ files  0/0 B\n"


def test_no_line_is_wider_than_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    with Terminal(20) as terminal, make_bars(terminal) as bars:
        bars.tell(BulkProgress(1000, 1000, files_failed=1000, bytes_found=10 * MIB))
        file = bars.follow(LONG)
        for event in (tell(0), tell(0, attempt=2)):
            file(event)
            bars.look()
            assert len(terminal.screen().splitlines()) == 2


def test_lines_of_one_file(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    shown = Lines(clock)
    file = shown.follow("a\x1b[31m.glb")
    for event in (tell(0), tell(55), tell(105), tell(105, attempt=2)):
        file(event)
    look(shown, clock, 6)
    file(tell(110, attempt=2))
    look(shown, clock, 8)
    for phase in (UploadPhase.COMPLETING, UploadPhase.COMPLETING, UploadPhase.DONE):
        file(tell(1000, phase=phase))
    assert capsys.readouterr().err.splitlines() == [
        "a [31m.glb: 0/1000 MiB",
        "a [31m.glb: 105/1000 MiB",
        "a [31m.glb: retrying, try 2, 105/1000 MiB",
        "a [31m.glb: stalled for 5 s, 110/1000 MiB",
        "a [31m.glb: completing",
        "a [31m.glb: done",
    ]


def test_lines_of_many_files_come_now_and_then(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    with Lines(clock) as shown:
        shown.tell(BulkProgress(12, 3, bytes_found=10 * MIB))
        shown.follow("a.glb")(tell(0, 10))
        look(shown, clock, 23)
        shown.tell(BulkProgress(12, 4, files_failed=1, bytes_found=10 * MIB, bytes_done=5 * MIB))
        look(shown, clock, 8)
    assert capsys.readouterr().err == "5/12+ files, 1 failed, stalled for 7 s, 5.0/10.0 MiB\n"


@pytest.mark.parametrize(
    ("variables", "kind"),
    [({"TERM": "xterm"}, Bars), ({"TERM": "dumb"}, Lines), ({"TERM": "xterm", "NO_COLOR": "1"}, Lines)],
)
def test_bars_are_for_terminals_that_can(
    variables: dict[str, str], kind: type[Lines], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with Terminal(80) as terminal:
        monkeypatch.setattr(sys, "stderr", terminal.file)
        assert type(open_display()) is kind
    monkeypatch.undo()
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert type(open_display()) is Lines


def test_without_anybody_who_reads_nothing_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", None)
    with open_display() as display:
        display.follow("a.glb")(tell(0))


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (1024**2 - 1, "1.0 MiB"),
        (150 * MIB, "150 MiB"),
        (5 * 1024**6, "5120 PiB"),
    ],
)
def test_sizes_have_one_system_of_units(size: int, text: str) -> None:
    assert format_size(size) == text


def test_amounts_and_times() -> None:
    assert format_size(300 * MIB, 1024 * MIB) == "0.3/1.0 GiB"
    assert [format_duration(seconds) for seconds in (0.4, 59, 60, 3599.6)] == ["0 s", "59 s", "1:00", "1:00:00"]


def test_a_rate_is_that_of_the_last_seconds() -> None:
    gauge = Gauge()
    for second in range(100):
        gauge.sample(MIB * (second if second < 50 else 50 + 10 * (second - 50)), second)
    assert gauge.describe("some", None) == ["10.0 MiB/s", "some"]
    gauge.sample(MIB * 540, 106)
    assert gauge.describe("some", None) == ["stalled for 7 s", "some"]
