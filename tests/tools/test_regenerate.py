"""All that follows an edit of the contract in one command, and what it says at the end."""

import shutil
from collections.abc import Callable

import pytest

from tests.spec_diff.support import CONTRACTS
from tests.support.project import Mini
from tools.client.generate import PACKAGE
from tools.client.generate import main as generate
from tools.client.handwritten_layer import CALLS, CLIENT
from tools.client.unasync import PACKAGE as LAYER
from tools.project import ROOT
from tools.release.__main__ import TESTS
from tools.release.__main__ import main as release

Run = Callable[..., tuple[int, str, str]]
BREAK = {"kind": "enum-value-added", "location": "#/components/schemas/UploadKind/enum/text"}


@pytest.fixture
def project(mini: Mini) -> Mini:
    """The project as it was when 1.0.0 had been released."""
    for path in (mini.contract, mini.root / "contracts" / "1.0.0.yaml"):
        path.parent.mkdir(exist_ok=True)
        shutil.copyfile(CONTRACTS / "1.0.0.yaml", path)
    for place, text in WRITTEN.items():
        (mini.root / place).parent.mkdir(parents=True)
        (mini.root / place).write_text(text, encoding="utf-8")
    return mini


WRITTEN = {
    CLIENT: "self.uploads = AsyncUploads(api)\nclass AsyncUploads(AsyncUploadsOperations): ...\n",
    CALLS: "def create(body): ...\ndef retrieve(upload_id): ...\ndef trigger_action(upload_id, body): ...\n",
}


@pytest.fixture
def run(project: Mini, capfdbinary: pytest.CaptureFixture[bytes]) -> Run:
    """Run the two commands of the Makefile; return the exit code, stdout and stderr, those of the tests included."""

    def run(*arguments: str, tests: str = "echo tests ran") -> tuple[int, str, str]:
        client = project.root / "generated_client"
        code = generate(["--contract", str(project.contract), "--target", str(client)])
        code = code or release(["review", "--root", str(project.root), "--tests", tests, *arguments])
        output = capfdbinary.readouterr()
        return code, output.out.decode(), output.err.decode()

    return run


def edit(project: Mini, version: str) -> None:
    shutil.copyfile(CONTRACTS / f"{version}.yaml", project.contract)


def test_edit_that_breaks(run: Run, project: Mini) -> None:
    """The client is built, the change is told, the tests run, and what is left to do is said last."""
    assert run()[0] == 0
    project.commit()
    edit(project, "1.1.0")
    code, output, errors = run()
    assert (code, errors) == (0, "")
    assert 'TEXT = "text"' in (project.root / "generated_client" / PACKAGE / "models" / "upload_kind.py").read_text(
        "utf-8"
    )
    report, end = output.split("What to look at\n")
    assert "Since the released 1.0.0" in report
    assert 'UploadKind: the value "text" was added' in report
    assert report.rstrip("-\n ").endswith("tests ran")
    assert (
        "since 1.0.0: Breaking (1 breaking change). Required bump: major. Actual: minor, 1.0.0 → 1.1.0: not enough."
        in end
    )
    assert "info.version 1.1.0 does not cover what changed since 1.0.0: raise it to 2.0.0 or above" in end
    assert (
        '  - kind: enum-value-added\n    location: "#/components/schemas/UploadKind/enum/text"\n    reason: ...\n'
        in end
    )
    assert "* CHANGELOG.md: no entry `### [1.1.0]`" in end
    committed = end.partition("To commit together:\n")[2].splitlines()
    assert {" M openapi.yaml", f" M generated_client/{PACKAGE}/models/upload_kind.py"} <= {*committed}


def test_what_it_suggests_is_what_the_gate_wants(run: Run, project: Mini) -> None:
    """Accepted, noted, written by hand and released: two steps of the history, each done as it says."""
    root = ["--root", str(project.root)]
    assert release(["check", *root]) == 0
    project.commit()
    for version in ("1.1.0", "1.2.0"):
        edit(project, version)
        if version == "1.1.0":
            project.accept(**BREAK, reason="Readers are tolerant.")
        assert release(["check", *root]) == 1
        assert release(["draft", *root]) == 0
        output = run(tests="")[1]
        assert "To do:" not in output
        assert f"Once {version} is final, `make release-contract` records it." in output
        assert release(["check", *root]) == 0
        assert release(["record", *root]) == 0
        assert release(["check", *root]) == 0
        assert "is final" not in run(tests="")[1]
        project.commit(version)
    released = sorted(path.name for path in (project.root / "contracts").glob("*.yaml"))
    assert released == ["1.0.0.yaml", "1.1.0.yaml", "1.2.0.yaml"]


