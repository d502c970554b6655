"""The same requests to the emulator and to a FastAPI built of the pinned document: what differs, by rule.

``nox -s differential [-- --bodies 20000 --seed 7]``, with FastAPI and pydantic pinned: pydantic 2.12 is what the pages
were of that the live API named in April 2026, and FastAPI 0.109 the last whose entries of a 422 have a page. The rules
of ``BODIES`` and ``ROUTES`` are the ways in which the emulator is known to differ; anything else that differs fails the
run, and so does a rule that covers more than 1 % of the bodies. The seed decides the bodies; nothing hangs on time.

Lives here: asking both, the comparison, and the table. Does not live here: the app (``fastapi_app``), what both are
asked (``odd_requests``), single requests and their answers (``test_refusals``, ``test_reading``).
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import math
import random
import re
import sys
from collections import Counter, defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias
from urllib.parse import unquote, urlencode

sys.path.insert(0, str(Path(__file__).parent))

from attrs import field, frozen
from fastapi_app import Document
from odd_requests import VALUES, Bodies
from pydantic import AnyUrl, BaseModel

from muapi_client.emulator import Emulator, Request
from muapi_client.emulator._spec.operations import read_operations
from muapi_client.pinning import pinned

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

LARGEST_SHARE: Final = 0.01  # of the bodies, for one rule; routes are asked one by one, so a share says nothing there
UNREADABLE: Final = {"detail": "There was an error parsing the body"}


@frozen
class Answer:
    """What one of the two says, and what it has read where it takes the request."""

    status: int
    body: Any
    read: Any = None
    headers: Mapping[str, str] = field(factory=dict)

    @property
    def accepts(self) -> bool:
        return self.status not in {307, 405, 422, 500} and self.body != UNREADABLE


@frozen
class Sent:
    """A request, and what both answered."""

    method: str
    path: str
    content: bytes
    content_type: str
    theirs: Answer
    ours: Answer


Rules: TypeAlias = "tuple[tuple[str, Callable[[Sent], bool]], ...]"  # name, and whether it is why the two differ
BODIES: Final[Rules] = (
    (
        "no finite number, or half of a character: FastAPI fails where it has to repeat it, the emulator always (500)",
        lambda sent: sent.ours.status == 500 and sent.theirs.accepts,
    ),
)
ROUTES: Final[Rules] = (
    (
        "a slash spelt %2F outside of parameters: FastAPI takes it for one, MuAPI is said not to (404)",
        lambda sent: "%2F" in sent.path and sent.ours.status == 404,
    ),
    (
        "methods of a path that has several: FastAPI allows the first that was declared, the emulator all",
        lambda sent: sent.theirs.headers.get("allow") in sent.ours.headers.get("allow", "").split(", "),
    ),
)


def compare(sent: Sent, *, urls: bool) -> str:
    """Say how the two answers differ; ``""`` where they are the same."""
    theirs, ours = sent.theirs, sent.ours
    if theirs.accepts and ours.accepts:
        return "" if ours.read is None or _is_same(theirs.read, ours.read) else "both accept, read otherwise"
    if theirs.accepts is not ours.accepts:
        return f"FastAPI {theirs.status}, emulator {ours.status}"
    if theirs.status != ours.status:
        return f"FastAPI {theirs.status}, emulator {ours.status}"
    if _without_urls(theirs.body, urls) != _without_urls(ours.body, urls):
        return "both refuse, in other words"
    if any(theirs.headers.get(name) != ours.headers.get(name) for name in ("allow", "location")):
        return "both refuse, with other headers"
    return ""


def _without_urls(body: Any, urls: bool) -> Any:
    if urls or not isinstance(body, dict) or not isinstance(body.get("detail"), list):
        return body
    return [{name: part for name, part in entry.items() if name != "url"} for entry in body["detail"]]


def _is_same(theirs: Any, ours: Any) -> bool:
    """Return whether both read the same; pydantic writes a link anew, and passes over fields that it does not know."""
    if isinstance(theirs, BaseModel):
        theirs = theirs.model_dump(by_alias=True, exclude_unset=True)
    if isinstance(theirs, AnyUrl):
        return isinstance(ours, str)
    if isinstance(theirs, dict):
        return all(name in ours and _is_same(part, ours[name]) for name, part in theirs.items())
    if isinstance(theirs, list):
        return len(theirs) == len(ours) and all(map(_is_same, theirs, ours))
    if isinstance(theirs, float) and isinstance(ours, float) and math.isnan(theirs):
        return math.isnan(ours)
    return theirs == ours and isinstance(theirs, bool) is isinstance(ours, bool)


class Pair:
    """The app and the emulator, asked the same."""

    def __init__(self, document: Document) -> None:
        self.app = document.build_app()
        self._document = document
        self._read: list[Any] = []
        self.emulator = Emulator(
            ("sk-deleted", "sk-live"),  # the first has id 1
            balance=10**9,
            job_seconds=0,
            outcomes=lambda _slug, body: self._read.append(body),
        )

    async def ask(self, method: str, path: str, content: bytes, content_type: str, query: Mapping[str, str]) -> Sent:
        """Send a request to both."""
        headers = {"x-api-key": "sk-live", "host": "api.muapi.ai"}
        headers |= {"content-type": content_type} if content_type else {}
        theirs = await self._ask_app(method, path, headers, content, urlencode(query))
        self._read.clear()
        response = self.emulator.handle(Request(method, path, query=query, headers=headers, body=content))
        read = self._read[0] if self._read else None
        ours = Answer(response.status, _parse(response.body), read, response.headers)
        return Sent(method, path, content, content_type, theirs, ours)

    async def _ask_app(self, method: str, path: str, headers: Mapping[str, str], content: bytes, query: str) -> Answer:
        scope = {
            "type": "http",
            "http_version": "1.1",
            "method": method,
            "scheme": "https",
            "path": unquote(path),  # as uvicorn has it
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
            "server": ("api.muapi.ai", 443),
        }
        answered: list[Any] = []
        self._document.read.clear()

        async def receive() -> Any:
            return {"type": "http.request", "body": content, "more_body": False}

        async def send(message: Any) -> None:
            answered.append(message)

        with contextlib.suppress(ValueError, RecursionError):  # told to the server around the app, after its 500
            await self.app(scope, receive, send)
        head, *rest = answered
        body = b"".join(message.get("body", b"") for message in rest)
        read = self._document.read[0] if self._document.read else None
        told = {name.decode(): value.decode() for name, value in head["headers"]}
        return Answer(head["status"], _parse(body), read, told)


def _parse(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return body.decode(errors="replace")


async def send_routes() -> list[Sent]:
    """Ask for each path of the document as no client should, and for its parameters of each type."""
    pair = Pair(Document(pinned().document["components"]["schemas"]))
    sent = []
    asked_for = set[str]()
    for operation in read_operations().all():
        method, path = operation.method, operation.path
        if path.endswith("upload_file"):  # its form is not declared, and therefore not asked for by the app
            continue
        asked = [(method, f"{path}/"), (method, f"{path}//"), (method, path[:-1]), ("HEAD", path), ("OPTIONS", path)]
        asked += [("PATCH", path), ("HEAD", f"{path}/"), (method, _fill(path, "1").replace("a", "%61"))]
        asked += [(method, path.replace("/api/", "/api%2F")), (method, f"{path}%2F")]
        values = VALUES if operation.path_types else ()
        for way, place in [*asked, *((method, _fill(path, value)) for value in values)]:
            sent.append(await pair.ask(way, _fill(place, "1"), b"", "", {}))
        for name in [one for one in operation.query if one not in asked_for]:  # two of them are every operation's
            asked_for.add(name)
            query = dict.fromkeys(operation.needed, "1")
            for value in VALUES:
                given = {**query, name: unquote(value)}
                sent.append(await pair.ask(method, _fill(path, "1"), b"", "", given))
    return sent


def _fill(path: str, value: str) -> str:
    return re.sub(r"{\w+}", value, path)


async def send_all(number: int, seed: int, *, raw: bool = True) -> list[Sent]:
    """Send ``number`` bodies to operations chosen by chance; ``raw`` are among them such that are no JSON, too."""
    schemas = pinned().document["components"]["schemas"]
    pair, rng = Pair(Document(schemas)), random.Random(seed)
    bodies = Bodies(schemas, rng, raw)
    declared = [one for one in read_operations().all() if one.body is not None]
    sent = []
    for _ in range(number):
        operation = rng.choice(declared)
        content, content_type = bodies.make(operation)
        sent.append(await pair.ask(operation.method, _fill(operation.path, "1"), content, content_type, {}))
    return sent


def tell_urls(answers: Sequence[Sent]) -> bool:
    """Whether this FastAPI names pydantic's pages, as those up to 0.105 do."""
    return any('"url": "https://errors' in json.dumps(one.theirs.body) for one in answers)


