"""Imports: the service fetches a file itself. Create, never twice, and wait."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from scenario_uploads.api.calls import begin_operation, is_imported, wait
from scenario_uploads.api.exchange import Api, fetch
from scenario_uploads.arguments import check_seconds
from scenario_uploads.errors import InvalidArgumentError
from scenario_uploads.models import Upload
from scenario_uploads.redaction import redact
from scenario_uploads.steps import Steps

from .media_types import infer_media
from .options import ImportOptions

_URL = re.compile(r"https?://(?:[^\s/?#\[\]]|\[[\da-f:]+\])+([^\s?#]*)\S*", re.IGNORECASE)
_MODEL = r"[\w.-]+/[\w.-]+"
_CIVITAI = r"https?://(?:www\.)?civitai\.[a-z]+/"
_HUB = r"https?://(?:www\.huggingface|huggingface|hf)\.co/"


def name_url(url: object, kind: str | None) -> dict[str, Any]:
    """Return the arguments of a create from a URL, whose kind is inferred from its last segment unless given."""
    if not isinstance(url, str) or not (found := _URL.fullmatch(url)):
        raise InvalidArgumentError(f"{redact(repr(url))} cannot be imported; give an http or https URL.")
    return {"url": url, "kind": infer_media(unquote(found[1].rpartition("/")[2])).kind if kind is None else kind}


def name_hugging_face(name: object) -> dict[str, Any]:
    if not isinstance(name, str) or not re.fullmatch(_MODEL, name, re.ASCII):
        raise InvalidArgumentError(f"{redact(repr(name))} is not a Hugging Face model; give its name as 'owner/name'.")
    return {"hugging_face_model_name": name}


def name_civitai(url: object) -> dict[str, Any]:
    if not isinstance(url, str) or not re.match(_CIVITAI, url):
        page = "'https://civitai.com/models/370194/x?modelVersionId=413566'"
        raise InvalidArgumentError(f"{redact(repr(url))} is not a Civitai model; give the URL of its page, as {page}.")
    return {"civitai_model_url": url}


# What the address of a model looks like, and what makes the arguments from its group.
_MODELS = (
    (r"hf:(.*)", name_hugging_face),
    (r"civitai:(.*)", name_civitai),
    (rf"{_HUB}(?!datasets/|spaces/)({_MODEL})(?:/tree/main)?/?(?:[?#].*)?", name_hugging_face),
    (rf"({_CIVITAI}models/.*)", name_civitai),
)
# Other pages of these hosts, unlike the URLs of files.
_PAGE = rf"{_HUB}(?![^?#]*/resolve/)|{_CIVITAI}(?!api/)"


def name_address(address: str, kind: str | None) -> dict[str, Any]:
    """Return the arguments of a create from an address: a URL, `hf:OWNER/NAME` or `civitai:URL`."""
    for pattern, name_model in _MODELS:
        if found := re.fullmatch(pattern, address, re.ASCII):
            if kind:
                raise InvalidArgumentError(f"{redact(repr(address))} is a model; kind is for the URL of a file.")
            return name_model(found[1])
    if re.match(_PAGE, address) or not _URL.fullmatch(address):
        raise InvalidArgumentError(
            f"{redact(repr(address))} cannot be imported; give hf:OWNER/NAME, civitai:URL, or the http or https URL by"
            " which a file is downloaded (that of Hugging Face has /resolve/ in it)."
        )
    return name_url(address, kind)


def import_upload(api: Api, arguments: Mapping[str, Any], options: ImportOptions) -> Steps[Upload]:
    """Create an upload that the service fetches itself, and wait for it if asked to."""
    check_seconds("timeout", options.timeout, zero=True)
    upload = (yield from fetch(api, begin_operation(options.call, arguments))).value.upload
    if options.wait:
        return (yield from wait(api, upload.id, options.timeout, options.call))
    is_imported(upload, upload.id)
    return upload
