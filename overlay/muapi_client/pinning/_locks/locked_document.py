"""The locked document: what the pinned document says of the functions in a lock, kept in a file beside it.

A lock's hashes tell that a function changed; how, only the document of then tells, and an upgrade has taken that away.
So its part that the lock is of stays in the program's own repository, as a document that every differ reads.

Lives here: what is kept, its bytes, and reading it as one side of a comparison. Does not live here: the lock
(``user_lock``), comparing (``_diff``).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from attrs import frozen

from muapi_client.pinning._diff.inputs import Input
from muapi_client.pinning._diff.prices import index_operations
from muapi_client.pinning._document.canonical import METHODS, restrict_to_scope
from muapi_client.pinning._document.errors import PinError
from muapi_client.pinning._document.reader import Document
from muapi_client.pinning._document.strict_json import as_list, as_object, parse
from muapi_client.pinning._locks.user_lock import UserLock

if TYPE_CHECKING:
    from collections.abc import Mapping

FORM: Final = 1  # of the file
SUFFIX: Final = ".json"  # behind the lock's own name


@frozen
class Locked:
    """A lock as one side of a comparison.

    Attributes:
        lock: The lock.
        side: The document and the prices of then, as far as the lock is of them.
    """

    lock: UserLock
    side: Input


def make_locked_document(lock: UserLock, document: Mapping[str, Any], prices: Mapping[str, Any]) -> str:
    """Make the text of the file beside a lock.

    Args:
        lock: The lock.
        document: The document the program runs on, as pinned.
        prices: Its price list.
    """
    whole = Document(document)
    kept = {key for key, operation in whole.operations.items() if operation.function in lock.functions}
    # Whether an operation without a webhook is a job is told by those beside it, which are kept for that.
    asking = {whole.operations[key].signs.beside for key in kept if whole.operations[key].signs.is_job is None}
    kept |= {key for key, operation in whole.operations.items() if operation.signs.beside in asking}
    paths: dict[str, Any] = {}
    for path, item in document["paths"].items():
        if any(own == path for _, own in kept):
            paths[path] = {
                word: part for word, part in item.items() if word not in METHODS or (word.upper(), path) in kept
            }
    named = index_operations(whole)
    models = [
        model
        for model in map(as_object, as_list(prices.get("models")) or [])
        if model and any(one.function in lock.functions for one in named.get(str(model.get("name")), ()))
    ]
    file = {
        "form": FORM,
        "document_sha256": lock.document_sha256,
        # By these a later document's new operations are told from those that were beside the lock's already, so that
        # none of them is taken for a locked one under another name.
        "others": sorted(f"{method} {path}" for method, path in whole.operations.keys() - kept),
        "document": restrict_to_scope({**document, "paths": paths}),
        "prices": {**prices, "models": models},
    }
    return json.dumps(file, ensure_ascii=False, indent=1) + "\n"


def read_locked(word: str) -> Locked | None:
    """Read a lock with the document beside it; None where the word names no lock.

    Raises:
        PinError: It names one, and it or the document beside it cannot be read.
    """
    file, beside = Path(word), Path(f"{word}{SUFFIX}")
    if not file.is_file() or not (file.suffix == ".lock" or beside.is_file()):
        return None
    lock = UserLock.from_toml(file.read_text(encoding="utf-8", errors="replace"), word)
    if not beside.is_file():
        raise PinError(
            f"{word} has no {beside.name} beside it, which tells what its functions were: `muapi-client spec lock` "
            f"writes both; the document of {lock.package} is muapi_generated/openapi.json of that version"
        )
    found = parse(beside.read_bytes(), str(beside))
    document, prices = as_object(found.get("document")), as_object(found.get("prices"))
    if found.get("form") != FORM or document is None or prices is None or as_object(document.get("paths")) is None:
        raise PinError(f"{beside} is no document of a lock of this form: `muapi-client spec lock` writes it anew")
    if found.get("document_sha256") != lock.document_sha256:
        raise PinError(
            f"{beside} and {word} are not of one document: restore both from one commit, or write them anew with "
            "`muapi-client spec lock`"
        )
    return Locked(lock, Input(word, document, prices, _read_others(found)))


def _read_others(file: Mapping[str, Any]) -> frozenset[tuple[str, str]] | None:
    """The operations that the whole document had besides; None of a file of before, which does not tell them."""
    names = as_list(file.get("others"))
    if names is None:
        return None
    return frozenset((method, path) for method, _, path in (str(name).partition(" ") for name in names))
