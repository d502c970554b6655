"""The plan of a package: the document the generator is given, and the files our own templates write.

That document is honest about paths and names, and silent about everything the generator would lose.

openapi-python-client drops a whole endpoint over one odd enum, loses bounds, order and defaults, and cannot show a
template what an operation carries. So the fields, read by ``schemas`` and written by ``signatures`` and ``classes``,
travel ready-made under ``x-python``: on a schema for its model, on the 200 response for its operation, the one place
where templates can reach them. Whatever the document itself has under that key never arrives.

Lives here: the corrected document in, the plan out. Does not live here: what any one file says.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from attrs import evolve, frozen

from .answers import make_readers
from .catalog import make_catalog
from .classes import find_users, make_answer_facts, make_request_facts
from .components import make_classes, read_components
from .document_checks import PATH_FORM
from .errors import quote, show_name
from .fingerprints import make_fingerprints
from .groups import GROUPS
from .headers import OWN_HEADERS
from .jobs import MARK, find_jobs
from .literal_aliases import MOST_INLINE, Aliases
from .media_types import FORMS, JSON_FORM, MULTIPART, RAW_FORM, URL_ENCODED
from .names import PREFIX, find_repeated, name_module, to_pascal_case
from .operations import Operation, read_operations
from .patterns import can_check
from .problems import Collector
from .schemas import Schemas
from .signatures import make_function_facts
from .values import find_patterns, rename_models

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from .components import Classes, Component
    from .price_list import PriceList
    from .problems import Place

KEY = MARK  # free here: corrections' words have been read


@frozen
class Plan:
    """Everything there is to render."""

    document: dict[str, Any]  # for openapi-python-client
    own_files: dict[str, tuple[str, dict[str, Any]]]  # path in the package to template and context, for our templates
    modules: frozenset[str]  # every file the generator has to write below api/ and models/
    operations: int
    notes: tuple[str, ...]


def make_plan(
    document: Mapping[str, Any],
    prices: PriceList,
    spec: Mapping[str, Any],
    *,
    prefix: str = PREFIX,
    beside: str = "",
    unsayable: Mapping[Place, str] | None = None,
    pinned: Mapping[str, Any] | None = None,
) -> Plan:
    """Read the corrected document once and plan all that will be rendered.

    Args:
        document: The document, corrected and of the form ``document_checks`` requires.
        prices: The price list.
        spec: What the package says it was rendered from.
        prefix: What no slug repeats of its path.
        beside: The installed package whose ``types`` this one shares; empty for one that stands alone.
        unsayable: The components that are known to be no Python, each with the reason.
        pinned: The document before it was corrected; None where it was not.

    Raises:
        UnsayableError: Parts of the document cannot be said: those of the first stage that has some, all of them.
        GenerationError: The document as a whole cannot be planned.
    """
    schemas = Schemas(document, unsayable)
    jobs = find_jobs(document, schemas, prefix)
    operations, unknown_tags, own_parameters = read_operations(document, schemas, prefix, jobs.places)
    classes = make_classes(read_components(schemas), operations)
    taken = {to_pascal_case(operation.function): operation.fields_without_class for operation in operations}
    aliases = Aliases({**taken, **{item.schema: item.fields for item in (*classes.sent, *classes.answered)}})
    _check_type_names(classes.list_all(), aliases)
    operations = [_with_answer_names(operation, classes.answer_names) for operation in operations]
    answered = {component.name: component for component in classes.answered}
    models = _plan_models(classes, answered, operations, aliases)
    return Plan(
        {
            "openapi": "3.1.0",
            "info": {"title": "MuAPI", "version": "1"},
            "paths": _plan_paths(operations, answered, aliases, prices),
            "components": {"schemas": {name: {"type": "object", KEY: models[name]} for name in sorted(models)}},
        },
        {
            **_plan_own_files(operations, aliases, {"spec": spec, "is_built": bool(beside)}),
            **_plan_readers(make_readers(operations, answered)),
            **_plan_stubs(operations, classes.list_all()),
            "types.py": _plan_types(prefix, beside),
            "catalog.json": ("", make_catalog(operations, classes.sent, prices, spec["sha256"])),
            "fingerprints.json": (
                "",
                make_fingerprints(operations, document, document if pinned is None else pinned, spec["sha256"]),
            ),
        },
        frozenset(_list_modules(operations, classes.list_all())),
        len(operations),
        (
            *jobs.notes,
            *_note_new_tags(unknown_tags),
            *_note_own_parameters(own_parameters),
            *_note_open_schemas(classes.sent),
            *_note_unchecked_patterns(classes.sent, operations),
        ),
    )


def _with_answer_names(operation: Operation, names: Mapping[str, str]) -> Operation:
    """Return an operation whose answer has its classes by the names under which they come back."""
    return evolve(operation, answer=operation.answer and rename_models(operation.answer, names))


def _plan_readers(readers: Mapping[str, Any]) -> dict[str, tuple[str, dict[str, Any]]]:
    """Plan the file that reads answers which are no one class, where there are such."""
    return {"readers.py": ("readers.py.jinja", dict(readers))} if readers else {}


def _plan_models(
    classes: Classes, answered: Mapping[str, Component], operations: list[Operation], aliases: Aliases
) -> dict[str, Any]:
    """Describe every class, by name."""
    users = find_users(classes.sent, operations)
    sent_bodies = {operation.body.request for operation in operations}
    models: dict[str, Any] = {}
    problems = Collector()
    for component in classes.sent:
        with problems.about("components", "schemas", component.schema):
            models[component.name] = make_request_facts(
                component, users.get(component.name, []), aliases, nested=component.name not in sent_bodies
            )
    for component in classes.answered:
        with problems.about("components", "schemas", component.schema):
            models[component.name] = make_answer_facts(component, answered, aliases)
    problems.stop()
    return models


def _check_type_names(classes: Iterable[Component], aliases: Aliases) -> None:
    """Refuse classes of one name, and one that bears the name of a list of choices."""
    problems = Collector()
    by_name = {component.name: component.schema for component in classes}
    pairs = [(component.name, f"the schema {component.schema}") for component in classes]
    choices = [(name, f"the choices {name}") for name, _ in aliases.list_all()]
    schemas = {
        **{f"the schema {component.schema}": component.schema for component in classes},
        **{thing: by_name.get(name, "") for name, thing in choices},
    }
    for thing, reason in find_repeated([*pairs, *choices], "Types"):
        problems.add(("components", "schemas", schemas[thing]), reason)
    problems.stop()


def _plan_types(prefix: str, beside: str) -> tuple[str, dict[str, Any]]:
    """Plan the file of types: upstream's slot for it knows neither prefix nor neighbour, so it is written once more."""
    return (
        ("shared_types.py.jinja", {"home": beside, "prefix": prefix})
        if beside
        else (
            "types.py.jinja",
            {
                "prefix": prefix,
                "path_form": PATH_FORM,
                "json_form": JSON_FORM,
                "raw_form": RAW_FORM,
                "form": FORMS[URL_ENCODED],
                "multipart": FORMS[MULTIPART],
                "own_headers": OWN_HEADERS,
            },
        )
    )


