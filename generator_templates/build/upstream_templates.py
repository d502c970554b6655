"""Upstream's templates: which of openapi-python-client's ours replace, and whether those are still the same.

``templates/upstream.toml`` records, for each template of ours that replaces one of upstream's, the sha256 of the one
it was written beside. A generator that brings another text there is read before it renders.

Lives here: the record, read, compared and written. Does not live here: why ours differ (``README.md``).
"""

from __future__ import annotations

import hashlib
import tomllib
from importlib.metadata import version
from importlib.resources import files
from typing import TYPE_CHECKING

from rules.errors import GenerationError

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable
    from pathlib import Path

RECORD = "upstream.toml"
GENERATOR = "openapi-python-client"
_HEAD = """\
# The templates of openapi-python-client that ours replace, by name, with the sha256 of upstream's text that ours was
# written beside. Written by `python generator_templates/render.py upstream --record`, once the moved ones were read.
"""


def list_changes(folder: Path, upstream: Traversable | None = None) -> list[str]:
    """List the templates of upstream's that are not what the record says, one a line, with what has become of each.

    Args:
        folder: Where our templates and the record are.
        upstream: Where upstream's templates are; by default in the installed generator.
    """
    record = _read_record(folder)
    installed = _hash_upstream(folder, upstream or _upstream_folder())
    lines = [f"moved    {name}" for name in record.keys() & installed.keys() if record[name] != installed[name]]
    lines += [f"gone     {name}" for name in record.keys() - installed.keys()]
    lines += [f"replaces {name}, which the record does not know" for name in installed.keys() - record.keys()]
    return sorted(lines, key=lambda line: line.split()[1])


def check_unchanged(folder: Path) -> None:
    """Compare the installed generator's templates with the record.

    Raises:
        GenerationError: One moved; each is named.
    """
    lines = list_changes(folder)
    if lines:
        named = ", ".join(" ".join(line.split()) for line in lines)
        raise GenerationError(
            f"{GENERATOR} {version(GENERATOR)} has other templates than ours were written beside: {named}. Read "
            f"each beside ours in generator_templates/{folder.name}/ (the diff of upstream's two texts shows what to "
            "follow), then "
            "`python generator_templates/render.py upstream --record`."
        )


def record_templates(folder: Path) -> str:
    """Write down what upstream's templates are now, and return the text."""
    hashes = "".join(
        f'"{name}" = "{digest}"\n' for name, digest in sorted(_hash_upstream(folder, _upstream_folder()).items())
    )
    text = f'{_HEAD}generator = "{GENERATOR} {version(GENERATOR)}"\n\n[templates]\n{hashes}'
    (folder / RECORD).write_text(text, encoding="utf-8")
    return text


def _read_record(folder: Path) -> dict[str, str]:
    try:
        return dict(tomllib.loads((folder / RECORD).read_text(encoding="utf-8"))["templates"])
    except (OSError, ValueError, KeyError) as problem:
        raise GenerationError(f"{folder / RECORD} cannot be read: {problem}") from None


def _hash_upstream(folder: Path, upstream: Traversable) -> dict[str, str]:
    """Hash upstream's texts of the templates that ours replace, by name."""
    shared = [name for template in folder.glob("*.jinja") if upstream.joinpath(name := template.name).is_file()]
    return {name: hashlib.sha256(upstream.joinpath(name).read_bytes()).hexdigest() for name in shared}


def _upstream_folder() -> Traversable:
    return files("openapi_python_client") / "templates"
