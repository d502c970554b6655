"""Pinning a document: get it, judge it, and replace the old pin by it, or change nothing.

Lives here: the order of those steps, and what is told about them. Does not live here: each step itself.
"""

from __future__ import annotations

from datetime import UTC, datetime
from os import environ
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import frozen

from muapi_client.pinning._diff.documents import diff
from muapi_client.pinning._document.canonical import SCOPE, iter_operations, restrict_to_scope, serialize
from muapi_client.pinning._document.errors import PinError, quote
from muapi_client.pinning._document.lock import SHORT, Lock, derive_facts, sha256
from muapi_client.pinning._document.pin import DOCUMENT, Files, checkout, read_files, replace_files
from muapi_client.pinning._document.price_list import canonicalize_models
from muapi_client.pinning._document.reader import Document
from muapi_client.pinning._document.source import Limits, Served, is_local, is_public, name_source, read
from muapi_client.pinning._document.strict_json import as_object, parse
from muapi_client.pinning._document.verify import compare_files
from muapi_client.pinning._document.yaml_text import to_json

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from os import PathLike

DEFAULT_SOURCE = "https://api.muapi.ai/openapi.json"  # served without a key
SOURCE_VARIABLE = "MUAPI_OPENAPI_URL"
HISTORY = ("source", "fetched_at", "etag", "served_sha256", "note")  # what the files themselves do not tell
LOCAL_NOTE = "a copy on the machine that fetched it"  # all that is known of one, unless --note says more


@frozen
class Fetched:
    """The outcome of a fetch.

    Attributes:
        changed: The names of the files that were written; empty when every byte stayed.
        before: Hash of the document pinned before, empty where there was none.
        after: Hash of the document pinned now.
        added: Operations that are new, as ``METHOD /path``.
        removed: Operations that are gone.
        altered: Operations that both documents have and of which :func:`diff` tells a change.
        message: All this, in one line for a person.
    """

    __module__ = "muapi_client.pinning"

    changed: tuple[str, ...]
    before: str
    after: str
    added: tuple[str, ...]
    removed: tuple[str, ...]
    altered: tuple[str, ...]
    message: str


def utc_now() -> datetime:
    """The time, UTC."""
    return datetime.now(UTC)


def fetch(
    source: str | None = None,
    spec: str | PathLike[str] | None = None,
    *,
    models: str | None = None,
    recorded_source: str | None = None,
    note: str | None = None,
    limits: Limits | None = None,
    now: Callable[[], datetime] = utc_now,
) -> Fetched:
    """Get the OpenAPI document and pin it, with its lock; a document that is pinned already changes no byte.

    Args:
        source: A URL (https, or http to this machine) or a file; None for ``MUAPI_OPENAPI_URL``, and without
            that for MuAPI's own address.
        spec: The folder to pin into; None for that of the checkout, and outside of one for ``spec`` right
            here.
        models: A URL or file with the price catalogue (``GET /api/v1/models``); None keeps the pinned one.
        recorded_source: What the lock is to name as the source when a copy is fetched; None for ``source``
            itself.
        note: What the lock is to say about where it comes from besides; None for nothing, or for a source on this
            machine that it is one.
        limits: Caps on size (bytes) and time (seconds).
        now: Tells the time, UTC.

    Returns:
        What was done.

    Raises:
        PinError: The document cannot be had, trusted or written. The old pin is untouched.
    """
    wanted = Wanted(source or environ.get(SOURCE_VARIABLE) or DEFAULT_SOURCE, recorded_source, note)
    folder = Path(spec) if spec is not None else checkout() or Path("spec")
    try:
        old = read_files(folder)
        new, lock, _ = _renew(old, wanted, models, limits or Limits(), now())
    except PinError as error:
        raise PinError(f"{error}; the old pin is untouched") from None
    changed = _select_changed(old, new)
    if changed:
        replace_files(folder, changed)
    return _summarize(old.document, new.document, lock, tuple(changed))


def bring(source: str, folder: Path, *, scope: str = SCOPE, models: str | None = None) -> int:
    """Get a document to be rendered beside the pinned one, of any API, into a folder of its own, with its lock.

    What of it cannot be said is for the rendering to judge: a reference may lead nowhere.

    Args:
        source: A URL (https, or http to this machine) or a file.
        folder: The folder, empty.
        scope: What the paths to keep begin with, without a slash at its end; empty for all of them.
        models: A URL or file with the price catalogue, as it is served or as it is pinned; None for none.

    Returns:
        How many of the document's operations are left behind, outside the scope.

    Raises:
        PinError: The document or the catalogue cannot be had or written, or is none.
    """
    wanted = Wanted(source, scope=scope, may_dangle=True, purpose="rendered")
    new, _, outside = _renew(read_files(folder), wanted, models, Limits(), utc_now())
    replace_files(folder, {name: content for name, content in new.by_name().items() if content is not None})
    return outside


@frozen
class Wanted:
    """What to fetch, and what the lock is to say about it; None where the caller claims nothing."""

    source: str
    recorded_source: str | None = None
    note: str | None = None
    scope: str = SCOPE
    may_dangle: bool = False
    purpose: str = "pinned"  # what a refusal says it cannot be

    @property
    def claims(self) -> bool:
        """Tell whether the caller says where the document comes from, beyond the address it is fetched from."""
        return self.recorded_source is not None or self.note is not None

    @property
    def origin(self) -> dict[str, str]:
        """The facts of a new lock about where the document comes from."""
        named = name_source(self.source) if self.recorded_source is None else self.recorded_source
        note = self.note if self.note is not None else LOCAL_NOTE if is_local(self.source) else ""
        return {"source": named, "note": note}

    def check(self) -> None:
        """Refuse a claim that no reader elsewhere could follow."""
        if self.recorded_source is not None and not is_public(self.recorded_source):
            raise PinError(
                f"the lock cannot name {quote(self.recorded_source)} as the source: "
                "--recorded-source takes the https address of the document that --source is a copy of"
            )


