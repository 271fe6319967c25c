"""The command line: formats, exit codes, versions, accepted breaks, and inputs that cannot be read."""

import copy
import html
import json
import re
from collections.abc import Callable
from contextlib import nullcontext, suppress
from dataclasses import FrozenInstanceError
from pathlib import Path
from random import Random
from typing import Any

import pytest
import yaml

from tests.spec_diff.support import BASE, CONTRACTS, RULES, edit, write
from tools.contract.document import Contract, UnreadableError, read_contract
from tools.project import ROOT
from tools.spec_diff import policy
from tools.spec_diff.__main__ import main
from tools.spec_diff.policy import POLICY, measure_bump, read_policy
from tools.spec_diff.redocly import Seen
from tools.spec_diff.report import Change, Report, render_github, render_markdown, render_text
from tools.spec_diff.wire.operations import compare

Run = Callable[..., tuple[int, str, str]]
LOCATION = "#/components/schemas/Kind/enum/c"


class Sighted:
    """Redocly, as far as these tests need it: it sees words. The real one is in the tests of single changes."""

    def __init__(self, old: Contract, new: Contract) -> None:
        key = "description"
        differ = old.document["info"].get(key) != new.document["info"].get(key)
        self.seen = [Seen("modified", key, ("info", key), ("info", key))] if differ else []

    def wait(self) -> list[Seen]:
        return self.seen


