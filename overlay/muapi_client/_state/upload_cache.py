"""The files a client has uploaded, and the uploads under way.

Lives here: memory, shared by threads and event loops. Does not live here: uploading (``_files/upload``).
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakValueDictionary

from muapi_client._runtime.locks import ForkLock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

KEPT: Final = 24 * 3600.0  # seconds a URL is used again for the same content; files last 7 days at least (observed)


class UploadCache:
    """The URLs of uploaded contents by their SHA-256, and one turn for each content.

    A second upload of the same content waits for the first, and finds it done.
    """

    def __init__(self) -> None:
        self._guard = ForkLock()
        self._urls: dict[str, tuple[str, float]] = {}
        self._digests: dict[str, str] = {}  # by URL
        self._turns: WeakValueDictionary[Any, Turn] = WeakValueDictionary()

    def url(self, digest: str, *, now: float) -> str | None:
        """The URL of a content, or None where it has to be uploaded."""
        url, since = self._urls.get(digest, (None, now))
        return url if now - since < KEPT else None

    def keep(self, digest: str, url: str, *, now: float) -> None:
        """Remember the URL of a content; what was there before is no longer there."""
        before = self._digests.get(url)
        if before != digest and before is not None:
            self._urls.pop(before, None)
        self._urls[digest] = (url, now)
        self._digests[url] = digest

    def forget(self, urls: Iterable[str]) -> None:
        """Have the contents of some URLs uploaded anew when they are next wanted."""
        for url in urls:
            digest = self._digests.get(url, "")
            if self._urls.get(digest, ("", 0.0))[0] == url:
                self._urls.pop(digest, None)

    def digest(self, url: str) -> str | None:
        """The digest of the content that was uploaded to a URL, or None of any other text."""
        return self._digests.get(url)

    def turn(self, key: Any, new_lock: Callable[[], Any]) -> Turn:
        """The turn of a content: the same for all who ask at a time."""
        with self._guard:
            turn = self._turns.get(key)
            if turn is None:
                turn = self._turns[key] = Turn(new_lock())
            return turn


class Turn:
    """A lock that lives as long as somebody holds or awaits it."""

    def __init__(self, lock: Any) -> None:
        self.lock = lock

    def end(self) -> None:
        """Let the next one in; nothing, where it is not the caller's who was interrupted before it was."""
        with suppress(RuntimeError):
            self.lock.release()
