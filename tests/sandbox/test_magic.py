"""What the first bytes of a file say."""

import struct

import pytest
from scenario_uploads.sandbox.api.magic import HEAD_SIZE, find_content_problem

STL = b"made by hand".ljust(80) + struct.pack("<I", 1) + b"\1" * 50
GOOD = {
    "image/png": ("image", b"\x89PNG\r\n\x1a\nrest"),
    "image/jpeg": ("image", b"\xff\xd8\xff\xe0rest"),
    "image/gif": ("image", b"GIF89arest"),
    "image/webp": ("image", b"RIFF\x10\0\0\0WEBPVP8 "),
    "image/avif": ("image", b"\0\0\0\x1cftypavif\0\0\0\0avifmif1"),
    "image/heic": ("image", b"\0\0\0\x18ftypheic\0\0\0\0mif1"),
    "image/tiff": ("image", b"II*\0rest"),
    "image/svg+xml": ("image", b'\xef\xbb\xbf <?xml version="1.0"?><svg xmlns="x"/>'),
    "audio/mpeg": ("audio", b"\xff\xfb\x90\x44"),
    "audio/mp3": ("audio", b"ID3\4\0"),
    "audio/wav": ("audio", b"RIFF\x10\0\0\0WAVEfmt "),
    "audio/ogg": ("audio", b"OggS\0"),
    "audio/m4a": ("audio", b"\0\0\0\x18ftypM4A \0\0\0\0isom"),
    "video/mp4": ("video", b"\0\0\0\x18ftypisom\0\0\0\0mp42"),
    "video/webm": ("video", b"\x1a\x45\xdf\xa3\x01"),
    "model/gltf-binary": ("3d", b"glTF\2\0\0\0"),
    "model/gltf+json": ("3d", b'{"asset": {"version": "2.0"}}'),
    "model/obj": ("3d", b"# cube\nv 0 0 0\n"),
    "application/vnd.autodesk.fbx": ("3d", b"Kaydara FBX Binary  \0"),
    "model/stl": ("3d", STL),
    "model/ply": ("3d", b"ply\nformat ascii 1.0\n"),
    "model/x-3d-vox": ("3d", b"VOX \x96\0\0\0"),
    "application/zip": ("model", b"PK\3\4rest"),
    "application/x-safetensors": ("model", b"\x02" + b"\0" * 7 + b"{}rest"),
}


def find(kind: str, content_type: str, content: bytes, file_name: str = "a", size: int | None = None) -> str | None:
    return find_content_problem(
        kind=kind,
        content_type=content_type,
        file_name=file_name,
        head=content[:HEAD_SIZE],
        size=len(content) if size is None else size,
    )


@pytest.mark.parametrize("content_type", GOOD)
def test_file_that_is_what_it_claims_passes(content_type):
    kind, content = GOOD[content_type]
    assert find(kind, content_type, content) is None
    assert find(kind, content_type.upper() + "; charset=binary", content) is None
    assert find("asset", content_type, content) is None


@pytest.mark.parametrize("content_type", GOOD)
def test_file_of_binary_noise_fails(content_type):
    kind, _ = GOOD[content_type]
    problem = find(kind, content_type, b"\0\1noise")
    assert problem is not None
    assert f"({content_type})" in problem


@pytest.mark.parametrize("content_type", sorted(GOOD.keys() - {"model/obj"}))
def test_error_page_in_place_of_the_file_fails(content_type):
    kind, _ = GOOD[content_type]
    assert find(kind, content_type, b"<html><body>404 Not Found</body></html>" + b" " * 200) is not None


@pytest.mark.parametrize(
    ("content_type", "content"),
    [
        ("audio/m4a", GOOD["image/avif"][1][:16]),
        ("image/avif", GOOD["video/mp4"][1]),
        ("image/webp", GOOD["audio/wav"][1]),
        ("model/gltf+json", b'{"asset": 1}'),
        ("model/gltf+json", b'{"asset": {}}'),
        ("model/gltf+json", b"["),
        ("model/gltf+json", b"[" * 60_000),
        ("audio/mpeg", b"\xff\xf1\x50"),
        ("audio/mpeg", b"\xff"),
        ("application/x-safetensors", b"\xff" * 7 + b"\x7f{"),
        ("image/svg+xml", b"<html>"),
        ("model/obj", b""),
    ],
)
def test_near_miss_fails(content_type, content):
    assert find("asset", content_type, content) is not None


@pytest.mark.parametrize(
    ("content_type", "content"),
    [
        ("audio/mpeg", b"\xff\xf3\x90"),
        ("model/stl", b"  solid cube\n"),
        ("model/stl", STL + b"appended"),
        ("application/vnd.autodesk.fbx", b"; FBX 7.3.0 project file\n"),
        ("image/tiff", b"MM\0*"),
        ("image/avif", b"\0\0\0\x18ftypmif1\0\0\0\0avif"),
        ("application/zip", b"PK\5\6"),
    ],
)
def test_other_form_of_the_format_passes(content_type, content):
    assert find("asset", content_type, content) is None


def test_gltf_larger_than_the_head_is_known_by_its_first_character():
    assert find("3d", "model/gltf+json", b" {" + b" " * HEAD_SIZE) is None
    assert find("3d", "model/gltf+json", b" [" + b" " * HEAD_SIZE) is not None


@pytest.mark.parametrize("content_type", ["application/octet-stream", "application/x-new", "video/quicktime", ""])
def test_unknown_type_passes(content_type):
    assert find("video", content_type, b"\0\0\0\x14ftypqt  \0\0\0\0qt  ") is None
    assert find("3d", content_type, b"anything") is None


def test_kind_that_is_not_that_of_the_content_fails():
    assert find("3d", "application/x-new", GOOD["image/png"][1]) == "The content is a PNG (image), not of kind 3d"
    assert find("video", "audio/mpeg", b"ID3\4") == "The content is an MP3 (audio), not of kind video"


def test_archive_may_hold_any_kind():
    assert find("3d", "application/zip", b"PK\3\4") is None
    assert find("model", "image/png", GOOD["image/png"][1]) is None


def test_suffix_counts_when_the_type_says_nothing():
    octets = "application/octet-stream"
    assert find("model", octets, GOOD["application/x-safetensors"][1], "lora.SafeTensors") is None
    expected = "The content is not a safetensors file (application/octet-stream)"
    assert expected == find("model", octets, b"<html>....", "lora.safetensors")
    assert find("model", octets, b"anything", "lora.ckpt") is None
    assert find("model", "application/x-new", b"anything", "lora.safetensors") is None
