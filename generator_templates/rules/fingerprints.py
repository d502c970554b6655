"""Fingerprints: for each function one hash of all that matters to a program that calls it, for the locks of programs.

Lives here: which of a document's words count, in which form, and that form's hash. Does not live here: what a
difference means (``spec diff``), the lock that keeps the hashes (``muapi_client.pinning``).

The form is free of what may change without any program noticing: descriptions, titles, examples, operation ids, a
deprecation, the order of keys and of parameters, what a refused call is answered, and the headers and cookies that are
the client's own, which no function takes. It keeps the order of an enum and every default, which change in silence what
is sent or charged, and what becomes a name in Python: the group, the catalogue name, component schemas.

There are two of each. ``functions`` are of the corrected document, so that a correction counts like a change of
MuAPI's own, for the functions it touches and no others. ``uncorrected`` are those of locks of form 1, which knew only
the document as it is pinned, took for a job whatever has a webhook, and knew no header that a function takes; they stay
as they were.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any, Final

from .document_checks import is_stream
from .groups import Job, find_group
from .headers import is_own, list_credentials
from .path_items import find_path_item, list_parameters
from .price_list import split_summary
from .schema_syntax import follow_pointer, split_reference

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from .operations import Operation

_DESCRIPTIVE: Final = frozenset({
    "deprecated", "description", "example", "examples", "externalDocs", "operationId", "summary", "tags", "title",
})  # for people; no program depends on them  # fmt: skip
# Objects whose keys are names chosen by the author, not words of OpenAPI or JSON Schema (OpenAPI 3.1, fixed fields).
_NAMED: Final = frozenset({
    "$defs", "callbacks", "content", "definitions", "dependentSchemas", "encoding", "examples", "headers",
    "links", "parameters", "pathItems", "paths", "patternProperties", "properties", "requestBodies",
    "responses", "schemas", "securitySchemes", "variables", "webhooks",
})  # fmt: skip
_LITERAL: Final = frozenset({"const", "default", "enum", "example", "value"})  # what these hold is the API's data
_SCHEMAS: Final = "#/components/schemas/"
_NULL: Final = {"type": "null"}


def make_fingerprints(
    operations: Iterable[Operation], corrected: Mapping[str, Any], pinned: Mapping[str, Any], sha256: str
) -> dict[str, Any]:
    """Make the contents of fingerprints.json.

    Args:
        operations: The operations of the corrected document.
        corrected: That document.
        pinned: The document before it was corrected.
        sha256: The hash of that.
    """
    known = sorted(operations, key=lambda operation: operation.function)
    essences, before = Essences(corrected), Essences(pinned, counts_in_first_form)
    return {
        "sha256": sha256,
        "functions": {one.function: hash_essence(_select(one, essences)) for one in known},
        "uncorrected": {
            one.function: hash_essence(before.select_first_form(one.method, one.path, one.slug))
            for one in known
            if before.has(one.method, one.path)
        },
    }


def _select(operation: Operation, essences: Essences) -> dict[str, Any]:
    essence = essences.select(operation.method, operation.path, operation.group)
    return {**essence, "job": operation.job}


def hash_essence(essence: dict[str, Any]) -> str:
    """Make the fingerprint of what matters of an operation."""
    form = json.dumps(essence, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(form.encode()).hexdigest()


def counts_in_first_form(parameter: Mapping[str, Any]) -> bool:
    """Tell whether a parameter matters in locks of form 1."""
    return parameter.get("in") not in {"header", "cookie"} or parameter.get("required") is True


class Essences:
    """What matters of the operations of one document, as JSON values; each schema is read once for all of them.

    Args:
        document: The document.
        counts: Whether a parameter matters; by default whether a function takes it.
    """

    def __init__(self, document: Mapping[str, Any], counts: Callable[[Mapping[str, Any]], bool] | None = None) -> None:
        self._document = document
        schemes = document.get("components", {}).get("securitySchemes", {}).values()
        credentials = list_credentials(map(self._resolve, schemes))
        self._counts = counts or (lambda parameter: not is_own(parameter, credentials))
        self._read: dict[str, tuple[Any, list[str]]] = {}  # by reference: what it leads to, and what that refers to

    def has(self, method: str, path: str) -> bool:
        """Tell whether the document has an operation."""
        return method.lower() in find_path_item(self._document, path)

    def select(self, method: str, path: str, group: str) -> dict[str, Any]:
        """Select what matters of an operation: its own parts, then each thing they refer to, once."""
        item = find_path_item(self._document, path)
        operation = item[method.lower()]
        met: list[str] = []
        parts = {
            "method": method.upper(),
            "path": path,
            "server": self._select_server(item, operation),
            "group": group,
            "catalogue": split_summary(str(operation.get("summary", ""))),
            "parameters": self._select_parameters(item, operation, met),
            "request": _Part(met).read(operation.get("requestBody", {})),
            "answers": _Part(met).read(_select_successes(operation), named=True),
            "security": self._select_security(operation),
        }
        return {**parts, "referred": self._select_referred(met)}

    def select_first_form(self, method: str, path: str, slug: str) -> dict[str, Any]:
        """Select the same as a lock of form 1 has it: the group goes by the webhook, and by nothing else."""
        item = find_path_item(self._document, path)
        operation = item[method.lower()]
        names = {(one.get("in"), one.get("name")) for one in self._list_parameters(item, operation)}
        job: Job = "job" if ("query", "webhook") in names else "stream" if is_stream(path) else "plain"
        tag = next(iter(operation.get("tags") or ()), None)
        return self.select(method, path, find_group(slug, tag, job)[0])

    def _list_parameters(self, item: Mapping[str, Any], operation: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        """List the parameters, those of the path included, in the order of place and name."""
        found: dict[tuple[str, str], Mapping[str, Any]] = {}
        for parameter in map(self._resolve, list_parameters(item, operation)):
            found[str(parameter.get("in")), str(parameter.get("name"))] = parameter
        return [found[key] for key in sorted(found)]

    def _select_parameters(self, item: Mapping[str, Any], operation: Mapping[str, Any], met: list[str]) -> list[Any]:
        """Select the parameters that a caller sets."""
        return [
            _Part(met).read(parameter)
            for parameter in self._list_parameters(item, operation)
            if self._counts(parameter)
        ]

    def _select_referred(self, met: list[str]) -> dict[str, Any]:
        """Select what references lead to, and what that refers to."""
        found: dict[str, Any] = {}
        waiting = [*met]
        while waiting:
            reference = waiting.pop()
            if reference not in found:
                found[reference], inner = self._follow(reference)
                waiting += inner
        return found

    def _follow(self, reference: str) -> tuple[Any, list[str]]:
        if reference not in self._read:
            met: list[str] = []
            target = follow_pointer(self._document, split_reference(reference))
            self._read[reference] = _Part(met).read(target), met
        return self._read[reference]

    def _select_server(self, item: Mapping[str, Any], operation: Mapping[str, Any]) -> Any:
        """Where the operation is called: its own servers, its path's, or the document's first, in OpenAPI's order."""
        listed = next((part["servers"] for part in (operation, item, self._document) if part.get("servers")), None)
        return _Part([]).read(listed[0]) if listed else None

    def _select_security(self, operation: Mapping[str, Any]) -> list[Any]:
        """The security requirements, with the schemes they name; a scheme's own list of scopes is no part of them."""
        schemes = self._document.get("components", {}).get("securitySchemes", {})
        listed = (owner.get("security") for owner in (operation, self._document))
        ways: list[Any] = next((ways for ways in listed if ways is not None), [])  # an empty list counts, null does not
        read = {name: _Part([]).read(_drop_flows(self._resolve(scheme))) for name, scheme in schemes.items()}
        requirements = [{name: [sorted(scopes), read.get(name, {})] for name, scopes in way.items()} for way in ways]
        return sorted(requirements, key=lambda way: json.dumps(way, sort_keys=True))

    def _resolve(self, part: Any) -> Mapping[str, Any]:
        """Resolve a part to what it refers to, however often; nothing where that is nothing."""
        seen: set[str] = set()
        while isinstance(part, dict) and isinstance(reference := part.get("$ref"), str) and reference not in seen:
            seen.add(reference)
            part = follow_pointer(self._document, split_reference(reference))
        return part if isinstance(part, dict) and "$ref" not in part else {}


