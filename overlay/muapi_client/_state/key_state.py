"""The state of a client's key: whether it was ever charged, answered with samples, or listed; else who finds it out.

Lives here: the memory, shared by ``with_options``, and whose turn it is to ask or to go first; a key's kind never
changes, so what one answer showed counts for the next. Only answers about jobs that were accepted through this client
teach of its key: any other job may be looked at, too, and may be another key's. Does not live here: what it means
(``_sandbox/detection``), acting on it (``_sandbox/guard``). Cheap to import.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Literal, NamedTuple

from muapi_client._runtime.locks import ForkLock
from muapi_client._types.cost import is_charge

if TYPE_CHECKING:
    from muapi_client._state.memory import Record


class Listing(NamedTuple):
    """The account's active keys, counted by what ``GET keys`` says of each."""

    test: int = 0
    live: int = 0
    silent: int = 0  # listed without ``is_test``


class KeyFacts(NamedTuple):
    """The facts known of a key besides the current answer."""

    charged: str = ""  # the request that was seen charged first
    sampled: str = ""  # the request whose answer was a sandbox's by itself
    listing: Listing | None = None  # None: not asked, or not reported


NOTHING = KeyFacts()


def describe_request(request_id: str | None) -> str:
    """A request, for a sentence."""
    return f"request {request_id}" if request_id else "a request without id"


class KeyState:
    """The memory of one client's key. Threads may share it.

    Attributes:
        known: What was learnt so far.
        past: What the journal tells of the key, once it was read for that; nothing of it counts for a single answer.
        was_asked: Whether the key list was asked for and the server answered in any way.
        missed_at: When it last was not to be had though it may be later, in seconds on the client's clock, or None.
    """

    def __init__(self) -> None:
        self._lock = ForkLock()
        self._warned: set[bool] = set()
        self._first: Record | None = None
        self.known = NOTHING
        self.past: KeyFacts | None = None
        self.was_asked = False
        self.missed_at: float | None = None
        self._asking_until = -inf  # by any clock

    @property
    def kind(self) -> Literal["live", "sandbox"] | None:
        """The kind of the key, where an answer has settled it."""
        return "live" if self.known.charged else "sandbox" if self.known.sampled else None

    def may_ask(self, now: float, patience: float) -> bool:
        """Whether to ask for the key list: nobody does, or whoever does has been at it for longer than it may take.

        Args:
            now: In seconds on the client's clock.
            patience: How long it may take, in seconds.
        """
        with self._lock:
            is_free = now >= self._asking_until
            if is_free:
                self._asking_until = now + patience
            return is_free

    def may_go(self, record: Record) -> bool:
        """Whether a submit may leave: it is the first, or the first one was answered, which tells what it was charged.

        One that was not accepted tells nothing of the key, so that another takes its place.
        """
        with self._lock:
            first = self._first
            if first is not None and first is not record and first.ours and first.running:
                return False
            if first is None or not first.accepted:
                self._first = record
            elif is_charge(first.cost) and not self.known.charged:
                self.known = self.known._replace(charged=describe_request(first.request_id))
            return True

    def charge(self, request: str) -> None:
        """A request was charged."""
        with self._lock:
            if not self.known.charged:
                self.known = self.known._replace(charged=request)

    def sample(self, request: str) -> None:
        """An answer was a sandbox's."""
        with self._lock:
            if not self.known.sampled:
                self.known = self.known._replace(sampled=request)

    def note_listing(self, listing: Listing | None) -> None:
        """The server answered a request for the key list: the latest word counts, and None changes nothing."""
        with self._lock:
            self.was_asked = True
            self.known = self.known._replace(listing=listing or self.known.listing)

    def first_warning(self, *, own: bool) -> bool:
        """Return whether nobody was warned yet, of this key or of any other's jobs; from now on somebody was."""
        with self._lock:
            first = own not in self._warned
            self._warned.add(own)
            return first
