"""A document, read tolerantly: its operations, what a reference means, where everything stands. Pure.

Lives here: finding things in a document that may be anything, as long as it is JSON, and its functions by name; what is
not where OpenAPI has it counts as missing. Does not live here: judging whether a document can be pinned
(``canonical``), what a schema means (``_diff/schemas``).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

from attrs import evolve, frozen

from muapi_client.pinning._document.canonical import METHODS
from muapi_client.pinning._document.errors import PinError, list_near, quote
from muapi_client.pinning._document.jobs import Signs, find_jobs
from muapi_client.pinning._document.media_types import ANSWERS, BODIES, JSON, RAW, find_media_type
from muapi_client.pinning._document.naming import WEBHOOK, WEBHOOK_NAMES, Job, function_name, group_of, slug_of
from muapi_client.pinning._document.strict_json import as_list, as_object

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

_NESTED: Final = 8  # parts of an answer inside each other; what is deeper is no submit's
_HOPS: Final = 50  # references that lead only to references; more is a circle


@frozen
class Node:
    """Something in a document, and where: a JSON pointer (RFC 6901) as a URI fragment."""

    value: Any
    pointer: str

    def at(self, *steps: str | int) -> Node:
        """Go further in; None where nothing stands there."""
        node = self
        for step in steps:
            fields, items = as_object(node.value), as_list(node.value)
            inner: Any = fields.get(str(step)) if fields is not None else None
            if items is not None and isinstance(step, int) and step < len(items):
                inner = items[step]
            node = Node(inner, f"{node.pointer}/{str(step).replace('~', '~0').replace('/', '~1')}")
        return node

    @property
    def fields(self) -> dict[str, Any]:
        """It as an object; an empty one where it is none."""
        return as_object(self.value) or {}

    @property
    def items(self) -> list[Any]:
        """It as a list; an empty one where it is none."""
        return as_list(self.value) or []

    def text(self, key: str) -> str:
        """A text in it; an empty one where there is none."""
        found = self.fields.get(key)
        return found if isinstance(found, str) else ""


@frozen
class Operation:
    """One operation of a document."""

    method: str
    path: str
    node: Node
    parameters: dict[tuple[str, str], Node]  # by place and name, the operation's own over its path's
    beside: dict[str, Any]  # what its path says of all its operations, but for parameters

    everything: list[Any]  # all the document says of it, to be compared as a whole
    signs: Signs  # of what kind it is
    job: Job = "plain"  # the kind: it submits a job, streams, or neither
    looks_like_job: bool = False  # and is none, as far as the document tells

    @property
    def slug(self) -> str:
        """MuAPI's name for it."""
        return slug_of(self.path)

    @property
    def function(self) -> str:
        """The name of its function."""
        return function_name(self.method, self.path)

    @property
    def group(self) -> str:
        """The group its function is in."""
        return group_of(self.path, next(iter(self.tags), ""), self.job)

    @property
    def tags(self) -> list[str]:
        """Its tags."""
        return [tag for tag in self.node.at("tags").items if isinstance(tag, str)]


