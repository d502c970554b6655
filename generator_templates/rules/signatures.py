"""Signatures: an operation as the facts of one request function, ready to be laid out by endpoint_module.py.jinja.

Lives here: the parameters in their order, where each goes, and the docstring's paragraphs.
Does not live here: layout, the wording of fields (``describing``).
"""

from __future__ import annotations

import keyword
import re
from typing import TYPE_CHECKING, Any, Literal

from attrs import frozen

from . import names as naming
from .annotations import Imports, taken
from .docstrings import about, sentence, wrapped
from .groups import GROUPS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .literal_aliases import Aliases
    from .operations import Operation
    from .price_list import PriceList
    from .schemas import Field

_LAST = "webhook_url"  # the client's business rather than the model's: at the end of every signature
_PROPER = {
    word.lower(): word
    for word in ("API", "URL", "PDF", "S3", "Stripe", "Suno", "TikTok", "YouTube", "Facebook", "Instagram", "Wan")
}


@frozen
class Parameter:
    """One parameter of the function, and the part of the request it goes to."""

    name: str
    place: Literal["path", "query", "files", "body"]
    field: Field


def facts(operation: Operation, aliases: Aliases, prices: PriceList) -> dict[str, Any]:
    """What the template of an endpoint module lays out: names, and text that is safe as it is."""
    imports = Imports()
    parameters = parameters_of(operation)
    declarations = [_declaration(one, aliases, imports) for one in parameters]
    returns = _returns(operation, imports)
    return {
        "title": wrapped(f"{operation.method} {operation.slug}.", 0),
        "typing": ", ".join([*(["TYPE_CHECKING"] if imports.lazily() else []), *imports.names("typing")]),
        "abc": ", ".join(imports.names("collections.abc")),
        "choices": ", ".join(imports.names("choices")),
        "models": imports.models("...models."),
        "held": ", ".join(imports.names("types")),
        "types": _types(parameters),
        "operation": _constant(operation),
        "function": operation.function,
        "declarations": declarations,
        "returns": returns,
        "doc": [wrapped(text, 4) for text in _paragraphs(operation, prices)],
        "arguments": [wrapped(f"{one.name}: {about(one.field, aliases)}", 8, 4) for one in parameters],
        "gives": wrapped(_gives(operation), 8),
        "call": _call(operation, parameters),
    }


def parameters_of(operation: Operation) -> list[Parameter]:
    """The function's parameters: required first, then the document's order, the webhook last.

    A body field that would hide a path or query parameter gets ``_body`` behind its name.
    """
    outer = [
        *(Parameter(naming.field_name(field.wire), "path", field) for field in operation.places),
        *(Parameter(naming.field_name(field.wire), "query", field) for field in operation.query),
    ]
    hidden = {one.name for one in outer}
    inner = [
        *(_inner("files", field, hidden) for field in operation.files),
        *(_inner("body", field, hidden) for field in operation.fields or ()),
    ]
    every = [*outer, *inner]
    naming.unique([(one.name, f"{one.field.wire} of {operation.path}") for one in every], "Fields")
    return sorted(every, key=lambda one: (not one.field.required, one.field.wire == _LAST))


def _inner(place: Literal["files", "body"], field: Field, hidden: set[str]) -> Parameter:
    name = naming.field_name(field.wire)
    return Parameter(f"{name}_body" if name in hidden else name, place, field)


def _declaration(one: Parameter, aliases: Aliases, imports: Imports) -> str:
    media = one.place == "body" and one.field.is_media
    annotation = taken(one.field.value, aliases, imports, text="Media" if media else "str")
    return f"{one.name}: {annotation}" if one.field.required else f"{one.name}: {annotation} = UNSET"


def _returns(operation: Operation, imports: Imports) -> str:
    if not operation.answer:
        imports.need("Any")
        return "Any"
    imports.need_from("models", operation.answer.removeprefix("list[").removesuffix("]"))
    return operation.answer


