"""That the sandbox holds to the contract, and to nothing of the client."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest
import scenario_uploads.sandbox
import yaml
from scenario_uploads.sandbox import Sandbox, SandboxError
from scenario_uploads.sandbox.api.contract import Contract, Operation
from scenario_uploads.sandbox.errors import ContractBreach
from scenario_uploads.sandbox.state.records import CREATE_ONLY_FIELDS

PACKAGE = Path(scenario_uploads.sandbox.__file__).parent
CHECKOUT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def contract() -> Contract:
    return Contract.load()


def test_operations_and_prefix_come_from_the_contract(contract):
    expected = [
        Operation("create_upload", "post", "/uploads"),
        Operation("retrieve_upload", "get", "/uploads/{uploadId}"),
        Operation("trigger_upload_action", "post", "/uploads/{uploadId}/action"),
    ]
    assert expected == contract.operations
    assert contract.prefix == "/v1"


def test_contract_beside_the_package_comes_first(monkeypatch, tmp_path):
    document = yaml.safe_load((CHECKOUT / "openapi.yaml").read_text())
    document["servers"][0]["url"] = "https://api.example.com/v9"
    (tmp_path / "openapi.yaml").write_text(yaml.safe_dump(document))
    monkeypatch.setattr("importlib.resources.files", lambda _: tmp_path)
    assert Contract.load().prefix == "/v9"


def test_missing_contract_is_a_clear_error(monkeypatch, tmp_path):
    monkeypatch.setattr("importlib.resources.files", lambda _: tmp_path)
    monkeypatch.setattr("scenario_uploads.sandbox.api.contract.__file__", str(tmp_path / "a/b/c/d/contract.py"))
    with pytest.raises(SandboxError, match=r"openapi\.yaml, the contract of the sandbox, is missing"):
        Contract.load()


@pytest.mark.parametrize(
    ("status", "body", "message"),
    [
        (200, b'{"upload": {}}', "create_upload answers 200: upload: 'id' is a required property"),
        (200, b"", "create_upload answers 200: "),
        (418, b"{}", "create_upload answers 418: "),
        (400, b'{"reason": 1}', "create_upload answers 400: reason: 1 is not of type 'string', 'null'"),
    ],
)
def test_answer_that_does_not_fit_is_a_breach(contract, status, body, message):
    with pytest.raises(ContractBreach) as caught:
        contract.check_answer(Operation("create_upload", "post", "/uploads"), status, body)
    assert message in str(caught.value)


def test_create_only_fields_are_fields_of_the_contract(contract):
    document = yaml.safe_load((CHECKOUT / "openapi.yaml").read_text())
    assert set(CREATE_ONLY_FIELDS) <= document["components"]["schemas"]["Upload"]["properties"].keys()


def find_imports(source: str) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add("." * node.level + (node.module or ""))
    return names


def test_sandbox_imports_nothing_of_the_client():
    imports = {name for path in PACKAGE.rglob("*.py") for name in find_imports(path.read_text())}
    ours = {name for name in imports if name.startswith((".", "scenario_uploads"))}
    assert "scenario_uploads.sandbox.api.contract" in ours
    assert set() == {name for name in ours if not name.startswith("scenario_uploads.sandbox.")}


def test_schemathesis_finds_no_failure(contract, tmp_path):
    """Schemathesis speaks to the sandbox by the contract alone, with every check that it has."""
    # A create that fits the schema may still break a rule between its fields (400), and the ids that Schemathesis makes
    # up are unknown (404): both are documented answers. Its own default has all of these but 400.
    statuses = ["2xx", "400", "401", "403", "404", "409", "429"]
    (tmp_path / "schemathesis.toml").write_text(
        f"[checks]\npositive_data_acceptance.expected-statuses = {statuses}\n", encoding="utf-8"
    )
    with Sandbox(step_delay=0) as box:
        run = subprocess.run(
            [
                *[sys.executable, "-m", "schemathesis.cli"],
                *["--config-file", "schemathesis.toml", "run", str(CHECKOUT / "openapi.yaml")],
                *["--url", box.base_url, "--auth", f"{box.api_key}:{box.api_secret}"],
                *["--checks", "all", "--seed", "1", "--max-examples", "6", "--generation-deterministic"],
                *["--continue-on-failure", "--no-color"],
            ],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
    assert run.returncode == 0, run.stdout[-6000:] + run.stderr
    count = len(contract.operations)
    assert f"Selected: {count}/{count}" in run.stdout
    assert f"Tested: {count}" in run.stdout
