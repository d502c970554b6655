"""Many jobs of one command, as values: which they are, and how they are to be carried out.

Lives here: the values. Does not live here: making them (``_batch``, ``_run``), carrying them out (``_many``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from muapi_client.cli._saving import Saving
    from muapi_generated.types import Call


class Task(NamedTuple):
    """One of the jobs.

    Attributes:
        key: What it is known by in the run.
        call: The request.
        place: Where it was asked for, for messages: ``line 3``; empty where the key says it.
        row: The columns it was made of.
    """

    key: str
    call: Call[Any]
    place: str
    row: Mapping[str, Any]


class Many(NamedTuple):
    """What is to be carried out, and how.

    Attributes:
        title: What all of it is called.
        tasks: The jobs, each with a key of its own.
        run: The name of the run in the journal, or None without one.
        again: How to go on after an interrupt, in words.
        goes_on: Whether that submits what was not sent, and nothing else.
        saving: Where outputs are saved, or None.
        shows_keys: Whether a job's key stands before its outputs.
        concurrency: How many are under way at a time.
        retry_unknown: Whether what may have been charged is submitted again.
    """

    title: str
    tasks: Sequence[Task]
    run: str | None
    again: str
    goes_on: bool
    saving: Saving | None
    shows_keys: bool
    concurrency: int
    retry_unknown: bool = False
