"""A MuAPI that runs in this process: submit, look, pay and be refused without a key, a network or money.

Lives here: the service itself, as a function of a request, and the doors it is reached by. Does not live
here: any part of the client, whose rules it must not share: bodies are judged by a JSON Schema library on
the pinned document.

    from muapi_client import MuAPI
    from muapi_client.emulator import Emulator, Outcome

    emulator = Emulator(outcomes=[Outcome.completed(), Outcome.failed("out of memory")])
    with MuAPI("sk-live", transport=emulator.transport()) as mu: ...
    assert emulator.accepted == 2

Steering a job's fate, the first that applies:

1. ``emulator.next(outcome, ...)``: the next accepted jobs, in order of acceptance;
2. ``Emulator(outcomes=[...])``: then these, in the same order (any iterable, endless ones too), or
   ``Emulator(outcomes=function)``: ``function(slug, body)`` gives an ``Outcome``, or ``None`` for an
   ordinary one;
3. otherwise the job completes with outputs that suit its kind.

A refused submit (4xx) consumes nothing; test keys never do. ``Shape`` chooses how answers are laid out:
the documented way, or one of those met in the wild; for all jobs with ``Emulator(shape=...)``, for one
with ``Outcome(shape=...)``.

Where the real service is undocumented the emulator chooses, and each choice stands here: a history page
is ``{items, next_cursor}``; deleting answers ``{id, deleted}``; a credit is one US cent, begun ones
counted; a file over the documented size limit is refused with 413; ``models`` gives the catalogue name as
endpoint, as the real one does, wrong for the few models whose name is not their slug; refusals carry no
cost headers. Bodies are judged more strictly than by the real server in one way: ``"5"`` is not an
integer here. Operations of the document that it does not answer yet (the streams, storyboards, connected
social accounts, presigned uploads) answer 501 and say so.
"""

from __future__ import annotations

from muapi_client.emulator._emulator import Emulator
from muapi_client.emulator._exchanges import Exchange, Request, Response
from muapi_client.emulator._outcomes import Outcome, Shape

__all__ = ["Emulator", "Exchange", "Outcome", "Request", "Response", "Shape"]
