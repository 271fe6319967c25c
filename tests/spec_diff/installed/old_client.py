"""A program with a client of some older contract: it calls a service and prints what it gets.

PYTHONPATH=<folder of the generated client>:overrides python old_client.py URL
"""

import json
import logging
import sys
from typing import Any

import driver

# isort: split
from scenario_uploads import Scenario, is_known
from scenario_uploads.api.exchange import Operation, fetch
from scenario_uploads.retry import Repeat

CALLS: list[tuple[str, str, Any]] = [
    ("post", "/uploads", {"body": {"fileName": "a.txt", "contentType": "text/plain", "fileSize": 1, "parts": 1}}),
    ("get", "/uploads/{uploadId}", {"parameters": [["path", "0", "upload_1"]]}),
    (
        "post",
        "/uploads/{uploadId}/action",
        {"parameters": [["path", "0", "upload_1"]], "body": {"action": "complete"}},
    ),
    ("post", "/uploads", {"body": {"url": "https://example.com/a.txt", "kind": "image"}}),
]


def call(uploads: Any, method: str, path: str, plan: Any) -> dict[str, Any]:
    """Make a call over the network and return how its answer reads."""
    endpoint = driver.find_endpoint(method, path)
    assert endpoint is not None
    problems: list[str] = []
    request = endpoint.get_request(**driver.build(endpoint, plan, problems))
    assert problems == []
    model, _ = driver.find_model(endpoint.module, "200")
    driver.WARNINGS.found = []
    operation = Operation(path, model, request, Repeat.NEVER)
    answer = uploads._runner.run(fetch(uploads._api, operation, retries=0)).value
    upload = answer.upload
    kind = getattr(upload, "kind", None)
    return {
        "model": type(answer).__name__,
        "status": str(getattr(upload, "status", None)),
        "kind": kind,
        "is_known": is_known(kind),
        "extra": getattr(upload, "additional_properties", {}),
        "warnings": driver.WARNINGS.found,
    }


def main() -> None:
    """Make all calls."""
    logging.getLogger("scenario_uploads").addHandler(driver.WARNINGS)
    with Scenario(api_key="k", api_secret="s", base_url=sys.argv[1], max_retries=0) as client:
        print(json.dumps([call(client.uploads, *each) for each in CALLS]))


if __name__ == "__main__":
    main()
