"""From spec/openapi.json to generated/muapi_generated: ``python generator_templates/render.py COMMAND``.

``generate`` renders beside the package and swaps the result in whole. ``drift`` lists every committed file that is not
what comes out; while the record beside the package vouches for it, without rendering (``--full`` renders all the same).
``build`` renders another document into a package that stands beside the installed one. ``upstream`` lists the
templates of openapi-python-client that moved under ours. Each prints what it did, or one reason why not, and exits 1.

Lives here: files in, files out, the order of the steps. The steps are rooms of their own: reading, structure,
correcting, normalising, generating, guarding, reliance, swapping, stamping.
"""

from __future__ import annotations

import hashlib
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import frozen

from build import overlay_usage as reliance
from build import record as stamping
from build import swap as swapping
from build import upstream_templates as upstream
from build.arguments import parser
from build.generator import HERE, TEMPLATES, render
from build.package_checks import guard
from rules import corrections as correcting
from rules import document_checks as structure
from rules.document_text import fetched_at, parsed, text_of
from rules.errors import RefusalError
from rules.names import PREFIX
from rules.plan import Plan, plan
from rules.price_list import PriceList

if TYPE_CHECKING:
    from collections.abc import Sequence


@frozen
class Sources:
    """What a rendering is made of, and where it goes.

    Attributes:
        document: The OpenAPI document, JSON or YAML.
        corrections: The Overlay; None for none.
        models: The price list.
        output: The package.
        prefix: What no name repeats of a path.
        code: The hand-written code that stands on the package; None where none does.
        beside: The installed package whose types this one shares; empty for one that stands alone.
        told: How the files call the document, where they do not come from the pinned one.
    """

    document: Path
    corrections: Path | None
    models: Path
    output: Path
    prefix: str = PREFIX
    code: Path | None = None
    beside: str = ""
    told: str = ""

    @property
    def made_from(self) -> dict[str, str]:
        """All that decides a byte of the package, as hashes."""
        given = {"document": self.document, "corrections": self.corrections, "models": self.models}
        options = {"prefix": self.prefix, "fetched": fetched_at(self.document)}
        return stamping.inputs({name: path for name, path in given.items() if path}, options, HERE)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; the exit code is 0 when all is well."""
    given = vars(parser(__doc__ or "").parse_args(arguments))
    command = given.pop("command")
    full, recorded = given.pop("full", False), given.pop("record", False)
    try:
        if command == "upstream":
            return templates(recorded=recorded)
        sources = Sources(**given)
        _placeable(sources.output)
        if command == "drift":
            return drift(sources, full=full)
        return generate(sources) if command == "generate" else build(sources)
    except RefusalError as refusal:
        print(f"{command}: {refusal}", file=sys.stderr)
        return 1


def generate(sources: Sources) -> int:
    """Render, put the result in the place of the package, and write down what it was made from."""
    upstream.check(TEMPLATES)
    made_from = _hashed(sources)
    _swapped_in(sources)
    stamping.write(sources.output, made_from)
    return 0


def build(sources: Sources) -> int:
    """Render another document than the pinned one, with the corrections that apply to it."""
    _swapped_in(sources)
    return 0


def drift(sources: Sources, *, full: bool) -> int:
    """Say which files of the package are not what comes out; render only if the record cannot tell."""
    upstream.check(TEMPLATES)
    stale = stamping.stale(sources.output, _hashed(sources))
    if not stale and not full:
        print(f"{sources.output} is what comes out: its record vouches for it.")
        return 0
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
    if stale:
        print(f"Its record is not up to date ({', '.join(stale)}): `nox -s generate` renews it.")
    return 0


def templates(*, recorded: bool) -> int:
    """List upstream's templates that moved under ours, or record them as they are now."""
    if recorded:
        print(upstream.record(TEMPLATES), end="")
        return 0
    lines = upstream.moved(TEMPLATES)
    print("\n".join(lines) or f"None moved: {upstream.GENERATOR} {version(upstream.GENERATOR)}.")
    return 1 if lines else 0


def _swapped_in(sources: Sources) -> None:
    started, output = time.monotonic(), sources.output
    output.parent.mkdir(parents=True, exist_ok=True)
    swapping.recover(output)
    with tempfile.TemporaryDirectory(prefix=f".{output.name}.", dir=output.parent) as beside:
        made = _rendered(sources, Path(beside) / output.name)
        swapping.swap(Path(beside) / output.name, output)
    print(f"{made.operations} of {made.operations} operations in {output}, {time.monotonic() - started:.1f} s")


def _rendered(sources: Sources, package: Path) -> Plan:
    """All steps but the last: a checked package at ``package``."""
    document_text = text_of(sources.document)
    corrections_text = text_of(sources.corrections) if sources.corrections else ""
    document = parsed(document_text, sources.document)
    structure.check(document)
    corrected = _corrected(document, corrections_text, lenient=bool(sources.beside))
    structure.check(corrected)
    prices = PriceList.read(parsed(text_of(sources.models), sources.models))
    spec = _spec(document, document_text, corrections_text) | {"fetched": fetched_at(sources.document)}
    made = plan(corrected, prices, spec, prefix=sources.prefix, beside=sources.beside)
    for note in made.notes:
        print(note)
    render(made, package, f"# Generated by {sources.told}. Do not edit." if sources.told else "")
    guard(made, package, document_text + corrections_text)
    if sources.code is not None:
        operations = {f"{method.upper()} {path}" for path, item in made.document["paths"].items() for method in item}
        reliance.check(sources.code, package.name, package, sources.document.name, operations)
    return made


def _corrected(document: dict[str, Any], corrections: str, *, lenient: bool) -> dict[str, Any]:
    """The corrected document; another document than the pinned one may lack what is corrected."""
    if not corrections:
        return document
    actions = correcting.read(corrections)
    if not lenient:
        return correcting.corrected(document, actions)
    result, idle = correcting.corrected_where_it_applies(document, actions)
    for one in idle:
        print(f"Not needed here: {one}.")
    return result


def _spec(document: dict[str, Any], document_text: str, corrections_text: str) -> dict[str, Any]:
    return {
        "sha256": hashlib.sha256(document_text.encode()).hexdigest(),
        "corrections_sha256": hashlib.sha256(corrections_text.encode()).hexdigest(),
        "api_version": str(document.get("info", {}).get("version", "")),
        "schemas": len(document.get("components", {}).get("schemas", {})),
        "generator": f"openapi-python-client {version('openapi-python-client')}",
    }


def _placeable(output: Path) -> None:
    """Refuse a place where something else stands: a swap takes the old package away whole."""
    if not (output.name.isascii() and output.name.isidentifier()):
        raise RefusalError(f"{output.name!r} is no name of a package: take letters, digits and underscores.")
    if not output.exists():
        return
    init = output / "__init__.py"
    ours = init.is_file() and init.read_bytes().startswith(b"# Generated by ")
    if not ours and not (output.is_dir() and not any(output.iterdir())):
        raise RefusalError(f"{output} is no package that was rendered here, and would be gone: name another place.")


def _hashed(sources: Sources) -> dict[str, str]:
    try:
        return sources.made_from
    except OSError as problem:
        raise RefusalError(f"{problem.filename} cannot be read: {problem.strerror or problem}") from None


if __name__ == "__main__":
    sys.exit(main())
