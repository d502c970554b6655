"""Sides: the two documents of a comparison, got from wherever they are named, with their price lists.

Lives here: the words for a document (a path, a folder, an address, ``pin``), and what is read along with it. Does not
live here: how an address is read, and within which bounds (``_document/source``).
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from attrs import frozen

from muapi_client.pinning._document.canonical import SCOPE, restrict_to_scope
from muapi_client.pinning._document.errors import PinError, quote
from muapi_client.pinning._document.pin import DOCUMENT, MODELS, pinned
from muapi_client.pinning._document.reader import Document
from muapi_client.pinning._document.source import Limits, read
from muapi_client.pinning._document.strict_json import as_list, as_object, parse

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

PIN: Final = "pin"


@frozen
class Input:
    """One document of a comparison, or a part of one.

    Attributes:
        name: What a report calls it.
        document: The document, with only what an API key may use, where it has any of that.
        prices: The price list that lies beside it, None where there is none.
        others: What the whole document has beside it, as for :class:`Document`.
    """

    name: str
    document: Mapping[str, Any]
    prices: Mapping[str, Any] | None = None
    others: Collection[tuple[str, str]] | None = ()

    def parse(self) -> Document:
        """The document, read."""
        return Document(self.document, self.others)


def read_input(word: str, limits: Limits | None = None) -> Input:
    """Get a document.

    Args:
        word: ``pin`` for the pinned one, a file, a folder with ``openapi.json`` in it, or an address (https, or http to
            this machine).
        limits: Caps on size (bytes) and time (seconds).

    Raises:
        PinError: It cannot be had, or is no OpenAPI document.
    """
    path = Path(str(pinned().directory)) if word == PIN else None if is_address(word) else Path(word)
    if path is None:
        return Input(word, _read_document(word, word, limits))
    file = path / DOCUMENT if path.is_dir() else path
    if not file.is_file():
        raise PinError(
            f"there is no file {file}: name one, a folder with {DOCUMENT}, an address, or {PIN} for the pinned document"
        )
    beside = file.parent / MODELS
    listed = read_price_list(str(beside), limits) if file.name == DOCUMENT and beside.is_file() else None
    return Input(word, _read_document(str(file), word, limits), listed)


def read_price_list(source: str, limits: Limits | None = None) -> dict[str, Any]:
    """Get a price list: ``spec/models.json``, or an answer of ``GET /api/v1/models``.

    Raises:
        PinError: It cannot be had, or is none.
    """
    found = parse(_read(source, limits), quote(source))
    if as_list(found.get("models")) is None:
        raise PinError(f"{quote(source)} has no list of models: it is no price list")
    return found


def is_address(word: str) -> bool:
    """Tell whether a word is an address, and no file."""
    return re.match(r"[A-Za-z][A-Za-z0-9+.-]+:", word) is not None  # as `_document/source` has it


def _read(source: str, limits: Limits | None) -> bytes:
    served = read(source, limits=limits or Limits())
    return served.content if served else b""


def _read_document(source: str, word: str, limits: Limits | None) -> dict[str, Any]:
    found = parse(_read(source, limits), quote(word))
    paths = as_object(found.get("paths"))
    if paths is None or not isinstance(found.get("openapi"), str):
        raise PinError(f"{quote(word)} is JSON, but no OpenAPI document: it has no version or no paths")
    try:
        return (
            restrict_to_scope(found) if any(path == SCOPE or path.startswith(f"{SCOPE}/") for path in paths) else found
        )
    except PinError as error:
        raise PinError(f"{quote(word)} cannot be used: {error}") from None
