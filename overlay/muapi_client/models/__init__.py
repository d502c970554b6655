"""Every model as a typed function, flat here and by group below (``text_to_image``, ``audio``, …).

    from muapi_client.models import flux_dev_image
    from muapi_client.models.text_to_image import flux_dev_image  # the same, with less to complete

A function makes a request and sends nothing: give it to ``MuAPI.run``, ``submit`` or ``estimate``. The functions are
rendered from the pinned document; this package and its modules only lead there. The set of groups is closed, so a new
document adds functions and never a module.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from muapi_generated.functions import *

    from . import (
        audio as audio,
    )
    from . import (
        avatars as avatars,
    )
    from . import (
        data as data,
    )
    from . import (
        image_edit as image_edit,
    )
    from . import (
        image_enhance as image_enhance,
    )
    from . import (
        image_to_video as image_to_video,
    )
    from . import (
        language as language,
    )
    from . import (
        lipsync as lipsync,
    )
    from . import (
        other as other,
    )
    from . import (
        social as social,
    )
    from . import (
        storyboard as storyboard,
    )
    from . import (
        text_to_image as text_to_image,
    )
    from . import (
        text_to_video as text_to_video,
    )
    from . import (
        three_d as three_d,
    )
    from . import (
        training as training,
    )
    from . import (
        utilities as utilities,
    )
    from . import (
        video_edit as video_edit,
    )
else:
    from muapi_client._runtime.forks import held
    from muapi_generated import functions as _functions

    GROUPS = (
        "audio",
        "avatars",
        "data",
        "image_edit",
        "image_enhance",
        "image_to_video",
        "language",
        "lipsync",
        "other",
        "social",
        "storyboard",
        "text_to_image",
        "text_to_video",
        "three_d",
        "training",
        "utilities",
        "video_edit",
    )
    __all__ = [*_functions.__all__, *GROUPS]

    @held
    def __getattr__(name: str) -> Any:
        if name in GROUPS:
            from importlib import import_module

            return import_module(f"{__name__}.{name}")
        try:
            return getattr(_functions, name)
        except AttributeError:
            from difflib import get_close_matches

            near = get_close_matches(name, _functions.__all__, n=3)
            hint = f"; did you mean {', '.join(near)}?" if near else ""
            raise AttributeError(f"no model {name!r} in the pinned document{hint}") from None

    def __dir__() -> list[str]:
        return sorted(__all__)
