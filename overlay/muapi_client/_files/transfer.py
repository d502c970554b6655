"""The protocol by which flows move files: an exchange that carries a file, and work on the disk.

Lives here: the promise. Does not live here: keeping it (``_transport/file_transfer``), when it is called for
(``upload``, ``download``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from muapi_client._files.form import Form
    from muapi_client._files.part import Part
    from muapi_client._files.ranges import Fetch
    from muapi_client._settings.api_key import APIKey
    from muapi_client._state.upload_cache import Turn


class FileTransfer(Protocol):
    """How a client moves files: blocking, or awaited by the driver.

    Attributes:
        key: The client's, to be hidden in what a server echoes.
    """

    key: APIKey

    def post(self, form: Form) -> Any:
        """Post a form to the API, with the key: a :class:`Reply`, or :class:`NoReply`."""
        ...

    def deposit(self, form: Form) -> Any:
        """Post a form to storage, without the key: a :class:`Reply`, or :class:`NoReply`."""
        ...

    def fetch(self, fetch: Fetch, part: Part) -> Any:
        """Fetch a file, or what lacks of it, into ``part``, without the key: a :class:`Fetched`."""
        ...

    def probe(self, fetch: Fetch) -> Any:
        """Ask for the first byte of a file, without the key, and take none: a :class:`Fetched` of the headers."""
        ...

    def disk(self, work: Callable[[], Any]) -> Any:
        """Do something to the disk, and answer what it answers."""
        ...

    def turn(self, key: str) -> Turn:
        """The turn of a content, by its digest."""
        ...
