"""Each way in which a response can differ from the contract is found, named, and comes with an edit of the contract."""

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
import httpx
import pytest
from scenario_uploads.sandbox import Sandbox

from tests.support.service import make_upload
from tools.contract.document import Contract, read_contract
from tools.live_check.compare import compare
from tools.live_check.run import Exchange, Run
from tools.project import Project

Change = Callable[[Exchange], Exchange]


@pytest.fixture(scope="module")
def contract() -> Contract:
    return read_contract(Project().contract, "openapi.yaml")


@pytest.fixture(scope="module")
def came() -> Iterator[list[Exchange]]:
    """What the sandbox answers, once for all tests."""
    with pytest.MonkeyPatch.context() as patch, Sandbox(step_delay=0.05) as box:
        patch.setenv("SCENARIO_SDK_API_KEY", box.api_key)
        patch.setenv("SCENARIO_SDK_API_SECRET", box.api_secret)
        run = Run(box.base_url)
        run.perform()
        assert run.problems == []
        yield run.exchanges


def to(**fields: Any) -> Change:
    """Give the response another status, or other headers or another body."""
    return lambda exchange: attrs.evolve(
        exchange,
        status=fields.get("status", exchange.status),
        headers=httpx.Headers({**exchange.headers, **fields.get("headers", {})}),
        body=fields.get("body", exchange.body),
    )


def without(header: str) -> Change:
    def change(exchange: Exchange) -> Exchange:
        headers = {name: value for name, value in exchange.headers.items() if name != header}
        return attrs.evolve(exchange, headers=httpx.Headers(headers))

    return change


def edit(act: Callable[[Any], object]) -> Change:
    """Change the JSON of the response."""

    def change(exchange: Exchange) -> Exchange:
        value = json.loads(exchange.body)
        act(value)
        return attrs.evolve(exchange, body=json.dumps(value).encode())

    return change


def put(name: str, value: object) -> Change:
    """Put a field into the upload of the response."""
    return edit(lambda body: body["upload"].__setitem__(name, value))


def drop(name: str) -> Change:
    return edit(lambda body: body["upload"].pop(name))


def put_part(name: str, value: object) -> Change:
    return edit(lambda body: body["upload"]["parts"][0].__setitem__(name, value))


def sign_for(hours: int) -> Change:
    """Let the signature of the first part end so many hours after it was made."""

    def change(exchange: Exchange) -> Exchange:
        url = json.loads(exchange.body)["upload"]["parts"][0]["url"]
        return put_part("url", re.sub("X-Amz-Expires=[0-9]+", f"X-Amz-Expires={hours * 3600}", url))(exchange)

    return change


def in_days(days: float) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).isoformat()


