"""The models of the pinned document, as data: find one, see its fields and price, build a call from plain values.

Lives here: looking models up. Does not live here: the typed functions (``muapi_client.models``), live prices
(``MuAPI.estimate``). Loads on first use.

    >>> from muapi_client import catalog
    >>> catalog.get("flux-dev-image").function
    'flux_dev_image'
"""

import json
from collections.abc import Mapping
from decimal import Decimal
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from typing import Any

from attrs import field, frozen

from muapi_client._runtime.forks import forks
from muapi_client._spec.packages import INSTALLED, part
from muapi_client._types.money import usd
from muapi_client._types.words import show
from muapi_client.errors import MuAPIError, NotFoundError
from muapi_generated.types import Call, Operation, given

__all__ = ["Field", "Model", "Price", "all", "find", "get"]


@frozen
class Price:
    """What a model costs by the price catalogue.

    Attributes:
        cost_usd: The price of one job, in USD; only representative where ``dynamic``.
        dynamic: Whether the price depends on the input: ``MuAPI.estimate(call)`` tells it.
        as_of: The day of the price catalogue, as an ISO date.
    """

    cost_usd: Decimal
    dynamic: bool
    as_of: str


@frozen
class Field:
    """One input of a model, with the document's bounds.

    Attributes:
        name: The field's name on the wire.
        type: ``string``, ``integer``, ``number``, ``boolean``, ``array`` or ``object``.
        required: Whether it must be sent.
        nullable: Whether it may be None.
        choices: The values allowed, in the document's order; empty where any is.
        default: The server's default, or None where it has none or None.
        description: What it means.
        schema: All the document says of it, in JSON Schema's words: minimum, maximum, maxLength, items, …
    """

    name: str
    type: str
    required: bool
    nullable: bool
    choices: tuple[Any, ...]
    default: Any
    description: str
    schema: Mapping[str, Any] = field(repr=False)


@frozen
class Model:
    """One model endpoint.

    Attributes:
        slug: What follows ``/api/v1/`` in its path.
        function: The name of its function in ``muapi_client.models``.
        group: The group it is in, such as ``text_to_image``.
        kind: What it makes: ``image``, ``video``, ``audio``, ``3d``, ``text``, ``data``, …
        name: Its name in MuAPI's catalogue, by which prices are asked, or None where the document tells none.
        tier: ``best``, ``balanced``, ``fast`` or ``budget``, or None.
        streams: Whether it answers with a stream of events instead of a job.
        price: Its price, or None where the price catalogue has none.
        request: The class in ``muapi_generated.models`` that its body is checked by.
        package: The generated package it is of, should it be another one (``muapi-client spec build``).
    """

    slug: str
    function: str
    group: str
    kind: str
    name: str | None
    tier: str | None
    streams: bool
    price: Price | None
    request: str = field(repr=False)
    package: str = field(default=INSTALLED, repr=False)

    @property
    def fields(self) -> tuple[Field, ...]:
        """The inputs of the model, required ones first."""
        return _fields(self.package, self.request)

    @property
    def operation(self) -> Operation:
        """Where its requests go, and which answer comes back."""
        operation: Operation = part(self.package, f"api.{self.group}.{self.function}").OPERATION
        return operation

    def call(self, /, **values: Any) -> Call[Any]:
        """Build a call from plain values under their wire names; they are checked when it is sent.

        The typed functions of ``muapi_client.models`` tell a wrong field to the editor; this tells it at run time.
        """
        return Call(self.operation, given(**values))


def all(*, package: str = INSTALLED) -> tuple[Model, ...]:  # noqa: A001 - reads as catalog.all()
    """Every model, sorted by slug.

    Args:
        package: The generated package to look in, imported before: the installed one, or one that
            ``muapi-client spec build`` rendered from another document.
    """
    return tuple(_models(package).values())


