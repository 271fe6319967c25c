"""What the generated models, of today and of tomorrow, say of themselves."""

import datetime
import sys
from types import ModuleType
from typing import Any, Literal
from uuid import UUID

import attrs
import pytest
import scenario_uploads_client.models
from scenario_uploads.decoding.codec import allows_null, find_json_names, list_choices, resolve_hints
from scenario_uploads_client.types import UNSET, Unset

from tests.support import future


@pytest.fixture
def everything() -> type[Any]:
    return future.load().Everything  # type: ignore[no-any-return]


@pytest.mark.parametrize("when", ["today", "tomorrow"])
def test_every_attribute_has_a_name_in_json_and_a_type(when: str) -> None:
    for model in future.list_models(scenario_uploads_client.models if when == "today" else future.load()):
        attributes = {field.name for field in attrs.fields(model) if field.init}
        assert attributes == set(find_json_names(model)), model
        assert attributes <= set(resolve_hints(model)), model


def test_names_are_those_of_the_contract(everything: type[Any]) -> None:
    """Whatever the generator made of them to suit Python."""
    names = find_json_names(everything)
    assert set(names.values()) == set(future.SAMPLE)
    assert names["maybe_when"] == "maybeWhen"
    assert names["class_"] == "class"
    assert names["self_"] == "self"
    assert names["field_hidden"] == "_hidden"
    assert names["field_3rd"] == "3rd"
    assert names["nested"] == "nested"


def test_names_of_the_present_contract() -> None:
    assert find_json_names(scenario_uploads_client.models.UploadPart) == {
        "expires": "expires",
        "number": "number",
        "url": "url",
    }
    assert find_json_names(scenario_uploads_client.models.Upload)["entity_id"] == "entityId"


@attrs.define
class Strange:
    """A model whose `to_dict` is not like those that the generator writes."""

    a: Any
    b: Any

    def to_dict(self) -> dict[str, Any]:
        return {"a": self.a, "b": 5}


@attrs.define
class Empty:
    a: Any

    def to_dict(self) -> dict[str, Any]:
        return {"a": []}


@pytest.mark.parametrize("model", [Strange, Empty])
def test_a_to_dict_that_is_not_understood_is_an_error_and_no_guess(model: type) -> None:
    """It would come up with the first test after a new version of the generator."""
    with pytest.raises(TypeError, match=f"to_dict of {model.__name__} does not show"):
        find_json_names(model)


def test_types_are_those_of_the_models_own_package(everything: type[Any]) -> None:
    models = future.load()
    hints = resolve_hints(everything)
    assert hints["leaf"] is models.Leaf
    assert hints["nested"] == list[list[models.Leaf]]
    assert hints["when"] is datetime.datetime
    assert hints["id"] is UUID
    assert hints["kind"] == Literal["everything"]
    assert list_choices(hints["float_"]) == (models.Float,)


def test_a_submodule_does_not_shadow_a_type(everything: type[Any]) -> None:
    """A schema called `Float` has a module called `float_` or, with another generator, `float`."""
    package = sys.modules[everything.__module__.rpartition(".")[0]]
    package.float = ModuleType("float")  # type: ignore[attr-defined]
    try:
        assert list_choices(resolve_hints(everything)["number"]) == (float,)
    finally:
        del package.float  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        (str, (str,)),
        (str | None, (str,)),
        (str | Unset, (str,)),
        (int | str | Unset | None, (int, str)),
        (list[int] | Unset, (list[int],)),
        (Any, (Any,)),
        (Any | Unset, (Any,)),
    ],
)
def test_choices_are_what_is_there_when_something_is_there(annotation: Any, expected: tuple[Any, ...]) -> None:
    assert list_choices(annotation) == expected


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [(str, False), (str | None, True), (str | Unset, False), (Any, True), (Any | Unset, False), (list[None], False)],
)
def test_null_is_a_value_only_where_the_contract_says_so(annotation: Any, expected: bool) -> None:
    assert allows_null(annotation) is expected


def test_unset_is_falsy_so_that_it_reads_like_none() -> None:
    assert not UNSET
