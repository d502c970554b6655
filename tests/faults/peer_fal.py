"""Many jobs by fal-client's own submit and get: ``python peer_fal.py URL FOLDER``; the folder as in ``driver``.

fal-client has no setting for a plain-HTTP host, so its address is set from here, and its patience with it: 1.5 s for an
exchange in place of 120 s. How often it sends a submit again is left as it is.
"""

from __future__ import annotations

import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import fal_client
import httpx
from fal_client import client as fal

PATIENCE = 1.5  # seconds


def main(url: str, folder: Path) -> None:
    """All of it."""
    fal.QUEUE_URL_FORMAT = f"{url}/fal/"
    fal.QUEUE_POLL_TIMEOUT = httpx.Timeout(PATIENCE)
    told = os.open(folder / "told", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    client = fal_client.SyncClient(key="k:s", default_timeout=PATIENCE)

    def one(marker: str) -> None:
        known = {"marker": marker, "state": "accepted", "id": None}
        try:
            handle = client.submit("fal-ai/flux", {"prompt": marker})
            known["id"] = handle.request_id
            handle.get(interval=0.02)
            known["state"] = "completed"
        except fal_client.FalClientHTTPError as error:
            failed = error.status_code == 422 and known["id"]  # the job's own end, in fal's dialect
            known["state"] = "failed" if failed else "accepted"
        except Exception:  # noqa: BLE001 - whatever a peer raises is counted: the id is held, or is not
            pass
        os.write(told, (json.dumps(known) + "\n").encode())

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(one, (folder / "wanted").read_text().split()))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
