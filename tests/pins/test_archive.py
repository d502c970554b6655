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


PIN = ("openapi.json", "lock.toml", "models.json", "corrections.yaml")


def write_packages(path: Path) -> None:
    with ZipFile(path, "w") as file:
        for room in ("generated/muapi_generated", "overlay/muapi_client"):
            for source in sorted((ROOT / room).rglob("*")):
                if source.is_file() and source.suffix != ".pyc":
                    file.write(source, source.relative_to((ROOT / room).parent))


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a wheel holds."""
    path = tmp_path_factory.mktemp("archive") / "muapi_client.zip"
    write_packages(path)
    with ZipFile(path, "a") as file:
        for name in PIN:
            file.write(ROOT / "spec" / name, f"muapi_generated/{name}")
    return path


def test_it_runs_from_an_archive(archive: Path) -> None:
    command = [sys.executable, "-c", PROGRAM, str(archive)]
    told = subprocess.run(command, capture_output=True, text=True, check=False, cwd=archive.parent)
    assert told.returncode == 0, told.stderr
    assert "usage: muapi-client" in told.stdout


@pytest.mark.parametrize("same", [True, False], ids=["of the same document", "of another document"])
def test_an_archive_of_the_packages_alone_takes_the_pin_of_the_installation_it_was_made_from(
    tmp_path: Path, same: bool
) -> None:
    """As an editable installation leaves it beside the checkout: perhaps of an older day than the packages."""
    site = tmp_path / "site"
    (site / "muapi_generated").mkdir(parents=True)
    (site / "muapi_client-1.dist-info").mkdir()
    (site / "muapi_client-1.dist-info" / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: muapi-client\nVersion: 1\n"
    )
    for name in PIN:
        (site / "muapi_generated" / name).write_bytes((ROOT / "spec" / name).read_bytes())
    if not same:
        with (site / "muapi_generated" / "openapi.json").open("ab") as file:
            file.write(b"\n")
    write_packages(archive := tmp_path / "packages.zip")
    program = (
        f"import sys; sys.path[:0] = [{str(archive)!r}, {str(site)!r}]\n"
        "from muapi_client.pinning import pinned\n"
        "print(pinned().directory)"
    )
    command = [sys.executable, "-c", program]
    told = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    if same:
        assert told.stdout.strip() == str(site / "muapi_generated"), told.stderr
    else:
        assert "no pinned document here" in told.stderr.splitlines()[-1]
