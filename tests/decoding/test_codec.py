"""JSON to models and back: whatever the service sends, today's models and tomorrow's."""

import copy
import datetime
import json
import math
import pickle
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import attrs
import pytest
import scenario_uploads_client
from hypothesis import given
from hypothesis import strategies as st
from scenario_uploads import is_known, models
from scenario_uploads.decoding.codec import Problems, decode
from scenario_uploads.decoding.methods import ModelMethods
from scenario_uploads.models import (
    Error,
    Upload,
    UploadAssetOptions,
    UploadCreateParams,
    UploadKind,
    UploadPart,
    UploadProvider,
    UploadRetrieveResponse,
    UploadStatus,
    UploadTriggerActionParams,
)
from scenario_uploads_client.types import UNSET, Unset

from tests.support import future

SECRET = "f00dfeed"
REQUIRED = {
    "id": "upload_1",
    "authorId": "user_1",
    "createdAt": "2025-06-30T15:15:27.153Z",
    "fileName": "dragon.glb",
    "kind": "3d",
    "ownerId": "proj_1",
    "source": "multipart",
    "status": "pending",
    "updatedAt": "2025-06-30T15:15:27.153Z",
}
FULL = REQUIRED | {
    "assetOptions": {"collectionIds": ["c"], "hide": True, "parentId": "p"},
    "config": {"a": [1, None, {"b": 2.5}]},
    "contentType": "model/gltf-binary",
    "entityId": "asset_1",
    "errorMessage": "none",
    "fileSize": 9437184,
    "jobId": "job_1",
    "originalFileName": "dragon.glb",
    "parts": [{"expires": "2025-07-01T15:15:27.153Z", "number": 1, "url": "https://h/k?X-Amz-Signature=f00dfeed"}],
    "partsCount": 1,
    "provider": "civitai",
    "url": "https://example.com/a.glb",
}
OPTIONAL = sorted(FULL.keys() - REQUIRED.keys())

SCALARS = st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(st.characters())
JSON = st.recursive(
    st.none() | SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)
ODD_JSON = JSON | st.sampled_from([math.nan, math.inf, -math.inf, 1e308, 10**400, -(10**400), "\ud800", True])


def encode(model: Any) -> dict[str, Any]:
    """Return what a model becomes in JSON, without its own fields that are null."""
    written = ModelMethods.to_dict(model)
    return {
        name: value
        for name, value in written.items()
        if value is not None or name in getattr(model, "additional_properties", ())
    }


@attrs.define
class Reports(Problems):
    """Remembers all of them, by path."""

    by_path: dict[str, str] = attrs.field(factory=dict)

    def add(self, path: str, problem: str) -> None:
        assert path not in self.by_path, "reported twice"
        self.by_path[path] = problem


def decoded(model: type[Any], data: dict[str, Any], *, given: bool = False) -> tuple[Any, dict[str, str]]:
    """Return what is decoded and, by its path, what is reported."""
    reports = Reports(given)
    return decode(model, data, reports), reports.by_path


