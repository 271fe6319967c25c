"""What the generated client can say and the handwritten layer does not, found without running either."""

from pathlib import Path

import pytest

from tests.spec_diff.support import CONTRACTS
from tools.client import generate
from tools.client.generate import PACKAGE
from tools.client.handwritten_layer import CLIENT, find_gone, find_missing, name_method, read_operations
from tools.project import ROOT


@pytest.fixture(scope="module")
def clients(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The generated clients of two versions."""
    return {
        version: generate.build(tmp_path_factory.mktemp(version), contract=CONTRACTS / f"{version}.yaml")
        for version in ("1.0.0", "1.3.0")
    }


def write_layer(folder: Path, *methods: str) -> Path:
    path = folder / CLIENT
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = ["class AsyncUploads:", *(f"    async def {method}: ..." for method in methods)]
    path.write_text("\n".join(lines), encoding="utf-8")
    return folder


OLD = (
    (
        "create(self, *, asset_options, civitai_model_url, content_type, file_name, file_size, "
        "hugging_face_model_name, kind, parts, url)"
    ),
    "retrieve(self, upload_id)",
    "trigger_action(self, upload_id, *, action)",
)


def test_this_layer_has_the_whole_contract() -> None:
    """Each operation is a method, each parameter and property of a body an argument of it."""
    assert find_missing(ROOT / "generated_client" / PACKAGE, ROOT) == []
    assert find_gone(ROOT / "generated_client" / PACKAGE, ROOT) == []


def test_new_arguments_are_found(clients: dict[str, Path], tmp_path: Path) -> None:
    """By operation, with the method that lacks them."""
    layer = write_layer(tmp_path, *OLD)
    where = f"add it in {CLIENT.as_posix()}."
    assert find_missing(clients["1.0.0"], layer) == []
    assert find_missing(clients["1.3.0"], layer) == [
        f"`AsyncUploads.create` lacks `project_id` and `dry_run` of the operation create_upload: {where}",
        f"`AsyncUploads.retrieve` lacks `project_id` of the operation retrieve_upload: {where}",
        f"`AsyncUploads.trigger_action` lacks `project_id` of the operation trigger_upload_action: {where}",
    ]


def test_properties_of_bodies_are_arguments(clients: dict[str, Path], tmp_path: Path) -> None:
    """One that the body has and the method has not is found; one that takes anything lacks nothing."""
    layer = write_layer(
        tmp_path, OLD[0].replace(" kind,", ""), "retrieve(self, **options)", "trigger_action(self, *, action)"
    )
    assert [line.partition(" of ")[0] for line in find_missing(clients["1.0.0"], layer)] == [
        "`AsyncUploads.create` lacks `kind`",
        "`AsyncUploads.trigger_action` lacks `upload_id`",
    ]


def test_operations_without_a_method_are_found(clients: dict[str, Path], tmp_path: Path) -> None:
    """And all of them, when there is no class for their tag."""
    assert find_missing(clients["1.0.0"], write_layer(tmp_path, OLD[0], OLD[2])) == [
        f"The operation retrieve_upload is missing: write `AsyncUploads.retrieve` in {CLIENT.as_posix()}."
    ]
    (tmp_path / CLIENT).write_text("", encoding="utf-8")
    assert len(find_missing(clients["1.0.0"], tmp_path)) == 3


def test_imports_of_what_is_gone_are_found(clients: dict[str, Path], tmp_path: Path) -> None:
    """A model or an operation that was renamed, by the files that import it; not by those that are written anew."""
    generated = clients["1.0.0"]
    layer = write_layer(tmp_path, *OLD)
    for name, line in {
        "client/async_client.py": "from scenario_uploads.models import Upload, UploadDryRun",
        "client/sync_client.py": "# Generated from async_client.py\nfrom scenario_uploads.models import UploadDryRun",
        "errors.py": "if TYPE_CHECKING:\n    from .models import UploadDryRun, UploadKind",
        "api/calls.py": f"from {PACKAGE}.api.uploads import create_upload, get_upload\nfrom .steps import Any",
        "models.py": f"from {PACKAGE}.models import *\nfrom {PACKAGE} import models\nimport httpx",
    }.items():
        (layer / CLIENT.parents[1] / name).parent.mkdir(exist_ok=True)
        (layer / CLIENT.parents[1] / name).write_text(line, encoding="utf-8")
    folder = CLIENT.parents[1].as_posix()
    assert find_gone(generated, layer) == [
        f"`UploadDryRun` is gone: change {folder}/client/async_client.py, {folder}/errors.py.",
        f"`get_upload` is gone: change {folder}/api/calls.py.",
    ]


def test_names_of_methods(clients: dict[str, Path]) -> None:
    """The tag is said by the class, so the method leaves it out."""
    names = {operation.name: name_method(operation) for operation in read_operations(clients["1.0.0"])}
    assert names == {
        "create_upload": "create",
        "retrieve_upload": "retrieve",
        "trigger_upload_action": "trigger_action",
    }