class _Part:
    """One part of a document, read for what matters; the references in it are listed as they are met."""

    def __init__(self, met: list[str]) -> None:
        self._met = met

    def read(self, node: Any, *, named: bool = False) -> Any:
        """Select what matters of it; ``named``: its keys are names the author chose, no words of OpenAPI."""
        if isinstance(node, list):
            return [self.read(item) for item in node]
        if not isinstance(node, dict):
            return _normalize_number(node)
        if named:
            return {name: self.read(node[name]) for name in sorted(node)}
        plain = _normalize_schema(node)
        return {word: self._read_value(word, plain[word]) for word in sorted(plain) if _is_essential(word)}

    def _read_value(self, word: str, value: Any) -> Any:
        if word in _LITERAL:
            return _normalize_literal(value)
        if word == "$ref" and isinstance(value, str):
            return self._note(value)
        if word == "required" and isinstance(value, list):
            return sorted(map(str, value))
        if word == "mapping" and isinstance(value, dict):  # of a discriminator: to a schema's reference, or bare name
            return {name: self._read_mapping(value[name]) for name in sorted(value)}
        return self.read(value, named=word in _NAMED)

    def _read_mapping(self, target: Any) -> Any:
        bare = isinstance(target, str) and not target.startswith("#")
        return self._note(f"{_SCHEMAS}{target}" if bare else str(target))

    def _note(self, reference: str) -> str:
        self._met.append(reference)
        return reference


