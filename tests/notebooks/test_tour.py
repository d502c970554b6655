"""The tour is run as a newcomer would run it, and holds nothing of the machine it was written on.

Skipped where nbclient and ipykernel are not installed: ``nox -s notebooks`` has them.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from by_kind import IMAGE

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
TOUR = ROOT / "examples/tour.ipynb"
# Should the model it names be gone, another is run in its place, as in the README.
STANDS_IN = {"flux_dev_image": IMAGE.function, "flux-dev-image": IMAGE.slug}


def cells() -> list[Any]:
    return list(json.loads(TOUR.read_text())["cells"])


def code() -> Iterator[Any]:
    return (cell for cell in cells() if cell["cell_type"] == "code")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    """The cells of code after a run in an empty folder, without a key and by names that lead nowhere."""
    nbclient, nbformat = pytest.importorskip("nbclient"), pytest.importorskip("nbformat")
    pytest.importorskip("ipykernel")
    text = re.sub("|".join(STANDS_IN), lambda found: STANDS_IN[found[0]], TOUR.read_text())
    notebook = nbformat.reads(text, as_version=4)
    nbformat.validate(notebook)
    place = tmp_path_factory.mktemp("tour")
    paths = os.pathsep.join([str(ROOT / "generated"), str(ROOT / "overlay")])
    environment = {**os.environ, "PYTHONPATH": paths, "MUAPI_API_KEY": "", "MUAPI_BASE_URL": "https://nobody.invalid"}
    client = nbclient.NotebookClient(
        notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(place)}}
    )
    client.execute(env=environment)
    assert {file.name for file in (place / "out").iterdir()} == {"fox-0.png", "fox-1.png"}
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def shown(cell: Any, kind: str) -> str:
    """What a cell shows of a kind."""
    texts = [
        output.text if output.output_type == "stream" else output.data.get(kind, "")
        for output in cell.outputs
        if output.output_type != "stream" or kind == "text/plain"
    ]
    return "".join(texts)


def find(run: list[Any], line: str) -> Any:
    """The cell with a line of code."""
    return next(cell for cell in run if line in cell.source)


@pytest.mark.filterwarnings("ignore")  # of the kernel's client, which is not ours
def test_the_tour_runs_and_shows_what_it_says(run: list[Any]) -> None:
    assert IMAGE.slug in shown(find(run, "catalog.get"), "text/html")
    assert "cost_usd=0.03" in shown(find(run, "mu.estimate"), "text/plain")
    assert "nothing was sent" in shown(find(run, "ValidationError"), "text/plain")
    assert "completed" in shown(find(run, "done = mu.run(call)"), "text/html")
    assert len(shown(find(run, ".pil()"), "image/png")) > 100
    assert shown(find(run, "done.save"), "text/plain") == "['fox-0.png', 'fox-1.png']"
    followed = shown(find(run, "mu.events"), "text/plain").split("\n")
    assert followed[-3:] == ["completed", "Cost(charged_usd=0.03, amount_credits=3)", ""]
    sheet = shown(find(run, "Outcomes(mu.map"), "text/html")
    assert "4 calls · 3 finished · 1 failed" in sheet
    assert sheet.count("JobFailedError") == 1
    assert "<svg" in shown(find(run, "mu.spend"), "text/html")
    assert "max_spend" in shown(find(run, "SpendLimitError"), "text/plain")
    assert shown(find(run, "second.resume"), "text/plain").startswith("completed Cost(charged_usd=")
    assert shown(find(run, "AsyncMuAPI"), "text/plain").startswith("completed b'\\x89PNG'")


@pytest.mark.filterwarnings("ignore")  # as above
def test_nothing_that_the_tour_shows_is_fetched(run: list[Any]) -> None:
    html = "".join(shown(cell, "text/html") for cell in run)
    assert html
    assert not re.search(r"<(?:img|video|audio|script|iframe|link)\b|\bsrc=|\bon\w+=", html)


def test_the_tour_is_stored_without_outputs_and_is_small() -> None:
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code())
    assert len(list(code())) <= 15
    assert all(len(cell["source"]) <= 15 for cell in code())
    assert len(TOUR.read_bytes()) < 20_000
    text = TOUR.read_text()
    assert not re.search(r"/home/|/tmp/|/Users/|C:\\\\|localhost|127\.0\.0\.1", text)
    assert {*json.loads(text)["metadata"]} == {"kernelspec", "language_info"}


def test_every_cell_of_code_has_a_word_before_it() -> None:
    kinds = [cell["cell_type"] for cell in cells()]
    assert kinds[0] == "markdown"
    headings = [cell["source"][0] for cell in cells() if cell["cell_type"] == "markdown"]
    assert sum(heading.startswith("## ") for heading in headings) >= 10
