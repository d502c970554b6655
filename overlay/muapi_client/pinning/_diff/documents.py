"""Documents: everything that changed between two of them. Pure.

Lives here: which operation is which, what changed outside of them, and the judged whole. Does not live here: getting
documents (``inputs``), telling the result.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from attrs import evolve

from muapi_client.pinning._diff.changes import Change, Diff, sort_changes
from muapi_client.pinning._diff.equivalence import Equivalence
from muapi_client.pinning._diff.findings import Finding, Located, Pair
from muapi_client.pinning._diff.impacts import judge
from muapi_client.pinning._diff.operations import compare_operations
from muapi_client.pinning._diff.prices import compare_prices, index_operations
from muapi_client.pinning._diff.renames import find_renamed_operations
from muapi_client.pinning._diff.values import Comparison
from muapi_client.pinning._document.reader import Document, is_same

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from muapi_client.pinning._document.reader import Node, Operation

_READ: Final = ("paths", "components", "security", "servers")  # read with the operations, or by name


def diff(
    old: Mapping[str, Any],
    new: Mapping[str, Any],
    *,
    only: Collection[str] | None = None,
    prices: tuple[Mapping[str, Any], Mapping[str, Any]] | None = None,
) -> Diff:
    """Say what changed between two OpenAPI documents, and what that does to users of this client.

    A schema that several operations share gives a change in each of them. How something is written does not count: the
    order of fields, ``const`` or a list of one, ``nullable`` or ``anyOf`` with null, a component that nothing uses.

    Args:
        old: A document as JSON, OpenAPI 3.0 or 3.1.
        new: The later one.
        only: Functions or slugs to tell of, such as ``flux_dev_image``; None for all. What changed for the document as
            a whole is told in any case.
        prices: The old and the new price catalogue, as ``spec/models.json`` has it; None for no word on prices.

    Raises:
        PinError: Neither document has an operation named in ``only``.
    """
    return compare_documents(Document(old), Document(new), only=only, prices=prices)


def compare_documents(
    old: Document,
    new: Document,
    *,
    only: Collection[str] | None = None,
    prices: tuple[Mapping[str, Any], Mapping[str, Any]] | None = None,
) -> Diff:
    """As ``diff``, of documents that are read, and of parts of them too."""
    documents = old, new
    changes = [
        *_compare_wholes(*documents),
        *_compare_operations(*documents),
        *(_compare_prices(*documents, *prices) if prices else ()),
    ]
    functions = {
        operation.function: operation.slug for document in documents for operation in document.operations.values()
    }
    where: dict[str, str] = {}
    changes = [evolve(change, pointer=_shorten_pointer(change.pointer, documents, where)) for change in changes]
    found = Diff(sort_changes(changes), (len(documents[0].operations), len(documents[1].operations)), functions)
    return found if only is None else found.only(only)


def _compare_wholes(old: Document, new: Document) -> Iterator[Change]:
    for finding in _compare_servers(old.root.at("servers"), new.root.at("servers")):
        yield _make_change(None, Located("request", "document", finding))
    for word in sorted((old.root.fields.keys() | new.root.fields.keys()) - {*_READ}):
        was, now = old.root.fields.get(word), new.root.fields.get(word)
        if not is_same(was, now):
            finding = Finding("remark", "changed", {word: was}, {word: now}, f"#/{word}")
            yield _make_change(None, Located("request", "document", finding))


def _compare_servers(old: Node, new: Node) -> Iterator[Finding]:
    """The addresses the API is at; whoever takes the first may not take it, and may not be sent elsewhere."""
    if is_same(old.value, new.value):
        return
    before, after = ([node.at(number).text("url") for number in range(len(node.items))] for node in (old, new))
    if before and before[0] not in after:
        yield Finding("server", "removed", before[0], after, new.pointer)
    elif not is_same(_address_of(old.at(0)), _address_of(new.at(0))):
        yield Finding("server", "moved", _address_of(old.at(0)), _address_of(new.at(0)), new.pointer)
    else:
        yield Finding("server", "changed", old.value, new.value, new.pointer)


def _address_of(server: Node) -> Any:
    """Where a server is, with the variables that make its address."""
    return server.value if "variables" in server.fields else server.fields.get("url")


def _compare_operations(old: Document, new: Document) -> Iterator[Change]:
    gone = [operation for key, operation in old.operations.items() if not new.may_have(key)]
    come = [operation for key, operation in new.operations.items() if not old.may_have(key)]
    renamed = find_renamed_operations(old, new, gone, come)
    found_again = {(operation.method, operation.path) for operation in renamed.values()}
    for operation in gone:
        if (operation.method, operation.path) not in renamed:
            yield _make_change(operation, _locate("removed", _name_of(operation), None, operation))
    for operation in come:
        if (operation.method, operation.path) not in found_again:
            yield _make_change(operation, _locate(_effect_of_new(operation), None, _name_of(operation), operation))
    equivalence = Equivalence(old, new)
    comparison = Comparison(old, new, equivalence)
    for key, operation in old.operations.items():
        successor = renamed.get(key) or new.operations.get(key)
        if successor is None:
            continue
        if key in renamed:
            yield _make_change(
                operation, _locate("renamed", _name_of(operation), _name_of(successor), successor), successor
            )
        elif equivalence.is_same(operation.everything, successor.everything):
            continue
        for located in compare_operations(Pair(old, new, operation, successor), comparison):
            yield _make_change(operation, located, successor)


def _shorten_pointer(pointer: str, documents: tuple[Document, Document], known: dict[str, str]) -> str:
    """As much of a pointer as leads somewhere: what several schemas say of one field together stands in none."""
    if pointer not in known:
        there = pointer
        while "/" in there and all(document.find_target(there).value is None for document in documents):
            there = there.rpartition("/")[0]
        known[pointer] = there
    return known[pointer]


def _locate(effect: str, before: str | None, after: str | None, at: Operation) -> Located:
    return Located("request", "operation", Finding("operation", effect, before, after, at.node.pointer))


def _effect_of_new(operation: Operation) -> str:
    """How an operation is new: one that a person should look at is told by name."""
    if operation.looks_like_job:
        return "undecided"
    return "presumed" if operation.job == "job" and operation.signs.is_job is None else "added"


def _name_of(operation: Operation) -> str:
    return operation.slug if operation.method == "POST" else f"{operation.method} {operation.slug}"


def _compare_prices(
    old: Document, new: Document, before: Mapping[str, Any], after: Mapping[str, Any]
) -> Iterator[Change]:
    known = index_operations(new, old)
    for name, finding in compare_prices(before, after):
        located = Located("request", "price", finding)
        for operation in known.get(name, ()):
            yield _make_change(operation, located)
        if name not in known:
            yield _make_change(None, located, slug=name)


def _make_change(old: Operation | None, located: Located, new: Operation | None = None, *, slug: str = "") -> Change:
    finding = located.finding
    impact, sentence = judge(finding, located.side)
    return Change(
        impact=impact,
        kind=finding.kind,
        effect=finding.effect,
        method=old.method if old else "",
        path=old.path if old else "",
        slug=old.slug if old else slug,
        function=old.function if old else "",
        place=located.place,
        field=finding.field,
        before=finding.before,
        after=finding.after,
        sentence=sentence,
        pointer=finding.pointer,
        new_function=new.function if old and new and new.function != old.function else "",
    )
