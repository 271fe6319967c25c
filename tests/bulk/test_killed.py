"""A folder of mixed files, a kill -9 in the middle, and the same call again: nothing is imported twice."""

from __future__ import annotations

import hashlib
import os
import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from scenario_uploads import Scenario
from scenario_uploads.sandbox import Sandbox

from tests.support.server import until

SCRIPT = """
import sys
from scenario_uploads import Scenario
url, key, secret, folder, ledger = sys.argv[1:]
with Scenario(base_url=url, api_key=key, api_secret=secret, trust_env=False) as client:
    for result in client.uploads.upload_many(folder, recursive=True, ledger=ledger, part_size=5 * 1024 * 1024):
        print(result.source, flush=True)
"""

# `make test-many` tries a folder of 10,000.
FILES = int(os.environ.get("UPLOADS_TEST_FILES", "60"))
HEADS = {".png": b"\x89PNG\r\n\x1a\n", ".gif": b"GIF89a", ".txt": b"words", ".pdf": b"%PDF-1.7"}


def write_mixed(folder: Path, count: int) -> dict[str, str]:
    """Fill a folder with mixed files, one of them large, and return the SHA-256 of each."""
    chance, digests = random.Random(13), {}
    for number in range(count):
        suffix, head = chance.choice([*HEADS.items()])
        size = 11 * 1024 * 1024 if number == count // 2 else chance.choice([1, 500, 5000, 70_000])
        # No two are the same: of such, a later run sends only one.
        content = (
            head + b"%d " % number + (chance.randbytes(size) if suffix != ".txt" else b"abc " * (size // 4 + number))
        )
        path = folder / f"{chance.randrange(4)}" / f"{number}{suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        digests[path.name] = hashlib.sha256(content).hexdigest()
    return digests


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("kills", [[0, 0.35]], ids=str)
def test_29_the_same_call_goes_on_where_the_killed_one_was(tmp_path: Path, kills: list[float]) -> None:
    folder, ledger = tmp_path / "refs", tmp_path / "ledger.sqlite3"
    digests, begun = write_mixed(folder, FILES), time.monotonic()
    with Sandbox(step_delay=0.02) as box:
        records = box._uploads._records
        arguments = [sys.executable, "-c", SCRIPT, box.base_url, box.api_key, box.api_secret, str(folder), str(ledger)]
        for kill in kills:
            with subprocess.Popen(arguments, stdout=subprocess.DEVNULL) as run:
                until(
                    lambda kill=kill: sum(record.status != "pending" for record in [*records.values()]) > kill * FILES,
                    600,
                )
                run.kill()
        with Scenario(base_url=box.base_url, api_key=box.api_key, api_secret=box.api_secret) as client:
            options = {"recursive": True, "ledger": ledger, "part_size": 5 * 1024 * 1024}
            results = list(client.uploads.upload_many(folder, **options))  # type: ignore[arg-type]
            assert [str(result.error) for result in results if result.error] == []
            assert len(results) == FILES
            assert all(result.entity_id for result in results)
            assert {result.skipped for result in client.uploads.upload_many(folder, **options)} == {"done"}  # type: ignore[arg-type]
        print(f"{FILES:,} files, killed at {kills}: {time.monotonic() - begun:.0f} s")
        imported = [record for record in records.values() if record.multipart and record.status != "pending"]
        assert Counter(record.multipart.original_file_name for record in imported if record.multipart) == Counter(
            digests.keys()
        )
        for record in imported:
            assert record.status == "imported"
            assert record.multipart is not None
            assert box.sha256(record.id) == digests[record.multipart.original_file_name]
        by_name = {record.multipart.original_file_name: record for record in imported if record.multipart}
        told = {Path(str(result.source)).name: result.entity_id for result in results}
        assert told == {name: record.entity_id for name, record in by_name.items()}
