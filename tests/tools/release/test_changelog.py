"""The draft of a changelog's entry: what it says of each change, where it goes, and when there is none to write."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.spec_diff.support import BASE, RULES, edit
from tests.support.project import CHANGELOG, Mini
from tools.contract.document import UnreadableError
from tools.project import ROOT
from tools.release.__main__ import main
from tools.release.changelog import describe_change, find_entry, find_section, insert_entry
from tools.spec_diff.report import Change

Run = Callable[..., tuple[int, str, str]]
BREAK = {"kind": "enum-value-added", "location": "#/components/schemas/Kind/enum/c"}


def change(document: Any) -> None:
    """Change something of every section."""
    document["components"]["schemas"]["Kind"]["enum"].append("c")
    document["components"]["schemas"]["Thing"]["properties"]["na_me*"] = {"type": "string"}
    document["info"]["description"] = "After."
    operations = document["paths"]["/things/{id}"]
    operations["put"]["deprecated"] = True
    del operations["put"]["responses"]["404"]
    operations["post"] = {"operationId": "post_thing", "responses": {"200": {"description": "x"}}}


DRAFT = """### [1.1.0]

#### Added

- **breaking** In `get_thing` and `put_thing`, Kind: the value "c" was added (sent: non-breaking, received: breaking).
  Accepted: Readers are tolerant.
- `post_thing`: POST /things/{id} was added.
- In `get_thing` and `put_thing`, Thing.na_me\\*: the optional property na_me\\* was added (sent and received).

#### Changed

- The contract: description was changed.

#### Deprecated

- `put_thing`: deprecated.

#### Removed

