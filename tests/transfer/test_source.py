"""Reading what is uploaded: everything that can be a file, and everything that can go wrong with one."""

import array
import bz2
import codecs
import errno
import gzip
import io
import os
import pickle
import socket
import tempfile
import threading
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, BinaryIO, cast

import pytest
from attrs import astuple, evolve
from hypothesis import given
from hypothesis import strategies as st
from scenario_uploads.errors import SourceChangedError, SourceError, TransferError
from scenario_uploads.remote import Source
from scenario_uploads.system import FileState
from scenario_uploads.transfer.connection import CHUNK_SIZE
from scenario_uploads.transfer.parts import plan_parts
from scenario_uploads.transfer.source import open_source, read_chunk

CONTENT = bytes(range(256)) * 9000  # more than two chunks, and no whole number of them


def read(source: Source, offset: int, length: int) -> memoryview:
    """Read into a buffer of our own."""
    return source.read_into(offset, memoryview(bytearray(length)))


def iterate(source: Source, offset: int, length: int) -> Iterator[bytes]:
    """Read as a part is read: piece by piece through one buffer."""
    buffer, end = memoryview(bytearray(CHUNK_SIZE)), offset + length
    while offset < end:
        chunk = bytes(read_chunk(source, offset, buffer[: min(CHUNK_SIZE, end - offset)]))
        yield chunk
        offset += len(chunk)


def read_all(source: Source) -> bytes:
    return b"".join(bytes(chunk) for chunk in iterate(source, 0, source.size))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file with known content."""
    path = tmp_path / "dragon.glb"
    path.write_bytes(CONTENT)
    return path


def make_file(content: bytes) -> str:
    """Return the path of a new file; Windows opens a NamedTemporaryFile only once."""
    descriptor, name = tempfile.mkstemp("dragon.glb")
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    return name


def open_named(content: bytes) -> BinaryIO:
    file = tempfile.NamedTemporaryFile(suffix="dragon.glb")
    file.write(content)
    file.seek(0)
    return cast("BinaryIO", file)


def open_spooled(content: bytes, limit: int = 0) -> BinaryIO:
    file = tempfile.SpooledTemporaryFile(limit)
    file.write(content)
    file.seek(0)
    return cast("BinaryIO", file)


def open_plain(content: bytes, mode: str = "rb", buffering: int = -1) -> BinaryIO:
    return cast("BinaryIO", open(make_file(content), mode, buffering))  # noqa: PTH123


def open_unflushed(content: bytes) -> BinaryIO:
    """A file of which a part is still in Python's buffer."""
    file = open_plain(b"", "r+b", 16 * 1024 * 1024)
    file.write(content)
    file.seek(0)
    return file


def open_gzip(content: bytes) -> BinaryIO:
    return cast("BinaryIO", gzip.open(io.BytesIO(gzip.compress(content, 1))))


def open_gzip_of_file(content: bytes) -> BinaryIO:
    """It has a descriptor, but of the packed bytes."""
    return cast("BinaryIO", gzip.open(make_file(gzip.compress(content, 1))))


def open_zip(content: bytes) -> BinaryIO:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("dragon.glb", content)
    return cast("BinaryIO", zipfile.ZipFile(packed).open("dragon.glb"))


class Minimal:
    """The least that is a seekable file: no name, no `closed`, a `seek` that returns nothing, reads that are short."""

    def __init__(self, content: bytes) -> None:
        self._file = io.BytesIO(content)

    def read(self, size: int = -1) -> bytes:
        return self._file.read(min(size, 10_000))

    def seek(self, offset: int, whence: int = 0) -> None:
        self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()


# ruff: noqa: SIM115 - files that are opened to be handed over

