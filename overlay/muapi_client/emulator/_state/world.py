"""The state of one emulated MuAPI.

Lives here: what there is (wallet, keys, jobs, files, outcomes), and the ids drawn from it. Does not live here: the way
from a request to an answer (``_handlers/dispatch``).
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from attrs import define, field, frozen

from muapi_client.emulator._messages.timestamps import iso_date
from muapi_client.emulator._spec.operations import read_operations
from muapi_client.emulator._state.idempotency import IdempotencyKeys
from muapi_client.emulator._state.jobs import JobBook
from muapi_client.emulator._state.keys import Key, KeyRing
from muapi_client.emulator._state.records import Records

if TYPE_CHECKING:
    from random import Random

    from muapi_client.emulator._spec.kinds import Kind
    from muapi_client.emulator._spec.operations import Table
    from muapi_client.emulator._state.behavior import Behavior
    from muapi_client.emulator._state.outcomes import OutcomeQueue, Shape
    from muapi_client.emulator._state.wallet import Wallet


@frozen(eq=False)
class StoredFile:
    """A file that was uploaded."""

    content: bytes
    content_type: str


@define(eq=False, repr=False)
class World:
    """Everything a request may change, and what a test chose.

    Args:
        wallet: The account's money.
        outcomes: The scripted ones.
        shape: How answers are laid out, where a job does not say.
        behavior: Rates and times where nothing was scripted.
        rng: What ids are drawn from.
        offset: What is added to the clock's reading, in seconds: after loading, time goes on from where it was.
        wall_time: The time of day, in seconds since 1970, of the request that is being answered.
        free_at: When the serial queue is empty, as a reading in seconds.
        records: The account's small things, and those that test keys see in their place.
        files: What was uploaded, by its path on the CDN.
        operations: What can be asked; the pinned document's by default.
        strict_types: Whether bodies are read by the document's types alone.
    """

    wallet: Wallet
    outcomes: OutcomeQueue
    shape: Shape
    behavior: Behavior
    rng: Random
    offset: float = 0.0
    wall_time: float = 0.0
    free_at: float = 0.0
    keys: KeyRing = field(factory=KeyRing)
    jobs: JobBook = field(factory=JobBook)
    idempotency_keys: IdempotencyKeys = field(factory=IdempotencyKeys)
    records: Records = field(factory=Records)
    sandbox: Records = field(factory=Records)
    files: dict[str, StoredFile] = field(factory=dict[str, StoredFile])
    operations: Table = field(factory=read_operations)
    strict_types: bool = False

    def new_id(self) -> str:
        """An id not given before; the same ones in the same order for the same seed."""
        return str(uuid.UUID(int=self.rng.getrandbits(128), version=4))

    def new_key(self, name: str, *, is_test: bool, secret: str | None = None) -> Key:
        """A key that works from now on; ``secret`` is made up if not given."""
        secret = secret or f"sk-{self.rng.getrandbits(128):032x}"
        return self.keys.add(Key(self.keys.new_id(), name, secret, is_test, self.timestamp))

    def queue(self, kind: Kind, now: float, seconds: float) -> float:
        """How long a job of ``seconds`` stands in the serial queue, in seconds, and its place there."""
        if kind not in self.behavior.serial:
            return 0.0
        begins = max(now, self.free_at)
        self.free_at = begins + seconds
        return begins - now

    @property
    def timestamp(self) -> str:
        """The time of day as bodies tell it."""
        return iso_date(self.wall_time)

    def settle(self, now: float) -> None:
        """Bring the wallet up to ``now``."""
        self.jobs.settle(now, self.wallet)
