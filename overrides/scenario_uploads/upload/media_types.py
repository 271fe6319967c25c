"""Content type and kind from a file name. Pure functions, the same on every machine.

The content types are those that the service stores, `Asset.original_mime_type` of scenario-sdk 2.4.0; where it has
several for a format, the documented one. Weights without a type of their own are `application/octet-stream`. Files that
are no image, audio, video, mesh, text or weights are an `asset`.
"""

from __future__ import annotations

import re

from attrs import frozen

from scenario_uploads.errors import InvalidArgumentError, SourceError

_BYTES = "application/octet-stream"

# Kind, content type, suffixes.
_TABLE: tuple[tuple[str, str, str], ...] = (
    ("image", "image/avif", "avif"),
    ("image", "image/bmp", "bmp dib"),
    ("image", "image/gif", "gif"),
    ("image", "image/heic", "heic heif"),
    ("image", "image/jpeg", "jpg jpeg jpe jfif"),
    ("image", "image/png", "png"),
    ("image", "image/svg+xml", "svg"),
    ("image", "image/tiff", "tif tiff"),
    ("image", "image/vnd.radiance", "hdr rgbe"),
    ("image", "image/webp", "webp"),
    ("image", "image/x-exr", "exr"),
    ("audio", "audio/flac", "flac"),
    ("audio", "audio/m4a", "m4a"),
    ("audio", "audio/mpeg", "mp3"),
    ("audio", "audio/ogg", "ogg oga"),
    ("audio", "audio/wav", "wav wave"),
    ("video", "video/mp4", "mp4"),
    ("video", "video/quicktime", "mov qt"),
    ("video", "video/webm", "webm"),
    ("3d", "application/vnd.autodesk.fbx", "fbx"),
    ("3d", "model/gltf+json", "gltf"),
    ("3d", "model/gltf-binary", "glb"),
    ("3d", "model/ksplat", "ksplat"),
    ("3d", "model/mtl", "mtl"),
    ("3d", "model/obj", "obj"),
    ("3d", "model/ply", "ply"),
    ("3d", "model/sog", "sog"),
    ("3d", "model/splat", "splat"),
    ("3d", "model/spz", "spz"),
    ("3d", "model/stl", "stl"),
    ("3d", "model/vnd.collada+xml", "dae"),
    ("3d", "model/vnd.ms-package.3dmanufacturing-3dmodel+xml", "3mf"),
    ("3d", "model/vnd.usdz+zip", "usdz"),
    ("3d", "model/x-3d-vox", "vox"),
    ("3d", "model/x-blender", "blend"),
    ("3d", "model/x-maya-ascii", "ma"),
    ("3d", "model/x-maya-binary", "mb"),
    ("3d", "model/x-vsplat", "vsplat"),
    ("3d", "model/x3d+xml", "x3d"),
    ("text", "text/plain", "txt"),
    ("asset", "application/json", "json"),
    ("asset", "application/pdf", "pdf"),
    ("model", "application/gzip", "gz tgz"),
    ("model", "application/safetensors", "safetensors"),
    ("model", "application/zip", "zip"),
    ("model", _BYTES, "ckpt gguf"),
)

_BY_SUFFIX = {suffix: (mime, kind) for kind, mime, suffixes in _TABLE for suffix in suffixes.split()}

# Other names of the same formats: the rest of scenario-sdk's list, and audio/mp3 of the documentation. Generic binary
# types are left out: they do not identify a format.
_KIND_BY_TYPE = {mime: kind for kind, mime, _ in _TABLE if mime != _BYTES} | {
    "application/x-authorware-bin": "3d",
    "application/x-zip-compressed": "model",
    "application/x.autodesk.fbx": "3d",
    "audio/mp3": "audio",
    "image/aces": "image",
    "model/glb": "3d",
    "model/x-fbx": "3d",
}

# Kinds whose files may be sent as application/octet-stream.
_TYPE_BY_KIND = {"3d": _BYTES, "model": _BYTES, "text": "text/plain"}

# Formats that are not in the table, and a similar one that is.
_RELATIVES = {
    relative: known
    for known, relatives in {
        "png": "psd tga dds jxl jp2 ico",
        "exr": "cr2 dng nef",
        "wav": "aif aiff aifc caf",
        "m4a": "aac wma",
        "ogg": "opus",
        "mp4": "m4v mkv avi mpg mpeg wmv flv",
        "usdz": "usd usda usdc",
        "fbx": "3ds abc c4d max ztl",
        "stl": "stp step iges",
        "ckpt": "pt pth bin onnx pkl",
        "zip": "7z rar",
        "gz": "tar bz2 xz zst",
        "txt": "md rst csv log",
    }.items()
    for relative in relatives.split()
}

_KIND_BY_MAJOR = {"image": "image", "audio": "audio", "video": "video", "model": "3d", "text": "text"}
_MIME = re.compile(r"[!#$&^_.+\-0-9A-Za-z]+/[!#$&^_.+\-0-9A-Za-z]+([ \t]*;[\x20-\x7e]*)?")


@frozen
class Media:
    """A MIME type and one of the contract's kinds."""

    content_type: str
    kind: str


def infer_media(file_name: str, *, content_type: str | None = None, kind: str | None = None) -> Media:
    """Return content type and kind from the file name, unless given; SourceError when the suffix is unknown."""
    if content_type is not None and not (isinstance(content_type, str) and _MIME.fullmatch(content_type)):
        raise InvalidArgumentError(f"content_type must be a MIME type such as 'image/png', not {content_type!r}.")
    suffix = file_name.rpartition(".")[2].lower() if "." in file_name else ""
    known_type, known_kind = _BY_SUFFIX.get(suffix, (None, None))
    given_type = content_type.partition(";")[0].strip().lower() if content_type else ""
    if kind is None:
        kind = _KIND_BY_TYPE.get(given_type) or known_kind
    if kind is None:
        raise SourceError(
            f"The kind of {file_name!r} cannot be inferred from its name; give kind=, such as '3d', 'image' or 'model'"
            f"{_guess_kind(suffix, given_type)}."
        )
    if content_type is None:
        content_type = known_type or _TYPE_BY_KIND.get(kind)
    if content_type is None:
        closest = _find_closest(suffix)
        example = f"{_BY_SUFFIX[closest][0]!r}, that of .{closest} files" if closest else "'image/png'"
        raise SourceError(
            f"The content type of {file_name!r} cannot be inferred from its name;"
            f" give content_type=, such as {example}."
        )
    return Media(content_type, kind)


def _guess_kind(suffix: str, content_type: str) -> str:
    """Return a hint at the most likely kind for an error message, or an empty string."""
    if content_type and (kind := _KIND_BY_MAJOR.get(content_type.partition("/")[0])):
        return f". For {content_type} it would be {kind!r}"
    if closest := _find_closest(suffix):
        return f". The closest known suffix is .{closest}: kind={_BY_SUFFIX[closest][1]!r}"
    return ""


def _find_closest(suffix: str) -> str | None:
    from difflib import get_close_matches  # noqa: PLC0415 - slow to import, and for errors alone

    # Limit the length: it is compared with each suffix.
    near = get_close_matches(suffix[:16], _BY_SUFFIX, n=1, cutoff=0.5) if suffix else []
    return _RELATIVES.get(suffix) or next(iter(near), None)
