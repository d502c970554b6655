"""The version: the code's, by hand, and the document's day, never by hand."""

from __future__ import annotations

import runpy
import tomllib
from datetime import datetime
from pathlib import Path

import pytest
from packaging.version import Version

import muapi_client
from muapi_client._version import RELEASE, version_of
from muapi_client.pinning import pinned

ROOT = Path(__file__).parents[2]


def test_it_ends_with_the_day_of_the_pinned_document() -> None:
    day = datetime.fromisoformat(pinned().lock.fetched_at).strftime("%Y%m%d")
    assert muapi_client.__version__ == f"{RELEASE}.{day}"


def test_it_is_a_public_version_of_pep_440_in_normal_form() -> None:
    assert str(Version(muapi_client.__version__)) == muapi_client.__version__
    assert Version(muapi_client.__version__).local is None


@pytest.mark.parametrize(
    ("release", "version"),
    [
        ("0.2.0", "0.2.0.20261122"),
        ("0.2.0a1", "0.2.0.20261122a1"),
        ("0.2.0rc1", "0.2.0.20261122rc1"),
        ("0.2.0.dev1", "0.2.0.20261122.dev1"),
        ("0.2.0.post1", "0.2.0.20261122.post1"),
        ("0.2.0rc1.post2.dev3", "0.2.0.20261122rc1.post2.dev3"),
    ],
)
def test_any_release_takes_a_day(release: str, version: str) -> None:
    made = version_of(release, '\nfetched_at = "2026-11-22T00:00:00+00:00"')
    assert made == str(Version(made)) == version
    assert Version(made).release == (0, 2, 0, 20261122)
    assert Version(made).is_prerelease == Version(release).is_prerelease


def test_the_build_asks_the_same_file() -> None:
    told = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["hatch"]["version"]
    assert told == {"source": "code", "path": "overlay/muapi_client/_version.py"}


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        (("0.1.0", "2026-11-22"), ("0.1.0", "2026-11-23")),
        (("0.1.0", "2026-12-31"), ("0.1.1", "2026-01-01")),
        (("0.9.0", "2026-12-31"), ("0.10.0", "2026-01-01")),
    ],
)
def test_a_later_document_and_a_later_code_sort_later(earlier: tuple[str, str], later: tuple[str, str]) -> None:
    first, second = (
        Version(version_of(release, f'source = ""\nfetched_at = "{day}T00:00:00+00:00"\n'))
        for release, day in (earlier, later)
    )
    assert first < second


@pytest.mark.parametrize("lock", ["", "nonsense", 'a = "b"\nfetched_at = ""\n', '\nfetched_at = "soon"'])
def test_without_a_day_it_is_the_codes_alone(lock: str) -> None:
    assert version_of("0.1.0", lock) == "0.1.0"


@pytest.mark.parametrize(
    ("package", "lock", "version"),
    [
        ("overlay/muapi_client", "spec/lock.toml", "0.1.0.20270203"),
        ("site-packages/muapi_client", "site-packages/muapi_generated/lock.toml", "0.1.0.20270203"),
        ("site-packages/muapi_client", "spec/lock.toml", "0.1.0"),
    ],
    ids=["checkout and sdist", "wheel", "a copy without its lock"],
)
def test_it_is_found_wherever_the_package_lies(tmp_path: Path, package: str, lock: str, version: str) -> None:
    text = (ROOT / "spec/lock.toml").read_text(encoding="utf-8")
    for name, content in {
        f"{package}/_version.py": (ROOT / "overlay/muapi_client/_version.py").read_text(encoding="utf-8"),
        lock: text.replace(pinned().lock.fetched_at, "2027-02-03T04:05:06+00:00"),
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content, encoding="utf-8")
    module = runpy.run_path(str(tmp_path / package / "_version.py"))
    assert module["__version__"].replace(RELEASE, "0.1.0") == version