@pytest.fixture
def sighted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put something that is no process in the place of Redocly."""
    monkeypatch.setattr("tools.spec_diff.redocly.run", lambda old, new: nullcontext(Sighted(old, new).wait))


@pytest.fixture
def run(tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes], sighted: None) -> Run:
    """Compare the base contract with a changed one; return the exit code, stdout and stderr."""

    def run(change: Callable[[Any], Any], *arguments: str, version: str = "1.0.0") -> tuple[int, str, str]:
        old, new = write(tmp_path, BASE, edit(change, version))
        if "--allow" not in arguments:
            arguments = ("--allow", str(write_allowed(tmp_path, [])), *arguments)
        # What Python callers see has tests of its own, and takes two clients.
        if not any(argument.startswith("--only") for argument in arguments):
            arguments = ("--only=wire", *arguments)
        code = main([str(old), str(new), *arguments])
        output = capfdbinary.readouterr()
        return code, output.out.decode(), output.err.decode()

    return run


def write_allowed(folder: Path, entries: Any) -> Path:
    path = folder / "allow.yaml"
    path.write_text(json.dumps({"allow": entries}, indent=1), encoding="utf-8")
    return path


def add_value(document: Any) -> None:
    document["components"]["schemas"]["Kind"]["enum"].append("c")


def add_property(document: Any) -> None:
    document["components"]["schemas"]["Thing"]["properties"]["name"] = {"type": "string"}


def describe(document: Any) -> None:
    document["info"]["description"] = "After."


def do_nothing(document: Any) -> None:
    pass


@pytest.mark.parametrize(
    ("change", "version", "required", "breaking", "bump"),
    [
        (add_value, "1.0.0", "major", 1, 1),
        (add_value, "1.1.0", "major", 1, 1),
        (add_value, "2.0.0", "major", 0, 0),
        (add_property, "1.0.0", "minor", 0, 1),
        (add_property, "1.0.1", "minor", 0, 1),
        (add_property, "1.1.0", "minor", 0, 0),
        (describe, "1.0.0", "patch", 0, 1),
        (describe, "1.0.1", "patch", 0, 0),
        (do_nothing, "1.0.0", "none", 0, 0),
        (do_nothing, "1.0.1", "none", 0, 0),
    ],
)
def test_version_covers_what_changed(
    run: Run, change: Callable[[Any], Any], version: str, required: str, breaking: int, bump: int
) -> None:
    """A break needs a major version, something new a minor one, words a patch."""
    code, output, _ = run(change, "--format=json", version=version)
    assert (json.loads(output)["bump"], code) == (required, breaking)
    assert run(change, "--fail-on=bump", version=version)[0] == bump
    assert run(change, "--fail-on=none", version=version)[0] == 0


@pytest.mark.parametrize(
    ("old", "new", "bump"),
    [
        ("1.2.3", "2.0.0", "major"),
        ("1.2.3", "1.3.0", "minor"),
        ("1.2.3", "1.2.4", "patch"),
        ("1.2.3", "1.2.3", "none"),
        ("1.2.3", "1.1.9", "none"),
        ("1.9.0", "1.10.0", "minor"),
        ("1.2.3-beta.1", "1.2.3", "none"),
    ],
)
def test_bump(old: str, new: str, bump: str) -> None:
    """A bump is the first number that was raised; a version that sank is none."""
    assert bump == measure_bump(old, new)


def test_json_has_the_documented_shape(run: Run) -> None:
    """Programs read exactly these keys."""
    _, output, _ = run(add_value, "--format=json", version="1.1.0")
    assert json.loads(output) == {
        "old": "1.0.0",
        "new": "1.1.0",
        "bump": "major",
        "breaking": True,
        "missing": [],
        "changes": [
            {
                "operation": "get_thing, put_thing",
                "location": LOCATION,
                "line": json.loads(output)["changes"][0]["line"],
                "kind": "enum-value-added",
                "level": "breaking",
                "message": 'Kind: the value "c" was added (sent: non-breaking, received: breaking)',
                "python": [],
                "installed_clients": None,
            }
        ],
    }


def test_markdown_shows_the_break_and_folds_the_rest(run: Run) -> None:
    """The verdict comes first, then what breaks, then the rest behind a fold."""

    def change(document: Any) -> None:
        add_value(document)
        add_property(document)
        describe(document)

    _, output, _ = run(change, "--format=markdown", version="1.1.0")
    verdict, *rest = output.splitlines()
    assert verdict == (
        "🔴 **Breaking (1 breaking change). Required bump: major. Actual: minor, 1.0.0 → 1.1.0: not enough.**"
    )
    text = "\n".join(rest)
    shown, folded = text.split("<details>")
    assert shown.count("\n- ") == shown.count("🔴 **breaking**") == 1
    assert "<summary>1 non-breaking, 1 note</summary>" in folded
    assert folded.rstrip().endswith("</details>")


def test_every_format_says_that_nothing_changed(run: Run) -> None:
    """Silence could be a failure, so it is said; annotations alone have nothing to point at."""
    assert run(do_nothing)[1] == "Nothing changed (1.0.0 → 1.0.0).\n"
    assert run(do_nothing, "--format=markdown")[1] == "🟢 **Nothing changed (1.0.0 → 1.0.0).**\n"
    assert json.loads(run(do_nothing, "--format=json")[1])["changes"] == []
    assert run(do_nothing, "--format=github")[1] == ""


def test_github_annotates_the_line(run: Run) -> None:
    """A break is an error at its line, as long as the version does not cover it."""
    output = run(add_value, "--format=github")[1]
    assert re.search(
        r"(?m)^::error file=new\.json,line=\d+,title=breaking%3A enum-value-added::Kind: the value", output
    )
    assert "::error" not in run(add_value, "--format=github", version="2.0.0")[1]


def test_nothing_of_a_contract_becomes_markup_or_a_command() -> None:
    """What a stranger writes into a contract is shown and never obeyed."""
    evil = "x\n::error::y <img src=x> [a](b) `c` @all | %0A"
    change = Change(evil, evil, 1, "enum-value-added", "breaking", evil)
    report = Report("1.0.0", "1.0.0", (change,), "major", "none", file="a,b:c.yaml")
    markdown = render_markdown(report)
    assert not re.search(r"<img|\]\(|`|@all|\n::", markdown)
    # GitHub looks for names to tell when entities are characters again.
    assert "@all" not in html.unescape(markdown)
    assert evil.replace("\n", " ") in html.unescape(markdown).replace("\u200b", "")
    lines = render_github(report).splitlines()
    assert len(lines) == 2
    assert all(line.startswith("::error ") for line in lines)
    assert "file=a%2Cb%3Ac.yaml" in lines[1]
    assert "%250A" in lines[1]


def test_what_extensions_add_is_shown() -> None:
    """What Python callers and installed clients see stands below the change."""
    change = Change("get_thing", "#/x", 1, "enum-value-added", "breaking", "m", ("Kind.C is new",), "tolerated")
    report = Report("1.0.0", "2.0.0", (change,), "major", "major")
    assert "Python: Kind.C is new" in render_text(report)
    assert "  - installed clients: tolerated" in render_markdown(report)


def test_long_list_of_operations_is_cut() -> None:
    """A heading names a few operations; the JSON names all."""
    change = Change(", ".join("abcdefg"), "#/x", 1, "enum-value-added", "note", "m")
    assert "a, b, c, d and 3 more" in render_text(Report("1.0.0", "1.0.0", (change,), "patch", "none"))


@pytest.mark.usefixtures("sighted")
@pytest.mark.parametrize(("old", "new"), [("v1", "v2"), ("2024-10-01", "2025-01-01"), ("71", "72"), ("1.0", "2.0")])
def test_no_bump_is_demanded_of_a_version_that_is_no_three_numbers(
    tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes], old: str, new: str
) -> None:
    """A break is one all the same, and something new is not."""
    for change, code in ((add_property, 0), (add_value, 1)):
        documents = edit(lambda _: None, old), edit(change, new)
        arguments = [*map(str, write(tmp_path, *documents)), "--only=wire", "--fail-on=bump"]
        assert main([*arguments, "--allow", str(write_allowed(tmp_path, []))]) == code
        assert f"{old} → {new}: no X.Y.Z, so no bump is demanded." in capfdbinary.readouterr().out.decode()


@pytest.mark.parametrize(
    ("only", "kinds", "has_words"),
    [
        ("wire", {"documentation-changed", "enum-value-added"}, False),
        ("installed", {"documentation-changed", "enum-value-added"}, True),
        ("wire,installed", {"documentation-changed", "enum-value-added"}, True),
    ],
)
def test_part_of_the_comparison(run: Run, only: str, kinds: set[str], has_words: bool) -> None:
    """What is asked for is compared, and nothing else."""

    def change(document: Any) -> None:
        add_value(document)
        describe(document)

    changes = json.loads(run(change, f"--only={only}", "--format=json")[1])["changes"]
    assert {each["kind"] for each in changes} == kinds
    assert all((each["installed_clients"] is not None) == has_words for each in changes)


def test_part_that_there_is_not(capsys: pytest.CaptureFixture[str]) -> None:
    """A slip is told of, with the parts that there are."""
    with pytest.raises(SystemExit):
        main(["old.yaml", "new.yaml", "--only=wires"])
    assert "'wires' is no part; name some of wire, python, installed" in capsys.readouterr().err


def test_breaking_changes_come_first(run: Run) -> None:
    """Whatever the operations, what breaks stands above the rest."""

    def change(document: Any) -> None:
        document["paths"]["/things/{id}"]["get"]["deprecated"] = True
        document["paths"]["/things/{id}"]["put"]["parameters"] = [
            {"name": "q", "in": "query", "required": True, "schema": {"type": "string"}}
        ]

    levels = re.findall(r"(?m)^  (breaking|non-breaking|note) ", run(change)[1])
    assert levels == ["breaking", "non-breaking"]


@pytest.mark.parametrize("name", ["text", "markdown", "json", "github"])
def test_control_characters_are_shown(run: Run, name: str) -> None:
    """Nothing of a contract moves the cursor, ends a line, or turns the direction of writing."""
    evil = "a\n::error::b\x1b[31m\x9b\u202e\u2028\ufeff"

    def change(document: Any) -> None:
        document["components"]["schemas"]["Thing"]["properties"][evil] = {"type": "string"}

    output = run(change, f"--format={name}")[1]
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e\ufeff]|(?m:^::error::b)", output)
    if name == "json":
        assert evil in json.loads(output)["changes"][0]["message"]


# Accepted breaks


def test_accepted_break_passes_with_a_minor_version(run: Run, tmp_path: Path) -> None:
    """A line with a reason stands for the major version, and the report gives the reason."""
    entry = {"kind": "enum-value-added", "location": LOCATION, "reason": "Clients keep what they do not know."}
    allow = str(write_allowed(tmp_path, [entry]))
    code, output, _ = run(add_value, "--allow", allow, "--fail-on=bump", version="1.1.0")
    assert code == 0
    assert output.startswith("Breaking, accepted (1 breaking change). Required bump: minor. Actual: minor")
    assert "accepted: Clients keep what they do not know." in output
    assert run(add_value, "--allow", allow, "--fail-on=bump", version="1.0.1")[0] == 1


@pytest.mark.parametrize("key", ["kind", "location"])
def test_entry_accepts_only_what_it_names(run: Run, tmp_path: Path, key: str) -> None:
    """Another value, or another kind of change, is not accepted; the entry is reported as unused."""
    entry = {"kind": "enum-value-added", "location": LOCATION, "reason": "x"}
    entry[key] = {"kind": "enum-value-removed", "location": f"{LOCATION}c"}[key]
    code, output, _ = run(add_value, "--allow", str(write_allowed(tmp_path, [entry])), version="1.1.0")
    assert code == 1
    assert f"allow.yaml:3: accepts nothing here: {entry['kind']} at {entry['location']}" in output


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"kind": "enum-value-added", "location": LOCATION}, "the entry has no reason"),
        ({"kind": "enum-value-added", "location": LOCATION, "reason": " "}, "the entry has no reason"),
        ({"kind": "enum-value-added", "reason": "x"}, "the entry has no location"),
        ({"kind": "nonsense", "location": LOCATION, "reason": "x"}, "no rule is called nonsense"),
        ({"kind": "enum-value-added", "location": LOCATION, "reason": "x", "why": "y"}, "and nothing else"),
        ("enum-value-added", "and nothing else"),
    ],
)
def test_entry_that_is_no_good_is_an_error(run: Run, tmp_path: Path, entry: Any, message: str) -> None:
    """An entry without a reason accepts nothing; it stops the comparison, with its line."""
    code, output, errors = run(add_value, "--allow", str(write_allowed(tmp_path, [entry])))
    assert (code, output) == (2, "")
    assert re.fullmatch(rf"allow\.yaml:3: .*{message}\n", errors)


def test_allow_file_that_is_named_has_to_be_there(run: Run, tmp_path: Path) -> None:
    """A name with a slip in it is not an empty list."""
    assert run(do_nothing, "--allow", str(tmp_path / "missing.yaml"))[0] == 2


# The policy


def test_policy_sets_the_level(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A rule that is set to another level is judged by it."""
    document = yaml.safe_load(POLICY.read_text(encoding="utf-8"))
    document["schemas"]["enum-value-added"] |= {"response": "non-breaking", "because": "readers are tolerant"}
    path = tmp_path / "policy.yaml"
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    monkeypatch.setattr(policy, "POLICY", path)
    code, output, _ = run(add_value, "--format=json")
    assert (code, json.loads(output)["breaking"]) == (0, False)


