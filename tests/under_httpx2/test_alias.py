"""A program that lets httpx2 take the place of httpx, early or late; the session ``httpx2`` has it installed."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from by_kind import IMAGE

from muapi_client.emulator import Emulator

pytest.importorskip("httpx2")

PROGRAM = f"""
import asyncio, sys
from muapi_client import AsyncMuAPI, MuAPI
from muapi_client.models import {IMAGE.function}

key, url = sys.argv[1:]
mu = MuAPI(key, url)


async def submit():
    async with AsyncMuAPI(key, url) as amu:
        return (await amu.submit({IMAGE.function}(prompt="a red fox"))).id


{{early}}
assert mu.submit({IMAGE.function}(prompt="a red fox")).id
{{late}}
assert mu.submit({IMAGE.function}(prompt="a red fox")).id
assert asyncio.run(submit())
mu.close()
print(sys.modules["httpx"].__name__)
"""
ALIAS = "import httpx2; httpx2.alias_httpx()"
TOO_LATE = f"""
try:
    {ALIAS}
except RuntimeError as error:
    assert "already imported" in str(error)
else:
    raise AssertionError("it has begun to be possible")
"""


@pytest.mark.parametrize(
    ("early", "late", "used"),
    [(ALIAS, "", "httpx2"), ("", TOO_LATE, "httpx")],
    ids=["after the import", "after the first call, when httpx2 refuses"],
)
def test_either_serves_a_whole_program(early: str, late: str, used: str) -> None:
    key, emulator = "sk-live-4f1d0c2e9b", Emulator(live_keys=("sk-live-4f1d0c2e9b",))
    plain = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}  # which would be earlier still
    with emulator.serve() as url:
        words = [sys.executable, "-c", PROGRAM.format(early=early, late=late), key, url]
        done = subprocess.run(words, env=plain, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == (f"{used}\n", "")
    assert emulator.accepted == 3
