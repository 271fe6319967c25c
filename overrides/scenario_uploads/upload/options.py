"""The arguments of uploads, checked. `make generate` makes each field with a text an argument of the methods."""

from __future__ import annotations

import inspect
import os
import unicodedata
from collections.abc import Callable, Mapping

from attrs import field, frozen

from scenario_uploads.arguments import CallOptions, Omit, check_argument, check_count, check_path, check_seconds
from scenario_uploads.models import UploadAssetOptions, UploadKind
from scenario_uploads.pace import Turns
from scenario_uploads.progress import UploadProgress
from scenario_uploads.retry import DEFAULT_PATIENCE
from scenario_uploads.transfer.parts import UploadPlan

from .control import Control


@frozen(kw_only=True)
class WaitOptions:
    timeout: float = 300
    """Seconds to wait for the import, 0 to ask once. The transfer itself may take as long as bytes move."""
    project_id: str | Omit | None = None
    """The project that owns the upload, to assert or to set the owner. Default: the client's; `omit` for none."""
    # The options of each of its calls to the API, with the project.
    call: CallOptions = field(factory=CallOptions)


@frozen(kw_only=True)
class ImportOptions(WaitOptions):
    """The arguments of every upload, also of one that the service fetches itself."""

    wait: bool = True
    """Wait for the import; False returns once the service has the file, or has accepted to fetch it."""


@frozen(kw_only=True)
class TransferOptions(ImportOptions):
    """The arguments of `upload_file` and `upload_many`."""

    kind: UploadKind | str | None = None
    """One of the contract's kinds, such as `"3d"`. Default: inferred from the file name."""
    asset_options: UploadAssetOptions | Mapping[str, object] | None = None
    """What to do with the asset: `collection_ids`, `hide`, `parent_id`. Not for `kind="model"`."""
    part_size: int | None = None
    """Bytes in a part, 5 MiB to 5 GiB. Default: the smallest of 8, 16, 32 … MiB that needs at most 10,000 parts."""
    concurrency: int = 8
    """Parts sent at once, over all files, 1 to 64."""
    max_bandwidth: float | None = None
    """Bytes a second over all parts, from 1. Default: no limit."""
    patience: float = DEFAULT_PATIENCE
    """Seconds without progress, from 0, before giving up on a service or storage that cannot be reached: refused,
    unreachable, unresolved, reset while connecting."""


@frozen(kw_only=True)
class FileOptions(TransferOptions):
    """The arguments of `upload_file` except the file: every field with a text."""

    content_type: str | None = None
    """The MIME type. Default: inferred from the file name."""
    file_name: str | None = None
    """The name to upload under. Default: that of the path or of the file object."""
    size: int | None = None
    """Bytes of a stream that cannot seek. Default: its `len()` or `Content-Length`."""
    progress: bool = False
    """Show a bar on stderr, on a terminal or in a notebook; lines elsewhere and without rich."""
    on_progress: Callable[[UploadProgress], object] | None = None
    """Called with an `UploadProgress`, never from two threads at once. An exception in it stops the upload and is
    raised by this call."""
    integrity: bool = True
    """Compare the MD5 of each part, computed while it is sent, with the ETag of storage. Without it, a file that was
    copied or touched is sent again as a whole when it is resumed."""
    resume: bool | str | os.PathLike[str] | None = None
    """Keep a ledger, so that the same call after a crash sends only the missing parts. The default does so for a path
    of several parts, in the user's state folder, where possible. True warns when it is not possible, and fails when
    the same upload is in progress elsewhere or `file` is not a path. A path keeps ledgers in that folder instead.
    False keeps none."""
    restart_on_expiry: bool = True
    """Start once more with a new upload when the presigned URLs expire, or the service or storage no longer has the
    upload."""
    deadline: float | None = None
    """Seconds for the whole call, including the import. Default: no limit."""
    # Called before the upload is completed, with its id, the MD5s of the parts, and how the file was split.
    on_sent: Callable[[str, Mapping[int, str | None], UploadPlan], object] | None = None
    # The turns to send a part, when shared with other files.
    turns: Turns | None = None
    # Pauses a background upload.
    control: Control | None = None

    def __attrs_post_init__(self) -> None:
        told, rate, resume = self.on_progress, self.max_bandwidth, self.resume
        check_count("concurrency", self.concurrency)
        plain = told is None or (callable(told) and not inspect.iscoroutinefunction(told))
        check_argument("on_progress", told, plain, "a plain function")
        check_seconds("timeout", self.timeout, zero=True)
        check_seconds("patience", self.patience, zero=True)
        if self.deadline is not None:
            check_seconds("deadline", self.deadline)
        if not isinstance(resume, bool | None):
            check_path("resume", resume, "True, False or the path of a folder")
        limit = rate is None or (isinstance(rate, int | float) and not isinstance(rate, bool) and rate >= 1)
        check_argument("max_bandwidth", rate, limit, "a number of bytes a second from 1")


# Control characters, surrogates and Unicode line ends. Unusual spaces are allowed: macOS uses one in the names of
# screenshots.
_NOT_IN_NAMES = frozenset({"Cc", "Cs", "Zl", "Zp"})


def check_file_name(name: str | None) -> str:
    """Return the name to upload under; it must not be empty or have control characters."""
    usable = isinstance(name, str) and name.strip() and _NOT_IN_NAMES.isdisjoint(map(unicodedata.category, name))
    check_argument("file_name", name, usable, "a name without control characters, such as 'dragon.glb'")
    return name  # type: ignore[return-value]
