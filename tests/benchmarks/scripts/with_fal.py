"""Submit a job with fal-client and look at it once: ``python with_fal.py URL``."""

import sys

import fal_client
from fal_client import client as inside


def main(url: str) -> None:
    """Do it."""
    inside.QUEUE_URL_FORMAT = f"{url}/fal/"
    client = fal_client.SyncClient(key="k:s")
    job = client.submit("fal-ai/flux", {"prompt": "a fox", "width": 1024})
    seen = job.status()
    if isinstance(seen, fal_client.Completed):
        print(job.request_id, seen.metrics)


if __name__ == "__main__":
    main(sys.argv[1])
