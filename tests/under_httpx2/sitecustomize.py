"""Put on ``PYTHONPATH``, this lets every Python that starts take httpx2 for httpx: the session ``httpx2`` does so."""

import httpx2

httpx2.alias_httpx()