def _note_new_tags(tags: Mapping[str, list[str]]) -> list[str]:
    """Note the tags that are new, and all of their operations that are in no group but the one for the rest."""
    return [
        f"Tag {quote(tag)} is new: its operations are grouped by slug, or under other{_list_behind(rest)}."
        for tag, rest in tags.items()
    ]


def _list_behind(names: list[str]) -> str:
    return f": {', '.join(names)}" if names else ""


def _note_own_parameters(counts: Mapping[str, int]) -> list[str]:
    """Note the headers and cookies that no function has a parameter for."""
    return [
        f"{name[:1].upper()}{name[1:]} of {count} operation{'s' * (count != 1)} is the client's own: no function has "
        "a parameter for it."
        for name, count in counts.items()
    ]


def _note_open_schemas(sent: Iterable[Component]) -> list[str]:
    """Note where functions and checks allow less than the document."""
    return [
        f"Schema {quote(component.schema)} takes fields beyond those it names: only strict=False sends them."
        for component in sent
        if component.is_open
    ]


def _note_unchecked_patterns(sent: Iterable[Component], operations: Iterable[Operation]) -> list[str]:
    """Note which texts only the server holds against their pattern."""
    fields = [
        *((quote(component.schema), field) for component in sent for field in component.fields),
        *(
            (f"{operation.method} {show_name(operation.path)}", field)
            for operation in operations
            for field in operation.fields_without_class
        ),
    ]
    return [
        f"Pattern {quote(pattern)} of {quote(field.wire)} in {where} is left to the server: Python cannot read it, or "
        "could search a text for it for long."
        for where, field in fields
        for pattern in dict.fromkeys(find_patterns(field.value))
        if not can_check(pattern)
    ]


