"""The models of the pinned document, as data: find one, see its fields and price, build a call from plain values.

Lives here: looking models up. Does not live here: how a question is answered (``_catalog/search``), the typed functions
(``muapi_client.models``), live prices (``MuAPI.estimate``). Loads on first use; what searches, with the first question.

    >>> from muapi_client import catalog
    >>> catalog.get("flux-dev-image").function
    'flux_dev_image'
"""

import json
from collections.abc import Iterable, Mapping
from copy import deepcopy
from decimal import Decimal
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Literal

from attrs import field, frozen

from muapi_client._catalog.inputs import MEANINGS, find_meanings
from muapi_client._catalog.kinds import find_kinds
from muapi_client._runtime.forks import forks
from muapi_client._spec.packages import INSTALLED, part
from muapi_client._types.money import usd, write_usd
from muapi_client._types.words import show
from muapi_client.errors import MuAPIError, NotFoundError
from muapi_generated.types import Call, Operation, given

if TYPE_CHECKING:
    from muapi_client._catalog.search import Search

__all__ = ["Field", "Model", "Price", "all", "find", "get"]


@frozen
class Price:
    """What a model costs by the price catalogue (``GET models``, as it was on the day it was pinned).

    The price catalogue has one price a model. It tells neither what the cheapest input costs nor what the default one
    does: ``MuAPI.estimate`` does, of any call.

    Attributes:
        cost_usd: The price of one job, in USD; only representative where ``dynamic``.
        dynamic: Whether the price depends on the input: ``MuAPI.estimate(call)`` tells it.
        as_of: The day of the price catalogue, as an ISO date.
    """

    cost_usd: Decimal
    dynamic: bool
    as_of: str

    @property
    def known_usd(self) -> Decimal | None:
        """The price, or None where the catalogue says 0: that is what it says of prices it has no example of."""
        return self.cost_usd or None

    def __str__(self) -> str:
        """Say it in words: ``about 0.015 USD, depending on the input (prices of 2026-08-20)``."""
        if self.known_usd is None:
            return f"unknown (prices of {self.as_of})"
        amount = f"{write_usd(self.known_usd)} USD"
        return f"{f'about {amount}, depending on the input' if self.dynamic else amount} (prices of {self.as_of})"


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
        kind: That of its group, mostly what it makes: ``image``, ``video``, ``audio``, ``3d``, ``text``, ``data``, or
            what it does: ``image_edit`` (of images or video), … :func:`find` looks further.
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

    def json_schema(self) -> dict[str, Any]:
        """Describe the input in JSON Schema, 2020-12: for tools of language models, forms and validators.

        It stands alone. Only classes that hold themselves, or that would be too much where they stand, are referred to,
        in ``$defs``; no model of the pinned document has one. A validator refuses what :meth:`MuAPI.run` refuses, but
        for two things that JSON Schema does not say: an address has to be one of http or https, and multiples are
        held to a billionth. Each answer is a new one, to be changed at will.

        Returns:
            ``$schema``, ``title`` (the slug), ``description`` (with the price), ``type``, ``properties``, ``required``,
            ``additionalProperties`` and, seldom, ``$defs``.
        """
        definitions: dict[str, Any] = {}
        body: dict[str, Any] = {"type": "object", "properties": {}, "additionalProperties": False}
        if self.request:
            body = part(self.package, "schemas").to_json_schema(self.request, definitions=definitions)
        return deepcopy(
            {  # it shares lists with what is read once
                "$schema": "https://json-schema.org/draft/2020-12/schema",
                **body,
                "title": self.slug,
                "description": f"Input of {self.slug}. Price: {self.price or 'not in the price catalogue'}.",
                **({"$defs": definitions} if definitions else {}),
            }
        )

    def _repr_html_(self) -> str:
        with forks.kept_waiting:
            from muapi_client._html.model import model_card  # noqa: PLC0415 - for notebooks alone

        return model_card(self)

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
        hint = f" did you mean {', '.join(near)}?" if near else ""
        raise NotFoundError(
            f"no model {name!r} in the pinned document;{hint} muapi_client.catalog.find() searches (raw_call reaches"
            " newer ones)"
        )
    return found


def _named(name: str, models: Mapping[str, Model]) -> Model | None:
    """The model of a catalogue name; of several that share it, the one whose slug is most like it."""
    sharing = [model for model in models.values() if model.name == name]
    begins = name.replace("_", "-")  # slugs have either
    return min(
        sharing, key=lambda model: (not model.slug.replace("_", "-").startswith(begins), len(model.slug)), default=None
    )