OPENERS: list[Callable[[bytes], Any]] = [
    open_plain,
    lambda content: open_plain(content, "r+b"),
    lambda content: open_plain(content, "rb", 0),
    open_unflushed,
    open_named,
    open_spooled,
    lambda content: open_spooled(content, 1),
    open_gzip,
    open_gzip_of_file,
    lambda content: bz2.open(io.BytesIO(bz2.compress(content, 1))),
    open_zip,
    io.BytesIO,
    lambda content: io.BufferedReader(io.BytesIO(content)),  # type: ignore[arg-type]
    Minimal,
]
OPENER_NAMES = [
    *("plain", "updated", "unbuffered", "unflushed", "named", "spooled", "rolled over"),
    *("gzip", "gzip of a file", "bz2", "zip", "BytesIO", "BufferedReader", "minimal"),
]


@pytest.fixture(params=OPENERS, ids=OPENER_NAMES)
def opener(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[bytes], Any]]:
    """A way to have a file object with some content, closed after the test."""
    files: list[Any] = []
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    def open_one(content: bytes) -> Any:
        files.append(request.param(content))
        return files[-1]

    yield open_one
    for file in files:
        if hasattr(file, "close"):
            file.close()


def test_a_file_object_gives_its_content_and_stays_as_it_was(opener: Callable[[bytes], Any]) -> None:
    """Of what unpacks on the fly, the content is the unpacked one."""
    file = opener(CONTENT)
    source = open_source(file)
    assert source.size == len(CONTENT)
    assert read_all(source) == CONTENT
    source.check_unchanged()
    source.close()
    assert file.tell() == 0
    assert not getattr(file, "closed", False)


def test_a_file_object_is_sent_from_its_current_position(opener: Callable[[bytes], Any]) -> None:
    file = opener(CONTENT)
    assert len(file.read(1000)) == 1000
    source = open_source(file)
    assert source.size == len(CONTENT) - 1000
    assert read_all(source) == CONTENT[1000:]
    assert bytes(read(source, 5, 10)) == CONTENT[1005:1015]
    source.close()
    assert file.tell() == 1000
    assert file.read(10) == CONTENT[1000:1010]


def test_a_file_object_at_its_end_or_beyond_has_nothing_to_send(opener: Callable[[bytes], Any]) -> None:
    file = opener(b"some")
    file.seek(4)
    source = open_source(file)
    assert source.size == 0
    with pytest.raises(SourceError, match="empty"):
        plan_parts(source.size)


def test_many_threads_read_one_file_object(opener: Callable[[bytes], Any]) -> None:
    """Each gets the bytes of its own part."""
    content = CONTENT[:300_000]
    source = open_source(opener(content))
    offsets = range(0, len(content), 7_000)

    def read(offset: int) -> bytes:
        return b"".join(bytes(c) for c in iterate(source, offset, min(7_000, len(content) - offset)))

    with ThreadPoolExecutor(8) as pool:
        assert b"".join(pool.map(read, offsets)) == content
    source.close()


def find_entry(path: Path) -> os.PathLike[str]:
    with os.scandir(path.parent) as entries:
        return next(entries)


@pytest.mark.parametrize("convert", [str, Path, find_entry])
def test_a_path_gives_the_file(path: Path, convert: Callable[[Path], Any]) -> None:
    """As a text, a Path, or anything else that `open` takes."""
    source = open_source(convert(path))
    assert source.size == len(CONTENT)
    assert source.name == "dragon.glb"
    assert read_all(source) == CONTENT
    source.check_unchanged()
    source.close()
    source.close()


def test_a_path_may_be_a_link_and_have_any_name(tmp_path: Path) -> None:
    real = tmp_path / ("龙 ' .glb" if os.name == "nt" else "龙 ' \n.glb")
    real.write_bytes(b"content")
    link = tmp_path / "link.glb"
    link.symlink_to(real)
    for given_path, name in ((real, real.name), (link, "link.glb")):
        source = open_source(given_path)
        assert (source.name, read_all(source)) == (name, b"content")
        source.close()


