"""The audit of locked packages, by pip-audit and npm themselves, with databases on a real socket."""

import gzip
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.server import Answering, Exchange, Server, hang, reply, until
from tools.environment import audit
from tools.project import ROOT

HASH = "sha256:" + "0" * 64
PYTHON_ADVISORY = {
    "id": "PYSEC-2026-1",
    "aliases": ["GHSA-aaaa-bbbb-cccc", "CVE-2026-1"],
    "summary": "It lets strangers in.",
    "affected": [
        {
            "package": {"name": "left-pad", "ecosystem": "PyPI"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1.3.1"}]}],
        }
    ],
}


def make_node_advisory(severity: str) -> dict[str, Any]:
    return {
        "id": 1,
        "url": "https://github.com/advisories/GHSA-dddd-eeee-ffff",
        "title": "It is slow on odd input",
        "severity": severity,
        "vulnerable_versions": "<2.0.0",
    }


class Databases:
    """Python's and Node's advisories, on one socket, and a project whose locked packages they are asked about."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root = root
        self.about_python: dict[str, Any] = {}
        self.about_node: dict[str, Any] = {}
        self.answers: dict[str, Answering] = {}
        """What is said instead, by the path that is asked for."""
        self.asked: list[Any] = []
        self.server = Server(self._answer)
        self.ignore("")
        (root / "requirements-dev.txt").write_text(
            f"left-pad==1.3.0 \\\n    --hash={HASH}\nsix==1.17.0 \\\n    --hash={HASH}\n", encoding="utf-8"
        )
        (root / "requirements-bench.txt").write_text(f"six==1.17.0 \\\n    --hash={HASH}\n", encoding="utf-8")
        for name in ("package.json", "package-lock.json"):
            shutil.copy(ROOT / name, root / name)
        monkeypatch.setenv("PIP_AUDIT_VULNERABILITY_SERVICE", "osv")
        # Both keep answers from one run to the next.
        monkeypatch.setenv("PIP_AUDIT_CACHE_DIR", str(root / "cache-of-pip-audit"))
        monkeypatch.setenv("npm_config_cache", str(root / "cache-of-npm"))
        for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
            monkeypatch.delenv(name.upper(), raising=False)
        self.point_to(monkeypatch, "http://127.0.0.1:{port}")

    def point_to(self, monkeypatch: pytest.MonkeyPatch, origin: str) -> None:
        origin = origin.format(port=self.server.port)
        monkeypatch.setenv("PIP_AUDIT_OSV_URL", f"{origin}/osv")
        monkeypatch.setenv("npm_config_registry", f"{origin}/npm/")

    def ignore(self, lines: str) -> None:
        (self.root / "pyproject.toml").write_text(f"[tool.audit.ignore]\n{lines}\n", encoding="utf-8")

    def _answer(self, exchange: Exchange) -> None:
        exchange.read_body()
        request = exchange.request
        body = gzip.decompress(request.body) if request.header("content-encoding") == "gzip" else request.body
        asked = json.loads(body) if body else None
        self.asked.append(asked)
        if request.path in self.answers:
            self.answers[request.path](exchange)
        elif request.path == "/osv":
            reply(200, self.about_python.get(asked["package"]["name"], {}))(exchange)
        elif request.path.endswith("/advisories/bulk"):
            reply(200, self.about_node)(exchange)
        else:
            reply(404, {"error": f"nothing at {request.path}"})(exchange)

    def audit(self, *arguments: str) -> int:
        return audit.main(["--root", str(self.root), *arguments])


@pytest.fixture
def databases(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Databases]:
    made = Databases(tmp_path, monkeypatch)
    with made.server:
        yield made


def test_everything_locked_is_asked_about(databases: Databases, capsys: pytest.CaptureFixture[str]) -> None:
    """Each Python package of each file, and each npm package, with its version."""
    assert databases.audit("--strict") == 0
    assert capsys.readouterr().out.splitlines() == [
        "requirements-bench.txt: no advisory is known",
        "requirements-dev.txt: no advisory is known",
        "package-lock.json: no advisory is known",
    ]
    pythons = [asked for asked in databases.asked if "package" in asked]
    assert sorted((asked["package"]["name"], asked["version"]) for asked in pythons) == [
        ("left-pad", "1.3.0"),
        ("six", "1.17.0"),
        ("six", "1.17.0"),
    ]
    (node,) = [asked for asked in databases.asked if "package" not in asked]
    lock = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))
    names = {path.rpartition("node_modules/")[2] for path in lock["packages"] if path}
    assert set(node) == names


def test_vulnerable_python_package_fails(databases: Databases, capsys: pytest.CaptureFixture[str]) -> None:
    """With what it is called, and the version that mends it."""
    databases.about_python["left-pad"] = {"vulns": [PYTHON_ADVISORY]}
    assert databases.audit() == 1
    printed = capsys.readouterr()
    assert printed.err == "error: requirements-dev.txt: left-pad 1.3.0: PYSEC-2026-1: mended in 1.3.1\n"
    assert "requirements-bench.txt: no advisory is known" in printed.out


def test_what_nobody_mended_is_told_so(databases: Databases, capsys: pytest.CaptureFixture[str]) -> None:
    databases.about_python["six"] = {"vulns": [{"id": "PYSEC-2026-2", "affected": []}]}
    assert databases.audit() == 1
    assert capsys.readouterr().err.splitlines() == [
        "error: requirements-bench.txt: six 1.17.0: PYSEC-2026-2: not mended yet",
        "error: requirements-dev.txt: six 1.17.0: PYSEC-2026-2: not mended yet",
    ]


@pytest.mark.parametrize(("severity", "status"), [("critical", 1), ("high", 1), ("moderate", 0), ("low", 0)])
def test_vulnerable_npm_package_fails_when_it_is_grave(
    databases: Databases, capsys: pytest.CaptureFixture[str], severity: str, status: int
) -> None:
    """Those packages are tools, fed with the project's own files: what is less is told."""
    databases.about_node["pyright"] = [make_node_advisory(severity) | {"vulnerable_versions": "*"}]
    assert databases.audit() == status
    printed = capsys.readouterr()
    line = f"package-lock.json: pyright: GHSA-dddd-eeee-ffff: {severity}, in *: It is slow on odd input\n"
    assert (f"error: {line}" in printed.err) is (status == 1)
    assert (f"warning: {line}" in printed.out) is (status == 0)


@pytest.mark.parametrize(("arguments", "status"), [([], 0), (["--strict"], 1)])
def test_databases_that_do_not_answer_are_told(
    databases: Databases, capsys: pytest.CaptureFixture[str], arguments: list[str], status: int
) -> None:
    """Unknown is not well: it is said, and fails where a person asked for certainty."""
    databases.answers["/osv"] = reply(503, {"error": "later"})
    databases.answers["/npm/-/npm/v1/security/advisories/bulk"] = reply(405, {})
    assert databases.audit(*arguments) == status
    printed = capsys.readouterr()
    lines = (printed.err if status else printed.out).splitlines()
    assert [line.partition(": ")[2].partition(":")[0] for line in lines] == [
        "requirements-bench.txt",
        "requirements-dev.txt",
        "package-lock.json",
    ]
    assert all("not audited" in line for line in lines)
    assert "405 " in lines[-1]


def test_no_network_is_no_failure(
    databases: Databases, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same commit passes on a train; and no password of a registry is shown."""
    databases.point_to(monkeypatch, "http://user:hunter2@127.0.0.1:1")
    assert databases.audit() == 0
    printed = capsys.readouterr()
    assert printed.out.count("not audited, so nothing is known of it") == 3
    assert "hunter2" not in printed.out + printed.err


def test_databases_that_hang_are_given_up(databases: Databases, capsys: pytest.CaptureFixture[str]) -> None:
    """Together with the programs that ask them, npm's own child included: their connections are closed."""
    left: list[str] = []

    def wait_for_its_end(exchange: Exchange) -> None:
        hang(exchange)
        left.append(exchange.request.path)

    bulk = "/npm/-/npm/v1/security/advisories/bulk"
    databases.answers["/osv"] = databases.answers[bulk] = wait_for_its_end
    assert databases.audit("--deadline", "3") == 0
    assert capsys.readouterr().out.count("no answer within 3 s") == 3
    until(lambda: sorted(left) == [bulk, "/osv", "/osv"], seconds=5)


def test_package_that_the_database_does_not_know_is_told() -> None:
    """Half an answer is not taken for a whole one, and what it says is not lost."""
    found = audit.Findings(
        "requirements-dev.txt",
        (audit.Advisory("left-pad 1.3.0", ("PYSEC-2026-1",), "not mended yet"),),
        "1 of 2 packages are unknown to the database, six for one",
    )
    verdict = audit.judge([found], {}, strict=False)
    assert verdict.errors == ["error: requirements-dev.txt: left-pad 1.3.0: PYSEC-2026-1: not mended yet"]
    assert len(verdict.told) == 1
    assert "1 of 2 packages are unknown" in verdict.told[0]


@pytest.mark.parametrize("name", ["PYSEC-2026-1", "GHSA-aaaa-bbbb-cccc", "CVE-2026-1"])
def test_advisory_that_does_not_concern_us_is_ignored(
    databases: Databases, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    """By any of its names, with the reason shown."""
    databases.about_python["left-pad"] = {"vulns": [PYTHON_ADVISORY]}
    databases.ignore(f'{name} = "no stranger comes here"')
    assert databases.audit("--strict") == 0
    assert (
        "ignored: requirements-dev.txt: left-pad 1.3.0: PYSEC-2026-1: mended in 1.3.1 (no stranger comes here)"
        in capsys.readouterr().out
    )


def test_list_of_ignored_advisories_does_not_grow_old(databases: Databases, capsys: pytest.CaptureFixture[str]) -> None:
    """What no package has any more is to be removed; but it takes an answer to know."""
    databases.ignore('PYSEC-2020-1 = "once"')
    assert databases.audit() == 1
    assert "[tool.audit.ignore] PYSEC-2020-1: no locked package has this advisory; remove it" in capsys.readouterr().err
    databases.answers["/osv"] = reply(503, {})
    assert databases.audit() == 0


@pytest.mark.parametrize("value", ['""', "true", "7"])
def test_ignoring_takes_a_reason(databases: Databases, capsys: pytest.CaptureFixture[str], value: str) -> None:
    databases.ignore(f"PYSEC-2020-1 = {value}")
    assert databases.audit() == 2
    assert "pyproject.toml: [tool.audit.ignore] PYSEC-2020-1: say why, in words; got" in capsys.readouterr().err
    assert databases.asked == []


def test_broken_settings_are_named(databases: Databases, capsys: pytest.CaptureFixture[str]) -> None:
    databases.ignore("[")
    assert databases.audit() == 2
    assert re.match(r"error: .+line 2", capsys.readouterr().err)


def test_program_that_is_missing_is_a_gap(
    databases: Databases, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(audit, "ROOT", tmp_path)
    assert databases.audit() == 0
    assert "package-lock.json: not audited, so nothing is known of it: npm cannot be run" in capsys.readouterr().out
