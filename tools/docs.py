"""Build the site from docs/ into build/docs: the contract by Redocly, all else by zensical in its own environment.

    python -m tools.docs

Exits 1 after a warning of the generator, a dead link, or something from another host. Links to pages and headings are
zensical's to check; pictures, scripts and HTML are looked at here.
"""

import re
import shutil
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

from tools.environment.setup import SetupError, run, set_up_python
from tools.project import ROOT

SITE = ROOT / "build" / "docs"
VENV = ROOT / ".docs" / "venv"
CONTRACT = ROOT / "docs" / "reference" / "openapi.html"
# zensical lets pages that are opened as files load this from another host.
SHIM = "https://unpkg.com/iframe-worker/shim"
# Pages may load what comes with them, and nothing from other hosts, whatever their scripts try.
POLICY = "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob: file:"

# Links in the page's head that no browser follows by itself.
IDLE = {"canonical", "prev", "next", "alternate"}
IN_STYLE = re.compile(r"(?i)(?:@import\s+|url\(\s*)[\"']?((?:https?:)?//[^\"')\s]+)")


def build() -> None:
    """Build the site into build/docs, from nothing; a tool that fails or warns is an error."""
    set_up_python(ROOT, ".docs/venv", "requirements-docs.txt")
    render_contract(CONTRACT)
    # What an earlier build left would hide a dead link.
    shutil.rmtree(SITE, ignore_errors=True)
    run(VENV / "bin" / "zensical", "build", "--strict", "--clean")
    bring_home(SITE)


def render_contract(page: Path) -> None:
    """Write openapi.yaml as a page that needs nothing else."""
    redocly = ROOT / "node_modules" / ".bin" / "redocly"
    run(redocly, "build-docs", "openapi.yaml", "--inlineBundle", "-o", page)
    # Its own logo would come from another host; a text does as well.
    html = re.sub(r"https://cdn\.redoc\.ly/redoc/[\w-]+\.svg", "data:,", page.read_text(encoding="utf-8"))
    style = '<style>a[href*="redocly.com/redoc"]::after { content: "Redoc" }</style>'
    page.write_text(html.replace("</head>", f"{style}\n</head>", 1), encoding="utf-8")


def bring_home(site: Path) -> None:
    """Make pages load nothing from other hosts: the one script that zensical's do becomes a copy."""
    shutil.copy(ROOT / "node_modules" / "iframe-worker" / "shim" / "index.js", site / "assets" / "worker.js")
    meta = f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
    for page in site.rglob("*.html"):
        up = "../" * len(page.relative_to(site).parents[:-1])
        html = page.read_text(encoding="utf-8").replace(SHIM, f"{up}assets/worker.js")
        page.write_text(html.replace("<head>", f"<head>\n{meta}", 1), encoding="utf-8")


class Page(HTMLParser):
    """What a page leads to, and what it loads."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.links: set[str] = set()
        self.loads = set(IN_STYLE.findall(html)) if "<style" in html else set()
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        is_link = tag == "a" or IDLE & {*(found.get("rel") or "").split()}
        (self.links if is_link else self.loads).update(filter(None, (found.get("src"), found.get("href"))))


def find_faults(site: Path) -> Iterator[str]:
    """Return the files that a site leads to and has not, and what it would load from another host."""
    for path in sorted(site.rglob("*.html")):
        page, name = Page(path.read_text(encoding="utf-8")), path.relative_to(site)
        yield from (f"{name} loads {link} from another host" for link in sorted(page.loads) if urlsplit(link).netloc)
        # The page for what is not there may be shown anywhere, so its links are from the root; Redoc's are its own.
        for link in sorted(page.links | page.loads) if name.name not in ("404.html", "openapi.html") else ():
            url = urlsplit(link)
            if not (url.scheme or url.netloc or (path.parent / unquote(url.path)).exists()):
                yield f"{name} links to {link}, which is not there"
    for path in sorted(site.rglob("*.css")):
        for link in IN_STYLE.findall(path.read_text(encoding="utf-8")):
            yield f"{path.relative_to(site)} loads {link} from another host"


def main() -> int:
    try:
        build()
        faults = list(find_faults(SITE))
    except SetupError as error:
        faults = [str(error)]
    for fault in faults:
        print(f"error: {fault}", file=sys.stderr)
    if not faults:
        print(f"The site is in {SITE.relative_to(SITE.parents[1])}: open index.html.")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
