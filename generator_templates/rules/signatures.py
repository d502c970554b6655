"""Signatures: an operation as the facts of one request function, laid out by ``templates/endpoint_module.py.jinja``.

Lives here: the parameters in their order, where each goes, and the docstring's paragraphs.
Does not live here: layout, the wording of fields (``docstrings``).
"""

from __future__ import annotations

import keyword
import re
from typing import TYPE_CHECKING, Any, Literal

from attrs import frozen

from .annotations import Imports, annotate_input
from .answers import make_answer
from .docstrings import describe_field, to_sentence, wrap
from .groups import GROUPS
from .names import MODELS, check_unique, name_field
from .validators import make_check, make_parameter_check
from .values import Shape

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from .answers import Answer
    from .components import Component
    from .literal_aliases import Aliases
    from .operations import Operation
    from .price_list import PriceList
    from .values import Field

_LAST_PARAMETER = "webhook_url"  # the client's business rather than the model's: at the end of every signature
_PLACES = {  # as messages call them
    "path": "path",
    "query": "query",
    "headers": "headers",
    "cookies": "cookies",
    "files": "body",
    "body": "body",
    "whole": "body",
}
_PROPER_NOUNS = {
    word.lower(): word
    for word in ("API", "URL", "PDF", "S3", "Stripe", "Suno", "TikTok", "YouTube", "Facebook", "Instagram", "Wan")
}


@frozen
class Parameter:
    """One parameter of the function, and the part of the request it goes to."""

    name: str
    place: Literal["path", "query", "headers", "cookies", "files", "body", "whole"]
    field: Field


def make_function_facts(
    operation: Operation, classes: Mapping[str, Component], aliases: Aliases, prices: PriceList
) -> dict[str, Any]:
    """Make what the template of an endpoint module lays out: names, and text that is safe as it is.

    Args:
        operation: The operation.
        classes: The classes that come back, by name.
        aliases: The named lists of choices.
        prices: The price list.
    """
    imports = Imports()
    parameters = list_parameters(operation)
    declarations = [_declare(parameter, aliases, imports) for parameter in parameters]
    answer = make_answer(operation, classes, imports)
    checks = [*_list_checks(operation, aliases, imports)]
    return {
        "title": wrap(f"{operation.method} {operation.slug}.", 0),
        "standard": imports.standard_lines(),
        "models": imports.has_models,
        "choices": ", ".join(imports.names("choices")),
        "types": _list_type_imports(operation, parameters, imports),
        "checks": checks,
        "operation": _list_operation_arguments(operation, answer, is_checked=bool(checks)),
        "function": operation.function,
        "declarations": declarations,
        "returns": answer.annotation,
        "doc": [wrap(text, 4) for text in _write_paragraphs(operation, prices)],
        "arguments": [
            wrap(f"{parameter.name}: {describe_field(parameter.field, aliases)}", 8, 4) for parameter in parameters
        ],
        "returned": wrap(_describe_return(operation, answer), 8),
        "call": _list_call_arguments(operation, parameters),
    }


def list_parameters(operation: Operation) -> list[Parameter]:
    """List the function's parameters: required first, then the document's order, the webhook last.

    A query parameter that would hide one of the path gets ``_query`` behind its name, a field of the body that would
    hide one of either ``_body``, and a header or a cookie that would hide any of them ``_header`` or ``_cookie``.
    """
    body = operation.body
    parameters = [Parameter(name_field(field.wire), "path", field) for field in operation.path_fields]
    for place, end, fields in (
        ("query", "query", operation.query),
        ("files", "body", body.files),
        ("body", "body", body.fields or ()),
        ("whole", "body", (body.whole,) if body.whole else ()),
        ("headers", "header", operation.headers),
        ("cookies", "cookie", operation.cookies),
    ):
        taken = {parameter.name for parameter in parameters if _PLACES[parameter.place] != _PLACES[place]}
        parameters += [Parameter(_name_apart(field, taken, end), place, field) for field in fields]
    where = f"{operation.method} {operation.path}"
    check_unique(
        [(item.name, f"{item.field.wire} in the {_PLACES[item.place]} of {where}") for item in parameters], "Parameters"
    )
    return sorted(
        parameters, key=lambda parameter: (not parameter.field.required, parameter.field.wire == _LAST_PARAMETER)
    )


def _name_apart(field: Field, taken: set[str], place: str) -> str:
    name = name_field(field.wire)
    return f"{name}_{place}" if name in taken else name


def _declare(parameter: Parameter, aliases: Aliases, imports: Imports) -> str:
    is_media = parameter.place in ("body", "whole") and parameter.field.is_media
    annotation = annotate_input(parameter.field.value, aliases, imports, text="Media" if is_media else "str")
    return f"{parameter.name}: {annotation}" if parameter.field.required else f"{parameter.name}: {annotation} = UNSET"


def _list_type_imports(operation: Operation, parameters: list[Parameter], imports: Imports) -> str:
    """List the names the module imports from ``types``."""
    if parameters or operation.fixed_query:
        imports.add_from("types", "given")
    if any(not parameter.field.required for parameter in parameters):
        imports.add_from("types", "UNSET")
    if any(parameter.field.separator for parameter in parameters):
        imports.add_from("types", "join_items")
    for name in ("Call", "Operation"):
        imports.add_from("types", name)
    return ", ".join(imports.names("types"))


def _list_operation_arguments(operation: Operation, answer: Answer, *, is_checked: bool) -> str:
    positional = (operation.function, operation.method, operation.sent_path)
    named = {
        "answer": answer.name,
        "request": operation.body.request,
        "media_type": operation.media_type,
        "checks": f"api.{operation.group}.{operation.function}" if is_checked else "",
    }
    return ", ".join([*map(repr, positional), *(f"{key}={value!r}" for key, value in named.items() if value)])


