"""The pinned document as the emulator needs it: a table of operations, each read when it is first meant.

Lives here: paths, summaries and schemas turned into operations, and finding the one a request means. Does not
live here: answering it, where things stand in the document (``lazy_json``).
"""

from __future__ import annotations

import json
import re
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

from attrs import define, field, frozen

from muapi_client._version import __version__
from muapi_client.emulator._messages.messages import Refusal
from muapi_client.emulator._spec.kinds import FAST, Kind, kind_of
from muapi_client.emulator._spec.lazy_json import find_section
from muapi_client.emulator._spec.live_rules import LIVE_RULES
from muapi_client.emulator._spec.price_list import read_price_list
from muapi_client.pinning import pinned

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from muapi_client.emulator._spec.live_rules import LiveRule

PREFIX: Final = "/api/v1/"
METHODS: Final = frozenset({"GET", "PUT", "POST", "DELETE", "OPTIONS", "HEAD", "PATCH", "TRACE"})
_SUMMARY = re.compile(r"(?P<name>.*?)(?: \((?P<tier>best|balanced|fast|budget)\))?")
_REFERENCE = re.compile(r'"\$ref": "#/components/schemas/([^"]+)"')
_ANYTHING: Final[dict[str, Any]] = {"type": "object", "properties": {}}

# Bodies the document does not declare: what the API reference, public clients and spec/corrections.yaml know of them.
_UNDECLARED: Final[dict[tuple[str, str], dict[str, Any]]] = {
    ("POST", "/api/v1/account/topup"): {
        "type": "object",
        "properties": {"amount": {"type": "integer", "minimum": 1}, "currency": {"type": "string"}},
        "required": ["amount"],
    },
    ("PUT", "/api/v1/account/auto-topup"): _ANYTHING,
    ("POST", "/api/v1/keys"): {
        "type": "object",
        "properties": {"name": {"type": "string"}, "is_test": {"type": "boolean"}},
        "required": ["name"],
    },
    ("POST", "/api/v1/models/{name}/estimate-cost"): _ANYTHING,
}


@frozen(eq=False)
class Operation:
    """One operation of the document.

    Args:
        method: In capitals.
        path: With its placeholders.
        name: The catalogue name of the model behind it.
        kind: What that model makes.
        fast: Whether that model is sold as quick: by its tier or by its name.
        takes_webhook: Whether it takes a ``webhook``: only what submits a job does.
        needs_key: Whether it takes a key at all.
        body: The JSON body's schema with everything it refers to; ``None`` when there is none.
        properties: The body's fields in the document's order: name to schema.
        query: The declared query parameters: name to schema.
        needed: Which of them must be there.
        needs_body: Whether the JSON body must be there.
        path_types: The declared JSON type of each path parameter.
        listed: What the price list says of the model behind it; ``None`` where it lacks it.
        rule: What the live API is known to refuse beside what the document tells.
    """

    method: str
    path: str
    name: str
    kind: Kind
    fast: bool
    takes_webhook: bool
    needs_key: bool
    body: Mapping[str, Any] | None = field(repr=False)
    properties: Mapping[str, Mapping[str, Any]] = field(repr=False)
    query: Mapping[str, Mapping[str, Any]] = field(repr=False)
    needed: frozenset[str]
    needs_body: bool
    path_types: Mapping[str, str] = field(repr=False)
    listed: Mapping[str, Any] | None = field(repr=False)
    rule: LiveRule | None = None

    @property
    def slug(self) -> str:
        """The path without ``/api/v1/``."""
        return self.path.removeprefix(PREFIX)

    @property
    def fields(self) -> tuple[str, ...]:
        """The names of the body's fields, in the document's order."""
        return tuple(self.properties)

    def default(self, name: str) -> Any:
        """A field's default by the document; ``None`` where it has none."""
        return self.properties.get(name, {}).get("default")


