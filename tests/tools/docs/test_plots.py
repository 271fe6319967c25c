"""The pictures of docs/benchmarks.md are those of its figures."""

import json
from pathlib import Path

from benchmarks import plots


def test_the_committed_pictures_are_drawn_from_the_committed_figures(tmp_path: Path) -> None:
    drawn = plots.draw(json.loads(plots.FIGURES.read_text(encoding="utf-8")), tmp_path)
    assert {path.name: path.read_text(encoding="utf-8") for path in tmp_path.iterdir()} == {
        path.name: path.read_text(encoding="utf-8") for path in plots.PICTURES.glob("bench-*.svg")
    }
    page = plots.FIGURES.with_suffix(".md").read_text(encoding="utf-8")
    assert all(f"![{plot.title}](pictures/{plot.name}.svg)" in page for plot in drawn)
