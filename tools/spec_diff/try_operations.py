"""Try facts about operations and their parts: addresses, parameters, bodies, statuses, credentials."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from tools.contract.document import Contract, Pointer, format_pointer, is_object
from tools.contract.operations import Operation, list_operations, normalize_path
from tools.spec_diff.bench import NOT_SENT, SENT_AS_BEFORE, Bench, Effect, Judge, judge_unsent
from tools.spec_diff.places import format_place
from tools.spec_diff.reach import ABSENT, Match, find_content, find_responses, find_schema, is_json
from tools.spec_diff.report import Change
from tools.spec_diff.samples import NoSampleError, Sampler
from tools.spec_diff.trial import Answer, Result, find_read_status, read_parameter
from tools.spec_diff.try_answers import choose_status, judge_raised
from tools.spec_diff.try_requests import settle
from tools.spec_diff.views import show

NOTHING: Mapping[str, str] = {
    "operation-added": "no client of the old contract calls it",
    "operationId-changed": "the wire carries no operationId",
    "deprecated": "it works as before",
    "undeprecated": "it works as before",
    "path-parameter-renamed": "the wire carries no names of parameters in paths",
    "parameter-added": "the client does not send it",
    "parameter-became-optional": "what the client sends is still allowed",
    "body-added": "the client sends none",
    "body-became-optional": "what the client sends is still allowed",
    "request-media-type-added": "the client goes on sending what it sent",
    "error-status-removed": "no client waits for an error",
    "header-added": "the client does not read it",
    "header-became-required": "what comes reads as before",
    "server-added": "the client goes on calling the address that it has",
    "openapi-changed": "words do not travel over the wire",
    "documentation-changed": "words do not travel over the wire",
    "unused-component-changed": "no operation leads to it",
    "other-added": "not tried; no rule knows it, and no client of the old contract does",
}
"""What no client of the old contract can see, and why."""
UNKNOWN = Effect("degraded", "not tried, since nothing here knows what it means; look")
NOT_TRIED = Effect("broken", "not tried, since no request of the old contract could be made up; look")
Try = Callable[[Bench, Change, Match], list[Judge]]


def try_operation(bench: Bench, change: Change, match: Match) -> list[Judge]:
    """Plan calls that show what a change of one operation means; return what judges them."""
    if change.kind in NOTHING:
        return [settle(Effect("nothing", NOTHING[change.kind]))]
    attempt = TRIES.get(change.kind)
    if attempt is None or match.old is None:
        return [settle(UNKNOWN)]
    try:
        return attempt(bench, change, match)
    except NoSampleError:
        return [settle(NOT_TRIED)]


def old_operation(match: Match) -> Operation:
    """Return the operation that the client calls."""
    if match.old is None:
        raise NoSampleError(match.name)
    return match.old


# Addresses


def try_address(bench: Bench, _change: Change, match: Match) -> list[Judge]:
    """Is there anybody at the address that the client calls?"""
    number = bench.plan.add(match, bench.give(old_operation(match)))
    return [partial(judge_address, bench, match, number)]


def judge_address(bench: Bench, match: Match, number: int, results: Sequence[Result]) -> Effect:
    """Return what becomes of a call whose address may be gone."""
    old = old_operation(match)
    if "sent" not in results[number]:
        return judge_unsent(results[number])
    sent = results[number]["sent"]
    base = cut_base(old, str(sent["path"]))
    for each in list_operations(bench.walk.new):
        if each.method == sent["method"] and re.fullmatch(re.escape(base) + make_pattern(each), sent["path"]):
            return Effect("nothing", f"{each.method.upper()} {each.path} answers the same calls")
    return Effect("broken", f"nothing answers {old.method.upper()} {old.path} any more")


def make_pattern(operation: Operation) -> str:
    """Return a pattern of the paths that reach an operation."""
    return re.sub(r"\\\{\\\}", "[^/]+", re.escape(normalize_path(operation.path)))


def cut_base(operation: Operation, called: str) -> str:
    """Return the path or URL of a call without the operation's own path."""
    return re.sub(f"{make_pattern(operation)}$", "", called)


# Parameters


