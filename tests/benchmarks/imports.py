"""What importing costs, beside ``import httpx``."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import server
import timing

if TYPE_CHECKING:
    from collections.abc import Iterator

FIRST_CALL = """
from muapi_client import MuAPI
from muapi_client.models import flux_dev_image
flux_dev_image(prompt='a fox', width=1024)
"""
SENT = """
with MuAPI('k', {url!r}) as mu:
    mu.submit(flux_dev_image(prompt='a fox', width=1024))
"""
BARE = """
import httpx, json
with httpx.Client(timeout=60) as client:
    body = {{'prompt': 'a fox', 'width': 1024}}
    client.post({url!r} + '/api/v1/flux-dev-image', json=body, headers={{'x-api-key': 'k'}}).json()
"""
MODULES = "import sys; before = set(sys.modules); {source}; print(len(set(sys.modules) - before))"


def rows() -> Iterator[tuple[str, float, float | None, str]]:
    """The ratios."""
    httpx, call, attrs = timing.of_programs("import httpx", FIRST_CALL, "import attrs")
    yield "import client and a model function, build a call / import httpx", call / httpx, 0.7, "x"
    yield "import attrs / import httpx (the floor of the above)", attrs / httpx, None, "x"
    with server.running() as url:
        ours, bare = timing.of_programs(FIRST_CALL + SENT.format(url=url), BARE.format(url=url))
    yield "import, client, first submit on loopback / the same in bare httpx", ours / bare, 1.15, "x"
    source = "import muapi_generated.api.text_to_image.flux_dev_image"
    told = subprocess.run([sys.executable, "-c", MODULES.format(source=source)], capture_output=True, check=True)
    yield "modules loaded by importing one endpoint module", float(told.stdout), 100, ""
