"""Headers, query and body of a request: what is taken, and what becomes of it."""

import datetime
import math
from enum import Enum
from typing import Any

import pytest
from scenario_uploads import InvalidArgumentError, UploadAssetOptions, UploadKind
from scenario_uploads.arguments import NOT_GIVEN, NotGiven, Omit, is_given, not_given, omit
from scenario_uploads.settings.request import (
    check_body,
    check_headers,
    check_query,
    merge_body,
    merge_headers,
    merge_query,
    write_json,
)


class Colour(Enum):
    RED = "red"


@pytest.mark.parametrize("stand_in", [NOT_GIVEN, not_given, omit, NotGiven(), Omit()])
def test_the_stand_ins_are_false_and_not_given(stand_in: Any) -> None:
    assert not stand_in
    assert not is_given(stand_in)


@pytest.mark.parametrize("value", [None, 0, "", False, {}])
def test_what_is_merely_false_is_given(value: Any) -> None:
    assert is_given(value)


def test_the_stand_ins_show_their_names() -> None:
    assert (repr(NOT_GIVEN), repr(omit)) == ("NOT_GIVEN", "omit")


def test_query_parameters_become_texts() -> None:
    given = {"projectId": "proj_1", "dryRun": True, "off": False, "n": 5, "x": 0.5, "none": None, "empty": ""}
    given |= {"left": omit, "kind": UploadKind.THREE_D, "colour": Colour.RED}
    expected = [("projectId", "proj_1"), ("dryRun", "true"), ("off", "false"), ("n", "5"), ("x", "0.5"), ("empty", "")]
    assert [*merge_query(check_query(given, "q"))] == [*expected, ("kind", "3d"), ("colour", "red")]


def test_lists_and_mappings_in_a_query_are_written_as_by_scenarios_other_client() -> None:
    given = {"ids": ["a", None, 2, True], "filter": {"size": {"min": 1}, "tags": ("x", "y")}, "none": []}
    expected = [("ids", "a,2,true"), ("filter[size][min]", "1"), ("filter[tags]", "x,y"), ("none", "")]
    assert [*merge_query(check_query(given, "q"))] == expected


def test_later_query_parameters_replace_earlier_ones_whole() -> None:
    first = {"a": 1, "b": {"x": 1}, "c": 3, "d": 4}
    assert [*merge_query(first, {"b": {"y": 2}, "c": None}, {"d": omit})] == [("a", "1"), ("b[y]", "2")]


def test_a_list_of_the_contract_is_repeated_and_one_of_a_caller_joined() -> None:
    """Arrays of the contract are exploded unless it says otherwise; those of a caller are as in the official SDK."""
    own = {"ids": ["a", "b"], "tags": ["c", "d"]}
    assert [*merge_query({"deep": [1, 2]}, own, {"tags": ["e", "f"]})] == [
        ("deep", "1,2"),
        ("ids", "a"),
        ("ids", "b"),
        ("tags", "e,f"),
    ]


def deep(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = {"a": value}
    return value


@pytest.mark.parametrize(
    "query",
    ["a=f00d", [("a", "f00d")], 5, {5: "f00d"}, {"a": b"f00d"}, {"a": [["f00d"]]}, {"a": object()}, deep(5000)],
)
def test_a_query_that_is_refused(query: Any) -> None:
    with pytest.raises(InvalidArgumentError, match=r"^extra_query") as caught:
        check_query(query, "extra_query")
    assert "f00d" not in str(caught.value)


def test_later_headers_replace_earlier_ones_whatever_their_case() -> None:
    assert merge_headers({"User-Agent": "a", "X-Team": "b"}, {"user-agent": "c"}) == {"user-agent": "c", "X-Team": "b"}


def test_a_header_that_is_omitted_is_not_sent_unless_it_comes_again() -> None:
    assert merge_headers({"A": "1", "B": "2"}, {"a": omit, "b": omit}, {"B": "3"}) == {"a": omit, "B": "3"}


def test_headers_are_added_to_others() -> None:
    assert merge_headers({"X-A": "1", "X-B": "2"}, {"x-a": "3"}) == {"X-B": "2", "x-a": "3"}


@pytest.mark.parametrize(
    "headers", ["X: f00d", [("X", "f00d")], {"X": "f00d\n"}, {"X": None}, {"X": 5}, {"X Y": "f00d"}]
)
def test_headers_that_are_refused(headers: Any) -> None:
    with pytest.raises(InvalidArgumentError, match=r"^extra_headers") as caught:
        check_headers(headers, "extra_headers")
    assert "f00d" not in str(caught.value)


def test_a_body_is_added_to() -> None:
    assert merge_body({"a": 1, "b": 2, "c": 3}, {"b": 4, "c": omit, "d": None}) == {"a": 1, "b": 4, "d": None}


def test_a_body_may_hold_whatever_json_can_say() -> None:
    body = {
        "options": UploadAssetOptions(hide=True),
        "when": datetime.date(2026, 1, 2),
        "kind": UploadKind.THREE_D,
        "colour": Colour.RED,
        "list": (1, 2),
        "left": omit,
        "ü": "\u2028",
    }
    written = write_json(merge_body({}, check_body(body))).decode()
    assert written == (
        '{"options":{"hide":true},"when":"2026-01-02","kind":"3d","colour":"red","list":[1,2],"ü":"\u2028"}'
    )


def endless() -> dict[str, Any]:
    value: dict[str, Any] = {}
    value["self"] = value
    return value


@pytest.mark.parametrize(
    "body",
    [
        "f00d",
        [1],
        5,
        {5: "f00d"},
        {"a": b"f00d"},
        {"a": math.nan},
        {"a": {"b": {1, 2}}},
        {"a": "\udcff"},
        pytest.param(endless(), id="endless"),
        "deep",
    ],
)
def test_a_body_that_is_refused(body: Any) -> None:
    if body == "deep":
        # Deep enough for any Python's encoder, and made here, since every process collects the tests.
        body = deep(10**5)
    with pytest.raises(InvalidArgumentError, match=r"^extra_body") as caught:
        check_body(body)
    assert "f00d" not in str(caught.value)
