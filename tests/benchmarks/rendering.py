"""Rendering the pinned document, beside the stock generator with its own hooks."""

from __future__ import annotations

import json
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import timing

sys.path.append(str(Path(__file__).parents[2] / "generator_templates"))  # scripts side by side, no package

from rules import corrections

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "spec/openapi.json"
RENDER = [sys.executable, str(ROOT / "generator_templates/render.py"), "generate"]


def stock(document: Path, output: Path) -> list[str]:
    """The command of the stock generator, which formats with ruff of its own accord."""
    command = [str(Path(sys.executable).parent / "openapi-python-client"), "generate", "--meta", "none"]
    return [*command, "--path", str(document), "--output-path", str(output), "--overwrite"]


def times(document: dict[str, Any], count: int) -> dict[str, Any]:
    """The document with every endpoint and schema ``count`` times, each time under names of their own."""
    paths, schemas = dict(document["paths"]), dict(document["components"]["schemas"])
    for number in range(2, count + 1):
        text = json.dumps(document).replace('"#/components/schemas/', f'"#/components/schemas/Twin{number}')
        twin = json.loads(text)
        paths |= {path.replace("/api/v1/", f"/api/v1/twin{number}-"): item for path, item in twin["paths"].items()}
        schemas |= {
            f"Twin{number}{name}": {**schema, "title": f"Twin{number}{name}"}
            for name, schema in twin["components"]["schemas"].items()
        }
    return document | {"paths": paths, "components": document["components"] | {"schemas": schemas}}


def rows() -> Iterator[tuple[str, float, float | None, str]]:
    """Ratios of time, and of size; then what four times the document takes, a step at a time."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        ours = [*RENDER, "--output", str(folder / "ours" / "muapi_generated")]
        mine, theirs = timing.of_commands([ours, stock(DOCUMENT, folder / "stock")], runs=3)
        yield "generate, formatted, guarded and swapped / stock with its hooks", mine / theirs, 1.0, "x"
        operations = sum(len(item) for item in json.loads(DOCUMENT.read_text())["paths"].values())
        yield "lines of Python an operation, ours", _lines(folder / "ours") / operations, 150, ""
        yield "lines of Python an operation, stock", _lines(folder / "stock") / operations, None, ""
        yield from scale(folder)
        yield from copies(folder)


def scale(folder: Path) -> Iterator[tuple[str, float, float | None, str]]:
    """Each step on four times the document, as a ratio to four times what the document itself takes: 1 is linear."""
    whole = json.loads(DOCUMENT.read_text())
    files = {count: folder / f"times{count}.json" for count in (1, TIMES)}
    for count, file in files.items():
        file.write_text(json.dumps(times(whole, count)))
    for name, command in STEPS.items():
        one, many = timing.of_commands([command(folder, file) for file in files.values()])
        yield f"{name}: {TIMES} documents' worth at once / {TIMES} times one", many / one / TIMES, 1.1, "x"
        if name == QUICK:
            yield f"{name}: on the document itself", one, 3.0, "s"
    actions = corrections.read_actions((ROOT / "spec/corrections.yaml").read_text())
    read = [json.loads(file.read_text()) for file in files.values()]
    one, many = timing.of_functions(
        *(partial(corrections.apply_fitting_actions, each, actions) for each in read), repeat=1
    )
    # The steps are linear; the collector's full passes grow with all that is held, a fifth at this size.
    yield f"correct: {TIMES} documents' worth at once / {TIMES} times one", many / one / TIMES, 1.3, "x"


def copies(folder: Path) -> Iterator[tuple[str, float, float | None, str]]:
    """What a user's build takes of the document copied once, twice and four times: 1 is linear."""
    whole = json.loads(DOCUMENT.read_text())
    files = {count: folder / f"copies{count}.json" for count in COPIES}
    for count, file in files.items():
        file.write_text(json.dumps(times(whole, count)))
    taken = timing.of_commands([_building(folder, file) for file in files.values()], runs=3)
    one, *others = zip(COPIES, taken, strict=True)
    for count, seconds in others:
        yield f"spec build: {count} copies of a document / {count} times one", seconds / one[1] / count, 1.2, "x"


TIMES = 4
COPIES = (1, 2, 4)
QUICK = "drift by the record"


def _rendering(command: str, *options: str) -> Callable[[Path, Path], list[str]]:
    def words(folder: Path, document: Path) -> list[str]:
        output = folder / document.stem / "muapi_generated"
        return [*RENDER[:-1], command, *options, "--document", str(document), "--output", str(output)]

    return words


def _fetching(folder: Path, document: Path) -> list[str]:
    spec = folder / f"spec-{document.stem}"
    return [sys.executable, "-m", "muapi_client.pinning", "fetch", "--source", str(document), "--spec", str(spec)]


def _building(folder: Path, document: Path) -> list[str]:
    words = ["--source", str(document), "--output", str(folder / document.stem)]
    return [sys.executable, "-m", "muapi_client.cli", "spec", "build", *words]


STEPS: dict[str, Callable[[Path, Path], list[str]]] = {
    "fetch": _fetching,
    "generate": _rendering("generate"),
    "drift --full": _rendering("drift", "--full"),
    QUICK: _rendering("drift"),
}


def _lines(folder: Path) -> int:
    return sum(len(path.read_text().splitlines()) for path in folder.rglob("*.py"))
