"""What the contract needs and the handwritten layer has not, and the reverse, found without running it."""

from pathlib import Path

import pytest

from tests.spec_diff.support import CONTRACTS
from tools.client import generate
from tools.client.handwritten_layer import CALLS, CLIENT, find_gone, find_missing
from tools.client.unasync import PACKAGE
from tools.contract.document import read_contract
from tools.project import ROOT


def test_this_layer_has_the_whole_contract() -> None:
    """Each tag has its class, each operation what it sends, and nothing is imported that is gone."""
    assert find_missing(read_contract(ROOT / "openapi.yaml"), ROOT) == []
    assert find_gone(ROOT / "generated_client" / generate.PACKAGE, ROOT) == []


def test_what_is_to_be_written_by_hand_is_found(tmp_path: Path) -> None:
    """A class for each tag, a function for each operation, an argument of it for each parameter; no field of a body."""
    layer = {
        CLIENT: "class AsyncUploads: ...",
        CALLS: "def create(body): ...\ndef trigger_action(upload_id, body): ...",
    }
    for place, text in layer.items():
        (tmp_path / place).parent.mkdir(parents=True)
        (tmp_path / place).write_text(text, encoding="utf-8")
    assert find_missing(read_contract(CONTRACTS / "1.3.0.yaml"), tmp_path) == [
        f"`client.uploads` is missing: write `AsyncUploads(AsyncUploadsOperations)` in {CLIENT.as_posix()}.",
        f"`create` lacks `dry_run`: add it in {CALLS.as_posix()}.",
        f"`AsyncUploads.retrieve` sends nothing: write `retrieve` in {CALLS.as_posix()}.",
    ]


def test_imports_of_what_is_gone_are_found(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> None:
    """A model or an operation that was renamed, by the files that import it; not by those that are written anew."""
    generated = generate.build(tmp_path_factory.mktemp("1.0.0"), contract=CONTRACTS / "1.0.0.yaml")
    for name, line in {
        "client/async_client.py": "from scenario_uploads.models import Upload, UploadDryRun",
        "client/sync_client.py": "# Generated from async_client.py\nfrom scenario_uploads.models import UploadDryRun",
        "errors.py": "if TYPE_CHECKING:\n    from .models import UploadDryRun, UploadKind",
        "api/calls.py": f"from {generate.PACKAGE}.api.uploads import create_upload, get_upload\nfrom .steps import Any",
        "models.py": f"from {generate.PACKAGE}.models import *\nfrom {generate.PACKAGE} import models\nimport httpx",
    }.items():
        (tmp_path / PACKAGE / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / PACKAGE / name).write_text(line, encoding="utf-8")
    folder = PACKAGE.as_posix()
    assert find_gone(generated, tmp_path) == [
        f"`UploadDryRun` is gone: change {folder}/client/async_client.py, {folder}/errors.py.",
        f"`get_upload` is gone: change {folder}/api/calls.py.",
    ]
