"""``muapi-client wait`` and ``look``: take up a job that was submitted before, here or elsewhere.

Lives here: the two commands. Does not live here: what is told on the way (``_progress``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from muapi_client import MuAPI
from muapi_client.cli._exit import DONE
from muapi_client.cli._progress import Watcher, show_result

if TYPE_CHECKING:
    import argparse

    from muapi_client.cli._console import Console


def wait(options: argparse.Namespace, console: Console) -> int:
    """Carry out ``wait``: print the result once there is one.

    Raises:
        MuAPIError: Whatever a job can come to; see ``MuAPI.wait``.
    """
    watcher = Watcher(console, options.id)
    with MuAPI(transport=console.transport) as mu, watcher.watching(mu):
        prediction = mu.wait(options.id, timeout=options.timeout, on_look=watcher.looked)
        show_result(prediction, console)
    return DONE


def look(options: argparse.Namespace, console: Console) -> int:
    """Carry out ``look``: print how the job stands. That a job failed is an answer, and no error.

    Raises:
        MuAPIError: No answer could be had; see ``MuAPI.look``.
    """
    watcher = Watcher(console, options.id)
    with MuAPI(transport=console.transport) as mu, watcher.watching(mu):
        prediction = mu.look(options.id)
        show_result(prediction, console, first=prediction.status or "status unknown")
    return DONE
