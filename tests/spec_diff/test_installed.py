"""What becomes of installed clients: old clients are run, and the column of the policy says the same.

The column knows a rule and a direction, and a trial one schema, so that they differ here and there; each difference is
named with its reason.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.spec_diff.cases import OPERATION_CASES, SCHEMA_CASES
from tests.spec_diff.installed.trials import LEFT_OUT, run_all
from tests.spec_diff.support import CONTRACTS, generate
from tests.spec_diff.test_pairs import compare_cases
from tests.support.server import Server, reply
from tests.support.service import make_upload
from tools.contract.document import read_contract
from tools.project import ROOT
from tools.spec_diff.policy import WORDS, read_policy
from tools.spec_diff.report import Change

CONST = "a const has no enum in the generated client, so that it reads as it came, with a warning"
NULL = "an optional field reads None as when it is left out; a required one is worse, and stands in the column"
CHECKED = "no validator at hand knows the keyword, so that nothing is refused here"
UNTYPED = "the generated client reads such properties as they come"
WHOLE = "null as a whole body is sent; a field that is None is left out"
# By the case, the direction and whether it is taken back: the word that running gives, and why the column has another.
DIFFERENCES: Mapping[tuple[str, str, bool], tuple[str, str]] = {
    ("null joins by oneOf", "received", False): ("tolerated", NULL),
    ("null joins by anyOf", "received", False): ("tolerated", NULL),
    ("const becomes a wider enum", "received", False): ("degraded", CONST),
    ("const changed", "received", False): ("degraded", CONST),
    ("const changed", "received", True): ("degraded", CONST),
    ("contentEncoding changed", "sent", False): ("nothing", CHECKED),
    ("contentEncoding changed", "sent", True): ("nothing", CHECKED),
    ("other properties of one schema", "sent", False): ("broken", "values of additional_properties have a type here"),
    ("patternProperties changed", "received", False): ("nothing", UNTYPED),
    ("patternProperties changed", "received", True): ("nothing", UNTYPED),
    ("null joins the type", "sent", True): ("broken", WHOLE),
    ("null joins an enum", "sent", True): ("broken", WHOLE),
    ("format changed", "received", True): ("nothing", "a date is read as a date-time without a word"),
    ("property added where no other was allowed", "sent", True): ("broken", "the new schema is closed"),
    ("parameter's style", "operation", True): ("nothing", "with explode, each item that comes is read by itself"),
    ("media type of an answer", "operation", True): ("nothing", "it is not the media type that the client reads"),
    ("server of an operation", "operation", True): ("nothing", "it is not the server that the client calls"),
    ("what no rule knows", "operation", True): ("nothing", "nobody knows what it means, so that somebody has to look"),
}
CASES: list[tuple[tuple[str, ...], int, Any]] = [
    *((("sent", "received"), index, case) for index, case in enumerate(SCHEMA_CASES)),
    *((("operation",), index, case) for index, case in enumerate(OPERATION_CASES)),
]


def find_column(way: str, index: int, *, back: bool) -> str:
    """Return the worst word of the changes of a case in one direction."""
    rules = read_policy().rules
    words = [WORDS[0]]
    for change in compare_cases(back=back).get(f"{way}_{index}", []):
        effects = rules[change.kind]["installed"]
        direction = {"sent": "request", "received": "response"}.get(way)
        text = effects.get(direction) if isinstance(effects, dict) else None
        words.append((text or str(change.installed_clients)).partition(":")[0])
    return max(words, key=WORDS.index)


@pytest.mark.parametrize(
    ("ways", "index", "case"), [pytest.param(*each, id=each[2].name.replace(" ", "-")) for each in CASES]
)
def test_column_says_what_old_clients_do(ways: tuple[str, ...], index: int, case: Any) -> None:
    """The worst that becomes of an old client is what the policy says, there and back."""
    for way in ways:
        if case.name in LEFT_OUT:
            assert f"{way}_{index}" not in run_all(back=False)
            continue
        for back in (False, True):
            found, column = run_all(back=back)[f"{way}_{index}"], find_column(way, index, back=back)
            expected, _why = DIFFERENCES.get((case.name, way, back), (column, ""))
            assert (found, column != found) == (expected, (case.name, way, back) in DIFFERENCES), (way, found, column)


def test_few_differences_are_named() -> None:
    """At most one word in twenty differs, and each belongs to a case."""
    assert len(DIFFERENCES) <= sum(2 * len(ways) for ways, _, _ in CASES) / 20
    assert {name for name, _, _ in DIFFERENCES} <= {case.name for _, _, case in CASES}


@pytest.mark.parametrize(
    ("rule", "directions", "expected"),
    [
        ("type-narrowed", {"request"}, "broken: the service may refuse what the client sends"),
        ("type-narrowed", {"request", "response"}, "broken: the service may refuse what the client sends"),
        (
            "type-changed",
            {"request", "response"},
            (
                "broken: the service may refuse what the client sends;"
                " in answers degraded: a field reads None or as it came, with a warning"
            ),
        ),
        (
            "limit-widened",
            {"request", "response"},
            "nothing: what the client sends is still allowed, and what comes reads as before",
        ),
        ("deprecated", set(), "nothing: it works as before"),
        ("python-added", set(), "nothing: an installed client has its own names"),
    ],
)
def test_worse_direction_comes_first(rule: str, directions: set[Any], expected: str) -> None:
    """One line tells of both directions, and leaves out the one in which all is well."""
    change = Change("", "#/x", 1, rule, "note", "m", directions=frozenset(directions))
    assert read_policy().judge(change).installed_clients == expected


# An old client alive


@pytest.fixture
def service() -> Iterator[Server]:
    """A service that answers as contract 1.3.0 says, with all that 1.0.0 does not know."""
    upload = make_upload(kind="text", url=None, config={"new": True}) | {"checksum": {"md5": "0"}}
    dry_run = {"creativeUnitsCost": 5, "creativeUnitsDiscount": 0.5, "costDetails": {}}

    def answer(exchange: Any) -> None:
        exchange.read_body()
        is_dry = exchange.request.method == "POST" and b"https:" in exchange.request.body
        reply(*((269, dry_run) if is_dry else (200, {"upload": upload})))(exchange)

    with Server(answer) as server:
        yield server


def test_client_of_1_0_0_survives_a_service_of_1_3_0(service: Server) -> None:
    """Unknown values, fields and statuses cost the oldest client no more than a warning."""
    client = generate(read_contract(CONTRACTS / "1.0.0.yaml").document)
    folder = Path(__file__).with_name("installed")
    done = subprocess.run(
        [sys.executable, str(folder / "old_client.py"), f"{service.origin}/v1"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join((str(client), str(ROOT / "overrides")))},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    create, retrieve, action, dry_run = json.loads(done.stdout)
    for read, model in ((create, "Create"), (retrieve, "Retrieve"), (action, "TriggerAction")):
        assert read == {
            "model": f"Upload{model}Response",
            "status": "imported",
            "kind": "text",
            "is_known": False,
            "extra": {"checksum": {"md5": "0"}},
            "warnings": [],
        }
    # A dry run that it did not ask for has no upload in it.
    assert (dry_run["model"], dry_run["kind"]) == ("UploadCreateResponse", None)
    assert dry_run["warnings"] == ["upload is missing"]
    assert [(request.method, request.query) for request in service.requests] == [
        ("POST", []),
        ("GET", []),
        ("POST", []),
        ("POST", []),
    ]