def test_what_the_handwritten_layer_lacks_is_said(run: Run, project: Mini) -> None:
    """It is to be done; what the allow file has too much is to be looked at."""
    edit(project, "1.3.0")
    shutil.copyfile(CONTRACTS / "1.1.0.yaml", project.root / "contracts" / "1.1.0.yaml")
    project.accept(**BREAK, reason="Readers are tolerant.")
    _, output, _ = run()
    todo = output.split("To do:\n")[1]
    assert f"* `create` lacks `dry_run`: add it in {CALLS.as_posix()}.\n" in todo
    assert "* spec-diff-allow.yaml:3: accepts nothing here: enum-value-added at" in output


def test_failing_tests_keep_nothing_back(run: Run, project: Mini) -> None:
    """The exit code fails, and everything is said all the same."""
    edit(project, "1.1.0")
    code, output, _ = run(tests="sh -c 'echo it fails; exit 3'")
    assert code == 1
    assert output.index("it fails") < output.index("What to look at")
    assert "* The tests failed (exit status 3), see above.\n" in output
    code, output, errors = run(tests="no-such-command")
    assert code == 1
    assert "no-such-command" in errors
    assert "* The tests failed (exit status 127), see above.\n" in output


def test_base_is_compared_too(run: Run, project: Mini) -> None:
    """A branch sees what it adds to another one, besides what comes with the next version."""
    project.commit()
    edit(project, "1.1.0")
    project.commit()
    edit(project, "1.2.0")
    _, output, _ = run("--base", "HEAD", tests="")
    since_release, since_head = output.split("What to look at")[0].split("\nSince HEAD\n")
    assert "Since the released 1.0.0" in since_release
    assert "UploadKind" in since_release
    assert "UploadKind" not in since_head
    assert "projectId" in since_head
    assert "since HEAD: Not breaking. Required bump: minor. Actual: minor, 1.0.0 → 1.2.0." in output
    assert "\nSince HEAD~1\n\nThe same.\n" in run("--base", "HEAD~1", tests="")[1]
    assert run("--base", "nonsense", tests="")[::2] == (2, "nonsense:openapi.yaml: invalid object name 'nonsense'.\n")


def test_layer_that_cannot_be_read_is_said(run: Run, project: Mini) -> None:
    """Nothing is written, as for a contract that cannot be built."""
    shutil.copytree(ROOT / LAYER, project.root / LAYER, dirs_exist_ok=True)
    (project.root / CLIENT).write_text("class (", encoding="utf-8")
    code, output, errors = run()
    assert (code, output) == (2, "")
    assert errors.startswith("template.py:1: ")
    assert not (project.root / "generated_client").exists()


def test_contract_that_cannot_be_built_stops_it(run: Run, project: Mini) -> None:
    """Nothing is tested, and the client stays what it was."""
    assert run()[0] == 0
    before = (project.root / "generated_client" / PACKAGE / "__init__.py").stat().st_mtime_ns
    project.contract.write_text("openapi: 3.1.1\n", encoding="utf-8")
    code, output, errors = run()
    assert (code, output) == (2, "")
    assert "openapi_python_client failed" in errors
    assert before == (project.root / "generated_client" / PACKAGE / "__init__.py").stat().st_mtime_ns


def test_first_version_has_nothing_to_compare_with(run: Run, project: Mini) -> None:
    """And the version needs nothing but its entry."""
    shutil.rmtree(project.root / "contracts")
    code, output, _ = run(tests="")
    assert code == 0
    assert "Since" not in output
    assert "The version and the changelog cover the change. Once 1.0.0 is final" in output


def test_tests_are_those_of_the_makefile() -> None:
    """So that PYTEST_ARGS and the like reach them."""
    command, _, target = TESTS.rpartition(" ")
    assert command.split()[0] == "make"
    assert f"\n{target}: " in (ROOT / "Makefile").read_text(encoding="utf-8")