def mixed(sample: dict[str, Any], values: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Objects in which any field is as it should be, or anything, or absent; and some have more."""
    known = st.fixed_dictionaries({}, optional={key: st.just(value) | values for key, value in sample.items()})
    return st.builds(lambda more, some: more | some, st.dictionaries(st.text(max_size=5), values, max_size=2), known)


def test_a_complete_answer_is_decoded_as_the_generated_client_would() -> None:
    upload, reports = decoded(Upload, FULL)
    plain = future.load_package(Path(scenario_uploads_client.__path__[0]), "tests_plain_client")
    # What a later contract adds is not in it: to the one that is unset, to the other None.
    assert attrs.asdict(upload) == attrs.asdict(plain.Upload.from_dict(FULL))
    assert reports == {}
    assert upload.to_dict() == FULL
    assert encode(upload) == FULL
    assert upload.kind is UploadKind.THREE_D
    assert upload.provider is UploadProvider.CIVITAI
    assert isinstance(upload.parts[0], UploadPart)
    assert isinstance(upload.asset_options, UploadAssetOptions)


@pytest.mark.parametrize("absent", [{}, dict.fromkeys(OPTIONAL)], ids=["absent", "null"])
def test_optional_fields_that_are_absent_or_null_read_as_none(absent: dict[str, None]) -> None:
    upload, reports = decoded(Upload, REQUIRED | absent)
    assert reports == {}
    hints = [name for name in Upload.__annotations__ if name != "additional_properties"]
    none = {name for name in hints if getattr(upload, name) is None}
    assert len(none) == len(hints) - len(REQUIRED)
    assert {"entity_id", "parts", "config", "asset_options", "provider"} <= none
    assert not any(isinstance(getattr(upload, name), Unset) for name in hints)
    assert encode(upload) == REQUIRED
    assert upload.to_dict() == REQUIRED | absent


@pytest.mark.parametrize("key", sorted(REQUIRED))
@pytest.mark.parametrize(("null", "problem"), [(False, "is missing"), (True, "is null")])
def test_a_required_field_that_is_not_there_is_reported_once_and_reads_as_none(
    key: str, null: bool, problem: str
) -> None:
    data = {name: value for name, value in REQUIRED.items() if name != key} | ({key: None} if null else {})
    upload, reports = decoded(Upload, data)
    assert reports == {key: problem}
    assert encode(upload) == {name: value for name, value in data.items() if value is not None}
    assert repr(upload)


@pytest.mark.parametrize(
    ("key", "value", "problem"),
    [
        ("id", 5, "should be a string and is 5"),
        ("id", True, "should be a string and is True"),
        ("id", ["a"], "should be a string and is a list"),
        ("kind", 5, "should be a string and is 5"),
        ("kind", ["3d"], "should be a string and is a list"),
        ("status", {}, "should be a string and is an object"),
        ("provider", False, "should be a string and is False"),
        ("fileSize", "5", "should be a whole number and is '5'"),
        ("fileSize", True, "should be a whole number and is True"),
        ("fileSize", 5.5, "should be a whole number and is 5.5"),
        ("fileSize", math.nan, "should be a whole number and is nan"),
        ("fileSize", math.inf, "should be a whole number and is inf"),
        ("partsCount", [], "should be a whole number and is a list"),
        pytest.param("entityId", 10**5000, "should be a string and is a huge number", id="huge"),
        ("entityId", "x" * 5, None),
        ("parts", {}, "should be a list and is an object"),
        ("parts", "https://h/k?X-Amz-Signature=f00dfeed", "should be a list and is 'https://h/k?…'"),
        ("assetOptions", "x", "should be an object and is 'x'"),
        ("assetOptions", [], "should be an object and is a list"),
        ("url", {"a": SECRET}, "should be a string and is an object"),
    ],
)
def test_a_value_of_the_wrong_type_is_reported_once_and_reads_as_it_came(
    key: str, value: object, problem: str | None
) -> None:
    upload, reports = decoded(Upload, REQUIRED | {key: value})
    assert reports == ({key: problem} if problem else {})
    kept = encode(upload)[key]
    assert isinstance(kept, type(value))
    assert isinstance(kept, bool) is isinstance(value, bool)
    assert kept == value or (kept != kept and value != value)
    assert SECRET not in repr(reports)


def test_paths_lead_into_what_is_nested() -> None:
    parts = [None, 5, [], {"expires": "e", "number": "1", "url": "u"}, {"number": 2, "url": None}, FULL["parts"]]
    upload, reports = decoded(Upload, REQUIRED | {"parts": parts, "assetOptions": {"collectionIds": ["c", None, 5]}})
    assert reports == {
        "parts[0]": "is null",
        "parts[1]": "should be an object and is 5",
        "parts[2]": "should be an object and is a list",
        "parts[3].number": "should be a whole number and is '1'",
        "parts[4].expires": "is missing",
        "parts[4].url": "is null",
        "parts[5]": "should be an object and is a list",
        "assetOptions.collectionIds[1]": "is null",
        "assetOptions.collectionIds[2]": "should be a string and is 5",
    }
    assert upload.parts[:3] == [None, 5, []]
    assert upload.parts[3].number == "1"
    assert encode(upload)["assetOptions"] == {"collectionIds": ["c", None, 5]}
    assert SECRET not in repr(upload)


@pytest.mark.parametrize("value", [5.0, 5, 0.0, -0.0, 1e15])
def test_whole_numbers_may_be_written_with_a_point(value: float) -> None:
    """JSON has one kind of number."""
    upload, reports = decoded(Upload, REQUIRED | {"fileSize": value})
    assert reports == {}
    assert upload.file_size == value
    assert type(upload.file_size) is int


@pytest.mark.parametrize("value", [True, False])
def test_booleans_are_no_numbers(value: bool) -> None:
    upload, reports = decoded(Upload, REQUIRED | {"fileSize": value})
    assert upload.file_size is value
    assert list(reports) == ["fileSize"]


def test_extra_fields_are_kept_in_their_order_whatever_they_are() -> None:
    extra = {"zeta": 1, "alpha": None, "nested": {"x": [1, None]}, "link": "https://h/k?X-Amz-Signature=f00dfeed"}
    upload, reports = decoded(Upload, REQUIRED | extra)
    assert reports == {}
    assert upload.additional_properties == extra
    assert list(upload.additional_properties) == list(extra)
    assert upload["zeta"] == 1
    assert encode(upload) == REQUIRED | extra
    assert upload.to_dict() == REQUIRED | extra
    assert SECRET not in repr(upload)


@pytest.mark.parametrize("wrap", [lambda value: [value], lambda value: {"a": value}])
def test_config_may_be_nested_deeper_than_python_recurses(wrap: Callable[[object], object]) -> None:
    config: object = "leaf"
    for _ in range(sys.getrecursionlimit() * 3):
        config = wrap(config)
    upload, reports = decoded(Upload, REQUIRED | {"config": config})
    assert reports == {}
    walked = encode(upload)["config"]
    while not isinstance(walked, str):
        (walked,) = walked if isinstance(walked, list) else walked.values()
    assert walked == "leaf"


@given(mixed(FULL, ODD_JSON))
def test_no_answer_is_too_odd(data: dict[str, Any]) -> None:
    """Decoding never raises for any JSON, and what comes of it can be shown, pickled and encoded."""
    for model in (Upload, Error, UploadPart, UploadAssetOptions):
        result, problems = decode_response(model, data)
        assert isinstance(result, model)
        assert len(problems.splitlines()) <= 1
        assert len(problems) < 4000
        encode(result)
    response, _ = decode_response(UploadRetrieveResponse, {"upload": data})
    assert pickle.loads(pickle.dumps(response)).upload.id is not ...


@given(ODD_JSON)
def test_no_upload_is_too_odd(value: object) -> None:
    """Whatever stands where the upload should."""
    response, problems = decode_response(UploadRetrieveResponse, {"upload": value})
    assert isinstance(response.upload, Upload) == isinstance(value, dict)
    assert problems


def without_nulls(value: Any) -> Any:
    """Fields that are null are absent for a model; inside `config` and extra fields they stay."""
    return {key: item for key, item in value.items() if item is not None} if isinstance(value, dict) else value


@given(mixed({key: value for key, value in FULL.items() if key not in ("parts", "assetOptions")}, JSON))
def test_what_is_decoded_encodes_to_the_same_json(data: dict[str, Any]) -> None:
    encoded = encode(decoded_quietly(Upload, data))
    for nested in ("parts", "assetOptions"):
        data.pop(nested, None)
        encoded.pop(nested, None)
    known = {key: value for key, value in data.items() if key in FULL}
    extra = {key: value for key, value in data.items() if key not in FULL}
    assert encoded == without_nulls(known) | extra


@given(mixed(FULL, JSON))
def test_encoding_and_decoding_again_changes_nothing(data: dict[str, Any]) -> None:
    upload = decoded_quietly(Upload, data)
    again = decoded_quietly(Upload, encode(upload))
    assert again == upload
    assert encode(again) == encode(upload)


def decoded_quietly(model: type[Any], data: dict[str, Any]) -> Any:
    return decode(model, data, Problems())


def decode_response(model: type[Any], data: dict[str, Any]) -> tuple[Any, str]:
    """Return a decoded response with its problems as text."""
    problems = Problems()
    return decode(model, data, problems), str(problems)


def test_many_problems_make_one_short_text() -> None:
    parts = [{"number": "x" * 1000}] * 1000
    _, problems = decode_response(Upload, REQUIRED | {"parts": parts, "kind": "x\ny", "id": "a\nb"})
    assert problems.startswith("parts[0].expires is missing; parts[0].number should be a whole number and is 'xxx")
    assert problems.endswith("; and 2990 more")
    assert len(problems) < 2000


def test_an_answer_without_problems_reports_nothing() -> None:
    assert decode_response(Upload, FULL)[1] == ""


@pytest.mark.parametrize(
    "kind",
    [
        *("hologram", "3D", "THREE_D", "", "\x00\n"),
        pytest.param("x" * 10_000, id="long"),
        pytest.param("\ud800", id="lone-surrogate"),
    ],
)
def test_unknown_values_of_enums_are_no_problem(kind: str) -> None:
    upload, reports = decoded(Upload, FULL | {"kind": kind, "provider": kind})
    assert reports == {}
    assert isinstance(upload.kind, UploadKind)
    assert isinstance(upload.provider, UploadProvider)
    assert upload.kind == kind
    assert not is_known(upload.kind)
    assert encode(upload) == upload.to_dict() == FULL | {"kind": kind, "provider": kind}
    twin = pickle.loads(pickle.dumps(upload))
    assert twin == upload == copy.deepcopy(upload)
    assert type(twin.kind) is UploadKind


def test_models_round_trip_through_pickle_and_copies() -> None:
    upload, _ = decoded(Upload, FULL)
    for twin in (pickle.loads(pickle.dumps(upload)), copy.copy(upload), copy.deepcopy(upload)):
        assert twin == upload
        assert encode(twin) == FULL
        assert SECRET not in repr(twin)


def test_what_is_encoded_is_json() -> None:
    assert json.loads(json.dumps(encode(decoded(Upload, FULL)[0]))) == FULL


# Tomorrow's models.


def test_everything_that_the_generator_knows_is_decoded_as_it_would() -> None:
    model = future.load().Everything
    result, reports = decoded(model, future.SAMPLE)
    assert reports == {}
    assert attrs.asdict(result) == attrs.asdict(future.load_plain().Everything.from_dict(future.SAMPLE))
    assert result.to_dict() == future.SAMPLE
    assert encode(result) == future.SAMPLE
    assert result.id == UUID(future.SAMPLE["id"])
    assert result.when == datetime.datetime(2025, 6, 30, 15, 15, 27, 153000, datetime.UTC)
    assert result.day == datetime.date(2025, 6, 30)
    assert result.colours == list(future.load().Colour)[::-1]
    assert result.typed["more"].n == 7
    assert result.when_or_text == datetime.datetime(2025, 6, 30, 15, 15, 27, tzinfo=datetime.UTC)
    json.dumps(encode(result))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        # The contract allows null here, though the field is required.
        ({"maybeWhen": None, "reqNull": None, "anything": None}, {}),
        ({"anythings": [None], "nullItems": [None]}, {}),
        ({"leaf": None}, {"leaf": "is null"}),
        ({"id": "no uuid"}, {"id": "should be a UUID and is 'no uuid'"}),
        ({"when": "yesterday"}, {"when": "should be a datetime and is 'yesterday'"}),
        ({"when": "9999-99-99T00:00:00Z"}, {"when": "should be a datetime and is '9999-99-99T00:00:00Z'"}),
        ({"when": 1751296527}, {"when": "should be a datetime and is 1751296527"}),
        ({"day": "2025-06-31"}, {"day": "should be a date and is '2025-06-31'"}),
        ({"day": "2025-06-30T15:15:27Z"}, {"day": "should be a date and is '2025-06-30T15:15:27Z'"}),
        ({"kind": "something"}, {"kind": "should be 'everything' and is 'something'"}),
        ({"kind": ["everything"]}, {"kind": "should be 'everything' and is a list"}),
        ({"level": 1.0, "levels": [2.0]}, {}),
        ({"level": "1"}, {"level": "should be a whole number and is '1'"}),
        ({"level": True}, {"level": "should be a whole number and is True"}),
        ({"levels": [1, None, "x"]}, {"levels[1]": "is null", "levels[2]": "should be a whole number and is 'x'"}),
        ({"nested": [[{"n": "1"}], {}]}, {"nested[0][0].n": "should be a whole number and is '1'"}),
        ({"number": 5}, {}),
        ({"number": "5"}, {"number": "should be a number and is '5'"}),
        ({"flag": 1}, {"flag": "should be True or False and is 1"}),
        ({"typedText": {"x": 5}}, {"typedText.x": "should be a string and is 5"}),
        ({"typedText": {"x": None}}, {"typedText.x": "is null"}),
        ({"typedText": {"x\ny" * 99: 5}}, None),
        ({"textOrNumber": []}, {"textOrNumber": "should be one of what the contract allows and is a list"}),
        ({"closed": {"a": "a", "b": 1}}, {"closed.b": "is unknown; known are a"}),
    ],
)
def test_deviations_from_tomorrows_contract(changes: dict[str, Any], expected: dict[str, str] | None) -> None:
    if "nested" in changes and expected is not None:
        expected = expected | {"nested[1]": "should be a list and is an object"}
    result, reports = decoded(future.load().Everything, future.SAMPLE | changes)
    assert reports == expected or (expected is None and len(str(reports)) < 200)
    if "closed" not in changes:
        assert encode(result) == {key: v for key, v in (future.SAMPLE | changes).items() if v is not None}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("level", 7),
        ("level", -1),
        ("levels", [0, 8]),
        ("colour", "mauve"),
        ("colours", ["mauve", "red"]),
        ("maybeColour", "mauve"),
        ("nullColour", "mauve"),
        ("maybeColours", ["mauve"]),
        ("single", "another"),
        ("colourOrLevel", "mauve"),
        ("colourOrLevel", 9),
        ("colourOrLevel", 2),
        ("colourOrText", "mauve"),
        ("typedColour", {"x": "mauve"}),
        ("leaf", {"n": 1, "colour": "mauve"}),
    ],
)
def test_unknown_values_of_tomorrows_enums(key: str, value: object) -> None:
    """Wherever an enum may stand, in a list, in a union, in extra fields, and of whole numbers too."""
    result, reports = decoded(future.load().Everything, future.SAMPLE | {key: value})
    assert reports == {}
    assert encode(result)[key] == result.to_dict()[key] == value


def test_in_a_union_the_most_telling_reading_wins() -> None:
    models_of_tomorrow = future.load()
    for key, value, expected in (
        ("colourOrText", "red", models_of_tomorrow.Colour.RED),
        ("colourOrText", "mauve", models_of_tomorrow.Colour("mauve")),
        ("colourOrLevel", 0, models_of_tomorrow.Level.NONE),
        ("colourOrLevel", 9, models_of_tomorrow.Level(9)),
        ("maybeColour", "red", models_of_tomorrow.MaybeColourType1.RED),
        ("whenOrText", "soon", "soon"),
        ("textOrNumber", "5", "5"),
        ("textOrNumber", 5, 5),
    ):
        result, _ = decoded(models_of_tomorrow.Everything, future.SAMPLE | {key: value})
        (attribute,) = [
            name
            for name in ("colour_or_text", "colour_or_level", "maybe_colour", "when_or_text", "text_or_number")
            if name.replace("_", "") == key.lower()
        ]
        actual = getattr(result, attribute)
        assert (type(actual), actual) == (type(expected), expected)


@given(st.data())
def test_no_answer_is_too_odd_for_tomorrows_models(data: st.DataObject) -> None:
    sample = data.draw(mixed(future.SAMPLE, ODD_JSON))
    for model in future.list_models(future.load()):
        encode(decode_response(model, sample)[0])


# What callers give.


def built(model: type[Any], arguments: dict[str, Any]) -> tuple[Any, dict[str, str]]:
    return decoded(model, arguments, given=True)


def test_arguments_become_the_request() -> None:
    params, reports = built(
        UploadCreateParams,
        {
            "file_name": "dragon.glb",
            "file_size": 5.0,
            "kind": "3d",
            "parts": None,
            "asset_options": {"hide": False, "collection_ids": ("a", "b"), "parent_id": None},
        },
    )
    assert reports == {}
    assert params.kind is UploadKind.THREE_D
    assert params.url is UNSET
    assert params.to_dict() == {
        "fileName": "dragon.glb",
        "fileSize": 5,
        "kind": "3d",
        "assetOptions": {"hide": False, "collectionIds": ["a", "b"]},
    }


def test_arguments_may_have_the_names_of_json_and_be_models() -> None:
    params, reports = built(UploadCreateParams, {"fileName": "a", "assetOptions": {"collectionIds": ["a"]}})
    assert reports == {}
    assert params.to_dict() == {"fileName": "a", "assetOptions": {"collectionIds": ["a"]}}
    options = UploadAssetOptions(hide=True)
    assert built(UploadCreateParams, {"asset_options": options})[0].asset_options is options
    assert built(UploadCreateParams, {"kind": UploadKind.IMAGE})[0].kind is UploadKind.IMAGE


def test_an_unknown_enum_value_is_taken_when_it_is_one_and_refused_as_a_text() -> None:
    """What the service sent may go back to it; what a person typed is likely a slip."""
    new = UploadKind("hologram")
    params, reports = built(UploadCreateParams, {"kind": new})
    assert (params.kind, reports) == (new, {})
    _, reports = built(UploadCreateParams, {"kind": "hologram"})
    assert list(reports) == ["kind"]
    assert reports["kind"].startswith("is 'hologram', and the contract knows '3d', 'asset', ") or (
        "'3d'" in reports["kind"] and "'asset'" in reports["kind"]
    )


@pytest.mark.parametrize(
    ("arguments", "path", "problem"),
    [
        ({"file_size": "5"}, "file_size", "should be a whole number and is '5'"),
        ({"file_size": True}, "file_size", "should be a whole number and is True"),
        ({"file_name": b"a"}, "file_name", "should be a string and is b'a'"),
        ({"kind": 5}, "kind", "should be a string and is 5"),
        ({"kind": UploadStatus.PENDING}, "kind", "is "),
        ({"kind": ["3d"]}, "kind", "should be a string and is a list"),
        ({"asset_options": "x"}, "asset_options", "should be an object and is 'x'"),
        ({"asset_options": UploadPart("e", 1, "u")}, "asset_options", "should be an object"),
        ({"asset_options": {"hide": 1}}, "asset_options.hide", "should be True or False and is 1"),
        ({"asset_options": {"collection_ids": "a"}}, "asset_options.collection_ids", "should be a list and is 'a'"),
        ({"asset_options": {"collection_ids": [5]}}, "asset_options.collection_ids[0]", "should be a string and is 5"),
        (
            {"asset_options": {"hidden": True}},
            "asset_options.hidden",
            "is unknown; known are collection_ids, hide, parent_id",
        ),
        ({"asset_options": {"hidden": None}}, "asset_options.hidden", "is unknown"),
        ({"asset_options": {5: None}}, "asset_options.5", "is unknown"),
        ({"filename": "a"}, "filename", "is unknown; known are asset_options, civitai_model_url"),
    ],
)
def test_31_arguments_that_do_not_fit_are_reported(arguments: dict[str, Any], path: str, problem: str) -> None:
    _, reports = built(UploadCreateParams, arguments)
    assert list(reports) == [path]
    assert reports[path].startswith(problem)


@pytest.mark.parametrize("arguments", [{}, {"action": None}])
def test_a_required_argument_that_is_missing_is_reported(arguments: dict[str, Any]) -> None:
    assert built(UploadTriggerActionParams, arguments)[1] == {"action": "is missing"}


def test_everything_that_the_generator_knows_can_be_built() -> None:
    """From names of JSON, from names of Python, and from the values of Python themselves."""
    model = future.load().Everything
    params, reports = built(model, future.SAMPLE)
    assert reports == {}
    assert params.to_dict() == future.SAMPLE
    arguments = {name: getattr(params, name) for name in model.__annotations__ if name != "additional_properties"}
    again, reports = built(model, arguments)
    assert reports == {}
    assert again == params


def test_what_is_not_given_is_not_sent() -> None:
    """Neither by a model nor by those in its lists; and a null that the contract allows is sent when it is required."""
    model = future.load().Everything
    required = ("id", "when", "level", "leaf", "colours", "kind", "anything")
    arguments = {key: future.SAMPLE[key] for key in required}
    arguments |= {"leaves": [{"n": 1}], "nested": [[{"n": 2}]], "maybe_when": None, "req_null": None}
    params, reports = built(model, arguments)
    assert reports == {}
    sent = params.to_dict()
    assert sent["leaves"] == [{"n": 1}]
    assert sent["nested"] == [[{"n": 2}]]
    assert sent["maybeWhen"] is None
    assert sent["reqNull"] is None
    # The generator puts in what the contract names as defaults.
    assert sent.keys() == {*required, "leaves", "nested", "maybeWhen", "reqNull", "withDefault", "defaultLevel"}


def test_slips_are_found_wherever_they_are() -> None:
    changes = {
        "colours": ["red", "mauve"],
        "leaves": [{"n": 1, "color": "red"}],
        "typedColour": {"x": "mauve", "y": None},
        "nested": [[{}]],
    }
    _, reports = built(future.load().Everything, future.SAMPLE | changes)
    assert reports == {
        "colours[1]": "is 'mauve', and the contract knows 'green', 'red'",
        "leaves[0].color": "is unknown; known are n, colour",
        "typed_colour.x": "is 'mauve', and the contract knows 'green', 'red'",
        "typed_colour.y": "is null",
        "nested[0][0].n": "is missing",
    }


def test_maps_take_any_key() -> None:
    changes = {"free": {"any": 1, "none": None}, "typedText": {"any": "text"}, "typed": {"b": {"n": 1}}}
    params, reports = built(future.load().Everything, future.SAMPLE | changes)
    assert reports == {}
    sent = params.to_dict()
    assert (sent["free"], sent["typedText"], sent["typed"]) == (
        {"any": 1, "none": None},
        {"any": "text"},
        {"b": {"n": 1}},
    )


@given(mixed(FULL, ODD_JSON))
def test_no_argument_is_too_odd(arguments: dict[str, Any]) -> None:
    for model in (UploadCreateParams, UploadAssetOptions, UploadTriggerActionParams, Upload):
        result, _ = built(model, arguments)
        assert isinstance(result, model)


def test_every_model_of_the_package_can_be_decoded_from_nothing() -> None:
    """A model that decoding does not understand comes up here, not at a user's."""
    for name in models.__all__:
        model = getattr(models, name)
        if hasattr(model, "to_dict"):
            decode_response(model, {})
            built(model, {})
