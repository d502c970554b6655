"""Operations: each operation of the corrected document, read into names, places and fields.

Lives here: what an operation takes and answers. Does not live here: the function it becomes (``signatures``).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from attrs import evolve, frozen

from .document_checks import METHODS
from .errors import GenerationError, quote, show_name
from .groups import GROUPS, Job, find_group
from .jobs import JOB_RESPONSE
from .media_types import JSON, MULTIPART, PLAIN_JSON, find_media_type
from .names import find_repeated, make_slug, name_class, name_function, to_pascal_case
from .problems import Collector
from .schema_syntax import Schema, as_object, is_model
from .schemas import Field, Schemas, Shape, Value, find_models

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from .jobs import Place

# What a parameter's style puts between the items of a list that is not exploded (OpenAPI 3.1, "Style Values").
_SEPARATORS = {"form": ",", "simple": ",", "spaceDelimited": " ", "pipeDelimited": "|"}
_STYLES = {"path": ("simple",), "query": ("form", "spaceDelimited", "pipeDelimited")}  # the first is the default
_JOB_ANSWER = (Value((Shape("model", model=JOB_RESPONSE),)), "")
_ANY_BODY = Field("body", Value((Shape("object"),)), required=True, description="The JSON body, under wire names")


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
    answer: Value | None  # of classes; None where the document tells of none
    media: str  # the media type of an answer that is no JSON
    request: str
    media_type: str  # of a JSON body that is labelled otherwise than application/json
    job: Job
    path_fields: tuple[Field, ...]
    query: tuple[Field, ...]
    files: tuple[Field, ...]
    fields: tuple[Field, ...] | None  # None: no body
    takes_any_object: bool  # as its body


def read_operations(
    document: Mapping[str, Any], schemas: Schemas, prefix: str, jobs: Collection[Place]
) -> tuple[list[Operation], dict[str, list[str]]]:
    """Read every operation, by function name, and list the tags no group is known for with what no group took.

    Args:
        document: The corrected document.
        schemas: Its schemas.
        prefix: What no slug repeats of its path.
        jobs: The operations that submit a job.

    Raises:
        UnsayableError: Some operations cannot be said; all are read before it ends.
    """
    found: list[Operation] = []
    unknown_tags: dict[str, list[str]] = {}
    problems = Collector()
    for path, reference in document["paths"].items():
        item = schemas.find_path_item(reference) if not path.startswith("x-") else {}
        for method in (method for method in METHODS if method in item):
            with problems.about("paths", path, method):
                operation, is_known = _read_operation(
                    method, path, item, schemas, prefix, submits=(method.upper(), path) in jobs
                )
                found.append(operation)
                if not is_known:
                    taken_by_none = unknown_tags.setdefault((item[method].get("tags") or ["(none)"])[0], [])
                    taken_by_none += [f"{operation.method} {show_name(path)}"] if operation.group == "other" else []
    _check_names(found, problems)
    problems.stop()
    return sorted(found, key=lambda operation: operation.function), dict(sorted(unknown_tags.items()))


def _check_names(operations: Iterable[Operation], problems: Collector) -> None:
    """Take down every operation whose function would bear the name of another's, or of a group beside it."""
    functions = {f"{operation.method} {operation.path}": operation for operation in operations}
    names = [(operation.function, key) for key, operation in functions.items()]
    groups = [(name, f"the group {name}") for name in GROUPS]
    indexed = {name: key for name, key in reversed(names) if functions[key].job != "plain"}
    for thing, reason in (
        *find_repeated(names, "Operations"),
        *find_repeated([*groups, *indexed.items()], "Names"),  # both stand in functions/
    ):
        problems.add(("paths", functions[thing].path, functions[thing].method.lower()), reason)


def _read_operation(
    method: str, path: str, item: Mapping[str, Any], schemas: Schemas, prefix: str, *, submits: bool
) -> tuple[Operation, bool]:
    definition = item[method]
    where = f"{method.upper()} {show_name(path)}"
    all_parameters = (*item.get("parameters", ()), *definition.get("parameters", ()))
    declared = [schemas.find_component("parameters", parameter) for parameter in all_parameters]
    _check_parameters(declared, path, where)
    slug, function = make_slug(path, prefix), name_function(method, path, prefix)
    answer, media = _JOB_ANSWER if submits else _read_answer(definition.get("responses", {}), schemas, function)
    job: Job = "job" if submits else "stream" if path.endswith("/stream") else "plain"
    group, is_known = find_group(slug, next(iter(definition.get("tags") or ()), None), job)
    body = schemas.find_component("requestBodies", definition.get("requestBody") or {})
    media_type = _find_media_type(body.get("content") or {}, where)
    request, fields, files, takes_any_object = _read_body(body, media_type, schemas, where, function)
    query = tuple(_read_parameters(declared, "query", schemas))
    _check_query(query, where)
    return Operation(
        function,
        group,
        method.upper(),
        path,
        str(definition.get("summary") or ""),
        str(definition.get("description") or ""),
        slug,
        answer,
        media,
        request,
        media_type if JSON.fullmatch(media_type) and not PLAIN_JSON.fullmatch(media_type) else "",
        job,
        tuple(_read_path_fields(path, declared, schemas)),
        query,
        files,
        fields,
        takes_any_object,
    ), is_known