def sort_out(answers: Sequence[Sent], rules: Rules) -> tuple[Counter[str], dict[str, list[Sent]]]:
    """How many answers differ by each known rule, and those that differ otherwise, by how."""
    by_rule: Counter[str] = Counter()
    others: dict[str, list[Sent]] = defaultdict(list)
    urls = tell_urls(answers)
    for one in answers:
        if how := compare(one, urls=urls):
            rule = next((name for name, explains in rules if explains(one)), None)
            if rule is None:
                others[how].append(one)
            else:
                by_rule[rule] += 1
    return by_rule, others


def show(one: Sent) -> Iterator[str]:
    """Tell a request on which the two differ."""
    yield f"  {one.method} {one.path} {one.content_type} {one.content[:300]!r}"
    for name, answer in (("FastAPI", one.theirs), ("emulator", one.ours)):
        said, read = str(answer.body)[:300], str(answer.read)[:200]
        yield f"    {name:8} {answer.status} {said} {read}"


def main() -> int:
    """Print the table; 1 where something differs that no rule names, or a rule covers too much."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--bodies", metavar="N", type=int, default=20_000)
    parser.add_argument("--seed", metavar="N", type=int, default=7)
    options = parser.parse_args()
    bodies = asyncio.run(send_all(options.bodies, options.seed))
    by_rule, bodies_are_explained = _report("bodies", bodies, BODIES)
    _, routes_are_explained = _report("routes and parameters", asyncio.run(send_routes()), ROUTES)
    covers_too_much = max(by_rule.values(), default=0) > LARGEST_SHARE * len(bodies)
    return int(covers_too_much or not (bodies_are_explained and routes_are_explained))


def _report(what: str, answers: Sequence[Sent], rules: Rules) -> tuple[Counter[str], bool]:
    """Print what differs; return how many by each rule, and whether that is all of them."""
    by_rule, others = sort_out(answers, rules)
    taken = sum(one.theirs.accepts for one in answers)
    print(f"{len(answers)} {what}, of which FastAPI takes {taken}; {by_rule.total()} differ by a known rule")
    for name, count in by_rule.most_common():
        print(f"  {count:6}  {count / len(answers):7.3%}  {name}")
    for how, all_of_it in others.items():
        print(f"{len(all_of_it)} differ otherwise: {how}")
        for one in all_of_it[:12]:
            print("\n".join(show(one)))
    return by_rule, not others


if __name__ == "__main__":
    sys.exit(main())
