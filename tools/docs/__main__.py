"""Build the site from docs/ into build/docs, and check it; or show it.

    python -m tools.docs [--serve [PORT]]

Exits 1 after a warning of the generator, a dead link, something from another host, or a slip of spelling.
"""

import argparse
import functools
import http.server
import sys

from tools.docs.check import find_faults
from tools.docs.site import SITE, build, check_spelling
from tools.environment.setup import SetupError


def serve(port: int) -> None:
    """Show the site on this machine until Ctrl-C."""
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(SITE))
    with http.server.ThreadingHTTPServer(("127.0.0.1", port), handler) as server:
        print(f"http://127.0.0.1:{server.server_port}/ shows the site; Ctrl-C ends it.", flush=True)
        server.serve_forever()


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Build the site of the documentation, and check it.")
    parser.add_argument("--serve", nargs="?", type=int, const=8000, metavar="PORT", help="and show it (default 8000)")
    arguments = parser.parse_args(argv)
    try:
        build()
        faults = [*check_spelling(), *find_faults(SITE)]
        for fault in faults:
            print(f"error: {fault}", file=sys.stderr)
        if arguments.serve is not None:
            serve(arguments.serve)
    except SetupError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    if not faults:
        print(f"The site is in {SITE.relative_to(SITE.parents[1])}: open index.html.")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
