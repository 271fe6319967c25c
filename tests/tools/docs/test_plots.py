"""The pictures of docs/benchmarks.md are those of its figures."""

import json
from pathlib import Path

from benchmarks import plots
from benchmarks.report import BEGIN, END, merge, write_into


def test_the_committed_pictures_are_drawn_from_the_committed_figures(tmp_path: Path) -> None:
    drawn = plots.draw(json.loads(plots.FIGURES.read_text(encoding="utf-8")), tmp_path)
    assert {path.name: path.read_text(encoding="utf-8") for path in tmp_path.iterdir()} == {
        path.name: path.read_text(encoding="utf-8") for path in plots.PICTURES.glob("bench-*.svg")
    }
    page = plots.FIGURES.with_suffix(".md").read_text(encoding="utf-8")
    assert all(f"![{plot.title}](pictures/{plot.name}.svg)" in page for plot in drawn)


def test_a_part_of_the_measures_replaces_its_tables_alone(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"# Page\n{BEGIN}\n\nmachine\n\n### Old\n\n1\n\n### Same\n\n2\n\n{END}\nend\n", encoding="utf-8")
    write_into(page, "other machine\n\n### Same\n\n3\n\n### New\n\n4\n", whole=False)
    assert page.read_text(encoding="utf-8") == (
        f"# Page\n{BEGIN}\n\nmachine\n\n### Old\n\n1\n\n### Same\n\n3\n\n### New\n\n4\n\n{END}\nend\n"
    )
    old = {"machine": {"cores": "2"}, "tables": [{"title": "Old", "rows": [1]}, {"title": "Same", "rows": [2]}]}
    new = {"machine": {"cores": "4"}, "tables": [{"title": "Same", "rows": [3]}]}
    assert merge(old, new) == {**old, "tables": [{"title": "Old", "rows": [1]}, {"title": "Same", "rows": [3]}]}
