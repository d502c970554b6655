"""Submit a job with httpx and look at it once: ``python with_bare_httpx.py URL``."""

import sys

import httpx


def main(url: str) -> None:
    """Do it."""
    headers = {"x-api-key": "sk-live-0123456789abcdef"}
    body = {"prompt": "a fox", "width": 1024}
    with httpx.Client(timeout=60) as client:
        job = client.post(f"{url}/api/v1/flux-dev-image", json=body, headers=headers).json()
        look = f"{url}/api/v1/predictions/{job['request_id']}/result"
        seen = client.get(look, headers=headers).json()
        print(job["request_id"], seen["status"], seen["outputs"][0])


if __name__ == "__main__":
    main(sys.argv[1])
