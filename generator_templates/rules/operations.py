"""Operations: each operation of the corrected document, read into names, places and fields.

Lives here: what an operation takes and answers. Does not live here: the function it becomes (``signatures``).
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from attrs import evolve, frozen

from .document_checks import METHODS, is_stream, split_path
from .errors import GenerationError, quote, show_name
from .groups import GROUPS, Job, find_group
from .headers import can_be_named, is_own, read_credentials
from .jobs import JOB_RESPONSE
from .media_types import (
    FORMS,
    JSON,
    MULTIPART,
    PLAIN_JSON,
    TEXT,
    URL_ENCODED,
    find_media_type,
    find_raw_media_type,
)
from .names import find_repeated, make_slug, name_class, name_function, to_pascal_case
from .path_items import list_parameters
from .problems import Collector
from .schema_syntax import Schema, as_object, first_list
from .values import Field, Shape, Value, as_part_of_form, find_models, holds_file

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from .headers import Credential
    from .jobs import Route
    from .schemas import Schemas

# What a parameter's style puts between the items of a list that is not exploded (OpenAPI 3.1, "Style Values").
_SEPARATORS = {"form": ",", "simple": ",", "spaceDelimited": " ", "pipeDelimited": "|", "deepObject": ""}
_STYLES = {  # the first is the default
    "path": ("simple",),
    "query": ("form", "spaceDelimited", "pipeDelimited", "deepObject"),
    "header": ("simple",),
    "cookie": ("form",),
}
_JOB_ANSWER = (Value((Shape("model", model=JOB_RESPONSE),)), "")
_ANY_BODY = Field("body", Value((Shape("object"),)), required=True, description="The JSON body, under wire names")
_ANY_TEXT = Value((Shape("text"),))


@frozen
class Body:
    """What an operation takes as its body: files and fields by their names, or one value as a whole, or nothing."""

    request: str = ""  # the class of the fields
    fields: tuple[Field, ...] | None = None  # None: there are none to be sent
    files: tuple[Field, ...] = ()
    whole: Field | None = None

    @property
    def all_fields(self) -> tuple[Field, ...]:
        """Return every field there is a parameter for."""
        return (*self.files, *(self.fields or ()), *([self.whole] if self.whole else []))


@frozen
class Operation:
    """One operation: its names, and what goes where."""

    function: str
    group: str
    method: str
    path: str  # as the document has it
    summary: str
    description: str
    slug: str  # what MuAPI calls the endpoint: the path below the prefix
    answer: Value | None  # of classes; None where the document tells of none
    media: str  # the media type of an answer that is no JSON
    media_type: str  # of a body that is labelled otherwise than application/json
    job: Job
    path_fields: tuple[Field, ...]
    query: tuple[Field, ...]
    headers: tuple[Field, ...]
    cookies: tuple[Field, ...]
    body: Body
    fixed_query: Mapping[str, list[str]]  # what always goes with the path

    @property
    def is_form(self) -> bool:
        """Return whether files and fields of the body are parts of a multipart form."""
        return MULTIPART.fullmatch(self.media_type) is not None

    @property
    def sent_path(self) -> str:
        """Return the path that is sent."""
        return split_path(self.path)[0]

    @property
    def parameters(self) -> tuple[Field, ...]:
        """Return all that is taken beside the body."""
        return (*self.path_fields, *self.query, *self.headers, *self.cookies)

    @property
    def fields_without_class(self) -> tuple[Field, ...]:
        """Return what no class of a body has: the parameters, and a body that is one value."""
        return (*self.parameters, *([self.body.whole] if self.body.whole else []))


def read_operations(
    document: Mapping[str, Any], schemas: Schemas, prefix: str, jobs: Collection[Route]
) -> tuple[list[Operation], dict[str, list[str]], dict[str, int]]:
    """Read every operation, by function name.

    Also list the tags no group is known for with what no group took, and count the headers and cookies that are the
    client's own.

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
    own: Counter[str] = Counter()
    problems = Collector()
    credentials = read_credentials(document, schemas, problems)
    for path, reference in document["paths"].items():
        item = schemas.find_path_item(reference) if not path.startswith("x-") else {}
        for method in (method for method in METHODS if method in item):
            with problems.about("paths", path, method):
                operation, is_known = _read_operation(
                    method, path, item, schemas, prefix, credentials, submits=(method.upper(), path) in jobs
                )
                own.update(_list_own(item, method, schemas, credentials))
                found.append(operation)
                if not is_known:
                    taken_by_none = unknown_tags.setdefault((item[method].get("tags") or ["(none)"])[0], [])
                    taken_by_none += [f"{operation.method} {show_name(path)}"] if operation.group == "other" else []
    _check_names(found, problems)
    problems.stop()
    in_order = sorted(found, key=lambda operation: operation.function)
    return in_order, dict(sorted(unknown_tags.items())), dict(sorted(own.items()))


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