def find_parameter(bench: Bench, contract: Contract, operation: Operation | None, location: str) -> tuple[str, str]:
    """Return where the parameter is that a change is located at, and what it is called there.

    Raises:
        NoSampleError: When there is none.
    """
    for key, place in bench.walk.list_parameters(contract, operation).items() if operation is not None else ():
        if f"{location}/".startswith(f"{format_place(contract, place)}/"):
            return key
    raise NoSampleError(location)


def find_either(bench: Bench, change: Change, match: Match) -> tuple[str, str]:
    """Return the parameter that a change is located at in the contract of its line."""
    if change.side == "new":
        return find_parameter(bench, bench.walk.new, match.new, change.location)
    return find_parameter(bench, bench.walk.old, match.old, change.location)


def name_parameter(bench: Bench, match: Match, key: tuple[str, str]) -> str:
    """Return what a contract calls a parameter."""
    for contract, operation in ((bench.walk.new, match.new), (bench.walk.old, match.old)):
        if operation is not None and (place := bench.walk.list_parameters(contract, operation).get(key)) is not None:
            return str(contract.object_at(place)["name"])
    return key[1]


def try_demanded(bench: Bench, change: Change, match: Match) -> list[Judge]:
    """Does the client send what is demanded now, if it may leave it out?"""
    key = find_either(bench, change, match)
    number = bench.plan.add(match, bench.give(old_operation(match), ("parameter", *key), ABSENT))
    return [partial(judge_demanded, bench, match, key, number)]


def judge_demanded(bench: Bench, match: Match, key: tuple[str, str], number: int, results: Sequence[Result]) -> Effect:
    """Return what becomes of a request that may lack a parameter."""
    result, name = results[number], name_parameter(bench, match, key)
    if "failed" in result:
        return judge_unsent(result)
    if "sent" not in result:
        return Effect("nothing", f"the client always sends {name}")
    if match.new is not None and read_parameter(bench.walk, bench.walk.new, match.new, key, result["sent"]) is ABSENT:
        return Effect("broken", f"the service demands the {key[0]} parameter {name}, which the client may leave out")
    return Effect("nothing", f"the client sends {name} by itself")


def try_added(bench: Bench, change: Change, match: Match) -> list[Judge]:
    """Does the client send a parameter that it does not know?"""
    key = find_either(bench, change, match)
    number = bench.plan.add(match, bench.give(old_operation(match)))

    def judge(results: Sequence[Result]) -> Effect:
        name = name_parameter(bench, match, key)
        sent = results[number].get("sent")
        if sent is None or match.new is None:
            return judge_unsent(results[number])
        if read_parameter(bench.walk, bench.walk.new, match.new, key, sent) is ABSENT:
            return Effect(
                "broken", f"the service demands the {key[0]} parameter {name}, which the client does not send"
            )
        return Effect("nothing", f"the client sends {name} by itself")

    return [judge]


def try_removed(bench: Bench, change: Change, match: Match) -> list[Judge]:
    """Does the client send a parameter that nobody reads any more, or looks for elsewhere?"""
    moved = change.kind == "parameter-moved"
    new_key = find_either(bench, change, match) if moved else None
    old_key = find_either(bench, change, match) if not moved else find_moved(bench, match, new_key)
    number = bench.plan.add(match, bench.give(old_operation(match), also=[old_key]))

    def judge(results: Sequence[Result]) -> Effect:
        sent = results[number].get("sent")
        if sent is None:
            return judge_unsent(results[number])
        if read_parameter(bench.walk, bench.walk.old, old_operation(match), old_key, sent) is ABSENT:
            return NOT_SENT
        name = name_parameter(bench, match, old_key)
        if new_key is not None and match.new is not None:
            place = bench.walk.list_parameters(bench.walk.new, match.new)[new_key]
            if bench.walk.new.object_at(place).get("required") is True:
                return Effect("broken", f"the service demands {name} in the {new_key[0]}")
        return Effect("degraded", f"{name} is no longer read")

    return [judge]


def find_moved(bench: Bench, match: Match, key: tuple[str, str] | None) -> tuple[str, str]:
    """Return where a parameter was that is somewhere else now."""
    for where, name in bench.walk.list_parameters(bench.walk.old, old_operation(match)):
        if key is not None and where != key[0] and name.lower() == key[1].lower():
            return where, name
    raise NoSampleError("the parameter was not there")


