"""From a file's name to its content type and kind, after the table in Scenario's documentation. Pure."""

from __future__ import annotations

import mimetypes
import re

from attrs import frozen

from scenario_uploads.errors import InvalidArgumentError, SourceError

_KINDS: dict[str, dict[str, str]] = {
    "image": {
        **{suffix: f"image/{suffix}" for suffix in ("png", "gif", "webp", "avif", "heic", "jpeg", "tiff")},
        "jpg": "image/jpeg",
        "tif": "image/tiff",
        "svg": "image/svg+xml",
    },
    "audio": {"mp3": "audio/mpeg", "wav": "audio/wav", "ogg": "audio/ogg", "m4a": "audio/m4a"},
    "video": {"mp4": "video/mp4", "webm": "video/webm"},
    "3d": {
        "glb": "model/gltf-binary",
        "gltf": "model/gltf+json",
        "obj": "model/obj",
        "fbx": "application/vnd.autodesk.fbx",
        "stl": "model/stl",
        "ply": "model/ply",
        "vox": "model/x-3d-vox",
    },
    "model": {"zip": "application/zip", "safetensors": "application/octet-stream"},
}

_BY_SUFFIX = {suffix: (mime, kind) for kind, types in _KINDS.items() for suffix, mime in types.items()}

# A content type of bytes says nothing about what they are.
_KIND_BY_TYPE = {mime: kind for mime, kind in _BY_SUFFIX.values() if mime != "application/octet-stream"} | {
    "audio/mp3": "audio"
}

_MIME = re.compile(r"[!#$&^_.+\-0-9A-Za-z]+/[!#$&^_.+\-0-9A-Za-z]+([ \t]*;[\x20-\x7e]*)?")


@frozen
class Media:
    """What a file is: a MIME type and one of the contract's kinds."""

    content_type: str
    kind: str


def infer_media(file_name: str, *, content_type: str | None = None, kind: str | None = None) -> Media:
    """Tell a file's content type and kind from its name; what is given is taken as it is.

    Raises:
        InvalidArgumentError: When `content_type` is not a MIME type.
        SourceError: When the kind or the content type cannot be told.
    """
    if content_type is not None and not (isinstance(content_type, str) and _MIME.fullmatch(content_type)):
        raise InvalidArgumentError(f"content_type must be a MIME type such as 'image/png', not {content_type!r}.")
    suffix = file_name.rpartition(".")[2].lower() if "." in file_name else ""
    known_type, known_kind = _BY_SUFFIX.get(suffix, (None, None))
    if kind is None:
        kind = _KIND_BY_TYPE.get(content_type.partition(";")[0].strip().lower()) if content_type else None
        kind = kind or known_kind
        if kind is None:
            raise SourceError(
                f"The kind of {file_name!r} cannot be told from its name; give kind=, such as '3d', 'image' or 'model'."
            )
    if content_type is None:
        guessed, packed = mimetypes.guess_type(file_name)
        # Of "scan.svg.gz" it tells the type of what is inside.
        content_type = known_type or (None if packed else guessed)
        if content_type is None and kind in ("3d", "model"):
            content_type = "application/octet-stream"
        if content_type is None:
            raise SourceError(
                f"The content type of {file_name!r} cannot be told from its name; give content_type=,"
                " for example 'image/png'."
            )
    return Media(content_type, kind)