@pytest.mark.parametrize(
    "data",
    [
        CONTENT,
        bytearray(CONTENT),
        memoryview(CONTENT),
        memoryview(bytearray(CONTENT)).toreadonly(),
        memoryview(CONTENT).cast("B", (256, 9000)),
        memoryview(array.array("I", CONTENT)),
        memoryview(b"xx" + CONTENT)[2:],
    ],
    ids=["bytes", "bytearray", "memoryview", "read-only", "two dimensions", "of integers", "slice"],
)
def test_bytes_are_sent_as_they_are(data: Any) -> None:
    source = open_source(data)
    assert (source.size, source.name) == (len(CONTENT), None)
    assert read_all(source) == CONTENT
    source.check_unchanged()
    source.close()
    source.close()


@pytest.mark.parametrize("data", [b"", bytearray(), memoryview(b""), memoryview(array.array("I"))])
def test_31_no_bytes_are_nothing_to_send(data: Any) -> None:
    source = open_source(data)
    assert source.size == 0
    assert read_all(source) == b""
    with pytest.raises(SourceError, match="empty"):
        plan_parts(source.size)


def test_bytes_are_not_copied() -> None:
    data = bytearray(CONTENT)
    source = open_source(data)
    data[0] = 200
    assert bytes(read(source, 0, 1)) == b"\xc8"
    assert isinstance(read(source, 0, 100), memoryview)


def test_a_bytearray_is_free_again_once_the_upload_has_ended() -> None:
    """Even while a traceback, or a slow worker, still holds what was read."""
    data = bytearray(CONTENT)
    source = open_source(data)
    held = read(source, 0, 100)
    source.close()
    held.release()  # type: ignore[union-attr]
    data.extend(b"more")
    with pytest.raises(TransferError, match="cannot be read"):
        read_all(source)


def test_26_a_file_object_whose_error_fails_to_say_what_it_is() -> None:
    class UnspeakableError(Exception):
        def __str__(self) -> str:
            raise ZeroDivisionError

    class Broken(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if size:
                raise UnspeakableError
            return b""

    with pytest.raises(TransferError, match="The file cannot be read: UnspeakableError"):
        read_all(open_source(Broken(CONTENT)))


def released() -> memoryview:
    view = memoryview(b"some")
    view.release()
    return view


@pytest.mark.parametrize("view", [memoryview(b"abcdef")[::2], released()], ids=["step", "gone"])
def test_31_a_memoryview_that_is_no_row_of_bytes(view: memoryview) -> None:
    with pytest.raises(SourceError, match="pass bytes"):
        open_source(view)


@given(st.binary(max_size=5000), st.integers(0, 5000), st.integers(0, 5000), st.sampled_from([bytes, io.BytesIO]))
def test_any_range_gives_those_bytes_or_says_that_the_source_ended(
    content: bytes, offset: int, length: int, kind: Callable[[bytes], Any]
) -> None:
    source = open_source(kind(content))
    chunks: list[bytes] = []
    try:
        for chunk in iterate(source, offset, length):
            chunks.append(bytes(chunk))  # noqa: PERF401 - what came before the error counts
    except SourceChangedError:
        assert offset + length > len(content)
    else:
        assert length == 0 or offset + length <= len(content)
    assert b"".join(chunks) == content[offset : offset + length]


def test_chunks_have_at_most_a_mebibyte(path: Path) -> None:
    source = open_source(path)
    sizes = [len(chunk) for chunk in iterate(source, 0, source.size)]
    assert sizes == [CHUNK_SIZE, CHUNK_SIZE, len(CONTENT) - 2 * CHUNK_SIZE]
    assert CHUNK_SIZE == 1024 * 1024
    source.close()


@pytest.mark.posix
def test_a_path_is_read_without_a_shared_position(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads do not wait for each other, and nobody's position moves."""
    source = open_source(path)
    both = threading.Barrier(2)
    real = os.preadv

    def preadv(*arguments: Any) -> int:
        both.wait()
        return real(*arguments)

    monkeypatch.setattr(os, "preadv", preadv)
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda offset: read(source, offset, 10), [0, 1000])
    assert (first, second) == (CONTENT[:10], CONTENT[1000:1010])
    source.close()


# Bad input, row 31: a clear error before any request.


def make_fifo(folder: Path) -> Path:
    os.mkfifo(folder / "pipe")
    return folder / "pipe"


def make_socket(folder: Path) -> Path:
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(str(folder / "socket"))
    return folder / "socket"


def make_loop(folder: Path) -> Path:
    (folder / "loop").symlink_to(folder / "loop")
    return folder / "loop"


def make_dangling(folder: Path) -> Path:
    (folder / "dangling").symlink_to(folder / "nothing")
    return folder / "dangling"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda folder: folder / "nothing.glb", "there is no such file"),
        (lambda folder: folder, "is a folder"),
        (lambda folder: str(folder) + "/", "is a folder"),
        (lambda folder: "", "there is no such file"),
        pytest.param(make_fifo, "is not a regular file", marks=pytest.mark.posix),
        pytest.param(make_socket, "is not a regular file", marks=pytest.mark.posix),
        (make_loop, "cannot be uploaded"),
        (make_dangling, "there is no such file"),
        (lambda folder: os.devnull, "is not a regular file"),
        pytest.param(lambda folder: "/dev/zero", "is not a regular file", marks=pytest.mark.posix),
        (lambda folder: folder / ("x" * 300), "cannot be uploaded"),
        (lambda folder: "a\0b", "cannot be uploaded: (stat: embedded null character in path|embedded null byte)"),
        (lambda folder: "\ud800", "cannot be uploaded"),
    ],
)
def test_31_paths_that_cannot_be_sent(tmp_path: Path, make: Callable[[Path], Any], message: str) -> None:
    """None of them hangs, and none leaves a descriptor open."""
    path = make(tmp_path)
    before = len(os.listdir("/dev/fd")) if os.path.isdir("/dev/fd") else 0  # noqa: PTH112, PTH208
    with pytest.raises(SourceError, match=message):
        open_source(path)
    after = len(os.listdir("/dev/fd")) if before else 0  # noqa: PTH208
    assert after == before