CREATE, RETRIEVE, ACTION = "small image: create", "small image: retrieve", "small image: complete"
PART, POLL, MISSING = "small image: part 1", "small image: poll", "no such upload"
UPLOAD = "#/components/schemas/Upload"
# The step, the change, and the kind, the place, and a word of the message and of the edit that are to come of it.
WAYS = {
    "undocumented field": (
        (RETRIEVE, put("checksum", "x"), "undocumented-field", UPLOAD, "`checksum`", 'type: [string, "null"]')
    ),
    "undocumented field of a part": (
        (CREATE, put_part("size", 5), "undocumented-field", "#/components/schemas/UploadPart", "`size`", "integer")
    ),
    "undocumented field of an error": (
        (
            MISSING,
            edit(lambda body: body.update(code=7)),
            "undocumented-field",
            "#/components/schemas/Error",
            "code",
            "",
        )
    ),
    "missing field": (
        RETRIEVE,
        drop("ownerId"),
        "missing-field",
        f"{UPLOAD}/required",
        "ownerId is missing",
        "required",
    ),
    "missing field of a create": (
        (CREATE, drop("partsCount"), "missing-field", f"{UPLOAD}/properties/partsCount", "partsCount", "say when")
    ),
    "field that came with creates alone": (
        (RETRIEVE, put("fileSize", 12345), "late-field", f"{UPLOAD}/properties/fileSize", "fileSize", "take out")
    ),
    "null": (RETRIEVE, put("fileName", None), "null", f"{UPLOAD}/properties/fileName", "fileName is null", "null"),
    "null for an enum": (RETRIEVE, put("kind", None), "null", "#/components/schemas/UploadKind", "kind is null", ""),
    "null for what is required": (
        (RETRIEVE, edit(lambda body: body.update(upload=None)), "null", UPLOAD, "upload is null", "")
    ),
    "type": (
        (
            RETRIEVE,
            put("createdAt", 17),
            "type",
            f"{UPLOAD}/properties/createdAt/type",
            "integer, not string",
            "integer]",
        )
    ),
    "type below oneOf": (
        (RETRIEVE, put("assetOptions", {"hide": "no"}), "type", "/hide/type", "assetOptions.hide is of type string", "")
    ),
    "value of an enum": (
        (POLL, put("status", "archived"), "enum-value", "/UploadStatus/enum", "`archived`", "add the value `archived`")
    ),
    "value out of range": (
        *(MISSING, edit(lambda body: body.update(remainingSeconds=-1)), "value"),
        *("/remainingSeconds/minimum", "minimum: 0", "widen `minimum`"),
    ),
    "time without a zone": (
        (RETRIEVE, put("createdAt", "2026-11-26 10:00"), "time", f"{UPLOAD}/properties/createdAt", "createdAt", "")
    ),
    "undocumented status": (
        (MISSING, to(status=410), "status", "#/paths/~1uploads~1{uploadId}/get/responses", "answers 410", 'add "410"')
    ),
    "undocumented success": (ACTION, to(status=202), "status", "~1action/post/responses", "answers 202", 'add "202"'),
    "other status": (MISSING, to(status=403), "unexpected-status", "#/components/responses/Forbidden", "not 404", ""),
    "success instead of a refusal": (
        *("wrong credentials", to(status=200, body=json.dumps({"upload": make_upload()}).encode())),
        *("unexpected-status", "/get/responses/200", "200 came, not 401", ""),
    ),
    "HTML": (
        (
            MISSING,
            to(headers={"content-type": "text/html"}),
            "media-type",
            "/NotFound",
            "`text/html`",
            "add `text/html`",
        )
    ),
    "no JSON": (RETRIEVE, to(body=b"<html>"), "not-json", "/get/responses/200", "not JSON", ""),
    "no object": (RETRIEVE, to(body=b"[]"), "type", "/UploadRetrieveResponse/type", "the body is of type array", ""),
    "error without a reason": (MISSING, to(body=b'{"traceId": "1"}'), "error-body", "/NotFound", "no reason", ""),
    "error with another type": (
        MISSING,
        to(body=b'{"reason": ["x"]}'),
        "type",
        "/reason/type",
        "reason is of type array",
        "",
    ),
    "limit of calls": (
        (
            RETRIEVE,
            to(headers={"X-RateLimit-Limit": "9"}),
            "header",
            "/get/responses/200",
            "x-ratelimit-limit",
            "headers",
        )
    ),
    "end of an endpoint": (
        CREATE,
        to(headers={"Sunset": "soon"}),
        "header",
        "/post/responses/200",
        "sunset",
        "`sunset`",
    ),
    "URLs live longer": (
        *(CREATE, lambda create: put_part("expires", in_days(3))(sign_for(72)(create)), "lifetime"),
        *("/UploadPart/properties/expires", "after 72.0 hours, not after 48 hours", "write 72.0 hours"),
    ),
    "URLs end before they say": (
        *(
            CREATE,
            sign_for(1),
            "lifetime",
            "/UploadPart/properties/expires",
            "169200 s before `expires`",
            "what it means",
        ),
    ),
    "no job": (CREATE, drop("jobId"), "missing-field", f"{UPLOAD}/properties/jobId", "lacks jobId", "say when"),
    "no ETag": (PART, without("etag"), "etag", "/UploadPart/properties/url", "no ETag", "description"),
    "other ETag": (PART, to(headers={"etag": '"0"'}), "etag", "/UploadPart/properties/url", "not the MD5", ""),
    "ETag without quotes": (PART, lambda part: to(headers={"etag": part.md5})(part), "etag", "/url", "not the MD5", ""),
    "KMS": (
        PART,
        to(headers={"etag": '"0"', "x-amz-server-side-encryption": "aws:kms"}),
        *("etag", "/UploadPart/properties/url", "encrypts with KMS", ""),
    ),
    "storage answers 204": (PART, to(status=204), "status", "/UploadPart/properties/url", "answers 204", ""),
    "cost as text": (
        (
            "dry run",
            edit(lambda body: body.update(creativeUnitsCost="5")),
            "type",
            "/creativeUnitsCost/type",
            "string",
            "",
        )
    ),
}


def test_sandbox_differs_in_nothing(contract: Contract, came: list[Exchange]) -> None:
    """And every step was done, each operation with it."""
    assert compare(contract, came) == []
    assert {exchange.step.partition(": ")[2] or exchange.step for exchange in came} == {
        *("dry run", "create", "part 1", "part 2", "part 3", "retrieve", "complete", "poll"),
        *("no such upload", "wrong credentials", "create without its fields"),
    }


@pytest.mark.parametrize("name", WAYS)
def test_each_difference_is_found(contract: Contract, came: list[Exchange], name: str) -> None:
    """It alone, once, where the contract says otherwise, and under the step that it came in."""
    step, change, kind, place, message, proposal = WAYS[name]
    changed = [change(exchange) if exchange.step == step else exchange for exchange in came]
    found = compare(contract, changed)
    assert [difference.kind for difference in found] == [kind], found
    (difference,) = found
    assert difference.place.endswith(place)
    assert message in difference.message
    assert proposal in difference.edit
    assert difference.steps == (step,)
    assert difference.line > 1


@pytest.mark.parametrize(
    "change", [to(status=429), to(status=503), to(status=502, headers={"content-type": "text/html"}, body=b"<html>")]
)
def test_a_busy_or_broken_service_differs_in_nothing(contract: Contract, came: list[Exchange], change: Change) -> None:
    """The contract says that it may be; what could not be done for that is another matter."""
    changed = [change(exchange) if exchange.step == MISSING else exchange for exchange in came]
    assert compare(contract, changed) == []


@pytest.mark.parametrize(
    "upload",
    [
        None,
        5,
        [],
        {"parts": 5},
        {"parts": [5, {"url": 7, "number": [], "expires": {}}]},
        {"parts": [{"url": "http://["}]},
    ],
)
def test_any_answer_is_looked_at(contract: Contract, came: list[Exchange], upload: object) -> None:
    """However little of it makes sense."""
    changed = [
        edit(lambda body: body.update(upload=upload))(exchange) if exchange.step == CREATE else exchange
        for exchange in came
    ]
    assert compare(contract, changed)
