"""The sandbox in a process of its own; prints one line of JSON and runs until its standard input ends."""

from __future__ import annotations

import json
import os
import sys

from scenario_uploads.sandbox import Sandbox

if __name__ == "__main__":
    with Sandbox(api_key="key", api_secret="secret", step_delay=0.05) as box:
        print(json.dumps({"url": box.base_url, "pid": os.getpid()}), flush=True)
        sys.stdin.read()