def test_a_path_of_bytes_is_not_taken_for_content(path: Path) -> None:
    class BytesPath:
        def __fspath__(self) -> bytes:
            return os.fsencode(path)

    source = open_source(cast("Any", BytesPath()))
    assert (source.path, read_all(source)) == (str(path), CONTENT)
    source.close()


@pytest.mark.parametrize(
    ("code", "message"),
    [(errno.EACCES, "Permission denied"), (errno.EPERM, "not permitted"), (errno.EMFILE, "Too many open files")],
)
def test_31_an_unreadable_file(path: Path, monkeypatch: pytest.MonkeyPatch, code: int, message: str) -> None:
    """The superuser, as whom tests may run, reads everything, so the system is made to refuse."""

    def refuse(*arguments: object) -> int:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(SourceError, match=message) as caught:
        open_source(path)
    assert isinstance(caught.value.__cause__, OSError)


def test_a_url_that_is_taken_for_a_path_is_shown_without_its_query() -> None:
    # No file of Windows can have such a name.
    message = "cannot be uploaded" if os.name == "nt" else "there is no such file"
    with pytest.raises(SourceError, match=message) as caught:
        open_source("./https://bucket.s3.amazonaws.com/dragon.glb?X-Amz-Signature=f00d")
    assert "f00d" not in str(caught.value)


@pytest.mark.parametrize(
    "thing",
    [None, 5, 5.0, ["a"], {"a": 1}, object(), array.array("B"), iter([b"a"]), (b"a" for _ in range(1)), open],
)
def test_31_things_that_are_no_file(thing: Any) -> None:
    with pytest.raises(SourceError, match="must be a path, a URL, bytes or a binary file object"):
        open_source(thing)


