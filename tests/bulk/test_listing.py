"""From sources to files: folders, globs, what is left out, and why."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem
from scenario_uploads import InvalidArgumentError, UploadSource
from scenario_uploads.bulk import listing
from scenario_uploads.bulk.options import BulkOptions, UploadResult
from scenario_uploads.bulk.plan import File, plan_many


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    top = tmp_path / "refs"
    for name in ("a.png", "b.glb", ".hidden.png", "deep/c.png", "deep/er/d.png", ".git/e.png", "node_modules/f.png"):
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).write_bytes(b"x")
    (top / "link.png").symlink_to(top / "a.png")
    (top / "loop").symlink_to(top)
    return top


def tell(top: Path, *sources: Any, recursive: bool = True, include: Any = None, exclude: Any = None) -> dict[str, Any]:
    """Return what becomes of each path: None when it is to be sent, else why not."""
    found = list(list_sources(sources, recursive=recursive, include=include, exclude=exclude))
    names = [os.path.relpath(str(each.source), top).replace(os.sep, "/") for each in found]
    return {name: each.skipped or (each.error and "error") for name, each in zip(names, found, strict=True)}


def list_sources(sources: Any, **options: Any) -> Iterator[UploadResult]:
    """Check the arguments at once; return what becomes of each file."""
    return (result for result, _ in listing.list_sources(sources, BulkOptions(**options)))


def lowest_free_descriptor() -> int:
    descriptor = os.open(os.devnull, os.O_RDONLY)
    os.close(descriptor)
    return descriptor


class TestURLs:
    """Folders and patterns at URLs that fsspec can list."""

    @pytest.fixture(autouse=True)
    def _memory(self) -> Iterator[None]:
        memory = fsspec.filesystem("memory")
        for name in ("a.png", "b.glb", ".hidden.png", "deep/c.png", "deep/er/d.png", ".git/e.png"):
            memory.pipe(f"/listed/{name}", b"x")
        yield
        memory.rm("/listed", recursive=True)

    @pytest.mark.parametrize("top", ["memory://listed", "memory://listed/", "memory:///listed"])
    def test_folders_are_gone_through(self, top: str) -> None:
        found = {
            str(each.source).removeprefix(top).lstrip("/"): each.skipped for each in list_sources(top, recursive=True)
        }
        assert found == {
            "a.png": None,
            "b.glb": None,
            "deep/c.png": None,
            "deep/er/d.png": None,
            ".hidden.png": "hidden",
            ".git": "hidden",
        }

    @pytest.mark.parametrize(
        ("url", "recursive", "names"),
        [
            ("memory://listed/*.png", False, ["a.png"]),
            ("memory://listed/d*", False, []),
            ("memory://listed/d*", True, ["deep/c.png", "deep/er/d.png"]),
            ("memory://listed/**/[cd].png", False, ["deep/c.png", "deep/er/d.png"]),
            ("memory://listed/deep/?.png", False, []),
        ],
    )
    def test_patterns_are_matched(self, url: str, recursive: bool, names: list[str]) -> None:
        found = [*list_sources(url, recursive=recursive)]
        sent = sorted(
            str(each.source).removeprefix("memory://listed/") for each in found if not (each.skipped or each.error)
        )
        assert sent == (names if "?" not in url else ["deep/?.png"])
        assert names or "?" in url or "matches no file" in str(found[0].error)

    def test_are_filtered(self) -> None:
        found = list_sources("memory://listed", recursive=True, include="*.png", exclude="deep")
        told = {str(each.source).removeprefix("memory://listed/"): each.skipped for each in found}
        assert told == {
            ".git": "hidden",
            ".hidden.png": "hidden",
            "a.png": None,
            "b.glb": "excluded",
            "deep": "excluded",
        }

    def test_a_folder_that_cannot_be_read_is_an_error_of_its_own(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(*_: object, **__: object) -> None:
            raise PermissionError("no key for user:pa55@")

        monkeypatch.setattr(MemoryFileSystem, "ls", refuse)
        (found,) = list_sources("memory://user:pa55@listed/*.png")
        assert "cannot be read" in str(found.error)
        assert "pa55" not in str(found.error)

    def test_a_folder_that_is_not_there_is_told(self) -> None:
        (found,) = list_sources("memory://nowhere/*.png")
        assert "'memory://nowhere/' cannot be read: there is no such folder." in str(found.error)

    def test_one_file_stays_one_file(self) -> None:
        (found,) = list_sources("memory://listed/a.png", recursive=True)
        assert (found.source, found.skipped, found.error) == ("memory://listed/a.png", None, None)


class TestFolders:
    def test_are_gone_through_without_links_and_what_is_hidden(self, folder: Path) -> None:
        assert tell(folder, folder) == {
            "a.png": None,
            "b.glb": None,
            "deep/c.png": None,
            "deep/er/d.png": None,
            "node_modules/f.png": None,
            ".hidden.png": "hidden",
            ".git": "hidden",
            "link.png": "link",
            "loop": "link",
        }

    def test_are_left_out_as_a_whole(self, folder: Path) -> None:
        told = tell(folder, folder, exclude=["node_modules", "deep/er"])
        assert told["node_modules"] == told["deep/er"] == "excluded"
        assert "node_modules/f.png" not in told
        assert told["deep/c.png"] is None

    def test_of_which_only_some_files_are_wanted(self, folder: Path) -> None:
        told = tell(folder, folder, include="*.png", exclude="c.*")
        assert {name for name, why in told.items() if why is None} == {"a.png", "deep/er/d.png", "node_modules/f.png"}
        assert told["b.glb"] == told["deep/c.png"] == "excluded"

    def test_need_to_be_asked_for(self, folder: Path) -> None:
        with pytest.raises(InvalidArgumentError, match="recursive=True"):
            tell(folder, folder, recursive=False)

    def test_that_may_not_be_read_are_an_error_of_their_own(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        scan = os.scandir

        def refuse(path: str | Path) -> Any:
            if Path(path).name == "deep":
                raise PermissionError(errno.EACCES, "Permission denied", path)
            return scan(path)

        monkeypatch.setattr(os, "scandir", refuse)
        told = tell(folder, folder)
        assert told["deep"] == "error"
        assert told["a.png"] is None

    def test_that_are_gone_meanwhile_are_an_error_of_their_own(self, folder: Path) -> None:
        def gone() -> Iterator[Path]:
            yield folder / "a.png"
            yield folder / "deep"

        found = list_sources(gone(), recursive=True)
        assert next(found).error is None
        (folder / "deep" / "er" / "d.png").unlink()
        (folder / "deep" / "er").rmdir()
        (folder / "deep" / "c.png").unlink()
        (folder / "deep").rmdir()
        # Sent as a file, it is said to be missing.
        assert [each.error for each in found] == [None]

    def test_deeper_than_any_number_of_open_files(self, tmp_path: Path) -> None:
        deepest = tmp_path.joinpath(*(str(level) for level in range(60)))
        deepest.mkdir(parents=True)
        (deepest / "a.png").write_bytes(b"x")
        before = lowest_free_descriptor()
        found = list_sources([tmp_path], recursive=True)
        assert str(next(found).source) == str(deepest / "a.png")
        assert lowest_free_descriptor() - before < 20
        assert list(found) == []
        assert lowest_free_descriptor() == before

    @pytest.mark.skipif(os.name == "nt", reason="paths cannot be that long there")
    def test_deeper_than_python_recurses_are_an_error_of_their_own(self, tmp_path: Path) -> None:
        (tmp_path / "a.png").write_bytes(b"x")
        deep = [f"{tmp_path}{'/d' * level}" for level in range(1, sys.getrecursionlimit() + 100)]
        for path in deep:
            os.mkdir(path)  # noqa: PTH102 - a Path of so many parts is slow
        try:
            found = list(list_sources([tmp_path, tmp_path / "a.png"], recursive=True))
        finally:
            for path in reversed(deep):
                os.rmdir(path)  # noqa: PTH106 - see above
        assert sorted(Path(str(each.source)).name for each in found if not each.error) == ["a.png", "a.png"]
        assert "cannot be read: maximum recursion depth" in str(next(each.error for each in found if each.error))


class TestGlobs:
    @pytest.mark.parametrize(
        ("glob", "names"),
        [
            ("*.png", {"a.png"}),
            ("**/*.png", {"a.png", "deep/c.png", "deep/er/d.png", "node_modules/f.png"}),
            ("deep/*/*.png", {"deep/er/d.png"}),
            ("[ab].*", {"a.png", "b.glb"}),
            ("?.gl[!a]", {"b.glb"}),
            (".hid*", {".hidden.png"}),
        ],
    )
    def test_find_files(self, folder: Path, glob: str, names: set[str]) -> None:
        told = tell(folder, str(folder / glob), recursive=False)
        assert {name for name, why in told.items() if why is None} == names

    def test_that_match_folders_go_through_them_when_asked_to(self, folder: Path) -> None:
        assert tell(folder, str(folder / "d*")) == {"deep/c.png": None, "deep/er/d.png": None}
        assert set(tell(folder, str(folder / "d*"), recursive=False).values()) == {"error"}

    def test_that_match_nothing_are_an_error(self, folder: Path) -> None:
        (found,) = list_sources([str(folder / "*.fbx")], recursive=False)
        assert found.error is not None
        assert "matches no file" in found.error.message

    def test_a_name_with_brackets_is_a_name_first(self, tmp_path: Path) -> None:
        (tmp_path / "a[1].png").write_bytes(b"x")
        assert tell(tmp_path, tmp_path / "a[1].png") == {"a[1].png": None}

    @pytest.mark.parametrize(
        ("glob", "path", "matches"),
        [
            ("*.png", "deep/a.png", True),
            ("./*.png", "deep/a.png", False),
            ("deep/**", "deep/er/a.png", True),
            ("deep/**", "shallow/a.png", False),
            ("a*b*.png", "aXbY.png", True),
            ("a*.png", "a/b.png", False),
            ("[", "[", True),
            ("[]]", "]", True),
            ("[!a]", "/", False),
            ("a.png", "axpng", False),
        ],
    )
    def test_match(self, glob: str, path: str, matches: bool) -> None:
        assert listing.matches(listing.parse_glob(glob), path.split("/")) is matches


class TestSources:
    def test_named_one_by_one_may_be_hidden_or_links(self, folder: Path) -> None:
        told = tell(folder, folder / ".hidden.png", folder / "link.png", recursive=False)
        assert told == {".hidden.png": None, "link.png": None}

    def test_with_settings_of_their_own_are_kept_as_they_are(self, folder: Path) -> None:
        source = UploadSource(folder / "a.png", kind="3d")
        (found,) = list_sources([source], recursive=False, exclude="a.png")
        assert found.source is source
        assert found.skipped is None

    @pytest.mark.skipif(os.name == "nt", reason="paths of bytes are deprecated there")
    def test_may_have_paths_of_bytes(self, folder: Path) -> None:
        with os.scandir(os.fsencode(folder / "deep")) as entries:
            given = [entry for entry in entries if entry.is_file()]
        options = BulkOptions()
        sources = [*given, *map(UploadSource, given)]
        for planned in plan_many(sources, options, None):
            assert isinstance(planned, File)
            assert (planned.content, planned.options.file_name) == (str(folder / "deep" / "c.png"), "c.png")

    @pytest.mark.parametrize("sources", [b"bytes", 7, {"a": 1}])
    def test_that_are_none_are_refused(self, sources: Any) -> None:
        with pytest.raises(InvalidArgumentError, match="sources must be paths"):
            list_sources(sources, recursive=True)

    def test_of_which_one_is_none_are_refused(self) -> None:
        with pytest.raises(InvalidArgumentError, match="not bytes"):
            list(list_sources([b"bytes"], recursive=True))

    @pytest.mark.parametrize("glob", [7, [""], [7]])
    def test_wanted_by_no_glob_are_refused(self, glob: Any) -> None:
        with pytest.raises(InvalidArgumentError, match="include must be a glob"):
            list_sources([], include=glob)

    def test_may_be_endless(self, folder: Path) -> None:
        def endless() -> Iterator[Path]:
            while True:
                yield folder / "a.png"

        found = list_sources(endless(), recursive=False)
        assert [next(found).skipped for _ in range(3)] == [None] * 3
