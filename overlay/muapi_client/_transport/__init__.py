"""All of the client that imports httpx or anyio: the driver, connections, deadlines, streams and files on their way."""
