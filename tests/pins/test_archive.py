"""The package as an archive on the path, as zipapps and shivs have it: what it reads of itself is found there, too."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest
from by_kind import IMAGE

ROOT = Path(__file__).resolve().parents[2]

PROGRAM = f"""
import sys
sys.path.insert(0, sys.argv[1])

import muapi_client
from muapi_client import MuAPI, catalog
from muapi_client.cli import main
from muapi_client.emulator import Emulator
from muapi_client.models import {IMAGE.function}
from muapi_client.pinning import pinned

assert muapi_client.__file__.startswith(sys.argv[1]), muapi_client.__file__
day = pinned().lock.fetched_at[:10].replace("-", "")
assert muapi_client.__version__.endswith(day), muapi_client.__version__
assert catalog.find("flux", kind="image")
with MuAPI("sk-live", transport=Emulator().transport()) as mu:
    assert mu.run({IMAGE.function}(prompt="a fox")).done
assert main(["models", "{IMAGE.name}"]) == main(["spec", "show"]) == 0
main(["--help"])
"""


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a wheel holds."""
    path = tmp_path_factory.mktemp("archive") / "muapi_client.zip"
    with ZipFile(path, "w") as file:
        for room in ("generated/muapi_generated", "overlay/muapi_client"):
            for source in sorted((ROOT / room).rglob("*")):
                if source.is_file() and source.suffix != ".pyc":
                    file.write(source, source.relative_to((ROOT / room).parent))
        for name in ("openapi.json", "lock.toml", "models.json", "corrections.yaml"):
            file.write(ROOT / "spec" / name, f"muapi_generated/{name}")
    return path


def test_it_runs_from_an_archive(archive: Path) -> None:
    command = [sys.executable, "-c", PROGRAM, str(archive)]
    told = subprocess.run(command, capture_output=True, text=True, check=False, cwd=archive.parent)
    assert told.returncode == 0, told.stderr
    assert "usage: muapi-client" in told.stdout
