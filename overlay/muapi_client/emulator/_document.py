"""The pinned document as the emulator needs it: one table of operations, read once and on first use.

Lives here: paths, summaries and schemas turned into operations, and finding the one a request means. Does not
live here: answering it.
"""

from __future__ import annotations

import json
import re
from functools import cache
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

from attrs import frozen

from muapi_client.emulator._exchanges import Refusal
from muapi_client.emulator._kinds import Kind, kind_of
from muapi_client.emulator._prices import catalogue
from muapi_client.pinning import pinned

if TYPE_CHECKING:
    from collections.abc import Mapping

PREFIX: Final = "/api/v1/"
_SUMMARY = re.compile(r"(?P<name>.*?)(?: \((?:best|balanced|fast|budget)\))?")
_REFERENCE = re.compile(r'"\$ref": "#/components/schemas/([^"]+)"')


# Bodies the document does not declare; shapes from the API reference and public clients.
_UNDECLARED: Final[dict[tuple[str, str], dict[str, Any]]] = {
    ("POST", "/api/v1/account/topup"): {
        "type": "object",
        "properties": {"amount": {"type": "integer", "minimum": 1}, "currency": {"type": "string"}},
        "required": ["amount"],
    },
    ("POST", "/api/v1/keys"): {
        "type": "object",
        "properties": {"name": {"type": "string"}, "is_test": {"type": "boolean"}},
        "required": ["name"],
    },
    ("POST", "/api/v1/models/{name}/estimate-cost"): {"type": "object", "properties": {}},
}


@frozen(eq=False)
class Operation:
    """One operation of the document.

    Args:
        method: In capitals.
        path: With its placeholders.
        name: The catalogue name of the model behind it.
        kind: What that model makes.
        is_job: Whether it submits a job: only those take a ``webhook``.
        needs_key: Whether it takes a key at all.
        body: The JSON body's schema with everything it refers to; ``None`` when there is none.
        fields: The names of the body's fields, in the document's order.
        query: The declared query parameters: name to schema.
    """

    method: str
    path: str
    name: str
    kind: Kind
    is_job: bool
    needs_key: bool
    body: Mapping[str, Any] | None
    fields: tuple[str, ...]
    query: Mapping[str, Mapping[str, Any]]

    @property
    def slug(self) -> str:
        """The path without ``/api/v1/``."""
        return self.path.removeprefix(PREFIX)


@frozen
class Table:
    """Every operation, by path and by method."""

    plain: Mapping[str, Mapping[str, Operation]]
    patterns: tuple[tuple[re.Pattern[str], Mapping[str, Operation]], ...]

    def find(self, method: str, path: str) -> tuple[Operation, dict[str, str]]:
        """The operation a request line means, and its path parameters, decoded.

        Raises:
            Refusal: 404 for an unknown path, 405 for a known one under another method.
        """
        methods, parameters = self._methods(path)
        if method not in methods:
            raise Refusal(405, "Method Not Allowed", {"allow": ", ".join(sorted(methods))})
        return methods[method], parameters

    def _methods(self, path: str) -> tuple[Mapping[str, Operation], dict[str, str]]:
        if path in self.plain:
            return self.plain[path], {}
        for pattern, methods in self.patterns:
            if match := pattern.fullmatch(path):
                return methods, {name: unquote(value) for name, value in match.groupdict().items()}
        raise Refusal(404, "Not Found")


@cache
def operations() -> Table:
    """The pinned document's operations. The first call reads 2 MB and takes about 0.1 s."""
    document = pinned().document
    plain: dict[str, dict[str, Operation]] = {}
    patterns: list[tuple[re.Pattern[str], dict[str, Operation]]] = []
    for path, item in document["paths"].items():
        methods = {method.upper(): _operation(document, method.upper(), path, raw) for method, raw in item.items()}
        if "{" in path:
            patterns.append((_pattern(path), methods))
        else:
            plain[path] = methods
    return Table(plain, tuple(patterns))


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(path)))


def _operation(document: Mapping[str, Any], method: str, path: str, raw: Mapping[str, Any]) -> Operation:
    parameters = raw.get("parameters", ())
    query = {p["name"]: p["schema"] for p in parameters if p["in"] == "query"}
    match = _SUMMARY.fullmatch(raw["summary"])
    slug = path.removeprefix(PREFIX)
    # A summary that is only the slug in title case names no model; then the slug is the best name there is.
    name = match["name"] if match and match["name"] in catalogue() else slug
    category = catalogue()[name]["category"] if name in catalogue() else ""
    body = _body(document, method, path, raw)
    return Operation(
        method=method,
        path=path,
        name=name,
        kind=kind_of(slug, category, raw["tags"][0]),
        is_job=method == "POST" and "webhook" in query,
        needs_key=any(p["name"] == "x-api-key" for p in parameters),
        body=body,
        fields=_fields(body),
        query=query,
    )


def _body(document: Mapping[str, Any], method: str, path: str, raw: Mapping[str, Any]) -> Mapping[str, Any] | None:
    content = raw.get("requestBody", {}).get("content", {}).get("application/json")
    if content is None:
        return _UNDECLARED.get((method, path))
    schema: dict[str, Any] = content["schema"]
    schemas: dict[str, Any] = {}
    _gather(schema, document["components"]["schemas"], schemas)
    return {**schema, "components": {"schemas": schemas}}


def _gather(schema: Any, known: Mapping[str, Any], found: dict[str, Any]) -> None:
    """Put every schema that ``schema`` refers to, directly or not, into ``found``."""
    # Searched as text: inside a string of the document the quotes would stand escaped.
    for name in _REFERENCE.findall(json.dumps(schema, ensure_ascii=False)):
        if name not in found:
            found[name] = known[name]
            _gather(known[name], known, found)


def _fields(body: Mapping[str, Any] | None) -> tuple[str, ...]:
    if body is None:
        return ()
    reference = body.get("$ref", "").rpartition("/")[2]
    target = body["components"]["schemas"][reference] if reference else body
    return tuple(target.get("properties", ()))
