"""The front of the package: all names, loaded when they are first used."""

import importlib
import importlib.metadata
import json
import pydoc
import subprocess
import sys
from pathlib import Path

import pytest
import scenario_uploads
import scenario_uploads_client.models
from scenario_uploads import errors

FRONT = {"Scenario", "AsyncScenario", "Uploads", "AsyncUploads", "UploadPhase", "UploadProgress", "is_known"}
FRONT |= {"NotGiven", "Omit", "Timeout", "DefaultHttpxClient", "DefaultAsyncHttpxClient"}
FRONT |= {"APIResponse", "AsyncAPIResponse", "BulkProgress", "UploadResult", "UploadHandle", "AsyncUploadHandle"}
NAMELESS = {"NOT_GIVEN", "not_given", "omit", "DEFAULT_CONNECTION_LIMITS", "DEFAULT_MAX_RETRIES", "DEFAULT_TIMEOUT"}
NAMELESS |= {"Client", "AsyncClient"}
EVERY = sorted(FRONT | NAMELESS | set(errors.__all__) | set(scenario_uploads_client.models.__all__))


def run(program: str) -> str:
    """Run a program in a new process of Python that warns about nothing, and return what it prints."""
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert result.stderr == ""
    return result.stdout.strip()


def test_all_is_everything_that_is_public() -> None:
    assert sorted(scenario_uploads.__all__) == EVERY
    assert len(set(scenario_uploads.__all__)) == len(scenario_uploads.__all__)


def test_every_public_name_is_there() -> None:
    for name in EVERY:
        value = getattr(scenario_uploads, name)
        assert name in NAMELESS or value.__name__ == name
        assert getattr(scenario_uploads, name) is value


def test_every_name_can_be_imported_first() -> None:
    """Whatever the order, in one process whose modules are dropped before each name."""
    # All errors are in one module, and all models.
    names = sorted(FRONT | NAMELESS | {"NotFoundError", "Upload", "UploadSource"})
    program = f"""
import importlib, sys
for name in {names!r}:
    for module in [module for module in sys.modules if module.split(".")[0].startswith("scenario_uploads")]:
        del sys.modules[module]
    exec(f"from scenario_uploads import {{name}}")
print("done")
"""
    assert run(program) == "done"


def test_the_annotations_of_a_client_can_be_resolved() -> None:
    for name in ("Scenario", "AsyncScenario"):
        program = f"import typing; from scenario_uploads import {name}; print(*typing.get_type_hints({name}))"
        assert "uploads" in run(program)


def test_a_star_import_gives_every_public_name_and_no_other() -> None:
    names = json.loads(
        run(
            "import json; before = set(globals()); from scenario_uploads import *;"
            " print(json.dumps(sorted(set(globals()) - before - {'before'})))"
        )
    )
    assert names == EVERY


def test_dir_lists_every_public_name() -> None:
    assert set(EVERY) <= set(dir(scenario_uploads))
    assert run("import scenario_uploads; print('Scenario' in dir(scenario_uploads))") == "True"


def test_the_version_is_that_of_the_distribution() -> None:
    assert scenario_uploads.__version__ == importlib.metadata.version("scenario-uploads")


def test_a_version_is_there_where_no_distribution_is() -> None:
    """As in a source tree, and in a frozen program; `help` and `inspect` ask for every name."""
    paths = sorted({Path(package.__path__[0]).parent for package in (scenario_uploads, scenario_uploads_client)})
    program = (
        f"import sys; sys.path[:0] = {[str(path) for path in paths]}\n"
        "import importlib.metadata as metadata\n"
        "metadata.distributions = lambda **_: iter(())\n"
        "metadata.Distribution.discover = classmethod(lambda cls, **_: iter(()))\n"
        "import inspect, scenario_uploads\n"
        "print(dict(inspect.getmembers(scenario_uploads))['__version__'])"
    )
    assert run(program) == "0"


