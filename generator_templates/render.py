"""From spec/openapi.json to generated/muapi_generated: ``python generator_templates/render.py COMMAND``.

``generate`` renders beside the package and swaps the result in whole. ``drift`` lists every committed file that is not
what comes out; while the record beside the package vouches for it, without rendering (``--full`` renders all the same).
``build`` renders another document into a package that stands beside the installed one. ``upstream`` lists the
templates of openapi-python-client that moved under ours. Each prints what it did, or one reason why not, and exits 1.

Lives here: the command line, and what each command does with a package. Does not live here: how one is made
(``build``), what it says (``rules``), how it is laid out (``templates``).
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from build.generator import TEMPLATES
from build.gone_names import note_gone_names
from build.left_out import check_ours, left_out_path, save
from build.ownership import check_place, write_list
from build.package import Sources, make_package
from build.package_name import check_form, check_free
from build.record import find_stale, write_record
from build.swap import list_differences, recover_backup, swap_in
from build.upstream_templates import GENERATOR, check_unchanged, list_changes, record_templates
from rules.errors import GenerationError
from rules.names import PREFIX

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from build.package import Made

ROOT = Path(__file__).resolve().parents[1]  # of the checkout
CORRECTIONS = ROOT / "spec/corrections.yaml"  # what applies where none are named
_PREFIX_FORM = re.compile(r"/(?:[\w.~-]+/)*", re.ASCII)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; the exit code is 0 when all is well."""
    options = vars(_make_parser().parse_args(arguments))
    command = options.pop("command")
    full, record = options.pop("full", False), options.pop("record", False)
    if "corrections" in options:
        options["corrections"] = tuple(path for path in options["corrections"] or [CORRECTIONS] if path is not None)
    if "own" in options:
        options["own"] = tuple(options["own"])
    try:
        if command == "upstream":
            return compare_templates(record=record)
        sources = Sources(**options)
        check_form(sources.output.name)
        if command == "drift":
            return drift(sources, full=full)
        return generate(sources) if command == "generate" else build(sources)
    except GenerationError as error:
        print(f"{command}: {error}", file=sys.stderr)
    except RecursionError:
        print(f"{command}: Schemas of {sources.document.name} hold each other too deeply to be read.", file=sys.stderr)
    except OSError as problem:
        print(f"{command}: {problem.strerror or problem}: {problem.filename or 'a file'}", file=sys.stderr)
    return 1


def generate(sources: Sources) -> int:
    """Render, put the result in the place of the package, and write down what it was made from."""
    check_unchanged(TEMPLATES)
    inputs = sources.hash_inputs()
    check_place(sources.output, is_built=False)
    _replace_package(sources)
    write_record(sources.output, inputs)
    return 0


def build(sources: Sources) -> int:
    """Render another document than the pinned one, with the corrections that apply to it."""
    check_free(sources.output.name)
    left_out = left_out_path(sources.output)
    check_place(sources.output, is_built=True)
    if sources.leave_out:
        check_ours(left_out)
    made = _replace_package(sources, finish=write_list)
    if sources.leave_out and (told := save(left_out, made.left_out)):
        print(told)
    return 0


def drift(sources: Sources, *, full: bool) -> int:
    """List which files of the package are not what comes out; render only if the record cannot tell."""
    check_unchanged(TEMPLATES)
    stale = find_stale(sources.output, sources.hash_inputs())
    if not stale and not full:
        print(f"{sources.output} is what comes out: its record vouches for it.")
        return 0
    with tempfile.TemporaryDirectory(prefix="muapi-drift-") as folder:
        package = Path(folder) / sources.output.name
        make_package(sources, package)
        differences = list_differences(sources.output, package)
    for line in differences:
        print(line)
    if differences:
        print(f"{len(differences)} files of {sources.output} are not what `nox -s generate` renders.", file=sys.stderr)
        return 1
    print(f"{sources.output} is what comes out.")
    if stale:
        print(f"Its record is not up to date ({', '.join(stale)}): `nox -s generate` renews it.")
    return 0


def compare_templates(*, record: bool) -> int:
    """List upstream's templates that moved under ours, or record them as they are now."""
    if record:
        print(record_templates(TEMPLATES), end="")
        return 0
    lines = list_changes(TEMPLATES)
    print("\n".join(lines) or f"None moved: {GENERATOR} {version(GENERATOR)}.")
    return 1 if lines else 0


