"""What the contract needs and the handwritten layer has not, found without running it."""

from pathlib import Path

from tests.spec_diff.support import CONTRACTS
from tools.client.handwritten_layer import CALLS, CLIENT, NEEDS, SANDBOX, find_missing
from tools.client.unasync import PACKAGE
from tools.contract.document import read_contract
from tools.project import ROOT


def test_this_layer_has_the_whole_contract() -> None:
    """Each tag has its class, each operation what it sends, its handler, its tests and its place in the docs."""
    assert [place for place, _, _ in NEEDS if not (ROOT / place).exists()] == []
    assert find_missing(read_contract(ROOT / "openapi.yaml"), ROOT) == []


def test_what_is_to_be_written_by_hand_is_found(tmp_path: Path) -> None:
    """For each tag and each operation every file, in the order of the page; an argument for each parameter."""
    contract = read_contract(CONTRACTS / "1.3.0.yaml")
    for place, _, _ in NEEDS:
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place).touch()
    (tmp_path / CALLS).write_text("def create(body): ...\ndef trigger_action(upload_id, body): ...", encoding="utf-8")
    missing = find_missing(contract, tmp_path)
    assert missing[:2] == [
        f"`client.uploads` is missing: write `AsyncUploads(AsyncUploadsOperations)` in {CLIENT.as_posix()}.",
        f"`AsyncScenario` has no `uploads`: annotate it, and set it in `_begin` in {CLIENT.as_posix()}.",
    ]
    assert f"`create` lacks `dry_run`: add it in {CALLS.as_posix()}." in missing
    own = [each for each in missing if "retrieve" in each or "Retrieve" in each]
    assert [each.rpartition(" ")[2].rstrip(".") for each in own] == [
        CALLS.as_posix(),
        SANDBOX.as_posix(),
        "tests/client/test_prism.py",
        "tests/sandbox/test_contract.py",
        "tests/typing/user_code.py",
        "docs/reference/models.md",
    ]
    assert f"`AsyncUploads.retrieve` sends nothing: write `retrieve` in {CALLS.as_posix()}." in own
    assert not any("`create` sends nothing" in each for each in missing)
    assert len({*missing}) == len(missing)


def test_each_file_that_is_named_is_one_that_the_page_names() -> None:
    """In the same order, so that one can follow either."""
    page = (ROOT / "docs" / "how-to" / "add-an-operation.md").read_text(encoding="utf-8")
    layer = f"{PACKAGE.as_posix()}/"
    places = [place.as_posix().removeprefix(layer) for place, _, _ in NEEDS]
    shown = [f"`{place.removeprefix('docs/reference/')}`" for place in places]
    assert [name for name in shown if name not in page] == []