@pytest.mark.parametrize("name", ["Nothing", "_private", "scenario", "__wrapped__", "NotFound"])
def test_an_unknown_name_is_an_attribute_error(name: str) -> None:
    with pytest.raises(AttributeError, match=f"module 'scenario_uploads' has no attribute '{name}'"):
        getattr(scenario_uploads, name)
    assert not hasattr(scenario_uploads, name)


def test_an_unknown_name_cannot_be_imported() -> None:
    with pytest.raises(ImportError, match="cannot import name 'Nothing'"):
        from scenario_uploads import Nothing  # type: ignore[attr-defined]  # noqa: F401, PLC0415


@pytest.mark.parametrize("room", ["errors", "models", "types"])
def test_the_rooms_for_callers_are_there_without_an_import_of_their_own(room: str) -> None:
    program = f"import scenario_uploads; print(scenario_uploads.{room}.__name__)"
    assert run(program) == f"scenario_uploads.{room}"


def test_importing_the_package_loads_next_to_nothing() -> None:
    program = """
import sys
before = set(sys.modules)
import scenario_uploads
loaded = set(sys.modules) - before
print(sorted(name for name in loaded if name.split(".")[0] not in ("scenario_uploads", "importlib", "warnings")))
print(sorted(name for name in loaded if name.startswith("scenario_uploads")))
"""
    heavy, own = run(program).splitlines()
    assert own == "['scenario_uploads']"
    for name in ("httpx", "attr", "attrs", "asyncio", "ssl", "dateutil", "scenario_uploads_client"):
        assert f"'{name}'" not in heavy


@pytest.mark.parametrize(
    ("statement", "unwanted"),
    [
        ("from scenario_uploads import NotFoundError", ("httpx", "scenario_uploads_client")),
        ("from scenario_uploads import UploadKind", ("dateutil", "scenario_uploads.client", "scenario_uploads.api")),
        # What other parts of the package need: the async client, the ledger of many files, messages of errors, extras.
        (
            "from scenario_uploads import Scenario",
            (
                *("asyncio", "anyio", "subprocess", "sqlite3", "scenario_uploads.bulk.run", "difflib", "html"),
                "scenario_uploads.display",
                "scenario_uploads.lines",
                *("importlib.metadata", "httpcore", "dateutil", "rich", "typer", "starlette", "boto3", "yaml"),
            ),
        ),
    ],
)
def test_names_load_no_more_than_they_need(statement: str, unwanted: tuple[str, ...]) -> None:
    # Where click is installed, httpx imports it and rich for a command line of its own.
    program = f"import json, sys; sys.modules['click'] = None; {statement}; print(json.dumps(sorted(sys.modules)))"
    loaded = json.loads(run(program))
    assert [name for name in unwanted if name in loaded] == []


def test_threads_that_load_a_name_at_once_get_the_same() -> None:
    program = """
import threading, scenario_uploads
start, seen = threading.Barrier(8), []
def load():
    start.wait()
    seen.append((scenario_uploads.Scenario, scenario_uploads.UploadKind, scenario_uploads.NotFoundError))
threads = [threading.Thread(target=load) for _ in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(len(seen), len(set(seen)))
"""
    assert run(program) == "8 1"


def test_the_package_can_be_loaded_anew() -> None:
    assert importlib.reload(scenario_uploads).Scenario is scenario_uploads.Scenario


def test_dir_shows_public_names_alone() -> None:
    shown = json.loads(run("import json, scenario_uploads; print(json.dumps(dir(scenario_uploads)))"))
    assert [name for name in shown if not name.startswith("__")] == EVERY
    assert "__version__" in shown


@pytest.mark.parametrize("name", [name for name in EVERY if name not in NAMELESS | {"Timeout"}])
def test_public_classes_are_named_as_they_are_imported(name: str) -> None:
    value = getattr(scenario_uploads, name)
    assert not isinstance(value, type) or f"{value.__module__}.{value.__qualname__}" == f"scenario_uploads.{name}"


def test_help_shows_no_address_of_an_object() -> None:
    """A default that prints its place in memory differs from one run to the next."""
    for name in scenario_uploads_client.models.__all__:
        assert " object at 0x" not in pydoc.render_doc(getattr(scenario_uploads, name))
