"""``muapi-client wait`` and ``look``: take up a job that was submitted before, here or elsewhere.

Lives here: the two commands. Does not live here: what is told on the way (``_progress``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from muapi_client.cli._client import open_reader
from muapi_client.cli._exit import DONE
from muapi_client.cli._progress import Watcher, save_and_show, show_result
from muapi_client.cli._saving import open_saving

if TYPE_CHECKING:
    import argparse

    from muapi_client.cli._console import Console


def wait(options: argparse.Namespace, console: Console) -> int:
    """Carry out ``wait``: print the result once there is one, and save it where that is asked for.

    Raises:
        DownloadError: An output could not be saved; the result is printed all the same.
        MuAPIError: Whatever a job can come to; see ``MuAPI.wait``.
    """
    saving = open_saving(options, "", "{id}-{index}")
    watcher = Watcher(console, options.id)
    with open_reader(options, console) as mu, watcher.watching(mu):
        prediction = mu.wait(options.id, on_look=watcher.looked, on_look_failed=watcher.failed)
        save_and_show(mu, prediction, console, saving and saving.of(mu, options.id))
    return DONE


def look(options: argparse.Namespace, console: Console) -> int:
    """Carry out ``look``: print how the job stands. That a job failed is an answer, and no error.

    Raises:
        MuAPIError: No answer could be had; see ``MuAPI.look``.
    """
    watcher = Watcher(console._replace(quiet=True), options.id)  # one look is nothing to watch
    with open_reader(options, console) as mu, watcher.watching(mu):
        prediction = mu.look(options.id)
        show_result(prediction, console, first=prediction.status or "status unknown")
    return DONE
