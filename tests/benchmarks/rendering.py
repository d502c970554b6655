"""Rendering the pinned document, beside the stock generator with its own hooks."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import timing

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "spec/openapi.json"
RENDER = [sys.executable, str(ROOT / "generator_templates/render.py"), "generate"]


def stock(document: Path, output: Path) -> list[str]:
    """The command of the stock generator, which formats with ruff of its own accord."""
    command = [str(Path(sys.executable).parent / "openapi-python-client"), "generate", "--meta", "none"]
    return [*command, "--path", str(document), "--output-path", str(output), "--overwrite"]


def twice(document: dict[str, Any]) -> dict[str, Any]:
    """The document with every endpoint and schema a second time."""
    twin = json.loads(json.dumps(document).replace('"#/components/schemas/', '"#/components/schemas/Twin'))
    schemas = {**document["components"]["schemas"]}
    schemas |= {
        f"Twin{name}": {**schema, "title": f"Twin{name}"} for name, schema in twin["components"]["schemas"].items()
    }
    paths = document["paths"] | {
        path.replace("/api/v1/", "/api/v1/twin-"): item for path, item in twin["paths"].items()
    }
    return document | {"paths": paths, "components": document["components"] | {"schemas": schemas}}


def rows() -> Iterator[tuple[str, float, float | None, str]]:
    """Ratios of time, and of size."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        double = folder / "double.json"
        double.write_text(json.dumps(twice(json.loads(DOCUMENT.read_text()))))
        ours = [*RENDER, "--output", str(folder / "ours" / "muapi_generated")]
        doubled = [*RENDER, "--document", str(double), "--output", str(folder / "double" / "muapi_generated")]
        mine, theirs, two = timing.of_commands([ours, stock(DOCUMENT, folder / "stock"), doubled], runs=3)
        yield "generate, formatted, guarded and swapped / stock with its hooks", mine / theirs, 1.0, "x"
        yield "generate from twice the endpoints / from the pinned document", two / mine, 2.1, "x"
        operations = sum(len(item) for item in json.loads(DOCUMENT.read_text())["paths"].values())
        yield "lines of Python an operation, ours", _lines(folder / "ours") / operations, 150, ""
        yield "lines of Python an operation, stock", _lines(folder / "stock") / operations, None, ""
        shutil.rmtree(folder / "double")


def _lines(folder: Path) -> int:
    return sum(len(path.read_text().splitlines()) for path in folder.rglob("*.py"))
