"""What `make docs` finds in the blocks of a page."""

import subprocess
from pathlib import Path

import pytest

from tests.support import page as pages


@pytest.mark.parametrize(
    "block",
    [
        "```python\nraise ValueError\n```",
        '```python\nprint(1)\n```\n\n```text title="Output"\n2\n```',
        "```console\n$ false\n```",
        "```console\n$ echo one\ntwo\n```",
        "```console\n$ make no-such-task\n```",
        "```console\n$ pip install '.[nothing]'\n```",
        "```json\n{\n```",
    ],
)
def test_a_block_that_does_not_work_is_found(block: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "page.md").write_text(f"# Page\n\n{block}\n", encoding="utf-8")
    with pytest.raises((AssertionError, ValueError, subprocess.CalledProcessError)) as caught:
        pages.main(tmp_path / "page.md")
    assert caught.value.__notes__[0].endswith("page.md:4") or "page.md:8" in caught.value.__notes__[0]
