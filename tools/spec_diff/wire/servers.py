"""Compare the base URLs of an operation."""

from __future__ import annotations

from tools.contract.document import Contract, Pointer, is_object
from tools.spec_diff.wire.views import Side
from tools.spec_diff.wire.walk import Walk


def compare_servers(walk: Walk, old: Pointer, new: Pointer) -> None:
    """Compare the base URLs of an operation."""
    before, after = (list_servers(contract, place) for contract, place in walk.sides(old, new))
    for url, place in before.items():
        walk.visit("server", place or None, None)
        if url not in after:
            side: Side = "old" if place else "new"
            walk.say("server-removed", side, place or new, f"the server {url} was removed")
    for url, place in after.items():
        walk.visit("server", None, place or None)
        if url not in before:
            walk.say("server-added", "new", place or new, f"the server {url} was added")


def list_servers(contract: Contract, operation: Pointer) -> dict[str, Pointer]:
    """Return the base URLs of an operation and where they are said."""
    for holder in (operation, operation[:-1], ()):
        if servers := contract.get((*holder, "servers"), list):
            urls = [str(server.get("url") if is_object(server) else server) for server in servers]
            return {url.rstrip("/") or "/": (*holder, "servers", index) for index, url in enumerate(urls)}
    return {"/": ()}
