"""What files consist of: no stretch of it comes twice, nothing of it can be packed, and it costs next to nothing.

`randbytes` alone takes six times as long.
"""

import random

BLOCK_SIZE = 64 * 1024


def make_content(size: int, seed: int = 0) -> bytes:
    """Return this many bytes: random ones, in blocks that begin with their number."""
    block = random.Random(seed).randbytes(BLOCK_SIZE - 8)
    count, rest = divmod(size, BLOCK_SIZE)
    blocks = [piece for number in range(count) for piece in (number.to_bytes(8, "big"), block)]
    return b"".join([*blocks, (count.to_bytes(8, "big") + block)[:rest]])


def make_glb(size: int, seed: int = 0) -> bytes:
    """Return a file of this size that begins as a GLB does."""
    return b"glTF\x02\x00\x00\x00" + size.to_bytes(4, "little") + make_content(size - 12, seed)
