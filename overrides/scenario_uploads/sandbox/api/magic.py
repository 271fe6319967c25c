"""Whether the first bytes of a file are what it claims to be. Pure.

Meant to catch the honest mistake (a PNG sent as GLB, an HTML error page sent as a video), not to be a virus scanner:
formats without a signature of their own are taken at their word, and so are content types that are not in the table.
"""

import json
import struct
from collections.abc import Callable, Mapping
from typing import Final

import attrs

HEAD_SIZE: Final = 64 * 1024
"""How many bytes of a file are looked at."""

_HEIF_BRANDS: Final = {b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1"}
_AVIF_BRANDS: Final = {b"avif", b"avis"}


@attrs.frozen
class _Format:
    name: str
    """With its article, as it stands in a sentence."""
    kind: str
    content_types: frozenset[str]
    suffix: str
    matches: Callable[[bytes, int], bool]
    """Takes the head of the file and the size of the whole file in bytes."""


def _starts(*signatures: bytes) -> Callable[[bytes, int], bool]:
    return lambda head, _: head.startswith(signatures)


def _is_riff(form: bytes) -> Callable[[bytes, int], bool]:
    return lambda head, _: head[:4] in {b"RIFF", b"RF64"} and head[8:12] == form


def _read_brands(head: bytes) -> set[bytes]:
    # ISO/IEC 14496-12: a box `ftyp` with the major brand, a version, then the compatible brands.
    if head[4:8] != b"ftyp":
        return set()
    end = min(int.from_bytes(head[:4]), len(head))
    return {head[8:12]} | {head[at : at + 4] for at in range(16, end, 4)}


def _has_brand(brands: set[bytes]) -> Callable[[bytes, int], bool]:
    return lambda head, _: bool(_read_brands(head) & brands)


def _is_iso_media(head: bytes, _: int) -> bool:
    return bool(_read_brands(head) - _HEIF_BRANDS - _AVIF_BRANDS)


def _is_svg(head: bytes, _: int) -> bool:
    return _text(head).startswith(b"<") and b"<svg" in head


def _is_mp3(head: bytes, _: int) -> bool:
    # An ID3 tag, or the eleven set bits of a frame sync and a layer that is not the reserved one, as AAC in ADTS has.
    return head.startswith(b"ID3") or (
        len(head) > 1 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0 and head[1] & 6 != 0
    )


def _is_gltf(head: bytes, size: int) -> bool:
    if size > len(head):
        return _text(head).startswith(b"{")
    try:
        return isinstance(json.loads(head)["asset"]["version"], str)
    except (ValueError, KeyError, TypeError, RecursionError):
        return False


def _is_stl(head: bytes, size: int) -> bool:
    # Binary: 80 bytes of anything, the number of triangles, 50 bytes for each. Some writers append attributes.
    if len(head) >= 84 and size >= 84 + 50 * struct.unpack_from("<I", head, 80)[0]:
        return True
    return _text(head).startswith(b"solid")


def _is_fbx(head: bytes, _: int) -> bool:
    return head.startswith(b"Kaydara FBX Binary") or (_is_text(head, 0) and b"FBX" in head)


def _is_text(head: bytes, _: int) -> bool:
    return bool(head) and b"\0" not in head


def _is_safetensors(head: bytes, size: int) -> bool:
    # Eight bytes with the length of a JSON header, then the header, which must start with `{`.
    return len(head) > 8 and head[8:9] == b"{" and int.from_bytes(head[:8], "little") <= size - 8


def _text(head: bytes) -> bytes:
    return head.removeprefix(b"\xef\xbb\xbf").lstrip()


def _format(name: str, kind: str, types: str, suffix: str, matches: Callable[[bytes, int], bool]) -> _Format:
    return _Format(name, kind, frozenset(types.split()), suffix, matches)


# The content types and kinds of Scenario's docs. A strict signature belongs to one kind only, so that it can speak for
# itself; the others hold sound and pictures alike (Ogg, WebM, MP4) or look like any text (OBJ), and are only checked
# against a claim.
_STRICT: Final = (
    _format("a PNG", "image", "image/png", ".png", _starts(b"\x89PNG\r\n\x1a\n")),
    _format("a JPEG", "image", "image/jpeg image/jpg", ".jpg", _starts(b"\xff\xd8\xff")),
    _format("a GIF", "image", "image/gif", ".gif", _starts(b"GIF87a", b"GIF89a")),
    _format("a WebP", "image", "image/webp", ".webp", _is_riff(b"WEBP")),
    _format("an AVIF", "image", "image/avif", ".avif", _has_brand(_AVIF_BRANDS)),
    _format("a HEIC", "image", "image/heic image/heif", ".heic", _has_brand(_HEIF_BRANDS)),
    _format("a TIFF", "image", "image/tiff", ".tiff", _starts(b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")),
    _format("a WAV", "audio", "audio/wav audio/x-wav audio/wave", ".wav", _is_riff(b"WAVE")),
    _format("a GLB", "3d", "model/gltf-binary", ".glb", _starts(b"glTF")),
    _format("a VOX", "3d", "model/x-3d-vox", ".vox", _starts(b"VOX ")),
    _format("a ZIP", "model", "application/zip", ".zip", _starts(b"PK\3\4", b"PK\5\6")),
)
_LENIENT: Final = (
    _format("an SVG", "image", "image/svg+xml", ".svg", _is_svg),
    _format("an MP3", "audio", "audio/mpeg audio/mp3", ".mp3", _is_mp3),
    _format("an M4A", "audio", "audio/m4a audio/mp4 audio/x-m4a", ".m4a", _is_iso_media),
    _format("an Ogg", "audio", "audio/ogg", ".ogg", _starts(b"OggS")),
    _format("a WebM", "video", "video/webm", ".webm", _starts(b"\x1a\x45\xdf\xa3")),
    _format("an MP4", "video", "video/mp4", ".mp4", _is_iso_media),
    _format("a glTF", "3d", "model/gltf+json", ".gltf", _is_gltf),
    _format("an OBJ", "3d", "model/obj", ".obj", _is_text),
    _format("a PLY", "3d", "model/ply", ".ply", _starts(b"ply")),
    _format("an STL", "3d", "model/stl", ".stl", _is_stl),
    _format("an FBX", "3d", "application/vnd.autodesk.fbx", ".fbx", _is_fbx),
    _format(
        "a safetensors file",
        "model",
        "application/safetensors application/x-safetensors",
        ".safetensors",
        _is_safetensors,
    ),
)
_BY_CONTENT_TYPE: Final[Mapping[str, _Format]] = {
    content_type: entry for entry in _STRICT + _LENIENT for content_type in entry.content_types
}
_BY_SUFFIX: Final[Mapping[str, _Format]] = {entry.suffix: entry for entry in _STRICT + _LENIENT}
# `asset` and `avatar` say nothing about the format, and a `model` may come as an archive of anything.
_KINDS_OF_ONE_FAMILY: Final = frozenset({"image", "audio", "video", "3d"})


def find_content_problem(*, kind: str, content_type: str, file_name: str, head: bytes, size: int) -> str | None:
    """Return why the content is not what it claims to be, or None when nothing speaks against it.

    Args:
        kind: The kind that was declared.
        content_type: The MIME type that was declared.
        file_name: The name of the file, whose suffix counts when the MIME type says nothing.
        head: The first `HEAD_SIZE` bytes of the file, fewer only when the file has fewer.
        size: The size of the whole file in bytes.
    """
    mime_type = content_type.partition(";")[0].strip().lower()
    claimed = _BY_CONTENT_TYPE.get(mime_type)
    if claimed is None and mime_type == "application/octet-stream":
        claimed = _BY_SUFFIX.get(f".{file_name.lower().rpartition('.')[2]}")
    if claimed is not None and not claimed.matches(head, size):
        return f"The content is not {claimed.name} ({mime_type})"
    found = claimed or next((entry for entry in _STRICT if entry.matches(head, size)), None)
    if found is not None and {kind, found.kind} <= _KINDS_OF_ONE_FAMILY and found.kind != kind:
        return f"The content is {found.name} ({found.kind}), not of kind {kind}"
    return None
