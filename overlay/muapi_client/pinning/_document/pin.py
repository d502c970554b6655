"""The pinned files: where they lie, reading them, replacing them together.

Lives here: file access, and nothing that judges what the files say. Does not live here: the network
(``source``), what is compared with what (``verify``).
"""

import contextlib
import json
import os
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
UNFINISHED = ".new"  # how the name of a file ends that is not one of the pin yet


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
    fresh: dict[Path, Path] = {}
    spare: dict[Path, Path] = {}
    try:
        spec.mkdir(parents=True, exist_ok=True)
        _sweep(spec)
        for target, content in ((spec / name, content) for name, content in contents.items()):
            fresh[target] = _write_beside(target, content)
            if target.exists():
                spare[target] = _write_beside(target, target.read_bytes())
        _rename_all(fresh, spare)
    except OSError as error:
        place = error.filename2 or error.filename or spec
        raise PinError(f"cannot write {place}: {error.strerror or error}; the old pin is untouched") from None
    finally:
        for left in (*fresh.values(), *spare.values()):
            with contextlib.suppress(OSError):
                left.unlink(missing_ok=True)
    _sync_folder(spec)


def _sweep(spec: Path) -> None:
    """Take away what a fetch left that was killed."""
    for name in (DOCUMENT, MODELS, LOCK):
        for left in spec.glob(f".{name}.*{UNFINISHED}"):
            left.unlink(missing_ok=True)


def _rename_all(fresh: Mapping[Path, Path], spare: Mapping[Path, Path]) -> None:
    """Give every fresh file its name; when one refuses, give the old ones theirs back."""
    renamed: list[Path] = []
    try:
        for target, new in fresh.items():
            new.replace(target)
            renamed.append(target)
    except BaseException as failure:
        for target in renamed:
            _put_back(target, spare.get(target), failure)
        raise


def _put_back(target: Path, spare: Path | None, failure: BaseException) -> None:
    try:
        if spare is None:
            target.unlink()
        else:
            spare.replace(target)
    except OSError as error:
        raise PinError(
            f"writing stopped half way ({failure}) and {target} could not be put back "
            f"({error.strerror or error}): restore the folder from version control, or fetch again"
        ) from None


def _write_beside(target: Path, content: bytes) -> Path:
    """Write a new file next to the one it is to replace, down to the disk."""
    import tempfile  # noqa: PLC0415 - who only reads the pin writes no file

    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=UNFINISHED)
    made = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        # A temporary file is its owner's alone; the pin is for everybody, or for whom it was before.
        made.chmod(target.stat().st_mode & 0o777 if target.exists() else 0o644)
    except BaseException:
        made.unlink(missing_ok=True)
        raise
    return made


def _sync_folder(folder: Path) -> None:
    """Make the renames durable at once, where the system lets a folder be opened."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


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
