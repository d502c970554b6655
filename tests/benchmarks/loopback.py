"""A submit and a look over loopback HTTP, beside a bare ``httpx.Client`` doing the same two requests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import server
import timing

from muapi_client import Job, MuAPI
from muapi_client.models import flux_dev_image

if TYPE_CHECKING:
    from collections.abc import Iterator

KEY = "sk-live-0123456789abcdef0123456789abcdef"  # as long as a real one, which is looked for in every answer


def rows() -> Iterator[tuple[str, float, float | None, str]]:
    """The ratio."""
    with server.running() as url, httpx.Client(timeout=60) as client, MuAPI(KEY, url) as mu:

        def bare() -> None:
            body = {"prompt": "a fox", "width": 1024}
            headers = {"x-api-key": KEY}
            accepted = client.post(f"{url}/api/v1/flux-dev-image", json=body, headers=headers).json()
            client.get(f"{url}/api/v1/predictions/{accepted['request_id']}/result", headers=headers).json()

        def ours() -> None:
            job = mu.submit(flux_dev_image(prompt="a fox", width=1024))
            assert isinstance(job, Job)
            mu.look(job)

        theirs, mine = timing.of_functions(bare, ours, repeat=300)
    yield "submit and look / a bare httpx.Client, one connection", mine / theirs, 1.05, "x"
