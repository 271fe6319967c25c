"""Content type and kind from a file name, by the table in `media_types.csv`: the same on every machine."""

from __future__ import annotations

import pkgutil
import re

from attrs import frozen

from scenario_uploads.errors import InvalidArgumentError, SourceError


@frozen
class Media:
    content_type: str
    kind: str


_MIME = re.compile(r"[!#$&^_.+\-0-9A-Za-z]+/[!#$&^_.+\-0-9A-Za-z]+([ \t]*;[\x20-\x7e]*)?")
_BYTES = "application/octet-stream"
# Kinds whose files need no content type of their own.
_TYPE_BY_KIND = {"3d": _BYTES, "model": _BYTES, "text": "text/plain"}

_LINES = (pkgutil.get_data("scenario_uploads.upload", "media_types.csv") or b"").decode().splitlines()
_TABLE = [line.split(",") for line in _LINES if not line.startswith("#")]
_KIND_BY_TYPE = {content_type: kind for kind, content_type, *_ in _TABLE if content_type != _BYTES}
_BY_SUFFIX = {
    suffix: Media(content_type, kind) for kind, content_type, suffixes, _ in _TABLE for suffix in suffixes.split()
}
_SIMILAR = {other: suffixes.split()[0] for _, _, suffixes, others in _TABLE for other in others.split()}


def infer_media(file_name: str, *, content_type: str | None = None, kind: str | None = None) -> Media:
    """Return content type and kind from the file name, unless given; SourceError when the suffix is unknown."""
    if content_type is not None and not (isinstance(content_type, str) and _MIME.fullmatch(content_type)):
        raise InvalidArgumentError(f"content_type must be a MIME type such as 'image/png', not {content_type!r}.")
    suffix = file_name.rpartition(".")[2].lower() if "." in file_name else ""
    given, known = (content_type or "").partition(";")[0].strip().lower(), _BY_SUFFIX.get(suffix)
    if kind is None:
        kind = _KIND_BY_TYPE.get(given) or (known.kind if known else None)
    if content_type is None and kind is not None:
        content_type = known.content_type if known else _TYPE_BY_KIND.get(kind)
    if kind is not None and content_type is not None:
        return Media(content_type, kind)
    closest = _find_closest(suffix)
    example = _BY_SUFFIX[closest or "png"]
    what, value = ("kind", example.kind) if kind is None else ("content_type", example.content_type)
    raise SourceError(
        f"The {what.replace('_', ' ')} of {file_name!r} cannot be inferred from its name;"
        f" give {what}=, such as {value!r}{f', that of .{closest} files' if closest else ''}."
    )


def _find_closest(suffix: str) -> str | None:
    from difflib import get_close_matches  # noqa: PLC0415 - slow to import, and for errors alone

    # Limit the length: it is compared with each suffix.
    return _SIMILAR.get(suffix) or next(iter(get_close_matches(suffix[:16], _BY_SUFFIX, n=1, cutoff=0.5)), None)