def _replace_package(sources: Sources, finish: Callable[[Path], None] | None = None) -> Made:
    """Make the package beside its place, and swap it in once it is whole.

    Raises:
        GenerationError: It cannot be made or written; what stood at its place still does.
    """
    started, output = time.monotonic(), sources.output
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        recover_backup(output)
        with tempfile.TemporaryDirectory(prefix=f".{output.name}.", dir=output.parent) as folder:
            package = Path(folder) / output.name
            made = make_package(sources, package)
            if sources.code is not None:
                for note in note_gone_names(_list_texts(sources.code), output, package):
                    print(note)
            if finish is not None:
                finish(package)
            swap_in(package, output)
    except OSError as problem:
        raise GenerationError(
            f"{output} cannot be written ({problem.strerror or problem}), and what stood there still does: make room, "
            "or name a place in a folder that can be written."
        ) from None
    print(f"{made.operations} of {made.all_operations} operations in {output}, {time.monotonic() - started:.1f} s")
    return made


def _list_texts(code: Path) -> list[Path]:
    """List what people read about our code: the checkout's documents, its notebooks, and the code, with examples."""
    root = code.parents[1]
    documents = [*root.glob("README.md"), *root.glob("docs/*.md"), *root.glob("examples/*.ipynb")]
    return [*sorted(documents), *sorted(code.rglob("*.py"))]


def _make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    generate_command = commands.add_parser("generate", help="render the pinned document in the place of the package")
    drift_command = commands.add_parser("drift", help="list what of the package is not what comes out")
    drift_command.add_argument("--full", action="store_true", help="render even if the record vouches for the package")
    for command in (generate_command, drift_command):
        _add_inputs(command, spec=ROOT / "spec")
        command.add_argument(
            "--output", type=_resolve_folder, default=ROOT / "generated/muapi_generated", help="the package"
        )
        command.add_argument("--code", type=_resolve, default=ROOT / "overlay/muapi_client", help="what uses it")
    _add_build_options(commands.add_parser("build", help="render another document beside the installed package"))
    upstream_command = commands.add_parser("upstream", help="list the generator's templates that moved under ours")
    upstream_command.add_argument("--record", action="store_true", help="write down that they were read")
    return parser


def _add_inputs(command: argparse.ArgumentParser, spec: Path | None) -> None:
    """Add the files a rendering is made of; without a ``spec`` folder they have to be named."""
    files = {
        "document": ("openapi.json", "the OpenAPI document, JSON or YAML (.yaml)"),
        "models": ("models.json", "the price list"),
    }
    for name, (file, meaning) in files.items():
        default = spec / file if spec else None
        command.add_argument(f"--{name}", type=_resolve, default=default, required=spec is None, help=meaning)
    command.add_argument(
        "--corrections",
        type=_resolve_unless_none,
        action="append",
        required=spec is None,
        help="an Overlay, or none; more of them apply one after the other",
    )
    command.add_argument(
        "--prefix", type=_parse_prefix, default=PREFIX, help=f"what names leave out of paths ({PREFIX})"
    )


def _add_build_options(command: argparse.ArgumentParser) -> None:
    _add_inputs(command, spec=None)
    command.add_argument("--output", type=_resolve_folder, required=True, help="the package")
    command.add_argument(
        "--beside", type=_check_module, default="muapi_generated", help="the package whose types it shares"
    )
    command.add_argument(
        "--own-corrections",
        dest="own",
        type=_resolve,
        action="append",
        default=[],
        help="an Overlay to apply after those, whose targets all have to be there; may be repeated",
    )
    command.add_argument(
        "--leave-out", action="store_true", help="leave out what cannot be said, and write the corrections that do"
    )
    command.add_argument(
        "--generated-by", type=_check_line, default="`render.py build`", help="what its files say they come from"
    )


def _resolve(text: str) -> Path:
    return Path(text).resolve()


def _resolve_folder(text: str) -> Path:
    """Resolve where a folder stands, and not where it leads, should it be a link."""
    path = Path(text)
    return path.parent.resolve() / path.name if path.name not in ("", "..") else path.resolve()


def _resolve_unless_none(text: str) -> Path | None:
    return None if text == "none" else _resolve(text)


def _parse_prefix(text: str) -> str:
    prefix = f"{text.rstrip('/')}/"
    if not _PREFIX_FORM.fullmatch(prefix):
        raise argparse.ArgumentTypeError(f"{text!r} is no beginning of a path, such as {PREFIX}")
    return prefix


def _check_module(text: str) -> str:
    if not all(part.isidentifier() for part in text.split(".")):
        raise argparse.ArgumentTypeError(f"{text!r} is no name of a package")
    return text


def _check_line(text: str) -> str:
    if not text.isprintable():
        raise argparse.ArgumentTypeError(f"{text!r} is no line of text")
    return text


if __name__ == "__main__":
    sys.exit(main())
