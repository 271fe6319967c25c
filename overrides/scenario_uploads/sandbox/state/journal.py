"""The requests that made each upload, and what changed when: what the page shows, without secrets and bounded."""

import bisect
import json
import re
import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, Final

import attrs

MASK: Final = "***"
_MAX_TEXT: Final = 4096
_MAX_REQUESTS: Final = 20_000
_MAX_CHARACTERS: Final = 32 * 1024 * 1024
_MAX_APART: Final = 50
_MAX_ITEMS: Final = 3
_MIN_SECRET: Final = 8
_URL: Final = re.compile(r"://([^\s\"'<>?#]*)([?#]?)[^\s\"'<>]*")
_SECRET_NAME: Final = re.compile(r"secret|token|passw|authorization|api_?key|signature|credential", re.IGNORECASE)
_SHOWN_HEADERS: Final = ("authorization", "accept", "content-length", "content-type", "user-agent")
_SHOWN_QUERY: Final = ("projectId", "dryRun")


@attrs.define(kw_only=True)
class Request:
    """A request and its answer, without secrets."""

    at: datetime
    seconds: float
    method: str
    path: str
    """With the query, masked."""
    status: int
    headers: dict[str, str] = attrs.field(factory=dict)
    body: str = ""
    answer: str = ""
    part: int | None = None
    size: int | None = None
    """The bytes of a part."""
    note: str = ""
    """The fault that it met."""
    count: int = 1
    """How many times in a row it was made, with the same answer."""

    @property
    def weight(self) -> int:
        """How many characters it holds, about."""
        return 500 + len(self.path) + len(self.body) + len(self.answer) + sum(map(len, self.headers.values()))


@attrs.define
class Trace:
    """What is known of an upload besides its record. Part numbers are bits: part 1 is bit 0."""

    version: int = 0
    """Counts the changes of the whole sandbox; that of the last one here."""
    requests: list[Request] = attrs.field(factory=list)
    dropped: int = 0
    """How many of its requests are no longer kept."""
    sending: int = 0
    stored: int = 0
    refused: int = 0


