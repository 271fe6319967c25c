"""What the service asks of a create and of a complete beyond the schema. Pure.

The sources of the rules are Scenario's docs and S3's limits for multipart uploads
(https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html).
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any, Final
from urllib.parse import unquote, urlsplit

import attrs

from scenario_uploads.sandbox.errors import Refusal
from scenario_uploads.sandbox.storage.quota import MAX_PART_SIZE, MIB, MIN_PART_SIZE

_MULTIPART_FIELDS: Final = ("fileName", "contentType", "fileSize", "parts", "kind")
_IMPORT_FIELDS: Final = ("url", "huggingFaceModelName", "civitaiModelUrl")
_MIME_TYPE: Final = re.compile(r"[\w.+-]+/[\w.+-]+(?:\s*;.*)?", re.ASCII)
_MODEL_NAME: Final = re.compile(r"[\w.-]+/[\w.-]+", re.ASCII)
_MAX_FILE_NAME_BYTES: Final = 255
_MAX_RANGES_NAMED: Final = 5


@attrs.frozen(kw_only=True)
class CreateRequest:
    """A create whose rules are kept."""

    source: str
    kind: str
    file_name: str
    """Safe to use as the name of a file."""
    provider: str | None = None
    url: str | None = None
    asset_options: Mapping[str, Any] | None = None
    content_type: str = ""
    file_size: int = 0
    """In bytes; 0 for an import."""
    parts: int = 0
    original_file_name: str = ""


def read_create(body: Mapping[str, Any], max_file_size: int | None = None) -> CreateRequest:
    """Return what a schema-valid create body asks for.

    Args:
        body: The decoded JSON body, already valid by the contract's schema.
        max_file_size: The largest file in bytes that this sandbox stores; None for no limit of its own.

    Raises:
        Refusal: With 400 and the rule that is broken.
    """
    sources = [name for name in _IMPORT_FIELDS if name in body]
    if len(sources) > 1:
        raise Refusal(400, f"Only one source can be given, not {_join(sources)}")
    request = _read_import(body, sources[0]) if sources else _read_multipart(body, max_file_size)
    if request.asset_options is not None and request.kind == "model":
        raise Refusal(400, "assetOptions is only for kinds that make an asset, not for model")
    return request


def _read_multipart(body: Mapping[str, Any], max_file_size: int | None) -> CreateRequest:
    missing = [name for name in _MULTIPART_FIELDS if name not in body]
    if missing:
        verb = "is" if len(missing) == 1 else "are"
        raise Refusal(400, f"{_join(missing)} {verb} required for a multipart upload")
    # JSON has one kind of number: 5.0 is a whole number to the schema too.
    file_size, parts = int(body["fileSize"]), int(body["parts"])
    if not body["fileName"].strip():
        raise Refusal(400, "fileName must not be empty")
    if not _MIME_TYPE.fullmatch(body["contentType"]):
        raise Refusal(400, "contentType must be a MIME type such as model/gltf-binary")
    if file_size == 0:
        raise Refusal(400, "fileSize must not be 0: whether the service takes an empty file is not known")
    if max_file_size is not None and file_size > max_file_size:
        raise Refusal(400, f"fileSize {file_size} is over this sandbox's limit of {max_file_size} bytes")
    if not (parts - 1) * MIN_PART_SIZE < file_size <= parts * MAX_PART_SIZE:
        raise Refusal(
            400,
            f"fileSize {file_size} cannot be sent in {parts} parts: every part but the last has at least"
            f" {MIN_PART_SIZE} bytes, and none more than {MAX_PART_SIZE}",
        )
    return CreateRequest(
        source="multipart",
        kind=body["kind"],
        file_name=clean_file_name(body["fileName"]),
        asset_options=body.get("assetOptions"),
        content_type=body["contentType"],
        file_size=file_size,
        parts=parts,
        original_file_name=body["fileName"],
    )


def _read_import(body: Mapping[str, Any], field: str) -> CreateRequest:
    value: str = body[field]
    if field == "huggingFaceModelName":
        if not _MODEL_NAME.fullmatch(value):
            raise Refusal(400, "huggingFaceModelName must be of the form owner/name")
        name = value
    else:
        name = _read_url_path(field, value)
    if field == "url" and "kind" not in body:
        raise Refusal(400, "kind is required with url")
    source, provider = {
        "url": ("url", "other"),
        "huggingFaceModelName": ("huggingface", "huggingface"),
        "civitaiModelUrl": ("civitai", "civitai"),
    }[field]
    return CreateRequest(
        source=source,
        provider=provider,
        kind=body.get("kind", "model"),
        file_name=clean_file_name(body.get("fileName", name)),
        url=value if field == "url" else None,
        asset_options=body.get("assetOptions"),
    )


def _read_url_path(field: str, value: str) -> str:
    try:
        url = urlsplit(value)
    except ValueError:
        url = urlsplit("")
    if url.scheme not in {"http", "https"} or not url.hostname:
        raise Refusal(400, f"{field} must be an http or https URL")
    return unquote(url.path)


def clean_file_name(name: str) -> str:
    r"""Return the last segment of a name, without what a file system could mistake.

    Args:
        name: Any text, such as `../../etc/passwd` or `C:\models\dragon.glb`.
    """
    # Split after NFKC, which turns look-alikes such as U+FF0F into a real slash.
    text = unicodedata.normalize("NFKC", name).replace("\\", "/").rstrip("/ ").rsplit("/", 1)[-1]
    text = "".join(character for character in text if unicodedata.category(character)[0] != "C").strip(" .")
    stem, dot, suffix = text.rpartition(".")
    while len(text.encode()) > _MAX_FILE_NAME_BYTES:
        stem, suffix = (stem[:-1], suffix) if stem else (stem, suffix[:-1])
        text = f"{stem}{dot}{suffix}"
    return text or "file"


def pretend_cost(asked: CreateRequest) -> dict[str, Any]:
    """Return what an upload would cost: one creative unit for each 100 MiB begun. The real prices are not known."""
    units = -(-asked.file_size // (100 * MIB))
    return {"creativeUnitsCost": units, "creativeUnitsDiscount": 0, "costDetails": {"upload": units}}


def find_parts_problem(sizes: Mapping[int, int], parts_count: int, file_size: int) -> str | None:
    """Return why an upload cannot be completed, or None when it can.

    Args:
        sizes: The size in bytes of each part that is stored, by its number.
        parts_count: How many parts were declared.
        file_size: How many bytes were declared.
    """
    missing = [number for number in range(1, parts_count + 1) if number not in sizes]
    if missing:
        return f"Parts are missing: {format_numbers(missing)} (of {parts_count})"
    short = [number for number in range(1, parts_count) if sizes[number] < MIN_PART_SIZE]
    if short:
        return (
            f"Parts are too small: {format_numbers(short)}; every part but the last has at least {MIN_PART_SIZE} bytes"
        )
    total = sum(sizes[number] for number in range(1, parts_count + 1))
    if total != file_size:
        return f"The parts have {total} bytes together, but fileSize is {file_size}"
    return None


def format_numbers(numbers: Iterable[int]) -> str:
    """Return ascending numbers as a short text such as `1-3, 7, 9-12 and 20 more`."""
    ranges: list[list[int]] = []
    for number in numbers:
        if ranges and number == ranges[-1][-1] + 1:
            ranges[-1] = [ranges[-1][0], number]
        else:
            ranges.append([number])
    named = ", ".join("-".join(map(str, pair)) for pair in ranges[:_MAX_RANGES_NAMED])
    rest = sum(pair[-1] - pair[0] + 1 for pair in ranges[_MAX_RANGES_NAMED:])
    return f"{named} and {rest} more" if rest else named


def _join(names: list[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last