def _read_operation(  # noqa: PLR0917 - all of them are the document's
    method: str,
    path: str,
    item: Mapping[str, Any],
    schemas: Schemas,
    prefix: str,
    credentials: frozenset[Credential],
    *,
    submits: bool,
) -> tuple[Operation, bool]:
    definition = item[method]
    where = f"{method.upper()} {show_name(path)}"
    declared = [
        parameter for parameter in _find_parameters(item, method, schemas) if not is_own(parameter, credentials)
    ]
    _check_parameters(declared, path, where)
    sent, fixed = split_path(path)
    slug, function = make_slug(sent, prefix), name_function(method, path, prefix)
    answer, media = _JOB_ANSWER if submits else _read_answer(definition.get("responses", {}), schemas, function)
    job: Job = "job" if submits else "stream" if is_stream(path) else "plain"
    group, is_known = find_group(slug, next(iter(definition.get("tags") or ()), None), job)
    body = schemas.find_component("requestBodies", definition.get("requestBody") or {})
    media_type = _find_media_type(body.get("content") or {}, where)
    headers, cookies = (tuple(_read_parameters(declared, place, schemas)) for place in ("header", "cookie"))
    fixed_query = parse_qs(fixed, keep_blank_values=True)
    query = tuple(field for field in _read_query(declared, schemas, where) if field.wire not in fixed_query)
    _refuse_objects(headers, "a header", where)
    _refuse_objects(cookies, "a cookie", where, also="list")
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
        _label_body(media_type),
        job,
        tuple(_read_path_fields(path, declared, schemas)),
        query,
        headers,
        cookies,
        _read_body(body, media_type, schemas, where, function),
        fixed_query,
    ), is_known


def _find_parameters(item: Mapping[str, Any], method: str, schemas: Schemas) -> list[Mapping[str, Any]]:
    """Find what an operation takes beside its body, what counts most at the end."""
    return [schemas.find_component("parameters", one) for one in list_parameters(item, item[method])]


def _list_own(item: Mapping[str, Any], method: str, schemas: Schemas, credentials: frozenset[Credential]) -> set[str]:
    """List the headers and cookies of an operation that are the client's own."""
    found = _find_parameters(item, method, schemas)
    return {f"{one['in']} {show_name(one['name'].lower())}" for one in found if is_own(one, credentials)}


def _check_parameters(declared: Iterable[Mapping[str, Any]], path: str, where: str) -> None:
    """Refuse what has no place in a request: a correction has to say what is meant.

    That is a placeholder the path does not have, a header or a cookie whose name none can have, and a parameter that
    is to be written in a way of its own.
    """
    unsupported = [
        _show_parameter(parameter)
        for parameter in declared
        if parameter["in"] not in _STYLES
        or (parameter["in"] in ("header", "cookie") and not can_be_named(parameter["name"]))
        or (parameter["in"] == "path" and "{" + parameter["name"] + "}" not in path)
        or parameter.get("content")
        or (parameter.get("style") or _STYLES[parameter["in"]][0]) not in _STYLES[parameter["in"]]
    ]
    if unsupported:
        raise _no_place_error(where, unsupported)


