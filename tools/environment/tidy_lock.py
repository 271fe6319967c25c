"""Leave out of package-lock.json what names addresses and locks nothing: whom one may pay for a package."""

import json
from pathlib import Path


def tidy(text: str) -> str:
    """Return the text of a lock file without its `funding` entries, otherwise as npm writes it."""
    lock = json.loads(text)
    for package in lock["packages"].values():
        package.pop("funding", None)
    return json.dumps(lock, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    path = Path("package-lock.json")
    path.write_text(tidy(path.read_text(encoding="utf-8")), encoding="utf-8")
