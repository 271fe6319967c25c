"""Leave out of package-lock.json what names addresses and locks nothing: whom one may pay for a package.

python -m tools.environment.tidy_lock package-lock.json
"""

from __future__ import annotations

import json
import sys
from pathlib import Path


def tidy(text: str) -> str:
    """Return the text of a lock file without its `funding` entries, otherwise as npm writes it."""
    lock = json.loads(text)
    for package in lock["packages"].values():
        package.pop("funding", None)
    return json.dumps(lock, indent=2, ensure_ascii=False) + "\n"


def main(argv: list[str] | None = None) -> int:
    """Rewrite the lock files that are named."""
    for name in sys.argv[1:] if argv is None else argv:
        path = Path(name)
        path.write_text(tidy(path.read_text(encoding="utf-8")), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
