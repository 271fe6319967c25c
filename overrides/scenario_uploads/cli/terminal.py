"""Results on stdout, as text or JSON, without control characters of services and file names."""

from __future__ import annotations

import json
import os
import re
from typing import Any

from scenario_uploads.bulk.options import UploadResult, UploadSource
from scenario_uploads.errors import ScenarioError
from scenario_uploads.models import Upload, UploadDryRunResponse
from scenario_uploads.redaction import SecretURL, mask_known, redact, snippet
from scenario_uploads.remote import is_url, show_url
from scenario_uploads.upload.ledger import Entry

GOES_ON = "The same command goes on from where it stopped."

_OPTIONS = (
    "content_type|file_name|part_size|max_bandwidth|base_url|project_id|allow_http_storage"
    "|concurrency|patience|timeout|include|exclude|ledger|resume|kind"
)
# Phrases of error messages for programmers, and what to say on the command line instead.
_WORDS = {
    "recursive=True": "-r",
    "give api_key= and api_secret= (or set SCENARIO_SDK_API_KEY and SCENARIO_SDK_API_SECRET), or give bearer_auth="
    " (or set SCENARIO_SDK_JWT).": "set SCENARIO_SDK_API_KEY and SCENARIO_SDK_API_SECRET, or SCENARIO_SDK_JWT, or write"
    " them into the file that `scenario-uploads config show` names.",
    "give api_key= and api_secret= here": "write them into the file that `scenario-uploads config show` names",
    "give api_secret= or set": "set",
    "give api_key= or set": "set",
    ", or give trust_env=False": "",
    "with verify= of the client or with SSL_CERT_FILE": "with SSL_CERT_FILE",
    "; give `upload.id`": "; give the id that upload printed",
    "import_url(url, kind=...)": "scenario-uploads import URL",
    "The next call starts": "The same command starts",
}
_SPOKEN = re.compile(
    # Quoted values stay as they are.
    r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|"""
    + "|".join(map(re.escape, _WORDS))
    + rf"|\b(?P<option>{_OPTIONS})=(?P<switch>True|False|)"
    + rf"|^(?P<subject>{_OPTIONS})(?= (?:must|is)\b)|\b(?P<name>\w+_\w+)\b(?! ?=)"
)


def speak(error: ScenarioError) -> str:
    """Return the message of an error in the words of the command line."""
    return snippet(error.message if getattr(error, "spoken", False) else translate(error.message), 1000)


def translate(text: str) -> str:
    """Return a message for programmers in the words of the command line."""
    return _SPOKEN.sub(_say, text)


def _say(found: re.Match[str]) -> str:
    text = found.group()
    if option := found["option"]:
        said = f"--{'no-' * (found['switch'] == 'False')}{option.replace('_', '-')}"
        return said + (" " if not found["switch"] and found.string[found.end() :][:1].strip(" ,.;)") else "")
    if name := found["subject"] or (found["name"] if found["name"] in _OPTIONS.split("|") else None):
        return f"--{name.replace('_', '-')}"
    return _WORDS.get(text, text)


def show_name(source: object) -> str:
    """Return the name of a source for output."""
    return snippet(name_source(source), 4096)


def name_source(source: object) -> str:
    """Return the path of a source, or its URL without secrets."""
    file = source.file if isinstance(source, UploadSource) else source
    name = os.fspath(file) if isinstance(file, str | os.PathLike) else str(source)
    return show_url(name) if is_url(name) else name


def print_json(value: object) -> None:
    """Print one line of JSON."""
    print(json.dumps(value), flush=True)


def to_json(upload: Upload) -> dict[str, Any]:
    """Return the fields of an upload to print."""
    shown = upload.to_dict(exclude_none=True)
    # A part's URL allows writing to storage, and output ends up in logs.
    shown.pop("parts", None)
    hidden: dict[str, Any] = _hide(shown)
    return hidden


def describe_result(result: UploadResult) -> dict[str, Any]:
    """Return the `--json` object of a file, or of a command that failed."""
    upload, error = result.upload, result.error
    return {
        "source": name_source(result.source),
        "id": upload.id if upload else None,
        "status": str(upload.status) if upload else None,
        "entityId": result.entity_id,
        "skipped": result.skipped,
        "upload": to_json(upload) if upload else None,
        "error": speak(error) if error else None,
        "code": type(error).__name__ if error else None,
        "upload_id": error.upload_id if error else upload.id if upload else None,
    }


def print_upload(upload: Upload, *, as_json: bool, source: str | None = None) -> None:
    """Print an upload on stdout."""
    if as_json:
        print_json(to_json(upload))
        return
    if name := source or upload.original_file_name:
        print(f"file: {show_name(name)}")
    told = {"upload": upload.id, "status": upload.status, "entityId": upload.entity_id, "error": upload.error_message}
    for what, value in told.items():
        if value:
            print(f"{what}: {snippet(str(value))}")


def print_cost(cost: UploadDryRunResponse, *, as_json: bool) -> None:
    """Print what an upload would cost on stdout."""
    values: dict[str, Any] = _hide(cost.to_dict(exclude_none=True))
    if as_json:
        print_json(values)
        return
    details = values.pop("costDetails", None)
    for indent, told in (("", values), ("  ", details if isinstance(details, dict) else {})):
        for name, value in told.items():
            print(f"{indent}{snippet(name)}: {snippet(str(value))}")


def print_entries(entries: list[Entry], *, as_json: bool) -> None:
    """Print the resumable uploads on stdout."""
    if as_json:
        uploads = [
            {
                "id": entry.upload_id,
                "file": entry.file,
                "size": entry.state.size,
                "parts": len(entry.parts),
                "partsDone": len(entry.done),
            }
            for entry in entries
        ]
        print_json({"uploads": uploads})
        return
    for entry in entries:
        done, parts, upload = len(entry.done), len(entry.parts), snippet(entry.upload_id)
        print(f"{snippet(entry.file, 4096)}: {done} of {parts} parts sent (upload {upload})")


def _hide(value: Any) -> Any:
    if isinstance(value, SecretURL):
        return mask_known(redact(value))
    if isinstance(value, str):
        return mask_known(value)
    if isinstance(value, dict):
        return {mask_known(redact(key)): _hide(item) for key, item in value.items()}
    return [_hide(item) for item in value] if isinstance(value, list) else value
