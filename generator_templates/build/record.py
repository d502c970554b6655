"""The record of what a package was rendered from and what came out, which spares rendering it to compare.

Lives here: the hashes, the record, and whether both still agree. It vouches only if every input and every
output has the hash it gives; a record that lies was written by hand, which `drift --full` finds, for that renders.
"""

from __future__ import annotations

import hashlib
import tomllib
from importlib.metadata import version
from typing import TYPE_CHECKING

from .swap import read_contents

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

TOOLS = ("jinja2", "jsonpath-rfc9535", "openapi-python-client", "ruff")  # whose versions decide bytes
_PATTERNS = ("*.py", "*.jinja", "*.yml", "*.toml")  # of the generator's rooms: what else decides them
_HEAD = """\
# What this package was rendered from, and what came out, as sha256. Written by `nox -s generate`; not edited.
# While both still agree, `render.py drift` need not render again.
"""


def hash_inputs(files: Mapping[str, Path], options: Mapping[str, str], generator: Path) -> dict[str, str]:
    """Hash everything that decides a byte of the package, by name.

    Args:
        files: The document and what stands beside it.
        options: What else decides it, as text.
        generator: The generator's folder, with all its rooms.
    """
    own_files = sorted({file for pattern in _PATTERNS for file in generator.rglob(pattern)})
    return {
        **{name: _sha256(path.read_bytes()) for name, path in files.items()},
        **options,
        "rules": _hash_files({file.relative_to(generator).as_posix(): file.read_bytes() for file in own_files}),
        "tools": ", ".join(f"{tool} {version(tool)}" for tool in TOOLS),
    }


def hash_outputs(package: Path) -> dict[str, str | int]:
    """Return how many files a package has, and one hash of all their names and bytes."""
    files = read_contents(package)
    return {"files": len(files), "sha256": _hash_files(files)}


def record_path(package: Path) -> Path:
    """Return where the record of a package stands: beside it, so that no file depends on its own hash."""
    return package.with_name(f"{package.name}.toml")


def write_record(package: Path, inputs: Mapping[str, str]) -> None:
    """Write the record of a package that was rendered just now."""
    text = f"{_HEAD}{_format_section('inputs', inputs)}{_format_section('outputs', hash_outputs(package))}"
    record_path(package).write_text(text, encoding="utf-8")


def find_stale(package: Path, inputs: Mapping[str, str]) -> list[str]:
    """List which entries of a record no longer hold, by name; none where it vouches for the package."""
    try:
        record = tomllib.loads(record_path(package).read_text(encoding="utf-8"))
        before, after = dict(record["inputs"]), dict(record["outputs"])
    except (OSError, ValueError, KeyError, TypeError):
        return ["record"]
    names = [name for name in {**inputs, **before} if before.get(name) != inputs.get(name)]
    return names or ([] if package.is_dir() and after == hash_outputs(package) else ["package"])


def _format_section(name: str, facts: Mapping[str, str | int]) -> str:
    lines = (f"{key} = {value}" if isinstance(value, int) else f'{key} = "{value}"' for key, value in facts.items())
    return f"\n[{name}]\n" + "".join(f"{line}\n" for line in lines)


def _hash_files(files: Mapping[str, bytes]) -> str:
    """Make one hash of files by name."""
    return _sha256("".join(f"{name}\0{_sha256(files[name])}\n" for name in sorted(files)).encode())


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
