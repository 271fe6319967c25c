"""Enums that take what the service sends tomorrow: every enum, of the present contract and of any other."""

import copy
import enum
import json
import pickle
import subprocess
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
import scenario_uploads_client.models
from hypothesis import given
from hypothesis import strategies as st
from scenario_uploads import Upload, UploadCreateParams, UploadKind, UploadProvider, UploadStatus, is_known, models
from scenario_uploads.decoding import codec
from scenario_uploads.decoding.enums import make_unknown_member
from scenario_uploads.decoding.methods import extend_models
from scenario_uploads_client.types import UNSET

from tests.support import future


class OldStyle(str, enum.Enum):  # noqa: UP042 - what the generator writes for older versions of Python
    RED = "red"

    def __str__(self) -> str:
        return str(self.value)


class Bare(str, enum.Enum):  # noqa: UP042
    RED = "red"


class OldNumbers(int, enum.Enum):
    LOW = 1


class Mute(enum.Enum):
    """No text and no number: such an enum stays as it is."""

    A = "a"


def make_module() -> ModuleType:
    module = ModuleType("another_contract")
    vars(module).update(
        OldStyle=OldStyle, Bare=Bare, OldNumbers=OldNumbers, Mute=Mute, number=5, text="x", function=make_module
    )
    return module


extend_models(make_module())


def find_enums(package: ModuleType) -> list[Any]:
    found = (getattr(package, name) for name in package.__all__)
    return [item for item in found if isinstance(item, type) and issubclass(item, enum.Enum)]


# By name: to build the client of a contract of tomorrow takes a second, of each process that collects tests.
TOMORROW = ("Colour", "Level", "MaybeColourType1", "MaybeColourType2Type1", "MaybeColourType3Type1", "Single")
ENUMS = [*find_enums(scenario_uploads_client.models), OldStyle, Bare, OldNumbers, *TOMORROW]
each_enum = pytest.mark.parametrize(
    "kind", ENUMS, ids=lambda kind: kind if isinstance(kind, str) else kind.__name__, indirect=True
)


@pytest.fixture
def kind(request: pytest.FixtureRequest) -> Any:
    return getattr(future.load(), request.param) if isinstance(request.param, str) else request.param


def new_value(kind: Any) -> Any:
    return 4711 if issubclass(kind, int) else "hologram"


def test_both_kinds_of_enums_are_there() -> None:
    assert UploadKind in ENUMS
    assert tuple(kind.__name__ for kind in find_enums(future.load())) == TOMORROW


@each_enum
def test_known_members_keep_their_identity(kind: Any) -> None:
    for member in kind:
        assert kind(member.value) is member is kind(member) is kind[member.name]
        assert is_known(member)
        for twin in (copy.copy(member), copy.deepcopy(member), pickle.loads(pickle.dumps(member))):
            assert twin is member


@each_enum
def test_an_unknown_value_is_like_a_member(kind: Any) -> None:
    value = new_value(kind)
    member = kind(value)
    assert isinstance(member, kind)
    assert type(member) is kind
    assert member == value
    assert value == member
    assert not member != value  # noqa: SIM202 - the operator is what is tested
    assert hash(member) == hash(value)
    assert {member: 1}[value] == {value: 1}[member] == 1
    assert member.value == value
    assert type(member.value) is type(value)
    assert member.name == str(value)
    assert repr(member) == f"<{kind.__name__}.{value}: {value!r}>"
    assert bool(member)


@each_enum
def test_an_unknown_value_prints_as_its_value(kind: Any) -> None:
    member, known = kind(new_value(kind)), next(iter(kind))
    if str(known) == str(known.value):
        assert str(member) == f"{member}" == "%s" % member == f"{new_value(kind)}"  # noqa: UP031
    assert json.dumps({"kind": member}) == json.dumps({"kind": new_value(kind)})


@each_enum
def test_an_unknown_value_is_the_same_object_each_time(kind: Any) -> None:
    member = kind(new_value(kind))
    assert kind(new_value(kind)) == member
    assert kind(member) is member
    assert make_unknown_member(kind, new_value(kind)) == member


@each_enum
def test_an_unknown_value_is_no_part_of_the_enum(kind: Any) -> None:
    before = (list(kind), len(kind), dict(kind.__members__), dir(kind))
    member = kind(new_value(kind))
    assert (list(kind), len(kind), dict(kind.__members__), dir(kind)) == before
    assert not is_known(member)
    assert all(member is not other and member != other for other in kind)
    with pytest.raises(KeyError):
        kind[str(new_value(kind))]


@each_enum
def test_an_unknown_value_pickles_to_the_same_object(kind: Any) -> None:
    member = kind(new_value(kind))
    assert pickle.loads(pickle.dumps(member)) == member
    # The oldest protocol asks a class in another way than the others.
    assert pickle.loads(pickle.dumps(member, 0)) == member


@each_enum
def test_an_unknown_value_copies_to_itself(kind: Any) -> None:
    member = kind(new_value(kind))
    assert copy.copy(member) is member
    assert copy.deepcopy(member) is member
    (twin,) = copy.deepcopy([{"kind": member}])
    assert twin["kind"] == member


def test_an_unknown_value_pickles_into_a_new_process_that_has_imported_nothing() -> None:
    program = """
import pickle, sys
kinds = pickle.load(sys.stdin.buffer)
from scenario_uploads import UploadKind, is_known
print([(repr(kind), type(kind) is UploadKind, kind == UploadKind(str(kind)), is_known(kind)) for kind in kinds])
"""
    data = pickle.dumps([UploadKind("hologram"), UploadKind.IMAGE])
    result = subprocess.run([sys.executable, "-c", program], input=data, capture_output=True, check=False)
    assert result.stderr == b""
    assert result.stdout.decode().strip() == str(
        [("<UploadKind.hologram: 'hologram'>", True, True, False), ("<UploadKind.IMAGE: 'image'>", True, True, True)]
    )


