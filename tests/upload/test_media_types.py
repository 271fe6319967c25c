"""From a file's name to its content type and kind."""

import mimetypes
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scenario_uploads.errors import InvalidArgumentError, SourceError
from scenario_uploads.models import UploadKind
from scenario_uploads.upload.media_types import _BY_SUFFIX, Media, infer_media

from tests.support import official


@pytest.mark.parametrize(
    ("name", "content_type", "kind"),
    [
        ("a.jpeg", "image/jpeg", "image"),
        ("a.jpg", "image/jpeg", "image"),
        ("a.png", "image/png", "image"),
        ("a.gif", "image/gif", "image"),
        ("a.svg", "image/svg+xml", "image"),
        ("a.webp", "image/webp", "image"),
        ("a.avif", "image/avif", "image"),
        ("a.tiff", "image/tiff", "image"),
        ("a.tif", "image/tiff", "image"),
        ("a.heic", "image/heic", "image"),
        ("a.mp3", "audio/mpeg", "audio"),
        ("a.wav", "audio/wav", "audio"),
        ("a.ogg", "audio/ogg", "audio"),
        ("a.m4a", "audio/m4a", "audio"),
        ("a.mp4", "video/mp4", "video"),
        ("a.webm", "video/webm", "video"),
        ("a.glb", "model/gltf-binary", "3d"),
        ("a.gltf", "model/gltf+json", "3d"),
        ("a.obj", "model/obj", "3d"),
        ("a.fbx", "application/vnd.autodesk.fbx", "3d"),
        ("a.stl", "model/stl", "3d"),
        ("a.ply", "model/ply", "3d"),
        ("a.vox", "model/x-3d-vox", "3d"),
        ("a.zip", "application/zip", "model"),
        ("a.safetensors", "application/safetensors", "model"),
        ("a.ckpt", "application/octet-stream", "model"),
        ("a.gguf", "application/octet-stream", "model"),
        ("a.gz", "application/gzip", "model"),
        ("a.tar.gz", "application/gzip", "model"),
        ("a.heif", "image/heic", "image"),
        ("a.bmp", "image/bmp", "image"),
        ("a.exr", "image/x-exr", "image"),
        ("a.hdr", "image/vnd.radiance", "image"),
        ("a.flac", "audio/flac", "audio"),
        ("a.mov", "video/quicktime", "video"),
        ("a.blend", "model/x-blender", "3d"),
        ("a.usdz", "model/vnd.usdz+zip", "3d"),
        ("a.spz", "model/spz", "3d"),
        ("a.splat", "model/splat", "3d"),
        ("a.ksplat", "model/ksplat", "3d"),
        ("a.dae", "model/vnd.collada+xml", "3d"),
        ("a.3mf", "model/vnd.ms-package.3dmanufacturing-3dmodel+xml", "3d"),
        ("a.ma", "model/x-maya-ascii", "3d"),
        ("a.mb", "model/x-maya-binary", "3d"),
        ("a.x3d", "model/x3d+xml", "3d"),
        ("a.mtl", "model/mtl", "3d"),
        ("a.txt", "text/plain", "text"),
        ("a.json", "application/json", "asset"),
        ("a.pdf", "application/pdf", "asset"),
        ("DRAGON.GLB", "model/gltf-binary", "3d"),
        ("my.old.dragon.v2.glb", "model/gltf-binary", "3d"),
        (".glb", "model/gltf-binary", "3d"),
        ("龙.glb", "model/gltf-binary", "3d"),
    ],
)
def test_the_table_of_what_the_service_stores(name: str, content_type: str, kind: str) -> None:
    assert infer_media(name) == Media(content_type, kind)
    assert kind in set(UploadKind)


def test_the_table_is_that_of_the_official_client() -> None:
    """Every type that the service stores tells a kind, and every type of the table is one that it stores."""
    annotation = official.types.asset_retrieve_response.Asset.model_fields["original_mime_type"].annotation
    stored = {value for literal in get_args(annotation) for value in get_args(literal)}
    assert len(stored) == 52
    for content_type in stored - {"application/octet-stream"}:
        assert infer_media("a", content_type=content_type).kind in set(UploadKind)
    assert {media.content_type for media in _BY_SUFFIX.values()} <= stored


def test_the_machine_has_no_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mimetypes, "guess_type", lambda *_args, **_more: ("video/odd", None))
    with pytest.raises(SourceError, match="content type"):
        infer_media("a.odd", kind="asset")
    assert infer_media("a.mp4") == Media("video/mp4", "video")