class Document:
    """One document, or a part of one.

    Args:
        document: Its JSON.
        others: The operations, by method and path, that stand in the whole beside those of this part; None where it is
            a part, and which stand beside them is not known.
    """

    def __init__(self, document: Mapping[str, Any], others: Collection[tuple[str, str]] | None = ()) -> None:
        self.root = Node(dict(document), "#")
        self.others = others
        # The key holds the id of a value, which is kept beside it so that no other value gets it.
        self._followed: dict[tuple[int, str], tuple[Any, Node]] = {}
        self.operations = {(operation.method, operation.path): operation for operation in self._judged_operations()}

    def may_have(self, key: tuple[str, str]) -> bool:
        """Tell whether the whole document has an operation, by method and path, as far as is known."""
        return key in self.operations or self.others is None or key in self.others

    def resolve(self, node: Node) -> Node:
        """Follow references, keeping what stands beside each: that is what JSON Schema 2020-12 means by it.

        A reference that leads nowhere, or in a circle, is left as it is. Each is followed once, so that whoever
        remembers what a schema came to finds it again.
        """
        key = (id(node.value), node.pointer)
        if key not in self._followed:
            self._followed[key] = (node.value, self._follow(node))
        return self._followed[key][1]

    def find_target(self, reference: str) -> Node:
        """Find the target of a reference, of whatever kind; None where it leads nowhere, or out of the document."""
        if not reference.startswith("#/"):
            return Node(None, reference)
        steps = [unquote(step).replace("~1", "/").replace("~0", "~") for step in reference.split("/")[1:]]
        node = self.root
        for step in steps:
            inside_list = as_list(node.value) is not None and step.isdecimal() and len(step) < 10  # noqa: PLR2004 - an index
            node = node.at(int(step) if inside_list else step)
        return node

    def _follow(self, node: Node) -> Node:
        for _ in range(_HOPS):
            reference = node.fields.get("$ref")
            target = self.find_target(reference) if isinstance(reference, str) else None
            if target is None or as_object(target.value) is None:
                return node
            beside = {key: value for key, value in node.fields.items() if key != "$ref"}
            node = evolve(target, value={**target.value, **beside}) if beside else target
        return node

    def _judged_operations(self) -> Iterator[Operation]:
        operations = [*self._operations()]
        judged = find_jobs(operation.signs for operation in operations)
        for operation in operations:
            kind = judged[operation.signs]
            yield evolve(operation, job=kind or "plain", looks_like_job=kind is None)

    def _operations(self) -> Iterator[Operation]:
        schemes = self.root.at("components", "securitySchemes").value
        for path in self.root.at("paths").fields:
            item = self.resolve(self.root.at("paths", path))
            shared = self._parameters(item)
            beside = {key: value for key, value in item.fields.items() if key not in (*METHODS, "parameters", "$ref")}
            for method in METHODS:
                node = item.at(method)
                if as_object(node.value) is not None:
                    parameters = {**shared, **self._parameters(node)}
                    common = [item.fields.get("parameters"), beside, self.root.fields.get("security"), schemes]
                    signs = self._signs(
                        method.upper(), path, node, {name for place, name in parameters if place == "query"}
                    )
                    yield Operation(method.upper(), path, node, parameters, beside, [node.value, *common], signs)

    def _signs(self, method: str, path: str, node: Node, query: set[str]) -> Signs:
        tag = next((tag for tag in node.at("tags").items if isinstance(tag, str)), "")
        body = self.resolve(node.at("requestBody")).at("content")
        sent = find_media_type(body.fields, (form for form in BODIES if form is not RAW))
        names = query | (self._field_names(body.at(sent, "schema")) if sent else set[str]())
        responses = node.at("responses")
        code = next((code for code in sorted(responses.fields) if code.startswith("2")), "")
        content = self.resolve(responses.at(code)).at("content")
        read = find_media_type(content.fields, ANSWERS)
        answer = self._field_names(content.at(read, "schema")) if read else frozenset[str]()
        other = frozenset({""}) if content.fields and not read else frozenset[str]()
        takes_json = find_media_type(body.fields, [JSON]) != ""
        names_webhook = not WEBHOOK_NAMES.isdisjoint(names)
        return Signs(method, path, tag, WEBHOOK in query, takes_json, names_webhook, answer | other)

    def _field_names(self, schema: Node, depth: int = 0) -> frozenset[str]:
        """The fields an answer names; a field without a name stands for what is no object."""
        schema = self.resolve(schema)
        names = frozenset(schema.at("properties").fields)
        parts = [schema.at("allOf", number) for number in range(len(schema.at("allOf").items))]
        for union in ("anyOf", "oneOf"):
            inner = [schema.at(union, number) for number in range(len(schema.at(union).items))]
            real = [part for part in inner if part.text("type") != "null"]
            parts += real if len(real) == 1 else []
            names |= {""} if len(real) > 1 else set[str]()
        for part in parts if depth < _NESTED else ():
            names |= self._field_names(part, depth + 1)
        plain = schema.fields.get("type", "object") == "object" and not {"enum", "const"} & schema.fields.keys()
        return names if names or plain else frozenset({""})

    def _parameters(self, owner: Node) -> dict[tuple[str, str], Node]:
        found: dict[tuple[str, str], Node] = {}
        for number in range(len(owner.at("parameters").items)):
            parameter = self.resolve(owner.at("parameters", number))
            found[parameter.text("in"), parameter.text("name")] = parameter
        return found


def list_functions(document: Mapping[str, Any]) -> dict[str, str]:
    """Every function of a document, with its slug."""
    return {
        operation.function: operation.slug for operation in Document(document).operations.values() if operation.function
    }


def resolve_names(names: Iterable[str], functions: Mapping[str, str]) -> frozenset[str]:
    """The functions that names mean: each a function's own, or a slug, which may have one for each method.

    Args:
        names: The names.
        functions: Every function there is, with its slug.

    Raises:
        PinError: A name is neither.
    """
    return frozenset(function for name in names for function in _resolve_name(name, functions))


def _resolve_name(name: str, functions: Mapping[str, str]) -> list[str]:
    if name in functions:
        return [name]
    slug = name.strip("/").removeprefix("api/v1/")
    found = [function for function, own in functions.items() if own == slug]
    if not found:
        raise PinError(f"the pinned document has no function {quote(name)}{list_near(name, functions)}")
    return found


def is_same(first: Any, second: Any) -> bool:
    """Tell whether two JSON values are equal as JSON has it: 1 is 1.0, and true is not 1."""
    if isinstance(first, str) or isinstance(second, str):  # most of a document is text
        return bool(first == second)
    if isinstance(first, bool) or isinstance(second, bool):
        return first is second
    ours, theirs = as_object(first), as_object(second)
    if ours is not None and theirs is not None:
        return ours.keys() == theirs.keys() and all(is_same(ours[key], theirs[key]) for key in ours)
    listed, others = as_list(first), as_list(second)
    if listed is not None and others is not None:
        return len(listed) == len(others) and all(map(is_same, listed, others))
    return bool(first == second)


def key_of(value: Any) -> str:
    """A text that is equal for equal JSON values."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return json.dumps(value, sort_keys=True, ensure_ascii=True)
