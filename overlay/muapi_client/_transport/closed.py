"""The error of a request whose client was closed.

Lives here: that error. Does not live here: closing (``connections``, ``pools``).
"""

from __future__ import annotations

from muapi_client.errors import MuAPIError


def closed_error() -> MuAPIError:
    """Make the error of a request that is not sent, since its client is closed."""
    return MuAPIError("this client is closed: make a new one, or keep it open by using it inside its `with` block")
