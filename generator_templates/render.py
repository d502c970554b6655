"""From spec/openapi.json to generated/muapi_generated: ``python generator_templates/render.py generate`` or ``drift``.

``generate`` renders beside the package and swaps the result in whole; ``drift`` renders into a temporary directory and
lists every committed file that differs. Both print one line of what they did, or one reason why not, and exit 1.

Lives here: files in, files out, the order of the steps. The steps are rooms of their own: correcting, normalising,
generating, guarding, swapping.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import correcting
import swapping
from attrs import frozen
from generating import render
from guarding import guard
from normalising import Plan, plan
from pricing import PriceList
from refusal import RefusalError

if TYPE_CHECKING:
    from collections.abc import Sequence

_SURROGATE = re.compile("[\ud800-\udfff]")
ROOT = Path(__file__).resolve().parent.parent


@frozen
class Sources:
    """The files a rendering is made of, and where it goes."""

    document: Path
    corrections: Path
    models: Path
    output: Path


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; the exit code is 0 when all is well."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=["generate", "drift"])
    parser.add_argument("--document", type=Path, default=ROOT / "spec/openapi.json", help="the pinned document")
    parser.add_argument("--corrections", type=Path, default=ROOT / "spec/corrections.yaml", help="the Overlay")
    parser.add_argument("--models", type=Path, default=ROOT / "spec/models.json", help="the price list")
    parser.add_argument("--output", type=Path, default=ROOT / "generated/muapi_generated", help="the package")
    given = vars(parser.parse_args(arguments))
    command = given.pop("command")
    sources = Sources(**{name: path.resolve() for name, path in given.items()})
    try:
        return generate(sources) if command == "generate" else drift(sources)
    except RefusalError as refusal:
        print(f"{command}: {refusal}", file=sys.stderr)
        return 1


def generate(sources: Sources) -> int:
    """Render, and put the result in the place of the package."""
    started = time.monotonic()
    output = sources.output
    output.parent.mkdir(parents=True, exist_ok=True)
    swapping.recover(output)
    with tempfile.TemporaryDirectory(prefix=f".{output.name}.", dir=output.parent) as beside:
        made = _rendered(sources, Path(beside) / output.name)
        swapping.swap(Path(beside) / output.name, output)
    print(f"{made.operations} of {made.operations} operations in {output}, {time.monotonic() - started:.1f} s")
    return 0


def drift(sources: Sources) -> int:
    """Render elsewhere, and say which files of the package are not what comes out."""
    with tempfile.TemporaryDirectory(prefix="muapi-drift-") as elsewhere:
        package = Path(elsewhere) / sources.output.name
        _rendered(sources, package)
        differences = swapping.differences(sources.output, package)
    for line in differences:
        print(line)
    if differences:
        print(f"{len(differences)} files of {sources.output} are not what `nox -s generate` renders.", file=sys.stderr)
        return 1
    print(f"{sources.output} is what comes out.")
    return 0


def _rendered(sources: Sources, package: Path) -> Plan:
    """All steps but the last: a checked package at ``package``."""
    document_text, corrections_text = _text(sources.document), _text(sources.corrections)
    document = _json(document_text, sources.document)
    corrected = correcting.corrected(document, correcting.read(corrections_text))
    prices = PriceList.read(_json(_text(sources.models), sources.models))
    made = plan(corrected, prices, _spec(document, document_text, corrections_text))
    for note in made.notes:
        print(note)
    render(made, package)
    guard(made, package, document_text + corrections_text)
    return made


def _spec(document: dict[str, Any], document_text: str, corrections_text: str) -> dict[str, Any]:
    return {
        "sha256": hashlib.sha256(document_text.encode()).hexdigest(),
        "corrections_sha256": hashlib.sha256(corrections_text.encode()).hexdigest(),
        "api_version": str(document.get("info", {}).get("version", "")),
        "schemas": len(document.get("components", {}).get("schemas", {})),
        "generator": f"openapi-python-client {version('openapi-python-client')}",
    }


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise RefusalError(f"{path} cannot be read: {problem}") from None


def _json(text: str, path: Path) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError as problem:
        raise RefusalError(f"{path} is not JSON: {problem}") from None
    if not isinstance(found, dict):
        raise RefusalError(f"{path} is no JSON object.")
    if "\\ud" in text.lower() and _SURROGATE.search(json.dumps(found, ensure_ascii=False)):
        raise RefusalError(f"{path} holds half a character (a lone surrogate), which no file can be written with.")
    return found


if __name__ == "__main__":
    sys.exit(main())
