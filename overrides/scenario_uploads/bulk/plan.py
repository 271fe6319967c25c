"""What to do with the files of a call, as far as known without reading them."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator
from contextlib import closing, nullcontext
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from attrs import define, evolve

from scenario_uploads.api.calls import create
from scenario_uploads.arguments import FileInput
from scenario_uploads.errors import ScenarioError
from scenario_uploads.lines import FileProgress
from scenario_uploads.remote import is_remote
from scenario_uploads.settings.client import ClientOptions
from scenario_uploads.system import FileState
from scenario_uploads.transfer.parts import UploadPlan, plan_parts
from scenario_uploads.transfer.source import open_source
from scenario_uploads.upload.media_types import infer_media
from scenario_uploads.upload.options import FileOptions, check_file_name

from .ledger import BulkLedger, Row, hash_context, hash_state, open_ledger
from .listing import Listed, list_sources
from .options import BulkOptions, Sources, UploadResult, UploadSource, name_source


@define
class File:
    """A file to send, unless its content is in the ledger."""

    source: Any  # as the caller gave it
    content: FileInput
    options: FileOptions
    plan: UploadPlan
    state: bytes | None  # its key in the ledger
    context: bytes = b""  # the ledger's key for its account, project and settings
    row: Row | None = None  # from an earlier run
    shown: FileProgress | None = None
    bytes_done: int = 0


def plan_files(
    listed: Listed,
    call: FileOptions,
    service: ClientOptions | None,
    ledger: BulkLedger | None = None,
    *,
    force: bool = False,
    offline: bool = False,
) -> Iterator[File | UploadResult]:
    """Yield each file to send, by default with the settings of `call`, and the other results; `offline` asks no URL."""
    account = (service.base_url, service.credentials.account) if service else ()
    # Most files have the settings of the call, and are of a few types.
    shared = cache(lambda kind, media: _hash_settings(account, evolve(call, kind=kind, content_type=media)))
    for result, status in listed:
        if ledger and status and ledger.owns(status):
            continue
        if result.skipped or result.error:
            yield result
            continue
        try:
            file = _look(result.source, status, call, offline=offline)
            own, usual = file.options, file.options.asset_options is call.asset_options
            file.context = shared(own.kind, own.content_type) if usual else _hash_settings(account, own)
        except ScenarioError as error:
            yield UploadResult(result.source, error=error)
            continue
        file.row = ledger.find(file.context, file.state) if ledger and not force else None
        if file.row and file.row.done:
            yield UploadResult(result.source, skipped="done", entity_id=file.row.entity_id)
        else:
            yield file


def _hash_settings(account: tuple[str, ...], options: FileOptions) -> bytes:
    body = create(options.call, {"kind": options.kind, "asset_options": options.asset_options}).request["json"]
    settings = options.call.project_id or "", options.content_type or "", json.dumps(body, sort_keys=True)
    return hash_context(*account, *settings)


def _look(source: Any, status: os.stat_result | None, call: FileOptions, *, offline: bool) -> File:
    given = source if isinstance(source, UploadSource) else UploadSource(source)
    content, size, state = os.fsdecode(given.file) if isinstance(given.file, os.PathLike) else given.file, None, None
    own_name: str | None
    if isinstance(content, str) and status and stat.S_ISREG(status.st_mode):
        size, state, own_name = status.st_size, FileState.of(status), Path(content).name
    elif offline and isinstance(content, str) and is_remote(content):
        own_name = urlsplit(content).path.rpartition("/")[2]
    else:
        with closing(open_source(content)) as opened:
            size, state, own_name = opened.size, opened.state, opened.name
    name = check_file_name(given.file_name if given.file_name is not None else own_name)
    media = infer_media(name, content_type=given.content_type, kind=given.kind or call.kind)
    asset = call.asset_options if given.asset_options is None else given.asset_options
    own = evolve(call.call, about=f"{name_source(source)!r}: ")
    settings: dict[str, Any] = {"content_type": media.content_type, "kind": media.kind, "asset_options": asset}
    plan = UploadPlan(0, 1) if size is None else plan_parts(size, call.part_size)
    return File(source, content, evolve(call, call=own, file_name=name, **settings), plan, hash_state(state))


def plan_many(sources: Sources, options: BulkOptions, service: ClientOptions | None) -> Iterator[File | UploadResult]:
    """Yield what `plan_files` does, without a request or a write; without a `service`, no file counts as done."""
    listed, ledger = list_sources(sources, options), open_ledger(options.ledger, plan=True) if service else None
    with closing(ledger) if ledger else nullcontext():
        yield from plan_files(listed, options.file, service, ledger, force=options.force, offline=True)
