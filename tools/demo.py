"""Send a real file through a real presigned multipart upload, all on this machine, and tell what happens.

    python -m tools.demo

Makes a 24 MiB mesh, starts the sandbox, uploads the mesh with the client, and compares what storage received with
what was sent. Exit status 0 when they are the same bytes, 1 when they are not.
"""

import hashlib
import json
import random
import struct
import sys
import tempfile
import time
from pathlib import Path

from scenario_uploads import Scenario, UploadPhase, UploadProgress
from scenario_uploads.sandbox import Sandbox

MIB = 1024 * 1024
MESH_SIZE = 24 * MIB
PART_SIZE = 8 * MIB


def write_mesh(path: Path, size: int = MESH_SIZE) -> str:
    """Write a binary glTF file whose buffer holds `size` bytes, a multiple of 4, and return its SHA-256."""
    description = json.dumps({"asset": {"version": "2.0"}, "buffers": [{"byteLength": size}]}).encode()
    description += b" " * (-len(description) % 4)
    noise = random.Random(42).randbytes(size)  # noqa: S311 -- bytes that do not compress, always the same ones
    chunks = struct.pack("<I4s", len(description), b"JSON") + description
    chunks += struct.pack("<I4s", size, b"BIN\0") + noise
    content = struct.pack("<4sII", b"glTF", 2, 12 + len(chunks)) + chunks
    path.write_bytes(content)
    return hashlib.sha256(content).hexdigest()


STEPS = {
    UploadPhase.COMPLETING: "all parts are stored; saying `complete`",
    UploadPhase.WAITING: "waiting for the service to validate and import the file",
    UploadPhase.DONE: "imported",
}


def main() -> int:
    told: set[str] = set()

    def narrate(progress: UploadProgress) -> None:
        line = STEPS.get(progress.phase, f"{progress.parts_done} of {progress.parts_total} parts stored")
        if line not in told:
            print(f"     {line}")
        told.add(line)

    with tempfile.TemporaryDirectory(prefix="scenario-uploads-demo-") as folder:
        mesh = Path(folder) / "dragon.glb"
        print(f"1. Making a mesh of {MESH_SIZE // MIB} MiB: {mesh.name}")
        source_digest = write_mesh(mesh)
        print("2. Starting the sandbox: the uploads API and S3 storage, both on this machine")
        with Sandbox() as box:
            print(f"     listening on {box.base_url}")
            print(f"3. Uploading in parts of {PART_SIZE // MIB} MiB, each to a presigned URL")
            start = time.perf_counter()
            with Scenario(base_url=box.base_url, api_key=box.api_key, api_secret=box.api_secret) as client:
                # The file is gone when this ends, so no ledger of it is kept in the user's state folder.
                upload = client.uploads.upload_file(mesh, part_size=PART_SIZE, on_progress=narrate, resume=False)
            print(f"     {mesh.stat().st_size / MIB:.0f} MiB sent and imported in {time.perf_counter() - start:.1f} s")
            print("4. Comparing what storage received with what was sent")
            stored_digest = box.sha256(upload.id)
        print(f"     sent   SHA-256 {source_digest}")
        print(f"     stored SHA-256 {stored_digest}")
    if stored_digest != source_digest:
        print("error: storage received other bytes than were sent", file=sys.stderr)
        return 1
    print(f"The same bytes: the mesh has arrived, and is an asset of the sandbox now.\n\nentityId: {upload.entity_id}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
