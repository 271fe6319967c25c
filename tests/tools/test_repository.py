"""What is committed: locked, reproducible, and without a trace of the machine it was made on."""

import json
import re
import subprocess

import pytest
import yaml

from tools.project import ROOT


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def list_committed() -> list[str]:
    """Return the names of the files that git knows or would add; where there is no git, nothing can be said."""
    result = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode != 0:
        pytest.skip("not a git checkout")
    return [name for name in result.stdout.split("\0") if name and (ROOT / name).is_file()]


def test_nobody_is_sent_to_a_name_that_is_not_ours() -> None:
    """What package indexes have as `scenario-uploads` need not be ours before the first release."""
    texts = [name for name in list_committed() if name.startswith(("overrides/", "docs/", "README", "CHANGELOG"))]
    advice = re.compile(r"(?:pip install|uv add|uvx|pipx install)(?: -\S+)* ['\"]?scenario-uploads|scenario-uploads\[")
    assert [name for name in texts if name.endswith((".py", ".md")) and advice.search(read(name))] == []


@pytest.mark.parametrize("name", ["requirements-dev.txt", "requirements-docs.txt", "package-lock.json", ".npmrc"])
def test_lock_files_name_no_host(name: str) -> None:
    """Where packages come from is for the machine to say; what they are is fixed by their hashes."""
    assert not re.findall(r"(?i)\b(?:https?|git|file|ssh):/", read(name))
    assert "--index-url" not in read(name)


def test_every_python_package_is_pinned_with_hashes() -> None:
    """Each entry is `name==version`, with at least one SHA-256."""
    entries = re.split(r"\n(?=[a-z0-9])", read("requirements-dev.txt").strip())
    assert len(entries) > 50
    for entry in entries:
        assert re.match(r"[a-z0-9._-]+==\S+", entry), entry.splitlines()[0]
        assert re.search(r"--hash=sha256:[0-9a-f]{64}\b", entry), entry.splitlines()[0]


def test_every_npm_package_has_its_integrity() -> None:
    """The lock file carries the hash of each package and no address."""
    packages = json.loads(read("package-lock.json"))["packages"]
    for name, package in packages.items():
        if name:
            assert package["integrity"].startswith("sha512-"), name
            assert "resolved" not in package, name
    for version in json.loads(read("package.json"))["devDependencies"].values():
        assert re.fullmatch(r"\d+\.\d+\.\d+", version)


def test_lock_file_holds_the_tools_that_shape_the_client() -> None:
    """The exact pins of requirements-dev.in are what is locked."""
    for tool in ("openapi-python-client", "ruff"):
        (version,) = re.findall(rf"(?m)^{tool}==(\S+)$", read("requirements-dev.in"))
        assert f"\n{tool}=={version} " in read("requirements-dev.txt")


def test_no_committed_file_names_this_checkout() -> None:
    """A path of the machine that a file was made on helps nobody else."""
    for name in list_committed():
        assert str(ROOT).encode() not in (ROOT / name).read_bytes(), name


def list_anchors(page: str) -> set[str]:
    """Return the anchors that GitHub gives the headings of a page."""
    titles = re.findall(r"(?m)^#+ (.+)$", re.sub(r"(?s)```.*?```", "", page))
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def test_links_of_the_pages_lead_somewhere() -> None:
    """Each relative link is to a file, and a heading of it where it names one; `make docs` looks at those of docs/."""
    pages = [ROOT / name for name in list_committed() if re.fullmatch(r"[\w-]+\.md", name)]
    assert len(pages) > 3
    for page in pages:
        for link in re.findall(r"\]\((?!https?:)([^)\s]+)\)", page.read_text(encoding="utf-8")):
            name, _, anchor = link.partition("#")
            target = page.parent / name if name else page
            assert target.exists(), f"{page.name}: {link}"
            assert not anchor or anchor in list_anchors(target.read_text(encoding="utf-8")), f"{page.name}: {link}"


def test_every_task_is_described() -> None:
    """`make help` lists every target of the Makefile."""
    makefile = read("Makefile")
    targets = set(re.findall(r"(?m)^\.PHONY: (\S+)$", makefile))
    helped = subprocess.run(
        ["make", "--no-print-directory", "help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    listed = set(re.findall(r"(?m)^  make (\S+) +\S", helped.stdout))
    assert targets == listed
    assert {"demo", "test", "check", "generate", "check-generated"} <= targets


def test_workflow_runs_on_every_supported_python() -> None:
    """The versions of the classifiers are the versions that are tested."""
    versions = set(re.findall(r"Python :: (3\.\d+)", read("pyproject.toml")))
    matrix = yaml.safe_load(read(".github/workflows/ci.yml"))["jobs"]["test"]["strategy"]["matrix"]
    assert versions == set(matrix["python"])


def test_hooks_fetch_nothing() -> None:
    """pre-commit runs the tasks of the Makefile, so that it agrees with them and works offline."""
    config = yaml.safe_load(read(".pre-commit-config.yaml"))
    tasks = set(re.findall(r"(?m)^\.PHONY: (\S+)$", read("Makefile")))
    assert {"local"} == {repository["repo"] for repository in config["repos"]}
    for hook in config["repos"][0]["hooks"]:
        command, task = hook["entry"].split()
        assert command == "make"
        assert task in tasks
        assert hook["language"] == "system"


def test_contract_is_linted_without_exceptions() -> None:
    """The strict rules hold as they are, and some more: nothing is switched off, softened or ignored."""
    settings = yaml.safe_load(read("redocly.yaml"))
    assert settings["extends"] == ["recommended-strict"]
    assert {rule if isinstance(rule, str) else rule["severity"] for rule in settings["rules"].values()} == {"error"}
    assert not (ROOT / ".redocly.lint-ignore.yaml").exists()
