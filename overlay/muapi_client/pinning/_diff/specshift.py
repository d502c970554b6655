"""A second opinion: specshift, a general differ, over the same two documents.

It knows nothing of this client: it looks into no ``anyOf`` (so into no field that may be null), sees no bound, format
or scheme come or go, judges a removed request field a warning and a widened type breaking, and tells most findings as
sentences without values. So what it finds is not what is reported; what it finds *where we found nothing* is, so that
an oversight of ours cannot stay silent.

Lives here: running it on what differs, and matching its places with ours. Does not live here: our own findings.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, cast

from attrs import evolve

from muapi_client.pinning._diff.changes import Change, Diff, Impact, sort_changes
from muapi_client.pinning._diff.equivalence import find_references
from muapi_client.pinning._document.errors import PinError
from muapi_client.pinning._document.naming import slug_of
from muapi_client.pinning._document.reader import Document
from muapi_client.pinning._document.strict_json import as_list, as_object

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

EXTRA: Final = "the second opinion needs specshift: pip install 'muapi-client[diff]'"
_SCHEMAS: Final = "#/components/schemas/"
_WHOLE: Final = ("type", "answer_class", "job_answer")  # what tells of a whole value tells of all its fields
_IMPACTS: Final[dict[str, Impact]] = {"breaking": "breaking", "warning": "silent", "info": "cosmetic"}


def add_second_opinion(old: Mapping[str, Any], new: Mapping[str, Any], found: Diff) -> Diff:
    """Add what specshift finds where nothing was found.

    Args:
        old: The old document.
        new: The new one.
        found: What :func:`diff` says of them, of all their operations.

    Returns:
        The same, with a change of the kind ``unsorted`` for each finding of specshift's for which nothing in ``found``
        stands.

    Raises:
        ImportError: specshift is not installed.
        PinError: specshift cannot read these documents.
    """
    theirs = _run(old, new)
    known: dict[tuple[str, str], list[Change]] = {}
    for change in found.changes:
        for path in {change.path, *_renamed_paths(change)}:
            known.setdefault((change.method, path), []).append(change)
    documents = Document(old), Document(new)
    more = [
        _make_change(finding, *_find_operation(finding.location, documents))
        for finding in theirs
        if not _is_known(finding, known, documents)
    ]
    return evolve(found, changes=sort_changes([*found.changes, *more]))


def _run(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Any]:
    try:
        from specshift import differ  # type: ignore[import-untyped]  # noqa: PLC0415 - an extra, and slow to import
    except ImportError as error:
        raise ImportError(EXTRA) from error
    try:
        return list(cast("Any", differ).diff_specs(_prepare(old), _prepare(new)).changes)
    except (TypeError, AttributeError, KeyError, ValueError, RecursionError) as error:
        raise PinError(
            f"specshift cannot read these documents ({type(error).__name__}: {error}): leave --second-opinion out"
        ) from None


def _is_known(
    finding: Any, known: Mapping[tuple[str, str], list[Change]], documents: tuple[Document, Document]
) -> bool:
    """Tell whether one of our changes stands where specshift's finding does."""
    method, path, rest = _find_operation(finding.location, documents)
    if not path:
        return bool(known.get(("", "")))
    ours = known.get((method, path), []) if method else _list_changes(path, known)
    if any(change.kind in ("operation", "body", "job") for change in ours):
        return True
    place, field = _read_place(rest)
    near = [change for change in ours if _is_at(change, place)]
    if not field or any(not change.field and change.kind in _WHOLE for change in near):
        return bool(near)
    return any(field in _outermost_fields(change) for change in near)


def _list_changes(path: str, known: Mapping[tuple[str, str], list[Change]]) -> list[Change]:
    return [change for (_, changed), changes in known.items() if changed == path for change in changes]


def _find_operation(location: str, documents: tuple[Document, Document]) -> tuple[str, str, str]:
    """The method and path of a finding, and what of its location is left; empty where it is of the whole document."""
    head, _, rest = location.partition(" > ")
    method, _, path = head.partition(" ")
    for document in documents:
        if (method, path) in document.operations:
            return method, path, rest
    return ("", head, rest) if head.startswith("/") else ("", "", rest)


