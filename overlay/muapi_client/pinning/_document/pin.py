"""The pinned files: where they lie, reading them, replacing them together.

Lives here: file access, and nothing that judges what the files say. Does not live here: the network
(``source``), what is compared with what (``verify``).
"""

import json
from collections.abc import Mapping
from functools import cached_property
from importlib.resources.abc import Traversable
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import frozen

from muapi_client.pinning._document.errors import PinError

if TYPE_CHECKING:
    from muapi_client.pinning._document.lock import Lock

DOCUMENT, MODELS, LOCK = "openapi.json", "models.json", "lock.toml"
UNTOUCHED = "the old pin is untouched"


@frozen
class Pin:
    """A pinned document with its lock and its price catalogue, each read when first asked for.

    Attributes:
        directory: The folder that holds the files; a ``Traversable`` where the package runs from an archive.
    """

    __module__ = "muapi_client.pinning"

    directory: Path | Traversable

    @property
    def content(self) -> bytes:
        """The OpenAPI document's bytes, in the pinned form (``canonical.serialize``)."""
        return _read(self.directory / DOCUMENT)

    @cached_property
    def document(self) -> dict[str, Any]:
        """The OpenAPI document, uncorrected; do not change it, everybody shares it."""
        return dict(json.loads(self.content))

    @cached_property
    def models(self) -> dict[str, Any]:
        """The price catalogue: ``as_of`` (ISO date), ``currency`` and ``models``, sorted by name."""
        return dict(json.loads(_read(self.directory / MODELS)))

    @cached_property
    def lock(self) -> "Lock":
        """How the document came here."""
        from muapi_client.pinning._document.lock import Lock  # noqa: PLC0415 - who reads the document needs no TOML

        return Lock.from_toml(_read(self.directory / LOCK).decode())


def pinned() -> Pin:
    """Find the document this package was rendered from: in the checkout it runs from, or in the installed wheel.

    Raises:
        PinError: Neither holds one.
    """
    # The checkout first: an editable installation may have left a copy of an older pin among the packages.
    found = checkout() or _find_installed()
    if found is None or not (found / DOCUMENT).is_file():
        found = _find_distributed(found)
    if found is None:
        raise PinError(
            "no pinned document here: `nox -s fetch` in a checkout makes spec/openapi.json; an archive of a checkout's"
            f" packages needs {DOCUMENT}, {MODELS} and {LOCK} of spec/ in muapi_generated/, as a wheel has them"
        )
    return Pin(found)


def checkout() -> Path | None:
    """The ``spec`` folder of the checkout this package runs from, None when it is installed elsewhere."""
    root = Path(__file__).resolve().parents[4]
    return root / "spec" if (root / "overlay" / "muapi_client").is_dir() else None


def _find_installed() -> Path | Traversable | None:
    """The installed package's folder, which may be in an archive; the package itself is not imported."""
    package = find_spec("muapi_generated")
    loader: Any = package.loader if package else None
    reader: Any = loader.get_resource_reader("muapi_generated") if loader else None
    found: Traversable | None = reader.files() if reader else None
    return found


def _find_distributed(package: Path | Traversable | None) -> Path | None:
    """Where the installed distribution has the document of a package that runs from a copy of its modules alone.

    Such a copy is an archive of a checkout's packages, beside an editable installation. What that has may be of another
    day than the copy: the document is the one that the package says it was rendered from, or none.
    """
    from hashlib import sha256  # noqa: PLC0415 - few run like this, as below
    from importlib.metadata import PackageNotFoundError, distribution  # noqa: PLC0415

    try:
        there = Path(str(distribution("muapi-client").locate_file("muapi_generated")))
        rendered_from = json.loads((package / "fingerprints.json").read_bytes())["sha256"] if package else None
        document = (there / DOCUMENT).read_bytes()
    except (PackageNotFoundError, OSError, LookupError, ValueError):
        return None
    return there if sha256(document).hexdigest() == rendered_from else None


@frozen
class Files:
    """The three files as bytes, None where one is missing."""

    document: bytes | None
    models: bytes | None
    lock: bytes | None

    def by_name(self) -> dict[str, bytes | None]:
        """Each file's content by its name; the lock last, so that it vouches for what is there already."""
        return {DOCUMENT: self.document, MODELS: self.models, LOCK: self.lock}


def read_files(spec: Path | Traversable) -> Files:
    """Read what is pinned in a folder, unjudged.

    Raises:
        PinError: A file is there and cannot be read.
    """
    return Files(*(_read_if_any(spec / name) for name in (DOCUMENT, MODELS, LOCK)))


def replace_files(spec: Path, contents: Mapping[str, bytes]) -> None:
    """Replace files together: a failure changes none.

    All bytes are on disk before the first name changes. Only a crash between two renames leaves files of two
    fetches; ``verify`` tells, and the next fetch writes them anew.

    Args:
        spec: The folder, made if need be.
        contents: What each file is to hold, by its name, in the order in which the names change.

    Raises:
        PinError: A file cannot be written.
    """
    from muapi_client.pinning._document.replacing import (  # noqa: PLC0415 - who only reads needs none
        replace_together,
        sweep,
    )

    try:
        spec.mkdir(parents=True, exist_ok=True)
        for name in (DOCUMENT, MODELS, LOCK):
            sweep(spec / name)
    except OSError as error:
        raise PinError(f"cannot write {spec}: {error.strerror or error}; {UNTOUCHED}") from None
    replace_together({spec / name: content for name, content in contents.items()}, UNTOUCHED)


def _read_if_any(path: Path | Traversable) -> bytes | None:
    try:
        there = path.is_file() or path.is_dir()
    except OSError as error:
        raise PinError(f"cannot read {path}: {error.strerror}") from None
    return _read(path) if there else None


def _read(path: Path | Traversable) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise PinError(f"cannot read {path}: {error.strerror}") from None
