"""The report of a check, in Markdown and JSON, without an id or a secret."""

import json
import os
import re
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import attrs

from tools.contract.document import Contract
from tools.live_check.compare import Difference
from tools.live_check.run import Run

SECRETS = ("SCENARIO_SDK_API_KEY", "SCENARIO_SDK_API_SECRET", "SCENARIO_SDK_JWT")
AN_ID = re.compile(r"id|.*(Ids?|_id)")


class Report:
    """What a check has found, ready to be published."""

    def __init__(self, contract: Contract, run: Run, differences: Sequence[Difference]) -> None:
        ids = (_list_ids(exchange.body) for exchange in run.exchanges)
        hidden = {os.environ.get(name, "") for name in SECRETS}.union(*ids)
        known = sorted((re.escape(text) for text in hidden if len(text) > 3), key=len, reverse=True)
        self._hidden = re.compile("|".join(known) or "(?!)")
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

    def to_json(self) -> str:
        document = {
            "contract": self._contract.version,
            "base_url": self._run.base_url,
            "verdict": self.verdict,
            "responses": [{"step": exchange.step, "status": exchange.status} for exchange in self._run.exchanges],
            "problems": self.problems,
            "differences": [attrs.asdict(found) for found in self._differences],
        }
        return json.dumps(document, indent=2, ensure_ascii=False) + "\n"

    def to_markdown(self) -> str:
        """Return the report for people; it ends with the edits of the contract that it proposes."""
        lines = ["# The contract, held against the service", "", f"**{self.verdict}**", "", "## What came", ""]
        lines += [f"- {exchange.step}: {exchange.status}" for exchange in self._run.exchanges]
        if self.problems:
            lines += ["", "## What could not be done", "", *(f"- {problem}" for problem in self.problems)]
        lines += ["", "## Proposed edits of the contract", ""]
        for found in self._differences:
            lines.append(f"- `{self._contract.name}:{found.line}` `{found.place}`: {found.edit}.")
            lines.append(f"  ({found.kind}: {found.message}; in {', '.join(found.steps)})")
        return "\n".join([*lines, *([] if self._differences else ["None."])]) + "\n"


def _list_ids(body: bytes) -> set[str]:
    """Return the ids in a response; none when it is no JSON."""
    found: set[str] = set()

    def note(members: list[tuple[str, Any]]) -> None:
        for name, value in members:
            if AN_ID.fullmatch(name):
                found.update(each for each in (value if isinstance(value, list) else [value]) if isinstance(each, str))

    with suppress(ValueError, RecursionError):
        json.loads(body, object_pairs_hook=note)
    return found
