"""The document the generator is given: honest about paths and names, silent about everything it would lose.

openapi-python-client drops a whole endpoint over one odd enum, loses bounds, order and defaults, and cannot show a
template what an operation carries. So the fields, read by ``shapes`` and said by ``signatures`` and ``classes``, ride
along ready-made under ``x-python``: on a schema for its model, on the 200 response for its operation, the one place
where templates can reach them. Whatever the document itself has under that key never arrives.

Lives here: the corrected document in, the rendering document and the leftovers for render.py's own templates out.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from attrs import frozen

from .catalog import catalogue
from .classes import Component, answer_facts, components, request_facts, roles, users
from .errors import quoted
from .groups import GROUPS
from .literal_aliases import LONG, Aliases
from .names import PREFIX, module_name, pascal, unique
from .operations import Operation, operations
from .schemas import Schemas
from .signatures import facts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .price_list import PriceList

KEY = "x-python"


@frozen
class Plan:
    """Everything there is to render."""

    document: dict[str, Any]  # for openapi-python-client
    own: dict[str, tuple[str, dict[str, Any]]]  # path in the package to template and context, for render.py
    modules: frozenset[str]  # every file the generator has to write below api/ and models/
    operations: int
    notes: tuple[str, ...]


def plan(
    document: Mapping[str, Any],
    prices: PriceList,
    spec: Mapping[str, Any],
    *,
    prefix: str = PREFIX,
    beside: str = "",
) -> Plan:
    """Read the corrected document once and say all that will be rendered.

    Args:
        document: The document, corrected and of the form ``structure`` checks.
        prices: The price list.
        spec: What the package says it was rendered from.
        prefix: What no slug repeats of its path.
        beside: The installed package whose ``types`` this one shares; empty for one that stands alone.
    """
    schemas = Schemas(document)
    every, strange = operations(document, schemas, prefix)
    classes = components(schemas)
    queries = {pascal(one.function): one.query for one in every}
    aliases = Aliases({**queries, **{one.schema: one.fields for one in classes}})
    named = [(one.name, f"the schema {one.schema}") for one in classes]
    unique([*named, *((name, f"the choices {name}") for name, _ in aliases.all())], "Types")
    role = roles(classes, every)
    used = users(classes, every)
    direct = {one.request for one in every}
    models = {
        one.name: request_facts(one, used.get(one.name, []), aliases, nested=one.name not in direct)
        if role[one.name] == "request"
        else answer_facts(one, aliases)
        for one in classes
    }
    sent = [one for one in classes if role[one.name] == "request"]
    return Plan(
        {
            "openapi": "3.1.0",
            "info": {"title": "MuAPI", "version": "1"},
            "paths": _paths(every, aliases, prices),
            "components": {"schemas": {name: {"type": "object", KEY: told} for name, told in models.items()}},
        },
        {
            **_own(every, aliases, spec),
            **_stubs(every, classes),
            "types.py": _types(prefix, beside),
            "catalog.json": ("", catalogue(every, sent, prices, spec["sha256"])),
        },
        frozenset(_modules(every, classes)),
        len(every),
        (*_new_tags(strange), *_open_schemas(sent)),
    )


def _types(prefix: str, beside: str) -> tuple[str, dict[str, Any]]:
    """The file of types: upstream's slot for it knows neither prefix nor neighbour, so it is written once more."""
    return ("shared_types.py.jinja", {"home": beside}) if beside else ("types.py.jinja", {"prefix": prefix})


def _new_tags(tags: list[str]) -> list[str]:
    return [f"Tag {quoted(tag)} is new: grouping.py shelves its operations by slug, or under other." for tag in tags]


def _open_schemas(sent: list[Component]) -> list[str]:
    """What functions and checks know less of than the document allows."""
    return [
        f"Schema {quoted(one.schema)} takes fields beyond those it names: only strict=False sends them."
        for one in sent
        if one.is_open
    ]


def _paths(every: list[Operation], aliases: Aliases, prices: PriceList) -> dict[str, Any]:
    paths: dict[str, Any] = {}
    for one in every:
        placeholders = re.findall(r"{([^{}]*)}", one.path)
        paths.setdefault(one.path, {})[one.method.lower()] = {
            "operationId": one.function,
            "tags": [one.group],
            "parameters": [
                {"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in placeholders
            ],
            "responses": {"200": {"description": "", KEY: facts(one, aliases, prices)}},
        }
    return paths


def _modules(every: list[Operation], classes: list[Component]) -> Iterator[str]:
    yield from ("api/__init__.py", "models/__init__.py")
    for group in {one.group for one in every}:
        yield f"api/{group}/__init__.py"
    for one in every:
        yield f"api/{one.group}/{one.function}.py"
    for model in classes:
        yield f"models/{module_name(model.name)}.py"


def _own(every: list[Operation], aliases: Aliases, spec: Mapping[str, Any]) -> dict[str, tuple[str, dict[str, Any]]]:
    """The files the generator has no slot for."""
    offered = [(one.function, one.group) for one in every if one.job != "plain"]
    title = "Every model's request function by name; a module loads when its function is first asked for."
    own: dict[str, tuple[str, dict[str, Any]]] = {
        "__init__.py": ("package.py.jinja", {"spec": {**spec, "operations": len(every)}}),
        "answers.py": ("answers.py.jinja", {}),
        "checks.py": ("checks.py.jinja", {}),
        "choices.py": ("choices.py.jinja", {"choices": aliases.all(), "longest": LONG}),
        "functions/__init__.py": ("functions.py.jinja", {"title": title, "flat": True, "shelves": [*_names(offered)]}),
        "py.typed": ("", {}),
    }
    for group, names in _names(offered):
        title = f"{GROUPS[group].title}: request functions by name; a module loads when first asked for."
        context = {"title": title, "flat": False, "group": group, "names": names}
        own[f"functions/{group}.py"] = ("functions.py.jinja", context)
    return own


def _stubs(every: list[Operation], classes: list[Component]) -> dict[str, tuple[str, dict[str, Any]]]:
    """What type checkers read of the lazy packages, apart so that the interpreter has less to read."""
    offered = [(one.function, one.group) for one in every if one.job != "plain"]
    models = sorted((one.name, module_name(one.name)) for one in classes)
    return {
        "functions/__init__.pyi": ("functions.pyi.jinja", {"functions": offered}),
        "models/__init__.pyi": ("models.pyi.jinja", {"models": models}),
        **{f"functions/{group}.pyi": ("functions.pyi.jinja", {"functions": mine}) for group, mine in _shelves(offered)},
    }


def _names(offered: list[tuple[str, str]]) -> Iterator[tuple[str, list[str]]]:
    for group, mine in _shelves(offered):
        yield group, [name for name, _ in mine]


def _shelves(offered: list[tuple[str, str]]) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Every group of jobs with its functions, an empty one too: the set is closed, and the overlay leads to each."""
    for group, shelf in GROUPS.items():
        mine = [pair for pair in offered if pair[1] == group]
        if mine or shelf.kind != "platform":
            yield group, mine
