"""How a request arrives and its answer leaves: in process as an httpx transport, and over HTTP.

Lives here: transport, server, faults on the way, what is logged; all that imports httpx or anyio. Does not live here:
what is answered (``_handlers``).
"""
