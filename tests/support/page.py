"""Run the code blocks of a page one after the other, as a reader would who types them: `python page.py PAGE`.

Python blocks are one session, in which `await` works as in a notebook. A block with a title is a file of that name. Of
a console block each line after `$` is a command, and what follows it is what it prints, `…` for anything; a comment
such as `# exit code 6` says how it ends. A block of text titled "Output" is what the Python block before it prints.
`<!-- not run: REASON -->` before a block leaves it out.
"""

import ast
import asyncio
import contextlib
import io
import json
import re
import shlex
import subprocess
import sys
import textwrap
import tomllib
from collections.abc import Callable, Iterator
from inspect import CO_COROUTINE
from pathlib import Path

import yaml
from attrs import frozen

ROOT = Path(__file__).parents[2]
FENCE = re.compile(r"(?ms)^(?P<indent> *)```(?P<language>\w+)?(?P<info>[^\n`]*)\n(?P<code>.*?)^(?P=indent)```$")
NOT_RUN = re.compile(r"<!-- not run: .+ -->\s*\Z")
# What these hold must at least be what it says.
PARSERS: dict[str, Callable[[str], object]] = {
    "json": json.loads,
    "python": ast.parse,
    "toml": tomllib.loads,
    "yaml": yaml.safe_load,
}


@frozen
class Block:
    """A block of code, and where it begins."""

    line: int
    language: str
    title: str | None
    code: str


def list_blocks(text: str) -> Iterator[Block]:
    """Go through the blocks that are to be run, written or parsed."""
    for match in FENCE.finditer(text):
        if not NOT_RUN.search(text[: match.start()]):
            title = re.search(r'title="([^"]+)"', match["info"])
            line = text[: match.start()].count("\n") + 2
            yield Block(line, match["language"] or "", title and title[1], textwrap.dedent(match["code"]))


class Session:
    """What a reader has before them: a folder, a Python session, a shell."""

    def __init__(self, page: Path) -> None:
        self.page, self.printed = page, ""
        self.names: dict[str, object] = {"__name__": "__main__"}

    def run(self, block: Block) -> None:
        """Run a block, or fail with what was wrong and where."""
        if block.title is not None and block.language in PARSERS:
            PARSERS[block.language](block.code)
        if block.title == "Output":
            check_output(block.code, self.printed)
        elif block.title is not None:
            Path(block.title).parent.mkdir(parents=True, exist_ok=True)
            Path(block.title).write_text(block.code, encoding="utf-8")
        elif block.language == "python":
            self.run_python(block)
        elif block.language == "bash":
            run_command(block.code, "")
        elif block.language == "console":
            for command, shown in list_commands(block.code):
                run_command(command, shown)
        elif block.language in PARSERS:
            PARSERS[block.language](block.code)

    def run_python(self, block: Block) -> None:
        """Run a block of Python in the session of the page."""
        source = "\n" * (block.line - 1) + block.code
        code = compile(source, str(self.page), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            if code.co_flags & CO_COROUTINE:
                asyncio.run(eval(code, self.names))
            else:
                exec(code, self.names)
        self.printed = printed.getvalue()


def list_commands(code: str) -> Iterator[tuple[str, str]]:
    """Go through the commands of a console block, each with what it is said to print."""
    for one in re.split(r"(?m)^\$ ", code)[1:]:
        command, _, shown = re.sub(r"\\\n>? *", "", one).partition("\n")
        yield command, shown


def run_command(command: str, shown: str) -> None:
    """Run a command, unless it is one that changes more than the folder; of those see that they can be meant."""
    words = shlex.split(command, comments=True)
    if words[0] == "pip":
        extras = re.findall(r"\[(.+)\]", " ".join(words))
        known = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
        assert set(",".join(extras).split(",")) - {""} <= set(known), f"no such extra: {command}"
        return
    if words[0] == "make":
        words = [*words, "--dry-run", "--directory", str(ROOT)]
        subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
        return
    said = subprocess.run(
        ["bash", "-c", command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=120
    )
    expected = re.search(r"# exit code (\d+)", command)
    assert said.returncode == int(expected[1] if expected else 0), f"$ {command}\n{said.stdout}({said.returncode})"
    check_output(shown, said.stdout)


def check_output(shown: str, said: str) -> None:
    """Fail when something else was printed than the page shows, if it shows anything."""
    pattern = "".join(".*" if piece == "…" else re.escape(piece) for piece in re.split("(…)", shown.strip()))
    assert not shown.strip() or re.fullmatch(pattern, said.strip(), re.DOTALL), f"it printed:\n{said}"


def main(page: Path) -> None:
    """Run a page."""
    sys.path.insert(0, "")
    session = Session(page)
    for block in list_blocks(page.read_text(encoding="utf-8")):
        try:
            session.run(block)
        except BaseException as error:
            error.add_note(f"in the {block.language} block at {page}:{block.line}")
            raise


if __name__ == "__main__":
    main(Path(sys.argv[1]))