def try_style(bench: Bench, change: Change, match: Match) -> list[Judge]:
    """Does the service read what the client means?"""
    key = find_either(bench, change, match)
    place = bench.walk.list_parameters(bench.walk.old, old_operation(match))[key]
    schema = find_schema(bench.walk.old, place)
    if schema is None:
        raise NoSampleError(key[1])
    values = bench.old.list_values(schema)
    # Several items show how they are told apart.
    values = [value for value in values if isinstance(value, list) and len(value) > 1] or values[:1]
    value: Any = values[0] if values else "text"
    number = bench.plan.add(match, bench.give(old_operation(match), ("parameter", *key), value))

    def judge(results: Sequence[Result]) -> Effect:
        sent = results[number].get("sent")
        if sent is None or match.new is None:
            return judge_unsent(results[number])
        before = read_parameter(bench.walk, bench.walk.old, old_operation(match), key, sent)
        after = read_parameter(bench.walk, bench.walk.new, match.new, key, sent)
        if after == value or before != value:
            return SENT_AS_BEFORE
        return Effect("broken", f"the service reads {name_parameter(bench, match, key)}={show(value)} as {show(after)}")

    return [judge]


# Bodies


def try_body(bench: Bench, change: Change, match: Match) -> list[Judge]:
    """Is the body what the service wants?"""
    leave_out = change.kind in ("required-body-added", "body-became-required")
    arguments: Any = bench.give(old_operation(match), ("body",), ABSENT)
    if not leave_out:
        arguments = bench.give(old_operation(match), with_body=True)
    number = bench.plan.add(match, arguments)
    return [partial(judge_body, change, number)]


def judge_body(change: Change, number: int, results: Sequence[Result]) -> Effect:
    """Return what becomes of a request whose body, or lack of one, is not what it was."""
    sent = results[number].get("sent")
    rule = change.kind
    if sent is None:
        effect = judge_unsent(results[number])
        always = effect is NOT_SENT and rule == "body-became-required"
        return Effect("nothing", "the client always sends a body") if always else effect
    if rule in ("required-body-added", "body-became-required"):
        verb = "may leave out" if rule == "body-became-required" else "does not send"
        return (
            SENT_AS_BEFORE
            if sent["content"]
            else Effect("broken", f"the service demands a body, which the client {verb}")
        )
    if not sent["content"]:
        return NOT_SENT
    if rule == "body-removed":
        return Effect("degraded", "the body is no longer read")
    media_type = re.sub(r" was (removed|changed)$", "", change.message).rpartition(" ")[2].lower()
    own = sent["headers"].get("content-type", "").partition(";")[0].lower()
    if rule == "request-media-type-removed":
        if own != media_type:
            return Effect("nothing", f"the client sends {own}")
        return Effect("broken", f"the client sends {own}, which the service refuses")
    return Effect("nothing", "the client writes JSON, which has no encoding of its own")


# Servers


def try_server(bench: Bench, change: Change, match: Match) -> list[Judge]:
    """Is it the server that the client calls?"""
    number = bench.plan.add(match, bench.give(old_operation(match)))
    url = change.message.removeprefix("the server ").removesuffix(" was removed")

    def judge(results: Sequence[Result]) -> Effect:
        sent = results[number].get("sent")
        called = "" if sent is None else str(sent["url"])
        if called.startswith(f"{url.rstrip('/')}/"):
            return Effect("broken", f"the client calls {url}, unless it is given another base_url")
        base = cut_base(old_operation(match), called)
        return Effect("degraded", f"nobody answers clients that were given {url} as base_url; {base} is their default")

    return [judge]


# Answers


def list_bodies(bench: Bench, sampler: Sampler, response: Pointer) -> Iterator[tuple[Any, str, str]]:
    """Yield what an answer may be: a JSON value (or ABSENT), else a text, and the media type."""
    contract = sampler.contract
    content = find_content(contract, response)
    for name, media in content.items():
        schema = find_schema(contract, media)
        if is_json(name) and schema is not None:
            place = sampler.reader.locate(schema)
            # As it was, when it was there: what else has changed in it is not this change's doing.
            known = place[:2] == ("components", "schemas") and not bench.walk.lacks(bench.walk.old, place)
            for value in (bench.old if known else sampler).list_values(place)[:3]:
                yield value, "", "application/json"
        elif is_json(name):
            yield {}, "", "application/json"
    if not any(map(is_json, content)):
        yield ABSENT, "text" if content else "", next(iter(content), "")


