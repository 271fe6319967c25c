"""Looking through a built site for links that lead nowhere and for what comes from another host."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

# What makes a browser fetch something, and by which attribute it is named.
LOADS = {
    "img": "src",
    "script": "src",
    "iframe": "src",
    "source": "src",
    "video": "src",
    "audio": "src",
    "link": "href",
}
# Links in the page's head that are not checked.
IDLE = {"canonical", "prev", "next", "alternate"}
OUTSIDE = re.compile(r"(?i)(?:https?:)?//")
IN_STYLE = re.compile(r"(?i)(?:@import\s+|url\(\s*)[\"']?((?:https?:)?//[^\"')\s]+)")


class Page(HTMLParser):
    """What a page has to do with others: its anchors, its links, and what it loads."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: list[str] = []
        self.loads: list[str] = [match[1] for match in IN_STYLE.finditer(html) if "<style" in html]
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.anchors |= {value for name in ("id", "name") if (value := found.get(name))}
        target = found.get(LOADS.get(tag, "")) or ""
        if target and not (tag == "link" and set((found.get("rel") or "").split()) & IDLE):
            self.loads.append(target)
        if tag == "a" and (link := found.get("href")):
            self.links.append(link)


def find_faults(site: Path) -> Iterator[str]:
    """Return the dead links of a site, and what it would load from another host."""
    pages = {path.resolve(): Page(path.read_text(encoding="utf-8")) for path in site.rglob("*.html")}
    for path, page in sorted(pages.items()):
        name = path.relative_to(site.resolve())
        yield from (f"{name} loads {url} from another host" for url in page.loads if OUTSIDE.match(url))
        # The page for what is not there may be shown anywhere, so its links are from the root; Redoc's are its own.
        if name.name not in ("404.html", "openapi.html"):
            for link in dict.fromkeys([*page.links, *page.loads]):
                if not is_alive(link, path, pages):
                    yield f"{name} links to {link}, which is not there"
    for path in sorted(site.rglob("*.css")):
        for match in IN_STYLE.finditer(path.read_text(encoding="utf-8")):
            yield f"{path.relative_to(site)} loads {match[1]} from another host"


def is_alive(link: str, path: Path, pages: dict[Path, Page]) -> bool:
    """Return whether a link leads somewhere; what is on other hosts is taken to be there."""
    url = urlsplit(link)
    if url.scheme or url.netloc:
        return True
    target = (path.parent / unquote(url.path)).resolve() if url.path else path
    if target.is_dir():
        target /= "index.html"
    anchor = unquote(url.fragment)
    return target.is_file() and (not anchor or target not in pages or anchor in pages[target].anchors)
