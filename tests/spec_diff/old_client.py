"""A program with a client of some older contract: it calls a service and prints what it gets.

    PYTHONPATH=<folder of the generated client>:overrides:. python old_client.py URL

Of the layer it uses what does not name the present contract: from building a request to decoding its answer.
"""

import json
import sys
from typing import Any

import httpx

from tools.spec_diff import driver

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


def call(client: httpx.Client, url: str, method: str, path: str, plan: Any) -> dict[str, Any]:
    """Make a call over the network and return how its answer reads."""
    endpoint = driver.find_endpoint(method, path)
    assert endpoint is not None
    problems: list[str] = []
    request = endpoint.get_request(**driver.build(endpoint, plan, problems))
    assert problems == []
    model, _ = driver.find_model(endpoint.module, "200")
    given: dict[str, Any] = dict.fromkeys(("bearer_auth", "timeout", "default_headers", "default_query"))
    options = driver.OPTIONS.resolve_options(
        **given, api_key="k", api_secret="s", base_url=url, max_retries=0, strict_responses=False, environ={}
    )
    steps = driver.HTTP.call(
        driver.HTTP.Api(options), driver.HTTP.Operation(path, model, request, driver.RETRY.Repeat.NEVER)
    )
    driver.WARNINGS.found = []
    answer: Any = None
    try:
        effect = next(steps)
        while True:
            effect = steps.send(driver.HTTP.send(client, effect))
    except StopIteration as done:
        answer = done.value
    upload = answer.upload
    kind = getattr(upload, "kind", None)
    return {
        "model": type(answer).__name__,
        "status": str(getattr(upload, "status", None)),
        "kind": kind,
        "is_known": driver.is_known(kind),
        "extra": getattr(upload, "additional_properties", {}),
        "warnings": driver.WARNINGS.found,
    }


def main() -> None:
    driver.logging.getLogger("scenario_uploads").addHandler(driver.WARNINGS)
    with httpx.Client(trust_env=False) as client:
        print(json.dumps([call(client, sys.argv[1], *each) for each in CALLS]))


if __name__ == "__main__":
    main()