@pytest.mark.parametrize(
    "value",
    [
        *("", "IMAGE", "Image", "3D", "THREE_D", "__class__", "_missing_", "mro"),
        pytest.param("\ud800", id="lone-surrogate"),
    ],
)
def test_an_unknown_value_that_is_called_like_something_is_unknown_still(value: str) -> None:
    """Above all, one that is called as a member is."""
    member = UploadKind(value)
    assert member == value
    assert not is_known(member)
    assert member not in list(UploadKind)
    assert member.value == value
    assert pickle.loads(pickle.dumps(member)) == member


def test_enums_do_not_share_their_unknown_values() -> None:
    kind, provider = UploadKind("new"), UploadProvider("new")
    assert type(kind) is UploadKind
    assert type(provider) is UploadProvider
    assert kind is not provider


@pytest.mark.parametrize("value", [None, 5, 5.0, True, b"image", ["image"], {}, object()])
def test_what_is_no_text_is_no_value_of_an_enum_of_texts(value: object) -> None:
    with pytest.raises(ValueError, match="is not a valid UploadKind"):
        UploadKind(value)


@pytest.mark.parametrize("value", [None, "1", 5.5, b"1", [1], {}])
def test_what_is_no_whole_number_is_no_value_of_an_enum_of_numbers(value: object) -> None:
    with pytest.raises(ValueError, match="is not a valid Level"):
        future.load().Level(value)


def test_an_enum_of_neither_stays_as_it_was() -> None:
    with pytest.raises(ValueError, match="is not a valid Mute"):
        Mute("b")
    assert make_unknown_member(Mute, "b") is None
    assert is_known(Mute.A)


def test_a_member_of_somebodys_own_enum_counts_as_its_value() -> None:
    class Mine(str, enum.Enum):  # noqa: UP042
        NEW = "hologram"
        OLD = "image"

    assert UploadKind(Mine.NEW) == UploadKind("hologram")
    assert UploadKind(Mine.OLD) is UploadKind.IMAGE
    assert type(UploadKind(Mine.NEW).value) is str
    assert UploadKind(UploadStatus("hologram")) == UploadKind("hologram")


def test_unknown_values_match_and_sort_like_texts() -> None:
    match UploadStatus("quarantined"):
        case UploadStatus.IMPORTED:
            seen = "imported"
        case "quarantined":
            seen = "quarantined"
        case _:
            seen = "other"
    assert seen == "quarantined"
    assert sorted([UploadKind("zoo"), UploadKind.IMAGE, UploadKind("a")]) == ["a", "image", "zoo"]
    assert UploadKind("zoo").upper() == "ZOO"
    assert future.load().Level(41) + 1 == 42


@given(st.text(st.characters()))
def test_every_text_round_trips(value: str) -> None:
    member = UploadKind(value)
    assert member == value == member.value
    assert UploadKind(member.value) == member
    assert pickle.loads(pickle.dumps(member)) == member == copy.deepcopy(member)
    assert is_known(member) is (value in {kind.value for kind in UploadKind})


@given(st.integers())
def test_every_whole_number_round_trips(value: int) -> None:
    level = future.load().Level
    member = level(value)
    assert member == value == member.value
    assert level(value) == member == pickle.loads(pickle.dumps(member))
    assert is_known(member) is (value in range(4))


@pytest.mark.parametrize("value", [None, UNSET, "image", 5, [], enum.Enum, UploadKind])
def test_what_is_no_enum_value_is_not_known(value: Any) -> None:
    assert is_known(value) is False


def test_an_alias_is_known() -> None:
    class Aliased(enum.StrEnum):
        ONE = "one"
        UNO = "one"

    assert is_known(Aliased.UNO)


def test_opening_twice_changes_nothing() -> None:
    member = UploadKind("hologram")
    extend_models(scenario_uploads_client.models)
    assert UploadKind("hologram") == member


def test_a_closed_enum_is_opened_by_looking_and_not_by_name() -> None:
    class Fresh(enum.StrEnum):
        A = "a"

    with pytest.raises(ValueError, match=r"is not a valid .*Fresh"):
        Fresh("b")
    module = ModuleType("fresh")
    module.Anything = Fresh  # type: ignore[attr-defined]
    extend_models(module)
    assert Fresh("b") == "b"  # type: ignore[comparison-overlap]


@pytest.mark.parametrize("dump", [str, repr, "{:>12}".format, lambda member: f"{member!s:.3}"])
def test_formatting_is_that_of_the_text(dump: Callable[[Any], str]) -> None:
    member = UploadKind("hologram")
    expected = "<UploadKind.hologram: 'hologram'>" if dump is repr else dump("hologram")
    assert dump(member) == expected


def test_the_models_of_the_package_are_open() -> None:
    for name in models.__all__:
        item = getattr(models, name)
        if isinstance(item, type) and issubclass(item, enum.Enum):
            assert not is_known(item("of tomorrow"))


def test_what_is_unpickled_first_opens_the_enums_of_a_new_process() -> None:
    """Nothing else of this package has been imported there."""
    upload = codec.decode(Upload, {"status": "hologram"}, codec.Problems())
    params = UploadCreateParams(file_name="a.glb")
    code = (
        "import copy, pickle, sys\n"
        "upload, params = pickle.load(sys.stdin.buffer)\n"
        "assert type(upload.status)('brandnew') == 'brandnew'\n"
        "assert copy.deepcopy(params).to_dict() == {'fileName': 'a.glb'}\n"
    )
    subprocess.run([sys.executable, "-c", code], input=pickle.dumps((upload, params)), check=True)