def _list_checks(operation: Operation, aliases: Aliases, imports: Imports) -> Iterator[str]:
    """Write what no class of a body says: where each value stands, its name, and what it is held against."""
    for place, fields in (
        ("path", operation.path_fields),
        ("query", operation.query),
        ("header", operation.headers),
        ("cookie", operation.cookies),
    ):
        for field in fields:
            check = make_parameter_check(field, aliases, imports)
            if check:
                yield f"({place!r}, {field.wire!r}, {check})"
    if operation.body.files and not operation.body.request:
        yield "('body', 'body', checks.file())"
    whole = operation.body.whole
    if whole is not None and whole.value.shapes != (Shape("object"),):
        yield f"('body', '', {make_check(whole.value, aliases, imports)})"


def _list_call_arguments(operation: Operation, parameters: list[Parameter]) -> str:
    """Write the arguments of ``Call``."""
    parts = ["OPERATION"]
    parts += [_make_whole_body(parameter) for parameter in parameters if parameter.place == "whole"]
    if operation.body.fields is not None:
        parts.append(_make_given(parameter for parameter in parameters if parameter.place == "body"))
    for place in ("query", "headers", "cookies", "files", "path"):
        chosen = [parameter for parameter in parameters if parameter.place == place]
        fixed = operation.fixed_query if place == "query" else {}
        if chosen or fixed:
            parts.append(f"{place}={_make_given(chosen, fixed)}")
    return ", ".join(parts)


def _make_whole_body(parameter: Parameter) -> str:
    """Write a body that is one value: an object without its fields, or whatever else it may be."""
    if parameter.field.required and {shape.kind for shape in parameter.field.value.shapes} == {"object"}:
        return f"given(**{parameter.name})"
    return f"given(body={parameter.name}).get('body')"


def _make_given(parameters: Iterable[Parameter], fixed: Mapping[str, list[str]] | None = None) -> str:
    """Write ``given(prompt=prompt)``; a wire name that is no parameter name travels as a key.

    Args:
        parameters: What the caller gives.
        fixed: What stands beside it in every call.
    """
    values = [(name, repr(texts if texts[1:] else texts[0])) for name, texts in (fixed or {}).items()]
    values += [(parameter.field.wire, _pass(parameter)) for parameter in parameters]
    renamed = [(wire, value) for wire, value in values if not wire.isidentifier() or keyword.iskeyword(wire)]
    plain = [f"{wire}={value}" for wire, value in values if (wire, value) not in renamed]
    keys = ", ".join(f"{wire!r}: {value}" for wire, value in renamed)
    return f"given({', '.join([*plain, *([f'**{{{keys}}}'] if keys else [])])})"


def _pass(parameter: Parameter) -> str:
    """Write what the call gets of a parameter: its value, or the one text that its list is written as."""
    separator = parameter.field.separator
    return f"join_items({parameter.name}, {separator!r})" if separator else parameter.name


def _name_subject(operation: Operation, prices: PriceList) -> str:
    name, tier = prices.find_name_and_tier(operation.slug, operation.summary)
    return f"{name or operation.slug}{f' (tier: {tier})' if tier else ''}"


def _write_first_line(operation: Operation, prices: PriceList) -> str:
    if operation.job == "plain":
        return to_sentence(_to_sentence_case(operation.summary)) or to_sentence(f"{operation.method} {operation.path}")
    does = GROUPS[operation.group].template
    if operation.job == "stream":
        return does.format(operation.slug.removesuffix("/stream")) + ", answered as a stream."
    return does.format(_name_subject(operation, prices)) + "."


def _to_sentence_case(title: str) -> str:
    """Write a Title Cased Summary as a sentence has it; names keep their capitals."""
    words = title.split()
    rest = [_PROPER_NOUNS.get(word.lower()) or (word.lower() if word.istitle() else word) for word in words[1:]]
    return " ".join([*words[:1], *rest])


def _write_paragraphs(operation: Operation, prices: PriceList) -> Iterator[str]:
    yield _write_first_line(operation, prices)
    if not _is_repetition(operation, prices):
        yield to_sentence(operation.description)
    if operation.job == "job":
        yield prices.describe(prices.find_name_and_tier(operation.slug, operation.summary)[0])


def _is_repetition(operation: Operation, prices: PriceList) -> bool:
    """Return whether a description only says "… with flux-dev. Tier: balanced." once more."""
    name, _ = prices.find_name_and_tier(operation.slug, operation.summary)
    subjects = "|".join(re.escape(subject) for subject in (name, operation.summary) if subject)
    return re.fullmatch(rf"(?:[\w /&-]+ with (?:{subjects})\.(?: Tier: \w+\.)?)?", operation.description) is not None


def _describe_return(operation: Operation, answer: Answer) -> str:
    if operation.job == "job":
        return "The request, unsent: give it to ``MuAPI.run``, ``submit`` or ``estimate``."
    if operation.job == "stream":
        return "The request, unsent: give it to ``MuAPI.stream``."
    if operation.media:
        return (
            f"The request, unsent: the server answers with ``{operation.media}``, which is no JSON, so that "
            "``MuAPI.send`` raises ``ResponseError`` and its ``body`` holds the answer."
        )
    told = f"``{answer.annotation.replace(f'{MODELS}.', '')}``" if answer.name else "the JSON as it came"
    return f"The request, unsent: ``MuAPI.send`` answers with {told}."
