"""The table says what was measured; a worker measures; what README shows is there."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest

from muapi_client import catalog

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


def load(name: str) -> Any:
    """A script of this folder, under a name that no other folder's takes."""
    spec = spec_from_file_location(f"benchmarks_{name}", HERE / f"{name}.py")
    assert spec
    assert spec.loader
    module = module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


table = load("table")
CLIENTS = ["ours", "httpx", "fal-client"]
needs_the_model_it_calls = pytest.mark.skipif(
    "flux_dev_image" not in {model.function for model in catalog.all()},
    reason="the pinned document has no flux_dev_image, which all clients are measured by",
)


def written(*rows: Any) -> list[str]:
    """The lines below the head."""
    lines: list[str] = table.table(rows, CLIENTS).splitlines()
    return lines[2:]


def test_a_cell_is_the_median_of_ratios_within_a_round_and_tells_their_spread() -> None:
    row = table.Row("import", "s", {"ours": [0.1, 0.2, 0.1], "httpx": [0.2, 0.5, 0.1]})
    assert written(row)[0] == "| import | 100 ms | **1.00** | 2.00 (1.00-2.50) | - |"


def test_a_client_without_such_a_thing_has_a_dash() -> None:
    row = table.Row("build", "s", {"ours": [5e-6]})
    assert written(row)[0] == "| build | 5 µs | **1.00** | - | - |"


def test_with_a_journal_ours_is_held_against_ours_without() -> None:
    row = table.Row("kept", "jobs/s", {"ours": [0.002, 0.003]}, base=[0.001, 0.002])
    assert written(row)[0] == "| kept | 400 jobs/s | **1.75** (1.50-2.00) | - | - |"


def test_footnotes_are_counted_in_the_order_in_which_they_are_read_and_told_once() -> None:
    first = table.Row("a", "s", {"ours": [1.0], "httpx": [2.0]}, {"httpx": ["blocks"], "": ["virtual"]})
    second = table.Row("b", "s", {"ours": [1.0]}, {"fal-client": ["fails"], "httpx": ["blocks"]})
    assert written(first, second) == [
        "| a [1] | 1 s | **1.00** | 2.00 [2] | - |",
        "| b | 1 s | **1.00** | - [2] | - [3] |",
        "",
        "1. virtual",
        "2. blocks",
        "3. fails",
    ]


def test_a_target_is_told_as_met_or_missed_and_never_raises() -> None:
    assert str(table.Target("import / httpx", 0.6, 0.7)).endswith("| met |")
    assert str(table.Target("import / httpx", 0.8, 0.7)).endswith("| **missed** |")


@needs_the_model_it_calls
@pytest.mark.parametrize("client", ["ours", "bare_httpx"])
@pytest.mark.parametrize("how", ["tasks", "threads"])
def test_a_worker_does_its_jobs_on_the_server_and_tells_how_long_they_took(client: str, how: str) -> None:
    options = json.dumps({"how": how, "looks": False, "at_once": 3, "jobs": 7, "limit": 60})
    with load("server").running() as url:
        command = [sys.executable, HERE / "worker.py", url, client, "many", options]
        told = json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout)
    assert (told["jobs"], told["stalled"], told["failed"]) == (7, False, {})
    assert told["seconds"] > 0


@needs_the_model_it_calls
def test_a_worker_tells_what_failed_and_counts_it_as_no_job() -> None:
    options = json.dumps({"how": "threads", "looks": True, "at_once": 2, "jobs": 5, "limit": 60})
    program = (
        f"import sys; sys.path.insert(0, {str(HERE)!r}); import worker; from clients import ours\n"
        "from contextlib import contextmanager\n"
        "@contextmanager\n"
        "def blocking(url):\n"
        "    asked = iter([None])\n"
        "    yield lambda: None, lambda _: next(asked)\n"
        "ours.blocking = blocking\n"
        "worker.main('http://127.0.0.1:9', 'ours', 'many', sys.argv[1])\n"
    )
    command = [sys.executable, "-c", program, options]
    told = json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout)
    assert (told["jobs"], told["failed"], told["seconds"]) == (0, {"StopIteration": 5}, None)


def test_a_command_that_fails_is_told_in_place_of_its_time() -> None:
    with pytest.raises(SystemExit, match="exited with 3: no such module"):
        load("timing").once([sys.executable, "-c", "import sys; print('no such module', end=''); sys.exit(3)"])


def test_the_scripts_that_are_checked_and_run_have_about_twenty_lines() -> None:
    scripts = list((HERE / "scripts").glob("with_*.py"))
    modules = {path.stem for path in (HERE / "clients").glob("[!_]*.py")}
    assert {path.stem.removeprefix("with_") for path in scripts} == modules
    for path in scripts:
        assert 15 <= len(path.read_text().splitlines()) <= 26, path.name


def test_the_results_are_there_with_machine_versions_date_and_a_small_picture() -> None:
    page = (HERE / "results.md").read_text(encoding="utf-8")
    assert re.search(r"\*\*20\d\d-\d\d-\d\d\*\*, \d+ cores of .+; Python 3\.\d+", page)
    for package in (
        "muapi-client",
        "httpx",
        "aiohttp",
        "fal-client",
        "replicate",
        "muapi-cli",
        "openapi-python-client",
    ):
        assert re.search(rf"\b{package} \d", page), package
    picture = (HERE / "results.png").read_bytes()
    assert picture.startswith(b"\x89PNG")
    assert len(picture) < 60_000
    assert "(tests/benchmarks/results.png)" in (ROOT / "README.md").read_text(encoding="utf-8")
