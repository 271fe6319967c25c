"""The rules of create and complete, the states of a record, the options. All pure."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scenario_uploads.sandbox import Sandbox
from scenario_uploads.sandbox.api.rules import (
    MAX_PART_SIZE,
    MIB,
    MIN_PART_SIZE,
    clean_file_name,
    find_parts_problem,
    format_numbers,
    read_create,
)
from scenario_uploads.sandbox.errors import Refusal, SandboxError
from scenario_uploads.sandbox.state.records import UploadRecord, Uploads, format_time

GLB = {"fileName": "a.glb", "contentType": "model/gltf-binary", "fileSize": 4, "parts": 1, "kind": "3d"}
NOW = datetime(2025, 6, 30, 15, 15, 27, 153_999, tzinfo=UTC)


def refuse(body: dict, **arguments: int) -> str:
    with pytest.raises(Refusal) as caught:
        read_create(body, **arguments)
    assert caught.value.status == 400
    return caught.value.reason


@pytest.mark.parametrize("field", GLB)
def test_multipart_names_the_missing_field(field):
    body = {name: value for name, value in GLB.items() if name != field}
    assert f"{field} is required for a multipart upload" == refuse(body)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"url": "https://a.b/c"}, "kind is required with url"),
        ({"url": "ftp://a.b/c", "kind": "image"}, "url must be an http or https URL"),
        ({"url": "https://", "kind": "image"}, "url must be an http or https URL"),
        ({"url": "http://[", "kind": "image"}, "url must be an http or https URL"),
        ({"civitaiModelUrl": "370194"}, "civitaiModelUrl must be an http or https URL"),
        ({"huggingFaceModelName": "sdxl"}, "huggingFaceModelName must be of the form owner/name"),
        ({"huggingFaceModelName": "a/b/c"}, "huggingFaceModelName must be of the form owner/name"),
        (
            {"url": "https://a.b", "kind": "model", "huggingFaceModelName": "a/b", "civitaiModelUrl": "https://c.d"},
            "Only one source can be given, not url, huggingFaceModelName and civitaiModelUrl",
        ),
        (GLB | {"fileName": " "}, "fileName must not be empty"),
        (GLB | {"contentType": "glb"}, "contentType must be a MIME type such as model/gltf-binary"),
        (GLB | {"contentType": "a/b\r\nX: y"}, "contentType must be a MIME type such as model/gltf-binary"),
        (
            GLB | {"kind": "model", "assetOptions": {}},
            "assetOptions is only for kinds that make an asset, not for model",
        ),
        (
            {"huggingFaceModelName": "a/b", "assetOptions": {}},
            "assetOptions is only for kinds that make an asset, not for model",
        ),
    ],
)
def test_rule_that_is_broken_is_named(body, reason):
    assert reason == refuse(body)


@pytest.mark.parametrize(
    ("file_size", "parts", "is_possible"),
    [
        (1, 1, True),
        (MAX_PART_SIZE, 1, True),
        (MAX_PART_SIZE + 1, 1, False),
        (MAX_PART_SIZE + 1, 2, True),
        (MIN_PART_SIZE, 2, False),
        (MIN_PART_SIZE + 1, 2, True),
        (9999 * MIN_PART_SIZE, 10_000, False),
        (9999 * MIN_PART_SIZE + 1, 10_000, True),
    ],
)
def test_plan_is_possible_when_some_cut_keeps_s3s_limits(file_size, parts, is_possible):
    body = GLB | {"fileSize": file_size, "parts": parts}
    if is_possible:
        assert (file_size, parts) == (read_create(body).file_size, read_create(body).parts)
    else:
        assert f"fileSize {file_size} cannot be sent in {parts} parts" in refuse(body)


def test_file_over_the_sandboxs_limit_is_refused():
    assert read_create(GLB, 4).file_size == 4
    assert refuse(GLB, max_file_size=3) == "fileSize 4 is over this sandbox's limit of 3 bytes"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("dragon.glb", "dragon.glb"),
        ("../../etc/passwd", "passwd"),
        ("C:\\models\\dragon.glb", "dragon.glb"),
        ("\uff0e\uff0e\uff0fdragon.glb", "dragon.glb"),
        ("a\0b\n\u202ec", "abc"),
        ("dragon.glb/", "dragon.glb"),
        ("..", "file"),
        ("///", "file"),
        (".hidden", "hidden"),
        ("trailing. ", "trailing"),
        ("x" * 300 + ".glb", "x" * 251 + ".glb"),
        ("é" * 200 + ".glb", "é" * 125 + ".glb"),
        ("x." + "y" * 300, "." + "y" * 254),
        ("x" * 300, "x" * 255),
    ],
)
def test_file_name_is_made_safe(name, expected):
    assert expected == clean_file_name(name)


@settings(deadline=None, derandomize=True)
@given(st.text())
def test_file_name_is_always_one_safe_segment(name):
    safe = clean_file_name(name)
    assert 0 < len(safe.encode(errors="surrogatepass")) <= 255
    assert not set(safe) & set("/\\\0\n\r")
    assert safe not in {".", ".."}


@pytest.mark.parametrize(
    ("sizes", "count", "file_size", "expected"),
    [
        ({1: 4}, 1, 4, None),
        ({1: 5 * MIB, 2: 1}, 2, 5 * MIB + 1, None),
        ({1: 5 * MIB, 2: 1, 3: 7}, 2, 5 * MIB + 1, None),
        ({}, 1, 4, "Parts are missing: 1 (of 1)"),
        ({2: 1}, 3, 4, "Parts are missing: 1, 3 (of 3)"),
        ({1: 5 * MIB - 1, 2: 9}, 2, 9, "Parts are too small: 1; every part but the last has at least 5242880 bytes"),
        ({1: 5}, 1, 4, "The parts have 5 bytes together, but fileSize is 4"),
    ],
)
def test_parts_are_checked(sizes, count, file_size, expected):
    assert expected == find_parts_problem(sizes, count, file_size)


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        ([], ""),
        ([7], "7"),
        ([1, 2, 3, 7, 9, 10], "1-3, 7, 9-10"),
        (range(1, 10_001), "1-10000"),
        (range(1, 100, 2), "1, 3, 5, 7, 9 and 45 more"),
        ([1, 3, 5, 7, 9, 11, 12, 13], "1, 3, 5, 7, 9 and 3 more"),
    ],
)
def test_numbers_are_abbreviated(numbers, expected):
    assert expected == format_numbers(numbers)


def make_record(name: str = "upload_1", status: str = "pending") -> UploadRecord:
    return UploadRecord(
        id=name,
        owner_id="proj_1",
        created_at=NOW,
        updated_at=NOW,
        file_name="a",
        kind="3d",
        source="multipart",
        status=status,
        job_id="job_1",
    )


STATUSES = ["pending", "validating", "validated", "imported", "failed"]
ALLOWED = {
    ("pending", "validating"),
    ("validating", "validated"),
    ("validating", "failed"),
    ("validated", "imported"),
    ("validated", "failed"),
}


@pytest.mark.parametrize("before", STATUSES)
@pytest.mark.parametrize("after", STATUSES)
def test_status_goes_only_forward(before, after):
    record, later = make_record(status=before), NOW + timedelta(seconds=1)
    if (before, after) in ALLOWED:
        advanced = record.advance(after, later, entity_id="asset_1")
        assert (after, later, NOW) == (advanced.status, advanced.updated_at, advanced.created_at)
        assert advanced.entity_id == "asset_1"
    else:
        with pytest.raises(ValueError, match=f"from {before} to {after}"):
            record.advance(after, later)


def test_time_is_written_in_utc_with_milliseconds():
    assert format_time(NOW) == "2025-06-30T15:15:27.153Z"
    assert format_time(NOW.astimezone(timezone(timedelta(hours=9)))) == "2025-06-30T15:15:27.153Z"
    assert format_time(datetime(2025, 6, 30, tzinfo=UTC)) == "2025-06-30T00:00:00.000Z"


def test_answer_leaves_out_what_is_not_known_but_the_entity():
    answer = make_record().to_answer()
    assert answer["entityId"] is None
    assert not answer.keys() & {"url", "provider", "errorMessage", "parts", "contentType"}


def test_oldest_finished_record_is_forgotten_first():
    uploads = Uploads(limit=3)
    for name, status in [("a", "pending"), ("b", "imported"), ("c", "failed"), ("d", "pending"), ("e", "pending")]:
        uploads.add(make_record(name, status))
    assert [(r := uploads.find(name)) and r.id for name in "abcde"] == ["a", None, None, "d", "e"]
    with pytest.raises(Refusal, match="at most 3 unfinished uploads") as caught:
        uploads.add(make_record("f"))
    assert caught.value.status == 429
    assert uploads.find("f") is None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"host": "0.0.0.0"}, "cannot be part of a URL"),
        ({"host": "::", "allow_remote": True}, "cannot be part of a URL"),
        ({"host": "192.0.2.1"}, "host 192.0.2.1 is not loopback: .* allow_remote=True"),
        ({"host": "example.com"}, "host example.com is not loopback"),
        ({"port": 65536}, "port must be from 0 to 65535"),
        ({"storage_port": -1}, "storage_port must be from 0 to 65535"),
        ({"url_lifetime": 0}, "url_lifetime must be from 1 to 604800 seconds"),
        ({"url_lifetime": 604_801}, "url_lifetime must be from 1 to 604800 seconds"),
        ({"step_delay": -1}, "step_delay must be 0 or more"),
        ({"step_delay": float("nan")}, "step_delay must be 0 or more"),
        ({"max_file_size": 0}, "max_file_size must be at least 1"),
        ({"s3_bucket": "../etc"}, "s3_bucket must be"),
        ({"api_key": "a:b"}, "must not have a colon"),
        ({"api_key": ""}, "api_key must be visible"),
        ({"api_secret": "a\nb"}, "api_secret must be visible"),
    ],
)
def test_option_that_makes_no_sense_is_a_clear_error(options, message):
    with pytest.raises(SandboxError, match=message):
        Sandbox(**options)


def test_remote_host_is_allowed_when_asked_for():
    assert repr(Sandbox(host="192.0.2.1", allow_remote=True)) == "<Sandbox not started>"
