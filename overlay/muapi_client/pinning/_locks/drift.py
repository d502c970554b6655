"""Drift: how the document that the API serves now stands to the pinned one. Nothing is written.

Lives here: getting the live document without need, and the verdict. Does not live here: what a change means
(``_diff``), pinning the live document (``fetch``), what a verdict means to a shell (``cli``).
"""

from collections.abc import Collection
from os import PathLike, environ
from pathlib import Path
from typing import Final, Literal
from urllib.parse import urljoin

from attrs import frozen

from muapi_client.pinning._diff.changes import Diff
from muapi_client.pinning._diff.documents import diff
from muapi_client.pinning._diff.inputs import is_address, read_price_list
from muapi_client.pinning._document.canonical import restrict_to_scope, serialize
from muapi_client.pinning._document.errors import PinError
from muapi_client.pinning._document.lock import sha256
from muapi_client.pinning._document.pin import MODELS, Pin, pinned
from muapi_client.pinning._document.source import Limits, read
from muapi_client.pinning._document.strict_json import parse
from muapi_client.pinning._locks.fetch import DEFAULT_SOURCE, SOURCE_VARIABLE

DriftVerdict = Literal["same", "compatible", "breaking"]
PRICES: Final = "/api/v1/models"  # where a server that has the document has the prices; without a key


@frozen
class Drift:
    """How the live document stands to the pinned one.

    Attributes:
        source: Where the live document came from.
        pinned_sha256: Hash of the pinned document.
        live_sha256: Hash of the live one, in the form in which it would be pinned.
        diff: What changed of what is used, from pinned to live; None where it is the same document, and where prices
            were looked at the same prices.
        priced: Where the live prices came from; empty where none were looked at.
    """

    __module__ = "muapi_client.pinning"

    source: str
    pinned_sha256: str
    live_sha256: str
    diff: Diff | None
    priced: str = ""

    @property
    def verdict(self) -> DriftVerdict:
        """The meaning of it to a program that runs on the pin.

        ``same``: it is the same document. ``breaking``: something used changed such that running code breaks, types
        break, or a call costs or does something else in silence. ``compatible``: anything else, such as new fields and
        models, wording, or whatever becomes of what is not used.
        """
        if self.diff is None:
            return "same"
        counts = self.diff.counts
        return "breaking" if counts["breaking"] or counts["types"] or counts["silent"] else "compatible"


def drift(
    source: str | None = None,
    *,
    only: Collection[str] | None = None,
    spec: str | PathLike[str] | None = None,
    limits: Limits | None = None,
    prices: str | None = None,
) -> Drift:
    """Compare the live document with the pinned one; a server that knows the pinned one by its ETag is asked no more.

    Args:
        source: A URL (https, or http to this machine) or a file; None for ``MUAPI_OPENAPI_URL``, and without that for
            MuAPI's own address.
        only: The functions, or slugs, that are used; None for all.
        spec: The folder of the pin; None for that of this package.
        limits: Caps on size (bytes) and time (seconds).
        prices: A URL or file with the live price list, to compare it with the pinned one; empty for the one that is
            where the document is: ``/api/v1/models`` of a server, ``models.json`` beside a file. None for no word on
            prices.

    Raises:
        PinError: They cannot be compared: no document came, it is none or half of one, or the pin itself is broken.
    """
    address = source or environ.get(SOURCE_VARIABLE) or DEFAULT_SOURCE
    pin = pinned() if spec is None else Pin(Path(spec))
    lock, ours = pin.lock, sha256(pin.content)
    if ours != lock.document_sha256:
        raise PinError(f"{pin.directory} holds a document other than its lock says: `nox -s drift` tells more")
    priced = "" if prices is None else prices or _find_price_list(address)
    both = (pin.models, read_price_list(priced, limits)) if priced else None
    served = read(address, etag=lock.etag if address == lock.source else "", limits=limits or Limits())
    if served is None or sha256(served.content) in (lock.served_sha256, ours):
        live, theirs = pin.document, ours
    else:
        try:
            live = restrict_to_scope(parse(served.content, "the document"))
        except PinError as error:
            raise PinError(f"{address} cannot be compared: {error}") from None
        theirs = sha256(serialize(live))
    if theirs == ours and both is None:
        return Drift(address, ours, ours, None)
    found = diff(pin.document, live, only=only, prices=both)
    return Drift(address, ours, theirs, found if theirs != ours or found.changes else None, priced)


def _find_price_list(address: str) -> str:
    """The price list of whoever gives the document."""
    if is_address(address):
        return urljoin(address, PRICES)
    beside = Path(address).with_name(MODELS)
    if not beside.is_file():
        raise PinError(f"there is no price list {beside} beside the document: name one, a URL or a file")
    return str(beside)
