"""What models can do besides what is generated: become dicts and JSON, tell null from absent, show what is extra."""

import copy
import datetime
import json
import pickle
from typing import Any

import attrs
import pytest
import scenario_uploads_client.models as generated
from hypothesis import given
from hypothesis import strategies as st
from scenario_uploads import (
    Error,
    Upload,
    UploadAssetOptions,
    UploadCreateParams,
    UploadCreateResponse,
    UploadKind,
    UploadPart,
)
from scenario_uploads.decoding.codec import AdditionalProperties, Problems, decode, find_json_names
from scenario_uploads.decoding.methods import ModelMethods, extend_models

from tests.support import future
from tests.support.service import make_upload

EVERY = [*future.list_models(generated)]
SIGNED = "https://storage.example/part?X-Amz-Signature=5ecre7"


def decoded(model: type[Any], data: dict[str, Any]) -> Any:
    return decode(model, data, Problems())


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=5), children, max_size=3),
    max_leaves=10,
)
UPLOADS = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys([*find_json_names(Upload).values(), "newField", "toJson"], JSON)
    | {"parts": st.none() | st.lists(st.dictionaries(st.sampled_from(["number", "url", "new"]), JSON, max_size=3))},
)


class TestToDict:
    @given(UPLOADS)
    def test_gives_what_was_answered_whatever_that_is(self, data: dict[str, Any]) -> None:
        upload = decoded(Upload, data)
        assert upload.to_dict() == data
        assert json.loads(upload.to_json()) == data
        assert decoded(Upload, upload.to_dict()) == upload

    @pytest.mark.parametrize("model", EVERY, ids=lambda model: model.__name__)
    def test_every_model_has_it(self, model: Any) -> None:
        assert decoded(model, {}).to_dict() == {}
        assert decoded(model, {"new": 1}).to_json(indent=None) == '{"new":1}'

    def test_gives_what_the_generated_one_gives_for_models_of_today_and_tomorrow(self) -> None:
        everything = future.load().Everything
        model = decoded(everything, future.SAMPLE)
        assert model.to_dict() == everything._generated_to_dict(model) == future.SAMPLE

    def test_leaves_out_what_a_caller_did_not_give(self) -> None:
        params = UploadCreateParams(file_name="a", asset_options=UploadAssetOptions(hide=True))
        assert params.to_dict() == {"fileName": "a", "assetOptions": {"hide": True}}
        assert params.to_dict(exclude_unset=False)["fileSize"] is None
        assert params.to_dict(exclude_unset=False, exclude_none=True) == params.to_dict()

    def test_names_fields_as_python_does_when_asked(self) -> None:
        answer = decoded(UploadCreateResponse, {"upload": make_upload(assetOptions={"parentId": "p"}, newField=1)})
        shown = answer.to_dict(use_api_names=False)["upload"]
        assert shown["author_id"] == "user_1"
        assert shown["asset_options"] == {"parent_id": "p"}
        assert shown["newField"] == 1
        assert shown["status"] == "imported"
        assert type(shown["status"]) is str

    def test_leaves_out_what_it_is_told_to(self) -> None:
        upload = decoded(Upload, {"id": "u", "authorId": None, "jobId": None, "new": None})
        assert upload.to_dict() == {"id": "u", "authorId": None, "jobId": None, "new": None}
        assert upload.to_dict(exclude_defaults=True) == {"id": "u", "authorId": None, "new": None}
        assert upload.to_dict(exclude_none=True) == {"id": "u"}
        whole = upload.to_dict(exclude_unset=False)
        assert set(whole) == {*find_json_names(Upload).values(), "new"}
        assert whole["entityId"] is None

    def test_leaves_timestamps_as_they_are_in_the_mode_of_python(self) -> None:
        model = decoded(future.load().Everything, future.SAMPLE)
        assert isinstance(model.to_dict(mode="python")["when"], datetime.datetime)
        assert isinstance(model.to_dict()["when"], str)

    def test_is_not_stopped_by_what_a_service_left_out(self) -> None:
        """The generated one fails where a required enum is missing."""
        upload = decoded(Upload, {"id": "u", "kind": None})
        with pytest.raises(AttributeError):
            Upload._generated_to_dict(upload)  # type: ignore[attr-defined]
        assert upload.to_dict() == {"id": "u", "kind": None}

    def test_is_not_stopped_by_depth(self) -> None:
        value: Any = 1
        for _ in range(20_000):
            value = [value]
        upload = Upload(**dict.fromkeys(("id", "author_id", "created_at", "file_name", "owner_id", "updated_at"), "x"),
                        kind=UploadKind.IMAGE, source="url", status="failed", config=value)  # fmt: skip
        assert isinstance(upload.to_dict()["config"], list)

    def test_has_the_whole_urls_that_the_repr_hides(self) -> None:
        part = decoded(UploadPart, {"number": 1, "expires": "e", "url": SIGNED})
        assert part.to_dict()["url"] == SIGNED
        assert SIGNED in part.to_json()
        assert "5ecre7" not in repr(part)

    def test_shares_nothing_with_the_model(self) -> None:
        upload = decoded(Upload, {"config": {"a": [1]}, "new": {"b": 2}})
        shown = upload.to_dict()
        shown["config"]["a"].append(2)
        shown["new"].clear()
        assert upload.to_dict() == {"config": {"a": [1]}, "new": {"b": 2}}


