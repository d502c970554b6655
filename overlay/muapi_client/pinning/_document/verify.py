"""Verification: that the pinned files belong together.

Lives here: the comparison of lock and pin. Does not live here: whether ``generated/`` belongs to the pin
(``nox -s drift`` renders again for that), whether the API has changed meanwhile.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from muapi_client.pinning._document.canonical import restrict_to_scope, serialize
from muapi_client.pinning._document.errors import PinError, quote
from muapi_client.pinning._document.lock import Lock, derive_facts
from muapi_client.pinning._document.pin import Files, pinned, read_files
from muapi_client.pinning._document.strict_json import parse

if TYPE_CHECKING:
    from os import PathLike

HASHED = {"document_sha256": "spec/openapi.json", "models_sha256": "spec/models.json"}
REMEDY = "restore spec/ from version control, or run `nox -s fetch`"


def verify(spec: str | PathLike[str] | None = None) -> tuple[str, ...]:
    """Compare a lock with the files it describes.

    Args:
        spec: The folder that holds openapi.json, lock.toml and models.json; None for the pin of this package.

    Returns:
        One line for each thing that differs; empty when everything agrees.

    Raises:
        PinError: A file is there and cannot be read, or nothing is pinned at all.
    """
    return compare_files(read_files(pinned().directory if spec is None else Path(spec)))


def compare_files(files: Files) -> tuple[str, ...]:
    """Compare three pinned files with each other; pure."""
    if files.document is None or files.lock is None:
        missing = [f"spec/{name} is missing" for name, content in _required_files(files) if content is None]
        return tuple(f"{line}: {REMEDY}" for line in missing)
    try:
        lock = Lock.from_toml(files.lock.decode())
        form = restrict_to_scope(parse(files.document, "spec/openapi.json"))
    except (PinError, UnicodeDecodeError) as error:
        return (f"the pin cannot be read, {error}: {REMEDY}",)
    facts = derive_facts(form, files.document, files.models)
    locked = {name: getattr(lock, name) for name in facts}
    found = [_describe_difference(name, locked[name], fact) for name, fact in facts.items() if locked[name] != fact]
    if serialize(form) != files.document:
        found.append(f"spec/openapi.json is not in the form in which `fetch` writes it: {REMEDY}")
    return tuple(found)


def _describe_difference(name: str, locked: object, fact: object) -> str:
    if name not in HASHED:
        return f"spec/lock.toml says {name} = {quote(locked)}, but it is {quote(fact)}: {REMEDY}"
    state = f"its sha256 is {fact}" if fact else "it is missing"
    return f"{HASHED[name]} is not the one spec/lock.toml describes ({state}, the lock says {locked}): {REMEDY}"


def _required_files(files: Files) -> tuple[tuple[str, bytes | None], ...]:
    return (("openapi.json", files.document), ("lock.toml", files.lock))
