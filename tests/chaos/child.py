"""One upload in a process of its own, which is killed in the middle of it: `python -m tests.chaos.child`."""

import json
import logging
import sys

from scenario_uploads import Scenario

from tests.chaos import shorten


def main() -> None:
    order = json.loads(sys.stdin.read())
    logging.basicConfig(level=logging.DEBUG)
    shorten.shorten_waits()
    with shorten.connect(Scenario, order["url"]) as client:
        client.uploads.upload_file(order["path"], **order["keywords"])


if __name__ == "__main__":
    main()
