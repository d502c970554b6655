"""What a user hands to a client's methods, where it cannot be right: what was given, what is wanted, what to type next.

Lives here: the refusal of wrong arguments, before anything is sent. Pure. Does not live here: options (``options``),
inputs of a model (``_spec/validation``).

The rule: an argument or option of the wrong kind raises ``MuAPIError`` itself, whichever method it is given to; only a
model's input, a local file and the journal have errors of their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from inspect import isawaitable
from os import PathLike
from typing import TYPE_CHECKING

import attrs

from muapi_client._types.entry import Entry
from muapi_client._types.job import Job, is_token
from muapi_client._types.prediction import Prediction
from muapi_client._types.words import quote, show, with_article
from muapi_client.errors import MuAPIError, SubmitOutcomeUnknownError
from muapi_generated.types import Call

if TYPE_CHECKING:
    from collections.abc import Callable

CALL = "a call, such as flux_dev_image(prompt='a red fox')"
SHOWN = 40  # characters of what was given


def call_error(given: object, method: str) -> MuAPIError:
    """Make the error of what is no call.

    Args:
        given: What the method was given in place of one.
        method: The method's name.
    """
    return MuAPIError(f"mu.{method} takes {CALL}, not {_show(given)}; nothing was sent. {_say_next(given, method)}")


def _say_next(given: object, method: str) -> str:
    """The next line to type for one who has ``given`` in place of a call."""
    hint = "muapi_client.models has a function for every model, and muapi_client.catalog.find('…') finds one"
    if isinstance(given, str):
        words = repr(given) if len(given) <= SHOWN else "'…'"  # what is to be typed is never cut
        hint = (
            f"muapi_client.catalog.find({words}) lists the models of these words, each with its function in "
            f"muapi_client.models; raw_call({words}, {{…}}) makes a call of any slug"
        )
    elif isinstance(given, Mapping):
        hint = f"It names no model: mu.{method}(flux_dev_image(**body)), or raw_call('the-models-slug', body)"
    elif ".models." in type(given).__module__ and attrs.has(type(given)):  # a generated one, of any document
        hint = f"It names no model: mu.{method}(flux_dev_image(**attrs.asdict(request, recurse=False)))"
    elif isinstance(given, Prediction):
        hint = f"It is answered: see its outputs; mu.{method}(prediction.call) would pay for it once more"
    elif isinstance(given, Job):
        hint = f"It is submitted: mu.wait({given.id!r})"
    elif isawaitable(given):
        hint = f"It has to be awaited first: mu.{method}(await …)"
    elif callable(given):
        hint = f"Call the function: mu.{method}({getattr(given, '__name__', 'function')}(…))"
    return hint


def require_job(given: object, method: str) -> None:
    """Refuse what is neither a job nor an id.

    Raises:
        MuAPIError: It is something else, a job's token included: asked for as an id, it is of no job.
    """
    if is_token(given):
        raise MuAPIError(
            f"mu.{method} takes a Job or its id, not JSON: mu.{method}(Job.from_json(…)) reads what job.to_json() wrote"
        )
    if isinstance(given, Job | str):
        return
    hint = "mu.submit(call) answers a Job, and job.id or prediction.id is the id"
    if isinstance(given, Prediction):
        hint = f"mu.{method}({given.id!r}) asks once more" if given.id else "it was answered at once, without an id"
    elif isinstance(given, Call):
        hint = "mu.run(call) submits it and waits"
    elif isinstance(given, SubmitOutcomeUnknownError | Entry):
        hint = "mu.reconcile(…) looks for its job"
    elif isinstance(getattr(given, "job", None), Job):
        hint = f"mu.{method}(error.job)"
    elif isawaitable(given):
        hint = f"it has to be awaited first: mu.{method}(await …)"
    raise MuAPIError(f"mu.{method} takes a Job or its id as text, not {_show(given)}: {hint}")


def require_lost(given: object, method: str) -> None:
    """Refuse what is no submit whose outcome is unknown.

    Raises:
        MuAPIError: It is something else.
    """
    if not isinstance(given, SubmitOutcomeUnknownError | Entry):
        raise MuAPIError(
            f"mu.{method} takes an entry that mu.unknown() lists, or the SubmitOutcomeUnknownError a submit raised, "
            f"not {_show(given)}: see mu.unknown()"
        )


def require_prediction(given: object) -> None:
    """Refuse to download what is no prediction.

    Raises:
        MuAPIError: It is something else.
    """
    if isinstance(given, Prediction):
        return
    hint = "mu.run(call) answers one"
    if isinstance(given, str) and "://" in given:
        hint = (
            "mu.run(call) answers one, and mu.download(prediction, directory) saves all of its outputs; mu.jobs() lists"
            " earlier jobs, of which mu.look(entry.id) answers the prediction"
        )
    elif isinstance(given, Job | str):
        hint = f"mu.download(mu.wait({(given.id if isinstance(given, Job) else given)!r}), …)"
    raise MuAPIError(f"mu.download takes a Prediction, not {_show(given)}: {hint}")


def require_folder(given: object) -> None:
    """Refuse what is no path.

    Raises:
        MuAPIError: It is something else.
    """
    if not isinstance(given, str | PathLike):
        raise MuAPIError(f"the directory to save to must be text or a Path, not {_show(given)}")


def require_file(given: object) -> None:
    """Refuse what is no path of a file to save to.

    Raises:
        MuAPIError: It is something else.
    """
    if not isinstance(given, str | PathLike):
        raise MuAPIError(f"the file to save to must be text or a Path, such as 'fox.png', not {_show(given)}")


def require_zone(name: str, given: object) -> None:
    """Refuse a time that may be any zone's.

    Args:
        name: The argument's name.
        given: What the method was given.

    Raises:
        MuAPIError: It tells no time zone, or is no time.
    """
    if getattr(given, "tzinfo", None) is None:
        raise MuAPIError(f"{name} must tell its time zone, such as datetime.now(UTC), not {show(given)}")


def require_callables(**callbacks: Callable[..., object] | None) -> None:
    """Refuse a callback that cannot be called: noticed once the job is accepted, it would cost the wait.

    Raises:
        MuAPIError: One cannot be called.
    """
    for name, callback in callbacks.items():
        if callback is not None and not callable(callback):
            raise MuAPIError(f"{name} must be a function, not {_show(callback)}; nothing was sent")


def _show(given: object) -> str:
    """What was given, by its type, and as far as it is short and plain by its value."""
    if given is None or isinstance(given, bool | int | float):
        return show(given, SHOWN)
    if isinstance(given, str):
        return f"the text {quote(given, SHOWN)}"
    if isinstance(given, Mapping):
        return "a dictionary"
    name = getattr(given, "__name__", None)
    if isinstance(name, str) and callable(given):
        return f"{name} itself"
    return with_article(type(given).__name__)
