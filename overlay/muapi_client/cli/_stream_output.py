"""``muapi-client run SLUG/stream``: a language model's words as they come.

Lives here: printing events. Does not live here: getting them (``MuAPI.stream``), what is told of the result
(``_progress``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from muapi_client.cli._exit import InterruptedJobError
from muapi_client.cli._formats import event_form
from muapi_client.cli._progress import show_facts
from muapi_client.errors import MuAPIError

if TYPE_CHECKING:
    from muapi_client import MuAPI
    from muapi_client.cli._console import Console
    from muapi_generated.types import Call


def listen(mu: MuAPI, call: Call[Any], console: Console) -> None:
    """Print the text as it arrives, or one line of JSON an event; what it cost goes to standard error.

    Raises:
        InterruptedJobError: The user pressed Ctrl-C.
        MuAPIError: Whatever a stream can come to; what had arrived is printed.
    """
    last = ""
    try:
        for event in mu.stream(call):
            console.piece(event_form(event), event.text)
            last = event.text or last
            if event.prediction is not None:
                _end_line(last, console)
                show_facts(event.prediction, console)
    except MuAPIError:
        _end_line(last, console)
        raise
    except KeyboardInterrupt:
        _end_line(last, console)
        raise InterruptedJobError(
            "interrupted: what was begun may be charged, and a stream cannot be taken up again"
        ) from None


def _end_line(last: str, console: Console) -> None:
    """End the text's last line for people."""
    if last and not last.endswith("\n") and not console.json:
        console.piece(None, "\n")
