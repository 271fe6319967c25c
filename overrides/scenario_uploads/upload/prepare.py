"""Before the first request: the file, how it is split, the body of the create, the ledger, the display."""

from __future__ import annotations

import logging
import os
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

from attrs import define, evolve

from scenario_uploads.api.calls import begin_operation, create
from scenario_uploads.api.exchange import Api, Operation
from scenario_uploads.errors import LedgerLockedError, SourceChangedError, SourceError, UploadFailedError
from scenario_uploads.logs import logger
from scenario_uploads.progress import UploadPhase, UploadProgress
from scenario_uploads.remote import Source
from scenario_uploads.system import find_state_folder
from scenario_uploads.transfer.engine import Transfer
from scenario_uploads.transfer.parts import Part, UploadPlan, plan_parts

from .ledger import Ledger, locate_ledger
from .media_types import infer_media
from .options import FileOptions, check_file_name


@define
class Opened:
    """An upload whose arguments are checked and whose file is open."""

    api: Api
    options: FileOptions
    source: Source
    plan: UploadPlan
    create: Operation[Any]
    ledger: Ledger | None = None
    attempt: int = 1  # the most attempts of a part

    @property
    def asked(self) -> dict[str, Any]:
        """The arguments of the create without sizes, with the project."""
        project_id, body = self.options.call.project_id, self.create.request["json"]
        asked = {name: value for name, value in body.items() if name not in ("fileSize", "parts")}
        return asked if project_id is None else asked | {"projectId": project_id}

    def transfer(self, parts: tuple[Part, ...], **more: Any) -> Transfer:
        given, count = self.options, self.plan.parts_count
        limits = given.concurrency, given.integrity, given.patience, given.max_bandwidth
        return Transfer(self.source, parts, count, *limits, turns=given.turns, **more)

    def report(self, phase: UploadPhase) -> None:
        if self.options.on_progress:
            size, count = self.plan.size, self.plan.parts_count
            self.options.on_progress(UploadProgress(phase, size, size, count, count, self.attempt))


def check_all_options(options: FileOptions) -> None:
    """Check the arguments that are used with the file, before it is opened."""
    plan_parts(1, options.part_size)
    if options.file_name is not None:
        check_file_name(options.file_name)
    infer_media("a.png", content_type=options.content_type)
    create(options.call, {"kind": options.kind, "asset_options": options.asset_options})


def open_upload(stack: ExitStack, api: Api, source: Source, options: FileOptions) -> Opened:
    """Check the arguments, and open the ledger, which `stack` closes."""
    plan = plan_parts(source.size, options.part_size)
    source.part_size = plan.part_size
    name = check_file_name(source.name if options.file_name is None else options.file_name)
    source.about = options.call.about or f"{name!r}: "
    options = options if options.call.about else evolve(options, call=evolve(options.call, about=source.about))
    media = infer_media(name, content_type=options.content_type, kind=options.kind)
    arguments = {
        "file_name": name,
        "file_size": plan.size,
        "content_type": media.content_type,
        "kind": media.kind,
        "parts": plan.parts_count,
        "asset_options": options.asset_options,
    }
    opened = Opened(api, options, source, plan, begin_operation(options.call, arguments))
    # Not each of many files: the memory would add up. Without checksums, the kernel sends it from the disk.
    if options.integrity and options.turns is None:
        source.keep()
    if ledger := _open_ledger(opened):
        opened.ledger = ledger
        stack.push(partial(_close_ledger, ledger))
    if options.progress:
        from scenario_uploads.display import open_display  # noqa: PLC0415 - slow to import, and needed by few

        shown = stack.enter_context(open_display()).follow(name)
        told = [tell for tell in (shown, options.on_progress) if tell]
        opened.options = evolve(options, on_progress=lambda event: [tell(event) for tell in told])
    return opened


def _close_ledger(ledger: Ledger, _kind: object, error: BaseException | None, _traceback: object) -> None:
    """Close the ledger; remove it unless the same call can resume the upload."""
    # When the file changed, it is unknown which of its bytes were sent.
    lost = isinstance(error, UploadFailedError | SourceChangedError) or getattr(error, "needs_new_upload", False)
    ledger.close(remove=error is None or lost)


def _open_ledger(opened: Opened) -> Ledger | None:
    options, path = opened.options, opened.source.path
    if path is None and options.resume not in (None, False):
        raise SourceError("Only a file given by its path can be resumed; give a path, or resume=False.")
    if path is None or options.resume is False or opened.plan.parts_count == 1:
        return None
    # By default, do not warn: the caller did not ask for resuming.
    level = logging.DEBUG if options.resume is None else logging.WARNING
    try:
        folder = Path(options.resume) if isinstance(options.resume, str | os.PathLike) else find_state_folder()
        return Ledger(locate_ledger(folder, opened.api.options, path, opened.asked), level)
    except (OSError, LedgerLockedError) as error:
        if options.resume is not None and isinstance(error, LedgerLockedError):
            raise
        logger.log(level, "The upload cannot be resumed later: %s", error)
        return None
