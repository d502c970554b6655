"""Freeze a program that uses the installed package with PyInstaller, and run it. ``python tests/frozen/build.py``.

Its modules load by their names when they are asked for, which PyInstaller cannot see: the package's own hooks tell it.
Exits with 1 where the frozen program does not do its jobs.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from muapi_client.emulator import Emulator

PROGRAM = """
import asyncio, sys
from muapi_client import AsyncMuAPI, MuAPI, catalog
from muapi_client.models import flux_dev_image, gpt_5_2_stream

async def work(url):
    async with AsyncMuAPI("sk-live", url) as mu:
        return (await mu.run(flux_dev_image(prompt="a fox"))).status

with MuAPI("sk-live", sys.argv[1], journal=sys.argv[2]) as mu:
    done = mu.run(flux_dev_image(prompt="a fox"))
    events = list(mu.stream(gpt_5_2_stream(prompt="a fox")))
    files = mu.download(done, sys.argv[3])
    mu.account.balance()
    entries = [entry.state for entry in mu.jobs()]
print(done.status, events[-1].event, len(files), entries, asyncio.run(work(sys.argv[1])))
print(bool(catalog.find("flux", kind="image")), catalog.get("flux-dev-image").price is not None)
"""
EXPECTED = "completed done 1 ['completed', 'completed'] completed\nTrue True\n"


def main() -> int:
    """Build it and run it; 0 where it did its jobs."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        (place / "app.py").write_text(PROGRAM, encoding="utf-8")
        command = [sys.executable, "-m", "PyInstaller", "--onedir", "--noconfirm", "--log-level", "ERROR", "app.py"]
        subprocess.run(command, cwd=place, check=True)
        with Emulator().serve() as url:
            frozen = [str(place / "dist/app/app"), url, str(place / "jobs.db"), str(place / "files")]
            ran = subprocess.run(frozen, capture_output=True, text=True, check=False, timeout=120)
    sys.stdout.write(ran.stdout)
    sys.stderr.write(ran.stderr)
    return 0 if ran.stdout == EXPECTED and not ran.returncode else 1


if __name__ == "__main__":
    sys.exit(main())
