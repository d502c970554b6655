"""Pairing: what is gone here and new there, and is the same thing under another name. Pure.

A rename is told only on evidence: what is gone and what is new say the same, and are called or described alike. A pair
that could be two pairs is none.

Lives here: fields and operations. Does not live here: what a rename means (``impacts``).
"""

from __future__ import annotations

from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Any, Final

from muapi_client.pinning._diff.equivalence import TEXTS
from muapi_client.pinning._diff.schemas import follow
from muapi_client.pinning._document.naming import CLIENTS, slug_of
from muapi_client.pinning._document.reader import key_of
from muapi_client.pinning._document.strict_json import as_object

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from muapi_client.pinning._document.reader import Document, Operation

ALIKE: Final = 0.6  # of difflib's ratio: `image_url` and `image_urls` 0.95, `prompt` and `style` 0.18
_MOST: Final = 200  # things of one form on one side; beyond it names are compared too often to tell much


def find_renamed_fields(gone: Mapping[str, Any], come: Mapping[str, Any]) -> dict[str, str]:
    """Fields that go under another name now, by the old name."""
    olds = {name: _form_of(schema) for name, schema in gone.items()}
    news = {name: _form_of(schema) for name, schema in come.items()}

    def alike(old: str, new: str) -> bool:
        return _has_same_description(gone[old], come[new]) or _is_alike(old, new)

    return _match(olds, news, alike)


def find_renamed_operations(
    old: Document, new: Document, gone: Sequence[Operation], come: Sequence[Operation]
) -> dict[tuple[str, str], Operation]:
    """Operations that go under another path now, by the old method and path."""
    before = {f"{operation.method} {operation.path}": operation for operation in gone}
    after = {f"{operation.method} {operation.path}": operation for operation in come}

    def alike(here: str, there: str) -> bool:
        summary = before[here].node.text("summary")
        same_summary = bool(summary) and summary == after[there].node.text("summary")
        return same_summary or _is_alike(before[here].slug, after[there].slug)

    found: dict[str, str] = {}
    for form in (
        _input_form,
        _class_form,
    ):  # the same fields first; then fields that changed with the name, under one class
        olds = {name: form(old, operation) for name, operation in before.items() if name not in found}
        news = {name: form(new, operation) for name, operation in after.items() if name not in found.values()}
        found.update(_match(olds, news, alike))
    left, added = _list_unseen(old, new), _list_unseen(new, old)
    return {
        (before[here].method, before[here].path): after[there]
        for here, there in found.items()
        if not _has_rival(after[there], left) and not _has_rival(before[here], added)
    }


def _list_unseen(part: Document, other: Document) -> list[tuple[str, str]]:
    """Operations that stand beside a part of a document, unseen, and in the other document no longer, or not yet."""
    return [key for key in part.others or () if not other.may_have(key)]


def _has_rival(operation: Operation, unseen: Collection[tuple[str, str]]) -> bool:
    """Tell whether it could as well be a pair with one of those that nobody can look at."""
    return any(method == operation.method and _is_alike(slug_of(path), operation.slug) for method, path in unseen)


def _match(olds: Mapping[str, str], news: Mapping[str, str], alike: Callable[[str, str], bool]) -> dict[str, str]:
    """Pairs of the same form that nothing else could be a pair of."""
    forms: dict[str, tuple[list[str], list[str]]] = {}
    for side, named in enumerate((olds, news)):
        for name, form in named.items():
            forms.setdefault(form, ([], []))[side].append(name)
    found: dict[str, str] = {}
    for here, there in forms.values():
        if not here or not there or max(len(here), len(there)) > _MOST:
            continue
        partners = {old: [new for new in there if alike(old, new)] for old in here}
        claims = [new for some in partners.values() for new in some]
        found.update({old: some[0] for old, some in partners.items() if len(some) == 1 and claims.count(some[0]) == 1})
    return found


def _is_alike(old: str, new: str) -> bool:
    return SequenceMatcher(None, old, new, autojunk=False).ratio() >= ALIKE


def _has_same_description(old: Any, new: Any) -> bool:
    words = (as_object(old) or {}).get("description")
    return bool(words) and (as_object(new) or {}).get("description") == words


def _form_of(schema: Any) -> str:
    """A schema without its texts, as one text."""
    fields = as_object(schema)
    return key_of(schema if fields is None else {key: value for key, value in fields.items() if key not in TEXTS})


def _class_form(document: Document, operation: Operation) -> str:
    """The method, and the schema its body is an instance of, by name; by itself where it has none."""
    body = document.resolve(operation.node.at("requestBody"))
    names = [body.at("content", kind, "schema").text("$ref") for kind in body.at("content").fields]
    return key_of([operation.method, names if any(names) else operation.path])


def _input_form(document: Document, operation: Operation) -> str:
    """The input of an operation, but for its path: the form of its fields and parameters, by whatever schema names."""
    body = document.resolve(operation.node.at("requestBody"))
    content = {}
    for kind in body.at("content").fields:
        schema = follow(document, body.at("content", kind, "schema"))
        fields = schema.at("properties").fields
        rest = {key: value for key, value in schema.fields.items() if key not in (*TEXTS, "properties")}
        content[kind] = [_form_of(rest), {name: _form_of(field) for name, field in fields.items()}]
    parameters = {
        name: _form_of(parameter.fields)
        for (place, name), parameter in operation.parameters.items()
        if place == "query" and (place, name) not in CLIENTS
    }
    return key_of([operation.method, operation.path.count("{"), content, parameters])
