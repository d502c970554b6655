"""Pictures, video and sound, which a browser fetches by their URLs: only where ``show()`` was called.

Lives here: what is played, and by what. Does not live here: when (``cards``).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from muapi_client._html.markup import element, is_link

if TYPE_CHECKING:
    from muapi_client._html.markup import Markup

# A picture, a video or a sound that came in the answer itself; of pictures only those without scripts.
CONTENT: Final = re.compile(
    r"data:(?:image/(?:png|jpeg|gif|webp)|audio/[a-z0-9.+-]+|video/[a-z0-9.+-]+);base64,[\w+/=]+"
)
LARGEST: Final = 2**22  # characters of one; a notebook keeps it


def play(output: Any, width: int) -> Markup | None:
    """The player of an output, or None where it has none.

    Args:
        output: The output.
        width: Pixels of a picture or a video.
    """
    url = output.url
    if url is None or not (is_link(url) or (len(url) <= LARGEST and CONTENT.fullmatch(url))):
        return None
    kind = (output.media_type or "").partition("/")[0]
    style = f"max-width:100%;width:{int(width)}px"
    if kind == "image":
        return element("img", src=url, alt="output", loading="lazy", referrerpolicy="no-referrer", style=style)
    if kind == "video":
        return element("video", src=url, controls="controls", preload="metadata", style=style)
    if kind == "audio":
        return element("audio", src=url, controls="controls", preload="none")
    return None
