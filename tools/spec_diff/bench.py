"""What trying a change takes: both contracts, values for their schemas, and the calls that are planned."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal, get_args

import attrs

from tools.contract.document import Contract, Pointer
from tools.contract.operations import Operation
from tools.spec_diff.reach import (
    ABSENT,
    Match,
    Part,
    Way,
    find_body,
    find_content,
    find_schema,
    find_values,
    is_json,
    list_examples,
    match_operations,
)
from tools.spec_diff.samples import TEXT, Sampler, unique
from tools.spec_diff.schemas import Difference
from tools.spec_diff.trial import Given, Plan, Result, read_body, read_parameter
from tools.spec_diff.views import Direction, Reader
from tools.spec_diff.wire import Walk

Word = Literal["nothing", "tolerated", "degraded", "broken"]
WORDS: tuple[Word, ...] = get_args(Word)
MAX_VALUES = 4
"""How many values are tried at one place."""


@attrs.frozen
class Effect:
    """What becomes of a client."""

    word: Word
    why: str

    @property
    def rank(self) -> int:
        """How bad it is."""
        return WORDS.index(self.word)

    def __str__(self) -> str:
        return f"{self.word}: {self.why}"


Judge = Callable[[Sequence[Result]], Effect]
"""Takes what came of all calls and says what that means for one change."""

SENT_AS_BEFORE = Effect("nothing", "what the client sends is still allowed")
READ_AS_BEFORE = Effect("nothing", "what comes reads as before")
NOT_SENT = Effect("nothing", "the client does not send it")


def judge_unsent(result: Result) -> Effect:
    """Return what it means that nothing was sent: the client refuses to, or it could not be tried."""
    if "refused" in result:
        return NOT_SENT
    return Effect("broken", f"not tried, since the call could not be made: {result['failed']}")


def join(effects: Iterable[tuple[Direction, Effect]]) -> Effect:
    """Return the worst effect, and with it that in the other direction when that is worth a word."""
    worst: dict[Direction, Effect] = {}
    for direction, effect in effects:
        if direction not in worst or effect.rank > worst[direction].rank:
            worst[direction] = effect
    ordered = sorted(worst.items(), key=lambda item: -item[1].rank)
    if len(ordered) == 1:
        return ordered[0][1]
    (_, first), (direction, second) = ordered
    if first.word == "nothing":
        whys = [worst[each].why for each in ("request", "response")]
        return Effect("nothing", whys[0] if whys[0] == whys[1] else ", and ".join(whys))
    if second.word == "nothing":
        return first
    where = "requests" if direction == "request" else "answers"
    return Effect(first.word, f"{first.why}; in {where} {second}")


KEYWORDS: Mapping[str, frozenset[str]] = {
    **dict.fromkeys(("type-changed", "type-narrowed", "type-widened"), frozenset({"type"})),
    **dict.fromkeys(("null-added", "null-removed"), frozenset({"null"})),
    **dict.fromkeys(("enum-value-added", "enum-value-removed", "enum-added", "enum-removed"), frozenset({"enum"})),
    **dict.fromkeys(("pattern-added", "pattern-removed", "pattern-changed"), frozenset({"pattern"})),
    **dict.fromkeys(
        ("format-added", "format-removed", "format-changed", "format-narrowed", "format-widened"), frozenset({"format"})
    ),
    **dict.fromkeys(("alternative-added", "alternative-removed"), frozenset({"alternatives", "type", "enum"})),
}
BOUNDS = {"minimum": "lower", "exclusiveMinimum": "lower", "maximum": "upper", "exclusiveMaximum": "upper"}


def find_keywords(difference: Difference) -> frozenset[str]:
    """Return by which keywords a schema refuses what a difference is about; none when only a validator can tell."""
    if difference.rule.startswith("limit-"):
        keyword = str(difference.place[-1])
        return frozenset({BOUNDS.get(keyword, keyword)})
    return KEYWORDS.get(difference.rule, frozenset())


@attrs.define(eq=False)
class Bench:
    """Where the changes between two contracts are tried."""

    walk: Walk
    plan: Plan
    old: Sampler
    new: Sampler
    matches: Mapping[str, Match]

    @classmethod
    def set_up(cls, old: Contract, new: Contract) -> Bench:
        """Return one for two contracts."""
        # Readers of their own, which know afterwards what the calls needed.
        return cls(Walk(old, new), Plan(old), Sampler(Reader(old)), Sampler(Reader(new)), match_operations(old, new))

    def give(
        self,
        operation: Operation,
        part: Part = (),
        value: Any = ABSENT,
        *,
        also: Iterable[tuple[str, str]] = (),
        with_body: bool = False,
    ) -> Given:
        """Return arguments for an operation of the old contract: what it demands, and `value` as one part of it.

        Args:
            operation: The operation.
            part: The parameter, or the body, that is to be `value`; it is left out when that is ABSENT.
            value: What it is to be.
            also: More parameters that are to be given.
            with_body: Whether a body is to be given though it is not demanded.

        Raises:
            NoSampleError: When no value is found for something that has to be given.
        """
        contract = self.walk.old
        parameters: list[tuple[str, str, Any]] = []
        for key, holder in sorted(self.walk.list_parameters(contract, operation).items()):
            if part == ("parameter", *key):
                parameters += [] if value is ABSENT else [(*key, value)]
            elif key in also or key[0] == "path" or contract.object_at(holder).get("required") is True:
                schema = find_schema(contract, holder)
                parameters.append((*key, TEXT if schema is None else self.old.make_plain(schema)))
        if part == ("body",):
            return Given(tuple(parameters), value)
        place = find_body(contract, operation)
        needed = place is not None and (with_body or contract.object_at(place).get("required") is True)
        return Given(tuple(parameters), self.make_body(place) if needed and place is not None else ABSENT)

    def list_candidates(self, way: Way, *, old: bool) -> list[Any]:
        """Return values that one contract allows at the end of a way; its examples there are among them."""
        own, other = (self.old, self.new) if old else (self.new, self.old)
        place, beside = (way.target.old, way.target.new) if old else (way.target.new, way.target.old)
        root = way.root.pair.old if old else way.root.pair.new
        view = own.reader.read(place)
        values = own.list_values(place, other.reader.read(beside))
        for example in list_examples(own.contract, root):
            values += [value for value in find_values(example, way.steps) if not own.refuse(view, value)]
        return unique(values)

    def make_body(self, place: Pointer) -> Any:
        """Return the plainest JSON body that the old contract allows, or ABSENT when it has none.

        Raises:
            NoSampleError: When no value is found.
        """
        for name, media in find_content(self.walk.old, place).items():
            if is_json(name):
                schema = find_schema(self.walk.old, media)
                return {} if schema is None else self.old.make_plain(schema)
        return ABSENT

    def read(self, contract: Contract, match: Match, part: Part, result: Result) -> Any:
        """Return a part of a request that was sent, as a contract tells a service to read it, or ABSENT."""
        operation = match.old if contract is self.walk.old else match.new
        if part[0] == "body" or operation is None:
            return read_body(result["sent"])
        return read_parameter(self.walk, contract, operation, (part[1], part[2]), result["sent"])
