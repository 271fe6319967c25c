"""What is sent to the service, and every response to it as it came."""

import hashlib
import random
import re
import struct
import zlib
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import attrs
import httpx
from scenario_uploads import (
    APIConnectionError,
    APIResponseValidationError,
    APIStatusError,
    AuthenticationError,
    DefaultHttpxClient,
    Scenario,
    ScenarioError,
)

# The least that S3 takes for a part that is not the last one.
PART_SIZE = 5 * 1024 * 1024
PATIENCE = 300.0
"""For how many seconds an upload is polled; the service's own programs poll as long."""
UNKNOWN_ID = "upload_" + "0" * 24
SMALL = (64, 64)
LARGE = (2048, 1876)
"""Pixels that make 11 MiB, which are sent in three parts."""

PLAN = f"""It sends, with the credentials of the environment:
  - a dry run
  - an image of 12 KiB in one part and one of 11 MiB in three: create, parts to storage, retrieve, `complete`, and
    retrieves until it is imported or has failed, for {PATIENCE:.0f} s at most
  - a retrieve of an upload that does not exist, one with wrong credentials, and a create that lacks fields
That may cost creative units. The two images stay in the account: the API has nothing that removes them.
Nothing else is touched."""


@attrs.frozen
class Exchange:
    """A response as it came, and what it answers."""

    step: str
    expected: tuple[int, ...]
    """The statuses that the contract promises for this step."""
    method: str
    path: str
    md5: str
    """Of a part, in hexadecimal; empty for a call to the API."""
    status: int
    headers: httpx.Headers
    body: bytes
    came: datetime = attrs.field(factory=lambda: datetime.now(UTC))


class Run:
    """The requests of one check, and what came of them."""

    def __init__(self, base_url: str | None = None) -> None:
        self.exchanges: list[Exchange] = []
        self.problems: list[str] = []
        """What could not be done, and why."""
        self._step = ""
        self._expected: tuple[int, ...] = ()
        api = DefaultHttpxClient(event_hooks={"response": [self._keep]})
        self._client = Scenario(base_url=base_url, http_client=api)
        self._storage = httpx.Client(timeout=120)
        self.base_url = str(self._client.base_url)

    def perform(self) -> None:
        """Send everything. What stops one step stops the others only when they would end alike."""
        images = {"small image": SMALL, "large image": LARGE}
        uploads = [lambda name=name, size=size: self._upload(name, make_png(*size)) for name, size in images.items()]
        with self._client, self._storage:
            for act in [self._ask_cost, *uploads, self._provoke_errors]:
                try:
                    act()
                except (ScenarioError, httpx.HTTPError, httpx.InvalidURL) as error:
                    # What a body has that does not fit, the comparison says without a word of it.
                    told = "the response does not fit" if isinstance(error, APIResponseValidationError) else error
                    self.problems.append(f"{self._step}: {told}")
                    if isinstance(error, AuthenticationError | APIConnectionError):
                        return

    def _keep(self, response: httpx.Response, md5: str = "") -> None:
        request, body = response.request, response.read()
        came = (response.status_code, response.headers, body)
        self.exchanges.append(Exchange(self._step, self._expected, request.method, request.url.path, md5, *came))

    def _call(self, step: str, call: Callable[[], Any], *expected: int) -> Any:
        """Make a call and return what it gives, None when it is refused as expected."""
        self._step, self._expected = step, expected or (200,)
        try:
            return call()
        except APIStatusError as error:
            if min(self._expected) < 400 or error.status_code == 429 or error.status_code >= 500:
                raise
            return None

    def _ask_cost(self) -> None:
        create = self._client.uploads.with_raw_response.create
        self._call("dry run", lambda: create(**describe("small.png", 12_345), dry_run="true"), 269)

    def _upload(self, name: str, image: bytes) -> None:
        uploads = self._client.uploads.with_raw_response
        fields = describe(f"{name.replace(' ', '-')}.png", len(image))
        response = self._call(f"{name}: create", lambda: self._client.uploads.create(**fields))
        try:
            upload_id, urls = response.upload.id, {part.number: part.url for part in response.upload.parts}
        except (AttributeError, TypeError):
            upload_id, urls = "", {}
        if urls.keys() != {*range(1, fields["parts"] + 1)}:
            raise ScenarioError("the response lacks the id or the URLs of the parts")
        for number in sorted(urls):
            self._send_part(f"{name}: part {number}", str(urls[number]), image[(number - 1) * PART_SIZE :][:PART_SIZE])
        self._call(f"{name}: retrieve", lambda: uploads.retrieve(upload_id))
        self._call(f"{name}: complete", lambda: uploads.trigger_action(upload_id, action="complete"))
        self._call(f"{name}: poll", lambda: self._client.uploads.wait(upload_id, timeout=PATIENCE))

    def _send_part(self, step: str, url: str, part: bytes) -> None:
        self._step, self._expected = step, (200,)
        response = self._storage.put(url, content=part)
        self._keep(response, hashlib.md5(part, usedforsecurity=False).hexdigest())
        if response.status_code != 200:
            code = re.search(r"<Code>(\w{1,40})</Code>", response.text)
            raise ScenarioError(f"storage answered {response.status_code}, {code[1] if code else 'without a code'}")

    def _provoke_errors(self) -> None:
        uploads = self._client.uploads.with_raw_response
        other = self._client.copy(api_key="live-check", api_secret="nobodys-secret")  # noqa: S106 - wrong on purpose
        stranger = other.uploads.with_raw_response
        self._call("no such upload", lambda: uploads.retrieve(UNKNOWN_ID), 404)
        self._call("wrong credentials", lambda: stranger.retrieve(UNKNOWN_ID), 401)
        self._call("create without its fields", lambda: uploads.create(file_name="small.png", kind="image"), 400, 422)


def make_png(width: int, height: int) -> bytes:
    """Return a PNG of noise, always the same one: 8 bits for each of three colours, not compressed."""
    noise = random.Random(42)  # noqa: S311 - bytes that do not compress, not bytes that nobody may guess
    rows = b"".join(b"\0" + noise.randbytes(3 * width) for _ in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    png = b"\x89PNG\r\n\x1a\n"
    for name, data in ((b"IHDR", header), (b"IDAT", zlib.compress(rows, 0)), (b"IEND", b"")):
        png += struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
    return png


def describe(name: str, size: int) -> dict[str, Any]:
    """Return the arguments of a create for an image of `size` bytes."""
    parts = -(-size // PART_SIZE)
    return {"file_name": name, "content_type": "image/png", "file_size": size, "parts": parts, "kind": "image"}
