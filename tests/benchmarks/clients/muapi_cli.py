"""muapi-cli's own module of requests, which blocks; ``MUAPI_BASE_URL`` says where, before it is imported."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from clients import Blocking

BODY = {"prompt": "a fox", "width": 1024}


def _point(url: str) -> None:
    os.environ |= {"MUAPI_BASE_URL": f"{url}/api/v1", "MUAPI_API_KEY": "sk-live-0123456789abcdef"}


@contextmanager
def blocking(url: str) -> Iterator[Blocking]:
    _point(url)
    from muapi import client

    yield lambda: client.post("flux-dev-image", BODY), lambda job: client.get_result(job["request_id"])


def wait(url: str) -> None:
    """A job, to its end, looked at as often as it does of its own accord."""
    _point(url)
    from muapi import client

    client.generate("flux-dev-image", BODY)


def download(url: str, folder: Path) -> None:
    _point(url)
    from muapi import client, utils

    utils.download_outputs(client.get_result("job-1"), str(folder))
