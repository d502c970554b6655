"""Operations: each operation of the corrected document, read into names, places and fields.

Lives here: what an operation takes and answers. Does not live here: the function it becomes (``signatures``).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import naming
from attrs import frozen
from grouping import GROUPS, Job, group_of
from refusal import RefusalError
from shapes import Field, Schemas, Shape, Value, is_model

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping


METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
JOB_ANSWER = "Submission"  # spec/corrections.yaml gives it to every operation that submits a job
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
    answer: str
    request: str
    job: Job
    places: tuple[Field, ...]
    query: tuple[Field, ...]
    files: tuple[Field, ...]
    fields: tuple[Field, ...] | None  # None: no body
    free: bool  # the body is any object

    @property
    def slug(self) -> str:
        """What MuAPI calls the endpoint."""
        return naming.slug(self.path)


def operations(document: Mapping[str, Any], schemas: Schemas) -> tuple[list[Operation], list[str]]:
    """Every operation by function name, and the tags nobody has put on a shelf."""
    found: list[Operation] = []
    strange: set[str] = set()
    for path, item in document["paths"].items():
        for method in (method for method in METHODS if method in item):
            operation, known = _operation(method, path, item, schemas)
            found.append(operation)
            if not known:
                strange.update((item[method].get("tags") or ["(none)"])[:1])
    naming.unique([(one.function, f"{one.method} {one.path}") for one in found], "Operations")
    shelves = [(name, f"the group {name}") for name in GROUPS]
    indexed = [(one.function, one.path) for one in found if one.job != "plain"]  # beside their groups in functions/
    naming.unique([*shelves, *indexed], "Names")
    return sorted(found, key=lambda one: one.function), sorted(strange)


def _operation(method: str, path: str, item: Mapping[str, Any], schemas: Schemas) -> tuple[Operation, bool]:
    about_it = item[method]
    where = f"{method.upper()} {path}"
    declared = [schemas.parameter(one) for one in (*item.get("parameters", ()), *about_it.get("parameters", ()))]
    _placeable(declared, where)
    answer = _answer(about_it.get("responses", {}), schemas)
    job: Job = "job" if answer == JOB_ANSWER else "stream" if path.endswith("/stream") else "plain"
    group, known = group_of(naming.slug(path), next(iter(about_it.get("tags") or ()), None), job)
    request, fields, files, free = _body(about_it.get("requestBody") or {}, schemas, where)
    return Operation(
        naming.function_name(method, path),
        group,
        method.upper(),
        path,
        str(about_it.get("summary") or ""),
        str(about_it.get("description") or ""),
        answer,
        request,
        job,
        tuple(_places(path, declared, schemas)),
        tuple(_parameters(declared, "query", schemas)),
        files,
        fields,
        free,
    ), known


def _placeable(declared: Iterable[Mapping[str, Any]], where: str) -> None:
    """Headers and cookies are the client's: one that is left after the corrections is a question for a person."""
    strange = [f"{one['in']} {one['name']}" for one in declared if one.get("in") not in ("path", "query")]
    if strange:
        raise RefusalError(
            f"{where} takes {', '.join(strange)}, which no request function has a place for: "
            "spec/corrections.yaml has to take it away, or operations.py to learn where it goes."
        )


def _parameters(declared: Iterable[Mapping[str, Any]], place: str, schemas: Schemas) -> Iterator[Field]:
    latest = {one["name"]: one for one in declared if one.get("in") == place}
    for name, one in latest.items():
        schema = {
            **one.get("schema", {}),
            "description": one.get("description") or one.get("schema", {}).get("description"),
        }
        yield schemas.field(name, schema, required=place == "path" or bool(one.get("required")))


def _places(path: str, declared: Iterable[Mapping[str, Any]], schemas: Schemas) -> Iterator[Field]:
    """The placeholders in the order of the path; one the document forgot to declare is text."""
    known = {field.wire: field for field in _parameters(declared, "path", schemas)}
    for name in re.findall(r"{([^{}]*)}", path):
        yield known.get(name) or Field(name, Value((Shape("text"),)), required=True)


def _answer(responses: Mapping[str, Any], schemas: Schemas) -> str:
    """The model of the first 2xx answer, ``list[…]`` of it, or nothing where any JSON may come."""
    code = next((code for code in sorted(responses) if code.startswith("2")), None)
    schema = responses.get(code or "", {}).get("content", {}).get("application/json", {}).get("schema") or {}
    shapes = schemas.value(schema).shapes
    if len(shapes) != 1:
        return ""
    only = shapes[0]
    inner = only.item.shapes if only.item else ()
    if only.kind == "list" and len(inner) == 1 and inner[0].model:
        return f"list[{inner[0].model}]"
    return only.model or ""


Body = tuple[str, tuple[Field, ...] | None, tuple[Field, ...], bool]


def _body(body: Mapping[str, Any], schemas: Schemas, where: str) -> Body:
    """The request model's name, its fields, the files, and whether any object will do."""
    content = body.get("content") or {}
    if not content:
        return "", None, (), False
    kind = next((kind for kind in ("application/json", "multipart/form-data") if kind in content), None)
    if kind is None:
        raise RefusalError(f"{where}: no body of {', '.join(content)} can be made; only JSON and multipart are known.")
    schema = content[kind].get("schema") or {}
    name = ""
    while "$ref" in schema:
        name, schema = schemas.resolve(schema["$ref"])
    if not is_model(schema):
        if {shape.kind for shape in schemas.value(schema).shapes} - {"object", "any"}:
            raise RefusalError(f"{where} takes a body that is no JSON object; no request function can say so yet.")
        return "", (_FREE,), (), True
    fields = schemas.fields(schema)
    files = tuple(field for field in fields if any(shape.kind == "file" for shape in field.value.shapes))
    rest = tuple(field for field in fields if field not in files)
    if kind != "application/json":
        return "", rest or None, files, False
    name = name or schemas.adopt(f"{naming.pascal(naming.function_name(*where.split(' ', 1)))}Body", schema)
    return naming.class_name(name), rest, files, False