@pytest.mark.parametrize(
    "make",
    [
        lambda path: path.open(),
        lambda path: io.StringIO("text"),
        lambda path: codecs.open(str(path), encoding="latin-1"),
        lambda path: tempfile.NamedTemporaryFile("w+"),
    ],
    ids=["open", "StringIO", "codecs", "tempfile"],
)
def test_31_text_mode(path: Path, make: Callable[[Path], Any]) -> None:
    with make(path) as file, pytest.raises(SourceError, match="'rb'"):
        open_source(file)


@pytest.mark.parametrize("buffering", [-1, 0])
@pytest.mark.parametrize("mode", ["wb", "ab", "xb"])
def test_31_a_file_object_that_is_only_written(path: Path, mode: str, buffering: int) -> None:
    target = path.with_name("new.glb") if mode == "xb" else path
    with open(target, mode, buffering) as file, pytest.raises(SourceError, match="'rb'"):  # noqa: PTH123
        open_source(cast("Any", file))


@pytest.mark.parametrize("opener", OPENERS[:-1], ids=OPENER_NAMES[:-1], indirect=True)
def test_31_a_closed_file_object(opener: Callable[[bytes], Any]) -> None:
    file = opener(b"some")
    file.close()
    with pytest.raises(SourceError, match=r"closed|cannot be uploaded"):
        open_source(file)


def test_31_a_stream_has_to_be_of_known_length() -> None:
    one, other = socket.socketpair()
    with one, other, one.makefile("rb") as file, pytest.raises(SourceError, match="give size="):
        open_source(file)


@pytest.mark.parametrize(
    "make",
    [
        lambda: gzip.open(io.BytesIO(b"this is no gzip")),
        lambda: gzip.open(io.BytesIO(gzip.compress(CONTENT)[:-50])),
        lambda: gzip.open(io.BytesIO(gzip.compress(CONTENT)[:20] + b"\xff" * 500)),
        lambda: bz2.open(io.BytesIO(bz2.compress(CONTENT)[:-50])),
        lambda: gzip.open(io.BytesIO(), "wb"),
    ],
    ids=["no gzip", "cut gzip", "broken gzip", "cut bz2", "written gzip"],
)
def test_31_a_packed_file_that_is_broken(make: Callable[[], Any]) -> None:
    """The errors of unpacking are of many kinds, and all become one of ours."""
    with make() as file, pytest.raises(SourceError, match=r"cannot be uploaded: .*'rb'"):
        open_source(file)


def test_31_a_file_object_without_tell() -> None:
    class Half:
        read = seek = staticmethod(lambda *arguments: b"")

    with pytest.raises(SourceError, match=r"cannot be uploaded: .*'rb'"):
        open_source(cast("Any", Half()))


def test_a_file_object_that_returns_more_than_it_is_asked_for() -> None:
    """What is too much would be taken for the head of the next part."""

    class Generous(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            return super().read(size + 4 if size else size)

    source = open_source(Generous(CONTENT))
    assert read_all(source) == CONTENT
    source.close()


@pytest.mark.parametrize("device", [os.devnull, pytest.param("/dev/zero", marks=pytest.mark.posix)])
def test_a_device_has_no_content(device: str) -> None:
    with Path(device).open("rb") as file:
        assert open_source(file).size == 0


# What happens while it is being read, rows 25 and 26.


def test_25_a_file_that_is_at_rest_passes(path: Path) -> None:
    source = open_source(path)
    read_all(source)
    source.check_unchanged()
    source.close()


def grow(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"x")


def cut(path: Path) -> None:
    os.truncate(path, 1000)


def rewrite(path: Path) -> None:
    """Other content of the same length."""
    status = path.stat()
    path.write_bytes(CONTENT[::-1])
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 100))  # Windows counts in this unit


@pytest.mark.parametrize("change", [grow, cut, rewrite])
@pytest.mark.parametrize("as_object", [False, True])
def test_25_a_file_that_changes_meanwhile(path: Path, change: Callable[[Path], None], as_object: bool) -> None:
    with path.open("rb") as file:
        source = open_source(file if as_object else path)
        read(source, 0, 10)
        change(path)
        with pytest.raises(SourceChangedError, match="changed while it was being sent"):
            source.check_unchanged()
        source.close()