def find(
    *words: str,
    group: str | None = None,
    kind: str | None = None,
    tier: str | None = None,
    takes: str | None = None,
    max_price: Decimal | float | str | None = None,
    sort: Literal["match", "price", "name"] = "match",
    limit: int | None = None,
    package: str = INSTALLED,
) -> tuple[Model, ...]:
    """The models that answer a question best, and first the best of them.

    They are looked for in slugs, catalogue names, groups, tiers, fields, choices and descriptions, by a full-text index
    in memory and a table of what people call things. Typing errors and parts of names find, too. A model counts as
    found if it has all words of the question that any model has, but for one in three, or if it answers the rest at
    least half as well as the best does. By price or by name only those that have most of the words are sorted: the
    cheapest of what was asked for, not of all.

        >>> from muapi_client import catalog
        >>> models = catalog.find("image to video 1080p", takes="last_frame", max_price=0.3, sort="price", limit=5)

    Args:
        words: The question in plain words, as one text or several, of 100 words at most; without any, all models that
            the rest lets pass.
        group: Only models of this group.
        kind: Only models of this kind, or that by their slugs make such a thing, or that work on such a thing where
            their own kind says no more than what they do: what upscales a video is of kind ``image_edit``, and is
            found under ``video``, too.
        tier: Only models of this tier.
        takes: Only models with such an input: a meaning, whatever the field is called (``image``, ``images``,
            ``video``, ``videos``, ``audio``, ``audios``, ``first_frame``, ``last_frame``, ``mask``, ``reference``,
            ``lora``, ``voice``), or a field's name.
        max_price: Only models known to cost no more than this, in USD, by the price catalogue; where the price depends
            on the input that is an example (see :class:`Price`). One whose price is not known does not pass.
        sort: ``match``, best first; ``price``, cheapest first, those of unknown price last; ``name``, by slug.
        limit: How many to answer at most; all unless given.
        package: The generated package to look in, as for :func:`all`.

    Returns:
        Them, in that order; by slug where there are no words to match. None where no model has any of the words.

    Raises:
        MuAPIError: An argument is none of these: the message tells those there are. Or there are more words, or this
            Python's SQLite has no full-text index (FTS5) to look for words in.
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
    _require_known("tier", tier, {model.tier for model in models if model.tier})
    _require_known("order", sort, {"match", "price", "name"})
    if limit is not None and (not isinstance(limit, int) or isinstance(limit, bool) or limit < 1):
        raise MuAPIError(f"limit takes a whole number of models, at least 1, not {show(limit)}")
    most = _read_price(max_price)
    kinds = _kinds(package) if kind is not None else {}
    inputs = _inputs(package) if takes is not None else {}
    _require_input(takes, inputs)
    found = [
        model
        for model in models
        if group in (None, model.group)
        and (kind is None or kind in kinds[model.slug])
        and tier in (None, model.tier)
        and (takes is None or takes in inputs[model.slug])
        and (most is None or (model.price and model.price.known_usd and model.price.known_usd <= most))
    ]
    question = " ".join(words)
    if question.strip():
        found = _rank(question, found, package, sort)
    return tuple(_order(found, sort)[:limit])


def _rank(question: str, models: Iterable[Model], package: str, sort: str) -> list[Model]:
    """The models that answer a question, best first; where they are sorted otherwise, only those with most of it."""
    by_slug = {model.slug: model for model in models}
    hits = _search(package).rank(question, by_slug)
    most = max((hit.terms for hit in hits), default=0)
    return [by_slug[hit.slug] for hit in hits if sort == "match" or hit.terms == most]


def _order(models: list[Model], sort: str) -> list[Model]:
    if sort == "name":
        return sorted(models, key=lambda model: model.slug)
    if sort == "price":
        known = [(model.price.known_usd if model.price else None, model) for model in models]
        priced = sorted(((usd, model) for usd, model in known if usd is not None), key=lambda pair: pair[0])
        return [*(model for _, model in priced), *(model for usd, model in known if usd is None)]
    return models


def _read_price(given: object) -> Decimal | None:
    amount = usd(given)
    if given is not None and (amount is None or amount < 0):
        raise MuAPIError(f"max_price takes an amount in USD, such as 0.30, not {show(given)}")
    return amount


def _require_input(takes: str | None, inputs: Mapping[str, frozenset[str]]) -> None:
    """Refuse an input that no model has, with those that are like it."""
    names = {name for each in inputs.values() for name in each}
    if takes is None or takes in list(names):  # it need not be hashable
        return
    near = get_close_matches(takes.lower(), names, n=3) if isinstance(takes, str) else []
    hint = f"did you mean {', '.join(near)}? " if near else ""
    raise MuAPIError(f"no model takes {show(takes)}; {hint}it is the name of a field, or one of {', '.join(MEANINGS)}")


def _require_known(what: str, name: str | None, names: set[str]) -> None:
    if name is not None and name not in list(names):  # which need not be hashable
        raise MuAPIError(f"no {what} {show(name)}; there are {', '.join(sorted(names))}")


@cache
def _data(package: str) -> dict[str, Any]:
    part(package, "types")  # a package that nobody imported is reported so
    with forks.kept_waiting:  # what reads files of a package loads with the first one
        data: dict[str, Any] = json.loads(files(package).joinpath("catalog.json").read_bytes())
    return data


@cache
def _search(package: str) -> "Search":
    """What answers questions of a generated package's models."""
    with forks.kept_waiting:
        from muapi_client._catalog.search import Search  # noqa: PLC0415 - for questions alone

    return Search(_data(package))


@cache
def _inputs(package: str) -> Mapping[str, frozenset[str]]:
    """What each model takes, by slug: the names of its fields, and what they mean."""
    data = _data(package)
    fields = {model["slug"]: data["requests"].get(model["request"], {}) for model in data["models"]}
    return {slug: find_meanings(slug, each) | each.keys() for slug, each in fields.items()}


@cache
def _kinds(package: str) -> Mapping[str, frozenset[str]]:
    """The kinds that each model is found under, by slug."""
    data = _data(package)
    return {
        model["slug"]: find_kinds(model["slug"], model["kind"], data["requests"].get(model["request"], {}))
        for model in data["models"]
    }


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
