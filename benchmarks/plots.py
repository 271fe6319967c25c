"""Draw the figures of `make bench` as pictures for docs/benchmarks.md.

    python -m benchmarks.plots [FILE]

FILE is what `make bench` writes, .bench/results.json; without it docs/benchmarks.json is taken, which the committed
pictures are drawn from. The same figures give the same bytes.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from html import escape
from pathlib import Path
from typing import Any

from attrs import frozen

ROOT = Path(__file__).resolve().parents[1]
FIGURES = ROOT / "docs" / "benchmarks.json"
PICTURES = ROOT / "docs" / "pictures"
LEFT, WIDTH, ROW, HEAD = 300, 760, 30, 64
# Read on white and on black, since a picture does not know its page.
STYLE = (
    "text{font:13px system-ui,sans-serif;fill:#1f2430}.t{font-weight:600;font-size:15px}.s{fill:#5a6270;font-size:12px}"
    ".b{fill:#9fb0f5}.l{stroke:#c2410c;stroke-width:1.5;stroke-dasharray:5 3}"
)
MARKS = "●◆▲■"


@frozen
class Bar:
    """A figure, and those of others on the same scale."""

    label: str
    value: float
    others: tuple[tuple[str, float], ...] = ()


@frozen
class Plot:
    """A picture: bars from the left, marks for others, and a line for a target."""

    table: str
    name: str
    title: str
    unit: str
    bars: tuple[Bar, ...]
    limit: float | None = None

    def render(self) -> str:
        """Return the picture as SVG."""
        values = [value for bar in self.bars for value in (bar.value, *(value for _, value in bar.others))]
        scale = (WIDTH - LEFT - 90) / max(*values, self.limit or 0)
        names = list(dict.fromkeys(name for bar in self.bars for name, _ in bar.others))
        height = HEAD + ROW * len(self.bars) + 12
        legend = [self.unit, *(f"{MARKS[at]} {name}" for at, name in enumerate(names))]
        if self.limit is not None:
            legend.append(f"line: target {self.limit:g}")
        lines = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">',
            f"<title>{escape(self.title)}</title><style>{STYLE}</style>",
            f'<rect width="{WIDTH}" height="{height}" rx="10" fill="#fff"/>',
            f'<text class="t" x="16" y="26">{escape(self.title)}</text>',
            f'<text class="s" x="16" y="46">{escape(" · ".join(legend))}</text>',
        ]
        for at, bar in enumerate(self.bars):
            y, end = HEAD + ROW * at, LEFT + bar.value * scale
            lines += [
                f'<text x="{LEFT - 10}" y="{y + 16}" text-anchor="end">{escape(bar.label)}</text>',
                f'<rect class="b" x="{LEFT}" y="{y + 3}" width="{bar.value * scale:.1f}" height="18" rx="3"/>',
            ]
            for name, value in bar.others:
                x = LEFT + value * scale
                lines.append(f'<text x="{x:.1f}" y="{y + 17}" text-anchor="middle">{MARKS[names.index(name)]}</text>')
                end = max(end, x + 6)
            lines.append(f'<text class="s" x="{end + 8:.1f}" y="{y + 17}">{bar.value:,.4g}</text>')
        if self.limit is not None:
            x = LEFT + self.limit * scale
            lines.append(f'<path class="l" d="M{x:.1f} {HEAD - 4}V{height - 8}"/>')
        return "\n".join([*lines, "</svg>", ""])


def choose(report: Mapping[str, Any]) -> Iterator[Plot]:
    """Go through the pictures that a report makes; what was not measured is in none."""
    for table in report["tables"]:
        title, rows = table["title"], table["rows"]
        if title.startswith("Throughput"):
            name = "-".join(
                word for word in ("throughput", *title.replace("=", " ").lower().replace(",", "").split()[1:])
            )
            bars = tuple(_compare(row) for row in rows)
            yield Plot(title, f"bench-{name}", f"{title}: more is better", "bar: GiB/s; marks: the others", bars)
        elif title == "Memory":
            what, peak = "upload, 8 parts at once", "peak above it, MiB"
            bars = tuple(
                Bar(row[what].removesuffix(", 90 s at most") + _integrity(row), row[peak]["value"]) for row in rows
            )
            yield Plot(
                title,
                "bench-memory",
                "Memory of an upload: less is better",
                "peak above the idle client, MiB",
                bars,
                48,
            )
        elif title == "Calls":
            ratio = "time vs scenario-sdk"
            bars = tuple(Bar(row["what"], row[ratio]["value"]) for row in rows if row[ratio])
            yield Plot(
                title,
                "bench-calls",
                "A call, beside scenario-sdk: less is better",
                "1 is as long as its own",
                bars,
                0.7,
            )
        elif title == "Many parts":
            what, cost = "parts of 5 MiB, 8 at once", "ms a part"
            bars = tuple(Bar(f"{row[what]} parts", row[cost]["value"]) for row in rows if row[cost])
            yield Plot(title, "bench-parts", "Cost of a part: as small with many as with few", cost, bars)
        elif title == "Many files":
            bars = tuple(
                Bar(row["what"].partition(":")[0], row["files a second"]["value"])
                for row in rows
                if row["files a second"]
            )
            yield Plot(title, "bench-files", "Many files: more is better", "files a second", bars)


def _integrity(row: Mapping[str, Any]) -> str:
    return ", checksums" if row["integrity"] == "True" else ""


def _compare(row: Mapping[str, Any]) -> Bar:
    speed = row["GiB/s"]["value"]
    others = {name.removeprefix("vs "): cell["value"] for name, cell in row.items() if name.startswith("vs ") and cell}
    return Bar(
        f"{row['client']}, {row['at once']} at once",
        speed,
        tuple((name, speed / ratio) for name, ratio in others.items()),
    )


def draw(report: Mapping[str, Any], folder: Path = PICTURES) -> list[Plot]:
    """Draw a report into a folder, in place of what is there."""
    for old in folder.glob("bench-*.svg"):
        old.unlink()
    plots = list(choose(report))
    for plot in plots:
        (folder / f"{plot.name}.svg").write_text(plot.render(), encoding="utf-8")
    return plots


def illustrate(text: str, plots: Iterable[Plot]) -> str:
    """Put each picture under the heading of its table."""
    for plot in plots:
        heading = f"### {plot.table}\n"
        text = text.replace(heading, f"{heading}\n![{plot.title}](pictures/{plot.name}.svg)\n", 1)
    return text


if __name__ == "__main__":
    source = Path(sys.argv[1]) if sys.argv[1:] else FIGURES
    print(*(plot.name for plot in draw(json.loads(source.read_text(encoding="utf-8")))), sep="\n")