def test_policy_has_all_that_is_read_of_it() -> None:
    """A level and a reason for each rule and direction, and a word for installed clients with a reason."""
    document = yaml.safe_load(POLICY.read_text(encoding="utf-8"))
    assert document.keys() == {"schemas", "contract", "python"}
    for section, rule, entry in [(section, *item) for section, rules in document.items() for item in rules.items()]:
        keys = {*policy.WAYS} if section == "schemas" else {"level"}
        if section == "contract" and "level" not in entry:
            keys = {*policy.WAYS}
        assert entry.keys() == {*keys, "because"} | ({"installed"} if section != "python" else set()), rule
        assert all(entry[key] in policy.LEVELS for key in keys), rule
        assert entry["because"].strip(), rule
        said = entry.get("installed", policy.NOT_ON_THE_WIRE)
        effects = said if section == "schemas" else {"level": said}
        assert section != "schemas" or effects.keys() == policy.WAYS.keys(), rule
        for key, text in effects.items():
            word, _, why = text.partition(": ")
            assert word in policy.WORDS, rule
            assert why or (key, word) in policy.WHYS, rule


def test_policy_reads_as_the_design_says() -> None:
    """What narrows breaks what we send, what widens breaks what we receive; a changed thing breaks both."""
    rules = read_policy().rules
    levels = {name: {way: rule[way] for way in policy.WAYS if way in rule} for name, rule in rules.items()}
    for rule in RULES["schemas"]:
        way = rule.rpartition("-")[2]
        if way == "narrowed":
            assert levels[rule] == {"request": "breaking", "response": "non-breaking"}, rule
        elif way == "widened":
            assert levels[rule] == {"request": "non-breaking", "response": "breaking"}, rule
        elif way == "changed" and rule != "default-changed":
            assert levels[rule] == {"request": "breaking", "response": "breaking"}, rule