class TestToJson:
    def test_is_indented_unless_told_otherwise(self) -> None:
        options = UploadAssetOptions(hide=True, parent_id="ü")
        assert options.to_json() == '{\n  "hide": true,\n  "parentId": "ü"\n}'
        assert options.to_json(indent=None, use_api_names=False) == '{"hide":true,"parent_id":"ü"}'

    def test_takes_what_to_dict_takes(self) -> None:
        upload = decoded(Upload, {"id": "u", "jobId": None})
        assert json.loads(upload.to_json(exclude_none=True)) == {"id": "u"}
        assert len(json.loads(upload.to_json(exclude_unset=False, warnings=False))) > 15

    @pytest.mark.parametrize("text", ["cut in a pair \ud83d", "\udc00\ud83d", "whole \U0001f600 \u202e\x00"])
    def test_can_be_written_to_a_file_whatever_a_service_sends(self, text: str) -> None:
        upload = decoded(Upload, {"id": text, "config": {text: text}})
        assert json.loads(upload.to_json().encode()) == upload.to_dict()
        assert json.loads(upload.model_dump_json(exclude_none=True).encode()) == upload.model_dump(exclude_none=True)


class TestFromDict:
    @given(UPLOADS)
    def test_reads_what_to_dict_and_json_kept(self, data: dict[str, Any]) -> None:
        upload = decoded(Upload, data)
        for kept in (upload.to_dict(), json.loads(upload.to_json())):
            again = Upload.from_dict(kept)
            assert again == upload
            assert again.to_dict() == data
            assert again.model_fields_set == upload.model_fields_set

    def test_reads_as_a_response_is_read(self) -> None:
        """New values, null, and what is missing; and no secret shows."""
        upload = Upload.from_dict({"kind": "hologram", "status": None, "parts": [{"url": SIGNED}], "new": 1})
        assert (upload.kind, upload.status, upload.entity_id, upload.new) == ("hologram", None, None, 1)  # type: ignore[attr-defined]
        assert SIGNED not in repr(upload)
        assert upload.parts[0].url == SIGNED

    def test_reads_what_a_caller_made(self) -> None:
        options = UploadAssetOptions(hide=True)
        assert UploadAssetOptions.from_dict(options.to_dict()) == options
        params = UploadCreateParams(file_name="a", asset_options=options)
        assert UploadCreateParams.from_dict(params.to_dict()) == params


def test_what_a_caller_leaves_out_equals_what_a_service_does() -> None:
    upload = decoded(Upload, {"assetOptions": {"hide": False, "parentId": None}})
    assert upload.asset_options == UploadAssetOptions(hide=False)
    assert upload.asset_options != UploadAssetOptions(hide=False, parent_id="p")
    assert upload.asset_options != UploadAssetOptions(hide=True)


