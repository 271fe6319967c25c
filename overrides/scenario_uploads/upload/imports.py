"""Imports: the service fetches a file itself. Create, never twice, and wait."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from attrs import evolve

from scenario_uploads.api.calls import UploadState, classify_status, create_operation, failure_of, wait
from scenario_uploads.api.exchange import Api, fetch
from scenario_uploads.arguments import check_seconds, omit
from scenario_uploads.errors import InvalidArgumentError
from scenario_uploads.models import Upload
from scenario_uploads.redaction import redact
from scenario_uploads.steps import Steps

from .media_types import infer_media
from .options import ImportOptions
from .steps import find_missing_id

_MODEL_NAME = re.compile(r"[\w.-]+/[\w.-]+", re.ASCII)
_HUB_MODEL = re.compile(rf"(?!datasets/|spaces/)({_MODEL_NAME.pattern})(/tree/main)?", re.ASCII)
_CIVITAI = re.compile(r"(www\.)?civitai\.[a-z]+")


def name_url(url: object, kind: str | None) -> dict[str, Any]:
    """Return the arguments of a create from a URL, whose kind is inferred from its last segment unless given."""
    parts = _split(url)
    if parts is None:
        raise InvalidArgumentError(f"{redact(repr(url))} cannot be imported; give an http or https URL.")
    name = unquote(parts.path.rpartition("/")[2])
    return {"url": url, "kind": infer_media(name).kind if kind is None else kind}


def name_hugging_face(name: object) -> dict[str, Any]:
    """Return the arguments of a create from a model of the Hugging Face hub."""
    if not isinstance(name, str) or not _MODEL_NAME.fullmatch(name):
        raise InvalidArgumentError(f"{redact(repr(name))} is not a Hugging Face model; give its name as 'owner/name'.")
    return {"hugging_face_model_name": name}


def name_civitai(url: object) -> dict[str, Any]:
    """Return the arguments of a create from the page of a Civitai model."""
    parts = _split(url)
    if parts is None or not _CIVITAI.fullmatch(parts.hostname or ""):
        page = "'https://civitai.com/models/370194/x?modelVersionId=413566'"
        raise InvalidArgumentError(f"{redact(repr(url))} is not a Civitai model; give the URL of its page, as {page}.")
    return {"civitai_model_url": url}


def name_address(address: str, kind: str | None) -> dict[str, Any]:
    """Return the arguments of a create from an address: a URL, `hf:OWNER/NAME` or `civitai:URL`."""
    parts = _split(address)
    host, path = (parts.hostname or "", parts.path.strip("/")) if parts else ("", "")
    hub, civitai = host in ("huggingface.co", "www.huggingface.co", "hf.co"), _CIVITAI.fullmatch(host)
    arguments = None
    if address.startswith("hf:"):
        arguments = name_hugging_face(address.removeprefix("hf:"))
    elif hub and (model := _HUB_MODEL.fullmatch(path)):
        arguments = name_hugging_face(model[1])
    elif address.startswith("civitai:") or (civitai and path.startswith("models/")):
        arguments = name_civitai(address.removeprefix("civitai:"))
    elif (hub and "/resolve/" not in path) or (civitai and not path.startswith("api/")):
        raise InvalidArgumentError(
            f"{redact(repr(address))} is a web page without a model; give hf:OWNER/NAME, civitai:URL, or the URL by"
            " which a file is downloaded (that of Hugging Face has /resolve/ in it)."
        )
    elif parts is None:
        raise InvalidArgumentError(
            f"{redact(repr(address))} cannot be imported; give an http or https URL, hf:OWNER/NAME or civitai:URL."
        )
    if arguments and kind:
        raise InvalidArgumentError(f"{redact(repr(address))} is a model; kind is for the URL of a file.")
    return arguments or name_url(address, kind)


def _split(url: object) -> SplitResult | None:
    """Return the parts of an http or https URL, or None."""
    with suppress(ValueError):
        parts = urlsplit(url if isinstance(url, str) and url.isprintable() and " " not in url else "")
        if parts.scheme in ("http", "https") and parts.hostname:
            return parts
    return None


def import_upload(api: Api, arguments: Mapping[str, Any], options: ImportOptions) -> Steps[Upload]:
    """Create an upload that the service fetches itself, and wait for it if asked to."""
    check_seconds("timeout", options.timeout, zero=True)
    # Ignore a `dryRun` in the client's `default_query`.
    operation = create_operation(arguments, evolve(options.call, query={"dryRun": omit}))
    upload: Upload = (yield from fetch(api, operation, find_missing=find_missing_id)).value.upload
    if options.wait:
        return (yield from wait(api, upload.id, options.timeout, options.call))
    if classify_status(upload.status, upload.entity_id) is UploadState.FAILED:
        raise failure_of(upload, upload.id)
    return upload
