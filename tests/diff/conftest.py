"""What the tests of the comparison share: the pinned document with some answers told, and the way to the mutator."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
# Scripts side by side, no packages: what is here, the generator's rules, and the way to render the specimen.
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "generator_templates"), str(HERE.parent / "golden")]

import mutator  # noqa: E402

from muapi_client.pinning import pinned  # noqa: E402


@pytest.fixture(scope="session")
def small() -> dict[str, Any]:
    """A fifth of it; nobody changes it."""
    return mutator.base(pinned().document, every=5)


@pytest.fixture(scope="session")
def document() -> dict[str, Any]:
    """The pinned document, with answers told where it tells none; nobody changes it."""
    return mutator.base(pinned().document)
