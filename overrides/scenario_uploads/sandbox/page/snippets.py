"""Calls as Python and as curl, to paste and run. Pure; every text of a stranger is quoted for its language."""

import json
import re
import shlex
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qsl

from scenario_uploads.sandbox.state.journal import Request
from scenario_uploads.sandbox.state.records import UploadRecord

_ARGUMENTS: Final = (
    "assetOptions",
    "civitaiModelUrl",
    "contentType",
    "fileName",
    "fileSize",
    "huggingFaceModelName",
    "kind",
    "parts",
    "url",
)
_NOT_KEPT: Final = "The body was too long to be kept, or is not JSON."


def write_upload(record: UploadRecord, base_url: str) -> str:
    """Return Python that makes an upload like this one, from the file or from elsewhere."""
    arguments: dict[str, Any] = {"kind": record.kind}
    if record.multipart is not None:
        arguments["content_type"] = record.multipart.content_type
    if record.asset_options:
        arguments["asset_options"] = dict(record.asset_options)
    return _write_client(base_url) + _write_call(
        "upload = client.uploads.upload_file", [repr(record.file_name), *_write_arguments(arguments)]
    )


def write_python(request: Request, base_url: str) -> str:
    """Return a request as a call of the client."""
    if request.part is not None:
        return (
            "import httpx\n\n# `part` is of the answer to the create; its URL is a secret and is not shown here.\n"
            f"httpx.put(part.url, content=data)  # part {request.part}"
        )
    path, _, query = request.path.partition("?")
    body, is_kept = _read_body(request)
    options = {_to_snake(name): True if name == "dryRun" else value for name, value in parse_qsl(query)}
    segments = path.rpartition("/uploads")[2].strip("/").split("/")
    if not is_kept:
        return f"# {_NOT_KEPT}"
    if request.method == "GET":
        return _write_client(base_url) + _write_call(
            "client.uploads.retrieve", [repr(segments[0]), *_write_arguments(options)]
        )
    if len(segments) > 1:
        return _write_client(base_url) + _write_call(
            "client.uploads.trigger_action",
            [repr(segments[0]), *_write_arguments({"action": (body or {}).get("action"), **options})],
        )
    known = {_to_snake(name): value for name, value in (body or {}).items() if name in _ARGUMENTS}
    extra = {name: value for name, value in (body or {}).items() if name not in _ARGUMENTS}
    known |= {"extra_body": extra} if extra else {}
    return _write_client(base_url) + _write_call("client.uploads.create", _write_arguments(known | options))


def write_curl(request: Request, base_url: str) -> str:
    """Return a request as a command line for a POSIX shell."""
    if request.part is not None:
        number = request.part
        return (
            f"# PART_{number}_URL is in the answer to the create; it is a secret and is not shown here.\n"
            f'curl -X PUT --upload-file part-{number} "$PART_{number}_URL"'
        )
    origin = re.match(r"https?://[^/]+", base_url)
    lines = [
        f"curl -X {request.method} {shlex.quote((origin[0] if origin else '') + request.path)}",
        '-u "$SCENARIO_SDK_API_KEY:$SCENARIO_SDK_API_SECRET"',
    ]
    body, is_kept = _read_body(request)
    if not is_kept:
        return f"# {_NOT_KEPT}"
    if body is not None:
        lines += ["-H 'Content-Type: application/json'", f"--data-raw {shlex.quote(json.dumps(body))}"]
    return " \\\n  ".join(lines)


def _read_body(request: Request) -> tuple[Any, bool]:
    """Return the JSON of a request, and whether it was kept whole."""
    if not request.body:
        return None, request.method == "GET" or request.headers.get("content-length", "0") == "0"
    try:
        body = json.loads(request.body)
    except ValueError:
        return None, False
    return body, isinstance(body, Mapping)


def _write_client(base_url: str) -> str:
    return (
        "from scenario_uploads import Scenario\n\n"
        "# The key and the secret are those of SCENARIO_SDK_API_KEY and SCENARIO_SDK_API_SECRET.\n"
        f"client = Scenario(base_url={base_url!r})\n"
    )


def _write_call(function: str, arguments: list[str]) -> str:
    line = f"{function}({', '.join(arguments)})"
    if len(line) <= 88:
        return line
    return f"{function}(\n" + "".join(f"    {argument},\n" for argument in arguments) + ")"


def _write_arguments(values: Mapping[str, Any]) -> list[str]:
    return [f"{name}={value!r}" for name, value in values.items()]


def _to_snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
