"""Before the first request: the file, how it is split, the body of the create, and the ledger."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from attrs import frozen

from scenario_uploads.api.exchange import Api
from scenario_uploads.api.operations import build_body
from scenario_uploads.errors import (
    LedgerLockedError,
    SourceError,
)
from scenario_uploads.models import UploadCreateParams
from scenario_uploads.transfer.parts import UploadPlan, plan_parts
from scenario_uploads.transfer.source import FileInput, Source, open_source

from .ledger import Ledger, default_folder
from .media_types import infer_media
from .options import FileOptions, check_file_name

logger = logging.getLogger("scenario_uploads")


@frozen
class Prepared:
    """How the file is split, and the body of the create."""

    plan: UploadPlan
    params: UploadCreateParams


def open_upload(
    opened: ExitStack, api: Api, file: FileInput, options: FileOptions
) -> tuple[Source, Prepared, Ledger | None]:
    """Open the file and its ledger; `opened` closes them."""
    source = open_source(file)
    opened.callback(source.close)
    prepared = _prepare(source, options)
    ledger = _open_ledger(api, source, prepared, options)
    if ledger is not None:
        opened.callback(ledger.close)
    return source, prepared, ledger


def _prepare(source: Source, options: FileOptions) -> Prepared:
    plan = plan_parts(source.size, options.part_size)
    name = check_file_name(source.name if options.file_name is None else options.file_name)
    media = infer_media(name, content_type=options.content_type, kind=options.kind)
    params = build_body(
        UploadCreateParams,
        "create",
        {
            "file_name": name,
            "file_size": plan.size,
            "content_type": media.content_type,
            "kind": media.kind,
            "parts": plan.parts_count,
            "asset_options": options.asset_options,
        },
    )
    return Prepared(plan, params)


def _open_ledger(api: Api, source: Source, prepared: Prepared, options: FileOptions) -> Ledger | None:
    if options.resume is False:
        return None
    # By default, nobody asked for resuming, so do not warn.
    level = logging.DEBUG if options.resume is None else logging.WARNING
    if source.path is None:
        if options.resume is None:
            return None
        raise SourceError("Only a file given by its path can be resumed; give a path, or resume=False.")
    if prepared.plan.parts_count == 1:
        return None
    try:
        folder = default_folder() if options.resume is None or options.resume is True else Path(options.resume)
    except OSError as error:
        logger.log(level, "The upload cannot be resumed later: %s.", error.strerror)
        return None
    credentials = api.options.credentials
    # A bearer token changes between calls; a key does not.
    account = credentials.header if credentials.scheme == "Basic" else credentials.scheme
    body: Mapping[str, Any] = prepared.params.to_dict()
    told = {name: value for name, value in body.items() if name not in ("fileSize", "parts")}
    if options.call.project_id is not None:
        told["projectId"] = options.call.project_id
    try:
        return Ledger(folder, source.path, api.options.base_url, account, json.dumps(told, sort_keys=True), level=level)
    except LedgerLockedError as error:
        if options.resume is not None:
            raise
        logger.debug("The upload cannot be resumed later: %s", error)
        return None
