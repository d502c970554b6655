"""Submit a job with muapi-client and look at it once: ``python with_ours.py URL``."""

import sys

from muapi_client import Job, MuAPI
from muapi_client.models import flux_dev_image


def main(url: str) -> None:
    """Do it."""
    with MuAPI("sk-live-0123456789abcdef", url) as mu:
        job = mu.submit(flux_dev_image(prompt="a fox", width=1024))
        if isinstance(job, Job):
            seen = mu.look(job)
            print(job.id, seen.status, seen.outputs[0].url)


if __name__ == "__main__":
    main(sys.argv[1])
