"""What the contract needs and the handwritten layer has not, found without running it."""

from pathlib import Path

from tests.spec_diff.support import CONTRACTS
from tools.client.handwritten_layer import CALLS, CLIENT, find_missing
from tools.contract.document import read_contract
from tools.project import ROOT


def test_this_layer_has_the_whole_contract() -> None:
    """Each tag has its class, and each operation what it sends."""
    assert find_missing(read_contract(ROOT / "openapi.yaml"), ROOT) == []


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