- In `put_thing`, the status 404 was removed.
"""


@pytest.fixture
def run(mini: Mini, capfdbinary: pytest.CaptureFixture[bytes]) -> Run:
    """Run the command line on a project in miniature; return the exit code, stdout and stderr."""

    def run(*arguments: str) -> tuple[int, str, str]:
        code = main(["draft", "--root", str(mini.root), *arguments])
        output = capfdbinary.readouterr()
        return code, output.out.decode(), output.err.decode()

    return run


def test_draft_has_each_fact_in_its_section(run: Run, mini: Mini) -> None:
    """One line for each fact, breaking ones marked and first, accepted ones with the reason; nothing is written."""
    mini.release(BASE)
    mini.write(edit(change, "1.1.0"))
    mini.accept(**BREAK, reason="Readers are tolerant.")
    assert (0, DRAFT, "") == run("--print")
    assert CHANGELOG == mini.changelog.read_text(encoding="utf-8")


def test_draft_goes_above_the_older_entries(run: Run, mini: Mini) -> None:
    """And what is there stays as it was; once it is there, it is not touched any more."""
    mini.release(BASE)
    mini.write(edit(change, "1.1.0"))
    mini.accept(**BREAK, reason="Readers are tolerant.")
    assert run()[0] == 0
    before, after = CHANGELOG.split("### [1.0.0]")
    assert f"{before}{DRAFT}\n### [1.0.0]{after}" == mini.changelog.read_text(encoding="utf-8")
    written = mini.changelog.read_bytes()
    code, output, errors = run()
    assert (code, output) == (1, "")
    assert errors.startswith("CHANGELOG.md:11: there is an entry for 1.1.0 already; ")
    assert written == mini.changelog.read_bytes()
    assert (0, DRAFT) == run("--print")[:2]


def test_first_version_names_its_operations(run: Run, mini: Mini) -> None:
    """There is nothing that it differs from."""
    mini.write(BASE)
    mini.changelog.write_text("# Changelog\n\n## Contract\n", encoding="utf-8")
    assert run()[0] == 0
    entry = "### [1.0.0]\n\n#### Added\n\n- The first version, with `get_thing` and `put_thing`.\n"
    expected = f"# Changelog\n\n## Contract\n\n{entry}"
    assert expected == mini.changelog.read_text(encoding="utf-8")


def test_version_comes_before_the_entry(run: Run, mini: Mini) -> None:
    """An entry is about a version, and the released one has its own."""
    mini.release(BASE)
    mini.write(edit(lambda document: document["info"].update(description="After.")))
    mini.changelog.write_text("## Contract\n", encoding="utf-8")
    code, _, errors = run()
    assert code == 1
    assert re.fullmatch(
        r"openapi\.yaml:\d+: 1\.0\.0 is released and cannot change any more; raise .* to 1\.0\.1 or above\.\n", errors
    )


def test_number_alone_can_change(run: Run, mini: Mini) -> None:
    """The draft then says so."""
    mini.release(BASE)
    mini.write(edit(lambda document: None, "1.0.1"))
    assert run("--print")[1] == "### [1.0.1]\n\n#### Changed\n\n- Nothing but the number.\n"


def test_changelog_without_a_place_is_an_error(run: Run, mini: Mini) -> None:
    """It ends with 2 and writes nothing."""
    mini.write(edit(change, "1.1.0"))
    mini.changelog.write_text("# Changelog\n", encoding="utf-8")
    assert run() == (2, "", "CHANGELOG.md: no heading `## Contract`, under which the entry belongs\n")
    mini.changelog.unlink()
    assert run()[0] == 2


SECTIONS = {
    "operation-added": "Added",
    "required-parameter-added": "Added",
    "enum-value-added": "Added",
    "property-added-to-closed": "Added",
    "success-status-added": "Added",
    "security-added": "Added",
    "operation-removed": "Removed",
    "enum-value-removed": "Removed",
    "response-media-type-removed": "Removed",
    "deprecated": "Deprecated",
    "undeprecated": "Changed",
    "enum-added": "Changed",
    "null-added": "Changed",
    "pattern-removed": "Changed",
    "default-added": "Changed",
    "keyword-added": "Changed",
    "type-changed": "Changed",
    "property-became-required": "Changed",
    "documentation-changed": "Changed",
}


@pytest.mark.parametrize(("kind", "section"), SECTIONS.items())
def test_section_of_a_change(kind: str, section: str) -> None:
    """What bounds something that was there before has changed it; what is new or gone is said so."""
    assert kind in RULES["schemas"] | RULES["contract"]
    assert section == find_section(kind)


def test_every_rule_has_a_section() -> None:
    """What is called changed, narrowed and the like is neither added nor removed."""
    for kind in RULES["schemas"] | RULES["contract"]:
        section = find_section(kind)
        assert section == "Changed" or kind.removesuffix("-to-closed").endswith(section.lower()), kind


def test_sentence_says_what_becomes_of_installed_clients() -> None:
    """For a break, that is what readers want to know; all operations are named as such."""
    one = Change("a, b", "#/x", 1, "enum-value-added", "breaking", "Kind: <x> `c` [a](b)", (), "tolerated")
    assert describe_change(one, ["a", "b"]) == (
        r"**breaking** In all operations, Kind: \<x> \`c\` [a]\(b). Installed clients: tolerated."
    )
    assert describe_change(one, ["a", "b", "c"]).startswith("**breaking** In `a` and `b`, Kind")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("## Contract\n\n### [1.1.0]\n\n- x\n", 3),
        ("## Contract\n\n### [1.1.0] - 2026-01-01\n\n#### Added\n\n- x\n", 3),
        ("## Contract\n\n### [1.1.0]\n\n### [1.0.0]\n\n- x\n", None),
        ("## Contract\n\n### [1.1.0]\n\n#### Added\n", None),
        ("## Contract\n\n### [1.1.01]\n\n- x\n", None),
        ("## Contract\n\n### [1x1.0]\n\n- x\n", None),
        ("## Contract\n\n## Other\n\n### [1.1.0]\n\n- x\n", None),
        ("### [1.1.0]\n\n- x\n\n## Contract\n", None),
        ("", None),
    ],
)
def test_entry_is_found_under_its_heading_alone(text: str, line: int | None) -> None:
    """One without a word in it is none."""
    assert line == find_entry(text, "1.1.0")


def test_entry_goes_below_what_introduces_the_section() -> None:
    """And above what comes after the section."""
    text = "## Contract\n\nWords.\n\n## Links\n\nx\n"
    assert insert_entry(text, "### [1.1.0]", "x") == "## Contract\n\nWords.\n\n### [1.1.0]\n\n## Links\n\nx\n"
    with pytest.raises(UnreadableError, match=r"^x: no heading"):
        insert_entry("", "### [1.1.0]", "x")


def test_contract_of_this_project_has_its_entry() -> None:
    """What the gate demands of it."""
    released = [path.stem for path in (ROOT / "contracts").glob("*.yaml")]
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert released
    assert [version for version in released if not find_entry(changelog, version)] == []
