"""A MuAPI that runs in this process: submit, look, pay and be refused without a key, a network or money.

Lives here: the service itself, as a function of a request, and how it is reached, in process and over HTTP. Does not
live here: any part of the client, whose rules it must not share: bodies are judged by a JSON Schema library on the
pinned document, and what does not fit is read as the server's FastAPI would.

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
3. otherwise the job fails or is refused by moderation as often as ``failure_rate`` and ``moderation_rate`` say, by
   default never, and else completes with outputs that suit its kind: real files, which the CDN hands out, of the
   type that the body or the document asks for; text; data.

A refused submit (4xx) consumes nothing; test keys never do. ``Shape`` chooses how answers are laid out:
the documented way, or one of those met in the wild; for all jobs with ``Emulator(shape=...)``, for one
with ``Outcome(shape=...)``. The ``/stream`` operations of language models are answered word by word, charged like any
job: server-sent events by default, in pieces over HTTP and in process, and cut or slow where a fault says so.

What goes wrong on the way is apart from what becomes of a job: ``Emulator(faults=Faults(html=0.05, seed=7))``
by chance, ``Faults.script([...])`` or ``emulator.next_fault(Fault.RESET_AFTER_ACCEPT)`` in order. Whatever the
client makes of it, ``accepted``, ``charged_usd`` and ``requests`` tell the truth.

Other programs reach it over HTTP: ``with emulator.serve() as url: ...``, where an emulated minute passes in a
second, or ``muapi-client emulator`` on the command line. A job's ``webhook`` is told of its end: to
``Emulator(deliver=function)``, or posted by a served emulator, to this machine only, and not at all while others are
let in (``host="0.0.0.0"``), unless ``webhooks="anywhere"``; ``emulator.webhooks`` has every try. A function given to a
served emulator that raises stops nothing: its event loop's exception handler tells it, at first on standard error.

``emulator.save()`` gives the whole state as text, ``Emulator.load(text)`` an emulator that goes on from there.

Files stand where they really do (``cdn.muapi.ai``, the samples of test keys on their own host), take no key, and are
handed out in parts (``Range``). In process the host decides; a client that reaches the emulator over HTTP, at
``http://127.0.0.1:PORT`` or ``http://emulator:8000``, is given ``http://127.0.0.1:PORT/cdn.muapi.ai/…`` or
``http://emulator:8000/cdn.muapi.ai/…`` in every answer. A key sent there is not looked at, but ``emulator.requests``
shows it.

Where the real service is undocumented the emulator chooses, and each choice stands here:

===================  ==================================================================================================
history              a page is ``{items, next_cursor}``; an item is a result with ``model``, ``endpoint``,
                     ``created_at`` and ``usage_log_id``; one whose result has expired stays, without outputs
usage log            every live job has an id, counted from 1000001; test keys' jobs have none (404)
``idempotency_key``  where a body has it: the same request gets the same answer, charged once, also after its job
                     failed; with another body or operation the key is refused (422); live and test keys share none
deleting             answers ``{id, deleted}``; with the media their URLs are gone
credits              one is a US cent, begun ones counted
prices               cost x pieces x duration x resolution x quality, the last three in proportion to the
                     document's defaults; a model without a price costs what its kind does
refusals             carry no cost headers; a file over the documented size limit is refused with 413
``models``           gives the catalogue name as endpoint, as the real one does, wrong where that is not the slug
bodies               are read as FastAPI reads them (``"5"`` is 5 where an integer is asked, ``"yes"`` and 1 are
                     true), and refused in its words; with ``strict_types=True`` they must have the document's types.
                     What Python reads and JSON cannot say (``NaN``, half of a character) fails with 500
paths                a slash at the end is a redirect, HEAD and OPTIONS are refused (405), as FastAPI does; a slash
                     spelt ``%2F`` is none: FastAPI would take it for one, and users say the real API does not
live rules           of ``images_list`` of two models, ``qwen-image-edit-plus`` and ``grok-imagine-image-to-image``,
                     which the document does not tell: at least one (observed)
time of day          the client's own, in ``Date`` and in bodies; jobs may run faster: see ``clock`` of ``Emulator``
durations            see ``job_seconds`` of ``Emulator``; a job answered at once (``sync``) passes a serial queue by
top-up               opening the checkout pays it, once; ``Emulator.deposit`` pays without one
auto-topup           ``{enabled, threshold, amount, payment_method}`` and whatever else is put; pays before a submit
                     that would leave less than ``threshold``, once ``setup``'s page was opened
``get_upload_url``   ``{url, fields}`` for an hour; storage answers 204, or 400, 403 in XML, as S3 does
social accounts      are connected when the ``connect-url`` is opened; publishing takes any account id
voices               are the live jobs of ``suno-voice-clone``; one is ready once confirmed
storyboards          a library has 2 characters, an episode 2 scenes, a scene 1 shot; prices by piece, as the kinds'
prompts              the two operations without a key are free, answer at once and leave no job
agent-skills,        a few entries of the emulator's own
changelog,
workflows
===================  ==================================================================================================

Test keys: the API reference says of sandbox mode "zero cost", "instant response", "no side effects", and speaks of
jobs. So a test key's job is finished at once with the model's sample, whatever was asked; it can be looked at and
deleted, and is in no history. Uploads of a test key are kept, since their URLs must open, need no balance, and cost
nothing anyhow. Storyboards of test keys are apart from the account's. Reading works as with any key. What would change
the account (keys, auto-topup, social accounts, voices, a live job's media) is refused with 403; a top-up gives a link
that cannot be paid.

``/openapi.json`` publishes the pinned document, one line, without a key and with an ETag, as the real host does;
``/aged/openapi.json``, which no real host has, an earlier version of it for whatever tells versions apart.

The official muapi-cli 0.2.7 runs against it unchanged (``nox -s cli_contract``). What it has otherwise than the
document, the emulator answers as the document says: 63 of its 249 model aliases send a field by an older name or a
duration that is not offered (422), 3 name models the document lacks (404); its ``audio create``, ``remix`` and
``extend``, ``enhance face-swap`` and some of ``edit`` are refused for such fields too (422). Signing in with a
password (``/api/auth``) and workflows (``/workflow``) lie outside ``/api/v1`` and are not emulated: 501.
"""

from __future__ import annotations

from muapi_client.emulator._emulator import Emulator
from muapi_client.emulator._http.faults import Fault, Faults
from muapi_client.emulator._http.log import LogEntry
from muapi_client.emulator._http.request_log import Exchange
from muapi_client.emulator._messages.messages import Request, Response
from muapi_client.emulator._state.outcomes import Outcome, Shape
from muapi_client.emulator._webhooks.deliveries import Delivery

__all__ = ["Delivery", "Emulator", "Exchange", "Fault", "Faults", "LogEntry", "Outcome", "Request", "Response", "Shape"]

# Pickles and tracebacks name the place a class is imported from, so that the rooms may change. The price:
# `inspect.getsource` looks for a class here and does not find it.
for _class in (Delivery, Emulator, Exchange, Fault, Faults, LogEntry, Outcome, Request, Response, Shape):
    _class.__module__ = __name__
del _class
