"""What is said of a client that was closed.

Lives here: the error, for whoever asks for a connection. Does not live here: closing (``connections``, ``pools``).
"""

from __future__ import annotations

from muapi_client.errors import MuAPIError


def closed_error() -> MuAPIError:
    """The error of a request that is not sent, since its client is closed."""
    return MuAPIError("this client is closed: make a new one, or keep it open by using it inside its `with` block")
