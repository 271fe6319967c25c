"""How a file is cut into parts, and which presigned URL belongs to which piece."""

import itertools

import httpx
import pytest
from attrs import frozen
from hypothesis import assume, given
from hypothesis import strategies as st
from scenario_uploads.arguments import GIB, MAX_FILE_SIZE, MAX_PARTS, MIB, MIN_PART_SIZE
from scenario_uploads.errors import InvalidArgumentError, SourceError, TransferError
from scenario_uploads.transfer.parts import find_url_fault, match_parts, plan_parts

API = "https://api.cloud.scenario.com/v1"
LOCAL_API = "http://127.0.0.1:4010/v1"
TIB = 1024 * GIB
SIZES = st.integers(1, 5 * TIB)


@frozen
class Answered:
    number: object
    url: object = "https://bucket.s3-accelerate.amazonaws.com/key?X-Amz-Signature=f00d"
    expires: str = "2025-07-01T15:15:27.153Z"


def answer(*numbers: object) -> list[Answered]:
    return [Answered(number) for number in numbers]


@given(SIZES, st.none() | st.integers(5 * MIB, 5 * GIB))
def test_a_plan_covers_the_file_exactly_once_within_the_limits_of_s3(size: int, part_size: int | None) -> None:
    """For every size to 5 TiB, with every part size that needs no more than 10,000 parts."""
    assume(part_size is None or size <= part_size * 10_000)
    plan = plan_parts(size, part_size)
    assert 1 <= plan.parts_count <= 10_000
    assert part_size is None or plan.part_size == part_size
    # Ends meet ends: looking at the border of each part is enough, and ten thousand of them are soon looked at.
    numbers = range(1, plan.parts_count + 1)
    if len(numbers) > 200:
        numbers = [*range(1, 100), *range(plan.parts_count - 99, plan.parts_count + 1)]
    parts = [plan.part(number) for number in numbers]
    assert parts[0].offset == 0
    assert parts[-1].offset + parts[-1].length == size
    for part, following in itertools.pairwise(parts):
        assert part.length == plan.part_size
        assert following.number > part.number + 1 or following.offset == part.offset + part.length
        assert following.offset - part.offset == (following.number - part.number) * plan.part_size
    assert all(5 * MIB <= part.length <= 5 * GIB for part in parts[:-1])
    assert 1 <= parts[-1].length <= 5 * GIB
    assert [part.number for part in parts] == list(numbers)


@given(st.integers(1, 200 * MIB), st.integers(5 * MIB, 40 * MIB))
def test_the_lengths_of_all_parts_add_up(size: int, part_size: int) -> None:
    plan = plan_parts(size, part_size)
    assert size == sum(plan.part(number).length for number in range(1, plan.parts_count + 1))


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        (1, (8 * MIB, 1)),
        (8 * MIB, (8 * MIB, 1)),
        (8 * MIB + 1, (8 * MIB, 2)),
        (80_000 * MIB, (8 * MIB, 10_000)),
        (80_000 * MIB + 1, (16 * MIB, 5_001)),
        (5 * TIB, (1024 * MIB, 5_120)),
    ],
)
def test_without_a_part_size_the_smallest_power_that_fits_is_taken(size: int, expected: tuple[int, int]) -> None:
    plan = plan_parts(size)
    assert (plan.part_size, plan.parts_count) == expected


@pytest.mark.parametrize("size", [0, -1, 5 * TIB + 1, 10**30])
def test_31_32_sizes_that_no_upload_has(size: int) -> None:
    with pytest.raises(SourceError, match=r"empty|5 TiB"):
        plan_parts(size)


@pytest.mark.parametrize("part_size", [0, -1, 1, 5 * MIB - 1, 5 * GIB + 1, 10**30])
def test_32_part_sizes_out_of_range(part_size: int) -> None:
    with pytest.raises(InvalidArgumentError, match=r"5 MiB\) to [\d,]+ \(5 GiB"):
        plan_parts(100 * MIB, part_size)


@pytest.mark.parametrize("part_size", ["8MiB", 8.0 * MIB, True, b"8", [8], object()])
def test_32_part_sizes_that_are_no_whole_number(part_size: int) -> None:
    with pytest.raises(InvalidArgumentError, match="whole number of bytes"):
        plan_parts(100 * MIB, part_size)