class Journal:
    """What happened, safe to use from any thread.

    Args:
        is_kept: Whether anything is noted at all.
        secrets: Texts to mask wherever they are.
    """

    def __init__(self, *, is_kept: bool = True, secrets: Iterable[str] = ()) -> None:
        self._is_kept = is_kept
        # Shorter ones would be found in other words; nobody chooses one for a secret.
        self._secrets = tuple(secret for secret in secrets if len(secret) >= _MIN_SECRET)
        self._lock = threading.Lock()
        self._version = self._weight = 0
        # The one that changed last is at the end.
        self._traces: OrderedDict[str, Trace] = OrderedDict()
        self._apart: deque[Request] = deque(maxlen=_MAX_APART)
        self._all: deque[tuple[str, int]] = deque()
        self._listeners: set[Callable[[], object]] = set()

    @property
    def version(self) -> int:
        """How many changes there were."""
        return self._version

    def listen(self, listener: Callable[[], object]) -> Callable[[], None]:
        """Call a function, which must be quick, with every change until the returned function is called."""
        with self._lock:
            self._listeners.add(listener)

        def stop() -> None:
            with self._lock:
                self._listeners.discard(listener)

        return stop

    def touch(self, upload_id: str | None = None) -> None:
        """Note that an upload, or something else that is shown, changed."""
        with self._lock:
            self._touch(upload_id)

    def _touch(self, upload_id: str | None) -> Trace | None:
        if not self._is_kept:
            return None
        self._version += 1
        trace = None
        if upload_id is not None:
            trace = self._traces.setdefault(upload_id, Trace())
            trace.version = self._version
            self._traces.move_to_end(upload_id)
        for listener in self._listeners:
            listener()
        return trace

    def forget(self, upload_id: str) -> None:
        """Forget an upload."""
        with self._lock:
            self._traces.pop(upload_id, None)

    def list_changed(self, since: int) -> list[str]:
        """Return the ids of the uploads that changed after a version, in the order of their last change."""
        found: list[str] = []
        with self._lock:
            for upload_id, trace in reversed(self._traces.items()):
                if trace.version <= since:
                    break
                found.append(upload_id)
        return found[::-1]

    def find(self, upload_id: str) -> Trace:
        """Return a copy of what is known of an upload."""
        with self._lock:
            trace = self._traces.get(upload_id, Trace())
            return attrs.evolve(trace, requests=trace.requests.copy())

    def find_parts(self, upload_id: str) -> tuple[int, int, int]:
        """Return the bits of the parts that are stored, on their way, and refused."""
        with self._lock:
            trace = self._traces.get(upload_id, Trace())
            return trace.stored, trace.sending, trace.refused

    def list_apart(self) -> list[Request]:
        """Return the latest requests that belong to no upload."""
        with self._lock:
            return list(self._apart)

    def note_part(self, upload_id: str, number: int, *, state: str) -> None:
        """Note that a part is `sending`, `stored` or `refused`."""
        bit = 1 << number - 1
        with self._lock:
            if upload_id in self._traces and (trace := self._touch(upload_id)) is not None:
                trace.sending = trace.sending | bit if state == "sending" else trace.sending & ~bit
                if state == "stored":
                    trace.stored, trace.refused = trace.stored | bit, trace.refused & ~bit
                elif state == "refused":
                    trace.refused |= bit & ~trace.stored

    def note_request(
        self,
        upload_id: str | None,
        *,
        query: Iterable[tuple[str, str]] = (),
        headers: Mapping[str, str] | None = None,
        body: Any = None,
        answer: Any = None,
        path: str,
        **fields: Any,
    ) -> None:
        """Note a request; what is secret in it, or too much, is taken out.

        Args:
            upload_id: The upload that it belongs to; unknown ones and None are kept apart.
            query: The parameters of its query.
            headers: Its headers.
            body: The decoded JSON body.
            answer: The decoded JSON of the answer.
            path: Its path, without the query.
            fields: Further fields of `Request`.
        """
        if not self._is_kept:
            return
        shown = "&".join(f"{name}={value if name in _SHOWN_QUERY else MASK}" for name, value in query)
        request = Request(
            path=self.mask(path + ("?" + shown if shown else ""))[:_MAX_TEXT],
            headers=self._mask_headers(headers or {}),
            body=self._write(body),
            answer=self._write(_shorten(answer)),
            **fields,
        )
        with self._lock:
            if upload_id is None or upload_id not in self._traces:
                self._apart.append(request)
                self._touch(None)
                return
            trace = self._touch(upload_id)
            assert trace is not None  # noqa: S101 - for the type checker
            last = trace.requests[-1] if trace.requests else request
            if last is not request and last.part is None and _is_same(last, request):
                last.count += 1
                last.at, last.seconds = request.at, request.seconds
                return
            # A part is noted when its answer is out, by when its sender may have made the next request.
            bisect.insort(trace.requests, request, key=lambda each: each.at)
            self._all.append((upload_id, request.weight))
            self._weight += request.weight
            while len(self._all) > _MAX_REQUESTS or self._weight > _MAX_CHARACTERS:
                self._drop_oldest()

    def _drop_oldest(self) -> None:
        upload_id, weight = self._all.popleft()
        self._weight -= weight
        trace = self._traces.get(upload_id)
        if trace is not None and trace.requests:
            del trace.requests[0]
            trace.dropped += 1

    def mask(self, text: str) -> str:
        """Return a text without the secrets of the sandbox, and without users and queries of URLs."""
        for secret in self._secrets:
            text = text.replace(secret, MASK)
        return _URL.sub(_mask_url, text)

    def _mask_headers(self, headers: Mapping[str, str]) -> dict[str, str]:
        shown = {name: headers[name] for name in _SHOWN_HEADERS if name in headers}
        if "authorization" in shown:
            scheme = shown["authorization"].partition(" ")[0].lower()
            shown["authorization"] = f"{scheme.title()} {MASK}" if scheme in {"basic", "bearer"} else MASK
        return {name: self.mask(value)[:200] for name, value in shown.items()}

    def _write(self, value: Any) -> str:
        if value is None:
            return ""
        try:
            text = json.dumps(self._mask_value(value), ensure_ascii=False)
        except RecursionError:
            return "(nested too deeply to be shown)"
        return text if len(text) <= _MAX_TEXT else f"{text[:_MAX_TEXT]}\n… {len(text) - _MAX_TEXT} characters more"

    def _mask_value(self, value: Any, name: str = "") -> Any:
        if _SECRET_NAME.search(name):
            return MASK
        if isinstance(value, dict):
            return {self.mask(str(key)): self._mask_value(item, str(key)) for key, item in value.items()}
        if isinstance(value, list):
            return [self._mask_value(item, name) for item in value]
        if isinstance(value, str):
            # The query of a Civitai page says which version of a model is meant.
            public = name == "civitaiModelUrl" and "@" not in value
            return value if public else self.mask(value)
        return value


def _shorten(value: Any) -> Any:
    """Return an answer with the first few items of its lists: of 10,000 parts, two show what all are like."""
    if isinstance(value, dict):
        return {name: _shorten(item) for name, item in value.items()}
    if isinstance(value, list) and len(value) > _MAX_ITEMS:
        return [*value[: _MAX_ITEMS - 1], f"… {len(value) - _MAX_ITEMS + 1} more"]
    return value


def _mask_url(found: re.Match[str]) -> str:
    authority, slash, path = found[1].partition("/")
    _, user, host = authority.rpartition("@")
    return f"://{MASK + user if user else ''}{host}{slash}{path}{'?' + MASK if found[2] else ''}"


def _is_same(first: Request, second: Request) -> bool:
    """Return whether two requests differ in their time alone."""
    return attrs.evolve(first, at=second.at, seconds=second.seconds, count=second.count) == second
