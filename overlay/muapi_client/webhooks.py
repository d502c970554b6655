"""Receiving webhooks, in any web framework.

MuAPI posts a job's result to ``webhook=`` when it ends: up to 3 tries, unsigned, duplicates possible (observed). So a
webhook is a hint that something ended, and what it says is believed only once the result was fetched with the key.
Whether webhooks come at all is not certain: keep a deadline of your own, and look then.

Lives here: reading the hint, the secret in the path, telling duplicates. Does not live here: a web server, and asking
the API (``MuAPI.look``).

    token = webhooks.new_token()                    # once; store it
    mu = MuAPI(webhook=f"https://example.com/hooks/{token}")

    def hook(path_token: str, body: bytes) -> int:  # in your framework's words
        if not webhooks.same_token(token, path_token):
            return 404
        hint = webhooks.receive(body)               # ResponseError: return 400
        if hint not in seen:
            truth = mu.look(hint.id)                # what fails here answers 500, and MuAPI posts again
            if truth.state is JobState.RUNNING:     # a forged one, or it came early: the true one is not seen yet
                return 503
            handle(truth)
            seen.add(hint)                          # handled, and not before: else a failure would lose it
        return 200

``handle`` has to bear being called twice for one job: posts of one job may overlap, and ``seen`` is of this process.

Where this process itself waits for its jobs (``wait``, ``run``, ``map``), the hook need only hasten the next look; then
nothing is lost where a webhook never comes, and nothing is believed that it says:

    def hook(path_token: str, body: bytes) -> int:
        if not webhooks.same_token(token, path_token):
            return 404
        mu.wake(webhooks.receive(body))             # whoever waits for the job looks now, in any thread or event loop
        return 200
"""

import hmac
import secrets
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from muapi_client._protocol.job_answer import read_prediction
from muapi_client._protocol.steps import Reply
from muapi_client._runtime.locks import ForkLock
from muapi_client._settings.options import read_count
from muapi_client._types.hint import Hint
from muapi_client._types.words import with_article
from muapi_client.errors import MuAPIError, ResponseError

__all__ = ["Hint", "Seen", "new_token", "receive", "same_token"]

# A result is read as the answer to a look, and a failed job's mostly comes as a 400 whose ``detail`` is the result
# (observed); which of both a webhook posts is not known.
_STATUSES = (200, 400)
BODY_MAXIMUM = 4 * 2**20  # bytes; a result is some kilobytes of URLs, or a language model's text


def receive(body: bytes, headers: Mapping[str, str] | None = None) -> Hint:
    """Read a webhook's request.

    Args:
        body: The raw body, in bytes.
        headers: The request's headers, in any case.

    Raises:
        ResponseError: The body names no job, is no JSON, or passes 4 MiB: answer 400 and forget it.
        MuAPIError: It is not bytes, such as JSON that the framework has parsed, or the headers are not text by their
            names: a mistake in this program.
    """
    if not isinstance(body, bytes | bytearray | memoryview):
        raise MuAPIError(
            f"webhooks.receive takes the request's raw body in bytes, not {with_article(type(body).__name__)}: "
            "await request.body() in Starlette and FastAPI, request.get_data() in Flask, request.body in Django"
        )
    body = bytes(body)
    if len(body) > BODY_MAXIMUM:
        raise ResponseError(f"a webhook of {len(body)} bytes is none of MuAPI's")
    lowered = _lowered(headers)
    for status in _STATUSES:
        claim = read_prediction(Reply(status, lowered, body, 0.0), request_id=None)
        if claim is not None and claim.id is not None:
            return Hint(claim.id, claim)
    raise ResponseError("a webhook that names no job", body=body)


def _lowered(headers: Mapping[str, str] | None) -> dict[str, str]:
    """The headers by their names in small letters.

    Raises:
        MuAPIError: They are something else, such as the pairs of bytes of an ASGI scope.
    """
    pairs: Any = () if headers is None else headers.items() if hasattr(headers, "items") else headers
    try:
        lowered = {name.lower(): value for name, value in pairs}
    except (AttributeError, TypeError, ValueError):
        lowered = None
    if lowered is None or not all(isinstance(text, str) for pair in lowered.items() for text in pair):
        raise MuAPIError(
            "webhooks.receive takes the request's headers as texts by their names, or none of them: request.headers in "
            "Starlette, FastAPI, Flask and Django"
        )
    return lowered


def new_token() -> str:
    """A secret for the webhook's path, 43 characters that need no quoting: MuAPI signs nothing, so the URL must."""
    return secrets.token_urlsafe(32)


def same_token(expected: str, given: str) -> bool:
    """Return whether the token in a request's path is ours, reported in constant time.

    Args:
        expected: Ours, as :func:`new_token` made it.
        given: The one in the path.

    Raises:
        MuAPIError: One of them is no text.
    """
    if not isinstance(expected, str) or not isinstance(given, str):
        kinds = f"{with_article(type(expected).__name__)} and {with_article(type(given).__name__)}"
        del expected, given  # a traceback that shows locals shows no token
        raise MuAPIError(f"webhooks.same_token compares two texts, not {kinds}")
    return hmac.compare_digest(expected.encode("utf-8", "surrogatepass"), given.encode("utf-8", "surrogatepass"))


class Seen:
    """Which webhooks were handled before, in this process; safe to share between threads.

    Ask ``hint in seen`` before handling one and ``seen.add(hint)`` once that is done, so that one whose handling fails
    is handled when it comes again.

    Args:
        maximum: How many are remembered, the latest ones.

    Raises:
        MuAPIError: ``maximum`` is no whole number of 1 or more. By each of its methods, and ``in``: it was given
            something else than what :func:`receive` answers.
    """

    def __init__(self, maximum: int = 10_000) -> None:
        self._maximum = read_count("maximum", maximum)
        self._known: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._lock = ForkLock()

    def __contains__(self, hint: Hint) -> bool:
        """Return whether this job's webhook of this status was handled before."""
        key = _key(hint)
        with self._lock:
            if key not in self._known:
                return False
            self._known.move_to_end(key)
            return True

    def add(self, hint: Hint) -> None:
        """Remember that this job's webhook of this status was handled."""
        key = _key(hint)
        with self._lock:
            self._remember(key)

    def first(self, hint: Hint) -> bool:
        """Return whether this job's webhook of this status comes for the first time; it is remembered at once.

        What fails after that is not handled again: where that matters, use ``in`` and :meth:`add`.
        """
        key = _key(hint)
        with self._lock:
            is_first = key not in self._known
            self._remember(key)
            return is_first

    def _remember(self, key: tuple[str, str]) -> None:
        """Note one as the latest, and forget the one that is longest past; the lock is held."""
        self._known[key] = None
        self._known.move_to_end(key)
        if len(self._known) > self._maximum:
            self._known.popitem(last=False)


def _key(hint: Hint) -> tuple[str, str]:
    """What tells a hint from others.

    Raises:
        MuAPIError: It is something else, such as a job's id.
    """
    if not isinstance(hint, Hint):
        raise MuAPIError(
            f"webhooks.Seen takes what webhooks.receive(body) answers, not {with_article(type(hint).__name__)}"
        )
    return hint.id, hint.claim.status
