"""What a file contains: the MD5s of its parts, as storage has them."""

from __future__ import annotations

import hashlib

from scenario_uploads.transfer.parts import UploadPlan
from scenario_uploads.transfer.source import FileInput, open_source, read_chunk

from .ledger import hash_content

_CHUNK_SIZE = 1024 * 1024


def read_content(file: FileInput, size: int, part_size: int) -> bytes | None:
    """Read a file in parts of this size and return the key of its content; None when it has changed."""
    source = open_source(file)
    try:
        if source.size != size:
            return None
        plan, md5s = UploadPlan(size, part_size), []
        buffer = memoryview(bytearray(min(_CHUNK_SIZE, size)))
        for number in range(1, plan.parts_count + 1):
            part, md5 = plan.part(number), hashlib.md5(usedforsecurity=False)
            position, end = part.offset, part.offset + part.length
            while position < end:
                chunk = read_chunk(source, position, buffer[: end - position])
                md5.update(chunk)
                position += len(chunk)
            md5s.append(md5.hexdigest())
        source.check_unchanged()
        return hash_content(size, part_size, md5s)
    finally:
        source.close()