def _show_parameter(parameter: Mapping[str, Any]) -> str:
    style = f" (style {quote(parameter['style'])})" if "style" in parameter else ""
    return f"{show_name(parameter['in'])} {show_name(parameter['name'])}{style}"


def _no_place_error(where: str, parameters: list[str]) -> GenerationError:
    return GenerationError(
        f"{where} takes {', '.join(parameters)}, which no request function has a place for: a correction has to take "
        "it away."
    )


def _refuse_objects(fields: Iterable[Field], place: str, where: str, *, also: str = "") -> None:
    """Refuse objects where texts, numbers and mostly lists of them stand: they have no one form there."""
    kinds = {"object", "model", *([also] if also else [])}
    odd = [show_name(field.wire) for field in fields if any(shape.kind in kinds for shape in field.value.shapes)]
    if odd:
        what = f"an object or a {also}" if also else "an object"
        raise GenerationError(f"{where} takes {what} in {place} ({', '.join(odd)}), which has no one form there.")


def _read_parameters(declared: Iterable[Mapping[str, Any]], place: str, schemas: Schemas) -> Iterator[Field]:
    latest = {
        parameter["name"].lower() if place == "header" else parameter["name"]: parameter
        for parameter in declared
        if parameter.get("in") == place
    }
    for parameter in latest.values():
        name = parameter["name"]
        declared_schema = as_object(parameter.get("schema", {}))
        schema = {**declared_schema, "description": parameter.get("description") or declared_schema.get("description")}
        field = schemas.read_field(name, schema, required=place == "path" or bool(parameter.get("required")))
        yield evolve(field, separator=_find_separator(parameter, place) if _holds_list(field.value) else "")


def _read_query(declared: Iterable[Mapping[str, Any]], schemas: Schemas, where: str) -> list[Field]:
    """Read what stands in the query; an object that is exploded there is its fields, each a parameter of its own."""
    parameters = {parameter["name"]: parameter for parameter in declared if parameter["in"] == "query"}
    found: dict[str, Field] = {}
    for field in _read_parameters(declared, "query", schemas):
        parameter = parameters[field.wire]
        if parameter.get("style") == "deepObject":
            if not _is_object(field.value):
                raise _no_place_error(where, [_show_parameter(parameter)])
            found[field.wire] = field
            continue
        inner = _read_inner_fields(parameter, field, schemas)
        _refuse_objects(inner or [field], "the query", where)
        for one in inner:
            found.setdefault(one.wire, one)
        if not inner:
            found[field.wire] = field
    return [*found.values()]


def _read_inner_fields(parameter: Mapping[str, Any], field: Field, schemas: Schemas) -> list[Field]:
    """Read the named fields of a parameter that is an object, and is exploded."""
    if not _is_object(field.value) or not parameter.get("explode", True):
        return []
    _, schema = schemas.read_body(parameter["schema"])
    if not schemas.is_model(schema) or first_list(schema, "anyOf", "oneOf"):
        return []
    inner = (one for one in schemas.read_fields(schema) if not one.read_only)
    return [evolve(one, required=one.required and field.required) for one in inner]


def _is_object(value: Value) -> bool:
    return len(value.shapes) == 1 and value.shapes[0].kind in ("object", "model")


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
    for name in re.findall(r"{([^{}]*)}", split_path(path)[0]):
        yield declared_fields.get(name) or Field(name, Value((Shape("text"),)), required=True)


def _read_answer(responses: Mapping[str, Any], schemas: Schemas, function: str) -> tuple[Value | None, str]:
    """Read what the first 2xx answer may be, where classes are a part of it; and the media type of what is no JSON."""
    content, media_type = schemas.find_answer(responses)
    if not media_type:
        return None, next(iter(content), "")
    schema = _with_names(content[media_type].get("schema") or {}, f"{to_pascal_case(function)}Answer", schemas)
    value = schemas.read_value(schema)
    is_jobs_own = value.shapes == (Shape("model", model=JOB_RESPONSE),)  # what a job answers, and nothing else
    return value if find_models(value) and not is_jobs_own else None, ""


