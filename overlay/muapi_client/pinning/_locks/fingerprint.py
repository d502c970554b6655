"""The essence of an operation: what of it matters to a program that calls it, in one form, and that form's hash. Pure.

Lives here: which of a document's words count, and how references are followed. Does not live here: what a difference
means (``_diff``), which operations a program calls (``_usage``), the file that keeps the hashes (``user_lock``).

The form is free of what may change without any program noticing: descriptions, titles, examples, operation ids, a
deprecation, the order of keys and of parameters, what a refused call is answered, and optional headers, of which MuAPI
lists its own pages' on every operation. It keeps the order of an enum and every default, which change in silence what
is sent or charged, and what becomes a name in Python: the group, the catalogue name, component schemas.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any, Final

from muapi_client.pinning._document.errors import PinError, quote
from muapi_client.pinning._document.naming import WEBHOOK, group_of, job_of, split_summary
from muapi_client.pinning._document.references import LITERAL, NAMED, SCHEMAS, find_target
from muapi_client.pinning._document.strict_json import as_list, as_object

DESCRIPTIVE: Final = frozenset({
    "deprecated", "description", "example", "examples", "externalDocs", "operationId", "summary", "tags", "title",
})  # for people; no program depends on them  # fmt: skip
NULL: Final = {"type": "null"}
PLACES: Final = frozenset({"header", "cookie"})  # of parameters that few programs set: the client's own, mostly


def make_fingerprint(document: dict[str, Any], method: str, path: str) -> str:
    """The SHA-256 of what matters of an operation.

    Args:
        document: An OpenAPI document whose references lead somewhere, as ``scoped`` makes sure.
        method: The operation's method, in any case.
        path: Its path, as the document has it.

    Raises:
        PinError: The document has no such operation, or a reference leads nowhere.
    """
    form = json.dumps(select_essence(document, method, path), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(form.encode()).hexdigest()


def select_essence(document: dict[str, Any], method: str, path: str) -> dict[str, Any]:
    """Select what matters of an operation, as JSON values: its own parts, then each thing they refer to, once.

    Raises:
        PinError: As for :func:`make_fingerprint`.
    """
    reading = _Walk(document)
    item = reading.resolve(document.get("paths", {}).get(path))
    operation = as_object(item.get(method.lower()))
    if operation is None:
        raise PinError(f"the document has no operation {method.upper()} {quote(path)}")
    parameters = reading.parameters(item, operation)
    job = job_of(
        path,
        takes_webhook=any(
            (parameter.get("in"), parameter.get("name")) == ("query", WEBHOOK) for parameter in parameters
        ),
    )
    tags = as_list(operation.get("tags")) or [""]
    parts = {
        "method": method.upper(),
        "path": path,
        "server": _server_of(document, item, operation),
        "group": group_of(path, str(tags[0]), job),
        "catalogue": split_summary(str(operation.get("summary", ""))),
        "parameters": parameters,
        "request": reading.read(operation.get("requestBody", {})),
        "answers": reading.read(_select_successes(operation), named=True),
        "security": _security_of(document, operation),
    }
    return {**parts, "referred": reading.rest()}


class _Walk:
    """One walk from an operation through everything it reaches: each part once, so that cycles end."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document
        self._met: list[str] = []  # references, each once, in the order in which they were met
        self._known: set[str] = set()  # the same, to look them up

    def read(self, node: Any, *, named: bool = False) -> Any:
        """Select what matters of a part; ``named``: its keys are names the author chose, no words of OpenAPI."""
        items, fields = as_list(node), as_object(node)
        if items is not None:
            return [self.read(item) for item in items]
        if fields is None:
            return _normalize_number(node)
        if named:
            return {name: self.read(fields[name]) for name in sorted(fields)}
        plain = _normalize_schema(fields)
        return {word: self._value(word, plain[word]) for word in sorted(plain) if _is_essential(word)}

    def parameters(self, item: dict[str, Any], operation: dict[str, Any]) -> list[Any]:
        """The parameters that a caller sets, those of the path included, by place and name."""
        found: dict[tuple[str, str], Any] = {}
        for listed in (*item.get("parameters", ()), *operation.get("parameters", ())):
            parameter = self.resolve(listed)
            found[str(parameter.get("in")), str(parameter.get("name"))] = parameter
        taken = [key for key, parameter in found.items() if key[0] not in PLACES or parameter.get("required") is True]
        return [self.read(found[key]) for key in sorted(taken)]

    def resolve(self, part: Any) -> dict[str, Any]:
        """A part, or what it refers to, however often."""
        seen: set[str] = set()
        fields = as_object(part) or {}
        while isinstance(reference := fields.get("$ref"), str):
            if reference in seen:
                raise PinError(f"the document's {quote(reference)} refers to itself only: half or broken")
            seen.add(reference)
            fields = as_object(find_target(reference, self._document)) or {}
        return fields

    def rest(self) -> dict[str, Any]:
        """Read what the parts read so far refer to, and what that refers to."""
        found: dict[str, Any] = {}
        for reference in self._met:  # which grows under way
            found[reference] = self.read(find_target(reference, self._document))
        return found

    def _value(self, word: str, value: Any) -> Any:
        if word in LITERAL:
            return _normalize_literal(value)
        if word == "$ref" and isinstance(value, str):
            return self._note(value)
        fields, items = as_object(value), as_list(value)
        if word == "required" and items is not None:
            return sorted(map(str, items))
        if word == "mapping" and fields is not None:  # of a discriminator: to a schema's reference, or bare name
            return {name: self._read_mapping(fields[name]) for name in sorted(fields)}
        return self.read(value, named=word in NAMED)

    def _read_mapping(self, target: Any) -> Any:
        bare = isinstance(target, str) and not target.startswith("#")
        return self._note(f"{SCHEMAS}{target}" if bare else target)

    def _note(self, reference: str) -> str:
        if reference not in self._known:
            self._known.add(reference)
            self._met.append(reference)
        return reference