@define(eq=False, repr=False)
class Table:
    """Every operation, by path and by method, read when it is first asked for.

    Args:
        paths: The document's paths.
        schemas: Its schemas.
        prices: What each model costs, by its catalogue name.
        read_document: Reads the whole document, for what cannot be told from one path.
        identify: Says which document it is.
    """

    _paths: Mapping[str, Any]
    _schemas: Mapping[str, Any]
    prices: Mapping[str, Mapping[str, Any]]
    read_document: Callable[[], dict[str, Any]]
    _identify: Callable[[], str]
    _known: dict[str, dict[str, Operation]] = field(factory=dict[str, dict[str, Operation]], init=False)

    @cached_property
    def identity(self) -> str:
        """What a person tells the document from another one by."""
        return self._identify()

    def find(self, method: str, path: str) -> tuple[Operation, dict[str, str]]:
        """The operation a request line means, and its path parameters, decoded.

        As FastAPI's router has it: the first path that has the method; a slash at the end, too much or too little, is
        a redirect. A slash spelt ``%2F`` is never found: not in a parameter, and in a slug the live API is said not to
        find it.

        Raises:
            Refusal: 404 for an unknown path, 405 for a known one under another method, 307 to a known one.
        """
        others: Mapping[str, Operation] = {}
        for template, parameters in self._fit(path):
            methods = self.at(template)
            if method in methods:
                return methods[method], parameters
            others = others or methods
        if others:
            raise Refusal(405, "Method Not Allowed", {"allow": ", ".join(sorted(others))})
        other = path.rstrip("/") if path.endswith("/") else f"{path}/"
        if any(self._fit(other)):
            raise Refusal(307, None, {"location": unquote(other)})
        raise Refusal(404, "Not Found")

    def at(self, path: str) -> Mapping[str, Operation]:
        """The operations of a path as the document writes it. Raises KeyError for a path that it lacks."""
        if path not in self._known:
            item: dict[str, Any] = self._paths[path]
            self._known[path] = {
                method.upper(): _operation(self._schemas, self.prices, method.upper(), path, raw)
                for method, raw in item.items()
                if method.upper() in METHODS
            }
        return self._known[path]

    def all(self) -> Iterator[Operation]:
        """Every operation, in the document's order."""
        for path in self._paths:
            yield from self.at(path).values()

    def submits_job(self, operation: Operation) -> bool:
        """Whether an operation of the document submits a job: some that do take no webhook."""
        return operation.takes_webhook or (
            operation.method == "POST" and operation.body is not None and operation.path in self._models_without_webhook
        )

    @cached_property
    def by_name(self) -> Mapping[str, Operation]:
        """The job operation of each catalogue name; where several share it, the one whose slug it is."""
        jobs = [operation for operation in self.all() if self.submits_job(operation)]
        named = {operation.name: operation for operation in jobs}
        return named | {operation.name: operation for operation in jobs if operation.slug == operation.name}

    def _fit(self, path: str) -> Iterator[tuple[str, dict[str, str]]]:
        """The paths of the document that ``path`` fits, those without parameters first, and its parameters there."""
        if "%" in path:
            if "%2f" in path.lower():
                return
            path = unquote(path)
        if "{" not in path and (path in self._known or (path.startswith(PREFIX) and path in self._paths)):
            yield path, {}
        for pattern, template in self._patterns:
            if match := pattern.fullmatch(path):
                yield template, match.groupdict()

    @cached_property
    def _models_without_webhook(self) -> frozenset[str]:
        """The paths of models that show it by their answer, or by those beside them: which takes the whole document."""
        from muapi_client.pinning._document.reader import Document  # noqa: PLC0415 - seldom needed

        operations = Document(self.read_document()).operations.values()
        return frozenset(one.path for one in operations if one.job == "job" and not one.signs.takes_webhook)

    @cached_property
    def _patterns(self) -> tuple[tuple[re.Pattern[str], str], ...]:
        return tuple((compile_path(path), path) for path in self._paths if "{" in path)


