"""Submit a job with aiohttp and look at it once: ``python with_bare_aiohttp.py URL``."""

import asyncio
import sys

import aiohttp


async def main(url: str) -> None:
    """Do it."""
    headers = {"x-api-key": "sk-live-0123456789abcdef"}
    async with aiohttp.ClientSession(headers=headers) as client:
        async with client.post(f"{url}/api/v1/flux-dev-image", json={"prompt": "a fox"}) as answer:
            job = await answer.json()
        async with client.get(f"{url}/api/v1/predictions/{job['request_id']}/result") as answer:
            seen = await answer.json()
        print(job["request_id"], seen["status"], seen["outputs"][0])


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
