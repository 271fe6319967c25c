"""What is going to happen to one upload, drawn from a seed and nothing else, so that it can be repeated."""

import random
from enum import Enum

from attrs import field, frozen

MIB = 1024 * 1024
PART_SIZE = 5 * MIB
LARGEST = 40 * MIB


class Effect(Enum):
    """What a fault does to a client that does everything right."""

    HARMLESS = "harmless"
    PASSING = "passing"
    """The same request succeeds when it is sent again."""
    LOST = "lost"
    """No answer: worth one more create."""
    FORBIDDEN = "forbidden"
    """A 403 is worth one more try, a second is not."""
    FATAL = "fatal"


_LOST = ("reset", "lost_before", "lost_after", "hang_before", "hang_after", "cut", "dribble")
_REFUSED = ("s500", "s502_after", "s503_retry_after", "s429_remaining", "s408", "s520", "html_502", "s500_odd_json")
_UNREADABLE = ("html_200", "empty_200", "list_200", "deep_200", "cut_json_200", "gzip_bomb_200", "no_upload_200")
_DENIED = ("s401", "s403", "s404", "s422")

PART_FAULTS = {
    Effect.HARMLESS: ("slow", "dribble_ok", "no_etag", "kms_etag", "opaque_etag", "stale", "interim", "quoteless_etag"),
    Effect.PASSING: (
        *("reset_at_once", "reset_mid", "stall", "hang", "hang_stored", "dribble_answer", "cut_answer", "cut_body"),
        *("lost_answer", "error_200", "slowdown", "slowdown_date", "slowdown_early", "s500", "html_502", "s504"),
        *("s429", "s408", "request_timeout", "wrong_etag", "flip", "garbage", "early_200"),
    ),
    Effect.FORBIDDEN: ("early_403", "signature_403"),
    Effect.FATAL: ("no_such_upload", "too_small", "redirect", "redirect_303", "s403_twice"),
}
CALL_FAULTS = {
    "create": {
        Effect.HARMLESS: ("slow_answer",),
        Effect.LOST: _LOST,
        Effect.PASSING: _REFUSED,
        Effect.FATAL: (
            *_UNREADABLE,
            *_DENIED,
            *("s400", "s409", "no_id", "part_twice", "part_missing", "part_surplus", "no_parts", "part_url_http"),
            *("part_url_userinfo", "part_url_dead", "part_number_text"),
        ),
    },
    "complete": {
        Effect.HARMLESS: ("slow_answer",),
        Effect.PASSING: (*_LOST, *_REFUSED, *_UNREADABLE, "s400", "s409", "s409_after"),
        Effect.FATAL: _DENIED,
    },
    "retrieve": {
        Effect.HARMLESS: ("slow_answer", "stale_pending"),
        Effect.PASSING: (*_LOST, *_REFUSED, *_UNREADABLE),
        Effect.FATAL: _DENIED,
    },
}
ENDINGS = ("imported", "no_entity", "failed", "failed_silently", "never", "unknown_for_ever")
EVENTS = (
    *("expiry", "expiry_wordless", "expiry_twice", "expiry_no_restart", "file_grows", "file_shrinks", "file_rewritten"),
    *("cancel_create", "cancel_part", "cancel_complete", "cancel_retrieve", "raise_early", "raise_late"),
    *("kill", "kill_twice", "storm", "bandwidth"),
)
STORM = 6

Lead = tuple[str, str]
"""A kind of place (`create`, `part`, `event`, `ending` …) and what happens there."""


def list_leads() -> list[Lead]:
    """Return everything that can happen: each upload gets one of these for certain, in turn, and others by chance."""
    leads = [(step, name) for step, table in CALL_FAULTS.items() for names in table.values() for name in names]
    leads += [("part", name) for names in PART_FAULTS.values() for name in names]
    leads += [("event", name) for name in EVENTS]
    leads += [("ending", name) for name in ENDINGS]
    return leads + [("calm", "calm")] * 10


def effect_of(step: str, fault: str) -> Effect:
    """Return what a fault does at a step."""
    table = PART_FAULTS if step.startswith("part") else CALL_FAULTS[step]
    return next(effect for effect, names in table.items() if fault in names)


