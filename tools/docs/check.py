"""Looking through a built site for files that are not there and for what comes from another host.

Whether a link to a page or a heading is alive, zensical says; it does not look at pictures, scripts and HTML.
"""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

# Links in the page's head that no browser follows by itself.
IDLE = {"canonical", "prev", "next", "alternate"}
IN_STYLE = re.compile(r"(?i)(?:@import\s+|url\(\s*)[\"']?((?:https?:)?//[^\"')\s]+)")


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
