"""Upstream: which of openapi-python-client's templates ours stand for, and whether those are still the same.

``upstream.toml`` records, for each template of ours that replaces one of upstream's, the sha256 of the one it was
written beside. A generator that brings another text there is read before it renders.

Lives here: the record, read, compared and written. Does not live here: why ours differ (README.md).
"""

from __future__ import annotations

import hashlib
import tomllib
from importlib.metadata import version
from importlib.resources import files
from typing import TYPE_CHECKING

from rules.errors import RefusalError

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable
    from pathlib import Path

RECORD = "upstream.toml"
GENERATOR = "openapi-python-client"
_HEAD = """\
# The templates of openapi-python-client that ours replace, by name, with the sha256 of upstream's text that ours was
# written beside. Written by `python generator_templates/render.py upstream --record`, once the moved ones were read.
"""


def moved(ours: Path, theirs: Traversable | None = None) -> list[str]:
    """Every template of upstream's that is not what the record says, one a line, with what has become of it.

    Args:
        ours: The folder of our templates, with the record.
        theirs: The folder of upstream's; by default the installed generator's.
    """
    record = _read(ours)
    installed = _hashes(ours, theirs or _theirs())
    lines = [f"moved    {name}" for name in record.keys() & installed.keys() if record[name] != installed[name]]
    lines += [f"gone     {name}" for name in record.keys() - installed.keys()]
    lines += [f"replaces {name}, which the record does not know" for name in installed.keys() - record.keys()]
    return sorted(lines, key=lambda line: line.split()[1])


def check(ours: Path) -> None:
    """Hold the installed generator's templates against the record.

    Raises:
        RefusalError: One moved; each is named.
    """
    lines = moved(ours)
    if lines:
        named = ", ".join(" ".join(line.split()) for line in lines)
        raise RefusalError(
            f"{GENERATOR} {version(GENERATOR)} has other templates than ours were written beside: {named}. Read each "
            f"beside ours in {ours.name}/ (the diff of upstream's two texts tells what to follow), then "
            "`python generator_templates/render.py upstream --record`."
        )


def record(ours: Path) -> str:
    """Write down what upstream's templates are now; the text that was written."""
    every = "".join(f'"{name}" = "{digest}"\n' for name, digest in sorted(_hashes(ours, _theirs()).items()))
    text = f'{_HEAD}generator = "{GENERATOR} {version(GENERATOR)}"\n\n[templates]\n{every}'
    (ours / RECORD).write_text(text, encoding="utf-8")
    return text


def _read(ours: Path) -> dict[str, str]:
    try:
        return dict(tomllib.loads((ours / RECORD).read_text(encoding="utf-8"))["templates"])
    except (OSError, ValueError, KeyError) as problem:
        raise RefusalError(f"{ours / RECORD} cannot be read: {problem}") from None


def _hashes(ours: Path, theirs: Traversable) -> dict[str, str]:
    """Upstream's texts under the names of ours."""
    both = [name for one in ours.glob("*.jinja") if theirs.joinpath(name := one.name).is_file()]
    return {name: hashlib.sha256(theirs.joinpath(name).read_bytes()).hexdigest() for name in both}


def _theirs() -> Traversable:
    return files("openapi_python_client") / "templates"