def get(name: str, *, package: str = INSTALLED) -> Model:
    """The model of a slug, function name or catalogue name.

    Args:
        name: The slug, function name or catalogue name; of models that share a name, the one whose slug is like it.
        package: The generated package to look in, as for :func:`all`.

    Raises:
        NotFoundError: There is none in the pinned document; the message tells the nearest slugs.
        MuAPIError: The name is no text.
    """
    if not isinstance(name, str):
        raise MuAPIError(f"catalog.get takes a name as text, such as 'flux-dev-image', not {show(name)}")
    models = _models(package)
    key = name.strip("/").removeprefix("api/v1/")
    found = models.get(key) or next((m for m in models.values() if key == m.function), None) or _named(key, models)
    if found is None:
        near = get_close_matches(key, models, n=3)
        hint = f"; did you mean {', '.join(near)}?" if near else "; muapi_client.catalog.find() searches"
        raise NotFoundError(f"no model {name!r} in the pinned document{hint} (raw_call reaches newer ones)")
    return found


def _named(name: str, models: Mapping[str, Model]) -> Model | None:
    """The model of a catalogue name; of several that share it, the one whose slug is most like it."""
    sharing = [model for model in models.values() if model.name == name]
    return min(sharing, key=lambda model: (not model.slug.startswith(name), len(model.slug)), default=None)


def find(*words: str, group: str | None = None, kind: str | None = None, package: str = INSTALLED) -> tuple[Model, ...]:
    """The models whose slug, catalogue name, group, kind or tier holds every one of the words.

    Args:
        words: Parts of words, in any case, one by one or several in a text (``"flux dev"``); none finds all.
        group: Only models of this group.
        kind: Only models of this kind.
        package: The generated package to look in, as for :func:`all`.

    Returns:
        Them, sorted by slug; none where no model has all of the words.

    Raises:
        MuAPIError: One of the words is no text, or there is no such group or kind.
    """
    for word in words:
        if not isinstance(word, str):
            raise MuAPIError(
                f"catalog.find takes words as text, such as catalog.find('flux'), not {show(word)}; catalog.all() has"
                " every model"
            )
    models = all(package=package)
    _require_known("group", group, {model.group for model in models})
    _require_known("kind", kind, {model.kind for model in models})
    wanted = " ".join(words).lower().split()
    return tuple(
        model
        for model in models
        if group in (None, model.group)
        and kind in (None, model.kind)
        and _holds(wanted, f"{model.slug} {model.name} {model.group} {model.kind} {model.tier}".lower())
    )


def _require_known(what: str, name: str | None, names: set[str]) -> None:
    if name is not None and name not in list(names):  # which need not be hashable
        raise MuAPIError(f"no {what} {show(name)}; there are {', '.join(sorted(names))}")


def _holds(words: list[str], text: str) -> bool:
    """Return whether a text holds every word."""
    return not [word for word in words if word not in text]


@cache
def _data(package: str) -> dict[str, Any]:
    part(package, "types")  # a package that nobody imported is reported so
    with forks.kept_waiting:  # what reads files of a package loads with the first one
        data: dict[str, Any] = json.loads(files(package).joinpath("catalog.json").read_bytes())
    return data


@cache
def _models(package: str) -> Mapping[str, Model]:
    """The models of a generated package, by slug."""
    data = _data(package)
    return {entry["slug"]: _model(entry, data["prices_as_of"], package) for entry in data["models"]}


def _model(entry: Mapping[str, Any], as_of: str, package: str) -> Model:
    price = entry["price"]
    cost = usd(price["cost_usd"]) if price else None
    return Model(
        slug=entry["slug"],
        function=entry["function"],
        group=entry["group"],
        kind=entry["kind"],
        name=entry["name"],
        tier=entry["tier"],
        streams=entry["streams"],
        price=Price(cost, price["dynamic"], as_of) if cost is not None else None,
        request=entry["request"],
        package=package,
    )


@cache
def _fields(package: str, request: str) -> tuple[Field, ...]:
    schemas: dict[str, dict[str, Any]] = _data(package)["requests"].get(request, {})
    found = [
        Field(
            name=name,
            type=schema.get("type", ""),
            required=bool(schema.get("required")),
            nullable=bool(schema.get("nullable")),
            choices=tuple(schema.get("enum", ())),
            default=schema.get("default"),
            description=schema.get("description", ""),
            schema=schema,
        )
        for name, schema in schemas.items()
    ]
    return tuple(sorted(found, key=lambda f: not f.required))