def _read_place(rest: str) -> tuple[str, str]:
    """Find our name for the place of a finding, and its outermost field."""
    field = re.search(r"field '(.*?)'(?: > |\[\]|$)", rest)
    named = field.group(1) if field else ""
    if rest.startswith("request body"):
        return "body", named
    status = re.match(r"response (\S+)", rest)
    if status:
        return f"answer {status.group(1).removesuffix('[]')}", named
    parameter = re.match(r"parameter '(.*?)'", rest)
    return ("parameter", parameter.group(1)) if parameter else ("", "")


def _is_at(change: Change, place: str) -> bool:
    return (
        not place
        or change.place == place
        or (place == "parameter" and change.place in ("query", "header", "cookie", "path"))
    )


def _outermost_fields(change: Change) -> set[str]:
    """The outermost field of a change, under both its names, and ``0`` for a parameter of the path."""
    names = {re.split(r"[.\[{]", change.field, maxsplit=1)[0].strip('"')}
    return names | ({str(change.after)} if change.effect == "renamed" else set())


def _renamed_paths(change: Change) -> Iterator[str]:
    if change.kind == "operation" and change.effect == "renamed":
        yield from (f"/api/v1/{name.rpartition(' ')[2]}" for name in (str(change.before), str(change.after)))


def _make_change(finding: Any, method: str, path: str, rest: str) -> Change:
    return Change(
        impact=_IMPACTS[finding.severity.value],
        kind="unsorted",
        effect=finding.change_type.value,
        method=method,
        path=path,
        slug=slug_of(path),
        function="",
        place="operation" if path else "document",
        field=rest,
        before=finding.old_value,
        after=finding.new_value,
        sentence=f"specshift says: {finding.message}",
        pointer="#",
    )


def _prepare(document: Mapping[str, Any]) -> dict[str, Any]:
    """A document as specshift reads best.

    Schemas do not contain themselves (it goes round a circle to its limit of depth), and what may be written in several
    ways is written in one: null as ``nullable``, so that it looks into such fields, and ``const`` as a list of one.
    """
    components = as_object(document.get("components")) or {}
    schemas = as_object(components.get("schemas")) or {}
    leads = {
        name: sorted({reference.removeprefix(_SCHEMAS) for reference in find_references(schemas[name])})
        for name in sorted(schemas)
    }
    cut = _find_circles(leads)
    opened = {name: _rewrite(schema, cut.get(name, set())) for name, schema in schemas.items()}
    paths = _rewrite(document.get("paths"), set())
    return {**document, "paths": paths, "components": {**components, "schemas": opened}}


def _find_circles(leads: Mapping[str, list[str]]) -> dict[str, set[str]]:
    """The references of each schema that lead back to where a walk came from."""
    state: dict[str, bool] = {}  # False while the walk is inside it, True once it is done
    cut: dict[str, set[str]] = {}
    for start in leads:
        trail = [(start, iter(leads[start]))] if start not in state else []
        state.setdefault(start, False)
        while trail:
            name, ahead = trail[-1]
            following = next(ahead, None)
            if following is None:
                state[name] = True
                trail.pop()
            elif state.get(following) is False:
                cut.setdefault(name, set()).add(following)
            elif following not in state and following in leads:
                state[following] = False
                trail.append((following, iter(leads[following])))
    return cut


def _rewrite(part: Any, cut: set[str]) -> Any:
    fields, items = as_object(part), as_list(part)
    if fields is None:
        return part if items is None else [_rewrite(item, cut) for item in items]
    if str(fields.get("$ref", "")).removeprefix(_SCHEMAS) in cut:
        return {}
    written = {key: _rewrite(value, cut) for key, value in fields.items()}
    for union in ("anyOf", "oneOf", "type"):
        listed = as_list(written.get(union)) or []
        rest = [option for option in listed if option not in ("null", {"type": "null"})]
        if len(rest) == 1 and len(rest) < len(listed):
            del written[union]
            only = {"type": rest[0]} if union == "type" else as_object(rest[0]) or {}
            written = {**only, **written, "nullable": True}
    if "const" in written and "enum" not in written:
        written["enum"] = [written.pop("const")]
    return written
