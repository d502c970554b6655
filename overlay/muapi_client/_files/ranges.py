"""A file as it arrives: what is written where, and when it is whole. Knows neither httpx nor flows.

Lives here: reading the headers of one answer to a fetch, and holding the bytes against them. Does not live here: the
connection (``transfer``), what to do when it broke off (``fetch``).
"""

from __future__ import annotations

import re
from threading import Event  # noqa: TC003 - attrs and checkers read the module's annotations alike
from typing import TYPE_CHECKING, Final

from attrs import frozen

from muapi_client._runtime.content_coding import describe_odd_coding, read_coding
from muapi_client.errors import DownloadError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from muapi_client._files.part import Part

WHOLE: Final = 200
PARTIAL: Final = 206
RESTART: Final = frozenset({PARTIAL, 412, 416})  # not the part that was asked for: the file has to come from its start


@frozen(kw_only=True)
class Fetch:
    """One exchange of a download.

    Attributes:
        url: What to fetch.
        offset: Bytes that are here already; the rest is asked for.
        validator: The ETag or date those bytes belong to.
        total: Bytes of the whole file that they belong to, or None where that was not told.
        maximum: Bytes the file may have.
        timeout: Seconds for the exchange.
        idle: Seconds the server may keep silent.
        stop: Set when nobody waits for the file any more.
    """

    url: str
    offset: int = 0
    validator: str = ""
    total: int | None = None
    maximum: int
    timeout: float
    idle: float
    stop: Event


@frozen(kw_only=True)
class Fetched:
    """The result of one exchange of a download.

    Attributes:
        status: The HTTP status, or 0 where no answer arrived.
        size: Bytes of the file that are here now.
        whole: Whether that is all of it.
        trouble: Why it is not.
        validator: What to ask for the rest with, or "" where it cannot be asked for.
        total: Bytes of the whole file, or None where that was not told.
        at: The clock's reading, in seconds.
    """

    status: int
    headers: Mapping[str, str]
    size: int = 0
    whole: bool = False
    trouble: str = ""
    validator: str = ""
    total: int | None = None
    at: float


class Receiving:
    """One answer, from its headers to its end."""

    def __init__(self, fetch: Fetch, part: Part, now: Callable[[], float]) -> None:
        self._fetch = fetch
        self._part = part
        self._now = now  # reads the clock, in seconds
        self._ends = now() + fetch.timeout
        self._status = 0
        self._headers: Mapping[str, str] = {}
        self._size = fetch.offset  # bytes of the file that are here
        self._begun = False
        self._trouble = ""

    def begin(self, status: int, headers: Mapping[str, str]) -> bool:
        """Read the headers: whether the body is, or goes on with, the file.

        Raises:
            DownloadError: It is too large.
        """
        self._status, self._headers = status, headers
        self._trouble = self._find_mismatch()
        if self._trouble:
            return False
        self._size = self._fetch.offset if status == PARTIAL else 0
        self._check_size(self._size + (self._read_length() or 0))
        self._part.begin(self._size)
        self._begun = True
        return True

    def take(self, piece: bytes) -> None:
        """Write what arrived.

        Raises:
            DownloadError: It is too large, nobody waits for it any more, or the disk refuses it.
            TimeoutError: The time is up.
        """
        if self._fetch.stop.is_set():
            raise DownloadError("the download was stopped", url=self._fetch.url)
        if self._now() > self._ends:
            raise TimeoutError(f"not whole within {self._fetch.timeout:g} s")
        self._check_size(self._size + len(piece))
        self._part.write(piece)
        self._size += len(piece)

    def end(self, arrived: int) -> Fetched:
        """The outcome of an answer that came to its end.

        Args:
            arrived: Bytes of the body as they came over the wire.
        """
        declared = self._read_length()
        if not self._trouble and declared is not None and arrived != declared:
            self._trouble = f"{arrived} of {declared} bytes arrived"
        total = self._read_total()  # a part may be shorter than what was asked for (RFC 9110, 15.3.7)
        if not self._trouble and total is not None and self._size != total:
            self._trouble = f"{self._size} of {total} bytes arrived"
        return self._make_result(whole=not self._trouble)

    def fail(self, error: Exception) -> Fetched:
        """The outcome of an answer that broke off, or never came."""
        self._trouble = str(error) or type(error).__name__
        return self._make_result(whole=False)

    def _make_result(self, *, whole: bool) -> Fetched:
        return Fetched(
            status=self._status,
            headers=self._headers,
            size=self._size,
            whole=whole,
            trouble=self._trouble,
            validator=self._read_validator() if self._size else "",
            total=self._read_total() if self._begun else self._fetch.total,
            at=self._now(),
        )

    def _find_mismatch(self) -> str:
        """Why the body is not what was asked for, or ""."""
        if self._status == WHOLE:
            odd = describe_odd_coding(self._headers)
            return odd and f"it came in {odd}"
        if self._status != PARTIAL or not self._fetch.offset:
            return f"HTTP {self._status}"
        found = self._read_range()
        if found is None or int(found[1]) != self._fetch.offset:
            return f"a part was answered that was not asked for ({self._headers.get('content-range')!r})"
        if self._is_of_another_version():
            return "the file changed meanwhile"
        return "the rest came in a coding, of which it is no part" if read_coding(self._headers) else ""

    def _is_of_another_version(self) -> bool:
        """Whether a part is not, or not provably, of the file whose beginning is here. RFC 9110, 15.3.7.

        A part names its ETag where the whole would; its date may be left out.
        """
        known, total = self._fetch.validator, self._read_total()
        told = self._headers.get("etag") if known.startswith('"') else self._headers.get("last-modified", known)
        return told != known or (self._fetch.total is not None and total != self._fetch.total)

    def _read_range(self) -> re.Match[str] | None:
        """The first byte of a part, and the size of the whole where it is told."""
        return re.match(r"bytes ([0-9]{1,18})-(?:[0-9]{1,18}/([0-9]{1,18})\b)?", self._headers.get("content-range", ""))

    def _read_total(self) -> int | None:
        """The size of the whole file, where an answer tells it."""
        if self._status != PARTIAL:
            return None if read_coding(self._headers) else self._read_length()
        found = self._read_range()
        return int(found[2]) if found and found[2] else self._fetch.total

    def _read_length(self) -> int | None:
        length = self._headers.get("content-length", "")
        return int(length) if re.fullmatch(r"[0-9]{1,18}", length) else None

    def _check_size(self, size: int) -> None:
        if size > self._fetch.maximum:
            raise DownloadError(
                f"the file passes {self._fetch.maximum} bytes: raise max_bytes to have it", url=self._fetch.url
            )

    def _read_validator(self) -> str:
        """Return the validator that proves the file unchanged: a strong ETag, else its date. RFC 9110, 13.1.5."""
        refused = self._headers.get("accept-ranges", "").strip().lower() == "none"
        if self._status in RESTART and not self._begun:
            return ""
        if not self._begun:  # no answer to a request for the rest: ask for it again
            return self._fetch.validator
        if refused or read_coding(self._headers):  # what is here was unpacked, and the rest is not
            return ""
        etag = self._headers.get("etag", "")
        return etag if etag.startswith('"') else (self._headers.get("last-modified", "") or self._fetch.validator)
