"""The report of a check, in Markdown and JSON, without an id or a secret."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Sequence
from typing import Any

import attrs

from tools.contract.document import Contract, is_object
from tools.live_check.compare import Difference, name_type, read_time, show_word
from tools.live_check.run import Run, read_upload

SECRETS = ("SCENARIO_SDK_API_KEY", "SCENARIO_SDK_API_SECRET", "SCENARIO_SDK_JWT")
AN_ID = re.compile(r"id|.*(Ids?|_id)")
TEXTS = {"reason", "message", "error", "detail", "errorMessage", "contentType", "originalFileName"}
HEADERS = re.compile(r"content-(type|encoding)|date|retry-after|.*rate-?limit.*|deprecation|sunset|www-authenticate")


class Report:
    """What a check has found, ready to be published."""

    def __init__(self, contract: Contract, run: Run, differences: Sequence[Difference]) -> None:
        self._bodies = [_decode(exchange.body) for exchange in run.exchanges]
        hidden = {os.environ.get(name, "") for name in SECRETS}.union(*map(_list_ids, self._bodies))
        known = sorted((re.escape(text) for text in hidden if len(text) > 3), key=len, reverse=True)
        self._hidden = re.compile("|".join(known) or "(?!)")
        schemas = contract.document["components"]["schemas"].values()
        self._words = {value for schema in schemas for value in schema.get("enum", ())}
        self._contract, self._run = contract, run
        self._differences = [
            attrs.evolve(found, message=self.hide(found.message), edit=self.hide(found.edit)) for found in differences
        ]
        self.problems = [self.hide(problem) for problem in run.problems]

    @property
    def code(self) -> int:
        """The exit status: 1 when something differs, else 2 when something could not be done, else 0."""
        return 1 if self._differences else 2 if self.problems else 0

    @property
    def verdict(self) -> str:
        """What came out, in a sentence."""
        count = len(self._differences)
        found = f"{count or 'No'} difference{'' if count == 1 else 's'}"
        rest = "; not everything could be done" if self.problems else ""
        return f"{found} between contract {self._contract.version} and {self._run.base_url}{rest}."

    def hide(self, text: str) -> str:
        """Return a text on one line, without credentials, ids that came in a response, and queries of URLs."""
        return " ".join(re.sub(r"\?[^\s\"'<>]+", "?…", self._hidden.sub("…", text)).split())[:300]

    def show(self, value: Any, key: str = "") -> Any:
        """Return a JSON value with those texts alone that are known to be harmless."""
        if is_object(value):
            return {self.hide(name): self.show(item, name) for name, item in value.items()}
        if isinstance(value, list):
            return [self.show(item, key) for item in value]
        if not isinstance(value, str) or value in self._words or read_time(value):
            return value
        return self.hide(value) if key in TEXTS else f"… ({len(value)} characters)"

    def to_json(self) -> str:
        document = {
            "contract": self._contract.version,
            "base_url": self._run.base_url,
            "verdict": self.verdict,
            "responses": [
                {
                    "step": exchange.step,
                    "status": exchange.status,
                    "headers": {
                        name: self.hide(value) if HEADERS.fullmatch(name) else "…"
                        for name, value in exchange.headers.items()
                    },
                    "body": self.show(body),
                }
                for exchange, body in zip(self._run.exchanges, self._bodies, strict=True)
            ],
            "problems": self.problems,
            "differences": [attrs.asdict(found) for found in self._differences],
        }
        return json.dumps(document, indent=2, ensure_ascii=False) + "\n"

    def to_markdown(self) -> str:
        """Return the report for people; it ends with the edits of the contract that it proposes."""
        lines = ["# The contract, held against the service", "", f"**{self.verdict}**", "", "## What came", ""]
        lines += [f"- {exchange.step}: {exchange.status}" for exchange in self._run.exchanges]
        lines += ["", "## Fields of an upload", "", "| field | create | retrieve | action |", "|---|---|---|---|"]
        lines += list(self._list_fields())
        if self.problems:
            lines += ["", "## What could not be done", "", *(f"- {problem}" for problem in self.problems)]
        lines += ["", "## Proposed edits of the contract", ""]
        for found in self._differences:
            lines.append(f"- `{self._contract.name}:{found.line}` `{found.place}`: {found.edit}.")
            lines.append(f"  ({found.kind}: {found.message}; in {', '.join(found.steps)})")
        return "\n".join([*lines, *([] if self._differences else ["None."])]) + "\n"

    def _list_fields(self) -> Iterator[str]:
        columns: dict[str, list[set[str]]] = {}
        for exchange in self._run.exchanges:
            column = 1 if exchange.method == "GET" else 2 if exchange.path.endswith("/action") else 0
            for name, value in read_upload(exchange.body).items():
                columns.setdefault(self.hide(show_word(name)), [set(), set(), set()])[column].add(name_type(value))
        for name, types in sorted(columns.items()):
            yield f"| {name} | {' | '.join(', '.join(sorted(column)) or '-' for column in types)} |"


def _decode(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return body.decode("utf-8", "replace")


def _list_ids(value: Any, key: str = "") -> Iterator[str]:
    for name, item in (
        value.items() if is_object(value) else ((key, item) for item in value) if isinstance(value, list) else ()
    ):
        yield from _list_ids(item, name)
    if isinstance(value, str) and AN_ID.fullmatch(key):
        yield value
