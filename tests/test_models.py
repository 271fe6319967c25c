"""Every model and enum of the contract comes from one place."""

import copy
import enum
import pickle
from typing import Any

import attrs
import scenario_uploads
import scenario_uploads_client.models as generated
from scenario_uploads import models

EVERY = sorted(generated.__all__)


def test_every_model_and_enum_is_importable() -> None:
    """They are the generated ones, under their own names."""
    for name in EVERY:
        item: Any = getattr(models, name)
        assert item is getattr(generated, name) is getattr(scenario_uploads, name)
        assert attrs.has(item) or issubclass(item, enum.Enum)


def test_nothing_else_is_exported() -> None:
    assert sorted(models.__all__) == EVERY


def test_the_names_of_the_contract_are_there() -> None:
    assert {
        "Error",
        "Upload",
        "UploadAction",
        "UploadAssetOptions",
        "UploadCreateParams",
        "UploadCreateResponse",
        "UploadKind",
        "UploadPart",
        "UploadProvider",
        "UploadRetrieveResponse",
        "UploadSource",
        "UploadStatus",
        "UploadTriggerActionParams",
        "UploadTriggerActionResponse",
    } <= set(models.__all__)


def test_a_kind_that_begins_with_a_digit_has_a_name_of_python() -> None:
    assert models.UploadKind.THREE_D == "3d"


def test_models_that_callers_make_compare_copy_and_pickle() -> None:
    options = models.UploadAssetOptions(hide=True, collection_ids=["a"])
    assert options == models.UploadAssetOptions(hide=True, collection_ids=["a"])
    assert options != models.UploadAssetOptions(hide=False, collection_ids=["a"])
    assert models.UploadAssetOptions.from_dict(options.to_dict()) == options


def test_what_was_not_given_stays_so_in_copies_and_pickles() -> None:
    """Such as options that a worker in another process uploads with."""
    options = models.UploadAssetOptions(hide=True)
    for twin in (copy.copy(options), copy.deepcopy(options), pickle.loads(pickle.dumps(options))):
        assert twin == options
        assert twin.to_dict() == {"hide": True}


def test_decoded_models_pickle_with_what_is_unknown() -> None:
    part = models.UploadPart("e", 1, "u")
    part["new"] = models.UploadKind("hologram")
    twin = pickle.loads(pickle.dumps(part))
    assert twin == part
    assert type(twin["new"]) is models.UploadKind
