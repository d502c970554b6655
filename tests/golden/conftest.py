"""What the tests of the rendering share: the specimen rendered once, and a way to render a document of their own."""

from __future__ import annotations

import copy
import importlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parents[1] / "generator_templates"), str(HERE)]  # scripts side by side, no packages

import pipeline  # noqa: E402
import shapes  # noqa: E402
import specimen  # noqa: E402


@pytest.fixture(scope="session")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> pipeline.Result:
    """The specimen, rendered once for all tests that only read it."""
    result = pipeline.run(tmp_path_factory.mktemp("specimen"))
    assert result.code == 0, result.output
    return result


@pytest.fixture(scope="session")
def package(rendered: pipeline.Result) -> Iterator[ModuleType]:
    """The rendered specimen, imported."""
    sys.path.insert(0, str(rendered.package.parent))
    yield importlib.import_module("specimen_generated")
    sys.path.remove(str(rendered.package.parent))


@pytest.fixture
def render(tmp_path: Path) -> Callable[..., pipeline.Result]:
    """Run the pipeline on a document of the test's own."""
    return lambda command="generate", **change: pipeline.run(tmp_path, command, **change)


@pytest.fixture
def document() -> dict[str, Any]:
    """A smaller document to spoil: two jobs of one body."""
    whole = copy.deepcopy(specimen.DOCUMENT)
    kept = ("/api/v1/vidu-v2.0", "/api/v1/talker")
    whole["paths"] = {path: whole["paths"][path] for path in kept}
    schemas = whole["components"]["schemas"]
    whole["components"]["schemas"] = {name: schemas[name] for name in ("SharedRequest", "Submission")}
    return whole


@pytest.fixture(scope="session")
def build(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[dict[str, Any]], shapes.Rendered]]:
    """Render a document, and import the package."""
    folder = tmp_path_factory.mktemp("shapes")
    numbers = iter(range(1000))
    sys.path.insert(0, str(folder))

    def rendered(document: dict[str, Any]) -> shapes.Rendered:
        package = folder / f"shape_{next(numbers)}"
        result = shapes.run(document, package)
        assert result.code == 0, result.output
        return shapes.Rendered(package, result.output)

    yield rendered
    sys.path.remove(str(folder))