def _plan_paths(
    operations: list[Operation], answered: Mapping[str, Component], aliases: Aliases, prices: PriceList
) -> dict[str, Any]:
    paths: dict[str, Any] = {}
    problems = Collector()
    for operation in operations:
        placeholders = re.findall(r"{([^{}]*)}", operation.path)
        with problems.about("paths", operation.path, operation.method.lower()):
            paths.setdefault(operation.path, {})[operation.method.lower()] = {
                "operationId": operation.function,
                "tags": [operation.group],
                "parameters": [
                    {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
                    for name in placeholders
                ],
                "responses": {
                    "200": {"description": "", KEY: make_function_facts(operation, answered, aliases, prices)}
                },
            }
    problems.stop()
    return paths


def _list_modules(operations: list[Operation], classes: list[Component]) -> Iterator[str]:
    yield from ("api/__init__.py", "models/__init__.py")
    for group in {operation.group for operation in operations}:
        yield f"api/{group}/__init__.py"
    for operation in operations:
        yield f"api/{operation.group}/{operation.function}.py"
    for model in classes:
        yield f"models/{name_module(model.name)}.py"


def _plan_own_files(
    operations: list[Operation], aliases: Aliases, facts: Mapping[str, Any]
) -> dict[str, tuple[str, dict[str, Any]]]:
    """Plan the files the generator has no slot for."""
    models = [(operation.function, operation.group) for operation in operations if operation.job != "plain"]
    title = "Every model's request function by name; a module loads when its function is first asked for."
    files: dict[str, tuple[str, dict[str, Any]]] = {
        "__init__.py": ("package.py.jinja", {**facts, "operations": len(operations)}),
        "answers.py": ("answers.py.jinja", {}),
        "checks.py": ("checks.py.jinja", {}),
        "schemas.py": ("schemas.py.jinja", {}),
        "choices.py": ("choices.py.jinja", {"choices": aliases.list_all(), "longest": MOST_INLINE}),
        "functions/__init__.py": (
            "functions.py.jinja",
            {"title": title, "flat": True, "groups": [*_names_by_group(models)]},
        ),
        "py.typed": ("", {}),
    }
    for group, names in _names_by_group(models):
        title = f"{GROUPS[group].title}: request functions by name; a module loads when first asked for."
        context = {"title": title, "flat": False, "group": group, "names": names}
        files[f"functions/{group}.py"] = ("functions.py.jinja", context)
    return files


def _plan_stubs(operations: list[Operation], classes: list[Component]) -> dict[str, tuple[str, dict[str, Any]]]:
    """Plan what type checkers read of the lazy packages, apart so that the interpreter has less to read."""
    functions = [(item.function, item.group) for item in operations if item.job != "plain"]
    models = sorted((item.name, name_module(item.name)) for item in classes)
    return {
        "functions/__init__.pyi": ("functions.pyi.jinja", {"functions": functions}),
        "models/__init__.pyi": ("models.pyi.jinja", {"models": models}),
        **{
            f"functions/{group}.pyi": ("functions.pyi.jinja", {"functions": members})
            for group, members in _functions_by_group(functions)
        },
    }


def _names_by_group(functions: list[tuple[str, str]]) -> Iterator[tuple[str, list[str]]]:
    for group, members in _functions_by_group(functions):
        yield group, [name for name, _ in members]


def _functions_by_group(functions: list[tuple[str, str]]) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Give every group of jobs with its functions, an empty one too: the set is closed, and the overlay offers each."""
    for group, properties in GROUPS.items():
        members = [pair for pair in functions if pair[1] == group]
        if members or properties.kind != "platform":
            yield group, members
