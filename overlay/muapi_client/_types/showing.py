"""``show()``: a value in a notebook's cell with pictures and players, which the browser fetches; elsewhere as text.

Lives here: where it is shown. Does not live here: the HTML (``_html``), whether this is a notebook
(``_runtime/notebook``).
"""

import sys
from collections.abc import Callable
from typing import Any, Final

from muapi_client._runtime.notebook import find_notebook_display
from muapi_client._types.error import MuAPIError
from muapi_client._types.words import show

WIDEST: Final = 4096  # pixels


def show_value(value: Any, make_html: Callable[..., str], width: int) -> None:
    """Show a value, by players where that can be.

    Args:
        value: The value.
        make_html: Makes its HTML, of the value, ``playing`` and ``width``.
        width: Pixels of a picture.

    Raises:
        MuAPIError: The width cannot be right.
    """
    if type(width) is not int or not 0 < width <= WIDEST:
        raise MuAPIError(f"width must be pixels, a whole number from 1 to {WIDEST}, not {show(width)}")
    display = find_notebook_display()
    if display is None:
        sys.stdout.write(f"{value!r}\n")
        return
    html = make_html(value, playing=True, width=width)
    display({"text/html": str(html), "text/plain": repr(value)}, raw=True)