@pytest.mark.parametrize(
    ("name", "guess"),
    [
        ("film.mkv", "'video', that of .mp4 files"),
        ("image.jpgg", "'image', that of .jpg files"),
        ("scene.blend1", "'3d', that of .blend files"),
        ("weights.pth", "'model', that of .ckpt files"),
        ("sound.aiff", "'audio', that of .wav files"),
    ],
)
def test_the_closest_guess_is_named(name: str, guess: str) -> None:
    with pytest.raises(SourceError, match=f"give kind=, such as {guess}"):
        infer_media(name)
    closest = guess.partition(", ")[2]
    with pytest.raises(SourceError, match=f"give content_type=, such as '.*/.*', {closest}"):
        infer_media(name, kind="asset")


@pytest.mark.parametrize("name", ["dragon", "dragon.", "dragon.qqq", "glb", "a.glb.bak", "a.glb ", ""])
def test_31_a_kind_that_cannot_be_told(name: str) -> None:
    with pytest.raises(SourceError, match=r"kind of .* cannot be inferred from its name; give kind="):
        infer_media(name)


@pytest.mark.parametrize(("name", "kind"), [("dragon", "image"), ("dragon.unheardof", "asset"), ("a.svgz", "asset")])
def test_31_a_content_type_that_cannot_be_told(name: str, kind: str) -> None:
    with pytest.raises(SourceError, match="give content_type="):
        infer_media(name, kind=kind)


@pytest.mark.parametrize(
    ("name", "kind", "content_type"),
    [
        ("weights", "model", "application/octet-stream"),
        ("weights.pth", "model", "application/octet-stream"),
        ("scene.c4d", "3d", "application/octet-stream"),
        ("notes.md", "text", "text/plain"),
        ("face.png", "avatar", "image/png"),
        ("face.png", "asset", "image/png"),
        ("film.mov", "video", "video/quicktime"),
        ("dragon.zip", "3d", "application/zip"),
    ],
)
def test_a_kind_that_is_given_is_taken(name: str, kind: str, content_type: str) -> None:
    assert infer_media(name, kind=kind) == Media(content_type, kind)


@pytest.mark.parametrize(
    ("name", "content_type", "kind"),
    [
        ("dragon", "model/gltf-binary", "3d"),
        ("dragon.bin", "IMAGE/PNG", "image"),
        ("dragon.bin", "image/png; charset=binary", "image"),
        ("dragon.bin", "image/png ;x", "image"),
        ("song", "audio/mp3", "audio"),
        ("dragon.glb", "application/octet-stream", "3d"),
        ("dragon.glb", "image/png", "image"),
        ("weights.safetensors", "application/x-safetensors", "model"),
    ],
)
def test_a_content_type_that_is_given_is_taken_and_tells_the_kind(name: str, content_type: str, kind: str) -> None:
    assert infer_media(name, content_type=content_type) == Media(content_type, kind)


def test_bytes_of_any_type_tell_no_kind() -> None:
    with pytest.raises(SourceError, match="kind"):
        infer_media("dragon.bin", content_type="application/octet-stream")


def test_what_is_given_beats_the_name() -> None:
    assert infer_media("a.png", content_type="model/obj", kind="asset") == Media("model/obj", "asset")
    assert infer_media("a.png", kind=UploadKind.THREE_D) == Media("image/png", "3d")


@pytest.mark.parametrize(
    "content_type",
    ["", "png", "image/", "/png", "image png", "image/png\n", "image/png\n;x", "image/png\r\nX-Evil: 1", "ïmage/png"],
)
def test_a_content_type_that_is_no_mime_type_is_refused(content_type: str) -> None:
    with pytest.raises(InvalidArgumentError, match="MIME type such as 'image/png'"):
        infer_media("a.png", content_type=content_type)


@pytest.mark.parametrize("content_type", [b"image/png", 5, ["image/png"]])
def test_a_content_type_that_is_no_text_is_refused(content_type: str) -> None:
    with pytest.raises(InvalidArgumentError, match="MIME type"):
        infer_media("a.png", content_type=content_type)


@given(st.text())
def test_any_name_has_a_media_or_a_clear_error(name: str) -> None:
    try:
        media = infer_media(name)
    except SourceError as error:
        assert "give kind=" in str(error)  # noqa: PT017 - either is right
    else:
        assert media.kind in set(UploadKind)