def _check_parameters(declared: Iterable[Mapping[str, Any]], path: str, where: str) -> None:
    """Refuse headers and cookies, which are the client's: one left after the corrections is a question for a person.

    So are a placeholder the path does not have, and a parameter that is to be written in a way of its own.
    """
    unsupported = [
        f"{show_name(parameter['in'])} {show_name(parameter['name'])}"
        + (f" (style {quote(parameter['style'])})" if "style" in parameter else "")
        for parameter in declared
        if parameter["in"] not in ("path", "query")
        or (parameter["in"] == "path" and "{" + parameter["name"] + "}" not in path)
        or parameter.get("content")
        or (parameter.get("style") or _STYLES[parameter["in"]][0]) not in _STYLES[parameter["in"]]
    ]
    if unsupported:
        raise GenerationError(
            f"{where} takes {', '.join(unsupported)}, which no request function has a place for: "
            "a correction has to take it away."
        )


def _check_query(query: Iterable[Field], where: str) -> None:
    """Refuse objects in a query, which holds texts, numbers and lists of them: they have no one form there."""
    objects = [
        show_name(field.wire)
        for field in query
        if any(shape.kind in ("object", "model") for shape in field.value.shapes)
    ]
    if objects:
        raise GenerationError(
            f"{where} takes an object in the query ({', '.join(objects)}), which has no one form there."
        )


def _read_parameters(declared: Iterable[Mapping[str, Any]], place: str, schemas: Schemas) -> Iterator[Field]:
    latest = {parameter["name"]: parameter for parameter in declared if parameter.get("in") == place}
    for name, parameter in latest.items():
        declared_schema = as_object(parameter.get("schema", {}))
        schema = {**declared_schema, "description": parameter.get("description") or declared_schema.get("description")}
        field = schemas.read_field(name, schema, required=place == "path" or bool(parameter.get("required")))
        yield evolve(field, separator=_find_separator(parameter, place) if _holds_list(field.value) else "")


def _find_separator(parameter: Mapping[str, Any], place: str) -> str:
    """Find what stands between the items of a list; empty where each is a parameter of its own."""
    style = parameter.get("style") or _STYLES[place][0]
    is_exploded = place == "query" and parameter.get("explode", style == "form")
    return "" if is_exploded else _SEPARATORS[style]


def _holds_list(value: Value) -> bool:
    return any(shape.kind == "list" for shape in value.shapes)


def _read_path_fields(path: str, declared: Iterable[Mapping[str, Any]], schemas: Schemas) -> Iterator[Field]:
    """Read the placeholders in the order of the path; one the document forgot to declare is text."""
    declared_fields = {field.wire: field for field in _read_parameters(declared, "path", schemas)}
    for name in re.findall(r"{([^{}]*)}", path):
        yield declared_fields.get(name) or Field(name, Value((Shape("text"),)), required=True)


def _read_answer(responses: Mapping[str, Any], schemas: Schemas, function: str) -> tuple[Value | None, str]:
    """Read what the first 2xx answer may be, where classes are a part of it; and the media type of what is no JSON."""
    code = next((code for code in sorted(responses) if code.startswith("2")), None)
    content = schemas.find_component("responses", responses.get(code or "", {})).get("content", {})
    media_type = find_media_type(content, JSON)
    if not media_type:
        return None, next(iter(content), "")
    schema = _with_names(content[media_type].get("schema") or {}, f"{to_pascal_case(function)}Answer", schemas)
    value = schemas.read_value(schema)
    is_jobs_own = value.shapes == (Shape("model", model=JOB_RESPONSE),)  # what a job answers, and nothing else
    return value if find_models(value) and not is_jobs_own else None, ""


def _with_names(schema: Schema, name: str, schemas: Schemas) -> Schema:
    """Make a component of an object with fields that has no name, or of those in a list."""
    schema = as_object(schema)
    if "$ref" not in schema and is_model(schema) and schemas.read_fields(schema):
        return {"$ref": f"#/components/schemas/{schemas.add_component(name, schema)}"}
    return {**schema, "items": _with_names(schema["items"], f"{name}Item", schemas)} if "items" in schema else schema


Body = tuple[str, tuple[Field, ...] | None, tuple[Field, ...], bool]


def _find_media_type(content: Mapping[str, Any], where: str) -> str:
    """Choose the media type a body is sent as, plain JSON first; empty where there is no body."""
    chosen = find_media_type(content, PLAIN_JSON, JSON, MULTIPART)
    if content and not chosen:
        raise GenerationError(
            f"{where}: no body of {quote(', '.join(content))} can be made; only JSON and multipart are known."
        )
    return chosen


def _read_body(body: Mapping[str, Any], media_type: str, schemas: Schemas, where: str, function: str) -> Body:
    """Read the request model's name, its fields, the files, and whether any object will do."""
    if not media_type:
        return "", None, (), False
    is_json = JSON.fullmatch(media_type) is not None
    name, schema = schemas.read_body(body["content"][media_type].get("schema") or {})
    if not is_model(schema) or not schemas.read_fields(schema):
        if {shape.kind for shape in schemas.read_value(schema).shapes} - {"object", "any"}:
            raise GenerationError(f"{where} takes a body that is no JSON object; no request function can say so yet.")
        if not is_json:
            raise GenerationError(f"{where} takes {media_type} without naming a field of it.")
        return "", (_ANY_BODY,), (), True
    fields = schemas.read_fields(schema)
    files = tuple(field for field in fields if any(shape.kind == "file" for shape in field.value.shapes))
    others = tuple(field for field in fields if field not in files)
    if not is_json:
        return "", others or None, files, False
    name = name or schemas.add_component(f"{to_pascal_case(function)}Body", schema)
    return name_class(name), others, files, False