def _renew(old: Files, wanted: Wanted, models: str | None, limits: Limits, at: datetime) -> tuple[Files, Lock, int]:
    """Make the files that are to lie in the folder after this fetch; and count the operations outside the scope."""
    outside = 0
    wanted.check()
    before = _read_lock(old.lock)
    served = read(wanted.source, etag=_choose_etag(wanted, before, old), limits=limits)
    if served is None:  # the pin is verified already, or no ETag would have been sent
        document = old.document or b""
        content = parse(document, DOCUMENT)
    else:
        content, outside = _check_served(served.content, wanted)
        document = serialize(content)
    prices = _renew_prices(models, old.models, at, limits)
    facts = derive_facts(content, document, prices)
    history: dict[str, Any] = _choose_history(wanted, before, facts["document_sha256"], served, at)
    lock = Lock(**history, **facts)
    return Files(document, prices, lock.to_toml().encode()), lock, outside


def _select_changed(old: Files, new: Files) -> dict[str, bytes]:
    was, now = old.by_name(), new.by_name()
    return {name: content for name, content in now.items() if content is not None and content != was[name]}


def _check_served(content: bytes, wanted: Wanted) -> tuple[dict[str, Any], int]:
    try:
        document = parse(to_json(content, wanted.source), "the document")
        inside = restrict_to_scope(document, wanted.scope, may_dangle=wanted.may_dangle)
        outside = {path: item for path, item in document["paths"].items() if path not in inside["paths"]}
        objects = {path: item for path, item in outside.items() if as_object(item) is not None}
        return inside, sum(1 for _ in iter_operations({**document, "paths": objects}))
    except PinError as error:
        raise PinError(f"{wanted.source} cannot be {wanted.purpose}: {error}") from None


def _read_lock(lock: bytes | None) -> Lock | None:
    """The lock, or None where none can be read: a broken one is written anew."""
    try:
        return Lock.from_toml(lock.decode()) if lock is not None else None
    except (PinError, UnicodeDecodeError):
        return None


def _choose_etag(wanted: Wanted, lock: Lock | None, old: Files) -> str:
    """The ETag that may spare the download: of the same source, for exactly the files that are here."""
    if lock is None or not lock.etag or wanted.claims or wanted.source != lock.source:
        return ""
    return "" if compare_files(old) else lock.etag


def _renew_prices(models: str | None, old: bytes | None, at: datetime, limits: Limits) -> bytes | None:
    if models is None:
        return old if old is None else _check_readable(old, at)
    served = read(models, limits=limits)
    return canonicalize_models(served.content, today=at.date(), before=old) if served else old


def _check_readable(old: bytes, at: datetime) -> bytes:
    """The catalogue as it was pinned, unless nobody could read it: that is not locked again."""
    try:
        canonicalize_models(old, today=at.date())
    except PinError as error:
        raise PinError(f"spec/models.json is broken, give --models to renew it: {error}") from None
    return old


def _choose_history(
    wanted: Wanted, lock: Lock | None, identity: str, served: Served | None, at: datetime
) -> dict[str, str]:
    """Choose the facts of the lock about how the document came here.

    The same document keeps its history; only a fetch that knows better (from the network, or with a claim)
    rewrites it. A copy on this machine knows nothing about where the document comes from.
    """
    silent = served is None or (is_local(wanted.source) and not wanted.claims)
    if lock and lock.document_sha256 == identity:
        known = {name: getattr(lock, name) for name in HISTORY}
        if silent or wanted.origin == {name: known[name] for name in wanted.origin}:
            return known
    content = served.content if served else b""
    return {
        **wanted.origin,
        "fetched_at": at.astimezone(UTC).isoformat(timespec="seconds"),
        "etag": served.etag if served and wanted.recorded_source is None else "",
        "served_sha256": sha256(content),
    }


def _summarize(old: bytes | None, new: bytes | None, lock: Lock, changed: tuple[str, ...]) -> Fetched:
    was = sha256(old) if old is not None else ""
    before, after = (_read_document(old), _read_document(new)) if DOCUMENT in changed else ({}, {})
    olds, news = _list_operations(before), _list_operations(after)
    added, removed = sorted(news - olds), sorted(olds - news)
    altered = sorted(_find_altered(before, after) & olds & news) if olds and news else []
    message = f"unchanged: {lock.document_sha256[:SHORT]}, {lock.operations} operations"
    if DOCUMENT in changed:
        message = (
            f"pinned: {was[:SHORT] or 'nothing'} -> {lock.document_sha256[:SHORT]}, {lock.operations} operations "
            f"(+{len(added)}, -{len(removed)}, {len(altered)} altered)"
        )
    if changed:
        message += f"; wrote {', '.join(changed)}"
    return Fetched(changed, was, lock.document_sha256, tuple(added), tuple(removed), tuple(altered), message)


def _find_altered(before: Mapping[str, Any], after: Mapping[str, Any]) -> set[str]:
    """The operations of which :func:`diff` tells a change; one in a schema counts for every operation that has it."""
    return {f"{change.method} {change.path}" for change in diff(before, after).changes if change.path}


def _list_operations(document: Mapping[str, Any]) -> set[str]:
    return {f"{method} {path}" for method, path in Document(document).operations}


def _read_document(document: bytes | None) -> dict[str, Any]:
    """A pinned document; an empty one where it cannot be read."""
    try:
        return parse(document or b"", DOCUMENT)
    except PinError:
        return {}