def _select_successes(operation: Mapping[str, Any]) -> dict[str, Any]:
    """The answers of a call that succeeds; what is told of a failure is read without the document."""
    answers = operation.get("responses") or {}
    return {status: answer for status, answer in answers.items() if status.startswith("2") or status == "default"}


def _is_essential(word: str) -> bool:
    return word not in _DESCRIPTIVE and not word.startswith("x-")


def _normalize_schema(fields: dict[str, Any]) -> dict[str, Any]:
    """A schema in one of the ways in which the same can be written: a const as an enum of one, null among the types."""
    made = dict(fields)
    if "const" in made and "enum" not in made:
        made["enum"] = [made.pop("const")]
    only = _find_only_alternative(made)
    if only is not None:
        del made["anyOf"]
        made |= {**{word: value for word, value in only.items() if _is_essential(word)}, "nullable": True}
    types = made.get("type")
    listed = [types] if isinstance(types, str) else types
    if isinstance(listed, list) and listed:
        taken = sorted(
            {str(kind) for kind in listed} | ({"null"} if made.pop("nullable", False) is True else set[str]())
        )
        made["type"] = taken[0] if len(taken) == 1 else taken
    return made


def _find_only_alternative(fields: dict[str, Any]) -> dict[str, Any] | None:
    """The one alternative beside null, where it can stand in its parent's place."""
    alternatives = fields.get("anyOf")
    if not isinstance(alternatives, list):
        return None
    others = [alternative for alternative in alternatives if alternative != _NULL]
    only = others[0] if len(others) == 1 and len(alternatives) == len(others) + 1 else None
    if not (isinstance(only, dict) and isinstance(only.get("type"), str)):
        return None
    return None if {word for word in only.keys() & fields.keys() if _is_essential(word)} else only


def _normalize_literal(value: Any) -> Any:
    """A value of the API's data: nothing in it is a word of ours."""
    if isinstance(value, dict):
        return {name: _normalize_literal(inner) for name, inner in value.items()}
    return [_normalize_literal(item) for item in value] if isinstance(value, list) else _normalize_number(value)


def _normalize_number(value: Any) -> Any:
    """JSON knows one kind of number: 4294967295.0 is 4294967295."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _drop_flows(scheme: Any) -> dict[str, Any]:
    return {word: value for word, value in scheme.items() if word != "flows"} if isinstance(scheme, dict) else {}