@frozen
class Script:
    """One upload: what is sent and how, and what becomes of it.

    Attributes:
        index: Its place in the run.
        lead: What happens to it for certain.
        is_async: Whether `AsyncScenario` sends it.
        size: Bytes.
        at: Where in the pool of random bytes they are.
        given: How the source is given: `path`, `bytes`, `object` (an open file) or `memory` (a BytesIO).
        concurrency: Parts at once.
        integrity: Whether ETags are compared.
        resume: Whether a ledger is kept, and the call made again after a failure.
        wait: Whether the import is waited for.
        event: What else happens: the URLs expire, the file changes, the user gives up, the process is killed.
        event_part: The part at which it does.
        ending: What the import comes to.
        statuses: What `retrieve` says before that.
        complete_again: What a second `complete` is answered with.
        skew: By how many seconds the service's clock differs from ours.
        faults: For each step (`create`, `part 1` …) what its next requests get instead of an answer.
        rate: The chance of each request, besides these, to be faulty; none of it is a fault that ends an upload.
    """

    index: int
    lead: Lead
    is_async: bool
    size: int
    at: int
    given: str
    concurrency: int
    integrity: bool
    resume: bool
    wait: bool
    event: str | None
    event_part: int
    ending: str
    statuses: tuple[str, ...]
    complete_again: int
    skew: float
    faults: dict[str, tuple[str, ...]] = field(factory=dict)
    rate: float = 0.0

    @property
    def name(self) -> str:
        """The name it is uploaded under."""
        return f"chaos-{self.index}.glb"

    @property
    def parts_count(self) -> int:
        """How many parts it has."""
        return -(-self.size // PART_SIZE)

    @property
    def changes_file(self) -> bool:
        """Whether the file changes while it is sent."""
        return (self.event or "").startswith("file_")

    @property
    def kills(self) -> int:
        """How often its process is killed."""
        return {"kill": 1, "kill_twice": 2}.get(self.event or "", 0)

    @property
    def expected(self) -> str | None:
        """What it has to come to, by the name of a class; None when that depends on timing or on several faults."""
        if self.rate:
            # What is expected of nearly all of them is counted at the end.
            return None
        effects = {step: [effect_of(step, fault) for fault in faults] for step, faults in self.faults.items()}
        if any(Effect.FATAL in found for found in effects.values()):
            return None
        if sum(effect is not Effect.HARMLESS for effect in effects.get("create", [])) > 1:
            return None
        if any(found.count(Effect.FORBIDDEN) > 1 for found in effects.values()):
            return None
        if len(effects.get("complete", [])) + len(effects.get("retrieve", [])) > 2:
            return None
        if (self.event or "").startswith(("cancel", "expiry", "raise", "kill")):
            # Each of them may come before or after what else is wrong, but for what a resumed upload asks first.
            alone = not self.faults or (self.kills and set(self.faults) == {"retrieve"})
            return self._expected_of_event if alone else None
        if self.changes_file:
            return "SourceChangedError"
        return self._expected_ending

    @property
    def _expected_of_event(self) -> str | None:
        match self.event:
            case "expiry" | "expiry_wordless" | "kill" | "kill_twice":
                return self._expected_ending
            case "expiry_twice" | "expiry_no_restart":
                return "UploadURLExpiredError"
            case "raise_early" | "raise_late":
                return "InterruptionError"
            case "cancel_create" | "cancel_part" | "cancel_complete":
                return "CancelledError"
        return None

    @property
    def _expected_ending(self) -> str:
        if not self.wait or self.ending in ("imported", "no_entity"):
            return "Upload"
        return "UploadFailedError" if self.ending.startswith("failed") else "UploadTimeoutError"


def draw_script(seed: int, index: int, leads: list[Lead]) -> Script:
    """Draw what happens to upload number `index` of a run."""
    chance = random.Random(f"{seed}/{index}")
    kind, name = lead = leads[index % len(leads)]
    event = name if kind == "event" else chance.choice(EVENTS) if kind == "calm" and chance.random() < 0.1 else None
    size = _draw_size(chance, least=2 * PART_SIZE + 1 if event and event.startswith("kill") else 1)
    if event and event.startswith(("file", "expiry")):
        given = "path" if chance.random() < 0.7 else "object"
    else:
        given = chance.choice(("path", "path", "bytes", "object", "memory"))
    is_async = chance.random() < 0.45
    if event and event.startswith("cancel"):
        is_async = True
    resume = chance.random() < 0.35 and given == "path"
    if event and event.startswith("kill"):
        given, resume, is_async = "path", True, False
    ending = name if kind == "ending" else "imported"
    count = -(-size // PART_SIZE)
    calm = kind == "calm" or (event is not None and chance.random() < 0.6)
    faults = _draw_faults(chance, lead, count, calm=calm)
    if event and event.startswith("kill") and chance.random() < 0.5:
        # What the resumed upload asks first is not answered at once.
        faults["retrieve"] = (chance.choice((*_LOST, *_REFUSED)),)
    elif event and event.startswith("expiry") and chance.random() < 0.4:
        # What the fresh upload asks first is not answered well.
        faults["create"] = ("slow_answer", chance.choice((*_LOST, *_REFUSED, *_DENIED, *_UNREADABLE)))
    integrity = chance.random() < 0.8 or (kind == "part" and name in ("flip", "early_200", "wrong_etag"))
    return Script(
        index=index,
        lead=lead,
        is_async=is_async,
        size=size,
        at=chance.randrange(MIB),
        given=given,
        concurrency=chance.randint(1, 8),
        integrity=integrity,
        resume=resume,
        wait=kind in ("ending", "retrieve") or event == "cancel_retrieve" or chance.random() < 0.85,
        event=event,
        event_part=chance.randint(1, count),
        ending=ending,
        statuses=tuple(
            chance.choice(("validating", "validated", "complete", "scanning")) for _ in range(chance.randint(0, 3))
        ),
        complete_again=chance.choice((200, 400, 409)),
        skew=chance.choice((0.0, 0.0, 3600.0, -3600.0)),
        faults=faults if integrity else _without_flips(faults),
    )


def _draw_size(chance: random.Random, *, least: int) -> int:
    bound = chance.choice((1, 1000, 100_000, MIB, MIB, PART_SIZE, 2 * PART_SIZE, 3 * PART_SIZE, 5 * PART_SIZE, LARGEST))
    size = chance.randint(max(1, bound // 4), bound)
    if bound > PART_SIZE and chance.random() < 0.2:
        size -= size % PART_SIZE or 0
    return max(size, least)


def _draw_faults(chance: random.Random, lead: Lead, parts_count: int, *, calm: bool) -> dict[str, tuple[str, ...]]:
    faults: dict[str, list[str]] = {}
    kind, name = lead
    if kind == "part":
        faults[f"part {chance.randint(1, parts_count)}"] = [name, name] if name == "s403_twice" else [name]
    elif kind in CALL_FAULTS:
        faults[kind] = [name]
    wild = chance.random() < 0.2
    for _ in range(0 if calm else chance.choice((0, 0, 1, 1, 2, 3, 5) if wild else (0, 0, 1, 2, 3))):
        step = chance.choice(("create", "complete", "retrieve", "part", "part", "part", "part"))
        table = PART_FAULTS if step == "part" else CALL_FAULTS[step]
        effects = [effect for effect in table if wild or effect is not Effect.FATAL]
        fault = chance.choice([name for effect in effects for name in table[effect]])
        place = f"part {chance.randint(1, parts_count)}" if step == "part" else step
        # Some three in a row are what every step bears; a create less, and `expected` knows.
        if len(faults.setdefault(place, [])) < 3:
            faults[place].append(fault)
    return {step: tuple(names) for step, names in faults.items()}


def _without_flips(faults: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    # Without integrity nobody can notice these; what is stored would rightly be wrong.
    kept = {step: tuple(name for name in names if name not in ("flip", "early_200")) for step, names in faults.items()}
    return {step: names for step, names in kept.items() if names}


def draw_weather(seed: int, index: int, rate: float) -> Script:
    """Draw an upload of which nothing is special but that each of its requests is faulty with this chance."""
    chance = random.Random(f"{seed}/{index}/weather")
    given = chance.choice(("path", "path", "bytes", "object", "memory"))
    return Script(
        index=index,
        lead=("rate", f"{rate:g}"),
        is_async=chance.random() < 0.45,
        size=_draw_size(chance, least=1),
        at=chance.randrange(MIB),
        given=given,
        concurrency=chance.randint(1, 8),
        integrity=True,
        resume=chance.random() < 0.35 and given == "path",
        wait=True,
        event=None,
        event_part=1,
        ending="imported",
        statuses=tuple(chance.choice(("validating", "validated", "complete")) for _ in range(chance.randint(0, 3))),
        complete_again=chance.choice((200, 400, 409)),
        skew=chance.choice((0.0, 3600.0, -3600.0)),
        rate=rate,
    )


def draw_fault(chance: random.Random, step: str, *, lost: bool) -> str:
    """Draw what one request of a step meets; nothing that ends an upload, as a second lost create does."""
    table = PART_FAULTS if step.startswith("part") else CALL_FAULTS[step]
    effects = [Effect.HARMLESS, Effect.PASSING, *([Effect.LOST] if not lost else [])]
    return chance.choice([name for effect in effects for name in table.get(effect, ())])
