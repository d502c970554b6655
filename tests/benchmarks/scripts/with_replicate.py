"""Submit a job with replicate and look at it once: ``python with_replicate.py URL``."""

import sys

from replicate.client import Client


def main(url: str) -> None:
    """Do it."""
    client = Client(api_token="r8_0123456789abcdef", base_url=url)
    body = {"prompt": "a fox", "width": 1024}
    job = client.predictions.create("c", body)
    job.reload()
    if job.output is not None:
        print(job.id, job.status, job.output[0])


if __name__ == "__main__":
    main(sys.argv[1])
