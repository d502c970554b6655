"""Security: who may call an operation, and whether an API key is still enough. Pure.

Lives here: requirements and schemes of two documents compared. Does not live here: judging (``impacts``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from muapi_client.pinning._diff.findings import Finding
from muapi_client.pinning._document.reader import key_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from muapi_client.pinning._document.reader import Document, Node, Operation

KEY_HEADER: Final = "x-api-key"  # what the client sends (API reference, "Authentication")


def compare_security(
    old_document: Document, new_document: Document, old: Operation, new: Operation
) -> Iterator[Finding]:
    """How the requirements of two operations differ, if they do."""
    before, after = _describe_requirements(old_document, old), _describe_requirements(new_document, new)
    if before == after:
        return
    enough = _is_enough(old_document, old), _is_enough(new_document, new)
    effect = "narrowed" if enough[0] and not enough[1] else "widened" if enough[1] and not enough[0] else "changed"
    yield Finding("security", effect, {"any of": before}, {"any of": after}, f"{new.node.pointer}/security")


def list_credentials(document: Document) -> frozenset[tuple[str, str]]:
    """The headers, cookies and query parameters that are a key, by place and name in small letters."""
    schemes = [_scheme_of(document, name) for name in document.root.at("components", "securitySchemes").fields]
    return frozenset(
        (str(scheme.get("in")), str(scheme.get("name")).lower()) for scheme in schemes if scheme.get("type") == "apiKey"
    )


def _list_requirements(document: Document, operation: Operation) -> list[dict[str, Any]]:
    """The alternatives, each a set of schemes with scopes; the operation's own override the document's."""
    own = operation.node.at("security")
    every: Node = own if own.value is not None else document.root.at("security")
    return [requirement for requirement in every.items if isinstance(requirement, dict)]


def _scheme_of(document: Document, name: str) -> dict[str, Any]:
    return document.resolve(document.root.at("components", "securitySchemes", name)).fields


def _describe_requirements(document: Document, operation: Operation) -> list[str]:
    """The alternatives as texts that tell all there is, in an order of their own."""
    return sorted(
        " and ".join(
            f"{name} {key_of([_drop_description(_scheme_of(document, name)), requirement[name]])}"
            for name in sorted(map(str, requirement))
        )
        or "nothing"
        for requirement in _list_requirements(document, operation)
    )


def _drop_description(scheme: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in scheme.items() if key != "description"}


def _is_enough(document: Document, operation: Operation) -> bool:
    """Tell whether the client's key in its header is enough for one of the alternatives."""
    alternatives = _list_requirements(document, operation)
    return not alternatives or any(
        all(_is_key(_scheme_of(document, name)) for name in requirement) for requirement in alternatives
    )


def _is_key(scheme: dict[str, Any]) -> bool:
    named = str(scheme.get("name", "")).lower() == KEY_HEADER
    return scheme.get("type") == "apiKey" and scheme.get("in") == "header" and named