# Inputs that cannot be read

DOCUMENT = "openapi: 3.1.1\ninfo: {title: T, version: 1.0.0}\npaths: {}\n"


@pytest.mark.parametrize(
    ("text", "where", "reason"),
    [
        ("a: [1\nb: 2\n", ":2: ", ""),
        ("- 1\n", ":1: ", "not an OpenAPI document"),
        ("", ":1: ", "not an OpenAPI document"),
        ("swagger: '2.0'\n", ":1: ", "not an OpenAPI 3 document"),
        ("openapi: 3.1.1\ninfo:\n  title: T\n", ":2: ", "info.version"),
        (
            "openapi: 3.1\ninfo: {version: 1.0.0}\n",
            ":1: ",
            "openapi: 3.1 is no text",
        ),
        ("openapi: 3.2.0\ninfo: {version: 1.0.0}\n", ":1: ", "openapi '3.2.0' is not known here"),
        (DOCUMENT + "x:\n  $ref: '#thing'\n", ":5: ", "names an anchor; only JSON pointers"),
        (DOCUMENT + "x:\n  $dynamicRef: '#thing'\n", ":5: ", "names an anchor; only JSON pointers"),
        (DOCUMENT + f"x: {'9' * 390}\n", ":4: ", "a number of 390 characters"),
        (DOCUMENT + "x: 1e400\n", ":4: ", "the number 1e400 is too large"),
        (
            '{"openapi": "3.1.1",\n"info": {"version": "1"}, "paths": {}, "x": ' + "9" * 390 + "}",
            ":2: ",
            "390 characters",
        ),
        ('{"openapi": "3.1.1",\n"info": {"version": "1"},\n"paths": {}, "x": 1, "x": 2}', ":3: ", "'x' is there twice"),
        (DOCUMENT + "x: !!python/object/apply:os.system [echo]\n", ":4: ", "tag"),
        (DOCUMENT + "x: !!python/name:os.system ''\n", ":4: ", "tag"),
        (DOCUMENT + "info: {}\n", ":4: ", "'info' is there twice"),
        (DOCUMENT + "x: {<<: {a: 1}}\n", ":4: ", "merge keys"),
        (DOCUMENT + "x: {[1]: 2}\n", ":4: ", "a key is neither"),
        (DOCUMENT + "x:\n  $ref: /etc/passwd\n", ":5: ", "leads out of the document"),
        (DOCUMENT + "x:\n  $ref: http://127.0.0.1:1/x\n", ":5: ", "leads out of the document"),
        (DOCUMENT.replace("{}", "\n  /x:\n    $ref: '#/components/y'"), ":5: ", "leads nowhere"),
        (DOCUMENT.replace("{}", "\n  /x:\n    $ref: '#/paths/~1x'"), ":5: ", "leads back to itself"),
        (
            DOCUMENT.replace("{}", "\n  /x:\n    $ref: '#/paths/~1y'\n    get: {}\n  /y: {}"),
            ":4: ",
            "with more beside it",
        ),
        (DOCUMENT.replace("{}", "\n  /x:\n    get: 1"), ":5: ", "an operation should be an object"),
        (DOCUMENT.replace("{}", "\n  /x: 1"), ":4: ", "a path should be an object"),
        (DOCUMENT + "x: " + "[" * 400 + "]" * 400 + "\n", ":4: ", "levels deep"),
        (DOCUMENT + "x: " + "[" * 100_000 + "\n", ":", ""),
        (
            DOCUMENT
            + "a: &a [x,x,x,x,x,x,x,x,x,x]\n"
            + "".join(
                f"{name}: &{name} [{','.join([f'*{before}'] * 10)}]\n"
                for before, name in zip("abcdef", "bcdefg", strict=True)
            ),
            ":",
            "more than 600,000 values",
        ),
        (DOCUMENT + "a: &a [*a]\n", ":4: ", "or for itself"),
        (b"openapi: 3.1.1\nx: \xff\n", ":2: ", "not UTF-8"),
        (None, ": ", "No such file"),
    ],
)
def test_input_that_cannot_be_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str | bytes | None, where: str, reason: str
) -> None:
    """Exit 2, and stderr says which file, which line and why, whichever of the two it is."""
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    good.write_text(DOCUMENT, encoding="utf-8")
    if text is not None:
        bad.write_bytes(text.encode() if isinstance(text, str) else text)
    for arguments in ([good, bad], [bad, good]):
        assert main([str(path) for path in arguments]) == 2
        output = capsys.readouterr()
        assert output.out == ""
        assert re.match(f"{re.escape(str(bad))}({where})", output.err)
        assert re.search(reason, output.err)
        assert "Traceback" not in output.err