def _with_names(schema: Schema, name: str, schemas: Schemas) -> Schema:
    """Make a component of an object with fields that has no name, or of those in a list."""
    schema = as_object(schema)
    if "$ref" not in schema and schemas.is_model(schema) and schemas.read_fields(schema):
        return {"$ref": f"#/components/schemas/{schemas.add_component(name, schema)}"}
    if not as_object(schema.get("items", {})):
        return schema  # of what is no list, of one of anything, and of one that ends with its places
    return {**schema, "items": _with_names(schema["items"], f"{name}Item", schemas)}


def _find_media_type(content: Mapping[str, Any], where: str) -> str:
    """Choose the media type a body is sent as, plain JSON first, bytes last; empty where there is no body."""
    chosen = find_media_type(content, PLAIN_JSON, JSON, *FORMS) or find_raw_media_type(content)
    if content and not chosen:
        raise GenerationError(f"{where}: no body of {quote(', '.join(content))} can be made.")
    return chosen


def _label_body(media_type: str) -> str:
    """Return what an operation has to know of its body's media type: of plain JSON, nothing."""
    if not media_type or PLAIN_JSON.fullmatch(media_type):
        return ""
    return next((label for form, label in FORMS.items() if form.fullmatch(media_type)), media_type)


def _read_body(body: Mapping[str, Any], media_type: str, schemas: Schemas, where: str, function: str) -> Body:
    """Read what an operation takes as its body: fields that become parameters, or one value as a whole."""
    if not media_type:
        return Body()
    is_json = JSON.fullmatch(media_type) is not None
    if not is_json and not find_media_type([media_type], *FORMS):
        return _read_raw_body(body, media_type, schemas)
    declared = body["content"][media_type].get("schema") or {}
    name, schema = schemas.read_body(declared)
    has_names = schemas.is_model(schema)
    fields = tuple(field for field in schemas.read_fields(schema) if not field.read_only) if has_names else ()
    if not fields and not is_json:
        raise GenerationError(f"{where} takes {media_type} without naming a field of it.")
    if not fields:
        is_any = has_names and not first_list(schema, "anyOf", "oneOf")  # an object, of which no more is said
        whole = _ANY_BODY if is_any else _read_whole_body(declared, schemas, required=bool(body.get("required")))
        return Body(whole=whole)
    if URL_ENCODED.fullmatch(media_type):
        _refuse_objects(fields, "a form", where)
    if MULTIPART.fullmatch(media_type):
        fields = tuple(map(as_part_of_form, fields))
    files = tuple(field for field in fields if holds_file(field))
    others = tuple(field for field in fields if field not in files)
    name = name or schemas.add_component(f"{to_pascal_case(function)}Body", schema)
    return Body(name_class(name), (others or None) if files else others, files)


def _read_raw_body(body: Mapping[str, Any], media_type: str, schemas: Schemas) -> Body:
    """Read a body that is sent as it is: a text, or the bytes of a file."""
    content = body["content"]
    schema = (content.get(media_type) or next(iter(content.values()))).get("schema") or {}
    required = bool(body.get("required"))
    value = schemas.read_value(schema)
    described = str(as_object(schema).get("description") or "") or f"The body, ``{media_type}``"
    if not TEXT.fullmatch(media_type) or any(shape.is_binary for shape in value.shapes):
        return Body(files=(Field("body", Value((Shape("file"),)), required=required, description=described),))
    texts = tuple(evolve(shape, format=None) for shape in value.shapes if shape.kind in ("text", "choice"))
    whole = Value(texts) if texts and len(texts) == len(value.shapes) else _ANY_TEXT
    return Body(whole=Field("body", whole, required=required, description=described))


def _read_whole_body(schema: Schema, schemas: Schemas, *, required: bool) -> Field:
    """Read a body that is no object of named fields: a list, a text, any of several classes, or any object."""
    value = schemas.read_value(schema)
    if {shape.kind for shape in value.shapes} <= {"object", "any"} and not any(shape.values for shape in value.shapes):
        return _ANY_BODY
    described = str(as_object(schema).get("description") or "") or "The JSON body"
    return Field("body", value, required=required, description=described)