def _select_successes(operation: dict[str, Any]) -> dict[str, Any]:
    """The answers of a call that succeeds; what is told of a failure is read without the document."""
    answers = as_object(operation.get("responses")) or {}
    return {status: answer for status, answer in answers.items() if status.startswith("2") or status == "default"}


def _is_essential(word: str) -> bool:
    return word not in DESCRIPTIVE and not word.startswith("x-")


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
    listed = [types] if isinstance(types, str) else as_list(types)
    if listed:
        taken = sorted(
            {str(kind) for kind in listed} | ({"null"} if made.pop("nullable", False) is True else set[str]())
        )
        made["type"] = taken[0] if len(taken) == 1 else taken
    return made


def _find_only_alternative(fields: dict[str, Any]) -> dict[str, Any] | None:
    """The one alternative beside null, where it can stand in its parent's place."""
    alternatives = as_list(fields.get("anyOf")) or []
    others = [as_object(alternative) for alternative in alternatives if alternative != NULL]
    only = others[0] if len(others) == 1 and len(alternatives) == len(others) + 1 else None
    if only is None or not isinstance(only.get("type"), str):
        return None
    return None if {word for word in only.keys() & fields.keys() if _is_essential(word)} else only


def _normalize_literal(value: Any) -> Any:
    """A value of the API's data: nothing in it is a word of ours."""
    fields, items = as_object(value), as_list(value)
    if fields is not None:
        return {name: _normalize_literal(inner) for name, inner in fields.items()}
    return [_normalize_literal(item) for item in items] if items is not None else _normalize_number(value)


def _normalize_number(value: Any) -> Any:
    """JSON knows one kind of number: 4294967295.0 is 4294967295."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _server_of(document: dict[str, Any], item: dict[str, Any], operation: dict[str, Any]) -> Any:
    """Where the operation is called: its own servers, its path's, or the document's first, in OpenAPI's order."""
    for part in (operation, item, document):
        listed = as_list(part.get("servers"))
        if listed:
            return _Walk(document).read(listed[0])
    return None


def _security_of(document: dict[str, Any], operation: dict[str, Any]) -> list[Any]:
    """The ways to be let in, each with the schemes it names; a scheme's own list of scopes is for those who ask."""
    components = as_object(document.get("components")) or {}
    schemes = as_object(components.get("securitySchemes")) or {}
    ways = operation.get("security", document.get("security", []))
    reading = _Walk(document)
    requirements = [
        {name: [sorted(scopes), reading.read(_drop_flows(schemes.get(name)))] for name, scopes in way.items()}
        for way in ways
    ]
    return sorted(requirements, key=lambda way: json.dumps(way, sort_keys=True))


def _drop_flows(scheme: Any) -> dict[str, Any]:
    return {word: value for word, value in (as_object(scheme) or {}).items() if word != "flows"}
