"""Figures, their targets, and how they are shown."""

from __future__ import annotations

import operator
import re
import statistics
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from attrs import evolve, field, frozen

BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"
_COMPARE = {"≥": operator.ge, "≤": operator.le, "<": operator.lt}


@frozen
class Target:
    """What a figure should be."""

    relation: Literal["≥", "≤", "<"]
    limit: float

    def __str__(self) -> str:
        return f"{self.relation} {self.limit:g}"


@frozen
class Figure:
    """A number that was measured.

    Attributes:
        value: The number.
        target: What it should be; None when it is told for information.
        digits: How many to show after the point.
        samples: The numbers that it was made of.
    """

    value: float
    target: Target | None = None
    digits: int = 2
    samples: tuple[float, ...] = ()

    @classmethod
    def of(cls, samples: tuple[float, ...], target: Target | None = None, digits: int = 2) -> Figure:
        """Return the median of some samples."""
        return cls(statistics.median(samples), target, digits, samples)

    @property
    def met(self) -> bool | None:
        """Whether the target was met; None without one."""
        return None if self.target is None else bool(_COMPARE[self.target.relation](self.value, self.target.limit))

    def __str__(self) -> str:
        mark = {True: " ✓", False: " ✗", None: ""}[self.met]
        return f"{self.value:,.{self.digits}f}{mark}"


Cell = str | Figure | None


def tell_disturbance(share: float) -> str:
    """Return what to say of how much others disturbed the measure."""
    return f"Other processes took at most {share:.0%} of the processors in a round that counts."


@frozen
class Table:
    """Rows of figures under a title; the first columns of a row say what was measured."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[str, ...] = ()

    def render(self) -> str:
        """Return the table in Markdown, with columns that line up."""
        shown = [self._head(), *([_show(cell) for cell in row] for row in self.rows)]
        widths = [max(len(row[at]) for row in shown) for at in range(len(self.columns))]
        lines = [
            "| " + " | ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)) + " |"
            for row in shown
        ]
        lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
        return "\n".join([f"### {self.title}", "", *lines, *(f"\n{note}" for note in self.notes)])

    def _head(self) -> list[str]:
        # A target that all of a column share stands over it.
        names = []
        for at, name in enumerate(self.columns):
            targets = {str(cell.target) for row in self.rows if isinstance(cell := row[at], Figure) and cell.target}
            names.append(f"{name} ({targets.pop()})" if len(targets) == 1 else name)
        return names

    def figures(self) -> Iterator[Figure]:
        """Go through all figures."""
        return (cell for row in self.rows for cell in row if isinstance(cell, Figure))

    def without_targets(self) -> Table:
        """Return the table with its figures for information only."""
        rows = tuple(
            tuple(evolve(cell, target=None) if isinstance(cell, Figure) else cell for cell in row) for row in self.rows
        )
        return evolve(self, rows=rows)

    def to_json(self) -> dict[str, Any]:
        """Return the table for machines."""
        rows = [{name: _to_json(cell) for name, cell in zip(self.columns, row, strict=True)} for row in self.rows]
        return {"title": self.title, "rows": rows, "notes": list(self.notes)}


def _show(cell: Cell) -> str:
    return "—" if cell is None else str(cell)


def _to_json(cell: Cell) -> Any:
    if not isinstance(cell, Figure):
        return cell
    result: dict[str, Any] = {"value": cell.value, "samples": list(cell.samples)}
    if cell.target:
        result |= {"target": str(cell.target), "met": cell.met}
    return result


@frozen
class Report:
    """All tables of a run, and what could not be measured."""

    machine: Mapping[str, str]
    tables: tuple[Table, ...]
    faults: Mapping[str, str] = field(factory=dict)

    def render(self) -> str:
        """Return the report in Markdown."""
        judged = [figure.met for table in self.tables for figure in table.figures() if figure.target]
        lines = ["| machine | |", "|---|---|", *(f"| {name} | {value} |" for name, value in self.machine.items()), ""]
        lines.append(f"{sum(map(bool, judged))} of {len(judged)} targets met.")
        lines += [f"\nNot measured: {name}: {fault}." for name, fault in self.faults.items()]
        return "\n".join(lines) + "".join(f"\n\n{table.render()}" for table in self.tables) + "\n"

    def to_json(self) -> dict[str, Any]:
        """Return the report for machines."""
        return {
            "machine": dict(self.machine),
            "tables": [table.to_json() for table in self.tables],
            "faults": dict(self.faults),
        }


def write_into(path: Path, text: str, *, whole: bool = True) -> None:
    """Replace what stands between the two marks of a document, or of its tables only those that the text has."""
    before, _, rest = path.read_text(encoding="utf-8").partition(BEGIN)
    old, _, after = rest.partition(END)
    if not whole:
        head, *sections = _split(old)
        new = {section.partition("\n")[0]: section for section in _split(text)[1:]}
        kept = [new.pop(section.partition("\n")[0], section).strip() for section in sections]
        text = "\n\n".join([head.strip(), *kept, *(section.strip() for section in new.values())]) + "\n"
    path.write_text(f"{before}{BEGIN}\n\n{text}\n{END}{after}", encoding="utf-8")


def _split(text: str) -> list[str]:
    return re.split(r"(?m)^(?=### )", text)


def merge(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """Return a report for machines with the tables of another one in place of its own."""
    tables = {table["title"]: table for table in (*old["tables"], *new["tables"])}
    return {**old, "tables": [*tables.values()]}
