"""A multipart form that carries a file, as a value.

Lives here: what is sent beside the file. Does not live here: its bytes (``source``), writing it to the network
(``_transport/multipart``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import frozen

if TYPE_CHECKING:
    from collections.abc import Callable

    from muapi_client._files.source import Source
    from muapi_client._protocol.steps import Send


@frozen(kw_only=True)
class Form:
    """A multipart form that carries a file, posted to the API or to storage.

    Attributes:
        send: Where to, and how long it may take; its path is a whole URL for storage.
        fields: The form's fields, in their order; the file comes last, as storage wants it.
    """

    send: Send
    source: Source
    fields: dict[str, str]
    on_progress: Callable[[int, int], Any] | None = None