def test_json_is_read_as_json(tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    """Pairs of surrogates are one character, tabs are spaces, keys are as long as they like, and lines are counted."""
    key = "k" * 2000
    head = (
        '{\t"openapi": "3.1.1",\n"info": {"title": "\\ud83d\\ude00 \\/ %s", "version": "1"},\n"paths": {},\n"x-%s": 1}'
    )
    paths = [tmp_path / name for name in ("old.json", "new.json")]
    for path, name in zip(paths, ("a", "b"), strict=True):
        path.write_text(head % (name, key), encoding="utf-8")
    contract = read_contract(paths[0])
    assert contract.document["info"]["title"] == "\U0001f600 / a"
    assert main([*map(str, paths), "--only=wire"]) == 0
    assert "documentation-changed at #/info/title, line 2" in capfdbinary.readouterr().out.decode()


def test_reference_may_be_percent_encoded(tmp_path: Path) -> None:
    """A reference is a part of a URL."""

    def change(document: Any) -> None:
        schemas = document["components"]["schemas"]
        schemas["A {B}"] = schemas.pop("Kind")
        for name in ("kind", "other"):
            schemas["Thing"]["properties"][name] = {"$ref": "#/components/schemas/A%20%7BB%7D"}

    old, new = map(read_contract, write(tmp_path, BASE, edit(change)))
    assert compare(old, new, list) == []


JUNK: list[Any] = [
    *(None, 1, "x", [], {}, [1], [{}], {"a": 1}, True, -1, 1.5, ["a"], [[]], {"type": "null"}, {"type": {}}),
    *({"$ref": "#/components/schemas/Thing"}, {"$ref": 1}, {"oneOf": 1}, {"enum": {}}, {"required": [{}]}),
]


@pytest.mark.parametrize("seed", range(3))
def test_contract_with_nonsense_in_it(tmp_path: Path, seed: int) -> None:
    """Whatever stands where something else should, the comparison says what it sees or that it cannot read it."""
    random = Random(seed)
    places = [place for place in list_places(BASE) if place]
    good = read_contract(write(tmp_path, BASE, BASE)[0])
    for _ in range(60):
        *path, last = random.choice(places)
        document = copy.deepcopy(BASE)
        holder: Any = document
        for step in path:
            holder = holder[step]
        holder[last] = random.choice(JUNK)
        with suppress(UnreadableError):
            bad = read_contract(write(tmp_path, BASE, document)[1])
            for old, new in ((good, bad), (bad, good)):
                with suppress(UnreadableError):
                    [*map(read_policy().judge, compare(old, new, list))]


def list_places(value: Any, place: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place, *(each for key, child in items for each in list_places(child, (*place, key)))]


def test_input_that_is_too_large(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file beyond the bound is not read to its end."""
    monkeypatch.setattr("tools.contract.document.MAX_BYTES", 1 << 20)
    path = tmp_path / "large.yaml"
    path.write_bytes(b"#" * (2 << 20))
    assert main([str(path), str(path)]) == 2
    assert "large.yaml: more than 1 MiB" in capsys.readouterr().err


def test_dates_and_yes_are_texts(run: Run, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    """YAML's own types are none of OpenAPI's: what other readers take for a text is one here."""
    paths = tmp_path / "a.yaml", tmp_path / "b.yaml"
    headers = "headers: {A: {schema: {enum: [%s]}}}"
    schema = f"paths: {{/x: {{get: {{operationId: g, responses: {{'200': {{description: d, {headers}}}}}}}}}}}"
    for path, values in zip(paths, ("on, 2020-01-01, 1_0", "'on', '2020-01-01', '1_0'"), strict=True):
        path.write_text(DOCUMENT.replace("paths: {}", schema % values), encoding="utf-8")
    assert main([str(path) for path in paths]) == 0
    assert b"Nothing changed" in capfdbinary.readouterr().out


@pytest.mark.usefixtures("sighted")
def test_no_path_of_the_machine_is_in_the_report(tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    """Whatever the format, a report names no folder, also not that of a contract from which no client can be made."""

    def answer_with_a_picture(document: Any) -> None:
        add_value(document)
        content = {"image/png": {"schema": {"type": "string", "format": "binary"}}}
        document["paths"]["/things/{id}"]["get"]["responses"]["200"] = {"description": "x", "content": content}

    old, new = write(tmp_path, BASE, edit(answer_with_a_picture))
    for name in ("text", "markdown", "json", "github"):
        assert main([str(old), str(new), f"--format={name}", "--fail-on=none"]) == 0
        output = capfdbinary.readouterr().out.decode()
        assert "python is missing: no client can be generated from the new contract" in html.unescape(output)
        assert "enum-value-added" in output
        assert not any(str(folder) in output for folder in (tmp_path, ROOT))


# The service's history


@pytest.mark.parametrize(
    ("old", "new", "code", "expected"),
    [
        (
            "1.0.0",
            "1.1.0",
            1,
            [
                (
                    "create_upload, retrieve_upload, trigger_upload_action",
                    "#/components/schemas/UploadKind/enum/text",
                    "breaking",
                    'UploadKind: the value "text" was added (sent: non-breaking, received: breaking)',
                )
            ],
        ),
        (
            "1.1.0",
            "1.2.0",
            0,
            [
                (
                    "create_upload, retrieve_upload, trigger_upload_action",
                    "#/components/parameters/ProjectId",
                    "non-breaking",
                    "the optional query parameter projectId was added",
                )
            ],
        ),
        (
            "1.2.0",
            "1.3.0",
            0,
            [
                (
                    "create_upload",
                    "#/paths/~1uploads/post/responses/269",
                    "non-breaking",
                    "the status 269 was added",
                ),
                (
                    "create_upload",
                    "#/components/parameters/DryRun",
                    "non-breaking",
                    "the optional query parameter dryRun was added",
                ),
            ],
        ),
    ],
)
def test_history_of_the_service(
    capfdbinary: pytest.CaptureFixture[bytes], tmp_path: Path, old: str, new: str, code: int, expected: list[Any]
) -> None:
    """Each step of the uploads surface gives this report; a note tells that the words changed with it."""
    paths = [str(CONTRACTS / f"{version}.yaml") for version in (old, new)]
    allow = str(write_allowed(tmp_path, []))
    assert code == main([*paths, "--format=json", "--fail-on=bump", "--only=wire", "--allow", allow])
    report = json.loads(capfdbinary.readouterr().out)
    assert (report["old"], report["new"]) == (old, new)
    changes = [tuple(each[key] for key in ("operation", "location", "level", "message")) for each in report["changes"]]
    note = ("", "#/info/description", "note", "the contract: description was changed")
    assert [*expected, note] == changes
    text = (CONTRACTS / f"{new}.yaml").read_text(encoding="utf-8").splitlines()
    for each in report["changes"][:-1]:
        name = each["location"].rpartition("/")[2]
        assert name in text[each["line"] - 1]


def test_change_is_frozen() -> None:
    """Extensions make new changes and alter none."""
    change = Change("a", "#/x", 1, "enum-value-added", "note", "m")
    with pytest.raises(FrozenInstanceError):
        change.line = 2  # type: ignore[misc]
