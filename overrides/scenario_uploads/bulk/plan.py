"""What to do with the files of a call, as far as known without reading them."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator
from contextlib import closing, nullcontext
from pathlib import Path
from urllib.parse import urlsplit

from attrs import define, evolve

from scenario_uploads.api.calls import create_operation
from scenario_uploads.display import FileProgress
from scenario_uploads.errors import LedgerError, ScenarioError
from scenario_uploads.remote import find_local, is_url
from scenario_uploads.settings.client import ClientOptions
from scenario_uploads.system import FileState
from scenario_uploads.transfer.parts import UploadPlan, plan_parts
from scenario_uploads.transfer.source import open_source
from scenario_uploads.upload.media_types import Media, infer_media
from scenario_uploads.upload.options import FileOptions, check_file_name

from .ledger import LedgerView, Row, hash_state, view_ledger
from .listing import Found, list_sources
from .options import BulkOptions, Sources, UploadResult, check_bulk_options


@define
class File:
    """A file to send, unless its content is in the ledger."""

    found: Found
    options: FileOptions
    plan: UploadPlan
    context: int = 0
    """The ledger's number for its account, project and settings."""
    state: bytes | None = None
    """Its key in the ledger."""
    row: Row | None = None
    """Its row from an earlier run."""
    shown: FileProgress | None = None


class Files:
    """The files of a call, one after the other. Arguments that cannot be used are an InvalidArgumentError."""

    def __init__(self, sources: Sources, options: BulkOptions) -> None:
        check_bulk_options(options)
        self._listing = list_sources(
            sources, recursive=options.recursive, include=options.include, exclude=options.exclude
        )
        self._force, self.call = options.force, options.file
        self._contexts: dict[Media, int] = {}
        self.known: tuple[LedgerView, ClientOptions] | None = None
        """The ledger, and the client settings that select its rows."""

    def close(self) -> None:
        """Stop listing. Idempotent."""
        self._listing.close()

    def take(self, *, asks: bool = True) -> File | UploadResult | None:
        """Return the next file, or its result if already known; None when there are no more.

        With `asks`, a URL is asked for the size of its file.
        """
        found = next((found for found in self._listing if not self._is_ledger(found)), None)
        if found is None:
            return None
        if found.skipped or found.error:
            return UploadResult(found.source, skipped=found.skipped, error=found.error)
        try:
            file = self._look(found, asks=asks)
        except LedgerError:
            raise
        except ScenarioError as error:
            return UploadResult(found.source, error=error)
        if file.row and file.row.done:
            return UploadResult(found.source, skipped="done", entity_id=file.row.entity_id)
        return file

    def _is_ledger(self, found: Found) -> bool:
        """Return whether a file in a source folder is the ledger itself or its journal."""
        if not self.known or found.status is None:
            return False
        path, ledger = found.path.removesuffix("-journal"), self.known[0].path
        return path.endswith(ledger.name) and os.path.realpath(path) == os.path.realpath(ledger)

    def _look(self, found: Found, *, asks: bool) -> File:
        given, status, call = found.given, found.status, self.call
        size, state, own_name = None, None, None
        if status is not None and stat.S_ISREG(status.st_mode):
            size, state, own_name = status.st_size, FileState.of(status), Path(found.path).name
        elif not asks and isinstance(given.file, str) and is_url(given.file) and find_local(given.file) is None:
            own_name = urlsplit(given.file).path.rpartition("/")[2]
        else:
            with closing(open_source(given.file)) as source:
                size, state, own_name = source.size, source.state, source.name
        name = check_file_name(given.file_name if given.file_name is not None else own_name)
        media = infer_media(name, content_type=given.content_type, kind=given.kind or call.kind)
        options = evolve(
            call,
            file_name=name,
            content_type=media.content_type,
            kind=media.kind,
            asset_options=call.asset_options if given.asset_options is None else given.asset_options,
        )
        file = File(found, options, UploadPlan(0, 1) if size is None else plan_parts(size, call.part_size))
        if self.known:
            ledger, service = self.known
            file.context, file.state = self._find_context(ledger, service, options, media), hash_state(state)
            file.row = None if self._force else ledger.find(file.context, file.state)
        return file

    def _find_context(self, ledger: LedgerView, service: ClientOptions, options: FileOptions, media: Media) -> int:
        shared = options.asset_options is self.call.asset_options
        if shared and media in self._contexts:
            return self._contexts[media]
        create = create_operation({"kind": media.kind, "asset_options": options.asset_options}, options.call)
        number = ledger.context(
            service.base_url,
            service.credentials.account,
            options.call.project_id or "",
            media.content_type,
            json.dumps(create.request["json"], sort_keys=True),
        )
        if shared:
            self._contexts[media] = number
        return number


def plan_many(
    sources: Sources, options: BulkOptions, service: ClientOptions | None
) -> Iterator[tuple[UploadResult, File | None]]:
    """Yield the files that would be sent, and results for the others, without a request or a write.

    Without the settings of a client, no file counts as done.
    """
    files, ledger = Files(sources, options), view_ledger(options.ledger) if service else None
    with closing(files), closing(ledger) if ledger else nullcontext():
        files.known = (ledger, service) if ledger and service else None
        while (file := files.take(asks=False)) is not None:
            yield (file, None) if isinstance(file, UploadResult) else (UploadResult(file.found.source), file)
