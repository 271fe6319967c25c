"""Say what becomes of clients that were made from the old contract when the service moves to the new one.

It is tried and not guessed: the old client is generated aside and run below the layer that users import. Each change is
tried by itself. A request is made of values that the old contract allows, with one at the place of the change that the
new contract refuses, if there is one; what the client sends is held against the new contract. An answer is made of
values that the old contract allows, with one at that place that only the new contract allows, and decoded; what comes
of it counts when it did not come of the same answer with an old value there. Where nothing can be tried, a table
answers, and says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import attrs

from tools.contract.document import Contract
from tools.spec_diff import generated
from tools.spec_diff.bench import READ_AS_BEFORE, SENT_AS_BEFORE, Bench, Effect, Judge, join
from tools.spec_diff.excerpt import cut
from tools.spec_diff.policy import RULES, Policy
from tools.spec_diff.reach import MAX_OPERATIONS, Graph, list_roots
from tools.spec_diff.report import Change
from tools.spec_diff.trial import Result
from tools.spec_diff.try_answers import try_answer
from tools.spec_diff.try_operations import NOTHING, UNKNOWN, try_operation
from tools.spec_diff.try_requests import settle, try_request
from tools.spec_diff.views import Direction

Trial = tuple[Direction, Judge]
NOT_ON_THE_WIRE = Effect("nothing", "an installed client has its own names")


def add_installed(
    changes: Sequence[Change],
    old: Contract,
    new: Contract,
    _policy: Policy | None = None,
) -> list[Change]:
    """Return the changes with what becomes of installed clients, whatever their levels.

    Raises:
        UnreadableError: When no client can be generated from the old contract.
    """
    todo = [change for change in changes if change.installed_clients is None and is_known(change)]
    effects = {change: Effect("nothing", NOTHING[change.kind]) for change in todo if change.kind in NOTHING}
    effects |= {change: NOT_ON_THE_WIRE for change in todo if change.kind in RULES["python"]}
    todo = [change for change in todo if change not in effects]
    if todo:
        effects |= try_changes(todo, old, new)
    return [
        attrs.evolve(change, installed_clients=str(effects[change])) if change in effects else change
        for change in changes
    ]


def is_known(change: Change) -> bool:
    """Return whether a change is of a kind that this program knows."""
    return any(change.kind in rules for rules in RULES.values())


def try_changes(changes: Sequence[Change], old: Contract, new: Contract) -> dict[Change, Effect]:
    """Try changes and return what becomes of installed clients with each."""
    is_large = generated.is_large(old)
    if not is_large:
        generated.start_generating(old)
    bench = Bench.set_up(old, new)
    trials = plan_trials(bench, changes)
    results: list[Result] = []
    if bench.plan.calls:
        results = bench.plan.carry_out(generated.wait_for(reduce_old(bench) if is_large else old))
    return {change: join((direction, judge(results)) for direction, judge in own) for change, own in trials.items()}


def reduce_old(bench: Bench) -> Contract:
    """Return the old contract with no more than the calls need."""
    operations = [match.old.pointer for match in bench.plan.matches if match.old is not None]
    needed = {("schemas", str(place[2])) for place in bench.old.reader.places if place[:2] == ("components", "schemas")}
    return cut(bench.walk.old, operations, needed)


def plan_trials(bench: Bench, changes: Sequence[Change]) -> dict[Change, list[Trial]]:
    """Plan all calls that the changes take, and return what judges them."""
    graphs = grow_graphs(bench, changes)
    trials: dict[Change, list[Trial]] = {}
    for change in changes:
        if change.kind in RULES["schemas"]:
            own = list(plan_schema(bench, graphs, change))
        else:
            own = list(plan_operation(bench, change))
        trials[change] = own or [("request", settle(describe_untried(change)))]
    return trials


def describe_untried(change: Change) -> Effect:
    """Return what is said of a fact that no request and no answer shows, such as that a body has no schema at all."""
    harmless = {"keyword-added": "(received)", "keyword-removed": "(sent)"}.get(change.kind)
    if harmless is not None and change.message.endswith(harmless):
        return SENT_AS_BEFORE if harmless == "(sent)" else READ_AS_BEFORE
    return UNKNOWN


def grow_graphs(bench: Bench, changes: Sequence[Change]) -> list[Graph]:
    """Return how schemas hang together in the operations that changes of schemas concern, for each direction."""
    names = {name for change in changes if change.kind in RULES["schemas"] for name in change.operation.split(", ")}
    roots = [each for name in bench.matches if name in names for each in list_roots(bench.walk, bench.matches[name])]
    graphs: list[Graph] = []
    for direction in ("request", "response"):
        graph = Graph(bench.walk, direction)
        graph.grow(root for own, root in roots if own == direction)
        graphs.append(graph)
    return graphs


def plan_schema(bench: Bench, graphs: Sequence[Graph], change: Change) -> Iterator[Trial]:
    """Plan the trials of a fact about a schema, in each direction in which it shows."""
    operations = frozenset(change.operation.split(", "))
    # The words of the fact, without those of the policy.
    key = (change.kind, change.location, change.message.rpartition(" (")[0])
    for graph in graphs:
        attempt = try_request if graph.direction == "request" else try_answer
        for pair, difference in graph.found.get(key, ()):
            for way in graph.find_ways(pair, operations):
                for judge in attempt(bench, difference, way):
                    yield graph.direction, judge


def plan_operation(bench: Bench, change: Change) -> Iterator[Trial]:
    """Plan the trials of a fact about operations, for some of those that share it."""
    for name in change.operation.split(", ")[:MAX_OPERATIONS]:
        if name in bench.matches:
            for judge in try_operation(bench, change, bench.matches[name]):
                yield "request", judge