def test_25_a_file_that_is_cut_while_it_is_read(path: Path) -> None:
    source = open_source(path)
    chunks = iterate(source, 0, source.size)
    next(chunks)
    cut(path)
    with pytest.raises(SourceChangedError, match="ends at byte 1,048,576 and had 2,304,000"):
        next(chunks)
    source.close()


@pytest.mark.parametrize("content", [CONTENT + b"x", b"short"])
def test_25_a_file_object_that_grows_or_shrinks(content: bytes) -> None:
    file = io.BytesIO(CONTENT)
    source = open_source(file)
    file.seek(0)
    file.truncate()
    file.write(content)
    with pytest.raises(SourceChangedError, match="changed while it was being sent"):
        source.check_unchanged()


@pytest.mark.posix
def test_a_file_that_is_removed_or_replaced_meanwhile_is_sent_as_it_was(path: Path) -> None:
    source = open_source(path)
    path.unlink()
    path.write_bytes(b"another")
    assert read_all(source) == CONTENT
    source.check_unchanged()
    source.close()


@pytest.mark.posix
@pytest.mark.parametrize(
    ("change", "moves"), [(lambda path: path.chmod(0o640), True), (lambda path: path.read_bytes(), False)]
)
def test_36_the_change_time_tells_what_size_and_time_do_not(
    path: Path, change: Callable[[Path], None], moves: bool
) -> None:
    source = open_source(path)
    assert source.state is not None
    state = FileState(*astuple(source.state))
    assert state.proves(source.state)
    change(path)
    again = open_source(path)
    assert again.state is not None
    assert state.proves(again.state) != moves
    assert (source.check_unchanged() != state.ctime_ns) == moves
    for one in (source, again):
        one.close()


@pytest.mark.parametrize("absent", ["inode", "ctime_ns"])
def test_36_where_there_is_no_inode_or_change_time_nothing_is_proven(absent: str) -> None:
    state = FileState(1, 2, 3, 4, 5)
    assert state.proves(state)
    assert not evolve(state, **{absent: 0}).proves(evolve(state, **{absent: 0}))


@pytest.mark.parametrize("file", [CONTENT, io.BytesIO(CONTENT)], ids=["bytes", "BytesIO"])
def test_36_of_what_is_no_file_nothing_tells(file: Any) -> None:
    source = open_source(file)
    assert source.state is None
    assert source.check_unchanged() == 0