def test_what_pydantic_calls_them_is_there_with_its_defaults() -> None:
    upload = decoded(Upload, {"id": "u", "fileName": "a"})
    assert upload.model_dump(exclude_unset=True) == {"id": "u", "file_name": "a"}
    assert upload.model_dump()["entity_id"] is None
    assert upload.model_dump(by_alias=True, exclude_none=True) == {"id": "u", "fileName": "a"}
    assert upload.model_dump_json(exclude_none=True) == '{"id":"u","file_name":"a"}'


class TestFieldsSet:
    def test_tell_null_from_absent(self) -> None:
        upload = decoded(Upload, {"id": "u", "jobId": None})
        assert upload.job_id is upload.entity_id is None
        assert upload.model_fields_set == {"id", "job_id"}

    def test_are_what_a_caller_gave(self) -> None:
        assert UploadAssetOptions(hide=True).model_fields_set == {"hide"}

    def test_grow_with_what_is_set_later(self) -> None:
        upload = decoded(Upload, {"id": "u"})
        upload.entity_id = "e"
        assert upload.model_fields_set == {"id", "entity_id"}
        assert upload.to_dict() == {"id": "u", "entityId": "e"}

    def test_change_nothing_of_equality(self) -> None:
        assert decoded(Upload, {"id": "u", "jobId": None}) == decoded(Upload, {"id": "u"})
        assert decoded(Upload, {"id": "u"}) != decoded(Upload, {"id": "v"})


class TestExtra:
    def test_is_there_under_its_own_name_and_as_a_mapping(self) -> None:
        upload = decoded(Upload, make_upload(newField={"a": 1}))
        assert upload.newField == upload["newField"] == {"a": 1}
        assert upload.model_extra == upload.additional_properties == {"newField": {"a": 1}}

    @pytest.mark.parametrize("name", ["missing", "__missing__", "entityId", "_private"])
    def test_what_is_not_there_is_an_attribute_error(self, name: str) -> None:
        upload = decoded(Upload, make_upload())
        with pytest.raises(AttributeError, match=f"'Upload' object has no attribute '{name}'"):
            getattr(upload, name)

    def test_hides_nothing_of_the_model(self) -> None:
        upload = decoded(Upload, make_upload(to_dict="x", id_="y", model_extra=1))
        assert upload.to_dict() == make_upload(to_dict="x", id_="y", model_extra=1)
        assert upload.model_extra == {"to_dict": "x", "id_": "y", "model_extra": 1}


def test_copies_and_pickles_keep_all_of_it() -> None:
    answer = decoded(UploadCreateResponse, {"upload": make_upload(status="new", jobId=None, extra=[1]), "more": 2})
    for twin in (copy.copy(answer), copy.deepcopy(answer), pickle.loads(pickle.dumps(answer))):
        assert twin == answer
        assert twin.to_dict() == answer.to_dict()
        assert twin.upload.model_fields_set == answer.upload.model_fields_set
        assert type(twin.upload.status) is type(answer.upload.status)
        assert twin.more == 2
    deep = copy.deepcopy(answer)
    deep.upload.additional_properties["extra"].append(2)
    assert answer.upload.extra == [1]


def test_what_is_extra_is_a_dict() -> None:
    extra = AdditionalProperties({"a": 1})
    assert extra == {"a": 1}
    assert json.dumps(extra) == '{"a": 1}'


def test_extending_again_changes_nothing() -> None:
    before = {model: dict(vars(model)) for model in EVERY}
    extend_models(generated)
    for model, members in before.items():
        assert {name: vars(model)[name] for name in members} == members


def test_a_field_of_the_contract_is_not_replaced_by_a_method() -> None:
    @attrs.define
    class Clash:
        to_json: str
        additional_properties: dict[str, Any] = attrs.field(init=False, factory=dict)

        def to_dict(self) -> dict[str, Any]:
            return {"toJson": self.to_json}

    module = type("Module", (), {"Clash": Clash})
    extend_models(module)  # type: ignore[arg-type]
    assert Clash("x").to_json == "x"
    assert Clash("x").to_dict() == {"toJson": "x"}


def test_the_methods_say_what_they_do() -> None:
    for name in ("to_dict", "to_json", "model_dump", "model_dump_json", "model_fields_set", "model_extra"):
        assert getattr(ModelMethods, name).__doc__
        assert getattr(Error, name).__doc__ == getattr(ModelMethods, name).__doc__