@given(st.integers(5 * MIB, 500 * MIB), st.data())
def test_32_a_part_size_that_needs_too_many_parts(part_size: int, data: st.DataObject) -> None:
    """The message names a part size, and that one works."""
    size = data.draw(st.integers(part_size * 10_000 + 1, 5 * TIB))
    with pytest.raises(InvalidArgumentError, match="at least") as caught:
        plan_parts(size, part_size)
    remedy = int(str(caught.value).rpartition("at least ")[2].partition(", or none")[0].replace(",", ""))
    assert plan_parts(size, remedy).parts_count <= 10_000
    assert -(-size // (remedy - 1)) > 10_000


def test_the_limits_are_those_of_s3() -> None:
    assert (MIN_PART_SIZE, MAX_PARTS, MAX_FILE_SIZE) == (5 * 1024**2, 10_000, 5 * 1024**4)
    assert plan_parts(5 * TIB, 5 * GIB).parts_count == 1_024


def test_each_part_gets_the_url_of_its_number() -> None:
    """Whatever the order of the answer."""
    plan = plan_parts(20 * MIB)
    answered = [Answered(number, f"https://host/{number}?X-Amz-Signature=f00d") for number in (3, 1, 2)]
    targets = match_parts(plan, answered, api_url=API)
    assert [(1, 0), (2, 8 * MIB), (3, 16 * MIB)] == [(part.number, part.offset) for part in targets]
    assert [f"https://host/{number}?X-Amz-Signature=f00d" for number in (1, 2, 3)] == [t.url for t in targets]


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        ((), "missing: 1, 2, 3"),
        ((1, 3), "missing: 2"),
        ((1, 2, 2), "missing: 3"),
        ((1, 2, 3, 3), "each once; missing: none"),
        ((1, 2, 3, 4), "has 4 parts"),
        ((0, 1, 2), "missing: 3"),
        ((0, 1, 2, 3), "has 4 parts"),
        ((1, 2, 3, -1), "has 4 parts"),
        ((1, 2, None), "missing: 3"),
        ((1, 2, "3"), "missing: 3"),
        ((True, 2, 3), "missing: 1"),
        ((1, 2, [3]), "missing: 3"),
        ((1, 2, 3, {}), "has 4 parts"),
        ((1, 2, 3.0), "missing: 3"),
    ],
)
def test_16_part_numbers_that_do_not_fit(numbers: tuple[object, ...], message: str) -> None:
    with pytest.raises(TransferError, match=message):
        match_parts(plan_parts(20 * MIB), answer(*numbers), api_url=API)


def test_16_an_answer_without_parts() -> None:
    with pytest.raises(TransferError, match="missing: 1, 2, 3"):
        match_parts(plan_parts(20 * MIB), [], api_url=API)


def test_16_the_message_stays_short_when_much_is_missing() -> None:
    with pytest.raises(TransferError, match=r"missing: 1, 2, 3, 4, 5, …\.$"):
        match_parts(plan_parts(80_000 * MIB), [], api_url=API)