def test_26_a_disk_that_has_gone_at_the_end(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Looking at the file is one of our errors, closing it none: nothing was written."""
    source = open_source(path)

    def fail(_descriptor: int) -> Any:
        raise OSError(errno.ESTALE, "Stale file handle")

    close = os.close

    def close_and_fail(descriptor: int) -> None:
        close(descriptor)
        fail(descriptor)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fstat", fail)
        with pytest.raises(TransferError, match="Stale file handle"):
            source.check_unchanged()
    with monkeypatch.context() as patch:
        patch.setattr(os, "close", close_and_fail)
        source.close()


class Watched(io.RawIOBase):
    """A file object, such as a remote one, that notes where it is read and sought."""

    def __init__(self, content: bytes) -> None:
        self._file = io.BytesIO(content)
        self.reads: list[int] = []
        self.seeks = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._file.tell()

    def seek(self, offset: int, whence: int = 0, /) -> int:
        self.seeks += 1
        return self._file.seek(offset, whence)

    def read(self, size: int = -1, /) -> bytes:
        self.reads.append(self._file.tell())
        return self._file.read(size)


def test_a_file_object_that_is_read_in_order_is_not_sought() -> None:
    file = Watched(CONTENT)
    source = open_source(cast("BinaryIO", file))
    before = file.seeks
    assert read_all(source) == CONTENT
    assert file.seeks == before
    # A callback of the caller's may have moved it.
    file.seek(5)
    assert bytes(source.read_into(100, memoryview(bytearray(10)))) == CONTENT[100:110]


def test_what_unpacks_or_is_remote_is_read_in_order(path: Path) -> None:
    with path.open("rb") as file, gzip.open(io.BytesIO(gzip.compress(CONTENT, 1))) as packed:
        sources = [open_source(one) for one in (CONTENT, path, file, io.BytesIO(CONTENT))]
        assert [source.sequential for source in sources] == [False] * 4
        assert open_source(cast("BinaryIO", packed)).sequential
        assert open_source(cast("BinaryIO", Watched(CONTENT))).sequential
        for source in sources:
            source.close()


def test_a_caller_who_closes_the_file_meanwhile_does_no_harm(path: Path) -> None:
    """Above all, the descriptor's number going to another file corrupts nothing."""
    file = path.open("rb")
    source = open_source(file)
    number = file.fileno()
    file.close()
    other = os.open(os.devnull, os.O_RDONLY)
    os.dup2(other, number)
    try:
        assert read_all(source) == CONTENT
        source.check_unchanged()
        source.close()
    finally:
        os.close(other)
        if other != number:
            os.close(number)


def test_26_a_file_object_that_is_closed_meanwhile() -> None:
    file = io.BytesIO(CONTENT)
    source = open_source(file)
    file.close()
    with pytest.raises(TransferError, match=r"cannot be read: I/O operation on closed file\."):
        read_all(source)
    with pytest.raises(TransferError, match="closed file"):
        source.check_unchanged()
    source.close()


@pytest.mark.parametrize(
    "error",
    [OSError(errno.EIO, "Input/output error"), EOFError("cut"), ValueError("odd"), RuntimeError()],
    ids=lambda error: type(error).__name__,
)
def test_26_a_disk_that_fails(path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    """It is one of our errors, says why, and comes from the first."""
    source = open_source(path)
    chunks = iterate(source, 0, source.size)
    next(chunks)

    def fail(*arguments: object) -> bytes:
        raise error

    monkeypatch.setattr("scenario_uploads.transfer.source.read_at", fail)
    with pytest.raises(TransferError, match=r"The file cannot be read: [\w/ ]+\.$") as caught:
        next(chunks)
    assert type(caught.value) is TransferError
    assert caught.value.__cause__ is error
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)
    source.close()


def test_a_closed_source_never_reads_another_file(path: Path, tmp_path: Path) -> None:
    """A worker that outlives the upload finds the descriptor gone, whoever has its number now."""
    source = open_source(path)
    source.close()
    other = tmp_path / "secret"
    other.write_bytes(b"secret" * 1000)
    with other.open("rb"), pytest.raises(TransferError, match="file descriptor"):
        read_all(source)


@pytest.mark.parametrize(
    ("given", "remedy"),
    [
        (
            "https://example.com/cat.png?X-Amz-Signature=secret",
            r"let the service fetch it: import_url\(url, kind=",
        ),
        ("file:///data/cat.png", "/data/cat.png' cannot be uploaded: there is no such file"),
        ("~/cat.png", r"give Path\(\.\.\.\)\.expanduser\(\)"),
        (Path("~somebody/cat.png"), "expanduser"),
    ],
)
def test_31_what_is_no_path_gets_a_helping_word(given: Any, remedy: str) -> None:
    with pytest.raises(SourceError, match=remedy) as caught:
        open_source(given)
    assert "secret" not in str(caught.value)


@pytest.mark.filterwarnings("error")
def test_31_an_asynchronous_file_object_is_refused_without_calling_it() -> None:
    """Those of aiofiles, anyio, trio, and the uploads of web frameworks."""

    class Asynchronous:
        async def read(self, size: int = -1) -> bytes:
            raise AssertionError

        async def seek(self, offset: int) -> int:
            raise AssertionError

    with pytest.raises(SourceError, match="The file object is asynchronous; give its path"):
        open_source(Asynchronous())  # type: ignore[arg-type]
