"""The arguments and results of `upload_many`."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from enum import EnumType
from typing import TYPE_CHECKING, Any

from attrs import evolve, field, fields, frozen

from scenario_uploads import models
from scenario_uploads.arguments import FileInput, check_argument, check_count, check_path
from scenario_uploads.errors import ScenarioError
from scenario_uploads.models import Upload
from scenario_uploads.progress import BulkProgress
from scenario_uploads.remote import show_url
from scenario_uploads.upload.options import FileOptions, TransferOptions
from scenario_uploads.upload.prepare import check_all_options


class _MembersToo(type):
    """Tells type checkers that the enum's members exist."""

    if TYPE_CHECKING:

        def __getattr__(cls, name: str) -> models.UploadSource: ...


@frozen
class UploadSource(metaclass=_MembersToo):
    """A file for `upload_many` with settings of its own.

    The contract's enum for `upload.source` has the same name, and is the same object; type checkers find it as
    `scenario_uploads.models.UploadSource`.

    Attributes:
        file: A path, a URL that fsspec reads, bytes, or a seekable binary file object.
        kind: One of the contract's kinds. Default: that of the call, else inferred from the name.
        file_name: The name to upload under. Default: that of the path or of the file object.
        content_type: The MIME type. Default: inferred from the name.
        asset_options: What to do with the asset. Default: those of the call.
    """

    file: FileInput = field(
        repr=lambda file: repr(file) if isinstance(file, str | os.PathLike) else type(file).__name__
    )
    kind: str | None = field(default=None, kw_only=True)
    file_name: str | None = field(default=None, kw_only=True)
    content_type: str | None = field(default=None, kw_only=True)
    asset_options: Any = field(default=None, kw_only=True)

    def __str__(self) -> str:
        return str(self.file_name or (self.file if isinstance(self.file, str | os.PathLike) else repr(self)))


def name_source(source: object) -> str:
    """Return what to call a source in messages: its path or URL, or its name."""
    file = source.file if isinstance(source, UploadSource) else source
    return show_url(str.__str__(os.fsdecode(file))) if isinstance(file, str | os.PathLike) else str(source)


class _FilesToo(EnumType):
    """Lets the contract's enum make an `UploadSource` from anything but a string; a member works as a path too."""

    def __call__(cls, *args: Any, **settings: Any) -> Any:
        if settings or len(args) != 1 or not isinstance(args[0], str):
            return UploadSource(*args, **settings)
        return super().__call__(args[0])

    def __instancecheck__(cls, instance: object) -> bool:
        return super().__instancecheck__(instance) or isinstance(instance, UploadSource)


models.UploadSource.__class__ = _FilesToo  # type: ignore[assignment, method-assign]
models.UploadSource.file = property(str)  # type: ignore[attr-defined]
for _name in ("kind", "file_name", "content_type", "asset_options"):
    setattr(models.UploadSource, _name, None)


@frozen
class UploadResult:
    """The result of one file of `upload_many`.

    Attributes:
        source: The source as it was given, or the path of a file that was found in a folder or by a glob.
        upload: The upload, imported unless `wait=False`; None when it was skipped or failed.
        error: Why it failed, or None.
        skipped: Why it was not sent: `"done"` in an earlier run, `"excluded"`, `"hidden"`, or a `"link"`; else None.
        entity_id: The asset or model that the file became, in this or an earlier run.
    """

    __module__ = "scenario_uploads"

    source: FileInput | UploadSource
    upload: Upload | None = None
    error: ScenarioError | None = None
    skipped: str | None = None
    entity_id: str | None = None


Sources = Iterable[Any] | str | os.PathLike[str] | UploadSource
"""Paths of files and folders, globs, and `UploadSource`s; or a single one of these."""


@frozen(kw_only=True)
class BulkOptions(TransferOptions):
    """The arguments of `upload_many` except the sources: every field with a text."""

    recursive: bool = False
    """Include folders and their subfolders. Hidden files and links in them are skipped."""
    include: str | Iterable[str] | None = None
    """One or more globs of the files to upload. Without a slash, a glob matches names, else paths below the folder."""
    exclude: str | Iterable[str] | None = None
    """One or more globs of files and folders to skip."""
    ledger: str | os.PathLike[str] | bool | None = None
    """The path of the ledger; False for none. Default: one in the user's state folder."""
    files_at_once: int = 8
    """How many files are sent at once, 1 to 64. More may wait for their import meanwhile."""
    force: bool = False
    """Send files again that an earlier call has sent."""
    fail_fast: bool = False
    """Stop after the first result with an error."""
    progress: bool = False
    """Show bars on stderr, on a terminal or in a notebook; lines elsewhere and without rich."""
    on_progress: Callable[[BulkProgress], object] | None = None
    """Called with a `BulkProgress`, never from two threads at once. An exception in it stops the call and is raised by
    it."""
    executor: Executor | None = None
    """Workers that send the parts, in other processes or on other machines: a `ProcessPoolExecutor`, or
    `distributed.Client(...).get_executor()` of Dask. They must see the files at the same paths. `concurrency` then
    applies to each process. This process completes the uploads."""

    @property
    def file(self) -> FileOptions:
        return FileOptions(**{each.name: getattr(self, each.name) for each in fields(TransferOptions)})

    def __attrs_post_init__(self) -> None:
        check_all_options(evolve(self.file, on_progress=self.on_progress))  # type: ignore[arg-type]
        check_count("files_at_once", self.files_at_once)
        check_argument("executor", self.executor, isinstance(self.executor, Executor | None), "a futures.Executor")
        if not isinstance(self.ledger, bool | None):
            check_path("ledger", self.ledger, "a path, or False for none")