@pytest.mark.parametrize(
    "url",
    [
        "https://bucket.s3-accelerate.amazonaws.com/key?X-Amz-Signature=f00d",
        "https://my_bucket.s3.amazonaws.com/a%20b?x",
        "HTTPS://BUCKET.S3.AMAZONAWS.COM/key",
        "https://10.0.0.1:9000/bucket/key?x",
        "https://[2001:db8::1]:9000/bucket/key?x",
        "https://host/it's(1)~a?b=c;d",
    ],
)
def test_https_urls_are_taken(url: str) -> None:
    assert find_url_fault(url, api_url=API) is None


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        ("http://bucket.s3.amazonaws.com/key", "its scheme is 'http'"),
        ("http://127.0.0.1/key", "its scheme is 'http'"),
        ("ftp://host/key", "not an https URL"),
        ("file:///etc/passwd", "not an https URL"),
        ("javascript:alert(1)", "not an https URL"),
        ("//host/key", "not an https URL"),
        ("/key", "not an https URL"),
        ("", "not an https URL"),
        ("url", "not an https URL"),
        ("https://", "not an https URL"),
        ("https:///key", "not an https URL"),
        ("https://user@host/key", "not an https URL"),
        ("https://user:password@host/key", "not an https URL"),
        ("https://host\\@evil.example.com/key", "not an https URL"),
        ("https://host\\.example.com/key", "not an https URL"),
        ("https://a%2eb/key", "not an https URL"),
        ("https://a,b/key", "not an https URL"),
        ("https://host:/key", "not an https URL"),
        ("https://host:99999/key", "host or port"),
        ("https://host:x/key", "not an https URL"),
        ("https://[::1/key", "not an https URL"),
        ("https://a..b/key", "host or port"),
        (f"https://{'a' * 64}.example.com/key", "host or port"),
        ("https://host/a b", "not an https URL"),
        (" https://host/a", "not an https URL"),
        ("https://host/a\n", "not an https URL"),
        ("https://host/a\r\nX-Evil: 1", "not an https URL"),
        ("https://host/a\x00", "not an https URL"),
        ("https://hôst/a", "not an https URL"),
        ("https://host/\udcff", "not an https URL"),
        (None, "not an https URL"),
        (5, "not an https URL"),
        (["https://host/"], "not an https URL"),
        (b"https://host/", "not an https URL"),
    ],
)
def test_15_urls_that_are_refused(url: object, fault: str) -> None:
    assert fault in (find_url_fault(url, api_url=API) or "")
    with pytest.raises(TransferError, match="URL of part 1 is refused"):
        match_parts(plan_parts(1), [Answered(1, url)], api_url=API)


@given(st.text(st.characters(max_codepoint=255) | st.sampled_from("abc.:-[]@%"), max_size=30))
def test_15_what_is_not_refused_can_be_requested(rest: str) -> None:
    """No URL gets past this check and then fails in the HTTP library."""
    url = f"https://{rest}/key?X-Amz-Signature=f00d"
    if find_url_fault(url, api_url=API) is None:
        assert httpx.Request("PUT", url).url.scheme == "https"


@pytest.mark.parametrize(
    ("url", "api_url", "allowed"),
    [
        ("http://127.0.0.1:9000/key", LOCAL_API, True),
        ("http://localhost:9000/key", LOCAL_API, True),
        ("http://[::1]:9000/key", "http://localhost:4010/v1", True),
        ("http://127.8.9.10/key", LOCAL_API, True),
        ("http://127.0.0.1:9000/key", API, False),
        ("http://bucket.s3.amazonaws.com/key", LOCAL_API, False),
        ("http://127.0.0.1.example.com/key", LOCAL_API, False),
        ("http://localhost.example.com/key", LOCAL_API, False),
        ("http://10.0.0.1/key", LOCAL_API, False),
        ("http://0.0.0.0/key", LOCAL_API, False),
        ("http://127.0.0.1/key", "no URL at all", False),
        ("ftp://127.0.0.1/key", LOCAL_API, False),
    ],
)
def test_15_http_is_for_a_service_on_this_machine(url: str, api_url: str, allowed: bool) -> None:
    """Only when both the API and the storage are on loopback."""
    assert allowed is (find_url_fault(url, api_url=api_url) is None)


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("http://10.0.0.1/key", True),
        ("https://10.0.0.1/key", True),
        ("ftp://10.0.0.1/key", False),
        ("http://user:word@10.0.0.1/key", False),
        ("http://", False),
    ],
)
def test_fault_15_plain_http_is_for_who_allows_it_and_nothing_else_is(url: str, allowed: bool) -> None:
    assert allowed is (find_url_fault(url, api_url=API, allow_http=True) is None)


def test_no_message_and_no_repr_shows_a_signature() -> None:
    """A refused URL is not repeated, and a part shows none."""
    (part,) = match_parts(plan_parts(1), [Answered(1)], api_url=API)
    assert "f00d" not in repr(part)
    with pytest.raises(TransferError) as caught:
        match_parts(plan_parts(1), [Answered(1, "http://host/key?X-Amz-Signature=f00d")], api_url=API)
    assert "f00d" not in f"{caught.value} {caught.value!r}"
