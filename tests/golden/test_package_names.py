"""A package that is built takes no name that would hide another module from its users."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from build import package_name
from rules.errors import GenerationError

ROOT = Path(__file__).parents[2]


def test_whatever_the_client_and_its_extras_need_is_no_name_of_a_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = [one for needed in project["optional-dependencies"].values() for one in needed]
    distributions = [re.split(r"[^\w-]", one)[0].lower() for one in [*project["dependencies"], *extras]]
    for distribution in distributions:
        name = {"opentelemetry-api": "opentelemetry", "python-dateutil": "dateutil"}.get(
            distribution, distribution.replace("-", "_")
        )
        with pytest.raises(GenerationError, match="would hide the other"):
            package_name.check_free(name)
    with pytest.raises(GenerationError):
        package_name.check_free("attr")


@pytest.mark.parametrize("name", ["aux", "NUL", "com1"])
def test_a_device_of_windows_is_no_name_of_a_package(name: str) -> None:
    with pytest.raises(GenerationError, match="a device of Windows"):
        package_name.check_form(name)
