"""Stamping: a record of what a package was rendered from and what came out, which spares rendering it to compare.

Lives here: the hashes, the record, and whether both still agree. It vouches only if every input and every output is
what it says; a record that lies was written by hand, which `drift --full` finds, for that renders.
"""

from __future__ import annotations

import hashlib
import tomllib
from importlib.metadata import version
from typing import TYPE_CHECKING

from .swap import contents

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

TOOLS = ("jinja2", "jsonpath-rfc9535", "openapi-python-client", "ruff")  # whose versions decide bytes
_RULES = ("*.py", "*.jinja", "*.yml", "*.toml")  # of the generator's rooms: what else decides them
_HEAD = """\
# What this package was rendered from, and what came out, as sha256. Written by `nox -s generate`; not edited.
# While both still agree, `render.py drift` need not render again.
"""


def inputs(files: Mapping[str, Path], options: Mapping[str, str], rules: Path) -> dict[str, str]:
    """Everything that decides a byte of the package, by name.

    Args:
        files: The document and what stands beside it.
        options: What else was asked for.
        rules: The generator's folder, with all its rooms.
    """
    sources = sorted({file for pattern in _RULES for file in rules.rglob(pattern)})
    return {
        **{name: _sha256(path.read_bytes()) for name, path in files.items()},
        **options,
        "rules": _together({file.relative_to(rules).as_posix(): file.read_bytes() for file in sources}),
        "tools": ", ".join(f"{tool} {version(tool)}" for tool in TOOLS),
    }


def outputs(package: Path) -> dict[str, str | int]:
    """What a package is: how many files, and one hash of all their names and bytes."""
    every = contents(package)
    return {"files": len(every), "sha256": _together(every)}


def record_of(package: Path) -> Path:
    """Where the record of a package stands: beside it, so that nothing in it hangs on itself."""
    return package.with_name(f"{package.name}.toml")


def write(package: Path, made_from: Mapping[str, str]) -> None:
    """Write the record of a package that was rendered just now."""
    text = f"{_HEAD}{_part('inputs', made_from)}{_part('outputs', outputs(package))}"
    record_of(package).write_text(text, encoding="utf-8")


def stale(package: Path, made_from: Mapping[str, str]) -> list[str]:
    """What of a record is no longer so, by name; nothing where it vouches for the package."""
    try:
        said = tomllib.loads(record_of(package).read_text(encoding="utf-8"))
        before, after = dict(said["inputs"]), dict(said["outputs"])
    except (OSError, ValueError, KeyError, TypeError):
        return ["record"]
    names = [name for name in {**made_from, **before} if before.get(name) != made_from.get(name)]
    return names or ([] if package.is_dir() and after == outputs(package) else ["package"])


def _part(name: str, facts: Mapping[str, str | int]) -> str:
    lines = (f"{key} = {one}" if isinstance(one, int) else f'{key} = "{one}"' for key, one in facts.items())
    return f"\n[{name}]\n" + "".join(f"{line}\n" for line in lines)


def _together(every: Mapping[str, bytes]) -> str:
    """One hash of files by name."""
    return _sha256("".join(f"{name}\0{_sha256(every[name])}\n" for name in sorted(every)).encode())


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
