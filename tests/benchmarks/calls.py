"""What building and checking one call costs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import timing

from muapi_client._spec.validation import check
from muapi_client.models import flux_dev_image

if TYPE_CHECKING:
    from collections.abc import Iterator


def rows() -> Iterator[tuple[str, float, float | None, str]]:
    """Microseconds, the one absolute number here: it is far from its goal on any machine."""

    def build_and_check() -> None:
        check(flux_dev_image(prompt="a fox", width=1024, height=768, num_images=2, sync=False))

    (seconds,) = timing.of_functions(build_and_check, repeat=2000)
    yield "build and check one call", seconds * 1e6, 30, "us"
