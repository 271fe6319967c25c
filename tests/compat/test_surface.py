"""The names and arguments that users of scenario-sdk's uploads write are there, but for those that the page names."""

import importlib
import inspect
from pathlib import Path
from typing import Any

import pytest
import scenario_uploads

from tests.support import official as scenario_sdk

PAGE = (Path(__file__).parents[2] / "docs" / "compat.md").read_text(encoding="utf-8")

LEFT_OUT = {
    "BaseModel",
    "Stream",
    "AsyncStream",
    "RequestOptions",
    "Transport",
    "ProxiesTypes",
    "NoneType",
    "file_from_path",
    "DefaultAioHttpClient",
    "__title__",
}
"""Of the package."""

OTHER_CALLS = {"get", "post", "put", "patch", "delete", "request", "get_api_list"}
INNER = {"auth_headers", "custom_auth", "platform_headers", "qs", "user_agent"}


def parameters(function: Any) -> set[str]:
    return set(inspect.signature(function).parameters) - {"self"}


def public(item: object) -> set[str]:
    return {name for name in dir(item) if not name.startswith("_")}


@pytest.mark.parametrize("name", ["Uploads", "AsyncUploads"])
@pytest.mark.parametrize("call", ["create", "retrieve", "trigger_action"])
def test_calls_take_every_argument(name: str, call: str) -> None:
    resources = importlib.import_module("scenario_sdk.resources.uploads")
    official = parameters(getattr(getattr(resources, f"{name}Resource"), call))
    ours = parameters(getattr(getattr(scenario_uploads, name), call))
    assert official - ours == set()


@pytest.mark.parametrize("name", ["Scenario", "AsyncScenario"])
@pytest.mark.parametrize(
    ("call", "without"), [("__init__", set()), ("copy", {"_extra_kwargs"}), ("with_options", {"_extra_kwargs"})]
)
def test_clients_take_every_setting(name: str, call: str, without: set[str]) -> None:
    official, ours = (getattr(getattr(package, name), call) for package in (scenario_sdk, scenario_uploads))
    assert parameters(official) - parameters(ours) == without


@pytest.mark.parametrize("name", ["Scenario", "AsyncScenario"])
def test_clients_have_every_attribute_but_for_other_resources_and_calls(name: str) -> None:
    client = getattr(scenario_sdk, name)(api_key="k", api_secret="s")
    ours = getattr(scenario_uploads, name)(api_key="k", api_secret="s")
    resources = {item for item in public(client) if "resources" in type(getattr(client, item, None)).__module__}
    assert public(client) - public(ours) == (resources - {"uploads"}) | OTHER_CALLS | INNER


def test_the_package_has_every_name_but_for_those_that_the_page_gives() -> None:
    missing = {name for name in scenario_sdk.__all__ if not hasattr(scenario_uploads, name)}
    assert missing == LEFT_OUT
    for name in sorted(missing | OTHER_CALLS | INNER):
        assert f"`{name}`" in PAGE or f".{name}" in PAGE, name


def test_errors_stand_in_the_same_order() -> None:
    for name in scenario_sdk.__all__:
        official = getattr(scenario_sdk, name)
        if isinstance(official, type) and issubclass(official, Exception):
            ours = getattr(scenario_uploads, name)
            assert [base.__name__ for base in ours.__mro__] == [base.__name__ for base in official.__mro__]


@pytest.mark.parametrize("name", ["APIResponse", "AsyncAPIResponse"])
def test_answers_as_they_came_have_every_method(name: str) -> None:
    official, ours = (getattr(package, name) for package in (scenario_sdk, scenario_uploads))
    assert public(official) <= public(ours)
    for method in public(official):
        if callable(getattr(official, method)):
            assert parameters(getattr(official, method)) == parameters(getattr(ours, method))
            assert inspect.iscoroutinefunction(getattr(official, method)) == inspect.iscoroutinefunction(
                getattr(ours, method)
            )


def test_types_are_where_they_were() -> None:
    names = [name for name in public(scenario_sdk.types) if name.startswith(("Upload", "upload"))]
    assert len(names) == 12
    for name in names:
        assert hasattr(scenario_uploads.types, name)
        if name.startswith("upload_"):
            official, ours = (
                importlib.import_module(f"{p}.types.{name}") for p in ("scenario_sdk", "scenario_uploads")
            )
            assert set(official.__all__) <= set(ours.__all__)


@pytest.mark.parametrize("name", ["UploadCreateParams", "UploadRetrieveParams", "UploadTriggerActionParams"])
def test_types_of_arguments_have_the_same_keys(name: str) -> None:
    official, ours = (getattr(package.types, name) for package in (scenario_sdk, scenario_uploads))
    # With it `create` returns another type, so type checkers have to see whether it is there.
    beside = {"dry_run"} if name == "UploadCreateParams" else set()
    assert official.__annotations__.keys() - ours.__annotations__.keys() == beside
    assert official.__required_keys__ == ours.__required_keys__
    call = {"UploadCreateParams": "create", "UploadRetrieveParams": "retrieve"}.get(name, "trigger_action")
    assert ours.__annotations__.keys() <= parameters(getattr(scenario_uploads.Uploads, call))


def test_models_have_the_same_fields_and_the_methods_that_the_sdk_documents() -> None:
    for name in ("Upload", "UploadAssetOptions", "UploadPart", "UploadCreateResponse"):
        official: Any = getattr(scenario_sdk.types.upload_create_response, name)
        ours = getattr(scenario_uploads, name)
        assert set(official.model_fields) <= set(ours.__annotations__)
        for method in ("to_dict", "to_json"):
            assert parameters(getattr(official, method)) == parameters(getattr(ours, method))
            for parameter, described in inspect.signature(getattr(official, method)).parameters.items():
                if parameter != "mode":
                    assert inspect.signature(getattr(ours, method)).parameters[parameter].default == described.default
        assert {"model_fields_set", "model_extra", "model_dump", "model_dump_json"} <= public(ours)
