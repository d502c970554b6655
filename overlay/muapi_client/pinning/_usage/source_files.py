"""Code: the Python files of a code base, as text. Nothing is imported or executed.

Lives here: which files are Python, links, notebooks, packages that were rendered. Does not live here: what is looked
for in them (``call_sites``, ``acknowledgements``).
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import tokenize
from bisect import bisect_right
from itertools import accumulate
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final, NamedTuple

from attrs import field, frozen

from muapi_client.pinning._document.errors import PinError
from muapi_client.pinning._document.strict_json import as_list, as_object

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_SKIPPED: Final = frozenset({"__pycache__", "node_modules", "site-packages"})
_READ: Final = frozenset({".py", ".pyi", ".pyw", ".ipynb"})
_OTHER: Final = frozenset({".pyx", ".pyz", ".pyc"})  # Python, in a form that has no syntax tree
RECORD: Final = "files.json"  # of a rendered package (generator_templates/build/ownership.py)
_HEAD: Final = 128  # bytes of a file in which its first line is looked for
_SCRIPT: Final = re.compile(rb"#!.*\bpython")
_PYTHON_CELLS: Final = frozenset({"capture", "prun", "time", "timeit"})  # cell magics whose cell is Python
_LINE_MAGIC: Final = re.compile(r"(?P<indent>\s*)%(?:time|timeit|prun)\s+(?P<code>[^-\s].*)")
_ASSIGNED: Final = re.compile(r"(?P<before>\s*[\w.,\s]+=\s*)[%!].*")
_LANGUAGE: Final = (("language_info", "name"), ("kernelspec", "language"), ("kernelspec", "name"))
UNREADABLE: Final = (OSError, SyntaxError, ValueError, RecursionError, MemoryError)


@frozen
class SourceFiles:
    """The Python files of a code base.

    Attributes:
        files: Every file there is to read.
        unread: What cannot be read, with the reason.
        packages: The names of the packages that were rendered into it, whose own files are left out.
        functions: The functions of those packages.
        changed: The folders of those of which files changed since, each with how many: they are among ``files``.
    """

    files: tuple[Path, ...]
    unread: tuple[tuple[str, str], ...]
    packages: frozenset[str]
    functions: frozenset[str]
    changed: Mapping[str, int]


@frozen
class _Found:
    """The files found so far; folders by their real paths, so that links lead to none twice."""

    files: list[Path] = field(factory=list[Path])
    unread: list[tuple[str, str]] = field(factory=list[tuple[str, str]])
    folders: set[str] = field(factory=set[str])
    links: list[Path] = field(factory=list[Path])
    packages: set[str] = field(factory=set[str])
    functions: set[str] = field(factory=set[str])
    rendered: set[Path] = field(factory=set[Path])  # files that stand as they were rendered
    changed: dict[str, int] = field(factory=dict[str, int])


def find_source_files(paths: Iterable[str | os.PathLike[str]]) -> SourceFiles:
    """Find the Python files.

    Args:
        paths: Files, or folders to look through; folders of installed packages and hidden ones are left out, and the
            files of rendered packages that are as they were rendered. Links are followed, to each folder once.

    Raises:
        PinError: A path is not there.
    """
    found = _Found()
    for path in map(Path, paths):
        if path.is_file():
            found.files.append(path)
        elif path.is_dir():
            _search_folder(path, found)
        else:
            raise PinError(f"there is no file or folder {path} to look into")
    while found.links:  # after all that needs no link, so that a file is told where it is
        link = found.links.pop(0)
        if link.resolve() in link.parent.resolve().parents and str(link.resolve()) not in found.folders:
            found.unread.append((link.as_posix(), "a link to a folder around it, which --used-in does not name"))
        else:
            _search_folder(link, found)
    return SourceFiles(
        tuple(dict.fromkeys(found.files)),
        tuple(dict.fromkeys(found.unread)),
        frozenset(found.packages),
        frozenset(found.functions),
        found.changed,
    )


class Python(NamedTuple):
    """The Python of a file, of a notebook that of all its code cells.

    Attributes:
        text: It.
        starts: Of a notebook, the line in ``text`` where each code cell starts, counted from 1.
    """

    text: str
    starts: tuple[int, ...] = ()

    def locate(self, line: int) -> tuple[int, int]:
        """The line within its cell, and the number of that cell; the line itself and 0 in what has no cells."""
        cell = bisect_right(self.starts, line)
        return (line - self.starts[cell - 1] + 1, cell) if cell else (line, 0)


def read_python(file: Path) -> Python | None:
    """The Python of a file; None of a notebook in another language.

    Raises:
        OSError: It cannot be read.
        SyntaxError: It declares an encoding that there is not.
        ValueError: It is not in the encoding it declares, or is no notebook.
        RecursionError: It is nested too deeply.
    """
    if file.suffix == ".ipynb":
        return _join_cells(json.loads(file.read_bytes()))
    with tokenize.open(file) as opened:  # in the encoding the file declares, as Python itself reads it
        return Python(opened.read())


def describe_error(error: Exception) -> str:
    """Why a file could not be read, in one line."""
    return " ".join(str(error).split()) or type(error).__name__


def _search_folder(top: Path, found: _Found) -> None:
    def refused(error: OSError) -> None:
        found.unread.append((Path(error.filename or top).as_posix(), describe_error(error)))

    for folder, folders, names in os.walk(top, onerror=refused):
        real = os.path.realpath(folder)
        if real in found.folders:
            folders.clear()
            continue
        found.folders.add(real)
        if RECORD in names:
            _add_package(Path(folder), found)
        inside = sorted(name for name in folders if not _is_skipped(Path(folder, name)))
        found.links.extend(Path(folder, name) for name in inside if Path(folder, name).is_symlink())
        folders[:] = [name for name in inside if not Path(folder, name).is_symlink()]
        for name in sorted(names):
            _add_file(Path(folder, name), found)


def _add_package(folder: Path, found: _Found) -> None:
    """Take up a package that `muapi-client spec build` rendered: its record lists its files with their hashes."""
    try:
        record = as_object(json.loads((folder / RECORD).read_bytes()))
        if record is None or "__init__.py" not in record or "types.py" not in record:
            return
        standing = {folder / name: told for name, told in record.items() if _is_source(folder / name)}
        unchanged = [file for file, told in standing.items() if _hash(file) == told]
    except (OSError, ValueError, RecursionError):
        return
    found.packages.add(folder.name)
    found.functions.update(_read_functions(record))
    found.rendered.update(file.resolve() for file in unchanged)
    if changed := len(standing) - len(unchanged):
        found.changed[folder.as_posix()] = changed


def _read_functions(record: Iterable[str]) -> Iterator[str]:
    """The functions of a rendered package, each of which has a module of its own below ``api``."""
    for name in map(PurePosixPath, record):
        if name.parts[0] == "api" and name.suffix == ".py":
            yield name.stem


def _hash(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _is_source(file: Path) -> bool:
    return file.suffix in _READ and file.is_file()


def _is_skipped(folder: Path) -> bool:
    return folder.name in _SKIPPED or folder.name.startswith(".") or (folder / "pyvenv.cfg").exists()


def _add_file(file: Path, found: _Found) -> None:
    """Take a file up, if it is Python."""
    if file.name.startswith(".#"):  # an editor's lock, a link that leads nowhere
        return
    if found.rendered and file.resolve() in found.rendered:
        return
    if file.suffix in _OTHER:
        found.unread.append((file.as_posix(), "Python in a form that cannot be parsed"))
    elif file.suffix in _READ:
        if file.is_file():
            found.files.append(file)
        else:
            found.unread.append((file.as_posix(), "no file, or a link to none"))
    elif not file.suffix and file.is_file() and _is_script(file, found):
        found.files.append(file)


def _is_script(file: Path, found: _Found) -> bool:
    try:
        with file.open("rb") as opened:
            return _SCRIPT.match(opened.read(_HEAD).partition(b"\n")[0]) is not None
    except OSError as error:
        found.unread.append((file.as_posix(), describe_error(error)))
        return False


def _join_cells(notebook: object) -> Python | None:
    """The code of a notebook (nbformat 3 and 4) as one module; None where it is in another language."""
    whole = as_object(notebook)
    if whole is None:
        raise ValueError("this is no notebook")
    about = as_object(whole.get("metadata")) or {}
    languages = [(as_object(about.get(key)) or {}).get(name) for key, name in _LANGUAGE]
    language = next((language_name for language_name in languages if isinstance(language_name, str)), "python")
    sheets = [whole, *(as_object(sheet) or {} for sheet in as_list(whole.get("worksheets")) or [])]
    if not any(as_list(sheet.get("cells")) is not None for sheet in sheets):
        raise ValueError("this is no notebook: it has no cells")
    if "python" not in language.lower():
        return None
    cells = [as_object(cell) or {} for sheet in sheets for cell in as_list(sheet.get("cells")) or []]
    texts = [_clean_cell(_cell_source(cell)) for cell in cells if cell.get("cell_type") == "code"]
    starts = accumulate((text.count("\n") for text in texts[:-1]), initial=1) if texts else ()
    return Python("".join(texts), tuple(starts))


def _cell_source(cell: dict[str, object]) -> str:
    source = cell.get("source", cell.get("input", ""))
    listed = as_list(source)
    text = "".join(map(str, listed)) if listed is not None else source
    if not isinstance(text, str):
        raise ValueError("this is no notebook: a cell has no text")  # noqa: TRY004 - what is wrong is a file
    return text


def _clean_cell(cell: str) -> str:
    """A cell's Python, without what only a notebook understands, on lines of their own."""
    first = cell.lstrip()
    if first.startswith("%%") and first[2:].split(maxsplit=1)[0:1] and first[2:].split()[0] not in _PYTHON_CELLS:
        return ""
    return "".join(f"{_clean_line(line)}\n" for line in cell.split("\n"))


def _clean_line(line: str) -> str:
    magic = _LINE_MAGIC.fullmatch(line)
    if magic:
        return f"{magic['indent']}{magic['code']}"
    bare = line.strip()
    if bare.startswith(("%", "!", "?")) or (bare.endswith("?") and "#" not in bare):
        return f"{line[: len(line) - len(line.lstrip())]}pass"
    assigned = _ASSIGNED.fullmatch(line)
    return f"{assigned['before']}None" if assigned else line
