"""`Scenario` and `AsyncScenario` are the same client, once awaited."""

import inspect
import re
import typing
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Hashable, Iterator
from typing import Any

import httpx
import pytest
from scenario_uploads import AsyncUploadHandle, AsyncUploads, Scenario, UploadHandle, Uploads
from scenario_uploads.client import async_client, async_operations, sync_client, sync_operations

# Every class of the modules, so that one for another tag of the contract is compared too.
PAIRS = [
    (getattr(twin, name.removeprefix("Async")), kind)
    for module, twin in ((async_client, sync_client), (async_operations, sync_operations))
    for name, kind in vars(module).items()
    if isinstance(kind, type)
    if kind.__module__ == module.__name__ or (module is async_client and kind.__module__ == "scenario_uploads")
    if name == kind.__name__ and name.startswith("Async") and not issubclass(kind, AsyncUploadHandle)
]
PROPERTIES = {"with_raw_response", "with_streaming_response"}
NAMES = {"__enter__": "__aenter__", "__exit__": "__aexit__"}
AT_ONCE = {
    "__init__",
    "__repr__",
    "copy",
    "is_closed",
    "iter_bytes",
    "iter_lines",
    "iter_text",
    "start_upload",
    "upload_many",
}
TYPES: dict[Any, Any] = {awaited: sync for sync, awaited in PAIRS}
TYPES |= {
    httpx.AsyncClient: httpx.Client,
    AsyncIterator: Iterator,
    AsyncGenerator: Generator,
    AsyncUploadHandle: UploadHandle,
}


def public_names(kind: type) -> set[str]:
    return {name for name in vars(kind) if not name.startswith("_") or name in (*NAMES, *NAMES.values())}


def in_sync_words(text: str | None) -> str:
    assert text
    text = text.replace("DefaultAsync", "Default").replace("an `async with` block", "a `with` block")
    return re.sub(r"\bAsync(?=[A-Z])", "", text)


def in_sync_types(hint: Any) -> Any:
    if typing.get_args(hint):
        origin: Any = typing.get_origin(hint)
        return TYPES.get(origin, origin), tuple(sorted(str(in_sync_types(part)) for part in typing.get_args(hint)))
    return TYPES.get(hint, hint) if isinstance(hint, Hashable) else hint


METHODS = [
    pytest.param(getattr(sync, name), getattr(awaited, NAMES.get(name, name)), id=f"{sync.__name__}.{name}")
    for sync, awaited in PAIRS
    for name in sorted(public_names(sync) | ({"__init__"} if sync is Scenario else set()))
    if callable(getattr(sync, name, None))
]


@pytest.mark.parametrize(("sync", "awaited"), PAIRS)
def test_have_the_same_names(sync: type, awaited: type) -> None:
    assert {NAMES.get(name, name) for name in public_names(sync)} == public_names(awaited)


@pytest.mark.parametrize(("sync", "awaited"), PAIRS)
def test_have_the_same_description(sync: type, awaited: type) -> None:
    if sync is Scenario:
        assert inspect.getdoc(sync) == in_sync_words(inspect.getdoc(awaited))
    else:
        assert in_sync_words(inspect.getdoc(awaited)) == inspect.getdoc(sync)


@pytest.mark.parametrize(("sync", "awaited"), PAIRS)
def test_have_the_same_attributes(sync: type, awaited: type) -> None:
    expected = typing.get_type_hints(sync)
    actual = {name: in_sync_types(hint) for name, hint in typing.get_type_hints(awaited).items()}
    assert expected == actual


@pytest.mark.parametrize(("sync", "awaited"), METHODS)
def test_have_the_same_parameters(sync: Any, awaited: Any) -> None:
    expected = inspect.signature(sync).parameters.values()
    actual = inspect.signature(awaited).parameters.values()
    assert [(p.name, p.kind, p.default) for p in expected] == [(p.name, p.kind, p.default) for p in actual]


@pytest.mark.parametrize(("sync", "awaited"), METHODS)
def test_have_the_same_annotations(sync: Any, awaited: Any) -> None:
    expected = {name: in_sync_types(hint) for name, hint in typing.get_type_hints(sync).items()}
    actual = {name: in_sync_types(hint) for name, hint in typing.get_type_hints(awaited).items()}
    assert expected == actual


@pytest.mark.parametrize(("sync", "awaited"), METHODS)
def test_have_the_same_docstrings(sync: Any, awaited: Any) -> None:
    if sync.__name__.startswith("_"):
        assert bool(sync.__doc__) == bool(awaited.__doc__)
    else:
        assert inspect.getdoc(sync) == in_sync_words(inspect.getdoc(awaited))


@pytest.mark.parametrize(("sync", "awaited"), PAIRS)
def test_have_the_same_properties(sync: type, awaited: type) -> None:
    for name, value in vars(sync).items():
        if isinstance(value, property):
            assert inspect.getdoc(value) == in_sync_words(inspect.getdoc(getattr(awaited, name)))
            expected, actual = (typing.get_type_hints(one.fget) for one in (value, vars(awaited)[name]))
            assert in_sync_words(str(expected)) == in_sync_words(str(actual)).replace(".async_", ".sync_")


@pytest.mark.parametrize(("sync", "awaited"), METHODS)
def test_differ_in_being_awaited(sync: Any, awaited: Any) -> None:
    assert not inspect.iscoroutinefunction(sync)
    assert inspect.iscoroutinefunction(awaited) == (awaited.__name__ not in AT_ONCE)


def test_an_upload_in_the_background_takes_what_any_upload_takes() -> None:
    parameters = inspect.signature(Uploads.upload_file).parameters
    assert parameters == inspect.signature(Uploads.start_upload).parameters


@pytest.mark.parametrize("kind", [Uploads, AsyncUploads])
def test_every_call_has_an_english_docstring_with_what_it_raises(kind: type) -> None:
    for name in public_names(kind) - PROPERTIES:
        doc = inspect.getdoc(getattr(kind, name)) or ""
        assert "Raises:" in doc, name
        assert "Args:" in doc, name