def try_status(bench: Bench, change: Change, match: Match) -> list[Judge]:
    """What does the client make of an answer with a status that it did not know?"""
    if match.new is None:
        raise NoSampleError(match.name)
    key = change.location.rpartition("/")[2].upper()
    response = find_responses(bench.walk.new, match.new)[key]
    status = choose_status(key)
    given = bench.give(old_operation(match))
    judges: list[Judge] = []
    for content, text, media_type in list_bodies(bench, bench.new, response):
        headers = (("content-type", media_type),) if media_type else ()
        number = bench.plan.add(match, given, Answer(status, content, headers, text=text))
        known = find_read_status(bench.walk.old, old_operation(match), status)
        judges.append(partial(judge_status, status, known, number))
    return judges or [settle(UNKNOWN)]


def judge_status(status: int, known: str | None, number: int, results: Sequence[Result]) -> Effect:
    """Return what the client makes of an answer with a status that it did not know."""
    after = results[number]
    if "sent" not in after:
        return judge_unsent(after)
    if after.get("unread"):
        return Effect("tolerated", f"a {status} is taken like any 2xx")
    raised = after.get("raised")
    if raised is None:
        problems = after["problems"]
        if not problems:
            return Effect("tolerated", f"a {status} is read like the {known}")
        warning = f"with a warning: {'; '.join(problems)}"
        return Effect("tolerated", f"should a {status} come unasked, it is read like the {known}, {warning}")
    if status >= 300 and raised["known"]:
        return Effect("tolerated", f"a {status} raises {raised['type']}, like any error that no contract lists")
    return Effect("broken", f"a {status} raises {raised['type']}: {raised['text']}")


def try_lost_status(bench: Bench, _change: Change, match: Match) -> list[Judge]:
    """Is there a success left?"""
    statuses = [] if match.new is None else list(find_responses(bench.walk.new, match.new))
    if any(status.startswith("2") for status in statuses):
        return [settle(Effect("nothing", "the client waits for no status but any 2xx"))]
    return [settle(Effect("broken", "no 2xx is left, and the client takes anything else for a failure"))]


def try_media_type(bench: Bench, _change: Change, match: Match) -> list[Judge]:
    """Does the client read bodies at all?"""
    if find_read_status(bench.walk.old, old_operation(match), 200) is None:
        return [settle(Effect("nothing", "the client reads no body of this operation"))]
    return [settle(Effect("nothing", "the client goes on asking for application/json"))]


def try_lost_media_type(bench: Bench, change: Change, match: Match) -> list[Judge]:
    """What does the client make of an answer without the media type that is gone?"""
    judges: list[Judge] = []
    if match.new is None:
        raise NoSampleError(match.name)
    before, after = find_responses(bench.walk.old, old_operation(match)), find_responses(bench.walk.new, match.new)
    given = bench.give(old_operation(match))
    for status, place in before.items():
        lost = [media for name, media in find_content(bench.walk.old, place).items() if is_json(name)]
        if status not in after or not any(format_pointer(media) == change.location for media in lost):
            continue
        number = choose_status(status)
        controls = [
            bench.plan.add(match, given, Answer(number, content, (("content-type", kind),), text=text))
            for content, text, kind in list_bodies(bench, bench.old, place)
        ][:1]
        for content, text, kind in list_bodies(bench, bench.new, after[status]):
            headers = (("content-type", kind),) if kind else ()
            new = bench.plan.add(match, given, Answer(number, content, headers, text=text))
            judges += [partial(judge_lost, control, new) for control in controls]
    return judges or [settle(Effect("nothing", "the client reads JSON alone"))]


def judge_lost(control: int, number: int, results: Sequence[Result]) -> Effect:
    """Return what the client makes of an answer in another media type."""
    before, after = results[control], results[number]
    if "sent" not in after:
        return judge_unsent(after)
    if "raised" in after:
        return judge_raised(before, after["raised"])
    return Effect("nothing", "the client reads no body of this operation")


