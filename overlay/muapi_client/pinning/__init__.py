"""Pinning: fetch MuAPI's OpenAPI document, keep it in one form under a lock, and check that they agree.

Lives here: everything between an address and ``spec/``. Does not live here: rendering the pin into Python
(``generator_templates``), correcting it (``spec/corrections.yaml``).
"""

from __future__ import annotations

from muapi_client.pinning._errors import PinError
from muapi_client.pinning._fetch import Fetched, fetch
from muapi_client.pinning._lock import Lock
from muapi_client.pinning._pin import Pin, pinned
from muapi_client.pinning._source import Limits
from muapi_client.pinning._verify import verify

__all__ = ["Fetched", "Limits", "Lock", "Pin", "PinError", "fetch", "pinned", "verify"]
