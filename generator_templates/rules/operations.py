"""Operations: each operation of the corrected document, read into names, places and fields.

Lives here: what an operation takes and answers. Does not live here: the function it becomes (``signatures``).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from attrs import frozen

from . import names as naming
from .document_checks import METHODS
from .errors import RefusalError, quoted, shown
from .groups import GROUPS, Job, group_of
from .schema_syntax import as_object, is_model
from .schemas import Field, Schemas, Shape, Value

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

JOB_ANSWER = "Submission"  # spec/corrections.yaml gives it to every operation that submits a job
_JSON = re.compile(r"application/(?:[\w.+-]+\+)?json(?:\s*;.*)?")
_FREE = Field("body", Value((Shape("object"),)), required=True, description="The JSON body, under wire names")


@frozen
class Operation:
    """One operation: its names, and what goes where."""

    function: str
    group: str
    method: str
    path: str
    summary: str
    description: str
    slug: str  # what MuAPI calls the endpoint: the path below the prefix
    answer: str
    media: str  # the media type of an answer that is no JSON
    request: str
    job: Job
    places: tuple[Field, ...]
    query: tuple[Field, ...]
    files: tuple[Field, ...]
    fields: tuple[Field, ...] | None  # None: no body
    free: bool  # the body is any object


def operations(document: Mapping[str, Any], schemas: Schemas, prefix: str) -> tuple[list[Operation], list[str]]:
    """Every operation by function name, and the tags nobody has put on a shelf."""
    found: list[Operation] = []
    strange: set[str] = set()
    for path, referred in document["paths"].items():
        item = schemas.entry("pathItems", referred) if not path.startswith("x-") else {}
        for method in (method for method in METHODS if method in item):
            operation, known = _operation(method, path, item, schemas, prefix)
            found.append(operation)
            if not known:
                strange.update((item[method].get("tags") or ["(none)"])[:1])
    naming.unique([(one.function, f"{one.method} {one.path}") for one in found], "Operations")
    shelves = [(name, f"the group {name}") for name in GROUPS]
    indexed = [(one.function, one.path) for one in found if one.job != "plain"]  # beside their groups in functions/
    naming.unique([*shelves, *indexed], "Names")
    return sorted(found, key=lambda one: one.function), sorted(strange)


def _operation(
    method: str, path: str, item: Mapping[str, Any], schemas: Schemas, prefix: str
) -> tuple[Operation, bool]:
    about_it = item[method]
    where = f"{method.upper()} {shown(path)}"
    every = (*item.get("parameters", ()), *about_it.get("parameters", ()))
    declared = [schemas.entry("parameters", one) for one in every]
    _placeable(declared, path, where)
    slug, function = naming.slug(path, prefix), naming.function_name(method, path, prefix)
    answer, media = _answer(about_it.get("responses", {}), schemas)
    job: Job = "job" if answer == JOB_ANSWER else "stream" if path.endswith("/stream") else "plain"
    group, known = group_of(slug, next(iter(about_it.get("tags") or ()), None), job)
    body = schemas.entry("requestBodies", about_it.get("requestBody") or {})
    request, fields, files, free = _body(body, schemas, where, function)
    query = tuple(_parameters(declared, "query", schemas))
    _sendable(query, where)
    return Operation(
        function,
        group,
        method.upper(),
        path,
        str(about_it.get("summary") or ""),
        str(about_it.get("description") or ""),
        slug,
        answer,
        media,
        request,
        job,
        tuple(_places(path, declared, schemas)),
        query,
        files,
        fields,
        free,
    ), known


def _placeable(declared: Iterable[Mapping[str, Any]], path: str, where: str) -> None:
    """Headers and cookies are the client's: one that is left after the corrections is a question for a person.

    So are a placeholder the path does not have, and a parameter that is to be written in a way of its own.
    """
    strange = [
        f"{shown(one['in'])} {shown(one['name'])}"
        for one in declared
        if one["in"] not in ("path", "query")
        or (one["in"] == "path" and "{" + one["name"] + "}" not in path)
        or one.get("content")
        or one.get("style", "form") not in ("form", "simple")
    ]
    if strange:
        raise RefusalError(
            f"{where} takes {', '.join(strange)}, which no request function has a place for: "
            "spec/corrections.yaml has to take it away, or operations.py to learn where it goes."
        )


def _sendable(query: Iterable[Field], where: str) -> None:
    """A query holds texts, numbers and lists of them; how an object is to be written there nobody says."""
    strange = [
        shown(field.wire) for field in query if any(shape.kind in ("object", "model") for shape in field.value.shapes)
    ]
    if strange:
        raise RefusalError(f"{where} takes an object in the query ({', '.join(strange)}), which has no one form there.")


def _parameters(declared: Iterable[Mapping[str, Any]], place: str, schemas: Schemas) -> Iterator[Field]:
    latest = {one["name"]: one for one in declared if one.get("in") == place}
    for name, one in latest.items():
        said = as_object(one.get("schema", {}))
        schema = {**said, "description": one.get("description") or said.get("description")}
        yield schemas.field(name, schema, required=place == "path" or bool(one.get("required")))


def _places(path: str, declared: Iterable[Mapping[str, Any]], schemas: Schemas) -> Iterator[Field]:
    """The placeholders in the order of the path; one the document forgot to declare is text."""
    known = {field.wire: field for field in _parameters(declared, "path", schemas)}
    for name in re.findall(r"{([^{}]*)}", path):
        yield known.get(name) or Field(name, Value((Shape("text"),)), required=True)


def _answer(responses: Mapping[str, Any], schemas: Schemas) -> tuple[str, str]:
    """The model of the first 2xx answer, ``list[…]`` of it, or nothing; and the media type of what is no JSON."""
    code = next((code for code in sorted(responses) if code.startswith("2")), None)
    content = schemas.entry("responses", responses.get(code or "", {})).get("content", {})
    kind = next((kind for kind in content if _JSON.fullmatch(kind)), None)
    if kind is None:
        return "", next(iter(content), "")
    shapes = schemas.value(content[kind].get("schema") or {}).shapes
    if len(shapes) != 1:
        return "", ""
    only = shapes[0]
    inner = only.item.shapes if only.item else ()
    if only.kind == "list" and len(inner) == 1 and inner[0].model:
        return f"list[{inner[0].model}]", ""
    return only.model or "", ""


Body = tuple[str, tuple[Field, ...] | None, tuple[Field, ...], bool]


def _body(body: Mapping[str, Any], schemas: Schemas, where: str, function: str) -> Body:
    """The request model's name, its fields, the files, and whether any object will do."""
    content = body.get("content") or {}
    if not content:
        return "", None, (), False
    kind = next((kind for kind in ("application/json", "multipart/form-data") if kind in content), None)
    if kind is None:
        raise RefusalError(
            f"{where}: no body of {quoted(', '.join(content))} can be made; only JSON and multipart are known."
        )
    name, schema = schemas.body(content[kind].get("schema") or {})
    if not is_model(schema) or not schemas.fields(schema):
        if {shape.kind for shape in schemas.value(schema).shapes} - {"object", "any"}:
            raise RefusalError(f"{where} takes a body that is no JSON object; no request function can say so yet.")
        if kind != "application/json":
            raise RefusalError(f"{where} takes {kind} without naming a field of it.")
        return "", (_FREE,), (), True
    fields = schemas.fields(schema)
    files = tuple(field for field in fields if any(shape.kind == "file" for shape in field.value.shapes))
    rest = tuple(field for field in fields if field not in files)
    if kind != "application/json":
        return "", rest or None, files, False
    name = name or schemas.adopt(f"{naming.pascal(function)}Body", schema)
    return naming.class_name(name), rest, files, False