def _types(parameters: list[Parameter]) -> str:
    """The names the module takes from ``types`` at run time, in the order isort keeps."""
    unset = ["UNSET"] if any(not one.field.required for one in parameters) else []
    return ", ".join([*unset, "Call", "Operation", *(["given"] if parameters else [])])


def _constant(operation: Operation) -> str:
    positional = (operation.function, operation.method, operation.path)
    named = [f"{key}={value!r}" for key in ("answer", "request") if (value := getattr(operation, key))]
    return ", ".join([*map(repr, positional), *named])


def _call(operation: Operation, parameters: list[Parameter]) -> str:
    """The arguments of ``Call``."""
    parts = ["OPERATION"]
    if operation.free:
        parts += [f"given(**{one.name})" for one in parameters if one.place == "body"]
    elif operation.fields is not None:
        parts.append(_given(one for one in parameters if one.place == "body"))
    for place in ("query", "files", "path"):
        chosen = [one for one in parameters if one.place == place]
        if chosen:
            parts.append(f"{place}={_given(chosen)}")
    return ", ".join(parts)


def _given(parameters: Iterable[Parameter]) -> str:
    """``given(prompt=prompt)``; a wire name that is no parameter name travels as a key."""
    every = list(parameters)
    odd = [one for one in every if not one.field.wire.isidentifier() or keyword.iskeyword(one.field.wire)]
    plain = [f"{one.field.wire}={one.name}" for one in every if one not in odd]
    keys = ", ".join(f"{one.field.wire!r}: {one.name}" for one in odd)
    return f"given({', '.join([*plain, *([f'**{{{keys}}}'] if keys else [])])})"


def _subject(operation: Operation, prices: PriceList) -> str:
    name, tier = prices.name_and_tier(operation.slug, operation.summary)
    return f"{name or operation.slug}{f' (tier: {tier})' if tier else ''}"


def _first_line(operation: Operation, prices: PriceList) -> str:
    if operation.job == "plain":
        return sentence(_calm(operation.summary)) or sentence(f"{operation.method} {operation.path}")
    does = GROUPS[operation.group].does
    if operation.job == "stream":
        return does.format(operation.slug.removesuffix("/stream")) + ", answered as a stream."
    return does.format(_subject(operation, prices)) + "."


def _calm(title: str) -> str:
    """A Title Cased Summary as a sentence has it; names keep their capitals."""
    words = title.split()
    rest = [_PROPER.get(word.lower()) or (word.lower() if word.istitle() else word) for word in words[1:]]
    return " ".join([*words[:1], *rest])


def _paragraphs(operation: Operation, prices: PriceList) -> Iterator[str]:
    yield _first_line(operation, prices)
    if not _repeats(operation, prices):
        yield sentence(operation.description)
    if operation.job == "job":
        yield prices.basis(prices.name_and_tier(operation.slug, operation.summary)[0])


def _repeats(operation: Operation, prices: PriceList) -> bool:
    """Whether a description only says "… with flux-dev. Tier: balanced." once more."""
    name, _ = prices.name_and_tier(operation.slug, operation.summary)
    subjects = "|".join(re.escape(one) for one in (name, operation.summary) if one)
    return re.fullmatch(rf"(?:[\w /&-]+ with (?:{subjects})\.(?: Tier: \w+\.)?)?", operation.description) is not None


def _gives(operation: Operation) -> str:
    if operation.job == "job":
        return "The request, unsent: give it to ``MuAPI.run``, ``submit`` or ``estimate``."
    if operation.job == "stream":
        return "The request, unsent: give it to ``MuAPI.stream``."
    if operation.media:
        return (
            f"The request, unsent: the server answers with ``{operation.media}``, which is no JSON, so that "
            "``MuAPI.send`` raises ``ResponseError`` and its ``body`` holds the answer."
        )
    answer = f"``{operation.answer}``" if operation.answer else "the JSON as it came"
    return f"The request, unsent: ``MuAPI.send`` answers with {answer}."