@cache
def read_operations() -> Table:
    """The pinned document's operations."""
    pin = pinned()
    paths, schemas = find_section(pin.content, "paths"), find_section(pin.content, "components", "schemas")
    pinned_by = f"the document pinned by muapi-client {__version__}"
    identify = lambda: identify_document(pinned_by, pin.content)  # noqa: E731 - as the one beside it
    return Table(paths, schemas, read_price_list(), lambda: pin.document, identify)


def identify_document(name: str, content: bytes) -> str:
    """A name for a document that no other one has: MuAPI seldom changes the version in its own."""
    from hashlib import sha256  # noqa: PLC0415 - 4 ms of an emulator's start, and most are never saved

    return f"{name} (sha256 {sha256(content).hexdigest()[:16]})"


def compile_path(path: str) -> re.Pattern[str]:
    """What fits a path of the document, its parameters as groups. Raises re.error where one has no name of a group."""
    return re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(path)))


def _operation(
    schemas: Mapping[str, Any], prices: Mapping[str, Mapping[str, Any]], method: str, path: str, raw: Mapping[str, Any]
) -> Operation:
    parameters = raw.get("parameters", ())
    query = {p["name"]: _enclose(p["schema"], schemas) for p in parameters if p["in"] == "query"}
    match = _SUMMARY.fullmatch(raw.get("summary", ""))
    slug = path.removeprefix(PREFIX)
    # A summary that is only the slug in title case names no model; then the slug is the best name there is.
    name = match["name"] if match and match["name"] in prices else slug
    listed = prices.get(name)
    body = _body(schemas, method, path, raw)
    return Operation(
        method=method,
        path=path,
        name=name,
        kind=kind_of(slug, listed["category"] if listed else "", next(iter(raw.get("tags", ())), "")),
        fast=bool((match and match["tier"] == "fast") or re.search(FAST, slug)),
        takes_webhook=method == "POST" and "webhook" in query,
        needs_key=any(p["name"] == "x-api-key" for p in parameters),
        body=body,
        properties=_properties(body),
        query=query,
        needed=frozenset(p["name"] for p in parameters if p["in"] == "query" and p.get("required")),
        needs_body=raw.get("requestBody", {"required": True}).get("required", False),
        path_types={p["name"]: p["schema"].get("type", "string") for p in parameters if p["in"] == "path"},
        listed=listed,
        rule=LIVE_RULES.get(slug) if method == "POST" else None,
    )


def _body(schemas: Mapping[str, Any], method: str, path: str, raw: Mapping[str, Any]) -> Mapping[str, Any] | None:
    content = raw.get("requestBody", {}).get("content", {}).get("application/json")
    if content is None:
        return _UNDECLARED.get((method, path))
    return _enclose(content["schema"], schemas)


def _enclose(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> Mapping[str, Any]:
    """``schema`` with every schema that it refers to, directly or not, beside it."""
    found: dict[str, Any] = {}
    _gather(schema, schemas, found)
    return {**schema, "components": {"schemas": found}}


def _gather(schema: Any, known: Mapping[str, Any], found: dict[str, Any]) -> None:
    """Put every schema that ``schema`` refers to, directly or not, into ``found``."""
    # Searched as text: inside a string of the document the quotes would stand escaped.
    for name in _REFERENCE.findall(json.dumps(schema, ensure_ascii=False)):
        if name not in found and name in known:  # what is named in an example may be anything
            found[name] = known[name]
            _gather(known[name], known, found)


def _properties(body: Mapping[str, Any] | None) -> Mapping[str, Mapping[str, Any]]:
    if body is None:
        return {}
    target, seen = body, set[str]()
    while (reference := target.get("$ref", "").rpartition("/")[2]) and reference not in seen:
        seen.add(reference)
        target = body["components"]["schemas"][reference]
    properties: Mapping[str, Mapping[str, Any]] = target.get("properties", {})
    return properties
