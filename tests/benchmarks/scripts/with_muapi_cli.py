"""Submit a job with muapi-cli and look at it once: ``python with_muapi_cli.py URL``."""

import os
import sys

os.environ["MUAPI_API_KEY"] = "sk-live-0123456789abcdef"
os.environ["MUAPI_BASE_URL"] = f"{sys.argv[-1]}/api/v1"

from muapi import client  # it reads the environment when it is imported


def main() -> None:
    """Do it."""
    job = client.post("flux-dev-image", {"prompt": "a fox", "width": 1024})
    seen = client.get_result(job["request_id"])
    print(job["request_id"], seen["status"], seen["outputs"][0])


if __name__ == "__main__":
    main()