def try_lost_header(bench: Bench, change: Change, match: Match) -> list[Judge]:
    """Does the client miss a header?"""
    found = re.search(r"the header (\S+) ", f"{change.message} ")
    name = found[1] if found else ""
    given = bench.give(old_operation(match))
    status = 429
    for key, place in find_responses(bench.walk.old, old_operation(match)).items():
        if name in {other.lower() for other in bench.walk.old.get((*place, "headers"), dict)}:
            status = choose_status(key)
            break
    headers = ((name, "3"),)
    numbers = [
        bench.plan.add(match, given, Answer(status, {}, (("content-type", "application/json"), *own)))
        for own in (headers, ())
    ]

    def judge(results: Sequence[Result]) -> Effect:
        before, after = (results[number] for number in numbers)
        if "raised" in after:
            effect = judge_raised(before, after["raised"])
            if effect.word != "nothing":
                return effect
        return Effect("nothing", f"the client does not read the header {name} here")

    return [judge]


# Credentials


def try_security(bench: Bench, _change: Change, match: Match) -> list[Judge]:
    """Do the credentials suffice that a client can be given?"""
    given = bench.give(old_operation(match))
    numbers = {scheme: bench.plan.add(match, given, scheme=scheme) for scheme in ("basic", "bearer")}
    return [partial(judge_security, bench, match, numbers)]


def judge_security(bench: Bench, match: Match, numbers: Mapping[str, int], results: Sequence[Result]) -> Effect:
    """Return what becomes of requests with each kind of credentials that the layer knows."""
    lost: list[str] = []
    for number in numbers.values():
        sent = results[number].get("sent")
        if sent is None or match.new is None:
            return judge_unsent(results[number])
        scheme = sent["headers"].get("authorization", "").partition(" ")[0]
        ways = list_ways(bench.walk.old, old_operation(match)), list_ways(bench.walk.new, match.new)
        sufficed = [way for way in ways[0] if suffices(bench.walk.old, way, sent)]
        # A token has the scopes that the old contract asked for, as far as anybody knows.
        scopes = {scope for way in sufficed for own in way.values() for scope in own}
        if sufficed and not any(suffices(bench.walk.new, way, sent, scopes) for way in ways[1]):
            lost.append(scheme)
    if lost:
        return Effect("broken", f"the service refuses {' and '.join(lost)} credentials")
    return Effect("nothing", "the credentials that sufficed still do")


def list_ways(contract: Contract, operation: Operation) -> list[Mapping[str, list[str]]]:
    """Return the ways to authenticate: the scopes of each scheme that a way takes."""
    holder: Pointer = operation.pointer if "security" in contract.object_at(operation.pointer) else ()
    ways = [way for way in contract.get((*holder, "security"), list) if is_object(way)]
    return ways or [{}]


def suffices(
    contract: Contract, way: Mapping[str, list[str]], sent: Mapping[str, Any], scopes: set[str] | None = None
) -> bool:
    """Return whether a request carries what one way to authenticate asks for; without `scopes` it has any."""
    own = sent["headers"].get("authorization", "").partition(" ")[0].lower()
    schemes = contract.get(("components", "securitySchemes"), dict) if "components" in contract.document else {}
    for name, wanted in way.items():
        scheme = (
            contract.object_at(contract.resolve(("components", "securitySchemes", name))) if name in schemes else {}
        )
        kind = str(scheme.get("type"))
        asked = str(scheme.get("scheme")).lower() if kind == "http" else "bearer"
        if kind not in ("http", "oauth2", "openIdConnect") or own != asked:
            return False
        if scopes is not None and not set(wanted) <= scopes:
            return False
    return True


TRIES: Mapping[str, Try] = {
    "operation-removed": try_address,
    "operation-moved": try_address,
    "required-parameter-added": try_added,
    "parameter-became-required": try_demanded,
    "parameter-removed": try_removed,
    "parameter-moved": try_removed,
    "parameter-style-changed": try_style,
    **dict.fromkeys(("required-body-added", "body-became-required", "body-removed"), try_body),
    **dict.fromkeys(("request-media-type-removed", "encoding-changed"), try_body),
    **dict.fromkeys(("success-status-added", "error-status-added"), try_status),
    "success-status-removed": try_lost_status,
    "response-media-type-removed": try_lost_media_type,
    "response-media-type-added": try_media_type,
    "server-removed": try_server,
    **dict.fromkeys(("header-removed", "header-became-optional"), try_lost_header),
    **dict.fromkeys(
        ("security-added", "security-loosened", "security-tightened", "security-scheme-changed"), try_security
    ),
}
