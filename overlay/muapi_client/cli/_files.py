"""``muapi-client upload`` and ``download``: files on their way to models, and from jobs that have ended.

Lives here: one file or job after another, and that one which goes wrong is in nobody's way. Does not live here: moving
them (``MuAPI``), saving what ``run`` made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from muapi_client._types.status import JobState
from muapi_client.cli._client import need_journal, open_client, open_reader
from muapi_client.cli._exit import code_of, error_form, print_error, worst
from muapi_client.cli._saving import open_saving
from muapi_client.errors import MuAPIError, NotFoundError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterable

    from muapi_client import MuAPI, Prediction
    from muapi_client.cli._console import Console


def upload(options: argparse.Namespace, console: Console) -> int:
    """Carry out ``upload``.

    Raises:
        AuthenticationError: There is no key.
    """

    def send(mu: MuAPI, file: str) -> dict[str, Any]:
        url = mu.upload(file)
        if not console.json:
            console.result(None, url)
        return {"file": file, "url": url}

    with open_client(options, console) as mu:
        return _each(options.files, "file", lambda file: send(mu, file), console)


def download(options: argparse.Namespace, console: Console) -> int:
    """Carry out ``download``.

    Raises:
        AuthenticationError: There is no key.
        JournalError: Those that were never saved are asked for, and no journal can be read.
    """
    saving = open_saving(options, "", "{id}-{index}", folder=".")
    assert saving is not None, "there is a folder"

    def save(mu: MuAPI, request_id: str) -> dict[str, Any]:
        files = saving.of(mu, request_id).save(mu, _look_at_end(mu, request_id))
        if not console.json:
            console.result(None, "\n".join(map(str, files)))
        return {"request_id": request_id, "saved_paths": [str(file) for file in files]}

    if options.missing:
        need_journal(options)
    with open_reader(options, console) as mu:
        ids = [*options.ids, *(_list_unsaved(mu) if options.missing else ())]
        code = _each(dict.fromkeys(ids), "request_id", lambda each: save(mu, each), console)
    if not ids:
        console.remark("every completed job of the journal was saved")
    return code


def _look_at_end(mu: MuAPI, request_id: str) -> Prediction:
    """What a job made.

    Raises:
        NotFoundError: There is none, or not yet: it has not ended, or ended with nothing.
    """
    prediction = mu.look(request_id)
    if prediction.outputs:
        return prediction
    why = f": {prediction.error}" if prediction.error else ""
    advice = f"; muapi-client wait {request_id} waits for it" if prediction.state is JobState.RUNNING else ""
    raise NotFoundError(f"job {request_id} is {prediction.status} and has no outputs{why}{advice}")


def _list_unsaved(mu: MuAPI) -> Iterable[str]:
    """The completed jobs that made something, and were never saved."""
    for entry in mu.jobs(state="completed"):
        if entry.request_id is not None and entry.outputs and not entry.files:
            yield entry.request_id


def _each(words: Iterable[str], what: str, work: Callable[[str], dict[str, Any]], console: Console) -> int:
    """Work on one word after another; one that goes wrong keeps no other from it.

    Args:
        words: What to work on.
        what: What a word is, in JSON.
        work: Works on one, and answers what came of it as JSON.
        console: Where that is said.
    """
    forms: list[dict[str, Any]] = []
    codes: list[int] = []
    try:
        for word in words:
            try:
                forms.append(work(word))
            except MuAPIError as error:
                codes.append(code_of(error))
                forms.append({**error_form(error), what: word})
                print_error(error, console)
    finally:
        if console.json:
            console.result(forms, "")
    return worst(codes)
