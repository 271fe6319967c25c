"""Before the first request: the file, how it is split, the body of the create, the ledger, the display."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from attrs import evolve, frozen

from scenario_uploads.api.calls import create_operation
from scenario_uploads.api.exchange import Api, Operation
from scenario_uploads.arguments import FileInput, omit
from scenario_uploads.errors import LedgerLockedError, SourceError
from scenario_uploads.progress import UploadProgress
from scenario_uploads.remote import Source
from scenario_uploads.settings.client import ClientOptions
from scenario_uploads.transfer.parts import UploadPlan, plan_parts
from scenario_uploads.transfer.source import open_source

from .ledger import Ledger, default_folder
from .media_types import infer_media
from .options import FileOptions, check_file_name, check_file_options

logger = logging.getLogger("scenario_uploads")


@frozen
class Opened:
    """An upload whose arguments are checked and whose file is open."""

    api: Api
    options: FileOptions
    source: Source
    plan: UploadPlan
    create: Operation[Any]
    ledger: Ledger | None = None

    @property
    def asked(self) -> dict[str, Any]:
        """The arguments of the create without sizes, with the project."""
        asked = {
            name: value for name, value in self.create.request["json"].items() if name not in ("fileSize", "parts")
        }
        project_id = self.options.call.project_id
        return asked if project_id is None else asked | {"projectId": project_id}


def check_all_options(options: FileOptions) -> None:
    """Check every argument except the file."""
    check_file_options(options)
    plan_parts(1, options.part_size)
    if options.file_name is not None:
        check_file_name(options.file_name)
    infer_media("a.png", content_type=options.content_type)
    create_operation({"kind": options.kind, "asset_options": options.asset_options}, options.call)


def open_upload(stack: ExitStack, api: Api, file: FileInput, options: FileOptions) -> Opened:
    """Check the arguments, and open the file and its ledger; `stack` closes them."""
    source = open_source(file, options.size)
    stack.callback(source.close)
    plan = plan_parts(source.size, options.part_size)
    source.part_size = plan.part_size
    name = check_file_name(source.name if options.file_name is None else options.file_name)
    media = infer_media(name, content_type=options.content_type, kind=options.kind)
    arguments = {
        "file_name": name,
        "file_size": plan.size,
        "content_type": media.content_type,
        "kind": media.kind,
        "parts": plan.parts_count,
        "asset_options": options.asset_options,
    }
    # Ignore a `dryRun` in the client's `default_query`.
    create = create_operation(arguments, evolve(options.call, query={"dryRun": omit}))
    opened = Opened(api, options, source, plan, create)
    if ledger := _open_ledger(opened):
        stack.callback(ledger.close)
    if options.progress:
        options = _show(stack, name, options)
    return evolve(opened, options=options, ledger=ledger)


def _open_ledger(opened: Opened) -> Ledger | None:
    options, path = opened.options, opened.source.path
    if options.resume is False:
        return None
    if options.resume is not None and path is None:
        raise SourceError("Only a file given by its path can be resumed; give a path, or resume=False.")
    if path is None or opened.plan.parts_count == 1:
        return None
    # By default, do not warn: the caller did not ask for resuming.
    level = logging.DEBUG if options.resume is None else logging.WARNING
    try:
        folder = Path(options.resume) if isinstance(options.resume, str | os.PathLike) else default_folder()
        return Ledger(folder, *make_key(opened.api.options, path, opened.asked), level=level)
    except OSError as error:
        logger.log(level, "The upload cannot be resumed later: %s.", error.strerror)
    except LedgerLockedError as error:
        if options.resume is not None:
            raise
        logger.debug("The upload cannot be resumed later: %s", error)
    return None


def make_key(options: ClientOptions, file: str, asked: Mapping[str, object]) -> tuple[str, str, str, str]:
    """Return the key of an upload's ledger: file, service, account, and the arguments of the create."""
    # A bearer token changes between calls; a key does not.
    credentials = options.credentials
    account = credentials.header if credentials.scheme == "Basic" else credentials.scheme
    return file, options.base_url, account, json.dumps(asked, sort_keys=True)


def _show(stack: ExitStack, name: str, options: FileOptions) -> FileOptions:
    """Show progress until `stack` is closed."""
    from scenario_uploads.display import open_display  # noqa: PLC0415 - slow to import, and needed by few

    shown, told = stack.enter_context(open_display()).follow(name), options.on_progress

    def on_progress(event: UploadProgress) -> None:
        shown(event)
        if told is not None:
            told(event)

    return evolve(options, on_progress=on_progress)
